"""Conditions: each verdict, each reason for not knowing, and the laws of taking them together."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.periods import Period
from rewards.conditions import (
    CONDITIONS,
    AllOf,
    AnyOf,
    Condition,
    KpiAtLeast,
    KpiAtMost,
    KpiIsGreen,
    PartnerIn,
    Verdict,
    condition_to_plain,
    read_condition,
)
from rewards.evidence import Evidence
from rewards.reading import Given, read_yaml, write_yaml

QUARTER = Period.parse("2026Q2")
AIM = Target("otif", Fraction(19, 20), n_min=5, coverage_min=Fraction(4, 5), stale_after_days=7)
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


def evidence(*figures: Figure, groups: frozenset[str] = frozenset()) -> Evidence:
    """The evidence of a closed quarter."""
    return Evidence.of(
        Scorecard(QUARTER, "R-1", {figure.kpi: figure for figure in figures}, groups)
    )


AS_OF = datetime(2026, 7, 3, 8, tzinfo=UTC)
WHY_UNKNOWN = [
    (Figure("otif", None, state=State.NO_DATA, target=AIM), "no data"),
    (
        Figure("otif", Fraction(1), 3, 3, 3, state=State.NO_DATA, target=AIM),
        "too small a sample, 3 of at least 5",
    ),
    (
        Figure("otif", Fraction(1), 9, 9, 9, Fraction(3, 5), state=State.NO_DATA, target=AIM),
        "coverage 60% below 80%",
    ),
    (
        Figure("otif", Fraction(1), 9, 9, 9, Fraction(79_999, 100_000), target=AIM),
        "coverage 79.999% below 80%",
    ),
    (
        Figure("otif", Fraction(1), 9, 9, 9, state=State.STALE, target=AIM, as_of=AS_OF),
        "stale as of 3 July 2026, its source wasn't refreshed for more than 7 days",
    ),
    (Figure("otif", Fraction(1), 9, 9, 9), "no target holds for it"),
]


@pytest.mark.parametrize(("figure", "reason"), WHY_UNKNOWN)
def test_what_cannot_be_judged_says_why(figure: Figure, reason: str) -> None:
    finding = KpiIsGreen("otif").examine(evidence(figure))
    assert finding.verdict is UNKNOWN
    assert finding.sentence.en == f"OTIF can't be judged: {reason}."
    assert "\u202f: " in finding.sentence.fr


def test_a_kpi_never_measured_is_unknown_rather_than_zero() -> None:
    for condition in (
        KpiIsGreen("otif"),
        KpiAtLeast("otif", Fraction(0)),
        KpiAtMost("dispute_rate", Fraction(1)),
    ):
        assert condition.examine(evidence()).verdict is UNKNOWN


@pytest.mark.parametrize(
    ("condition", "value", "verdict"),
    [
        (KpiAtLeast("pnps", Fraction(45)), Fraction(45), MET),
        (KpiAtLeast("pnps", Fraction(45)), Fraction(75, 2), NOT_MET),
        (KpiAtLeast("pnps", Fraction(0)), Fraction(0), MET),
        (KpiAtLeast("pnps", Fraction(0)), Fraction(-1, 10**9), NOT_MET),
        (KpiAtMost("first_response", Fraction(60)), Fraction(60), MET),
        (KpiAtMost("first_response", Fraction(60)), Fraction(1122, 10), NOT_MET),
        (KpiAtMost("first_response", Fraction(60)), Fraction(0), MET),
        (KpiAtLeast("pnps", Fraction(45), n_min=9), Fraction(50), UNKNOWN),
    ],
)
def test_a_threshold_of_the_rule_is_compared_exactly(
    condition: Condition, value: Fraction, verdict: Verdict
) -> None:
    figure = Figure(condition.kpi, value, n=8)  # type: ignore[attr-defined]
    assert condition.examine(evidence(figure)).verdict is verdict


def test_too_much_of_what_should_be_little_is_told_as_too_much() -> None:
    figure = Figure("dispute_rate", Fraction(17, 560), 17, 560, 560)
    sentence = KpiAtMost("dispute_rate", Fraction(1, 40)).examine(evidence(figure)).sentence
    assert sentence.en.endswith(
        "3.04% (at most 2.5%, 560 invoice lines): 0.54 pt over, "
        "3 fewer invoice lines would have kept to it."
    )
    assert sentence.fr.endswith("0,54 pt de trop, il aurait suffi de 3 lignes de facture de moins.")


def test_a_sum_of_quantities_is_not_told_as_things() -> None:
    figure = Figure("otif_case", Fraction(198, 275), 198_000_000, 275_000_000, n=7)
    sentence = KpiAtLeast("otif_case", Fraction(4, 5)).examine(evidence(figure)).sentence
    assert sentence.en.endswith("72.00% (at least 80%, 7 lines): 8 pt short.")


@given(st.fractions(0, 1, max_denominator=10**9), st.fractions(0, 1, max_denominator=10**9))
def test_a_miss_never_reads_like_its_target(value: Fraction, threshold: Fraction) -> None:
    condition = KpiAtLeast("otif", threshold)
    finding = condition.examine(evidence(Figure("otif", value, n=1)))
    printed, target = finding.sentence.en.removeprefix("OTIF ").split(" (at least ")
    if finding.verdict is NOT_MET:
        shown, aim = (float(text.split("%")[0]) for text in (printed, target))
        assert shown < aim
        assert ": 0 pt" not in finding.sentence.en


def test_belonging_to_a_group_is_met_or_not_met() -> None:
    gold = evidence(groups=frozenset({"tier:gold"}))
    assert PartnerIn("tier:gold").examine(gold).verdict is MET
    assert PartnerIn("tier:silver").examine(gold).verdict is NOT_MET


def test_alternatives_are_told_by_those_that_settled_them() -> None:
    condition = AnyOf((KpiIsGreen("otif"), PartnerIn("tier:gold")))
    finding = condition.examine(evidence(groups=frozenset({"tier:gold"})))
    assert finding.verdict is MET
    assert finding.sentence.en == "Belongs to tier:gold."
    assert [leaf.verdict for leaf in finding.leaves()] == [UNKNOWN, MET]


def test_a_finding_is_stored_with_exact_figures() -> None:
    figure = Figure("otif", Fraction(0), 0, 20, 20, state=State.RED, target=AIM)
    plain = AllOf((KpiIsGreen("otif"),)).examine(evidence(figure)).to_plain()
    (part,) = plain["parts"]
    assert (part["kpi"], part["value"], part["hits"], part["of"]) == ("otif", "0", 0, 20)
    assert (part["verdict"], part["bound"]) == ("not_met", "19/20")


def verdicts() -> st.SearchStrategy[Condition]:
    """Conditions that come out met, not met and unknown on the scorecard SETTLED."""
    return st.sampled_from([PartnerIn("tier:gold"), PartnerIn("tier:none"), KpiIsGreen("otif")])


SETTLED = evidence(groups=frozenset({"tier:gold"}))
SEVERAL = st.lists(verdicts(), min_size=1, max_size=5).map(tuple)
NEGATED = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}
OPPOSITE = {PartnerIn("tier:gold"): PartnerIn("tier:none"), KpiIsGreen("otif"): KpiIsGreen("otif")}
OPPOSITE |= {PartnerIn("tier:none"): PartnerIn("tier:gold")}


@given(SEVERAL, st.randoms())
def test_neither_order_nor_nesting_nor_repetition_matters(
    conditions: tuple[Condition, ...], chance: object
) -> None:
    for several in (AllOf, AnyOf):
        verdict = several(conditions).examine(SETTLED).verdict
        mixed = list(conditions)
        chance.shuffle(mixed)  # type: ignore[attr-defined]
        nested = several((several(conditions[:1]), *conditions))
        assert several(tuple(mixed)).examine(SETTLED).verdict is verdict
        assert nested.examine(SETTLED).verdict is verdict


@given(SEVERAL)
def test_any_of_is_all_of_seen_from_the_other_side(conditions: tuple[Condition, ...]) -> None:
    opposites = tuple(OPPOSITE[condition] for condition in conditions)
    verdict = AnyOf(conditions).examine(SETTLED).verdict
    assert AllOf(opposites).examine(SETTLED).verdict is NEGATED[verdict]


def shares() -> st.SearchStrategy[Fraction]:
    return st.fractions(0, 1, max_denominator=10**9)


def singles() -> st.SearchStrategy[Condition]:
    n_min = st.integers(1, 1000)
    return st.one_of(
        st.builds(KpiIsGreen, st.sampled_from(["otif", "pnps", "first_response"])),
        st.builds(KpiAtLeast, st.just("otif"), shares(), n_min, shares()),
        st.builds(
            KpiAtMost,
            st.just("first_response"),
            st.fractions(0, 10_000, max_denominator=10**9),
            n_min,
            shares(),
        ),
        st.builds(KpiAtLeast, st.just("pnps"), st.decimals(-100, 100, places=2).map(Fraction)),
        st.builds(PartnerIn, st.sampled_from(["tier:gold", "region:Île-de-France"])),
    )


def conditions() -> st.SearchStrategy[Condition]:
    return st.recursive(
        singles(),
        lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda several: st.sampled_from([AllOf(tuple(several)), AnyOf(tuple(several))])
        ),
        max_leaves=6,
    )


@given(conditions())
def test_a_condition_reads_back_as_it_was_written(condition: Condition) -> None:
    plain = condition_to_plain(condition)
    assert read_condition(Given.of(plain, "stored")) == condition
    assert read_condition(read_yaml(write_yaml(plain), "file")) == condition


def test_every_condition_has_a_name_of_its_own() -> None:
    assert {kind.name for kind in CONDITIONS.values()} == set(CONDITIONS)
