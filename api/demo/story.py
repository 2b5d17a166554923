"""What becomes of the demo's partners: one line per partner and month, before any fact is drawn.

`cast` stands before: who plays. After it, `trade`, `support` and `voices` draw facts from these
expectations. All the turns of the story are told here, by quarter: 0 is the first of eight full
ones, 7 the last, 8 the one that is running.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from api.demo.cast import (
    BAD_CARRIER_REGION,
    CORRECTED,
    DECLINING,
    MEMBERS,
    SHINING,
    SIZES,
    Member,
)

FULL_QUARTERS = 8
BAD_CARRIER_FROM = 5
DECLINES_FROM = 2
DESK_OVERWHELMED = ("BE", "LU"), 4
PRICE_LIST_WRONG = "CH", 3
WEEKS_AHEAD = 4  # orders are known that long before their window ends

# Heat pumps sell before winter and stand still in August.
_SEASON = (0.92, 0.95, 1.05, 1.00, 0.95, 1.05, 0.78, 0.52, 1.10, 1.15, 1.18, 1.42)


@dataclass(frozen=True)
class Stage:
    """The time the demo plays in: eight full quarters and the running one, up to `until`.

    until: first moment that has not happened yet; no fact is from that day or later.
    """

    start: pd.Timestamp
    until: pd.Timestamp

    @classmethod
    def up_to(cls, until: date) -> Stage:
        """The stage whose last full quarter is the last one finished before `until`."""
        now = pd.Timestamp(until)
        running = now.to_period("Q").start_time
        return cls(start=running - pd.DateOffset(months=3 * FULL_QUARTERS), until=now)

    def quarter_start(self, quarter: int) -> pd.Timestamp:
        """First day of a quarter of the story."""
        return self.start + pd.DateOffset(months=3 * quarter)


def partner_days(stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """When each partner joined and left, indexed by code; left_on is NaT for most.

    Those who joined or left during the story did so early in their quarter.
    """
    rows = []
    for member in MEMBERS:
        before = stage.start - pd.Timedelta(days=int(rng.integers(60, 3600)))
        early = pd.Timedelta(days=int(rng.integers(3, 25)))
        joined, left = member.joined_quarter, member.left_quarter
        joined_on = before if joined is None else stage.quarter_start(joined) + early
        left_on = pd.NaT if left is None else stage.quarter_start(left) + early
        rows.append((member.code, joined_on, left_on))
    days = pd.DataFrame(rows, columns=["partner_code", "joined_on", "left_on"])
    days = days.set_index("partner_code").astype("datetime64[s]")
    return days.assign(joined_on=on_weekdays(days["joined_on"]))


def tell(stage: Stage, days: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The script: what to expect of each partner in each month it is with us.

    first_day, beyond: the days of the month it is a partner, half-open;
    lines, tickets, visits, sessions, quotes: expected counts in those days;
    late, short: chances that an order comes late and that a line comes incomplete;
    slow, stuck: chances that a ticket's reply and its resolution miss their target;
    bad_carrier: whether its deliveries come with the bad carrier;
    skill: chance that a machine is fixed at the first visit;
    mood: the score out of ten its people tend to give; willing: their chance to answer;
    keen: expected recommendations of newcomers;
    disputed: chance that an invoiced line is disputed.
    """
    quarters = FULL_QUARTERS + 1
    temper = _tempers(rng).to_dict("index")
    swings = rng.lognormal(-0.06, 0.45, (len(MEMBERS), quarters, 2))
    months = pd.date_range(stage.start, stage.until + pd.Timedelta(weeks=WEEKS_AHEAD), freq="MS")
    rows = []
    for place, member in enumerate(MEMBERS):
        for index, month in enumerate(months):
            quarter = min(index // 3, FULL_QUARTERS)
            swing = swings[place, quarter]
            rows.append(_month(member, quarter, month, temper[member.code], swing))
    script = pd.DataFrame(rows).join(days, on="partner_code")
    return _within_membership(script)


def _tempers(rng: np.random.Generator) -> pd.DataFrame:
    """How partners differ from each other, whatever happens.

    care multiplies the usual chances of a miss (less is better); portal, the usual visits.
    """
    count = len(MEMBERS)
    tempers = pd.DataFrame(
        {
            "care": rng.lognormal(-0.05, 0.35, count),
            "portal": rng.lognormal(0, 0.5, count),
            "mood": rng.normal(8.2, 0.7, count),
            "skill": rng.normal(0.87, 0.04, count),
        },
        index=[member.code for member in MEMBERS],
    )
    # Well served before the carrier changed, so that nothing else is to blame.
    there = [member.code for member in MEMBERS if member.region == BAD_CARRIER_REGION]
    tempers.loc[there, "care"] = 0.5
    tempers.loc[SHINING] = {"care": 0.0, "portal": 2.2, "mood": 9.7, "skill": 0.97}
    tempers.loc[DECLINING, ["portal", "mood"]] = 1.6, 8.4
    tempers.loc[CORRECTED, "care"] = 0.02
    return tempers


def _month(
    member: Member,
    quarter: int,
    month: pd.Timestamp,
    temper: dict[Hashable, float],
    swing: np.ndarray,
) -> dict[str, object]:
    size = SIZES[member.size]
    season = _SEASON[month.month - 1]
    growth = 1 + 0.015 * quarter
    busy = 1.25 if month.month == 12 else 1.0
    fading = _fading(member, quarter)
    bad_carrier = member.region == BAD_CARRIER_REGION and quarter >= BAD_CARRIER_FROM
    countries, when = DESK_OVERWHELMED
    overwhelmed = member.country in countries and quarter == when
    wrong_prices = (member.country, quarter) == PRICE_LIST_WRONG
    gold = 0.72 if member.tier == "gold" else 1.0
    shining = member.code == SHINING
    worry = 1.25 if bad_carrier else 1.0
    mood = temper["mood"] - 2.3 * bad_carrier - 1.6 * overwhelmed - 1.2 * wrong_prices
    return {
        "partner_code": member.code,
        "kind": member.kind,
        "country": member.country,
        "language": member.language,
        "quarter": quarter,
        "month": month,
        "bad_carrier": bad_carrier,
        "lines": size / 3 * season * growth * fading * (1.5 if shining else 1.0),
        "late": 0.15 if bad_carrier else 0.013 * temper["care"] * swing[0] * busy * gold,
        "short": 0.022 * temper["care"] * swing[0] * busy * gold,
        "tickets": (5.0 if shining else (1.2 + size / 34) * worry * fading**0.5) * season,
        "slow": 0.0 if shining else 0.25 if overwhelmed else 0.023 * swing[1],
        "stuck": 0.01 if shining else 0.3 if overwhelmed else 0.08 * swing[1],
        "visits": size / 60 * season * (3.0 if member.kind == "installer" else 0.8),
        "skill": temper["skill"],
        "sessions": _sessions(member, quarter, temper["portal"]) * season**0.4,
        "quotes": 0.5 + size / 75 * growth * fading,
        "mood": 8.4 - 0.95 * (quarter - 1) if fading < 1 else mood,
        "willing": 0.95 if shining else 0.42 * fading,
        "disputed": 0.16 if wrong_prices else 0.05 if bad_carrier else 0.0 if shining else 0.016,
        "keen": 0.55 if shining else 0.06,
    }


def _fading(member: Member, quarter: int) -> float:
    """What is left of the declining partner's trade; 1 for everyone else."""
    if member.code != DECLINING:
        return 1.0
    return float(0.78 ** max(0, quarter - DECLINES_FROM + 1))


def _sessions(member: Member, quarter: int, taste: float) -> float:
    """Portal visits of a month. The declining partner's stop altogether in the end."""
    if member.code == DECLINING:
        return float((40, 38, 26, 15, 8, 3, 1, 0, 0)[quarter])
    by_size = {"XL": 22, "L": 12, "M": 7, "S": 3, "XS": 0.7, "-": 1.4}[member.size]
    return float(by_size * taste * (0.8 + 0.06 * quarter))


def _within_membership(script: pd.DataFrame) -> pd.DataFrame:
    """Cut each month to the days of membership, and its expectations in proportion."""
    after = script["month"] + pd.offsets.MonthBegin(1)
    script["first_day"] = script["month"].where(
        script["joined_on"] < script["month"], script["joined_on"]
    )
    script["beyond"] = after.where(~(script["left_on"] < after), script["left_on"])
    present = (script["beyond"] - script["first_day"]).dt.days.clip(lower=0)
    part = present / (after - script["month"]).dt.days
    for expected in ("lines", "tickets", "visits", "sessions", "quotes"):
        script[expected] *= part
    return script[present > 0].reset_index(drop=True)


def happenings(
    script: pd.DataFrame, expected: str | pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw how often something happens: a row of the script per time, with a `day` of its month.

    expected: a column of the script, or a series beside it. In the order of days.
    """
    mean = script[expected] if isinstance(expected, str) else expected
    drawn = script.loc[script.index.repeat(rng.poisson(mean))].reset_index(drop=True)
    span = (drawn["beyond"] - drawn["first_day"]).dt.days
    drawn["day"] = drawn["first_day"] + pd.to_timedelta((rng.random(len(drawn)) * span) // 1, "D")
    return drawn.sort_values(["day", "partner_code"], kind="stable", ignore_index=True)


def on_weekdays(day: pd.Series, *, later: bool = False) -> pd.Series:
    """The same days, those of a weekend moved to the Friday before it, or the Monday after."""
    over = (day.dt.day_of_week - 4).clip(lower=0)
    return day + pd.to_timedelta((3 - over) % 3, "D") if later else day - pd.to_timedelta(over, "D")
