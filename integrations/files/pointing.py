"""Pointing at columns: what a file has, which kind it looks like, and the mapping made of that.

upload ─► look ─► guess of a kind ─► which column is which ─► mapping, as TOML ─► importing

Nobody has to write a mapping by hand: a person points, and what comes out is the same file that
the command line takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Mappable
from contextlib import closing
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from integrations.files.columns import OWN_COLUMNS, refuse_too_many
from integrations.files.mapping import Constant, Mapping, Origin, Template, Theirs
from integrations.files.reading import open_reader
from partner_cx.kinds import KINDS
from partner_cx.operations.intake import Kind

SAMPLES = 3  # shown of each column
LOOKED_AT = 2_000  # rows, for samples and words
WORDS_MAX = 20  # of a column, to be translated
ALIKE_MIN = 3  # columns of a kind by which it is known, even where required ones aren't found
SIMILAR = 0.78  # how alike names have to be


@dataclass(frozen=True)
class Looked:
    """What a file has. samples: of each column, its first different values.

    words: all different values of the first rows. rows: about how many there are.
    """

    columns: tuple[str, ...]
    samples: Mappable[str, tuple[str, ...]]
    words: Mappable[str, tuple[str, ...]]
    rows: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Pointed:
    """What a person pointed at. origins: ours to where it comes from.

    values: ours to (theirs to ours). dates: formats by our column, '' for all others.
    """

    origins: Mappable[str, Origin] = field(default_factory=dict)
    dates: Mappable[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mappable[str, Mappable[str, str]] = field(default_factory=dict)
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""
    decimal: str = "."
    thousands: str = ""
    header_row: int | None = None

    @classmethod
    def out_of(cls, mapping: Mapping) -> Pointed:
        return cls(
            origins=dict(mapping.columns),
            dates=dict(mapping.dates),
            values={ours: dict(words) for ours, words in mapping.values.items()},
            delimiter=mapping.delimiter or "",
            encoding=mapping.encoding or "",
            sheet=mapping.sheet or "",
            decimal=mapping.decimal,
            thousands=mapping.thousands,
            header_row=mapping.header_row,
        )

    def written(self) -> str:
        """The mapping file that says it."""
        read: list[tuple[str, str | int | None]] = [
            ("delimiter", self.delimiter),
            ("encoding", self.encoding),
            ("sheet", self.sheet),
            ("decimal", self.decimal if self.decimal != "." else ""),
            ("thousands", self.thousands),
            ("header_row", self.header_row),
        ]
        sections = [
            _section("read", [f"{name} = {_quoted(value)}" for name, value in read if value]),
            _section("columns", [f"{n} = {_origin(o)}" for n, o in self.origins.items()]),
            _section("dates", [_formats(ours, given) for ours, given in self.dates.items()]),
            *(_words(ours, words) for ours, words in self.values.items()),
        ]
        return "\n".join(section for section in sections if section)


def look(path: Path, mapping: Mapping) -> Looked:
    """See what a file has, by the mapping's [read]. Raises Invalid where it can't be read."""
    with closing(open_reader(path, mapping)) as reader:
        refuse_too_many(reader.header)
        names = [name for name in reader.header.names if not name.startswith("\0")]
        columns = [n for n in names if not (n in OWN_COLUMNS and names[:2] == list(OWN_COLUMNS))]
        words: dict[str, dict[str, None]] = {name: {} for name in columns}
        seen = 0
        for rows in islice(reader.rows(), 1):
            table = rows.raw.slice(0, LOOKED_AT)
            seen = rows.raw.num_rows
            for name in columns:
                values = (each.strip() for each in table[name].to_pylist() if each)
                words[name] = dict.fromkeys(each for each in values if each)
        return Looked(
            columns=tuple(columns),
            samples={name: tuple(islice(found, SAMPLES)) for name, found in words.items()},
            words={name: tuple(found) for name, found in words.items()},
            rows=reader.rows_total_hint if reader.rows_total_hint is not None else seen,
            notes=tuple(reader.notes),
        )


def guess(columns: Sequence[str]) -> str | None:
    """The kind whose columns a file seems to have; None where it may be any."""

    found = {kind.name: suggested(kind, columns) for kind in KINDS.values()}

    def needed(kind: Kind) -> float:
        return sum(name in found[kind.name] for name in kind.required) / len(kind.required)

    best = max(KINDS.values(), key=lambda kind: len(found[kind.name]) + 2 * needed(kind))
    sure = needed(best) > 0.5 or len(found[best.name]) >= ALIKE_MIN
    return best.name if sure else None


def suggested(kind: Kind, columns: Sequence[str]) -> dict[str, Theirs]:
    """Which of a file's columns seems to be which of ours: the same name, or nearly."""
    found: dict[str, Theirs] = {}
    free = {_form(name): name for name in reversed(columns)}
    ours = (*kind.required, *kind.optional)
    for name in ours:
        if name in columns:
            found[name] = Theirs(name)
            free.pop(_form(name), None)
    for same in (True, False):
        for name in ours:
            near = get_close_matches(_form(name), free, 1, 1.0 if same else SIMILAR)
            if name not in found and near:
                found[name] = Theirs(free.pop(near[0]))
    return found


_DAY_SHAPES = (
    (r"\d{4}-\d\d-\d\d.*", ()),
    (r"\d{1,2}/\d{1,2}/\d{4}", ("%d/%m/%Y",)),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", ("%d.%m.%Y",)),
    (r"\d{1,2}-\d{1,2}-\d{4}", ("%d-%m-%Y",)),
    (r"\d{1,2}/\d{1,2}/\d\d", ("%d/%m/%y",)),
    (r"\d{1,2}-[A-Za-z]{3}-\d\d", ("%d-%b-%y",)),
    (r"\d{1,2}/\d{1,2}/\d{4} \d\d:\d\d", ("%d/%m/%Y %H:%M",)),
)


def first_guess(kind: Kind, looked: Looked) -> Pointed:
    """What a person is offered to begin with: similar columns, the way days and decimals look."""
    origins = suggested(kind, looked.columns)
    samples = [each for name in looked.columns for each in looked.samples[name]]
    shapes = [
        (sum(bool(re.fullmatch(shape, each)) for each in samples), formats)
        for shape, formats in _DAY_SHAPES
    ]
    _, formats = max(shapes, key=lambda found: found[0])
    comma = sum(bool(re.fullmatch(r"-?\d+,\d{1,6}", each)) for each in samples)
    point = sum(bool(re.fullmatch(r"-?\d+\.\d{1,6}", each)) for each in samples)
    return Pointed(
        origins=origins,
        dates={"": formats} if formats else {},
        decimal="," if comma > point else ".",
    )


def words_to_translate(kind: Kind, looked: Looked, pointed: Pointed) -> dict[str, tuple[str, ...]]:
    """The words of the file, in columns that take only some of ours, that aren't ours."""
    found = {}
    for each in kind.fields:
        origin = pointed.origins.get(each.name)
        if each.allowed and isinstance(origin, Theirs):
            theirs = looked.words.get(origin.name, ())
            ours = {word.casefold() for word in each.allowed}
            found[each.name] = tuple(w for w in theirs if w.casefold() not in ours)[:WORDS_MAX]
    return found


def fits(mapping: Mapping, columns: Iterable[str]) -> bool:
    """Whether a file has every column that a mapping speaks of."""
    forms = {_form(name) for name in columns}
    names = (name for origin in mapping.columns.values() for name in _named(origin))
    return all(_form(name) in forms for name in names)


def _named(origin: Origin) -> tuple[str, ...]:
    if isinstance(origin, Theirs):
        return (origin.name,)
    return origin.names if isinstance(origin, Template) else ()


def _form(name: str) -> str:
    return "_".join(name.casefold().replace("-", " ").replace("_", " ").split())


# --- TOML -----------------------------------------------------------------------------------------


def _section(name: str, lines: Sequence[str]) -> str:
    return "\n".join([f"[{name}]", *lines, ""]) if lines else ""


def _words(ours: str, words: Mappable[str, str]) -> str:
    lines = [f"{_quoted(theirs)} = {_quoted(said)}" for theirs, said in words.items()]
    return _section(f"values.{_quoted(ours)}", lines)


def _origin(origin: Origin) -> str:
    if isinstance(origin, Theirs):
        return _quoted(origin.name)
    kind = "constant" if isinstance(origin, Constant) else "template"
    return f"{{{kind} = {_quoted(origin.text)}}}"


def _formats(ours: str, formats: Sequence[str]) -> str:
    said = [_quoted(each) for each in formats]
    return f"{_quoted(ours) if ours else 'format'} = [{', '.join(said)}]"


def _quoted(value: str | int) -> str:
    """A text as TOML writes it. What JSON leaves unescaped and TOML doesn't is one sign."""
    if isinstance(value, int):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
