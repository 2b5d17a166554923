"""The quarter's bonus, as tables a channel manager can read.

Each line of a table is one partner's quarter: what was measured, against which target, and what
the rule says to it. Percentages are exact: 95 is 95 %, not nearly.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from partner_cx.errors import Conflict
from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.periods import Period
from rewards.budgets.risk import Chance, add_up
from rewards.conditions import Finding, KpiIsGreen, Verdict, all_met, any_met
from rewards.evidence import Evidence
from rewards.ledger.lots import Lot, take
from rewards.restatements import reconsider
from rewards.rules import Decision, Rule, decide

TEMPLATE = Path(__file__).parents[2] / "templates/rules/network_quality_bonus.yaml"
QUARTER = Period.parse("2026Q2")
MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN


def figure(kpi: str, value: str, target: str, n: int, minimum: int = 1) -> Figure:
    """A share as the tables write it: `96.4` against `95`, measured on n."""
    share, aim = Fraction(value) / 100, Fraction(target) / 100
    state = State.GREEN if share >= aim else State.RED
    return Figure(
        kpi, share, n=n, state=state if n >= minimum else State.NO_DATA,
        target=Target(kpi, aim, n_min=minimum),
    )  # fmt: skip


def counted(kpi: str, hits: int, of: int, target: str) -> Figure:
    aim = Fraction(target) / 100
    if not of:
        return Figure(kpi, None, 0, 0, state=State.NO_DATA, target=Target(kpi, aim))
    state = State.GREEN if Fraction(hits, of) >= aim else State.RED
    return Figure(kpi, Fraction(hits, of), hits, of, of, state=state, target=Target(kpi, aim))


def quarter_of(*figures: Figure) -> Evidence:
    return Evidence.of(Scorecard(QUARTER, "R-1", {figure.kpi: figure for figure in figures}))


def bonus() -> Rule:
    return Rule.from_yaml(TEMPLATE.read_text(encoding="utf-8"), TEMPLATE.name)


def decided(otif: str, adoption: tuple[str, int]) -> Decision:
    value, n = adoption
    return decide(
        bonus(),
        quarter_of(
            figure("otif", otif, "95", 412),
            figure("sla_response", "93.1", "90", 58),
            figure("portal_adoption", value, "60", n, minimum=5),
        ),
    )


# The gate: OTIF against 95 % on 412 lines, SLA 93.1 % against 90 %, adoption against 60 % on at
# least 5 accounts.
GATE = [
    # OTIF    adoption, accounts   outcome  points  what blocks
    ("96.4", ("66.67", 6), MET, 500, ()),
    ("96.4", ("66.67", 3), UNKNOWN, 0, ("portal_adoption",)),
    ("94.8", ("66.67", 6), NOT_MET, 0, ("otif",)),
    ("94.8", ("66.67", 3), NOT_MET, 0, ("otif",)),  # a miss settles it, whatever is unknown
    ("94.8", ("59.99", 6), NOT_MET, 0, ("otif", "portal_adoption")),
    ("95", ("60", 5), MET, 500, ()),  # thresholds hit exactly
    ("0", ("66.67", 6), NOT_MET, 0, ("otif",)),  # zero is a figure, and a miss
    ("96.4", ("0", 6), NOT_MET, 0, ("portal_adoption",)),
]


@pytest.mark.parametrize(("otif", "adoption", "outcome", "points", "blocking"), GATE)
def test_the_gate_pays_when_everything_is_green_and_names_what_blocks(
    otif: str, adoption: tuple[str, int], outcome: Verdict, points: int, blocking: tuple[str, ...]
) -> None:
    decision = decided(otif, adoption)
    assert (decision.verdict, decision.points) == (outcome, points)
    if decision.verdict is not MET:
        assert tuple(reason.kpi for reason in decision.reasons) == blocking


def test_no_bonus_with_too_few_accounts_and_the_reason_names_adoption() -> None:
    sentence = decided("96.4", ("66.67", 3)).sentence
    assert sentence.en == (
        "Network quality bonus, Q2 2026: left open. "
        "Portal adoption can't be judged: too small a sample, 3 of at least 5."
    )
    assert sentence.fr.startswith("Prime qualité du réseau, T2 2026\u202f: en suspens. ")
    assert sentence.fr.endswith("sans verdict\u202f: échantillon trop petit, 3 sur au moins 5.")


def test_restated_to_red_a_compensation_is_proposed_and_the_original_stays() -> None:
    then = decided("96.4", ("66.67", 6))
    now = decided("94.8", ("66.67", 6))
    proposal = reconsider(then, now)
    assert proposal is not None
    assert proposal.points == -500
    assert (then.verdict, then.points) == (MET, 500)
    assert proposal.sentence.en == (
        "Network quality bonus, Q2 2026: 500 points proposed to be taken back. "
        "Known then: OTIF 96.40%. "
        "Known now: OTIF 94.80% (target 95%, 412 lines): 0.2 pt short. "
        "The original entry stays."
    )


# What is measured      hits   of  target   finding
EXACTLY = [
    ("otif", 19, 20, "95", MET),  # exactly 95 %
    ("otif", 57, 60, "95", MET),  # months 18/20, 20/20, 19/20: exactly 95 %
    ("otif", 18, 20, "95", NOT_MET),
    ("otif", 94_996, 100_000, "95", NOT_MET),
    ("otif", 2, 3, "66.67", NOT_MET),  # two thirds are less than 66.67 %
    ("otif", 0, 20, "95", NOT_MET),
    ("otif", 0, 20, "0", MET),  # zero reaches zero
    ("otif", 0, 0, "95", UNKNOWN),  # nothing due is neither good nor bad
    ("otif", 0, 0, "0", UNKNOWN),
]


@pytest.mark.parametrize(("kpi", "hits", "of", "target", "verdict"), EXACTLY)
def test_targets_are_compared_exactly(
    kpi: str, hits: int, of: int, target: str, verdict: Verdict
) -> None:
    assert finding_on(counted(kpi, hits, of, target)).verdict is verdict


# hits      of  what the statement says, in English and in French
TOLD = [
    (
        389,
        412,
        (
            "OTIF 94.42% (target 95%, 412 lines): 0.58 pt short, "
            "3 more lines on time would have reached it."
        ),
        (
            "OTIF 94,42 % (objectif 95 %, 412 lignes) : il manque 0,58 pt, "
            "il aurait suffi de 3 lignes de plus."
        ),
    ),
    (
        391,  # 391.4 would do, so one more
        412,
        (
            "OTIF 94.90% (target 95%, 412 lines): 0.1 pt short, "
            "1 more line on time would have reached it."
        ),
        (
            "OTIF 94,90 % (objectif 95 %, 412 lignes) : il manque 0,1 pt, "
            "il aurait suffi de 1 ligne de plus."
        ),
    ),
    (
        94_996,  # never rounded up to its target
        100_000,
        (
            "OTIF 94.996% (target 95%, 100,000 lines): 0.004 pt short, "
            "4 more lines on time would have reached it."
        ),
        (
            "OTIF 94,996 % (objectif 95 %, 100 000 lignes) : il manque 0,004 pt, "
            "il aurait suffi de 4 lignes de plus."
        ),
    ),
    (
        0,
        1,
        "OTIF 0.00% (target 95%, 1 line): 95 pt short, 1 more line on time would have reached it.",
        (
            "OTIF 0,00 % (objectif 95 %, 1 ligne) : il manque 95 pt, "
            "il aurait suffi de 1 ligne de plus."
        ),
    ),
    (
        19,
        20,
        "OTIF 95.00% (target 95%, 20 lines): reached.",
        "OTIF 95,00 % (objectif 95 %, 20 lignes) : c’est atteint.",
    ),
    (
        0,
        0,
        "OTIF can't be judged: no data.",
        "OTIF sans verdict : aucune donnée.",
    ),
]


@pytest.mark.parametrize(("hits", "of", "english", "french"), TOLD)
def test_every_finding_is_told_with_its_figures(
    hits: int, of: int, english: str, french: str
) -> None:
    sentence = finding_on(counted("otif", hits, of, "95")).sentence
    assert sentence.en == english
    assert sentence.fr.replace("\u202f", " ") == french
    for sign in "%:":
        assert f" {sign}" not in sentence.fr  # only unbreakable spaces before them


def finding_on(measured: Figure) -> Finding:
    return KpiIsGreen(measured.kpi).examine(quarter_of(measured))


# one      other    both are asked  one is enough
LOGIC = [
    (MET, MET, MET, MET),
    (MET, UNKNOWN, UNKNOWN, MET),
    (MET, NOT_MET, NOT_MET, MET),
    (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    (UNKNOWN, NOT_MET, NOT_MET, UNKNOWN),
    (NOT_MET, NOT_MET, NOT_MET, NOT_MET),
]


@pytest.mark.parametrize(("one", "other", "both", "either"), LOGIC)
def test_what_is_unknown_stays_unknown_unless_the_rest_settles_it(
    one: Verdict, other: Verdict, both: Verdict, either: Verdict
) -> None:
    assert all_met((one, other)) is all_met((other, one)) is both
    assert any_met((one, other)) is any_met((other, one)) is either


# What expires first isn't what was earned first.
NEVER = Lot(1, 500, earned_on=date(2025, 7, 15))
DECEMBER = Lot(2, 300, earned_on=date(2025, 10, 15), expires_on=date(2026, 12, 31))
SEPTEMBER = Lot(3, 200, earned_on=date(2026, 1, 15), expires_on=date(2026, 9, 30))

# redeemed  what is taken from which lot                             left
REDEEMED = [
    (350, [(SEPTEMBER, 200), (DECEMBER, 150)], 650),
    (200, [(SEPTEMBER, 200)], 800),
    (1, [(SEPTEMBER, 1)], 999),
    (501, [(SEPTEMBER, 200), (DECEMBER, 300), (NEVER, 1)], 499),
    (1000, [(SEPTEMBER, 200), (DECEMBER, 300), (NEVER, 500)], 0),
]


@pytest.mark.parametrize(("points", "taken", "left"), REDEEMED)
def test_points_that_expire_first_are_spent_first(
    points: int, taken: list[tuple[Lot, int]], left: int
) -> None:
    taking = take([DECEMBER, SEPTEMBER, NEVER], points)
    assert (list(taking.taken), taking.left) == (taken, left)


def test_more_than_there_is_is_refused_whole() -> None:
    with pytest.raises(Conflict, match="1,001 points are asked for and 1,000 are there"):
        take([DECEMBER, SEPTEMBER, NEVER], 1001)


def test_the_budget_at_risk() -> None:
    chances = ((".9", 500), (".6", 500), (".5", 1000), (".2", 2000))
    risk = add_up(Chance(Fraction(p), points) for p, points in chances)
    assert risk.expected == 1650
    assert risk.enough_with(Fraction(95, 100)) == 4000
    assert risk.chance_above(2500) == Fraction("0.1540")
