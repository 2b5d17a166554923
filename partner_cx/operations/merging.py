"""Merging: rows meet what is known, and each becomes taken, unchanged, corrected or refused.

A fresh row is simply written. Only when a batch holds rows that are known already is it staged
and compared, column by column, by the database itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.bulk import quoted
from partner_cx.operations.drafts import Draft
from partner_cx.operations.marks import cells, write_marks
from partner_cx.operations.revisions import Revision, keep_former
from partner_cx.words import Words

TWICE_IN_THE_FILE = Words(
    "An earlier row of this file has the same id and other contents.",
    "Une ligne précédente de ce fichier porte le même identifiant avec un autre contenu.",
)
KEEP_ONE = Words(
    "Keep the row that is right, or give each its own id.",
    "Gardez la ligne exacte, ou donnez à chacune son identifiant.",
)
TOLD_ONCE = Words(
    "This was told before with other contents, and what happened can't be told otherwise.",
    "Ceci a déjà été raconté avec un autre contenu, et ce qui s’est passé ne se raconte pas "
    "autrement.",
)
TELL_ANOTHER = Words(
    "Leave it as it was, or tell another event under its own id.",
    "Laissez-le tel quel, ou racontez un autre événement sous son propre identifiant.",
)


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """How rows of a kind are kept, and what they bear on.

    key: what makes a row one row. key_field: that key's column in the file, for messages.
    key_fields: where the key takes several of the file's columns, all of them.
    derived: columns worked out by us, not compared when a row comes again.
    family, days: the family of KPIs it is tallied in, and the columns with the days it bears on.
    marked_partner: the column with the partner it bears on.
    events: the columns with days on which something happened (a promise is no event yet).
    left_behind: SQL for the partner-days of facts that a correction's `former` contents bore on.
    kept: columns of the table, and the file's columns that speak of them; when the file has none
        of these it says nothing of them, and what is known stays. (An empty cell says: nothing.)
    told_once: whether a row that changed is refused, where those of other kinds are corrections.
    parts: kinds whose rows belong to one of this kind, and their columns with its id.
    """

    name: str
    table: sa.Table
    key: tuple[str, ...] = ("source", "source_id")
    key_field: str = "source_id"
    key_fields: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    family: str = ""
    days: tuple[str, ...] = ()
    marked_partner: str = "partner_id"
    events: tuple[str, ...] = ()
    left_behind: str = ""
    kept: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    told_once: bool = False
    parts: tuple[tuple[Keeping, str], ...] = ()

    def key_of(self, row: Mapping[str, str | None]) -> str:
        """What makes a file's row one row, as a text."""
        return " ".join(row[name] or "" for name in self.key_fields or (self.key_field,))


class Outcome(StrEnum):
    """What became of a row."""

    TAKEN = "taken"  # it is new
    UNCHANGED = "unchanged"  # it is known, and says the same
    CORRECTED = "corrected"  # it is known, and says something else
    REFUSED = "refused"  # it can't be used


# Told of the lines whose rows became something; the refused ones are told as problems.
OnOutcomes = Callable[[np.ndarray, Outcome], None]


class Merge:
    """One import's rows on their way into one table."""

    def __init__(self, session: Session, kind: Keeping, import_id: int) -> None:
        self.session = session
        self.kind = kind
        self.import_id = import_id
        self.taken = self.unchanged = self.corrected = 0
        self.corrected_ids: list[int] = []
        self.events_until: datetime | None = None
        self._cells: list[np.ndarray] = []
        self._corrected_cells: list[np.ndarray] = []
        self._settled: list[np.ndarray] = []  # ids of facts that this file repeated unchanged
        self._met_known_rows = False
        self.on_outcomes: OnOutcomes = lambda _lines, _outcome: None
        self._columns = [column.name for column in kind.table.columns if column.name != "id"]
        self._marked_partner = [kind.marked_partner] if kind.family else []
        self._contents: list[str] = []  # the columns the file speaks of, beside the key

    def take(self, draft: Draft, *, source: int) -> None:
        """Write the good rows of a draft; refuse those that contradict earlier rows of the file."""
        draft["import_id"] = _constant(self.import_id, len(draft))
        if "source" in self._columns:
            draft["source"] = _constant(source, len(draft))
        wanted = dict.fromkeys([*self._columns, *self.kind.days, *self._marked_partner])
        everything = draft.rows(wanted)
        if everything.num_rows == 0:
            return
        rows = everything.select(self._columns)
        self._contents = self._told(draft.given.column_names)
        newest = self._newest_id()
        written = bulk.write_new(
            self.session,
            self.kind.table,
            self._beyond_the_withdrawn(rows, newest),
            key=self.kind.key,
            clashes_expected=self._met_known_rows,
        )
        self.taken += written
        if written == rows.num_rows:
            self.on_outcomes(draft.lines[draft.good], Outcome.TAKEN)
        else:
            touched = self._meet_known_rows(draft, rows, newest)
            everything = everything.filter(pa.array(touched))
        self._mark(everything)

    def _beyond_the_withdrawn(self, rows: pa.Table, newest: int) -> pa.Table:
        """Rows with ids of their own, where the newest facts were withdrawn: SQLite would give
        those facts' ids again, and revisions know a fact by its id."""
        if self.session.get_bind().dialect.name != "sqlite":
            return rows
        revised = sa.select(sa.func.max(Revision.fact_id)).where(Revision.kind == self.kind.name)
        gone = self.session.scalar(revised) or 0
        if gone <= newest:
            return rows
        return rows.append_column("id", pa.array(np.arange(rows.num_rows) + gone + 1))

    def finish(self) -> None:
        """Write the marks of all that was touched."""
        family = self.kind.family
        if self._cells:
            write_marks(self.session, family, self._cells)
        if self._corrected_cells:
            write_marks(self.session, family, self._corrected_cells, whole_month=True)

    # What a batch with known rows needs.

    def _told(self, given: Sequence[str]) -> list[str]:
        """The columns that a file with the given columns speaks of."""
        unsaid = {
            column
            for columns, fields in self.kind.kept
            if not set(fields) & set(given)
            for column in columns
        }
        unsaid |= {*self.kind.key, "import_id", *self.kind.derived}
        return [name for name in self._columns if name not in unsaid]

    def _meet_known_rows(self, draft: Draft, rows: pa.Table, newest: int) -> np.ndarray:
        """Tell the rows apart, correct what changed, and say which rows touched anything."""
        self._met_known_rows = True
        staged = bulk.stage(self.session, self.kind.table, rows)
        known = self._compare(staged)
        first = ~known["id"].duplicated().to_numpy()
        same = known["same"].to_numpy().astype(bool)
        ids = known["id"].to_numpy()
        ours = known["import_id"].to_numpy() == self.import_id
        fresh = first & (ids > newest)
        corrects = first & ~same & ~ours & ~self._is_settled(ids)
        agrees = same | self._repeats_a_correction(known, rows, corrects)
        otherwise = corrects & self.kind.told_once
        corrects = corrects & ~otherwise
        contradicts = ~agrees & ~corrects
        # A row that agrees with what was known, after one that changed it, contradicts that one.
        changed = set(ids[corrects])
        contradicts |= same & ~first & np.isin(ids, list(changed))
        self.unchanged += int((~contradicts & ~corrects & ~fresh).sum())
        self._settled.append(np.unique(ids[first & same & ~fresh]))
        places = np.flatnonzero(draft.good)
        lines = draft.lines[places]
        self.on_outcomes(lines[fresh], Outcome.TAKEN)
        self.on_outcomes(lines[corrects], Outcome.CORRECTED)
        self.on_outcomes(lines[~contradicts & ~corrects & ~fresh], Outcome.UNCHANGED)
        self._refuse(draft, places[otherwise], TOLD_ONCE, TELL_ANOTHER)
        self._refuse(draft, places[contradicts], TWICE_IN_THE_FILE, KEEP_ONE)
        if corrects.any():
            self._correct(rows.filter(pa.array(corrects)))
        touched: np.ndarray = fresh | corrects
        return touched

    def _compare(self, staged: str) -> pd.DataFrame:
        """Each staged row beside the fact with its key: staged_row, id, import_id, same."""
        connection = self.session.connection()
        alike = "IS" if connection.dialect.name == "sqlite" else "IS NOT DISTINCT FROM"
        same = (
            " AND ".join(f"f.{quoted(c)} {alike} i.{quoted(c)}" for c in self._contents) or "1 = 1"
        )
        found = connection.exec_driver_sql(
            f"SELECT i.staged_row, f.id, f.import_id, CASE WHEN {same} THEN 1 ELSE 0 END "
            f"FROM {staged} i JOIN {quoted(self.kind.table.name)} f ON {self._same_key('f', 'i')} "
            f"ORDER BY i.staged_row"
        ).fetchall()
        return pd.DataFrame(
            [tuple(row) for row in found], columns=["row", "id", "import_id", "same"]
        )

    def _repeats_a_correction(
        self, known: pd.DataFrame, rows: pa.Table, corrects: np.ndarray
    ) -> np.ndarray:
        """Rows that say the same as a correction earlier in their batch."""
        repeats = np.zeros(len(known), dtype=bool)
        twice = known["id"].duplicated(keep=False).to_numpy()
        if not (corrects & twice).any():
            return repeats
        contents = rows.select(self._contents).filter(pa.array(twice)).to_pylist()
        said: dict[int, dict[str, Any]] = {}
        for position, content in zip(np.flatnonzero(twice), contents, strict=True):
            fact = int(known["id"].iloc[position])
            if corrects[position]:
                said[fact] = content
            elif fact in said:
                repeats[position] = said[fact] == content
        return repeats

    def _is_settled(self, ids: np.ndarray) -> np.ndarray:
        found = np.zeros(len(ids), dtype=bool)
        for settled in self._settled:
            found |= np.isin(ids, settled)
        return found

    def _refuse(self, draft: Draft, places: np.ndarray, reason: Words, remedy: Words) -> None:
        bad = np.zeros(len(draft), dtype=bool)
        bad[places] = True
        draft.refuse(bad, self.kind.key_field, reason, remedy)

    def _correct(self, rows: pa.Table) -> None:
        """Keep what the facts said before, then let them say what the file says."""
        connection = self.session.connection()
        table = quoted(self.kind.table.name)
        corrections = bulk.stage(self.session, self.kind.table, rows, name="corrections")
        connection.exec_driver_sql("DROP TABLE IF EXISTS former")
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE former AS SELECT f.* FROM {table} f "
            f"JOIN {corrections} c ON {self._same_key('f', 'c')}"
        )
        ids = connection.exec_driver_sql("SELECT id FROM former ORDER BY id").scalars().all()
        keep_former(self.session, self.kind.name, self.kind.table, ids, self.import_id)
        self.corrected_ids += ids
        changes = ", ".join(
            f"{quoted(c)} = c.{quoted(c)}"
            for c in (*self._contents, *self.kind.derived, "import_id")
        )
        connection.exec_driver_sql(
            f"UPDATE {table} SET {changes} FROM {corrections} c WHERE {self._same_key(table, 'c')}"
        )
        self._mark_former()
        self.corrected += rows.num_rows

    def _mark_former(self) -> None:
        """Mark where the facts stood before, and what stood beside them."""
        queries = [
            f"SELECT partner_id, {quoted(day)} FROM former WHERE {quoted(day)} IS NOT NULL"
            for day in self.kind.days
            if "partner_id" in self.kind.table.columns
        ]
        if self.kind.left_behind:
            queries.append(self.kind.left_behind)
        for query in queries:
            found = self.session.connection().exec_driver_sql(query).fetchall()
            if found:
                partners, days = zip(*(tuple(row) for row in found), strict=True)
                self._corrected_cells.append(cells(partners, np.array(days, dtype="datetime64[D]")))

    def _same_key(self, left: str, right: str) -> str:
        return " AND ".join(f"{left}.{quoted(k)} = {right}.{quoted(k)}" for k in self.kind.key)

    def _newest_id(self) -> int:
        newest = self.session.scalar(sa.select(sa.func.max(self.kind.table.c.id)))
        return int(newest or 0)

    # Marks.

    def _mark(self, rows: pa.Table) -> None:
        """Remember the partner-days that rows bear on, and how late their events were."""
        if rows.num_rows == 0:
            return
        for column in self.kind.events:
            self._see_until(rows[column])
        for partner_column in self._marked_partner:
            partners = np.asarray(rows[partner_column])
            for column in self.kind.days:
                days = rows[column]
                present = np.asarray(days.is_valid())
                numbers = np.asarray(days.drop_null().cast(pa.int32()))
                self._cells.append(np.unique(cells(partners[present], numbers)))

    def _see_until(self, days: pa.ChunkedArray) -> None:
        last = pc.max(days).as_py()
        if last is not None:
            end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
            self.events_until = max(self.events_until or end, end)


def _constant(value: int, rows: int) -> pa.Array:
    return pa.array(np.full(rows, value, dtype=np.int64))
