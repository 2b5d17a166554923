"""A stand-in Odoo to start by hand: `python -m integrations.stand_ins.odoo FOLDER --version 19`.

The folder holds `<model>.json` files, each a list as `search_read` answers it.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from integrations.stand_ins.odoo import packs
from integrations.stand_ins.odoo.plenty import plenty
from integrations.stand_ins.odoo.rights import User
from integrations.stand_ins.odoo.server import running
from integrations.stand_ins.odoo.stand_in import DATABASE, StandIn


def main(given: Sequence[str] | None = None) -> int:
    said = _arguments().parse_args(given)
    if said.lines:
        rows = plenty(said.lines, version=said.version)
    elif said.folder:
        try:
            rows = packs.read(said.folder)
        except packs.NoPack as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
    else:
        sys.stderr.write("Name a folder of rows, or how many order lines to make up (--lines).\n")
        return 2
    user = User(2, said.login, said.key)
    stand_in = StandIn(said.version, rows, users=[user], database=said.database)
    _seat(stand_in, user)
    with running(stand_in, port=said.port) as address:
        _say(f"Odoo {said.version} stands in at {address}; end it with Ctrl-C.")
        _say(f"  PARTNER_CX_ODOO_URL={address}")
        _say(f"  PARTNER_CX_ODOO_DATABASE={said.database}")
        _say(f"  PARTNER_CX_ODOO_LOGIN={said.login}")
        _say(f"  PARTNER_CX_ODOO_KEY={said.key}")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            _say(f"{len(stand_in.requests)} requests were answered.")
    return 0


def _seat(stand_in: StandIn, user: User) -> None:
    """Give the key's user the records that Odoo has of it, where the rows haven't."""
    if stand_in.tables["res.users"].get(user.id) is None:
        email = f"{user.login}@brand.example"
        partner = stand_in.add("res.partner", {"name": user.login, "email": email})
        given = {"id": user.id, "login": user.login, "partner_id": partner, "share": False}
        stand_in.add("res.users", given)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m integrations.stand_ins.odoo")
    parser.description = "An Odoo to try things on, on this machine only."
    parser.add_argument("folder", nargs="?", type=Path, help="where <model>.json files lie")
    parser.add_argument("--version", type=int, choices=(18, 19), default=19)
    parser.add_argument("--port", type=int, default=8069, help="0 for any that is free")
    parser.add_argument("--database", default=DATABASE)
    parser.add_argument("--login", default="admin")
    parser.add_argument("--key", default="a-key-for-trying")
    parser.add_argument("--lines", type=int, default=0, help="make up so many order lines instead")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
