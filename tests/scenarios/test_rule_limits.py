"""Limits and cool-downs: what is left of an award, beside what was won before.

Every row is about a rule on accepted reports that gives 500 points each.
"""

from __future__ import annotations

from datetime import date

import pytest

from rewards.conditions import Verdict
from rewards.rules.limits import Won, applied, left_of
from tests.harness.situations import a_rule, decided, known, situations

MONTH_TWICE = "[{per: month, times: 2}]"
QUARTER_2000 = "[{per: quarter, points: 2000}]"
YEAR_2000 = "[{per: year, points: 2000}]"
BOTH = "[{per: year, points: 2000}, {per: month, times: 2}]"
TOGETHER = "[{per: year, points: 2000, times: 3}]"

# What was won before is written as it happened: day and points.
# situation                                     limits     before             day      points
LIMITS = [
    ("nothing won before", YEAR_2000, {}, "2026-05-18", 500),
    ("room for one more", YEAR_2000, {"2026-01-03": 1500}, "2026-05-18", 500),
    ("room for a part of it", YEAR_2000, {"2026-01-03": 1800}, "2026-05-18", 200),
    ("one point of room", YEAR_2000, {"2026-01-03": 1999}, "2026-05-18", 1),
    ("no room left", YEAR_2000, {"2026-01-03": 2000}, "2026-05-18", 0),
    ("more than the limit, from before it was set", YEAR_2000, {"2026-01-03": 9000},
     "2026-05-18", 0),
    ("several add up", YEAR_2000, {"2026-01-03": 900, "2026-04-30": 800}, "2026-05-18", 300),
    ("taken back makes room again", YEAR_2000, {"2026-01-03": 2000, "2026-04-30": -500},
     "2026-05-18", 500),
    ("an award larger than the limit", "[{per: year, points: 300}]", {}, "2026-05-18", 300),
    ("once this month", MONTH_TWICE, {"2026-05-02": 500}, "2026-05-18", 500),
    ("twice this month", MONTH_TWICE, {"2026-05-02": 500, "2026-05-03": 500}, "2026-05-18", 0),
    ("a cut award counts as once", MONTH_TWICE, {"2026-05-02": 1, "2026-05-03": 1},
     "2026-05-18", 0),
    ("an award that came to nothing doesn't count", MONTH_TWICE,
     {"2026-05-02": 0, "2026-05-03": 500}, "2026-05-18", 500),
    ("twice last month", MONTH_TWICE, {"2026-04-29": 500, "2026-04-30": 500}, "2026-05-01", 500),
    ("learned of late, within a full month", MONTH_TWICE,
     {"2026-05-20": 500, "2026-05-21": 500}, "2026-05-02", 0),
    ("the year's limit is tighter", BOTH, {"2026-01-03": 1900}, "2026-05-18", 100),
    ("the month's limit is tighter", BOTH, {"2026-05-02": 500, "2026-05-03": 500},
     "2026-05-18", 0),
    ("neither limit is reached", BOTH, {"2026-05-02": 500}, "2026-05-18", 500),
    ("one limit of both kinds, by its times", TOGETHER,
     {"2026-01-02": 1, "2026-01-03": 1, "2026-01-04": 1}, "2026-05-18", 0),
    ("one limit of both kinds, by its points", TOGETHER, {"2026-01-02": 1700}, "2026-05-18", 300),
]  # fmt: skip


def won(before: dict[str, int]) -> list[Won]:
    return [Won(date.fromisoformat(day), points) for day, points in before.items()]


@pytest.mark.parametrize(("limits", "before", "day", "points"), situations(LIMITS))
def test_a_limit_leaves_what_there_is_room_for(
    limits: str, before: dict[str, int], day: str, points: int
) -> None:
    rule = a_rule(on="report_accepted", conditions=None, limits=limits)
    decision = decided(rule, known(on=day), won(before))
    # A limit never makes a rule unmet: it pays less.
    assert (decision.verdict, decision.earned, decision.points) == (Verdict.MET, 500, points)
    assert (decision.limited is None) is (points == 500)


# Where a period begins and ends.
# situation                                     limits     before             day      points
EDGES = [
    ("the last day of the quarter counts", QUARTER_2000, {"2026-06-30": 2000}, "2026-06-30", 0),
    ("the next day is another quarter", QUARTER_2000, {"2026-06-30": 2000}, "2026-07-01", 500),
    ("the quarter's first day counts", QUARTER_2000, {"2026-04-01": 2000}, "2026-06-30", 0),
    ("the day before is another quarter", QUARTER_2000, {"2026-03-31": 2000}, "2026-04-01", 500),
    ("New Year's Eve counts", YEAR_2000, {"2026-01-01": 2000}, "2026-12-31", 0),
    ("a new year is a new limit", YEAR_2000, {"2026-12-31": 2000}, "2027-01-01", 500),
    ("a year isn't twelve months back", YEAR_2000, {"2025-12-31": 2000}, "2026-01-01", 500),
    ("29 February is of February", "[{per: month, points: 500}]", {"2028-02-29": 500},
     "2028-02-01", 0),
    ("1 March isn't", "[{per: month, points: 500}]", {"2028-02-29": 500}, "2028-03-01", 500),
    ("the month in which clocks change has all its days", "[{per: month, points: 500}]",
     {"2026-03-29": 500}, "2026-03-31", 0),
    ("and ends where it ends", "[{per: month, points: 500}]", {"2026-03-29": 500},
     "2026-04-01", 500),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "before", "day", "points"), situations(EDGES))
def test_a_limit_is_of_a_calendar_period(
    limits: str, before: dict[str, int], day: str, points: int
) -> None:
    rule = a_rule(on="report_accepted", conditions=None, limits=limits)
    assert decided(rule, known(on=day), won(before)).points == points


# A cool-down of thirty days.
# situation                                     before                    day            points
COOL_DOWNS = [
    ("the first one", {}, "2026-05-18", 500),
    ("the same day", {"2026-05-18": 500}, "2026-05-18", 0),
    ("the day after", {"2026-05-18": 500}, "2026-05-19", 0),
    ("29 days later", {"2026-05-18": 500}, "2026-06-16", 0),
    ("30 days later", {"2026-05-18": 500}, "2026-06-17", 500),
    ("only the last one counts", {"2026-01-02": 500, "2026-05-18": 500}, "2026-06-16", 0),
    ("long ago", {"2025-05-18": 500}, "2026-05-18", 500),
    ("what came to nothing cools nothing down", {"2026-05-18": 0}, "2026-05-19", 500),
    ("learned of late, 29 days before another", {"2026-06-16": 500}, "2026-05-18", 0),
    ("learned of late, 30 days before another", {"2026-06-17": 500}, "2026-05-18", 500),
    ("over a leap day", {"2028-02-28": 500}, "2028-03-28", 0),
    ("thirty days over a leap day", {"2028-02-28": 500}, "2028-03-29", 500),
    ("across the night in which clocks change", {"2026-03-01": 500}, "2026-03-30", 0),
    ("thirty days whatever the clocks", {"2026-03-01": 500}, "2026-03-31", 500),
    ("over New Year", {"2026-12-15": 500}, "2027-01-13", 0),
    ("thirty days over New Year", {"2026-12-15": 500}, "2027-01-14", 500),
]


@pytest.mark.parametrize(("before", "day", "points"), situations(COOL_DOWNS))
def test_a_cool_down_keeps_awards_apart(before: dict[str, int], day: str, points: int) -> None:
    rule = a_rule(on="report_accepted", conditions=None, cool_down_days="30")
    assert decided(rule, known(on=day), won(before)).points == points


# situation        limits  cool-down  before                             what is told
TOLD = [
    ("a part of it", YEAR_2000, "0", {"2026-01-03": 1800},
     ("The limit is 2,000 points in 2026, 1,800 won so far: 200 of 500 points are left. "
      "Possible again from 1 January 2027."),
     ("Le plafond est de 2 000 points en 2026, dont 1 800 déjà obtenus : il reste 200 sur 500 "
      "points. À nouveau possible à partir du 1er janvier 2027.")),
    ("nothing left", QUARTER_2000, "0", {"2026-04-03": 2000},
     ("The limit is 2,000 points in Q2 2026, 2,000 won so far: nothing is left of 500 points. "
      "Possible again from 1 July 2026."),
     ("Le plafond est de 2 000 points au T2 2026, dont 2 000 déjà obtenus : il ne reste rien sur "
      "500 points. À nouveau possible à partir du 1er juillet 2026.")),
    ("often enough", MONTH_TWICE, "0", {"2026-05-02": 1, "2026-05-03": 1},
     "Won twice in May 2026, which is the limit: possible again from 1 June 2026.",
     ("Obtenu 2 fois en mai 2026, ce qui est la limite : à nouveau possible à partir du 1er juin "
      "2026.")),
    ("too soon", "[{per: year, points: 9000}]", "30", {"2026-05-02": 500},
     ("Already won on 2 May 2026, and the next award comes 30 days later at the earliest: possible "
      "again from 1 June 2026."),
     ("Déjà obtenu le 2 mai 2026, et le gain suivant vient au plus tôt 30 jours après : à nouveau "
      "possible à partir du 1er juin 2026.")),
    ("of two that leave nothing, the one that lasts", BOTH, "0",
     {"2026-05-02": 1000, "2026-05-03": 1000},
     ("The limit is 2,000 points in 2026, 2,000 won so far: nothing is left of 500 points. "
      "Possible again from 1 January 2027."),
     ("Le plafond est de 2 000 points en 2026, dont 2 000 déjà obtenus : il ne reste rien sur 500 "
      "points. À nouveau possible à partir du 1er janvier 2027.")),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "cool_down", "before", "english", "french"), situations(TOLD))
def test_a_limit_is_told_with_when_it_is_possible_again(
    limits: str, cool_down: str, before: dict[str, int], english: str, french: str
) -> None:
    rule = a_rule(on="report_accepted", conditions=None, limits=limits, cool_down_days=cool_down)
    decision = decided(rule, known(on="2026-05-18"), won(before))
    assert decision.limited is not None
    assert decision.limited.en == english
    assert decision.limited.fr.replace("\u202f", " ") == french
    assert decision.sentence.en.endswith(english)


def test_what_was_promised_as_possible_again_is_possible() -> None:
    rule = a_rule(on="report_accepted", conditions=None, limits=BOTH, cool_down_days="30")
    assert decided(rule, known(on="2026-05-31"), won({"2026-05-02": 500})).points == 0
    assert decided(rule, known(on="2026-06-01"), won({"2026-05-02": 500})).points == 500


def test_no_limit_leaves_an_award_whole() -> None:
    before = won({"2026-05-18": 10_000_000})
    assert applied((), 0, date(2026, 5, 18), 500, before).points == 500
    assert left_of((), 0, date(2026, 5, 18), 500, before) == 500
