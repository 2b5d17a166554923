"""Everybody judged at once is everybody judged one by one, whatever is asked and known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Any

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import given, settings
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure, State, Target
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import PeriodKind
from rewards.conditions import (
    CONDITIONS,
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
)
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import Gathered, gather
from rewards.deciding.judging import RANKS, Judged, Judging
from rewards.deciding.kept import KeptFigures
from rewards.evidence import Earlier, EventsAsked, Peers
from rewards.frozen import closing_of
from rewards.rulebook import in_force
from rewards.rules import Award, FixedPoints, PointsPerUnit, Rule, Step, TieredPoints, judge
from rewards.rules.limits import Limit, Won
from tests.harness.programme import BONUS, OTIF_BONUS, QUARTER, a_programme, close_it

KPIS = ("otif", "dispute_rate")  # higher is better, and lower is
GROUPS = ("tier:gold", "tier:silver", "kind:reseller")
ASKED = EventsAsked(EventKind.REPORT_ACCEPTED)
NEVER_TOLD = EventsAsked(EventKind.PANEL_ATTENDED)

shares = st.fractions(min_value=0, max_value=1, max_denominator=7)
huge = st.fractions(min_value=-(10**30), max_value=10**30)
few = st.integers(min_value=1, max_value=4)
kpis = st.sampled_from(KPIS)
days = st.dates(date(2023, 1, 1), date(2026, 12, 31))
targets = st.builds(
    Target, kpi=kpis, value=shares, n_min=few, coverage_min=st.just(Fraction(0)) | shares
)
figures = st.builds(
    Figure,
    kpi=kpis,
    value=st.none() | shares | huge,
    n=st.integers(0, 5),
    coverage=st.none() | shares,
    low=st.none() | st.floats(0, 1) | shares.map(float),
    high=st.none() | st.floats(0, 1) | shares.map(float) | st.just(float("inf")),
    state=st.none() | st.sampled_from(State),
    target=st.none() | targets,
)
leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(KpiIsGreen, kpis),
    st.builds(KpiAtLeast, kpis, shares, few, shares, st.sampled_from(Compared)),
    st.builds(KpiAtMost, kpis, shares | huge, few, shares, st.sampled_from(Compared)),
    st.builds(KpiImproved, kpis, st.sampled_from(Earlier), st.just(Fraction(0)) | shares, few),
    st.builds(KpiBeats, kpis, st.sampled_from(Peers), st.just(Fraction(0)) | shares, few),
    st.builds(PartnerIn, st.sampled_from(GROUPS)),
    st.builds(PartnerFor, st.integers(1, 36)),
    st.builds(EventsAtLeast, st.sampled_from([ASKED, NEVER_TOLD]), few),
    st.just(EventAbout(("a course",))),
)


def together(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(AllOf, several),
        st.builds(AnyOf, several),
        several.flatmap(
            lambda these: st.builds(AtLeastOf, st.just(these), st.integers(1, len(these)))
        ),
    )


conditions = st.recursive(leaves, together, max_leaves=6)
awards: st.SearchStrategy[Award] = st.one_of(
    st.builds(FixedPoints, few),
    st.builds(
        PointsPerUnit, kpis, shares, shares.filter(bool), few, st.none() | st.just(7), n_min=few
    ),
    st.builds(
        TieredPoints,
        st.just("otif"),
        st.just((Step(Fraction(1, 3), 2), Step(Fraction(2, 3), 5))),
        n_min=few,
    ),
)
limits = st.builds(Limit, st.sampled_from(PeriodKind), st.none() | few, few)


class Drawn(KeptFigures):
    """Figures that were drawn, as the database would hand them out."""

    def __init__(self, drawn: Mapping[str, Mapping[str, Figure]]) -> None:
        self.drawn = {subject: dict(of_subject) for subject, of_subject in drawn.items()}

    @cached_property
    def _figures(self) -> dict[str, dict[str, Figure]]:
        return self.drawn

    @cached_property
    def _rows(self) -> dict[str, dict[str, Sequence[Any]]]:
        rows: dict[str, dict[str, Sequence[Any]]] = {}
        for subject, of_subject in self.drawn.items():
            for kpi, figure in of_subject.items():
                rows.setdefault(kpi, {})[subject] = (kpi, subject, *as_kept(figure).values())
        return rows


def as_kept(figure: Figure) -> dict[str, object]:
    aim = figure.target
    return {
        "value": written(figure.value),
        "n": figure.n,
        "low": figure.low,
        "high": figure.high,
        "state": figure.state and figure.state.value,
        "coverage": written(figure.coverage),
        "target": written(aim.value if aim else None),
        "n_min": aim and aim.n_min,
        "coverage_min": written(aim.coverage_min if aim else None),
    }


def written(number: Fraction | None) -> str | None:
    return None if number is None else f"{number.numerator}/{number.denominator}"


@st.composite
def evidence(draw: st.DrawFn) -> Gathered:
    codes = [f"R{number}" for number in range(draw(st.integers(1, 5)))]
    of_kpis = st.dictionaries(kpis, figures, max_size=2)
    everyone = [
        Candidate(
            number,
            code,
            "reseller",
            draw(st.none() | days),
            frozenset(draw(st.sets(st.sampled_from(GROUPS)))),
        )
        for number, code in enumerate(codes)
    ]
    own = st.fixed_dictionaries(dict.fromkeys(codes, of_kpis))
    by_group = st.fixed_dictionaries(dict.fromkeys((*GROUPS, "network"), of_kpis))
    return Gathered(
        period=QUARTER,
        candidates=everyone,
        own=Drawn(draw(own)),
        by_group=Drawn(draw(by_group)),
        earlier={Earlier.PREVIOUS: (Drawn(draw(own)), Drawn({}))},
        members={code: draw(st.integers(3, 6)) for code in (*GROUPS, "network")},
        events={ASKED: {0: 3, 1: 1}, NEVER_TOLD: None},
    )


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    return replace(
        BONUS,
        audience=replace(BONUS.audience, kinds=(), groups=draw(st.sampled_from([(), GROUPS[:1]]))),
        conditions=tuple(draw(st.lists(conditions, max_size=3))),
        award=draw(awards),
        limits=tuple(draw(st.lists(limits, max_size=2))),
        cool_down_days=draw(st.sampled_from([0, 30])),
    )


@settings(max_examples=200, deadline=None)
@given(gathered=evidence(), rule=rules(), won=st.dictionaries(st.integers(0, 4), days, max_size=3))
def test_everybody_at_once_is_everybody_one_by_one(
    gathered: Gathered, rule: Rule, won: Mapping[int, date]
) -> None:
    history = {number: [Won(day, 2)] for number, day in won.items()}
    assert told(Judging(gathered).judge(rule, history)) == one_by_one(gathered, rule, history)


def test_every_kind_of_condition_is_drawn() -> None:
    """Whoever adds a condition adds it here."""
    drawn = {KpiIsGreen, KpiAtLeast, KpiAtMost, KpiImproved, KpiBeats, PartnerIn, PartnerFor}
    assert drawn | {EventsAtLeast, EventAbout, AllOf, AnyOf, AtLeastOf} == set(CONDITIONS.values())


def test_what_a_close_froze_is_judged_alike(network: sa.Engine) -> None:
    hard = replace(
        OTIF_BONUS,
        code="hard",
        conditions=(
            KpiBeats("otif", Peers.NETWORK),
            KpiAtLeast("otif", Fraction(19, 20), n_min=5, against=Compared.LOWER),
        ),
    )
    a_programme(network, BONUS, OTIF_BONUS, hard)
    close_it(network)
    with Session(network) as session:
        frozen = [rule for _, rule in in_force(session, QUARTER)]
        for closing in (closing_of(session, QUARTER), None):
            gathered = gather(session, QUARTER, frozen, closing=closing)
            for rule in frozen:
                found = told(Judging(gathered).judge(rule, {}))
                assert found == one_by_one(gathered, rule, {})
                assert len(found) == 3


def told(judged: Judged) -> list[tuple[str, str, int]]:
    verdicts = [RANKS[rank].value for rank in judged.ranks]
    codes = [each.code for each in judged.candidates]
    return list(zip(codes, verdicts, judged.points.tolist(), strict=True))


def one_by_one(
    gathered: Gathered, rule: Rule, history: Mapping[int, list[Won]]
) -> list[tuple[str, str, int]]:
    judged = [
        (each, judge(rule, gathered.evidence(rule, each), history.get(each.partner_id, ())))
        for each in gathered.audience(rule)
    ]
    return [(each.code, verdict.value, points) for each, (verdict, points) in judged]
