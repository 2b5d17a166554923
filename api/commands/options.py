"""The options that commands share, so that each is called and explained the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from api.printing import Format


def filled(text: str | None) -> str | None:
    """Refuse an option that is given and blank, as a script's unset variable leaves it."""
    if text is not None and not text.strip():
        raise typer.BadParameter("It is empty. Give it a value, or leave it out.")
    return text


class Language(StrEnum):
    """The languages Partner CX speaks."""

    EN = "en"
    FR = "fr"


Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="sqlite:///file or postgresql://user@host/name. "
        "Default: PARTNER_CX_DATABASE_URL, else an SQLite file in your data folder.",
        show_default=False,
    ),
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now",
        metavar="INSTANT",
        help="Act as if it were this moment, such as 2026-04-30T23:59 (the programme's time "
        "zone) or 2026-04-30T23:59:00+02:00.",
        show_default="this moment",
    ),
]
Form = Annotated[Format, typer.Option("--format", help="How rows are printed.")]
In = Annotated[
    Language | None,
    typer.Option("--language", help="The language of messages.", show_default="the settings'"),
]
PeriodText = Annotated[
    str, typer.Argument(metavar="PERIOD", help="A year, quarter or month: 2026, 2026Q2, 2026-05.")
]
