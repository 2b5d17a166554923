"""What tables about rules are written with: conditions as a manager writes them, and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.measures.kpi import Direction
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from rewards.conditions import Condition, read_condition
from rewards.evidence import Earlier, Event, EventsAsked, Evidence, PeerFigure, Peers
from rewards.reading import read_yaml
from rewards.rules import Decision, Rule, decide, judge

LINES = {
    "code": "bonus",
    "label": "{en: Bonus, fr: Prime}",
    "source": "The terms of 2026.",
    "on": "close",
    "period": "quarter",
    "starts": "2026Q1",
    "conditions": "[{kpi_is_green: otif}]",
    "award": "{points: 500}",
    "budget": "network-quality",
}


def situations(table: Iterable[tuple[Any, ...]]) -> list[Any]:
    """A table whose first column says in a sentence what each row is about."""
    return [pytest.param(*row, id=sentence) for sentence, *row in table]


def a_rule(**instead: str | None) -> Rule:
    """A rule as written, some of its lines written otherwise: `award="{points: 100}"`.

    None leaves a line out.
    """
    return Rule.from_yaml(written(**instead), "rule.yaml")


def written(**instead: str | None) -> str:
    """The same as text."""
    lines = {name: text for name, text in (LINES | instead).items() if text is not None}
    return "".join(f"{name}: {text}\n" for name, text in lines.items())


def condition(text: str) -> Condition:
    """A condition as it stands in a rule: `kpi_is_green: otif`."""
    return read_condition(read_yaml(text, "rule.yaml"))


def number(text: str) -> Fraction:
    """`96.4 %` or `45`, exactly."""
    if text.endswith("%"):
        return Fraction(text.removesuffix("%").strip()) / 100
    return Fraction(text)


def figure(
    kpi: str,
    value: str | None,
    n: int = 100,
    *,
    target: str | None = None,
    n_min: int = 1,
    coverage: str | None = None,
    low: float | None = None,
    high: float | None = None,
    stale: bool = False,
) -> Figure:
    """A figure as a close freezes it."""
    measured = None if value is None else number(value)
    aim = None if target is None else Target(kpi, number(target), n_min=n_min)
    state = None if measured is not None else State.NO_DATA
    if measured is not None and aim is not None:
        lower = CATALOGUE[kpi].direction is Direction.LOWER
        kept = measured <= aim.value if lower else measured >= aim.value
        state = State.GREEN if kept else State.RED
        state = State.NO_DATA if n < n_min else state
    return Figure(
        kpi,
        measured,
        n=n if value is not None else 0,
        coverage=None if coverage is None else number(coverage),
        low=low,
        high=high,
        state=State.STALE if stale else state,
        target=aim,
    )


def known(
    *figures: Figure,
    period: str = "2026Q2",
    on: str | None = None,
    groups: Iterable[str] = (),
    joined: str | None = None,
    earlier: Mapping[Earlier, Figure] | None = None,
    peers: Mapping[Peers, tuple[Figure, int]] | None = None,
    events: Mapping[EventsAsked, int | None] | None = None,
    event: Event | None = None,
) -> Evidence:
    """All that is known of a partner: figures of a quarter, and whatever else a row names."""
    closed = Period.parse(period)
    return Evidence(
        Scorecard(closed, "R-1", {each.kpi: each for each in figures}, frozenset(groups)),
        on=date.fromisoformat(on) if on else closed.last_day,
        joined_on=date.fromisoformat(joined) if joined else None,
        earlier={(which, each.kpi): each for which, each in (earlier or {}).items()},
        peers={
            (which, each.kpi): PeerFigure(each, members)
            for which, (each, members) in (peers or {}).items()
        },
        events=events or {},
        event=event,
    )


def reports(count: int | None, *, days: int | None = None) -> dict[EventsAsked, int | None]:
    """So many reports accepted; None: the programme was never told of any."""
    return {EventsAsked(EventKind.REPORT_ACCEPTED, None, days): count}


def decided(rule: Rule, evidence: Evidence, history: Iterable[Any] = ()) -> Decision:
    """The decision, once it is sure that judging alone comes to the same."""
    won = list(history)
    decision = decide(rule, evidence, won)
    assert judge(rule, evidence, won) == (decision.verdict, decision.points)
    return decision
