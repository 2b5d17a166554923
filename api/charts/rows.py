"""A chart's rows: what the table beside it says, and how a figure's state is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.catalogues import Translator
from api.pages.told import ToldState, told_state
from partner_cx.measures.figures import State

_NAMED_MOST = 6


@dataclass(frozen=True)
class Row:
    """A line of the table beside a chart."""

    label: str
    told: str
    href: str = ""
    state: ToldState | None = None


def state_of(code: str, language: str) -> ToldState | None:
    """A state by its code, as figures carry it; none where no target holds."""
    return told_state(State(code) if code else None, language)


def gaps_told(labels: Sequence[str], say: Translator) -> list[str]:
    """What has no data, by name while there are few; nothing where all is known."""
    if not labels:
        return []
    if len(labels) > _NAMED_MOST:
        return [say.many("No data at {count} point.", "No data at {count} points.", len(labels))]
    return [say("No data: {labels}.").format(labels=", ".join(labels))]
