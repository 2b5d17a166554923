"""What stands in the way of one row of a file: the place, the reason, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from partner_cx.words import COLON, Words


@dataclass(frozen=True)
class Problem:
    """Why a row was refused.

    line: where the row begins in its file, the header being line 1.
    column, value: the cell at fault, by the programme's own column name; None when it is the row.
    """

    line: int
    column: str | None
    value: str | None
    reason: Words
    remedy: Words

    def text(self, language: str) -> str:
        """The whole sentence, beginning with the line."""
        line = Words("line {line}", "ligne {line}").format(line=self.line).in_(language)
        return f"{line}, {self.detail(language)}"

    def detail(self, language: str) -> str:
        """The sentence without its line, for a place that already says which row is meant."""
        said = f"{self.reason.in_(language)} {self.remedy.in_(language)}".strip()
        if self.column is None:
            return said
        quoted = Words(" (“{value}”)", " («\u202f{value}\u202f»)").format(
            value=_short(self.value or "")
        )
        shown = "" if self.value is None else quoted.in_(language)
        return f"{self.column}{shown}{COLON.in_(language)}{said}"


def _short(value: str, longest: int = 60) -> str:
    return value if len(value) <= longest else value[: longest - 1] + "…"
