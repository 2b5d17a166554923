"""Which column of a file becomes which of ours, and what to say when that can't be told.

Before: a reader that has found a header. After: batches under our own names, stripped, with the
mapping's constants, templates and values filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from integrations.files.mapping import Constant, Mapping, Origin, Template, Theirs, nearest
from partner_cx.errors import Invalid
from partner_cx.operations.cells import as_texts

COLUMNS_MAX = 500
OWN_COLUMNS = ("line", "problem")  # what a problems file adds in front


NAMED_MOST = 8  # columns a note names; an export may have a hundred


class KindColumns(Protocol):
    """What a kind of facts wants of a file: its name and its columns."""

    @property
    def name(self) -> str: ...
    @property
    def required(self) -> tuple[str, ...]: ...
    @property
    def optional(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Header:
    """A file's header, and the first lines around it, by which a wrong header is recognised.

    names: the column names, made unique where they are empty.
    head: the file's first rows with their lines, those above the header included.
    """

    file: str
    line: int
    names: tuple[str, ...]
    head: tuple[tuple[int, tuple[str, ...]], ...]


class Columns:
    """How a file's columns become ours. Making one refuses a header that doesn't serve."""

    def __init__(self, header: Header, kind: KindColumns, mapping: Mapping) -> None:
        self._header, self._kind, self._mapping = header, kind, mapping
        self._known = (*kind.required, *kind.optional)
        self._refuse_foreign_columns()
        refuse_too_many(header)
        self._refuse_duplicates()
        self.origins = self._find_origins()
        self._refuse_missing()
        self._refuse_second_header()

    @property
    def notes(self) -> list[str]:
        """What a person should know: the columns that nobody asked for."""
        used = {name for origin in self.origins.values() for name in _names_in(origin)}
        own = OWN_COLUMNS if self._header.names[:2] == OWN_COLUMNS else ()
        spare = [n for n in self._header.names if n not in used and n not in own]
        named = [f"“{name}”" for name in spare if not name.startswith("\0")]
        more = f" and {len(named) - NAMED_MOST} more" if len(named) > NAMED_MOST else ""
        shown = ", ".join(named[:NAMED_MOST])
        return [f"Columns not used: {shown}{more}."] if named else []

    def arrange(self, table: pa.Table) -> pa.Table:
        """A table under the file's names, as one under ours."""
        ours = {
            name: self._translated(name, self._column(origin, table))
            for name, origin in self.origins.items()
        }
        return pa.table(ours)

    def _column(self, origin: Origin, table: pa.Table) -> pa.Array:
        if isinstance(origin, Theirs):
            return stripped(table[origin.name])
        if isinstance(origin, Constant):
            return pa.repeat(pa.scalar(origin.text), table.num_rows)
        pieces = [
            as_texts(stripped(table[piece])) if place % 2 else pa.scalar(piece)
            for place, piece in enumerate(origin.pieces)
        ]
        return pc.binary_join_element_wise(*pieces, "")

    def _translated(self, ours: str, column: pa.Array) -> pa.Array:
        words = self._mapping.values.get(ours)
        if not words:
            return column
        column = as_texts(column)
        place = pc.index_in(column, pa.array(list(words), pa.string()))
        told = pa.array(list(words.values()), pa.string()).take(place)
        if "" in words:
            column = pc.fill_null(column, words[""])
        return pc.coalesce(told, column)

    def _find_origins(self) -> dict[str, Origin]:
        given = self._mapping.columns
        origins: dict[str, Origin] = {}
        for ours in self._known:
            if ours in given:
                origins[ours] = self._located(ours, given[ours])
            elif found := self._own(ours):
                origins[ours] = Theirs(found)
        return origins

    def _own(self, ours: str) -> str | None:
        """A column that bears our own name; loosely only where no mapping names columns."""
        if ours in self._header.names:
            return ours
        if self._mapping.columns:
            return None
        forms = {_form(name): name for name in self._header.names}
        return forms.get(_form(ours))

    def _located(self, ours: str, origin: Origin) -> Origin:
        if isinstance(origin, Theirs):
            return Theirs(self._find(origin.name, ours))
        if isinstance(origin, Template):
            text = origin.text
            for name in origin.names:
                text = text.replace(f"{{{name}}}", f"{{{self._find(name, ours)}}}")
            return Template(text)
        return origin

    def _find(self, name: str, ours: str) -> str:
        names = self._header.names
        loose = [other for other in names if _form(other) == _form(name)]
        if name in names or len(loose) == 1:
            return name if name in names else loose[0]
        listed = [*(near := nearest(name, names)), *(n for n in names if n not in near)]
        raise Invalid(
            f"{self._mapping.name}: {ours} comes from the column “{name}”, "
            f"which {self._header.file} doesn't have.",
            remedy=f"Its columns are: {_listed(listed)}.",
        )

    def _refuse_foreign_columns(self) -> None:
        for ours in self._mapping.ours:
            if ours not in self._known:
                near = nearest(ours, self._known, 1)
                guess = f" Did you mean {near[0]}?" if near else ""
                raise Invalid(
                    f"{self._mapping.name} speaks of “{ours}”, "
                    f"which isn't a column of {self._kind.name}.{guess}",
                    remedy=f"Columns of {self._kind.name}: {', '.join(self._known)}.",
                )

    def _refuse_duplicates(self) -> None:
        seen: dict[str, int] = {}
        for place, name in enumerate(self._header.names, 1):
            if name in seen:
                raise Invalid(
                    f"{self._header.file}, line {self._header.line}: the column “{name}” "
                    f"stands twice, as column {seen[name]} and as column {place}.",
                    remedy="Rename or remove one of them: only you can tell which is meant.",
                )
            seen[name] = place

    def _refuse_missing(self) -> None:
        missing = [name for name in self._kind.required if name not in self.origins]
        if not missing:
            return
        file, line = self._header.file, self._header.line
        if better := self._better_header():
            raise Invalid(
                f"{file}, line {line} isn't the header: it seems to stand on line {better}.",
                remedy="Remove the lines above it, or write header_row = "
                f"{better} under [read] in a mapping file.",
            )
        if all(name.startswith("\0") for name in self._header.names):
            raise Invalid(
                f"{file}, line {line}: the header is blank.",
                remedy=f"Write the names of its columns there: {', '.join(self._known)}.",
            )
        near = [
            f"{name} (perhaps “{close[0]}”)" if (close := nearest(name, self._spare(), 1)) else name
            for name in missing
        ]
        plural = "s" if len(missing) > 1 else ""
        raise Invalid(
            f"{file}, line {line}: the column{plural} {', '.join(near)} "
            f"{'are' if plural else 'is'} missing.",
            remedy=f"The file has {_listed(self._header.names)}. Rename its columns, or say in a "
            "mapping file which is which.",
        )

    def _spare(self) -> list[str]:
        used = {name for origin in self.origins.values() for name in _names_in(origin)}
        return [n for n in self._header.names if n not in used and not n.startswith("\0")]

    def _better_header(self) -> int | None:
        """The line near the top that holds all that was looked for, if the header doesn't."""
        wanted = {
            _form(name)
            for ours in self._kind.required
            for name in _names_in(self._mapping.columns.get(ours, Theirs(ours)))
        }
        for line, cells in self._header.head:
            if line != self._header.line and wanted <= {_form(cell) for cell in cells}:
                return line
        return None

    def _refuse_second_header(self) -> None:
        names = [_form(name) for name in self._header.names if not name.startswith("\0")]
        for line, cells in self._header.head:
            if line > self._header.line and [_form(cell) for cell in cells if cell] == names:
                raise Invalid(
                    f"{self._header.file} has two headers, on line {self._header.line} and on "
                    f"line {line}.",
                    remedy=f"Remove line {line}.",
                )


def refuse_too_many(header: Header) -> None:
    """Refuse a header that no file of facts has: a million columns aren't worth looking at."""
    if len(header.names) > COLUMNS_MAX:
        raise Invalid(
            f"{header.file}, line {header.line}: {len(header.names)} columns are too "
            f"many; {COLUMNS_MAX} is the most.",
            remedy="Check the delimiter, or leave out the columns that aren't needed.",
        )


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """Column names stripped; an empty one gets a name that no person can have written."""
    return tuple(name.strip() or f"\0{place}" for place, name in enumerate(names, 1))


def stripped(column: pa.ChunkedArray) -> pa.Array:
    """Text without space around it, the unbreakable kinds included, and null when nothing is left.

    What isn't text is left as it is.
    """
    cells = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return cells
    cells = pc.utf8_trim_whitespace(cells)
    empty = pc.equal(pc.binary_length(cells), 0)
    if pc.any(empty).as_py():
        cells = pc.if_else(empty, pa.scalar(None, cells.type), cells)
    return cells


def _names_in(origin: Origin) -> Sequence[str]:
    if isinstance(origin, Theirs):
        return (origin.name,)
    return origin.names if isinstance(origin, Template) else ()


def _form(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


def _listed(names: Iterable[str], most: int = 40) -> str:
    shown = [name for name in names if not name.startswith("\0")]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(f"“{name}”" for name in shown[:most]) + more
