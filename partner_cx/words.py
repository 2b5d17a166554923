"""A text in the programme's two languages, kept side by side so that neither is forgotten."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The same thing said in English and in French."""

    en: str
    fr: str

    def in_(self, language: str) -> str:
        """The text in a language; anything but French is answered in English."""
        return self.fr if language.startswith("fr") else self.en

    def format(self, **values: object) -> Words:
        """Fill the same named places in both texts. A value may itself be Words."""
        return Words(en=_fill(self.en, "en", values), fr=_fill(self.fr, "fr", values))


def _fill(text: str, language: str, values: dict[str, object]) -> str:
    spoken = {k: v.in_(language) if isinstance(v, Words) else v for k, v in values.items()}
    return text.format(**spoken)


# What stands between what is told of and what is told; in French after an unbreakable space.
COLON = Words(": ", "\u202f: ")
