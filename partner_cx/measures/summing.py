"""From a period's tallies to figures: for partners, groups and the network in one go.

Before: tallies, one row per code, partner and day. After: scorecards, which hold these figures
against targets. A subject is a set of partners: a partner is its own only member, the network's
members are all. A subject's figure is drawn from its members' sums, never from their figures, so
the network's share is total hits over total of. Values stay exact: two whole numbers, whose
quotient is the value in the KPI's unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.formulas.perception import DETRACTOR_MAX, PROMOTER_MIN
from partner_cx.measures.formulas.seam import as_day, days
from partner_cx.measures.kpi import PRESENT_WEIGHT_MIN, STANDARD_WEIGHTS, AddsUp, Kpi, Weights
from partner_cx.measures.members import Network, Spread, Summed, Sums, Total, Whole
from partner_cx.measures.statistics import nps_interval, wilson
from partner_cx.periods import Period
from partner_cx.quantities import MICRO


def figures(
    kpis: Iterable[str],
    sums: Sums,
    network: Network,
    period: Period,
    *,
    as_of_day: date,
    weights: Weights = STANDARD_WEIGHTS,
) -> pd.DataFrame:
    """Draw each KPI of each subject, also where there was nothing to measure.

    Returns one row per KPI and subject:
        subject, kpi
        value_hits, value_of: Python whole numbers, the value being their quotient; both None
            when there is no value (0/0). `values` makes Fractions of them.
        hits, of, n, coverage_hits, coverage_of: Int64, NA where a KPI has none.
        low, high: the 95 % interval in the KPI's unit; NaN where it has none.
        details: a dict of further figures; empty where there are none.
    """
    summed = Summed(sums, network, period, as_of_day, weights)
    drawn = [_DRAW.get(kpi, _share)(summed, CATALOGUE[kpi]).rows(kpi, summed) for kpi in kpis]
    return pd.concat(drawn, ignore_index=True)


def over(
    period: Period, counts: pd.DataFrame, spreads: pd.DataFrame, presences: pd.DataFrame
) -> Sums:
    """Sum up daily tallies (the seam's frames) over a period, each code as the catalogue says."""
    day, first, end = days(counts["day"]), as_day(period.first_day), as_day(period.end_day)
    within = counts[(day >= first) & (day < end)]
    latest_day = within.groupby(["kpi", "partner_id"])["day"].transform("max")
    passing = within["kpi"].isin(codes_that(AddsUp.LATEST)) & (within["day"] != latest_day)
    return Sums(
        counts=within[~passing],
        spreads=_within(spreads, "day", first, end),
        presences=_within(presences, "month", first, end)
        .drop(columns="month")
        .drop_duplicates(ignore_index=True),
        before=counts[(day < first) & counts["kpi"].isin(codes_that(AddsUp.RUNNING))],
    )


def codes_that(adds_up: AddsUp) -> list[str]:
    """The tally codes of the KPIs whose days make a period in this way."""
    return [code for kpi in CATALOGUE.values() if kpi.adds_up is adds_up for code in kpi.tallies]


def values(frame: pd.DataFrame) -> list[Fraction | None]:
    """The exact values of rows that `figures` drew."""
    pairs = zip(frame["value_hits"], frame["value_of"], strict=True)
    return [None if of is None else Fraction(hits, of) for hits, of in pairs]


def told(frame: pd.DataFrame, *, as_of: datetime) -> dict[Any, dict[str, Figure]]:
    """The rows that `figures` drew as Figures, by subject and KPI, held against no target yet."""
    names = ["subject", "kpi", "hits", "of", "n", "coverage_hits", "coverage_of", "low", "high"]
    columns = [_with_none(frame[name]) for name in [*names, "details"]]
    scorecards: dict[Any, dict[str, Figure]] = {}
    for value, row in zip(values(frame), zip(*columns, strict=True), strict=True):
        subject, kpi, hits, of, n, covered, coverable, low, high, details = row
        scorecards.setdefault(subject, {})[kpi] = Figure(
            kpi=kpi,
            value=value,
            hits=hits,
            of=of,
            n=n,
            coverage=Fraction(covered, coverable) if coverable else None,
            low=low,
            high=high,
            as_of=as_of,
            definition_version=CATALOGUE[kpi].version,
            details=details,
        )
    return scorecards


# --- How each KPI is drawn ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Drawn:
    """One KPI of all subjects, in their order. The value is value_hits / value_of."""

    value_hits: NDArray[Any]
    value_of: NDArray[Any]
    n: Whole
    hits: Whole | None = None
    of: Whole | None = None
    coverage: Total | None = None
    interval: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    details: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def rows(self, kpi: str, summed: Summed) -> pd.DataFrame:
        size = len(summed.subjects)
        low, high = self.interval or (np.full(size, np.nan),) * 2
        has_value = self.value_of != 0
        return pd.DataFrame(
            {
                "subject": summed.subjects,
                "kpi": kpi,
                "value_hits": _or_none(self.value_hits, has_value),
                "value_of": _or_none(self.value_of, has_value),
                "hits": _nullable(self.hits, size),
                "of": _nullable(self.of, size),
                "n": _nullable(self.n, size),
                "coverage_hits": _nullable(self.coverage.hits if self.coverage else None, size),
                "coverage_of": _nullable(self.coverage.of if self.coverage else None, size),
                "low": np.where(has_value, low, np.nan),
                "high": np.where(has_value, high, np.nan),
                "details": _dicts(self.details, has_value),
            }
        )


def _share(summed: Summed, kpi: Kpi) -> _Drawn:
    total = summed.total(kpi.tallies[0])
    return _quotient(
        kpi,
        total.hits,
        total.of,
        n=total.n,
        coverage=summed.total(kpi.coverage) if kpi.coverage else None,
    )


def _quotient(
    kpi: Kpi, hits: Whole, of: Whole, *, n: Whole | None = None, coverage: Total | None = None
) -> _Drawn:
    interval = wilson(hits, of) if kpi.has_interval else None
    n = of if n is None else n
    return _Drawn(hits, of, n, hits=hits, of=of, coverage=coverage, interval=interval)


def _adoption(summed: Summed, kpi: Kpi) -> _Drawn:
    """Accounts are counted, so each eligible partner is one, however often it came."""
    seen = summed.of_partners("portal_sessions").hits > 0
    eligible = summed.stands("eligible")
    return _quotient(kpi, summed.members(eligible & seen), summed.members(eligible))


def _depth(summed: Summed, kpi: Kpi) -> _Drawn:
    invited = summed.network.invited[["partner_id", "who"]].drop_duplicates()
    seen = summed.sums.presences
    seen = seen.loc[seen["kpi"] == kpi.code, ["partner_id", "who"]].drop_duplicates()
    came = invited.merge(seen, on=["partner_id", "who"])
    return _quotient(
        kpi,
        summed.members(summed.tally_rows(came["partner_id"])),
        summed.members(summed.tally_rows(invited["partner_id"])),
    )


def _retention(summed: Summed, kpi: Kpi) -> _Drawn:
    at_start, stayed = summed.stands("at_start"), summed.stands("stayed")
    return _quotient(kpi, summed.members(stayed), summed.members(at_start))


def _churn(summed: Summed, kpi: Kpi) -> _Drawn:
    at_start, stayed = summed.stands("at_start"), summed.stands("stayed")
    return _quotient(kpi, summed.members(at_start & ~stayed), summed.members(at_start))


def _referral_rate(summed: Summed, kpi: Kpi) -> _Drawn:
    active = summed.stands("at_end")
    referred = summed.of_partners("referrals").hits > 0
    return _quotient(kpi, summed.members(active & referred), summed.members(active))


def _nps(summed: Summed, kpi: Kpi) -> _Drawn:
    promoters = summed.total(f"{kpi.code}_promoters").hits
    detractors = summed.total(f"{kpi.code}_detractors").hits
    return _recommended(promoters, detractors, summed.total(kpi.code).of)


def _nps_by_partner(summed: Summed, _: Kpi) -> _Drawn:
    score = summed.of_partners("pnps_score")
    votes = score.of > 0
    promoters = summed.members(votes & (score.hits >= PROMOTER_MIN * score.of))
    detractors = summed.members(votes & (score.hits <= DETRACTOR_MAX * score.of))
    return _recommended(promoters, detractors, summed.members(votes))


def _recommended(promoters: Whole, detractors: Whole, answers: Whole) -> _Drawn:
    return _Drawn(
        100 * (promoters - detractors),
        answers,
        answers,
        hits=promoters - detractors,
        of=answers,
        interval=nps_interval(promoters, detractors, answers),
        details={
            "promoters": promoters,
            "passives": answers - promoters - detractors,
            "detractors": detractors,
        },
    )


def _count(summed: Summed, kpi: Kpi) -> _Drawn:
    """A count of nothing is 0 where the source spoke, and no data where it was silent."""
    total = summed.total(kpi.tallies[0])
    return _Drawn(total.hits, np.sign(total.n), total.n, hits=total.hits)


def _backlog(summed: Summed, _: Kpi) -> _Drawn:
    opened, resolved = summed.before("tickets_opened"), summed.before("tickets_resolved")
    created, settled = summed.total("tickets_opened"), summed.total("tickets_resolved")
    reopened = summed.total("tickets_reopened").hits
    start = opened.hits - resolved.hits
    end = start + created.hits - settled.hits
    ever = opened.n + created.n
    return _Drawn(
        end,
        np.sign(ever),
        ever,
        hits=end,
        details={
            "start": start,
            "created": created.hits,
            "reopened": reopened,
            "solved": settled.hits + reopened,
        },
    )


def _minutes(summed: Summed, kpi: Kpi) -> _Drawn:
    seconds = summed.spread(kpi.tallies[0])
    return _Drawn(
        seconds.total,
        60 * seconds.times,
        seconds.times,
        hits=seconds.total,
        of=seconds.times,
        details={"median": seconds.twice_median / 120, "p90": seconds.p90 / 60},
    )


def _median_hours(summed: Summed, kpi: Kpi) -> _Drawn:
    seconds = summed.spread(kpi.tallies[0])
    mean = seconds.total / np.maximum(seconds.times, 1)
    return _Drawn(
        seconds.twice_median,
        7200 * np.sign(seconds.times),
        seconds.times,
        details={"mean": mean / 3600, "p90": seconds.p90 / 3600},
    )


def _ease(summed: Summed, kpi: Kpi) -> _Drawn:
    """1–7, high = easy: the mean, the share of 5 and above, and 100 (mean − 1) / 6."""
    scores = summed.spread(kpi.tallies[0])
    mean = _mean_score(scores)
    easy = scores.times_from(5 * MICRO)
    return _scored(
        scores,
        {"easy": easy, "easy_share": easy / np.maximum(scores.times, 1), "index": (mean - 1) / 6},
    )


def _effort(summed: Summed, kpi: Kpi) -> _Drawn:
    """1–5, high = effort: the mean, and the ease index 100 (5 − mean) / 4."""
    scores = summed.spread(kpi.tallies[0])
    return _scored(scores, {"index": (5 - _mean_score(scores)) / 4})


def _scored(scores: Spread, details: dict[str, NDArray[Any]]) -> _Drawn:
    """`hits` are the points given, which are whole on these scales; the value keeps micro-units."""
    return _Drawn(
        scores.total,
        MICRO * scores.times,
        scores.times,
        hits=scores.total // MICRO,
        of=scores.times,
        details=details | {"index": 100 * details["index"]},
    )


def _mean_score(scores: Spread) -> NDArray[np.float64]:
    return np.asarray(scores.total / np.maximum(scores.times, 1) / MICRO)


def _dsi(summed: Summed, kpi: Kpi) -> _Drawn:
    return _index(summed, kpi, summed.weights.dsi, lowest=0, highest=100)


def _cxi(summed: Summed, kpi: Kpi) -> _Drawn:
    return _index(summed, kpi, summed.weights.cxi, lowest=1, highest=5)


def _index(
    summed: Summed, kpi: Kpi, weights: Mapping[str, int], *, lowest: int, highest: int
) -> _Drawn:
    """Σ weight × score / Σ weight over the parts that have answers enough, told from 0 to 100.

    The parts' means are added as fractions, over the product of their numbers of answers. n is
    the answers of the part that has most: about as many people as were asked.
    """
    size = len(summed.subjects)
    above, below = np.full(size, 0, dtype=object), np.full(size, 1, dtype=object)
    present, n = np.zeros(size, dtype="int64"), np.zeros(size, dtype="int64")
    details: dict[str, NDArray[Any]] = {}
    for part, weight in weights.items():
        scores = summed.spread(f"{kpi.code}.{part}")
        counted = scores.times >= max(summed.weights.answers_min, 1)
        times = np.where(counted, scores.times, 1).astype(object)
        points = np.where(counted, scores.total - lowest * MICRO * scores.times, 0).astype(object)
        above, below = above * times + weight * points * below, below * times
        present += weight * counted
        n = np.maximum(n, np.where(counted, scores.times, 0))
        mean = np.where(counted, _mean_score(scores), np.nan)
        details[part] = 100 * (mean - lowest) / (highest - lowest)
    whole_weight = sum(weights.values())
    enough, whole_share = PRESENT_WEIGHT_MIN.as_integer_ratio()
    missing_too_much = present * whole_share < enough * whole_weight
    below = below * present.astype(object) * MICRO * (highest - lowest)
    coverage = Total(present, np.full(size, whole_weight), n)
    return _Drawn(
        100 * above, np.where(missing_too_much, 0, below), n, None, None, coverage, None, details
    )


_DRAW: Mapping[str, Callable[[Summed, Kpi], _Drawn]] = {
    "first_response": _minutes,
    "resolution": _minutes,
    "backlog": _backlog,
    "portal_adoption": _adoption,
    "portal_depth": _depth,
    "sheet_views": _count,
    "media_downloads": _count,
    "time_to_quote": _median_hours,
    "nps": _nps,
    "pnps": _nps,
    "pnps_by_partner": _nps_by_partner,
    "ces": _ease,
    "ces5": _effort,
    "dsi": _dsi,
    "cxi": _cxi,
    "retention": _retention,
    "churn": _churn,
    "referral_rate": _referral_rate,
}  # every other KPI is the quotient of one tally


def _within(
    frame: pd.DataFrame, column: str, first: pd.Timestamp, end: pd.Timestamp
) -> pd.DataFrame:
    day = days(frame[column])
    return frame[(day >= first) & (day < end)]


def _or_none(numbers: NDArray[Any], where: NDArray[Any]) -> NDArray[Any]:
    exact = numbers.astype(object)
    exact[~where.astype(bool)] = None
    return exact


def _with_none(column: pd.Series) -> list[Any]:
    exact = column.astype(object)
    return exact.where(column.notna(), None).tolist()


def _nullable(numbers: Whole | None, size: int) -> pd.Series:
    if numbers is None:
        return pd.Series(pd.NA, index=range(size), dtype="Int64")
    return pd.Series(numbers, dtype="Int64")


def _dicts(
    details: Mapping[str, NDArray[Any]], has_value: Sequence[bool] | NDArray[Any]
) -> list[Any]:
    """One dict per subject; what isn't a number is None; nothing where there is no value."""
    if not details:
        return [{} for _ in has_value]
    columns = [
        [None if value != value else value for value in column.tolist()]
        for column in details.values()
    ]
    return [
        dict(zip(details, row, strict=True)) if has else {}
        for row, has in zip(zip(*columns, strict=True), has_value, strict=True)
    ]
