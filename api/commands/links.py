"""Sign-in links, printed for whoever is to sign in."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.options import Database, Now


def link(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Of a person in the network.")],
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where the pages are served.")
    ] = "http://127.0.0.1:8000",
    database: Database = None,
    now: Now = None,
) -> None:
    """Print a fresh sign-in link. It works once, for half an hour."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.network.sign_in_links import make_link

    with open_house(database) as house:
        at = moment(now, house.settings)
        token = transact(house.engine, lambda session: make_link(session, email, now=at))
    typer.echo(f"{address.rstrip('/')}/sign-in/{token}")
