"""The problems file: the refused rows as they stood, each with its line and what is wrong with it.

It lies beside the file it is about, `orders.csv` giving `orders.problems.csv`, and is written as
that file is, so that whoever mends it imports it with the same mapping. Two columns stand in front,
`line` and `problem`; the import passes over them. In front, so that a row with too many fields
keeps its own in their places.

Values are written exactly as they were, also those that a spreadsheet would take for a formula:
changing them would change the facts. Open it as text columns when it comes from strangers.
"""

from __future__ import annotations

import csv
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np
import pyarrow as pa

from integrations.files.columns import OWN_COLUMNS
from integrations.files.mapping import Mapping
from integrations.files.reading import FactsFile
from integrations.files.rows import Form, Lines, Refused
from partner_cx.errors import Invalid
from partner_cx.operations.problems import Problem

_PLAIN_SIGNS = str.maketrans({"’": "'", "“": "'", "”": "'", "…": "...", "–": "-", "\u202f": " "})


class ProblemsFile:
    """Gathers refused rows. Nothing is written until the first, nothing seen until it is closed.

    Leaving its `with` on an error discards it: then nothing was taken, and there is nothing to
    mend. An earlier problems file of the same input is replaced.
    """

    def __init__(
        self,
        path_of_input: Path | str,
        mapping: Mapping | None,
        raw_columns: Sequence[str],
        *,
        form: Form | None = None,
        language: str = "en",
    ) -> None:
        self._input = Path(path_of_input)
        self._columns = tuple(raw_columns)
        self._again = self._columns[:2] == OWN_COLUMNS
        self._form = form or _form_of(mapping or Mapping.none())
        self._language = language
        self._file: TextIO | None = None
        self._part: Path | None = None
        self.path: Path | None = None
        self.rows = 0

    @classmethod
    def beside(cls, facts: FactsFile, *, language: str = "en") -> ProblemsFile:
        """The problems file of a file being read."""
        return cls(facts.path, facts.mapping, facts.raw_columns, form=facts.form, language=language)

    def __enter__(self) -> ProblemsFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def add(self, raw: pa.Table, lines: Lines, problems: Iterable[Problem]) -> None:
        """Write the rows of a batch that have problems, in the order of their lines."""
        by_line: defaultdict[int, list[Problem]] = defaultdict(list)
        for problem in problems:
            by_line[problem.line].append(problem)
        places = np.flatnonzero(np.isin(lines, list(by_line)))
        rows = raw.take(pa.array(places)).to_pydict() if len(places) else {}
        columns = [rows.get(name, []) for name in self._columns]
        for at, place in enumerate(places):
            line = int(lines[place])
            self._write(line, by_line[line], [column[at] for column in columns])

    def add_refused(self, refused: Iterable[Refused]) -> None:
        """Write rows that couldn't be read, with the fields they have."""
        for row in refused:
            self._write(row.problem.line, [row.problem], row.fields)

    def close(self) -> None:
        """Put the file in its place, if there is one."""
        if self._file and self._part:
            self._file.close()
            self.path = self._part.with_suffix("")
            os.replace(self._part, self.path)
            self._file = None

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._file and self._part:
            self._file.close()
            self._part.unlink(missing_ok=True)
            self._file = None

    def _write(self, line: int, problems: Sequence[Problem], fields: Sequence[str | None]) -> None:
        file = self._file or self._open()
        said = " / ".join(problem.detail(self._language) for problem in problems)
        own = list(fields)[2:] if self._again else list(fields)
        csv.writer(file, delimiter=self._form.delimiter, lineterminator="\r\n").writerow(
            [line, self._plain(said), *("" if value is None else value for value in own)]
        )
        self.rows += 1

    def _plain(self, said: str) -> str:
        """A sentence as the input's encoding can hold it, with plain signs for curly ones."""
        for written in (said, said.replace("\u202f", "\xa0")):
            with suppress(UnicodeEncodeError):
                written.encode(self._form.encoding)
                return written
        return said.translate(_PLAIN_SIGNS)

    def _open(self) -> TextIO:
        names = [name if not name.startswith("\0") else "" for name in self._columns]
        own = names[2:] if self._again else names
        self._part, self._file = self._create()
        writer = csv.writer(self._file, delimiter=self._form.delimiter, lineterminator="\r\n")
        writer.writerow([*OWN_COLUMNS, *own])
        return self._file

    def _create(self) -> tuple[Path, TextIO]:
        """A file beside the input, or in the current folder where that can't be written."""
        name = _name_for(self._input)
        error: OSError | None = None
        for folder in (self._input.parent, Path.cwd()):
            part = folder / f"{name}.part"
            try:
                # The rows came from this encoding; only a sentence may lose a sign to it.
                return part, part.open(
                    "w", encoding=self._form.encoding, errors="replace", newline=""
                )
            except OSError as refusal:
                error = refusal
        raise Invalid(
            f"{name} can't be written, neither beside the file nor here: {error}.",
            remedy="Run the import where you may write, then mend the rows it names.",
        ) from error


def _name_for(input_: Path) -> str:
    """`orders.csv` gives `orders.problems.csv`; that gives `orders.problems-2.csv`, and so on.

    The file being read is somebody's mended work, and is never written over.
    """
    again = re.fullmatch(r"(.+\.problems)(?:-(\d+))?", input_.stem)
    if again:
        return f"{again[1]}-{int(again[2] or 1) + 1}.csv"
    return f"{input_.stem}.problems.csv"


def _form_of(mapping: Mapping) -> Form:
    standard = Form()
    return Form(mapping.delimiter or standard.delimiter, mapping.encoding or standard.encoding)
