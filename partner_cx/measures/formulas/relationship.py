"""The relationship: who was there, who joined and stayed, who brings others, how fast a quote is.

A partner belongs to the network from `joined_on` (NaT: always has) to `left_on`, the first day out
(NaT: still does). Membership isn't tallied: it is read off the partners' own dates, per period.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, instants, spread, whole
from partner_cx.periods import Period

CONTRACT_DAYS_MIN = 30


def counts(referrals: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Count `referrals` per partner and day. Frame: partner_id, on."""
    made = referrals[days(referrals["on"]) <= as_day(as_of_day)]
    return count("referrals", made, day="on", hits=1)


def spreads(quotes: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Spread the seconds from request to quote, around the clock, on the day of the quote.

    quotes: partner_id, requested_at, requested_on, quoted_at (NaT while it waits), quoted_on. A
        quote dated before its request took no time.
    """
    quoted = quotes[instants(quotes["quoted_at"]) <= as_of]
    quoted = quoted[instants(quoted["requested_at"]).notna()]
    took = instants(quoted["quoted_at"]) - instants(quoted["requested_at"])
    seconds = np.maximum(whole(took.dt.as_unit("us")) // 1_000_000, 0)
    return spread("time_to_quote", quoted, day="quoted_on", value=seconds)


def standing(partners: pd.DataFrame, period: Period, *, as_of_day: date) -> pd.DataFrame:
    """Say how each partner stands in a period, as known on a day.

    partners: id, joined_on, left_on. Dates after `as_of_day` haven't come yet.
    Returns, indexed by partner id: `at_start` (there before the first day), `stayed` (one of
    those, still there at the end, or now), `at_end` (there at the end, or now) and `eligible`
    (under contract for 30 days of the period; for all of it if it is shorter). Nobody stands
    anywhere in a period that hasn't begun.

    (E − N)/S counts those that stayed: whoever joined and left within the period was neither in
    S nor in E, and N are the newcomers still there at the end.
    """
    begun = period.first_day <= as_of_day
    end_day = min(period.end_day, as_of_day + timedelta(days=1))
    at_start = _there_before(partners, period.first_day) & begun
    at_end = _there_before(partners, end_day) & begun
    enough = min(CONTRACT_DAYS_MIN, (period.end_day - period.first_day).days)
    stand = pd.DataFrame(
        {
            "at_start": at_start,
            "stayed": at_start & at_end,
            "at_end": at_end,
            "eligible": (contract_days(partners, period, as_of_day=as_of_day) >= enough) & begun,
        }
    )
    return stand.set_axis(pd.Index(partners["id"].astype("int64"), name="partner_id"))


def contract_days(partners: pd.DataFrame, period: Period, *, as_of_day: date) -> pd.Series:
    """How many days of the period each partner is under contract: from joining until leaving.

    The day on which a partner leaves is the first without it, as everywhere.

    A running period counts to its end, unless the partner has left; one that hasn't joined yet
    has none.
    """
    today, first = as_day(as_of_day), as_day(period.first_day)
    joined, left = days(partners["joined_on"]), days(partners["left_on"])
    begins = joined.where(joined > first, first)
    after = as_day(period.end_day)
    ends = left.where((left < after) & (left <= today), after)
    length = (ends - begins).dt.days.clip(lower=0)
    return length.where(~(joined > today), 0).astype("int64")


def _there_before(partners: pd.DataFrame, day: date) -> pd.Series:
    joined, left = days(partners["joined_on"]), days(partners["left_on"])
    return ~(joined >= as_day(day)) & ~(left < as_day(day))
