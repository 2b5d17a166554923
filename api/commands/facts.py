"""Facts: taken in from files, and the kinds there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from integrations.files.importing import Report

COUNTED = ("kind", "source", "taken", "unchanged", "corrected", "refused")
KINDS_LISTED = ("kind", "required", "optional")
KIND_COLUMNS = ("column", "required", "expected")


def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Listed by `partner-cx kinds`.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX or Parquet.")],
    source: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who sends it: a source_id is unique within one."),
    ] = "default",
    mapping: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE.toml", help="How the file's columns become ours."),
    ] = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Take facts in from a file. Good rows are taken, bad ones written out to be mended."""
    from api.commands.events import tell_drawn
    from api.wiring import moment, open_house
    from integrations.files.importing import import_file
    from rewards.events.drawing import Drawn, draw_events

    with open_house(database) as house, progress(f"Importing {file.name}") as on_progress:
        spoken = language or house.language
        at = moment(now, house.settings)
        report = import_file(
            house.engine,
            kind,
            file,
            source=source,
            mapping=mapping,
            settings=house.settings,
            now=at,
            language=spoken,
            on_progress=on_progress,
        )
        drawn = draw_events(house.engine, now=at, settings=house.settings)
    counts: Row = {name: getattr(report, name) for name in COUNTED}
    print_rows([counts], COUNTED, form=form, language=spoken)
    _tell(report, spoken)
    if drawn != Drawn():
        tell_drawn(drawn)
    if report.refused:
        raise typer.Exit(1)


def kinds(
    kind: Annotated[
        str | None, typer.Argument(metavar="KIND", help="One kind, to see its columns.")
    ] = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List the kinds of fact, or the columns of one."""
    from integrations.files.importing import kind_named
    from partner_cx.kinds import KINDS

    spoken = language or "en"
    if kind is None:
        rows = [
            {"kind": k.name, "required": " ".join(k.required), "optional": " ".join(k.optional)}
            for k in KINDS.values()
        ]
        print_rows(rows, KINDS_LISTED, form=form, language=spoken)
        return
    columns: list[Row] = [
        {"column": f.name, "required": f.required, "expected": f.expected.in_(spoken)}
        for f in kind_named(kind).fields
    ]
    print_rows(columns, KIND_COLUMNS, form=form, language=spoken)


@contextmanager
def progress(what: str) -> Iterator[Callable[[float, int], None]]:
    """A bar on a terminal's stderr; nothing in a pipe. Takes the share done and the rows read."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
    )
    console = Console(stderr=True)
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,  # data stays on stdout, wherever that leads
    ) as bar:
        task = bar.add_task(what, total=1.0, rows=0)
        yield lambda share, rows: bar.update(task, completed=share, rows=rows)


def _tell(report: Report, language: str) -> None:
    """What a person should know beside the counts."""
    from partner_cx.quantities import number_text
    from partner_cx.words import Words

    for note in report.notes:
        say(str(note))
    for problem in report.problems:
        say(problem.text(language))
    if report.refused > len(report.problems):
        more = number_text(report.refused - len(report.problems), language)
        say(Words("… and {more} more rows.", "… et {more} autres.").format(more=more).in_(language))
    if report.problems_file:
        set_aside = Words(
            "The refused rows are in {file}: mend them there and import that file the same way.",
            "Les lignes refusées sont dans {file}\u202f: corrigez-les là et importez ce fichier "
            "de la même façon.",
        )
        say(set_aside.format(file=report.problems_file).in_(language))
