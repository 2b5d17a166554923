"""Mapping files: how somebody else's export says what a kind of facts needs, written in TOML.

    [read]                          delimiter, encoding, sheet, decimal, thousands, header_row
    [columns]                       ours = "Theirs", {constant = "done"}, {template = "{PO}-{ID}"}
    [dates]                         format = "%d-%b-%y"; one column's own under [dates.window_end]
    [values.status]                 "Delivered" = "done"; "" stands for an empty cell

Everything is optional, nothing unknown is passed over: a misspelt key is refused with what it
might have been. Before this stands a person with an export, after it the readers of files, which
rename by it, and the intake, which asks it for the formats of dates and numbers.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as Mappable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from partner_cx.errors import Invalid
from partner_cx.operations.cells import date_pattern

_SECTIONS = ("read", "columns", "dates", "values")
_READ = ("delimiter", "encoding", "sheet", "decimal", "thousands", "header_row")
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Theirs:
    """A column of the file, by the name it has there."""

    name: str


@dataclass(frozen=True)
class Constant:
    """The same text in every row."""

    text: str


@dataclass(frozen=True)
class Template:
    """Several of their columns in one text; empty as soon as one of them is.

    Half a key would name another row, so that an empty place empties the whole.
    """

    text: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(_PLACE.findall(self.text))

    @property
    def pieces(self) -> tuple[str, ...]:
        """Fixed text and names by turns, beginning and ending with (perhaps empty) text."""
        return tuple(_PLACE.split(self.text))


Origin = Theirs | Constant | Template


@dataclass(frozen=True)
class Mapping:
    """What a mapping file says. Without a file, everything is as the formats have it.

    columns: ours to where it comes from; values: ours to (theirs to ours).
    """

    path: Path | None = None
    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    decimal: str = "."
    thousands: str = ""
    header_row: int | None = None
    columns: Mappable[str, Origin] = field(default_factory=dict)
    dates: Mappable[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mappable[str, Mappable[str, str]] = field(default_factory=dict)

    @classmethod
    def none(cls) -> Mapping:
        """For a file that already speaks our language."""
        return cls()

    @classmethod
    def read(cls, path: Path | str) -> Mapping:
        """Read a mapping file. Raises Invalid, naming the place, for anything not understood."""
        path = Path(path)
        return cls._understood(path, _load(path))

    @classmethod
    def parsed(cls, text: str, name: str = "mapping.toml") -> Mapping:
        """Read a mapping that is no file (yet). Raises Invalid as `read` does."""
        return cls._understood(Path(name), _sections(text, name))

    @classmethod
    def _understood(cls, path: Path, sections: dict[str, Any]) -> Mapping:
        _refuse_unknown(sections, _SECTIONS, f"{path.name} has a section", "")
        read = _table(path, "read", sections.get("read", {}))
        _refuse_unknown(read, _READ, f"{path.name} has a key", "[read]")
        return cls(
            path=path,
            **_read_section(path, read),
            columns={
                ours: _origin(path, ours, given)
                for ours, given in _table(path, "columns", sections.get("columns", {})).items()
            },
            dates=_dates(path, _table(path, "dates", sections.get("dates", {}))),
            values=_values(path, _table(path, "values", sections.get("values", {}))),
        )

    def formats(self, column: str) -> tuple[str, ...]:
        """The date formats of one of our columns; ISO is understood besides."""
        return self.dates.get(column, self.dates.get("", ()))

    @property
    def ours(self) -> tuple[str, ...]:
        """Every column of ours that the mapping speaks of."""
        return tuple(dict.fromkeys([*self.columns, *filter(None, self.dates), *self.values]))

    @property
    def name(self) -> str:
        return self.path.name if self.path else "the mapping"


def nearest(word: str, among: Iterable[str], most: int = 3) -> list[str]:
    """The likeliest of some words, whatever their capitals, nearest first."""
    by_form = {other.casefold().replace("_", " ").strip(): other for other in among}
    near = get_close_matches(word.casefold().replace("_", " ").strip(), by_form, most, 0.5)
    return [by_form[form] for form in near]


def _load(path: Path) -> dict[str, Any]:
    try:
        return _sections(path.read_text(encoding="utf-8-sig"), path.name)
    except FileNotFoundError as error:
        raise Invalid(f"There is no mapping file {path}.", remedy="Check its path.") from error
    except OSError as error:
        raise Invalid(
            f"The mapping file {path} can't be read: {error.strerror}.", remedy="Check its path."
        ) from error
    except UnicodeDecodeError as error:
        raise Invalid(
            f"The mapping file {path.name} isn't UTF-8 text.", remedy="Save it as UTF-8."
        ) from error


def _sections(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(
            f"The mapping file {name} isn't TOML: {error}.",
            remedy='Write names with spaces or signs in quotes: ours = "Their column".',
        ) from error


def _read_section(path: Path, read: dict[str, Any]) -> dict[str, Any]:
    header_row = read.get("header_row")
    if header_row is not None and (type(header_row) is not int or header_row < 1):
        raise _wrong(path, "[read] header_row", "is the number of a line, 1 or more")
    texts = {key: value for key, value in read.items() if key != "header_row"}
    for key, value in texts.items():
        if not isinstance(value, str) or (not value and key != "thousands"):
            raise _wrong(path, f"[read] {key}", "is a text")
    _check_signs(path, texts)
    if "encoding" in texts:
        texts["encoding"] = _known_encoding(path, texts["encoding"])
    return {**texts, "header_row": header_row}


def _check_signs(path: Path, texts: dict[str, str]) -> None:
    delimiter = texts.get("delimiter", ",")
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise _wrong(path, "[read] delimiter", r'is one sign: ",", ";", "\t" or "|"')
    decimal, thousands = texts.get("decimal", "."), texts.get("thousands", "")
    if decimal not in {".", ","}:
        raise _wrong(path, "[read] decimal", 'is "." or ","')
    if thousands not in {"", ".", ",", " ", "'", "’"} or thousands == decimal:
        raise _wrong(
            path, "[read] thousands", "is a point, comma, space or apostrophe, other than decimal"
        )


def _known_encoding(path: Path, encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        b" ".decode(name, "ignore")  # some codecs, such as zip, aren't for text
    except LookupError as error:
        raise Invalid(
            f"{path.name}: [read] encoding names “{encoding}”, which isn't known.",
            remedy='Write "utf-8", "cp1252" (Windows) or "latin-1".',
        ) from error
    return name


def _origin(path: Path, ours: str, given: object) -> Origin:
    if isinstance(given, str) and given.strip():
        return Theirs(given)
    if isinstance(given, dict):
        _refuse_unknown(
            given, ("constant", "template"), f"{path.name} has a key", f"[columns] {ours}"
        )
        if len(given) == 1 and isinstance(text := next(iter(given.values())), str) and text:
            return Constant(text) if "constant" in given else _template(path, ours, text)
    raise _wrong(
        path,
        f"[columns] {ours}",
        'is "Their column", {constant = "a text"} or {template = "{One}-{Other}"}',
    )


def _template(path: Path, ours: str, text: str) -> Template:
    template = Template(text)
    rest = _PLACE.sub("", text)
    if not template.names or "{" in rest or "}" in rest or not all(template.names):
        raise _wrong(
            path, f"[columns] {ours}", 'is a template whose places are whole: "{One}-{Other}"'
        )
    return template


def _dates(path: Path, section: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Formats by our column, and under an empty name those of all the others."""
    formats: dict[str, tuple[str, ...]] = {}
    for key, given in section.items():
        if isinstance(given, dict):
            _refuse_unknown(given, ("format",), f"{path.name} has a key", f"[dates.{key}]")
            given = given.get("format")
        elif key != "format":
            _refuse_unknown([key], ("format",), f"{path.name} has a key", "[dates]")
        several = [given] if isinstance(given, str) else given
        if not isinstance(several, list) or not all(isinstance(f, str) for f in several):
            raise _wrong(
                path, f"[dates] {key}", 'is a format such as "%d-%b-%y", or a list of them'
            )
        for format_ in several:
            date_pattern(format_)
        formats["" if key == "format" else key] = tuple(several)
    return formats


def _values(path: Path, section: dict[str, Any]) -> dict[str, dict[str, str]]:
    for ours, words in section.items():
        whole = isinstance(words, dict) and all(isinstance(word, str) for word in words.values())
        if not whole:
            raise _wrong(path, f"[values.{ours}]", 'holds lines of "theirs" = "ours"')
    return section


def _table(path: Path, name: str, section: object) -> dict[str, Any]:
    if not isinstance(section, dict):
        raise _wrong(path, f"[{name}]", "is a section of its own")
    return cast("dict[str, Any]", section)


def _refuse_unknown(given: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    known = tuple(known)
    for key in given:
        if key not in known:
            near = nearest(key, known, 1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise Invalid(
                f"{what} “{key}”{' in ' + where if where else ''} that isn't known.{guess}",
                remedy=f"Known here: {', '.join(known)}.",
            )


def _wrong(path: Path, place: str, should: str) -> Invalid:
    return Invalid(f"{path.name}: {place} {should}.", remedy="The guide shows a whole example.")
