"""The demo network, from files to pages, in one command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import Database, In, Now
from api.commands.serving import Port


def demo(
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where its files go.", show_default="your data folder"),
    ] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Build it only.")] = False,
    port: Port = 8000,
    database: Database = None,
    now: Now = None,
    language: In = None,
) -> None:
    """Build a lively demo network, close its past quarters and serve it on 127.0.0.1:8000."""
    from api.commands.serving import serve_pages
    from api.demo.building import build, demo_database, links
    from api.wiring import moment, open_house

    named = database or os.environ.get("PARTNER_CX_DATABASE_URL")
    with open_house(named or demo_database(), any_schema=True) as house:
        build(
            house,
            folder or house.settings.data_folder / "demo",
            now=moment(now, house.settings),
            language=language or house.language,
            tell=typer.echo,
        )
        for line in links(house, f"http://127.0.0.1:{port}"):
            typer.echo(line)
        if not no_serve:
            serve_pages(house, "127.0.0.1", port)
