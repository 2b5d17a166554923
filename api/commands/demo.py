"""The demo network, from files and neighbours to pages, in one command."""

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
    from dataclasses import replace

    from api.commands.serving import serve_pages
    from api.demo.building import build, built_at, demo_database, links
    from api.demo.neighbours import alone, neighbours_of
    from api.demo.sights import where_to_look
    from api.wiring import moment, open_house

    named = database or os.environ.get("PARTNER_CX_DATABASE_URL")
    with open_house(named or demo_database(), any_schema=True) as opened:
        spoken = language or opened.language
        house = replace(opened, settings=alone(opened.settings, spoken))
        at = moment(now, house.settings)
        build(
            house,
            folder or house.settings.data_folder / "demo",
            now=at,
            language=spoken,
            tell=typer.echo,
        )
        neighbours = neighbours_of(
            house,
            built_at=built_at(house.engine),
            clock=lambda: moment(now, house.settings),
        )
        with neighbours as beside:
            beside.come_to_life(spoken, typer.echo)
            for line in links(house, f"http://127.0.0.1:{port}"):
                typer.echo(line)
            if not no_serve:
                for line in where_to_look(beside.house.settings, spoken):
                    typer.echo(line)
                serve_pages(beside.house, "127.0.0.1", port, work=True)
