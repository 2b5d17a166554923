"""Odoo: checked, previewed and read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import odoo_check
from api.commands.options import Database, Form, In, Now
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from integrations.odoo.sync import StreamReport, SyncReport
    from integrations.odoo.sync.previewing import Preview

COUNTED = ("stream", "kind", "taken", "unchanged", "corrected", "withdrawn", "refused")
PREVIEWED = ("stream", "records", "looked_at", "kind", "rows", "example", "why")

app = typer.Typer(help="Check the Odoo beside us, and read what it knows.", no_args_is_help=True)
app.command("check")(odoo_check.check)


@app.command()
def sync(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="STREAM", help="This stream alone; may be given again."),
    ] = None,
    look_ahead: Annotated[
        bool,
        typer.Option("--preview", help="Print what would be read, and take nothing in."),
    ] = False,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="Look for what was deleted or merged in Odoo now."),
    ] = False,
    even_many: Annotated[
        bool,
        typer.Option(
            "--even-many", help="With --compare: withdraw also what is gone in large numbers."
        ),
    ] = False,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Read what changed in Odoo since the last time; everything at the first."""
    from api.commands.events import tell_drawn
    from api.commands.facts import progress
    from api.wiring import moment, open_house
    from integrations.odoo.connection import connect
    from integrations.odoo.mapping import OdooMapping
    from integrations.odoo.sync import streams_named
    from integrations.odoo.sync import sync as sync_odoo
    from integrations.odoo.sync.previewing import preview
    from rewards.events.drawing import Drawn

    if even_many and not compare:
        raise typer.BadParameter("--even-many goes with --compare.")
    with open_house(database) as house:
        spoken = language or house.language
        at = moment(now, house.settings)
        streams_named(only)
        mapping = OdooMapping.read(house.settings.odoo_mapping)
        with connect(house.settings) as odoo:
            if look_ahead:
                looked = preview(
                    house.engine, odoo, mapping, settings=house.settings, now=at, only=only
                )
                _print_preview(looked, form, spoken)
                return
            with progress(f"Reading {odoo.address}") as on_progress:
                report = sync_odoo(
                    house.engine,
                    odoo,
                    mapping,
                    settings=house.settings,
                    now=at,
                    only=only,
                    compare=compare,
                    even_many=even_many,
                    on_progress=on_progress,
                )
    print_rows([*_counts(report)], COUNTED, form=form, language=spoken)
    for stream in report.streams:
        _tell(stream)
    if report.drawn != Drawn():
        tell_drawn(report.drawn)
    if report.has_problems:
        raise typer.Exit(1)


@app.command()
def mapping() -> None:
    """Print the mapping in force, with what each line of it is for, to be changed."""
    from api.wiring import read_settings
    from integrations.odoo.mapping import OdooMapping

    settings = read_settings()
    typer.echo(OdooMapping.read(settings.odoo_mapping).written(), nl=False)
    if settings.odoo_mapping is None:
        say("These are the defaults. Write what is otherwise with you into a file, and name it in")
        say("the setting odoo_mapping (PARTNER_CX_ODOO_MAPPING).")


def _print_preview(previewed: Iterable[Preview | str], form: Format, language: str) -> None:
    """What each stream would tell; its notes beside it."""
    rows: list[Row] = []
    for told in previewed:
        if not isinstance(told, str):
            example = json.dumps(told.example, ensure_ascii=False) if told.example else None
            shown: Row = {
                "stream": told.stream,
                "records": told.records,
                "looked_at": told.looked_at,
                "kind": told.kind,
                "rows": told.rows,
                "example": example,
                "why": told.why_not,
            }
            rows.append(shown)
        else:
            say(told)
    print_rows(rows, PREVIEWED, form=form, language=language)


def _counts(report: SyncReport) -> list[Row]:
    rows: list[Row] = []
    for stream in report.streams:
        for kind, counts in stream.counts.items():
            rows.append({"stream": stream.stream, "kind": kind, **vars(counts)})
        if not stream.counts:
            rows.append({"stream": stream.stream})
    return rows


def _tell(stream: StreamReport) -> None:
    """What an administrator should know of a stream beside the counts."""
    if stream.skipped:
        say(f"{stream.stream}: nothing was read, since {stream.skipped}.")
    for note, times in stream.notes.items():
        say(f"{stream.stream}: {note}" + (f" ({times:,} times)" if times > 1 else ""))
    for row in stream.refused:
        say(f"{stream.stream}: {row}")
    refused = sum(counts.refused for counts in stream.counts.values())
    if refused > len(stream.refused):
        say(f"{stream.stream}: … and {refused - len(stream.refused):,} more refused rows.")
    if stream.stopped:
        say(f"{stream.stream}: stopped. {stream.stopped}")
