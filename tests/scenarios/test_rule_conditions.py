"""Conditions as a channel manager reads them: what is asked, what is known, what it comes to.

Each row begins with its situation in a sentence. Met, not met, or unknown: nobody wins on what
isn't known, and nobody is blamed for it.
"""

from __future__ import annotations

import pytest

from partner_cx.measures.figures import Figure
from partner_cx.operations.event_kinds import EventKind
from rewards.conditions import Verdict
from rewards.evidence import Earlier, Event, EventsAsked, Evidence, Peers
from tests.harness.situations import (
    a_rule,
    condition,
    decided,
    figure,
    known,
    reports,
    situations,
)

MET, NOT_MET, UNKNOWN = Verdict.MET, Verdict.NOT_MET, Verdict.UNKNOWN
PREVIOUS, YEAR_BEFORE = Earlier.PREVIOUS, Earlier.YEAR_BEFORE


def verdict(asked: str, evidence: Evidence) -> Verdict:
    """What a condition comes to, examined and judged."""
    finding = condition(asked).examine(evidence)
    assert condition(asked).judge(evidence) is finding.verdict
    return finding.verdict


# --- A figure against the rule's own threshold ---------------------------------------------------

AT_LEAST_95 = "kpi_at_least: {kpi: otif, threshold: 95 %}"
AT_LEAST_95_OF_30 = "kpi_at_least: {kpi: otif, threshold: 95 %, n_min: 30}"
AT_LEAST_95_COVERED = "kpi_at_least: {kpi: otif, threshold: 95 %, coverage_min: 80 %}"
WITHIN_AN_HOUR = "kpi_at_most: {kpi: first_response, threshold: 60}"

# situation                                     asked             figure                  comes to
THRESHOLDS = [
    ("exactly what is asked is enough", AT_LEAST_95, figure("otif", "95 %"), MET),
    ("a hair less is not", AT_LEAST_95, figure("otif", "94.9999999 %"), NOT_MET),
    ("nothing at all is a figure, and a miss", AT_LEAST_95, figure("otif", "0 %"), NOT_MET),
    ("without data nobody can tell", AT_LEAST_95, figure("otif", None), UNKNOWN),
    ("the target doesn't matter to it", AT_LEAST_95, figure("otif", "96 %", target="99 %"), MET),
    ("a source that fell asleep says nothing", AT_LEAST_95,
     figure("otif", "99 %", target="90 %", stale=True), UNKNOWN),
    ("thirty lines are thirty", AT_LEAST_95_OF_30, figure("otif", "99 %", 30), MET),
    ("twenty-nine are too few to win", AT_LEAST_95_OF_30, figure("otif", "99 %", 29), UNKNOWN),
    ("and too few to lose", AT_LEAST_95_OF_30, figure("otif", "10 %", 29), UNKNOWN),
    ("four fifths covered are enough", AT_LEAST_95_COVERED,
     figure("otif", "99 %", coverage="80 %"), MET),
    ("a little less covered is not", AT_LEAST_95_COVERED,
     figure("otif", "99 %", coverage="79.99 %"), UNKNOWN),
    ("where nothing can be missing all is covered", AT_LEAST_95_COVERED,
     figure("otif", "99 %"), MET),
    ("an hour is at most an hour", WITHIN_AN_HOUR, figure("first_response", "60"), MET),
    ("a second more is more", WITHIN_AN_HOUR, figure("first_response", "60.0167"), NOT_MET),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "measured", "comes_to"), situations(THRESHOLDS))
def test_a_threshold_of_the_rule(asked: str, measured: Figure, comes_to: Verdict) -> None:
    assert verdict(asked, known(measured)) is comes_to


# --- Being sure of it: the interval's bounds -----------------------------------------------------

SURELY_94 = "kpi_at_least: {kpi: otif, threshold: 94 %, bound: lower}"
MAYBE_97 = "kpi_at_least: {kpi: otif, threshold: 97 %, bound: upper}"
SURELY_UNDER_3 = "kpi_at_most: {kpi: dispute_rate, threshold: 3 %, bound: upper}"
LOYAL = "kpi_at_least: {kpi: pnps, threshold: 25, bound: lower}"


def otif_between(low: float | None, high: float | None, n: int = 412) -> Figure:
    return figure("otif", "96.4 %", n, low=low, high=high)


# situation                                     asked             figure                  comes to
BOUNDS = [
    ("surely enough", SURELY_94, otif_between(0.9412, 0.978), MET),
    ("enough, but not surely so", SURELY_94, otif_between(0.9388, 0.979), NOT_MET),
    ("a bound exactly on the threshold is enough", SURELY_94, otif_between(0.94, 1), MET),
    ("without an interval nobody is sure", SURELY_94, otif_between(None, None), UNKNOWN),
    ("an interval of nothing is none", SURELY_94, otif_between(float("nan"), 1), UNKNOWN),
    ("it may still be as good as that", MAYBE_97, otif_between(0.94, 0.978), MET),
    ("it can't even be as good as that", MAYBE_97, otif_between(0.94, 0.969), NOT_MET),
    ("surely few disputes", SURELY_UNDER_3,
     figure("dispute_rate", "2 %", low=0.01, high=0.0299), MET),
    ("few disputes, but perhaps too many", SURELY_UNDER_3,
     figure("dispute_rate", "2 %", low=0.01, high=0.0301), NOT_MET),
    ("a hundred answers of whom 60 promote", LOYAL, figure("pnps", "45", low=29.34, high=58.04),
     MET),
    ("eight answers of whom 5 promote", LOYAL, figure("pnps", "37.5", 8, low=-22.11, high=76.66),
     NOT_MET),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "measured", "comes_to"), situations(BOUNDS))
def test_a_rule_that_wants_to_be_sure(asked: str, measured: Figure, comes_to: Verdict) -> None:
    assert verdict(asked, known(measured)) is comes_to


# --- Better than before --------------------------------------------------------------------------

BETTER = "kpi_improved: {kpi: otif, since: previous_period}"
BETTER_BY_2 = "kpi_improved: {kpi: otif, since: previous_period, by: 2 %}"
BETTER_OF_30 = "kpi_improved: {kpi: otif, since: previous_period, n_min: 30}"
FASTER = "kpi_improved: {kpi: first_response, since: previous_period}"
FASTER_BY_10 = "kpi_improved: {kpi: first_response, since: previous_period, by: 10}"
THAN_A_YEAR_AGO = "kpi_improved: {kpi: otif, since: year_before}"

OTIF_95, OTIF_96 = figure("otif", "95 %"), figure("otif", "96 %")

# situation                                     asked          before          now         comes to
IMPROVED = [
    ("better is better", BETTER, OTIF_95, OTIF_96, MET),
    ("as good as before is no progress", BETTER, OTIF_95, OTIF_95, NOT_MET),
    ("worse is no progress", BETTER, OTIF_96, OTIF_95, NOT_MET),
    ("two thirds are more than 66.66 %", BETTER, figure("otif", "66.66 %"),
     figure("otif", "66.6667 %"), MET),
    ("exactly two points are two points", BETTER_BY_2, figure("otif", "94 %"), OTIF_96, MET),
    ("a point and a half are not", BETTER_BY_2, figure("otif", "94.5 %"), OTIF_96, NOT_MET),
    ("from nothing to something", BETTER_BY_2, figure("otif", "0 %"), OTIF_96, MET),
    ("no figure before", BETTER, figure("otif", None), OTIF_96, UNKNOWN),
    ("no figure now", BETTER, OTIF_95, figure("otif", None), UNKNOWN),
    ("too few lines before", BETTER_OF_30, figure("otif", "90 %", 29), OTIF_96, UNKNOWN),
    ("too few lines now", BETTER_OF_30, OTIF_95, figure("otif", "96 %", 29), UNKNOWN),
    ("a stale figure before", BETTER, figure("otif", "90 %", stale=True), OTIF_96, UNKNOWN),
    ("fewer minutes are better", FASTER, figure("first_response", "60"),
     figure("first_response", "59.9"), MET),
    ("more minutes are worse", FASTER, figure("first_response", "60"),
     figure("first_response", "60.1"), NOT_MET),
    ("ten minutes faster", FASTER_BY_10, figure("first_response", "60"),
     figure("first_response", "50"), MET),
    ("nine minutes faster", FASTER_BY_10, figure("first_response", "60"),
     figure("first_response", "51"), NOT_MET),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "before", "now", "comes_to"), situations(IMPROVED))
def test_better_than_the_period_before(
    asked: str, before: Figure, now: Figure, comes_to: Verdict
) -> None:
    assert verdict(asked, known(now, earlier={PREVIOUS: before})) is comes_to


def test_a_year_ago_is_not_the_period_before() -> None:
    evidence = known(OTIF_96, earlier={PREVIOUS: OTIF_95})
    assert verdict(THAN_A_YEAR_AGO, evidence) is UNKNOWN
    evidence = known(OTIF_96, earlier={PREVIOUS: figure("otif", "99 %"), YEAR_BEFORE: OTIF_95})
    assert verdict(THAN_A_YEAR_AGO, evidence) is MET


# --- Better than the others ----------------------------------------------------------------------

BEATS_TIER = "kpi_beats: {kpi: otif, peers: tier}"
BEATS_BY_5 = "kpi_beats: {kpi: otif, peers: tier, by: 5 %}"
FEWER_DISPUTES = "kpi_beats: {kpi: dispute_rate, peers: tier}"

# situation                                     asked      the tier's  members  its own   comes to
BEATS = [
    ("better than its tier", BEATS_TIER, OTIF_95, 40, OTIF_96, MET),
    ("as good as its tier beats nobody", BEATS_TIER, OTIF_95, 40, OTIF_95, NOT_MET),
    ("worse than its tier", BEATS_TIER, OTIF_96, 40, OTIF_95, NOT_MET),
    ("five points better", BEATS_BY_5, figure("otif", "91 %"), 40, OTIF_96, MET),
    ("four points better", BEATS_BY_5, figure("otif", "92 %"), 40, OTIF_96, NOT_MET),
    ("five partners are a tier", BEATS_TIER, OTIF_95, 5, OTIF_96, MET),
    ("four would give a competitor away", BEATS_TIER, OTIF_95, 4, OTIF_96, UNKNOWN),
    ("a tier without figures", BEATS_TIER, figure("otif", None), 40, OTIF_96, UNKNOWN),
    ("no figures of its own", BEATS_TIER, OTIF_95, 40, figure("otif", None), UNKNOWN),
    ("fewer disputes than its tier", FEWER_DISPUTES, figure("dispute_rate", "3 %"), 40,
     figure("dispute_rate", "2 %"), MET),
    ("more disputes than its tier", FEWER_DISPUTES, figure("dispute_rate", "2 %"), 40,
     figure("dispute_rate", "3 %"), NOT_MET),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "theirs", "members", "own", "comes_to"), situations(BEATS))
def test_better_than_its_peers(
    asked: str, theirs: Figure, members: int, own: Figure, comes_to: Verdict
) -> None:
    assert verdict(asked, known(own, peers={Peers.TIER: (theirs, members)})) is comes_to


def test_who_belongs_to_no_tier_is_compared_with_nobody() -> None:
    assert verdict(BEATS_TIER, known(OTIF_96)) is UNKNOWN


# --- Several together ----------------------------------------------------------------------------

# met, not met, unknown: M, N, U. How many of the three are asked, and what it comes to.
AT_LEAST_OF = [
    ("two of three", 2, "MMN", MET),
    ("all three are more than two", 2, "MMM", MET),
    ("one of three is too few", 2, "MNN", NOT_MET),
    ("the third may yet come in", 2, "MNU", UNKNOWN),
    ("two are enough whatever the third", 2, "MMU", MET),
    ("both unknown ones may come in", 2, "NUU", UNKNOWN),
    ("one unknown can't make two", 2, "NNU", NOT_MET),
    ("any one of three", 1, "NNM", MET),
    ("any one may come in", 1, "NNU", UNKNOWN),
    ("none of three", 1, "NNN", NOT_MET),
    ("all of three", 3, "MMM", MET),
    ("all but one", 3, "MMN", NOT_MET),
    ("all but one unknown", 3, "MMU", UNKNOWN),
    ("an unmet one settles all", 3, "MNU", NOT_MET),
]
LETTERS = {
    "M": "{partner_in: tier:gold}",
    "N": "{partner_in: tier:silver}",
    "U": "{kpi_is_green: otif}",
}


@pytest.mark.parametrize(("count", "letters", "comes_to"), situations(AT_LEAST_OF))
def test_at_least_so_many_of_three(count: int, letters: str, comes_to: Verdict) -> None:
    asked = ", ".join(LETTERS[letter] for letter in letters)
    evidence = known(groups=["tier:gold"])
    assert verdict(f"at_least_of: {{count: {count}, of: [{asked}]}}", evidence) is comes_to


# --- How long it has been a partner --------------------------------------------------------------

# situation                                     months  since         the day       comes to
SENIORITY = [
    ("a year to the day", 12, "2025-06-30", "2026-06-30", MET),
    ("a day short of a year", 12, "2025-07-01", "2026-06-30", NOT_MET),
    ("nobody knows since when", 12, None, "2026-06-30", UNKNOWN),
    ("a month after 31 January is 28 February", 1, "2026-01-31", "2026-02-28", MET),
    ("and not the day before", 1, "2026-01-31", "2026-02-27", NOT_MET),
    ("in a leap year it is 29 February", 1, "2028-01-31", "2028-02-28", NOT_MET),
    ("29 February itself", 1, "2028-01-31", "2028-02-29", MET),
    ("a year after 29 February is 28 February", 12, "2028-02-29", "2029-02-28", MET),
    ("four years after 29 February is 29 February", 48, "2024-02-29", "2028-02-28", NOT_MET),
    ("three months across a new year", 3, "2025-11-30", "2026-02-28", MET),
    ("joined after the day", 1, "2026-07-15", "2026-06-30", NOT_MET),
]


@pytest.mark.parametrize(("months", "since", "day", "comes_to"), situations(SENIORITY))
def test_how_long_it_has_been_a_partner(
    months: int, since: str | None, day: str, comes_to: Verdict
) -> None:
    evidence = known(joined=since, on=day)
    assert verdict(f"partner_for: {{months: {months}}}", evidence) is comes_to


# --- What it did ---------------------------------------------------------------------------------

THREE_REPORTS = "events_at_least: {event: report_accepted, count: 3}"
THREE_IN_30_DAYS = "events_at_least: {event: report_accepted, count: 3, days: 30}"

# situation                                     asked             known          comes to
EVENTS = [
    ("three reports are three", THREE_REPORTS, reports(3), MET),
    ("two are not", THREE_REPORTS, reports(2), NOT_MET),
    ("none at all, where others had some", THREE_REPORTS, reports(0), NOT_MET),
    ("never told of any report", THREE_REPORTS, reports(None), UNKNOWN),
    ("told of other things only", THREE_REPORTS, {}, UNKNOWN),
    ("three within thirty days", THREE_IN_30_DAYS, reports(3, days=30), MET),
    ("those of a quarter aren't those of thirty days", THREE_IN_30_DAYS, reports(3), UNKNOWN),
]


@pytest.mark.parametrize(("asked", "events", "comes_to"), situations(EVENTS))
def test_how_often_something_happened(
    asked: str, events: dict[EventsAsked, int | None], comes_to: Verdict
) -> None:
    assert verdict(asked, known(events=events)) is comes_to


# situation                                     the event is about   comes to
ABOUT = [
    ("one of the courses that count", "safety-1", MET),
    ("another of them", "safety-2", MET),
    ("a course that doesn't count", "cooking", NOT_MET),
    ("capitals make another code", "Safety-1", NOT_MET),
    ("nothing in particular", None, NOT_MET),
]


@pytest.mark.parametrize(("subject", "comes_to"), situations(ABOUT))
def test_what_an_event_is_about(subject: str | None, comes_to: Verdict) -> None:
    event = Event(EventKind.COURSE_COMPLETED, subject)
    assert verdict("event_about: [safety-1, safety-2]", known(event=event)) is comes_to


# --- What the partner reads ----------------------------------------------------------------------

COURSES = EventsAsked(EventKind.COURSE_COMPLETED, "safety-1", 30)
SAFETY_IN_30_DAYS = (
    "events_at_least: {event: course_completed, count: 2, about: safety-1, days: 30}"
)

TOLD = [
    ("surely", SURELY_94, known(otif_between(0.9412, 0.978)),
     "OTIF 96.40%, surely at least 94.12% (95% interval; at least 94%, 412 lines): reached.",
     ("OTIF 96,40 %, à coup sûr au moins 94,12 % (intervalle à 95 % ; au moins 94 %, 412 lignes) : "
      "c’est atteint.")),
    ("not surely", SURELY_94, known(otif_between(0.9388, 0.978)),
     "OTIF 96.40%, surely at least 93.88% (95% interval; at least 94%, 412 lines): 0.12 pt short.",
     ("OTIF 96,40 %, à coup sûr au moins 93,88 % (intervalle à 95 % ; au moins 94 %, 412 lignes) : "
      "il manque 0,12 pt.")),
    ("no interval", SURELY_94, known(otif_between(None, None)),
     "OTIF can't be judged: its interval isn't known.",
     "OTIF sans verdict : son intervalle n’est pas connu."),
    ("improved", BETTER, known(OTIF_96, earlier={PREVIOUS: OTIF_95}),
     "OTIF 96.00% (95.00% in Q1 2026, 100 lines): better by 1 pt.",
     "OTIF 96,00 % (95,00 % au T1 2026, 100 lignes) : mieux de 1 pt."),
    ("not improved enough", BETTER_BY_2, known(OTIF_96, earlier={PREVIOUS: OTIF_95}),
     "OTIF 96.00% (95.00% in Q1 2026, 100 lines): better by 1 pt, at least 2 pt better was asked.",
     ("OTIF 96,00 % (95,00 % au T1 2026, 100 lignes) : mieux de 1 pt, il fallait au moins 2 pt de "
      "mieux.")),
    ("nearly improved enough", BETTER_BY_2,
     known(OTIF_96, earlier={PREVIOUS: figure("otif", "94.0001 %")}),
     ("OTIF 96.00% (94.00% in Q1 2026, 100 lines): better by 1.9999 pt, at least 2 pt better was "
      "asked."),
     ("OTIF 96,00 % (94,00 % au T1 2026, 100 lignes) : mieux de 1,9999 pt, il fallait au moins "
      "2 pt de mieux.")),
    ("stood still", BETTER, known(OTIF_96, earlier={PREVIOUS: OTIF_96}),
     "OTIF 96.00% (96.00% in Q1 2026, 100 lines): the same, better was asked.",
     "OTIF 96,00 % (96,00 % au T1 2026, 100 lignes) : inchangé, il fallait mieux."),
    ("slower than a year ago", FASTER.replace("previous_period", "year_before"),
     known(figure("first_response", "61", 9), period="2026-05",
           earlier={YEAR_BEFORE: figure("first_response", "60")}),
     ("First response time 61.00 min (60.00 min in May 2025, 9 tickets): worse by 1 min, better "
      "was asked."),
     ("Délai de première réponse 61,00 min (60,00 min en mai 2025, 9 tickets) : moins bien de "
      "1 min, il fallait mieux.")),
    ("nothing to improve on", BETTER, known(OTIF_96, earlier={PREVIOUS: figure("otif", None)}),
     "OTIF can't be judged: in Q1 2026, no data.",
     "OTIF sans verdict : au T1 2026, aucune donnée."),
    ("the earlier period wasn't closed", BETTER, known(OTIF_96),
     "OTIF can't be judged: in Q1 2026, no figure was closed by then.",
     "OTIF sans verdict : au T1 2026, aucun chiffre clôturé à ce moment-là."),
    ("beats its tier", BEATS_TIER, known(OTIF_96, peers={Peers.TIER: (OTIF_95, 40)}),
     "OTIF 96.00% (95.00% for the 40 partners of its tier, 100 lines): better by 1 pt.",
     "OTIF 96,00 % (95,00 % pour les 40 partenaires du même niveau, 100 lignes) : mieux de 1 pt."),
    ("too small a tier", BEATS_TIER, known(OTIF_96, peers={Peers.TIER: (OTIF_95, 4)}),
     "OTIF can't be judged: only 4 partners of its tier to compare with, at least 5 are needed.",
     ("OTIF sans verdict : seulement 4 partenaires du même niveau à comparer, il en faut au moins "
      "5.")),
    ("in no tier", BEATS_TIER, known(OTIF_96),
     "OTIF can't be judged: there is no figure for the partners of its tier.",
     "OTIF sans verdict : aucun chiffre pour les partenaires du même niveau."),
    ("one of two", "at_least_of: {count: 2, of: [{partner_in: tier:gold}, {partner_in: tier:a}]}",
     known(groups=["tier:gold"]),
     "1 of 2 conditions met, at least 2 asked. Doesn't belong to tier:a.",
     "1 condition remplie sur 2, il en faut au moins 2. Ne fait pas partie de tier:a."),
    ("long enough", "partner_for: {months: 12}", known(joined="2025-04-01"),
     "Partner since 1 April 2025: at least 12 months.",
     "Partenaire depuis le 1er avril 2025 : au moins 12 mois."),
    ("not long enough", "partner_for: {months: 1}", known(joined="2026-06-30"),
     "Partner since 30 June 2026: 1 month to be reached on 30 July 2026.",
     "Partenaire depuis le 30 juin 2026 : 1 mois à atteindre le 30 juillet 2026."),
    ("since nobody knows when", "partner_for: {months: 1}", known(),
     "The day it joined the network isn't known.",
     "La date d’entrée dans le réseau n’est pas connue."),
    ("often enough", THREE_REPORTS, known(events=reports(1_200)),
     "1,200 reports accepted in Q2 2026 (at least 3): reached.",
     "1 200 rapports retenus au T2 2026 (au moins 3) : c’est atteint."),
    ("not often enough", SAFETY_IN_30_DAYS, known(events={COURSES: 1}),
     "1 course completed about “safety-1” within 30 days (at least 2): 1 short.",
     "1 formation achevée au sujet de « safety-1 » en 30 jours (au moins 2) : il en manque 1."),
    ("never told", THREE_REPORTS, known(),
     "The programme has never been told of any report accepted.",
     "Le programme n’a encore rien reçu de ce type : rapport retenu."),
    ("about the wrong thing", "event_about: [a, b, c, d]",
     known(event=Event(EventKind.PANEL_ATTENDED, "x")),
     "It is about “x”, not about “a”, “b”, “c” or 1 more.",
     "Porte sur « x », et non sur « a », « b », « c » ou 1 autre."),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "evidence", "english", "french"), situations(TOLD))
def test_every_finding_is_told_with_its_figures(
    asked: str, evidence: Evidence, english: str, french: str
) -> None:
    sentence = condition(asked).examine(evidence).sentence
    assert sentence.en == english
    assert sentence.fr.replace("\u202f", " ") == french
    for sign in "%:;»":
        assert f" {sign}" not in sentence.fr  # only unbreakable spaces before them


# --- The gate of the definitions -----------------------------------------------------------------

ALL_GREEN = "[{kpi_is_green: otif}, {kpi_is_green: sla_response}, {kpi_is_green: portal_adoption}]"
SLA = figure("sla_response", "93.1 %", 58, target="90 %")

# situation                             OTIF      adoption   accounts  comes to  points  blocks
GATE = [
    ("everything is green", "96.4 %", "66.67 %", 6, MET, 500, []),
    ("too few accounts to tell", "96.4 %", "66.67 %", 3, UNKNOWN, 0, ["portal_adoption"]),
    ("restated to red later", "94.8 %", "66.67 %", 6, NOT_MET, 0, ["otif"]),
    ("a miss settles it whatever is unknown", "94.8 %", "66.67 %", 3, NOT_MET, 0, ["otif"]),
    ("everything exactly on target", "95 %", "60 %", 5, MET, 500, []),
]


@pytest.mark.parametrize(
    ("otif", "adoption", "accounts", "comes_to", "points", "blocks"), situations(GATE)
)
def test_all_green_earns_the_bonus(
    otif: str, adoption: str, accounts: int, comes_to: Verdict, points: int, blocks: list[str]
) -> None:
    evidence = known(
        figure("otif", otif, 412, target="95 %"),
        SLA,
        figure("portal_adoption", adoption, accounts, target="60 %", n_min=5),
    )
    decision = decided(a_rule(conditions=ALL_GREEN), evidence)
    assert (decision.verdict, decision.points) == (comes_to, points)
    blocking = [] if comes_to is MET else [reason.kpi for reason in decision.reasons]
    assert blocking == blocks
