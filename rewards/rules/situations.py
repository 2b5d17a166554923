"""Situations a rule is tested in: given these figures, expect this. They are kept with the rule.

Whoever writes a rule says with them what it is meant to do, in the file itself; `rule_tests` runs
them before the rule is published. Strict like the rest of the file: what isn't given isn't known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Self, TypeVar

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State, Target
from partner_cx.operations.event_kinds import EventKind
from rewards import sentences
from rewards.conditions.condition import Verdict
from rewards.conditions.thresholds import N_MAX, NOTHING, read_threshold, read_value, value_to_plain
from rewards.evidence import Earlier, Event, PeerFigure, Peers
from rewards.reading import Fields, Given, some_items
from rewards.rules.limits import POINTS_MAX, Won

COUNT_MAX = 1_000_000
N_USUAL = 1_000  # a sample that is large enough for any rule that doesn't ask for more

Name = TypeVar("Name", Earlier, Peers, EventKind)

_FIGURE = ("value", "n", "target", "n_min", "coverage", "low", "high", "state")


@dataclass(frozen=True)
class StatedFigure:
    """A figure as a rule's test states it.

    target, n_min: what it is held against; its state follows from them, unless it is stated.
    n: 1,000 where nobody says.
    """

    kpi: str
    value: Fraction | None = None
    n: int = N_USUAL
    target: Fraction | None = None
    n_min: int = 1
    coverage: Fraction | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    state: State | None = None

    @classmethod
    def read(cls, fields: Fields, kpi: str) -> Self:
        values = {
            name: read_value(fields[name], kpi)
            for name in ("value", "target", "low", "high")
            if name in fields
        }
        coverage = fields.get("coverage")
        return cls(
            kpi,
            n=fields["n"].whole_number(0, N_MAX) if "n" in fields else N_USUAL,
            n_min=fields["n_min"].whole_number(1, N_MAX) if "n_min" in fields else 1,
            coverage=read_threshold(coverage, share=True) if coverage else None,
            state=fields["state"].choice(State) if "state" in fields else None,
            **values,
        )

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {}
        for name in ("value", "target", "low", "high"):
            if (number := getattr(self, name)) is not None:
                plain[name] = value_to_plain(number, self.kpi)
        if self.n != N_USUAL:
            plain["n"] = self.n
        if self.n_min != 1:
            plain["n_min"] = self.n_min
        if self.coverage is not None:
            plain["coverage"] = value_to_plain(self.coverage, "otif")
        if self.state is not None:
            plain["state"] = self.state.value
        return plain

    @property
    def figure(self) -> Figure:
        """The figure as a close would have frozen it."""
        aim = self.target
        if aim is None and self.state in (State.GREEN, State.RED):
            aim = self.value if self.value is not None else NOTHING
        return Figure(
            self.kpi,
            self._value,
            n=self.n,
            coverage=self.coverage,
            low=None if self.low is None else float(self.low),
            high=None if self.high is None else float(self.high),
            state=self.state or self._state_that_follows(),
            target=None if aim is None else Target(self.kpi, aim, n_min=self.n_min),
        )

    @property
    def _value(self) -> Fraction | None:
        stated = self.state in (State.GREEN, State.RED)
        return self.target or NOTHING if stated and self.value is None else self.value

    def _state_that_follows(self) -> State | None:
        if self.value is None:
            return State.NO_DATA
        if self.target is None:
            return None
        if self.n < self.n_min:
            return State.NO_DATA
        lower = sentences.lower_is_better(self.kpi)
        kept = self.value <= self.target if lower else self.value >= self.target
        return State.GREEN if kept else State.RED


@dataclass(frozen=True)
class StatedPeers:
    """A group's figure, and of how many partners the group is."""

    figure: StatedFigure
    members: int

    @classmethod
    def read(cls, given: Given, kpi: str) -> Self:
        fields = given.fields(required=("members",), optional=_FIGURE)
        members = fields.pop("members").whole_number(0, COUNT_MAX)
        return cls(StatedFigure.read(fields, kpi), members)

    def to_plain(self) -> dict[str, Any]:
        return self.figure.to_plain() | {"members": self.members}

    @property
    def peer_figure(self) -> PeerFigure:
        return PeerFigure(self.figure.figure, self.members)


@dataclass(frozen=True)
class Situation:
    """What is known of a partner that nobody has to exist for.

    on: the day the decision is about; None: the last of the rule's first period, or for a rule on
        an event its first day.
    events: how often things happened, by kind; a kind that isn't named was never told of.
    won: what the rule has already awarded.
    """

    figures: tuple[StatedFigure, ...] = ()
    earlier: tuple[tuple[Earlier, StatedFigure], ...] = ()
    peers: tuple[tuple[Peers, StatedPeers], ...] = ()
    groups: tuple[str, ...] = ()
    joined_on: date | None = None
    on: date | None = None
    events: tuple[tuple[EventKind, int], ...] = ()
    about: str | None = None
    won: tuple[Won, ...] = ()

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(
            required=(),
            optional=(
                *("figures", "earlier", "peers", "groups", "joined_on", "on"),
                *("events", "event", "won"),
            ),
        )
        about = None
        if "event" in fields:
            about = fields["event"].fields(required=("about",))["about"].line()
        return cls(
            figures=tuple(_read_figures(fields.get("figures"))),
            earlier=tuple(
                (earlier, figure)
                for earlier, item in _named(fields.get("earlier"), Earlier)
                for figure in _read_figures(item)
            ),
            peers=tuple(
                (peers, StatedPeers.read(stated, kpi))
                for peers, item in _named(fields.get("peers"), Peers)
                for kpi, stated in item.fields(required=(), optional=CATALOGUE).items()
            ),
            groups=tuple(item.group() for item in some_items(fields.get("groups"))),
            joined_on=fields["joined_on"].day() if "joined_on" in fields else None,
            on=fields["on"].day() if "on" in fields else None,
            events=tuple(
                (kind, count.whole_number(0, COUNT_MAX))
                for kind, count in _named(fields.get("events"), EventKind)
            ),
            about=about,
            won=tuple(_read_won(item) for item in some_items(fields.get("won"))),
        )

    def to_plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "figures": {figure.kpi: figure.to_plain() for figure in self.figures},
            "earlier": _grouped((e, f.kpi, f.to_plain()) for e, f in self.earlier),
            "peers": _grouped((p, s.figure.kpi, s.to_plain()) for p, s in self.peers),
            "groups": list(self.groups),
            "joined_on": self.joined_on and self.joined_on.isoformat(),
            "on": self.on and self.on.isoformat(),
            "events": {kind.value: count for kind, count in self.events},
            "event": {"about": self.about} if self.about is not None else None,
            "won": [{"on": won.on.isoformat(), "points": won.points} for won in self.won],
        }
        return {name: value for name, value in plain.items() if value}

    def event(self, kind: EventKind) -> Event:
        """What the rule is decided on; somebody did it."""
        return Event(kind, self.about, "somebody")


@dataclass(frozen=True)
class RuleTest:
    """One test of a rule: in this situation, this is what it must come to.

    points: None where the test doesn't say.
    """

    name: str
    given: Situation
    verdict: Verdict
    points: int | None = None

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("name", "given", "expect"))
        expected = fields["expect"].fields(required=("verdict",), optional=("points",))
        return cls(
            name=fields["name"].line(),
            given=Situation.read(fields["given"]),
            verdict=expected["verdict"].choice(Verdict),
            points=(
                expected["points"].whole_number(0, POINTS_MAX) if "points" in expected else None
            ),
        )

    def to_plain(self) -> dict[str, Any]:
        expect: dict[str, Any] = {"verdict": self.verdict.value}
        if self.points is not None:
            expect["points"] = self.points
        return {"name": self.name, "given": self.given.to_plain(), "expect": expect}


def _read_figures(given: Given | None) -> Iterator[StatedFigure]:
    stated = given.fields(required=(), optional=CATALOGUE) if given else {}
    for kpi, item in stated.items():
        yield StatedFigure.read(item.fields(required=(), optional=_FIGURE), kpi)


def _read_won(given: Given) -> Won:
    fields = given.fields(required=("on", "points"))
    return Won(fields["on"].day(), fields["points"].whole_number(1, POINTS_MAX))


def _named(given: Given | None, names: type[Name]) -> Iterator[tuple[Name, Given]]:
    fields = given.fields(required=(), optional=[name.value for name in names]) if given else {}
    for name, item in fields.items():
        yield names(name), item


def _grouped(rows: Iterator[tuple[str, str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    grouped: dict[str, dict[str, Any]] = {}
    for name, kpi, plain in rows:
        grouped.setdefault(str(name), {})[kpi] = plain
    return grouped
