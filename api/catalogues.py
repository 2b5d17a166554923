"""The pages' French: gettext catalogues in `templates/french`, one for each room of pages.

The English stands where it is used and is the key. A text that several rooms use may stand in each
of their catalogues, in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from partner_cx.quantities import number_text

FOLDER = Path(__file__).parents[1] / "templates" / "french"

Texts = dict[str | tuple[str, str], str | tuple[str, str]]  # a pair is one and many


def text(english: str) -> str:
    """Mark a text that is translated where it is shown."""
    return english


@dataclass(frozen=True)
class Translator:
    """What says a text in a language. Raises KeyError for one that no catalogue has."""

    language: str

    def __call__(self, english: str) -> str:
        if self.language != "fr":
            return english
        said = french()[english]
        assert isinstance(said, str)
        return said

    def many(self, one: str, many: str, count: int) -> str:
        """What goes with a count, `{count}` filled in. In French 0 and 1 take the singular."""
        if self.language != "fr":
            said = one if count == 1 else many
        else:
            said = french()[one, many][0 if abs(count) < 2 else 1]
        return said.replace("{count}", number_text(count, self.language))


@cache
def french() -> Texts:
    """Every French text by its English."""
    return {english: said for file in sorted(FOLDER.glob("*.po")) for english, said in read(file)}


def read(file: Path) -> list[tuple[str | tuple[str, str], str | tuple[str, str]]]:
    """A catalogue's texts with their French, in order."""
    with file.open("rb") as opened:
        catalogue = read_po(opened, locale="fr", abort_invalid=True)
    return [(_key(each.id), _key(each.string or "")) for each in catalogue if each.id]


def _key(texts: str | list[str] | tuple[str, ...]) -> str | tuple[str, str]:
    return texts if isinstance(texts, str) else (texts[0], texts[1])
