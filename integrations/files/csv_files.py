"""CSV files, comma, semicolon, tab or bar, as a stream of rows that takes little memory.

The file is read twice. The first time looks over its encoding and its quotes, so that a file that
breaks off in its last line is refused before its first row is taken; it notes where rows end.
The second time Arrow reads block by block, in parallel, between those ends. Both together read
well over a million rows a second.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from integrations.files.columns import Header, unique_names
from integrations.files.mapping import Mapping
from integrations.files.rows import BATCH_ROWS, Form, Lines, Refused, Rows, Unchanged
from partner_cx.errors import Invalid
from partner_cx.operations.problems import Problem
from partner_cx.words import Words

BLOCK_BYTES = 4 << 20
RECORD_BYTES_MAX = 8 << 20  # a single row longer than this is a quote that was never closed
HEAD_BYTES = 1 << 20
HEAD_ROWS = 12

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True)
class _Block:
    """A stretch of whole rows: where it begins, and whether each of its lines is a row."""

    size: int
    line: int
    rows: int
    plain: bool


class CsvFile:
    """A CSV file that has been looked over. Raises Invalid when it can't be read as a whole."""

    def __init__(self, path: Path, mapping: Mapping) -> None:
        self.path = path
        self.notes: list[str] = []
        self._unchanged = Unchanged(path)
        self._bom_size, self._codec, written_as = self._find_encoding(mapping)
        head = self._read_head()
        header_line = mapping.header_row or 1
        start = self._start_of_line(head, header_line)
        delimiter = mapping.delimiter or _sniff(head[start:])
        self._delimiter = delimiter
        self.form = Form(delimiter, written_as)
        names, self._data_start = self._read_header(head, start, header_line)
        self._data_line = header_line + len(_LINE_END.findall(head[start : self._data_start]))
        self.header = Header(path.name, header_line, names, self._first_rows(head))
        self._refuse_other_delimiter(names)
        self._blocks = list(self._look_over())
        self._size = sum(block.size for block in self._blocks)
        self._done = 0
        self.rows_total_hint: int | None = sum(block.rows for block in self._blocks)

    def rows(self) -> Iterator[Rows]:
        stream = self._bytes_from_data()
        held = b""
        for block in self._blocks:
            while len(held) < block.size and (more := next(stream, b"")):
                held += more
            data, held = held[: block.size], held[block.size :]
            self._unchanged.check()  # what was looked over is what is read
            yield from self._read_block(data, block)
            self._done += block.size
        self._unchanged.check()

    def progress(self) -> float:
        return self._done / self._size if self._size else 1.0

    def close(self) -> None:
        """Nothing stays open between two blocks but what the stream itself closes."""

    # --- The first look ---------------------------------------------------------------------

    def _find_encoding(self, mapping: Mapping) -> tuple[int, str, str]:
        """The size of the byte-order mark, the codec behind it, and the encoding to write in."""
        with self.path.open("rb") as file:
            first = file.read(4096)
        for bom, written_as, codec in _BOMS:
            if first.startswith(bom):
                if mapping.encoding and mapping.encoding not in {codec, written_as}:
                    self.notes.append(f"Read as {codec}, as its first bytes say.")
                return len(bom), codec, written_as
        if b"\0" in first and (mapping.encoding or "utf-8") in {"utf-8", "cp1252", "iso8859-1"}:
            _refuse_zero_bytes(self.path.name, first, first[: first.index(b"\0")].count(b"\n") + 1)
        codec = mapping.encoding or "utf-8"
        return 0, "utf-8" if codec == "utf-8-sig" else codec, codec

    def _bytes(self, *, check: bool) -> Iterator[bytes]:
        """The file as UTF-8, block by block.

        check: look at every byte; not needed the second time when the file is UTF-8 already.
        """
        decoder = codecs.getincrementaldecoder(self._codec)("strict")
        with self.path.open("rb") as file:
            file.seek(self._bom_size)
            while True:
                block = file.read(BLOCK_BYTES)
                if check or self._codec != "utf-8":
                    try:
                        text = decoder.decode(block, final=not block)
                    except UnicodeDecodeError as error:
                        self._refuse_encoding(error, behind=file.tell())
                    if check and "\0" in text:
                        line, _ = self._place(file.tell() - len(block) + block.index(b"\0"))
                        _refuse_zero_bytes(self.path.name, block, line)
                    block = block if self._codec == "utf-8" else text.encode()
                if not block:
                    return
                yield block

    def _bytes_from_data(self, *, check: bool = False) -> Iterator[bytes]:
        """The UTF-8 behind the header, closed by a line end even where the file has none."""
        skip, held = self._data_start, b""
        for block in self._bytes(check=check):
            if held:
                yield held
            held = block[skip:]
            skip = max(0, skip - len(block))
        if held:
            yield held if held.endswith(b"\n") else held + b"\n"

    def _read_head(self) -> bytes:
        head = b""
        for block in self._bytes(check=True):
            head += block
            if len(head) >= HEAD_BYTES:
                break
        return head

    def _start_of_line(self, head: bytes, line: int) -> int:
        ends = [match.end() for match in _LINE_END.finditer(head)] if line > 1 else []
        if line > len(ends) + 1:
            raise Invalid(
                f"{self.path.name} has no line {line}, where the header should stand.",
                remedy="Mend header_row under [read] in the mapping file.",
            )
        return ends[line - 2] if line > 1 else 0

    def _read_header(self, head: bytes, start: int, line: int) -> tuple[tuple[str, ...], int]:
        whole = head if head.endswith(b"\n") else head + b"\n"
        record = _record_pattern(self._delimiter).match(whole, start)
        if record is None:
            _refuse_open_quote(self.path.name, line)
        return unique_names(self._fields(record.group())), min(record.end(), len(head))

    def _fields(self, record: bytes) -> tuple[str, ...]:
        """The fields of one record, as Arrow would read them."""
        text = record.decode("utf-8", "replace").rstrip("\r\n")
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter)
        csv.field_size_limit(2 * RECORD_BYTES_MAX)
        return tuple(next(reader, ())) or ("",)

    def _first_rows(self, head: bytes) -> tuple[tuple[int, tuple[str, ...]], ...]:
        head = head if head.endswith(b"\n") else head + b"\n"
        rows: list[tuple[int, tuple[str, ...]]] = []
        line, position = 1, 0
        pattern = _record_pattern(self._delimiter)
        while len(rows) < HEAD_ROWS and (record := pattern.match(head, position)):
            rows.append((line, tuple(field.strip() for field in self._fields(record.group()))))
            line += len(_LINE_END.findall(record.group()))
            position = record.end()
        return tuple(rows)

    def _refuse_other_delimiter(self, names: tuple[str, ...]) -> None:
        if len(names) > 1:
            return
        other = next((sign for sign in _DELIMITERS if sign in names[0]), None)
        if other:
            written = other.replace("\t", "\\t")
            raise Invalid(
                f"{self.path.name} has a single column, “{names[0][:80]}”, when it is cut at "
                f"each {_DELIMITERS.get(self._delimiter, self._delimiter)}.",
                remedy=f'It looks cut at each {_DELIMITERS[other]}: write delimiter = "{written}" '
                "under [read] in the mapping file.",
            )

    def _look_over(self) -> Iterator[_Block]:
        """Find where rows end, block by block, and refuse what can't be read to its end."""
        line, held = self._data_line, b""
        for more in self._bytes_from_data(check=True):
            data = held + more
            ends, lines = _record_ends(data, self._delimiter)
            if not len(ends):
                if len(data) > RECORD_BYTES_MAX:
                    _refuse_open_quote(self.path.name, line)
                held = data
                continue
            size = int(ends[-1])
            line_count = int(np.searchsorted(lines, size, side="right"))
            blank = _blank(data, ends)
            plain = line_count == len(ends) and not blank.any()
            yield _Block(size, line, len(ends) - int(blank.sum()), plain)
            line += line_count
            held = data[size:]
        if held:
            _refuse_open_quote(self.path.name, line)

    def _refuse_encoding(self, error: UnicodeDecodeError, *, behind: int) -> NoReturn:
        line, byte = self._place(behind - len(error.object) + error.start)
        raise Invalid(
            f"{self.path.name}, line {line}, byte {byte}: this isn't {self._codec.upper()} text "
            f"(byte 0x{error.object[error.start]:02X}).",
            remedy="Save it as UTF-8, or name its encoding in a mapping file: under [read], "
            'encoding = "cp1252" for Windows, "latin-1" for many older systems.',
        )

    def _place(self, offset: int) -> tuple[int, int]:
        """The line of a byte of the file, and its place in that line, both from 1."""
        line, line_start, done = 1, 0, 0
        with self.path.open("rb") as file:
            while done < offset:
                block = file.read(min(BLOCK_BYTES, offset - done))
                line += block.count(b"\n")
                if b"\n" in block:
                    line_start = done + block.rindex(b"\n") + 1
                done += len(block)
        return line, offset - line_start + 1

    # --- The second look --------------------------------------------------------------------

    def _read_block(self, data: bytes, block: _Block) -> Iterator[Rows]:
        table, ragged = self._parse_fast(data) if block.plain else self._parse(data)
        if block.plain and not ragged:
            lines = np.arange(block.line, block.line + block.rows, dtype=np.int64)
        else:
            if ragged and block.plain:  # read in parallel, Arrow can't tell which rows they were
                table, ragged = self._parse(data)
            lines = self._lines(data, block)
        places = [place for place, _ in ragged]
        refused = [self._refuse_ragged(int(lines[at]), text) for at, text in ragged]
        lines = np.delete(lines, places)
        assert len(lines) == table.num_rows, "Arrow and we see different rows"
        for start in range(0, max(len(lines), 1), BATCH_ROWS):
            part = table.slice(start, BATCH_ROWS)
            yield Rows(part, part, lines[start : start + BATCH_ROWS], refused)
            refused = []

    def _parse_fast(self, data: bytes) -> tuple[pa.Table, list[tuple[int, str]]]:
        try:
            return self._parse(data, parallel=True)
        except pa.ArrowInvalid:  # a row too long for the parts that are read in parallel
            return self._parse(data)

    def _parse(
        self, data: bytes, *, parallel: bool = False
    ) -> tuple[pa.Table, list[tuple[int, str]]]:
        """The rows of a block, and the ragged ones among them by place (when not parallel)."""
        ragged: list[tuple[int, str]] = []

        def skip(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(((row.number or 0) - 1, row.text))
            return "skip"

        names = list(self.header.names)
        table = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                column_names=names,
                use_threads=parallel,
                block_size=BLOCK_BYTES // 4 if parallel else len(data) + 1,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=not parallel,
                invalid_row_handler=skip,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
        return table, ragged

    def _lines(self, data: bytes, block: _Block) -> Lines:
        # Something must follow a carriage return for it to count as a line end of its own.
        followed = data + b" " if data.endswith(b"\r") else data
        ends, newlines = _record_ends(followed, self._delimiter)
        starts = np.concatenate(([0], ends[:-1]))
        lines = block.line + np.searchsorted(newlines, starts, side="right")
        return lines[~_blank(data, ends)].astype(np.int64)

    def _refuse_ragged(self, line: int, text: str) -> Refused:
        fields = self._fields(text.encode())
        wanted, found = len(self.header.names), len(fields)
        many = Words("too many", "trop") if found > wanted else Words("too few", "trop peu")
        reason = Words(
            "the row has {many} fields: {found} where the header has {wanted}.",
            "la ligne a {many} de champs\u202f: {found} au lieu des {wanted} de l’en-tête.",
        )
        remedy = Words(
            "Put a value that holds the delimiter in quotes.",
            "Mettez entre guillemets une valeur qui contient le séparateur.",
        )
        if "\n" in text:
            remedy = Words(
                "A quote opened on this line may never be closed: close or remove it.",
                "Un guillemet ouvert sur cette ligne n’est peut-être jamais fermé\u202f: "
                "fermez-le ou retirez-le.",
            )
        said = reason.format(many=many, found=found, wanted=wanted)
        return Refused(Problem(line, None, None, said, remedy), fields)


# --- Where rows end -------------------------------------------------------------------------

_Places = npt.NDArray[np.int64]


def _record_ends(data: bytes, delimiter: str) -> tuple[_Places, _Places]:
    """The places behind each row and behind each line; they differ where a quote spans lines.

    What follows the last row's end isn't whole yet.
    """
    lines = _line_ends(data)
    if b'"' not in data:
        return lines, lines
    signs = np.frombuffer(data, dtype=np.uint8)
    quotes = np.flatnonzero(signs == ord('"'))
    if not _all_regular(signs, quotes, ord(delimiter)):
        pattern = _record_pattern(delimiter)
        return np.fromiter(_ends_one_by_one(pattern, data), np.int64), lines
    outside = np.searchsorted(quotes, lines) % 2 == 0
    return lines[outside], lines


def _line_ends(data: bytes) -> _Places:
    signs = np.frombuffer(data, dtype=np.uint8)
    returns = data.count(b"\r") - data.count(b"\r\n") - data.endswith(b"\r")
    ends = signs == ord("\n")
    if returns:  # lines that end in a carriage return alone, as old programs wrote them
        ends[:-1] |= (signs[:-1] == ord("\r")) & (signs[1:] != ord("\n"))
    return np.flatnonzero(ends) + 1


def _all_regular(signs: npt.NDArray[np.uint8], quotes: _Places, delimiter: int) -> bool:
    """Whether quotes stand only around fields, or doubled inside: then counting them is enough."""
    around = np.zeros(256, dtype=bool)
    around[[delimiter, ord("\n"), ord("\r"), ord('"')]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = signs[opening[opening > 0] - 1]
    after = signs[closing[closing < len(signs) - 1] + 1]
    return bool(around[before].all() and around[after].all())


def _record_pattern(delimiter: str) -> re.Pattern[bytes]:
    """One row with its line end. A quote opens only at the beginning of a field, as in Arrow."""
    cut = re.escape(delimiter).encode()
    field = rb'(?:"(?:[^"]|"")*+"[^%b\r\n]*+|(?!")[^%b\r\n]*+)' % (cut, cut)
    return re.compile(rb"%b(?:%b%b)*+(?:\r\n|\n|\r)" % (field, cut, field))


def _ends_one_by_one(pattern: re.Pattern[bytes], data: bytes) -> Iterator[int]:
    position = 0
    while match := pattern.match(data, position):
        position = match.end()
        if position == len(data) and data.endswith(b"\r"):
            return  # its line feed may still come
        yield position


def _blank(data: bytes, ends: _Places) -> npt.NDArray[np.bool_]:
    """Which rows hold nothing but their line end; Arrow passes over them."""
    signs = np.frombuffer(data, dtype=np.uint8)
    starts = np.concatenate(([0], ends[:-1]))
    sizes = ends - starts
    blank: npt.NDArray[np.bool_] = (sizes == 1) | ((sizes == 2) & (signs[starts] == ord("\r")))
    return blank


def _sniff(head: bytes) -> str:
    """The delimiter that occurs most often in the first line, outside quotes."""
    line = re.sub(rb'"(?:[^"]|"")*"', b"", head[: 64 << 10])
    line = _LINE_END.split(line, maxsplit=1)[0]
    counts = {sign: line.count(sign.encode()) for sign in _DELIMITERS}
    return max(counts, key=lambda sign: counts[sign])


def _refuse_open_quote(file: str, line: int) -> NoReturn:
    raise Invalid(
        f"{file}, line {line}: a quote opened in this row is never closed, "
        "and the file ends inside it.",
        remedy="Close or remove the quote, or ask for the file again: it may have been cut short.",
    )


def _refuse_zero_bytes(file: str, data: bytes, line: int) -> NoReturn:
    even, odd = data[0::2].count(b"\0"), data[1::2].count(b"\0")
    if max(even, odd) > len(data) // 5 and min(even, odd) < len(data) // 50:
        codec = "utf-16-le" if odd > even else "utf-16-be"
        raise Invalid(
            f"{file} looks like UTF-16 text without its byte-order mark.",
            remedy=f'Save it as UTF-8, or write encoding = "{codec}" under [read] in a mapping.',
        )
    raise Invalid(
        f"{file}, line {line}: it holds zero bytes, which no text has.",
        remedy="It may be damaged or not be a text file at all: ask for it again, as CSV or XLSX.",
    )
