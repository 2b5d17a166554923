"""What an award comes to: fixed points, points per unit, steps; and what the rule says of it."""

from __future__ import annotations

import pytest

from partner_cx.measures.figures import Figure
from partner_cx.operations.event_kinds import EventKind
from rewards.conditions import Verdict
from rewards.evidence import Event
from tests.harness.situations import a_rule, decided, figure, known, situations

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
ALWAYS = "[{partner_in: tier:gold}]"  # a condition that everyone here meets


def otif(value: str | None, n: int = 412) -> Figure:
    return figure("otif", value, n)


def minutes(value: str) -> Figure:
    return figure("first_response", value, 9)


# --- Points per unit -----------------------------------------------------------------------------

PER_POINT = "{per_unit: {kpi: otif, above: 95 %, unit: 1 %, points: 100, cap: 400}}"
PER_HALF = "{per_unit: {kpi: otif, above: 95 %, unit: 0.5 %, points: 30}}"
PER_THIRD = "{per_unit: {kpi: otif, above: 0 %, unit: 1/3, points: 10}}"
PER_5_MINUTES = "{per_unit: {kpi: first_response, below: 60, unit: 5, points: 10, cap: 100}}"
PER_LOYALTY = "{per_unit: {kpi: pnps, above: -10, unit: 10, points: 50, cap: 1000}}"
OF_30_LINES = "{per_unit: {kpi: otif, above: 95 %, unit: 1 %, points: 100, n_min: 30}}"

# situation                                     award          measured         comes to   points
PER_UNIT = [
    ("two full points above", PER_POINT, otif("97.3 %"), MET, 200),
    ("exactly three points above", PER_POINT, otif("98 %"), MET, 300),
    ("a hair less than three points", PER_POINT, otif("97.99999 %"), MET, 200),
    ("one point to the hair", PER_POINT, otif("96 %"), MET, 100),
    ("less than one point earns nothing", PER_POINT, otif("95.99 %"), NOT_MET, 0),
    ("the threshold itself earns nothing", PER_POINT, otif("95 %"), NOT_MET, 0),
    ("below the threshold nothing is lost", PER_POINT, otif("12 %"), NOT_MET, 0),
    ("exactly at the cap", PER_POINT, otif("99 %"), MET, 400),
    ("beyond the cap nothing more", PER_POINT, otif("100 %"), MET, 400),
    ("without data nobody can tell how much", PER_POINT, otif(None), UNKNOWN, 0),
    ("half points count as units too", PER_HALF, otif("97.3 %"), MET, 120),
    ("without a cap all of it counts", PER_HALF, otif("100 %"), MET, 300),
    ("three thirds are a whole", PER_THIRD, otif("100 %"), MET, 30),
    ("18 minutes faster are three times five", PER_5_MINUTES, minutes("42"), MET, 30),
    ("exactly five minutes faster", PER_5_MINUTES, minutes("55"), MET, 10),
    ("slower earns nothing", PER_5_MINUTES, minutes("75"), NOT_MET, 0),
    ("answered at once, up to the cap", PER_5_MINUTES, minutes("0"), MET, 100),
    ("loyalty counts from below zero", PER_LOYALTY, figure("pnps", "37.5", 8), MET, 200),
    ("loyalty just above its start", PER_LOYALTY, figure("pnps", "-9", 8), NOT_MET, 0),
    ("enough lines to tell", OF_30_LINES, otif("97 %", 30), MET, 200),
    ("too few lines to tell", OF_30_LINES, otif("97 %", 29), UNKNOWN, 0),
    ("a stale figure earns nothing yet", PER_POINT, figure("otif", "99 %", stale=True), UNKNOWN,
     0),
]  # fmt: skip


@pytest.mark.parametrize(("award", "measured", "comes_to", "points"), situations(PER_UNIT))
def test_points_per_unit(award: str, measured: Figure, comes_to: Verdict, points: int) -> None:
    rule = a_rule(conditions=ALWAYS, award=award)
    decision = decided(rule, known(measured, groups=["tier:gold"]))
    assert (decision.verdict, decision.points) == (comes_to, points)


# --- Steps ---------------------------------------------------------------------------------------

STEPS = (
    "{tiers: {kpi: otif, steps: [{reaches: 95 %, points: 100}, {reaches: 97 %, points: 200}, "
    "{reaches: 99 %, points: 500}]}}"
)
STEPS_DOWN = (
    "{tiers: {kpi: first_response, n_min: 5, steps: [{reaches: 60, points: 10}, "
    "{reaches: 30, points: 50}]}}"
)

# situation                                     award       measured          comes to   points
TIERS = [
    ("the first step exactly", STEPS, otif("95 %"), MET, 100),
    ("between the first and the second", STEPS, otif("96.9999 %"), MET, 100),
    ("the second exactly", STEPS, otif("97 %"), MET, 200),
    ("the last", STEPS, otif("99 %"), MET, 500),
    ("beyond the last nothing more", STEPS, otif("100 %"), MET, 500),
    ("just under the first", STEPS, otif("94.9999 %"), NOT_MET, 0),
    ("without data nobody can tell which", STEPS, otif(None), UNKNOWN, 0),
    ("an hour to answer is the first step", STEPS_DOWN, minutes("60"), MET, 10),
    ("half an hour is the second", STEPS_DOWN, minutes("30"), MET, 50),
    ("just over half an hour", STEPS_DOWN, minutes("30.01"), MET, 10),
    ("over an hour", STEPS_DOWN, minutes("60.01"), NOT_MET, 0),
    ("four tickets are too few to tell", STEPS_DOWN, figure("first_response", "5", 4), UNKNOWN, 0),
]


@pytest.mark.parametrize(("award", "measured", "comes_to", "points"), situations(TIERS))
def test_steps(award: str, measured: Figure, comes_to: Verdict, points: int) -> None:
    rule = a_rule(conditions=ALWAYS, award=award)
    decision = decided(rule, known(measured, groups=["tier:gold"]))
    assert (decision.verdict, decision.points) == (comes_to, points)


# --- Conditions and award together ---------------------------------------------------------------

# situation                                             conditions  figure    comes to    points
TOGETHER = [
    ("unmet conditions settle it whatever it would earn", "tier:silver", "99 %", NOT_MET, 0),
    ("unmet conditions settle it whatever is unknown", "tier:silver", None, NOT_MET, 0),
    ("met conditions and an unknown award stay open", "tier:gold", None, UNKNOWN, 0),
    ("met conditions and nothing earned", "tier:gold", "90 %", NOT_MET, 0),
    ("met conditions and something earned", "tier:gold", "97 %", MET, 200),
]


@pytest.mark.parametrize(("group", "value", "comes_to", "points"), situations(TOGETHER))
def test_conditions_come_first(
    group: str, value: str | None, comes_to: Verdict, points: int
) -> None:
    rule = a_rule(conditions=f"[{{partner_in: {group}}}]", award=PER_POINT)
    decision = decided(rule, known(otif(value), groups=["tier:gold"]))
    assert (decision.verdict, decision.points) == (comes_to, points)


# --- Who gets it ---------------------------------------------------------------------------------

# situation                             to         who did it            comes to    points
RECIPIENTS = [
    ("the partner, whoever did it", "partner", "ann@partner.example", MET, 50),
    ("the partner, though nobody knows who did it", "partner", None, MET, 50),
    ("the person who did it", "person", "ann@partner.example", MET, 50),
    ("a person nobody knows: left open until one is told", "person", None, UNKNOWN, 0),
]


@pytest.mark.parametrize(("to", "person", "comes_to", "points"), situations(RECIPIENTS))
def test_an_award_goes_to_the_partner_or_to_a_person(
    to: str, person: str | None, comes_to: Verdict, points: int
) -> None:
    rule = a_rule(on="course_completed", conditions=None, award=f"{{points: 50, to: {to}}}")
    event = Event(EventKind.COURSE_COMPLETED, "safety-1", person)
    decision = decided(rule, known(on="2026-05-18", event=event))
    assert (decision.verdict, decision.points) == (comes_to, points)
    assert rule.award.to == to


# --- What the partner reads ----------------------------------------------------------------------

TOLD = [
    ("per unit", PER_POINT, otif("97.3 %"),
     ("200 points. Belongs to tier:gold. OTIF 97.30% (above 95%, 412 lines): 2 × 1 pt at 100 "
      "points, that is 200 points."),
     ("200 points. Fait partie de tier:gold. OTIF 97,30 % (au-dessus de 95 %, 412 lignes) : "
      "2 × 1 pt à 100 points, soit 200 points.")),
    ("capped", PER_POINT, otif("100 %"),
     ("400 points. Belongs to tier:gold. OTIF 100.00% (above 95%, 412 lines): 5 × 1 pt at 100 "
      "points, capped at 400 points."),
     ("400 points. Fait partie de tier:gold. OTIF 100,00 % (au-dessus de 95 %, 412 lignes) : "
      "5 × 1 pt à 100 points, plafonné à 400 points.")),
    ("not one unit", PER_5_MINUTES, minutes("55.1"),
     ("no points. First response time 55.10 min (below 60 min, 9 tickets): less than 5 min beyond "
      "it."),
     ("pas de points. Délai de première réponse 55,10 min (au-dessous de 60 min, 9 tickets) : "
      "moins de 5 min au-delà.")),
    ("left open", PER_POINT, otif(None),
     "left open. OTIF can't be judged: no data.",
     "en suspens. OTIF sans verdict : aucune donnée."),
    ("a step, and the next one", STEPS, otif("95.5 %"),
     ("100 points. Belongs to tier:gold. OTIF 95.50% (step 95%, 412 lines): reached. Next: 200 "
      "points from 97%."),
     ("100 points. Fait partie de tier:gold. OTIF 95,50 % (palier 95 %, 412 lignes) : c’est "
      "atteint. Ensuite : 200 points dès 97 %.")),
    ("the last step", STEPS, otif("99.5 %"),
     "500 points. Belongs to tier:gold. OTIF 99.50% (step 99%, 412 lines): reached.",
     ("500 points. Fait partie de tier:gold. OTIF 99,50 % (palier 99 %, 412 lignes) : c’est "
      "atteint.")),
    ("no step", STEPS, otif("94.4 %"),
     "no points. OTIF 94.40% (step 95%, 412 lines): 0.6 pt short.",
     "pas de points. OTIF 94,40 % (palier 95 %, 412 lignes) : il manque 0,6 pt."),
]  # fmt: skip


@pytest.mark.parametrize(("award", "measured", "english", "french"), situations(TOLD))
def test_what_an_award_comes_to_is_told(
    award: str, measured: Figure, english: str, french: str
) -> None:
    rule = a_rule(conditions=ALWAYS, award=award)
    sentence = decided(rule, known(measured, groups=["tier:gold"])).sentence
    assert sentence.en == f"Bonus, Q2 2026: {english}"
    assert sentence.fr.replace("\u202f", " ") == f"Prime, T2 2026 : {french}"
    for sign in "%:":
        assert f" {sign}" not in sentence.fr  # only unbreakable spaces before them


# award                 what a rule's page says of it
OFFERED = [
    ("fixed", "{points: 500}", 500, "500 points", "500 points"),
    ("capped", PER_POINT, 400,
     "100 points for each 1 pt of OTIF above 95%, at most 400 points",
     "100 points par tranche de 1 pt (OTIF au-dessus de 95 %), 400 points au plus"),
    ("without a cap", PER_HALF, None,
     "30 points for each 0.5 pt of OTIF above 95%",
     "30 points par tranche de 0,5 pt (OTIF au-dessus de 95 %)"),
    ("the fewer the better", PER_5_MINUTES, 100,
     "10 points for each 5 min of First response time below 60 min, at most 100 points",
     ("10 points par tranche de 5 min (Délai de première réponse au-dessous de 60 min), 100 points "
      "au plus")),
    ("steps", STEPS, 500,
     "OTIF: 100 points from 95%, 200 points from 97%, 500 points from 99%",
     "OTIF : 100 points dès 95 %, 200 points dès 97 %, 500 points dès 99 %"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "most", "english", "french"), situations(OFFERED))
def test_what_a_rule_offers_is_told(
    written: str, most: int | None, english: str, french: str
) -> None:
    award = a_rule(award=written).award
    assert award.points_max == most
    assert award.told.en == english
    assert award.told.fr.replace("\u202f", " ") == french


def test_a_decision_is_told_shortly_alike_for_all_who_earn_the_same() -> None:
    rule = a_rule(conditions=ALWAYS, award=PER_POINT)
    one = decided(rule, known(otif("97.3 %"), groups=["tier:gold"]))
    other = decided(rule, known(otif("97.9 %", 20), groups=["tier:gold", "country:FR"]))
    assert one.sentence != other.sentence
    assert one.short_sentence == other.short_sentence
    assert one.short_sentence.en == "Bonus, Q2 2026: 200 points."
    assert one.short_sentence.fr == "Prime, T2 2026\u202f: 200 points."


def test_an_award_for_an_event_is_told_with_its_day() -> None:
    rule = a_rule(on="report_accepted", conditions=ALWAYS)
    told = decided(rule, known(on="2026-04-01", groups=["tier:gold"])).short_sentence
    assert told.en == "Bonus, report accepted on 1 April 2026: 500 points."
    assert told.fr == "Prime, rapport retenu le 1er avril 2026\u202f: 500 points."
