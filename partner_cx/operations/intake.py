"""Intake: facts of any kind come in, row by row judged, batch by batch stored.

Before: a reader that yields batches of columns (see integrations.files). After: the fact tables,
their revisions, and marks on the partner-days that must be tallied again. All of it happens in
the caller's one transaction: a file is in with all its good rows, or it is not in at all.

A row is taken (new), unchanged (known and the same), corrected (known and different: the former
contents are kept as a revision) or refused (a problem says where, why and what to do).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import insert_for, lock
from partner_cx.errors import Invalid
from partner_cx.network.partners import Partner
from partner_cx.operations.drafts import Draft
from partner_cx.operations.fields import Field, Manner, text
from partner_cx.operations.imports import Import, Source
from partner_cx.operations.merging import Keeping, Merge, OnOutcomes
from partner_cx.operations.problems import Problem
from partner_cx.settings import Settings
from partner_cx.words import Words

NOT_AS_EXPECTED = Words("This is not {expected}.", "Ce n’est pas {expected}.")
EMPTY = Words(
    "The cell is empty; it needs {expected}.", "La cellule est vide\u202f; il faut {expected}."
)
MEND = Words(
    "Mend it in the problems file and import that.",
    "Corrigez-la dans le fichier des problèmes et importez-le.",
)
# The columns that most facts begin with; `name_partners` finds the partner.
ABOUT_A_PARTNER = (
    text("source_id", required=True, longest=200),
    text("partner_code", column="", required=True, longest=200),
)
LARGEST_WHOLE = 2_000_000  # rows of a kind that is read whole


class Batch(Protocol):
    """Some rows of a file: our columns, the line each row stands on, and the row as it was read."""

    @property
    def table(self) -> pa.Table: ...

    @property
    def lines(self) -> np.ndarray: ...

    @property
    def raw(self) -> pa.Table: ...


@dataclass(frozen=True, kw_only=True)
class Kind(Keeping):
    """A kind of fact: what its files hold, beside how its rows are kept.

    finish: works out further columns of a draft and refuses what no single column could tell.
    whole: files of this kind are small and read whole, so that rows may refer to each other.
    in_order: for `whole` kinds, splits a draft so that rows come after the rows they refer to.
    settled: what else must follow when rows of this kind have come in.
    """

    fields: tuple[Field, ...]
    finish: Callable[[Draft, Desk], None] = lambda _draft, _desk: None
    whole: bool = False
    in_order: Callable[[Draft, Desk], Iterator[Draft]] | None = None
    settled: Callable[[Desk], None] = lambda _desk: None

    @property
    def required(self) -> tuple[str, ...]:
        """The columns a file must have."""
        return tuple(f.name for f in self.fields if f.required)

    @property
    def optional(self) -> tuple[str, ...]:
        """The columns a file may have."""
        return tuple(f.name for f in self.fields if not f.required)


@dataclass
class Desk:
    """What the intake has at hand while a file comes in."""

    session: Session
    kind: Kind
    source: int
    import_id: int
    manner: Manner
    settings: Settings
    now: datetime
    _codes: dict[str, tuple[pa.Array, pa.Array]] = field(default_factory=dict)
    merge: Merge | None = None

    def ids_of(self, draft: Draft, column: str, table: sa.Table, of: str = "code") -> pa.Array:
        """The ids of the rows that a column names by their code; null where none is."""
        if table.name not in self._codes:
            known = self.session.execute(sa.select(table.c[of], table.c.id)).all()
            self._codes[table.name] = (
                pa.array([code for code, _ in known], pa.string()),
                pa.array([number for _, number in known], pa.int64()),
            )
        codes, ids = self._codes[table.name]
        return ids.take(pc.index_in(draft[column], value_set=codes))

    def forget_codes(self) -> None:
        """Look codes up again: rows were added that others may refer to."""
        self._codes.clear()


@dataclass(frozen=True)
class Taken:
    """What became of a file's rows."""

    import_id: int
    taken: int
    unchanged: int
    corrected: int
    refused: int


OnProblems = Callable[[Sequence[Problem], Batch], None]


def take_in(
    session: Session,
    kind: Kind,
    batches: Iterable[Batch],
    *,
    source: str,
    file_name: str,
    manner: Manner,
    settings: Settings,
    now: datetime,
    on_problems: OnProblems = lambda _problems, _batch: None,
    on_progress: Callable[[int], None] = lambda _rows: None,
    on_outcomes: OnOutcomes = lambda _lines, _outcome: None,
) -> Taken:
    """Take the rows of a file in, and say what became of them. The caller commits.

    on_problems: told of each batch's refused rows as they come, so that none need be kept.
    on_progress: told how many rows have been read.
    on_outcomes: told of the lines of rows that were taken, were known or are corrected.
    """
    hold_imports(session, kind)
    desk = _open_desk(session, kind, source, file_name, manner, settings, now)
    merge = desk.merge = Merge(session, kind, desk.import_id)
    merge.on_outcomes = on_outcomes
    refused = read = 0
    for batch in _whole(batches) if kind.whole else batches:
        problems = list(_take_batch(batch, desk, merge))
        refused += len({problem.line for problem in problems})
        read += len(batch.lines)
        if problems:
            on_problems(problems, batch)
        on_progress(read)
    merge.finish()
    kind.settled(desk)
    taken = Taken(desk.import_id, merge.taken, merge.unchanged, merge.corrected, refused)
    session.execute(
        sa.update(Import)
        .where(Import.id == desk.import_id)
        .values(
            taken=taken.taken,
            unchanged=taken.unchanged,
            corrected=taken.corrected,
            refused=taken.refused,
            events_until=merge.events_until,
        )
    )
    return taken


def hold_imports(session: Session, kind: Keeping) -> None:
    """Wait for imports of a kind and of its family, and hold off others until the commit.

    What an import reads of other facts, as a receipt's line, is so as it read it when it is in.
    """
    lock(session, f"intake:{kind.family or kind.name}")


def _open_desk(
    session: Session,
    kind: Kind,
    source: str,
    file_name: str,
    manner: Manner,
    settings: Settings,
    now: datetime,
) -> Desk:
    origin = _source(session, source)
    record = Import(kind=kind.name, source=origin, file_name=file_name, imported_at=now)
    session.add(record)
    session.flush()
    return Desk(session, kind, origin, record.id, manner, settings, now)


def _source(session: Session, code: str) -> int:
    known = sa.select(Source.id).where(Source.code == code)
    found = session.scalar(known)
    if found is None:
        # Another import, of another kind, may be the first from it at this very moment.
        new = insert_for(session, Source).values(code=code)
        session.execute(new.on_conflict_do_nothing(index_elements=["code"]))
        found = session.scalars(known).one()
    return found


def _take_batch(batch: Batch, desk: Desk, merge: Merge) -> Iterator[Problem]:
    draft = read_fields(batch, desk.kind, desk.manner)
    for part in desk.kind.in_order(draft, desk) if desk.kind.in_order else [draft]:
        desk.kind.finish(part, desk)
        merge.take(part, source=desk.source)
        if part is not draft:
            yield from part.problems
    yield from draft.problems


def read_fields(batch: Batch, kind: Kind, manner: Manner) -> Draft:
    """Read every column of a batch by its field, and refuse the rows with cells that don't fit."""
    draft = Draft(batch.table, batch.lines)
    for spec in kind.fields:
        if spec.name in batch.table.column_names:
            given = batch.table[spec.name].combine_chunks()
            values, bad = spec.read(given, manner, spec.name)
            if bad.any():
                draft.refuse(bad, spec.name, NOT_AS_EXPECTED.format(expected=spec.expected), MEND)
        else:
            values, _ = spec.read(pa.nulls(len(draft), pa.string()), manner, spec.name)
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        if spec.required and values.null_count:
            empty = np.asarray(values.is_null())
            draft.refuse(empty, spec.name, EMPTY.format(expected=spec.expected), MEND)
        if spec.default is not None and values.null_count:
            values = pc.fill_null(values, spec.default)
        draft[spec.column or spec.name] = values
    return draft


def name_partners(draft: Draft, desk: Desk) -> None:
    """Find the partner each row is about; refuse rows that name one we don't know."""
    ids = desk.ids_of(draft, "partner_code", Partner.__table__)
    unknown = np.asarray(ids.is_null()) & np.asarray(draft["partner_code"].is_valid())
    draft.refuse(
        unknown,
        "partner_code",
        Words("No partner has this code.", "Aucun partenaire n’a ce code."),
        Words(
            "Import the partner first, or mend the code.",
            "Importez d’abord le partenaire, ou corrigez le code.",
        ),
    )
    draft["partner_id"] = ids


def _whole(batches: Iterable[Batch]) -> Iterator[Batch]:
    """All batches of a small kind as one. Refuses what no network's partners or targets can be."""
    gathered: list[Batch] = []
    for batch in batches:
        gathered.append(batch)
        if sum(len(each.lines) for each in gathered) > LARGEST_WHOLE:
            raise Invalid(
                f"The file has more than {LARGEST_WHOLE:,} rows, too many for its kind.",
                remedy="Reduce it to one row for each before importing it.",
            )
    if gathered:
        yield WholeBatch(
            pa.concat_tables([each.table for each in gathered]).combine_chunks(),
            np.concatenate([each.lines for each in gathered]),
            pa.concat_tables([each.raw for each in gathered]),
        )


@dataclass(frozen=True)
class WholeBatch:
    """A file read whole."""

    table: pa.Table
    lines: np.ndarray
    raw: pa.Table


def kinds_by_name(kinds: Iterable[Kind]) -> Mapping[str, Kind]:
    """The kinds under the names that the command line and the files use."""
    return {kind.name: kind for kind in kinds}
