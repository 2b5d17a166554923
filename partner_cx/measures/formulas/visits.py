"""Visits: was it fixed the first time?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, whole

FOLLOW_UP_DAYS = 14


def counts(
    visits: pd.DataFrame, *, as_of_day: date, follow_up_days: int = FOLLOW_UP_DAYS
) -> pd.DataFrame:
    """Count `ftfr`: first visits that fixed it with no follow-up, out of all matured first visits.

    visits: id, partner_id, asset, visited_on, outcome. An asset's visits come together: assets
        are unique in the network, whichever partner visits them.
    Returns counts on the first visit's day, for the partner that made it.
    """
    cases = first_visits(visits, as_of_day=as_of_day, follow_up_days=follow_up_days)
    return count("ftfr", cases, day="visited_on", hits=cases["fixed_first_time"], of=1)


def first_visits(
    visits: pd.DataFrame, *, as_of_day: date, follow_up_days: int = FOLLOW_UP_DAYS
) -> pd.DataFrame:
    """Judge each matured case: the rows behind a miss.

    A case opens with a visit to an asset; visits within `follow_up_days` of it follow it up, a
    later one opens the next case. Visits of one day stand in the order of their ids. A visit
    without access is as good as none. A case has matured once no follow-up can come any more.
    Returns the first visits as they came, with `fixed_first_time`.
    """
    made = visits[
        (days(visits["visited_on"]) <= as_day(as_of_day)) & (visits["outcome"] != "no_access")
    ]
    made = made.assign(visited_on=days(made["visited_on"]))
    made = made.sort_values(["asset", "visited_on", "id"]).reset_index(drop=True)
    first, followed_up = _cases(made, follow_up_days)
    cases = made.iloc[first]
    fixed = (cases["outcome"] == "fixed").to_numpy(dtype="bool") & ~followed_up
    cases = cases.assign(fixed_first_time=fixed)
    return cases[cases["visited_on"] <= as_day(as_of_day - timedelta(days=follow_up_days))]


def _cases(
    made: pd.DataFrame, follow_up_days: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The places of first visits in the sorted visits, and whether each was followed up.

    All assets move on together, one case per round: after the last follow-up comes the next
    first visit. There are as many rounds as cases of the busiest asset.
    """
    day = whole(made["visited_on"].astype("datetime64[s]")) // 86_400
    asset = pd.factorize(made["asset"])[0].astype("int64")
    span = np.int64(day.max() - day.min() + follow_up_days + 1) if len(day) else np.int64(1)
    line = asset * span + (day - day.min() if len(day) else day)  # assets end to end, never mixed
    place = np.flatnonzero(np.r_[True, asset[1:] != asset[:-1]]) if len(day) else asset
    first, followed_up = [place], []
    while len(place):
        after = np.searchsorted(line, line[place] + follow_up_days, side="right")
        followed_up.append(after - place > 1)
        same_asset = after < len(line)
        same_asset[same_asset] = asset[after[same_asset]] == asset[place[same_asset]]
        place = after[same_asset]
        first.append(place)
    followed = np.concatenate(followed_up) if followed_up else np.zeros(0, dtype="bool")
    return np.concatenate(first), followed
