"""Figures as a page prints them: every value, unit, state and word finished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from api import telling
from api.catalogues import text
from api.render import translator
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.quantities import number_text

# A sign beside the word, so that a state is told by neither colour nor sign alone.
SIGNS: Final = {
    State.GREEN: "✓",
    State.RED: "✕",
    State.NO_DATA: "○",
    State.STALE: "◷",
}
STATE_WORDS: Final = {
    State.GREEN: text("reached"),
    State.RED: text("missed"),
    State.NO_DATA: text("no data"),
    State.STALE: text("out of date"),
}


@dataclass(frozen=True)
class ToldState:
    """How a figure stands, in a word and a sign."""

    code: str
    sign: str
    word: str


@dataclass(frozen=True)
class Told:
    """A figure in words. `state` is None where no target holds."""

    kpi: str
    label: str
    value: str
    counts: str
    target: str
    interval: str
    n: str
    state: ToldState | None


def told(figure: Figure, language: str) -> Told:
    """A figure in a language."""
    return Told(
        kpi=figure.kpi,
        label=CATALOGUE[figure.kpi].label.in_(language) if figure.kpi in CATALOGUE else figure.kpi,
        value=telling.value(figure, language),
        counts=telling.counts(figure, language),
        target=telling.target(figure, language),
        interval=telling.interval(figure, language),
        n=number_text(figure.n, language),
        state=told_state(figure.state, language),
    )


def told_state(state: State | None, language: str) -> ToldState | None:
    if state is None:
        return None
    return ToldState(state.value, SIGNS[state], translator(language)(STATE_WORDS[state]))


def told_standing(state: State, count: int, language: str) -> str:
    """How many stand in a state: `23 missed`."""
    say = translator(language)
    match state:
        case State.GREEN:
            return say.many("{count} reached", "{count} reached", count)
        case State.RED:
            return say.many("{count} missed", "{count} missed", count)
        case State.NO_DATA:
            return say.many("{count} no data", "{count} no data", count)
        case State.STALE:
            return say.many("{count} out of date", "{count} out of date", count)
