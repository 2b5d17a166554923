"""The seam between facts and figures: three kinds of frames that any engine could write.

    counts     kpi, partner_id, day, hits, of, n     a period is the sum of its days
    spreads    kpi, partner_id, day, value, times    how often each value occurred
    presences  kpi, partner_id, month, who           who was seen in a month (its first day)

Every formula ends here. What comes after (tallies, sums, figures) never sees a fact. `kpi` is a
tally's code: mostly the KPI's own, sometimes a part of it, as the catalogue says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

COUNTS = {
    "kpi": "str",
    "partner_id": "int64",
    "day": "datetime64[us]",
    "hits": "int64",
    "of": "int64",
    "n": "int64",
}
SPREADS = {
    "kpi": "str",
    "partner_id": "int64",
    "day": "datetime64[us]",
    "value": "int64",
    "times": "int64",
}
PRESENCES = {"kpi": "str", "partner_id": "int64", "month": "datetime64[us]", "who": "str"}


def count(
    kpi: str, facts: pd.DataFrame, *, day: str, hits: Any, of: Any = 0, n: Any = 1
) -> pd.DataFrame:
    """Sum up facts per partner and day.

    facts: partner_id and the column named by `day`; a fact without a day is left out.
    hits, of, n: a scalar, or one whole number or truth per fact, in the facts' order.
    """
    parts = pd.DataFrame({"partner_id": facts["partner_id"], "day": days(facts[day])})
    for name, part in (("hits", hits), ("of", of), ("n", n)):
        parts[name] = np.broadcast_to(whole(part), len(parts))
    sums = parts.groupby(["partner_id", "day"], as_index=False).sum()
    return _shaped(sums.assign(kpi=kpi), COUNTS)


def spread(kpi: str | pd.Series, facts: pd.DataFrame, *, day: str, value: Any) -> pd.DataFrame:
    """Say how often each value occurred per partner and day.

    kpi: one code, or one per fact. value: one whole number per fact.
    """
    values = pd.DataFrame({"partner_id": facts["partner_id"], "day": days(facts[day])})
    values["value"] = whole(value)
    values["kpi"] = kpi
    sizes = values.groupby(["kpi", "partner_id", "day", "value"]).size()
    return _shaped(sizes.rename("times").reset_index(), SPREADS)


def presence(kpi: str, facts: pd.DataFrame, *, day: str, who: str) -> pd.DataFrame:
    """Say who was seen in which month, each once; a fact that names nobody is left out."""
    seen = pd.DataFrame({"partner_id": facts["partner_id"], "who": facts[who].astype("str")})
    seen["month"] = days(facts[day]).astype("datetime64[s]").to_numpy().astype("datetime64[M]")
    seen = seen.dropna().drop_duplicates().sort_values(["partner_id", "month", "who"])
    return _shaped(seen.assign(kpi=kpi), PRESENCES)


def together(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Several counts, several spreads or several presences as one frame."""
    return pd.concat(list(frames), ignore_index=True)


def days(column: pd.Series) -> pd.Series:
    """A column of days in one unit, also where an empty frame has forgotten its types."""
    return column.astype("datetime64[us]")


def instants(column: pd.Series) -> pd.Series:
    """A column of aware UTC instants in one unit, also where an empty frame forgot its types."""
    return column.astype("datetime64[us, UTC]")


def whole(part: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Whole numbers without a gap: what is missing was to be settled before."""
    return np.asarray(part).astype("int64")


def known(column: pd.Series) -> pd.Series:
    """A column of whole numbers that may be missing, exactly, whatever type it came in."""
    return column.astype("Int64")


def as_day(day: date) -> pd.Timestamp:
    """A calendar day as pandas compares it."""
    return pd.Timestamp(day.year, day.month, day.day)


def _shaped(frame: pd.DataFrame, shape: dict[str, str]) -> pd.DataFrame:
    return frame[list(shape)].astype(shape).reset_index(drop=True)
