"""Importing: a file of facts goes in, whole or not at all, and its bad rows come out to be mended.

file ─► reading ─► operations.intake ─► facts, revisions, marks
             └────────────┴─► problems file
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.files.mapping import Mapping, nearest
from integrations.files.problems import ProblemsFile
from integrations.files.reading import FactsFile, read_facts
from integrations.files.refused import Gathering
from partner_cx.database import writing
from partner_cx.errors import Invalid, NotFound
from partner_cx.kinds import KINDS
from partner_cx.operations.fields import Manner
from partner_cx.operations.imports import Import
from partner_cx.operations.intake import Batch, Kind, take_in
from partner_cx.operations.problems import Problem
from partner_cx.settings import Settings

PROBLEMS_SHOWN = 20
SOURCE_LONGEST = 100

OnProgress = Callable[[float, int], None]


@dataclass(frozen=True)
class Report:
    """What became of a file.

    problems: the first of them; problems_file: all refused rows, to mend and import again.
    notes: what a person should know, such as columns that weren't used.
    """

    import_id: int
    kind: str
    source: str
    taken: int
    unchanged: int
    corrected: int
    refused: int
    problems: Sequence[Problem]
    problems_file: Path | None
    notes: Sequence[str]


def import_file(
    engine: sa.Engine,
    kind: str,
    path: Path,
    *,
    source: str,
    mapping: Path | None,
    settings: Settings,
    now: datetime,
    language: str = "en",
    on_progress: OnProgress = lambda _share, _rows: None,
) -> Report:
    """Take a file's facts in, in one transaction.

    Raises Invalid when the file or its mapping can't be used; then nothing has changed.
    """
    spec = kind_named(kind)
    refuse_nameless(source)
    how = Mapping.read(mapping) if mapping else Mapping.none()
    with (
        read_facts(path, kind=spec, mapping=how) as facts,
        ProblemsFile.beside(facts, language=language) as problems_file,
        writing(engine) as session,
    ):
        report = take_open_file(
            session,
            spec,
            facts,
            source=source,
            settings=settings,
            now=now,
            problems_file=problems_file,
            on_progress=on_progress,
        )
    return replace(report, problems_file=problems_file.path)


def take_open_file(
    session: Session,
    spec: Kind,
    facts: FactsFile,
    *,
    source: str,
    settings: Settings,
    now: datetime,
    problems_file: ProblemsFile | None = None,
    on_progress: OnProgress = lambda _share, _rows: None,
    gathering: Gathering | None = None,
) -> Report:
    """Take the facts of an open file in. The caller commits. See `import_file`.

    gathering: gets the first refused rows, which are kept with the import, too.
    """
    refuse_nameless(source)
    kept = gathering or Gathering(facts.raw_columns, facts.form.delimiter)
    gathered = _Gathered(problems_file, kept)
    taken = take_in(
        session,
        spec,
        gathered.without_unreadable(facts),
        source=source,
        file_name=facts.path.name,
        manner=manner_of(facts.mapping, settings),
        settings=settings,
        now=now,
        on_problems=gathered.add,
        on_progress=lambda rows: on_progress(facts.progress(), rows),
    )
    refused = taken.refused + gathered.unreadable
    session.execute(sa.update(Import).where(Import.id == taken.import_id).values(refused=refused))
    kept.keep(session, taken.import_id)
    return Report(
        import_id=taken.import_id,
        kind=spec.name,
        source=source,
        taken=taken.taken,
        unchanged=taken.unchanged,
        corrected=taken.corrected,
        refused=refused,
        problems=gathered.first,
        problems_file=None,
        notes=facts.notes,
    )


class _Gathered:
    """The problems of a file as they come: the first to show, all of them for the file."""

    def __init__(self, problems_file: ProblemsFile | None, kept: Gathering) -> None:
        self.first: list[Problem] = []
        self.unreadable = 0
        self._file = problems_file
        self._kept = kept

    def without_unreadable(self, facts: FactsFile) -> Iterator[Batch]:
        """The batches of a file; rows that couldn't be read are set aside on the way."""
        for batch in facts:
            self._show([refused.problem for refused in batch.refused])
            if self._file:
                self._file.add_refused(batch.refused)
            self._kept.add_unreadable(batch.refused)
            self.unreadable += len(batch.refused)
            if len(batch.lines):
                yield batch

    def add(self, problems: Sequence[Problem], batch: Batch) -> None:
        """Set the refused rows of a batch aside."""
        self._show(problems)
        if self._file:
            self._file.add(batch.raw, batch.lines, problems)
        self._kept.add(batch.raw, batch.lines, problems)

    def _show(self, problems: Sequence[Problem]) -> None:
        self.first += problems[: PROBLEMS_SHOWN - len(self.first)]


def kind_named(name: str) -> Kind:
    if name not in KINDS:
        like = nearest(name, KINDS)
        raise NotFound(
            f"There is no kind of fact called {name!r}.",
            remedy=f"Did you mean {like[0]}?" if like else f"The kinds are: {', '.join(KINDS)}.",
        )
    return KINDS[name]


def refuse_nameless(source: str) -> None:
    if not source.strip() or not source.isprintable() or len(source) > SOURCE_LONGEST:
        raise Invalid(
            "A source needs a name that people can read and type.",
            remedy=f"Write a short one such as erp, {SOURCE_LONGEST} characters at most.",
        )


def manner_of(mapping: Mapping, settings: Settings) -> Manner:
    return Manner(
        zone=settings.time_zone,
        currency=settings.currency,
        decimal=mapping.decimal,
        thousands=mapping.thousands,
        day_formats=dict(mapping.dates),
    )
