"""Any rule and any evidence, for properties that must hold of all of them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.network.names import PartnerKind
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    Compared,
    Condition,
    EventAbout,
    EventsAtLeast,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
    KpiIsGreen,
    PartnerFor,
    PartnerIn,
    Verdict,
)
from rewards.evidence import Earlier, Event, EventsAsked, Evidence, PeerFigure, Peers
from rewards.rules import (
    POINTS_MAX,
    Audience,
    FixedPoints,
    Level,
    Occasion,
    PointsPerUnit,
    Recipient,
    Rule,
    RuleTest,
    Shortage,
    Step,
    TieredPoints,
)
from rewards.rules.limits import Limit, Won
from rewards.rules.situations import Situation, StatedFigure, StatedPeers

_SEEN = st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S"])
TEXTS = st.text(_SEEN | st.sampled_from(" \n"), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text and all(c.isprintable() or c == "\n" for c in text)
)
LINES = TEXTS.filter(lambda text: "\n" not in text)
CODES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True)
SHARE_KPIS = st.sampled_from(["otif", "dispute_rate"])  # more is better, less is better
OTHER_KPIS = st.sampled_from(["first_response", "pnps"])
KPIS = SHARE_KPIS | OTHER_KPIS
SHARES = st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(19, 20), Fraction(1)]) | (
    st.integers(0, 10**9).map(lambda parts: Fraction(parts, 10**9))
)
NUMBERS = st.sampled_from([Fraction(-10), Fraction(0), Fraction(45), Fraction(60)]) | (
    st.integers(-100_000, 100_000).map(lambda parts: Fraction(parts, 1000))
)
STEPS = st.sampled_from([Fraction(0), Fraction(1, 50), Fraction(1, 3)]) | SHARES
SAMPLES = st.sampled_from([1, 5, 30]) | st.integers(1, 1000)
GROUPS = st.sampled_from(["tier:gold", "tier:silver", "region:Île-de-France"])
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))
POINTS = st.integers(1, POINTS_MAX)


def against(kind: type[KpiAtLeast] | type[KpiAtMost]) -> st.SearchStrategy[Condition]:
    guards = {"n_min": SAMPLES, "coverage_min": SHARES, "against": st.sampled_from(Compared)}
    return st.builds(kind, kpi=SHARE_KPIS, threshold=SHARES, **guards) | (
        st.builds(kind, kpi=st.just("pnps"), threshold=NUMBERS, **guards)
    )


ASKED = st.builds(
    EventsAsked,
    st.sampled_from(EventKind),
    st.none() | st.sampled_from(["spring", "autumn"]),
    st.none() | st.sampled_from([1, 30]),
)
AT_A_CLOSE: st.SearchStrategy[Condition] = st.one_of(
    st.builds(KpiIsGreen, KPIS),
    against(KpiAtLeast),
    against(KpiAtMost),
    st.builds(KpiImproved, KPIS, st.sampled_from(Earlier), STEPS, SAMPLES),
    st.builds(KpiBeats, KPIS, st.sampled_from(Peers), STEPS, SAMPLES),
    st.builds(PartnerIn, GROUPS),
    st.builds(PartnerFor, st.integers(1, 600)),
    st.builds(EventsAtLeast, ASKED, st.integers(1, 5)),
)
ON_AN_EVENT = AT_A_CLOSE | st.builds(
    EventAbout, st.lists(st.sampled_from(["spring", "autumn", "été"]), min_size=1).map(tuple)
)


def trees(leaves: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    """Conditions within conditions."""

    def several(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        some = st.lists(inner, min_size=1, max_size=4).map(tuple)
        counted = some.flatmap(
            lambda of: st.integers(1, len(of)).map(lambda count: AtLeastOf(of, count))
        )
        return st.builds(AllOf, some) | st.builds(AnyOf, some) | counted

    return st.recursive(leaves, several, max_leaves=6)


def figures(kpi: str) -> st.SearchStrategy[Figure]:
    """A figure of a KPI in any state that a close can freeze, thin ones and stale ones too."""
    values = SHARES if kpi in ("otif", "dispute_rate") else NUMBERS
    target = st.none() | st.builds(Target, st.just(kpi), values, SAMPLES, SHARES)
    ends = st.none() | values.map(float) | st.just(float("nan"))
    return st.builds(
        Figure,
        kpi=st.just(kpi),
        value=st.none() | values,
        n=st.sampled_from([0, 4, 5, 30, 412]),
        coverage=st.none() | SHARES,
        low=ends,
        high=ends,
        state=st.none() | st.sampled_from(State),
        target=target,
    )


def scorecards() -> st.SearchStrategy[Scorecard]:
    measured = st.fixed_dictionaries(
        {},
        optional={kpi: figures(kpi) for kpi in ("otif", "dispute_rate", "first_response", "pnps")},
    )
    period = st.sampled_from(["2026Q2", "2026-02", "2025"]).map(Period.parse)
    return st.builds(Scorecard, period, st.just("R-1"), measured, st.frozensets(GROUPS))


PEERS = st.builds(PeerFigure, KPIS.flatmap(figures), st.sampled_from([0, 4, 5, 40]))
EVIDENCE = st.builds(
    Evidence,
    scorecards(),
    on=DAYS,
    joined_on=st.none() | DAYS,
    earlier=st.lists(st.tuples(st.sampled_from(Earlier), KPIS.flatmap(figures))).map(
        lambda pairs: {(which, figure.kpi): figure for which, figure in pairs}
    ),
    peers=st.lists(st.tuples(st.sampled_from(Peers), PEERS)).map(
        lambda pairs: {(which, peer.figure.kpi): peer for which, peer in pairs}
    ),
    events=st.dictionaries(ASKED, st.none() | st.integers(0, 6)),
    event=st.none()
    | st.builds(
        Event,
        st.sampled_from(EventKind),
        st.none() | st.sampled_from(["spring", "winter"]),
        st.none() | st.just("ann@partner.example"),
    ),
)
HISTORIES = st.lists(st.builds(Won, DAYS, st.integers(-500, 5_000)), max_size=5)


def _increasing(kpi: str, reaches: list[Fraction], points: list[int]) -> tuple[Step, ...]:
    down = kpi in ("dispute_rate", "first_response")
    easiest_first = sorted(reaches, reverse=down)
    return tuple(
        Step(reach, earned) for reach, earned in zip(easiest_first, sorted(points), strict=False)
    )


def _steps(kpi: str) -> st.SearchStrategy[tuple[Step, ...]]:
    values = SHARES if kpi in ("otif", "dispute_rate") else NUMBERS
    return st.builds(
        lambda reaches, points: _increasing(kpi, reaches, points),
        st.lists(values, min_size=1, max_size=5, unique=True),
        st.lists(POINTS, min_size=5, max_size=5, unique=True),
    )


def _tiers(to: st.SearchStrategy[Recipient]) -> st.SearchStrategy[TieredPoints]:
    return KPIS.flatmap(lambda kpi: st.builds(TieredPoints, st.just(kpi), _steps(kpi), SAMPLES, to))


def _per_unit(to: st.SearchStrategy[Recipient]) -> st.SearchStrategy[PointsPerUnit]:
    values = {"otif": SHARES, "dispute_rate": SHARES, "first_response": NUMBERS, "pnps": NUMBERS}
    each = st.integers(1, 1000)
    return KPIS.flatmap(
        lambda kpi: st.builds(
            PointsPerUnit,
            st.just(kpi),
            values[kpi],
            values[kpi].filter(lambda unit: unit > 0),
            each,
            st.none() | st.integers(1000, POINTS_MAX),
            SAMPLES,
            to,
        )
    )


def awards(
    to: st.SearchStrategy[Recipient],
) -> st.SearchStrategy[FixedPoints | PointsPerUnit | TieredPoints]:
    return st.builds(FixedPoints, POINTS, to) | _per_unit(to) | _tiers(to)


LIMITS = st.builds(Limit, st.sampled_from(PeriodKind), POINTS, st.none() | st.integers(1, 99)) | (
    st.builds(Limit, st.sampled_from(PeriodKind), st.none(), st.integers(1, 99))
)


def _stated(kpi: str) -> st.SearchStrategy[StatedFigure]:
    values = SHARES if kpi in ("otif", "dispute_rate") else NUMBERS
    maybe = st.none() | values
    return st.builds(
        StatedFigure,
        kpi=st.just(kpi),
        value=maybe,
        n=st.integers(0, 5000),
        target=maybe,
        n_min=SAMPLES,
        coverage=st.none() | SHARES,
        low=maybe,
        high=maybe,
        state=st.none() | st.sampled_from(State),
    )


def _stated_once() -> st.SearchStrategy[tuple[StatedFigure, ...]]:
    several = st.lists(KPIS.flatmap(_stated), max_size=3, unique_by=lambda stated: stated.kpi)
    return several.map(tuple)


SITUATIONS = st.builds(
    Situation,
    figures=_stated_once(),
    earlier=st.tuples(st.sampled_from(Earlier), _stated_once()).map(
        lambda pair: tuple((pair[0], stated) for stated in pair[1])
    ),
    peers=st.tuples(st.sampled_from(Peers), _stated_once(), st.integers(0, 99)).map(
        lambda some: tuple((some[0], StatedPeers(stated, some[2])) for stated in some[1])
    ),
    groups=st.lists(GROUPS, max_size=2, unique=True).map(tuple),
    joined_on=st.none() | DAYS,
    on=st.none() | DAYS,
    events=st.dictionaries(st.sampled_from(EventKind), st.integers(0, 9)).map(
        lambda counts: tuple(counts.items())
    ),
    about=st.none() | LINES,
    won=st.lists(st.builds(Won, DAYS, POINTS), max_size=2).map(tuple),
)
TESTS = st.builds(
    RuleTest, LINES, SITUATIONS, st.sampled_from(Verdict), st.none() | st.integers(0, POINTS_MAX)
)

_TERMS: dict[str, st.SearchStrategy[Any]] = {
    "period": st.sampled_from(PeriodKind),
    "limits": st.lists(LIMITS, max_size=3).map(tuple),
    "cool_down_days": st.sampled_from([0, 0, 30]),
}
_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "code": st.just("bonus"),
    "version": st.just(1),
    "label": st.just(Words("Bonus", "Prime")),
    "source": st.just("The terms of 2026."),
    "starts": st.just(date(2024, 1, 1)),
    "ends": st.none(),
    "audience": st.just(Audience()),
    "budget": st.just("network-quality"),
}
_WRITTEN: dict[str, st.SearchStrategy[Any]] = {
    "code": CODES,
    "version": st.integers(1, 1000),
    "label": st.builds(Words, TEXTS, TEXTS),
    "source": TEXTS,
    "starts": st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    "ends": st.none() | st.dates(date(2030, 1, 1), date(2199, 12, 31)),
    "audience": st.builds(
        Audience,
        kinds=st.lists(st.sampled_from(PartnerKind), unique=True).map(tuple),
        tiers=st.lists(TEXTS, max_size=2).map(tuple),
        countries=st.lists(CODES, max_size=2).map(tuple),
    ),
    "budget": CODES,
    "hold_days": st.integers(0, 100),
    "needs_approval": st.booleans(),
    "tests": st.lists(TESTS, max_size=2).map(tuple),
}


def _rules(alike: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Rule]:
    at_close = st.builds(
        Rule,
        **alike,
        on=st.just(Occasion.CLOSE),
        measured_on=st.sampled_from(Level),
        conditions=st.lists(trees(AT_A_CLOSE), min_size=1, max_size=3).map(tuple),
        award=awards(st.just(Recipient.PARTNER)),
        when_short=st.sampled_from(Shortage),
    )
    on_event = st.builds(
        Rule,
        **alike,
        on=st.sampled_from([occasion for occasion in Occasion if occasion.event]),
        measured_on=st.just(Level.PARTNER),
        conditions=st.lists(trees(ON_AN_EVENT), max_size=3).map(tuple),
        award=awards(st.sampled_from(Recipient)),
        when_short=st.sampled_from([Shortage.REFUSE_WHOLE, Shortage.FIRST_COME]),
    )
    return at_close | on_event


RULES = _rules(_PLAIN | _TERMS)  # any that can be decided
WRITTEN_RULES = _rules(_WRITTEN | _TERMS)  # any that can be written
