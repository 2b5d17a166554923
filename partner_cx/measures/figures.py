"""A figure is a KPI's value with all that is needed to trust it; a scorecard is a set of them.

Pages, alerts, rules and exports read figures, and nothing else. A share stays two counts,
`hits` and `of`, so that thresholds are compared exactly; rounding is for printing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from partner_cx.periods import Period


class State(StrEnum):
    """How a figure stands against its target."""

    GREEN = "green"  # the target is reached
    RED = "red"  # the target is missed
    NO_DATA = "no_data"  # 0/0, or too small a sample, or too little coverage to tell
    STALE = "stale"  # its source hasn't been refreshed for longer than its tolerance


@dataclass(frozen=True)
class Target:
    """What a KPI is held against, from a day on, for the network or for one group."""

    kpi: str
    value: Fraction  # in the KPI's own unit: a share is 19/20, never 95
    n_min: int = 1
    coverage_min: Fraction = Fraction(0)
    stale_after_days: int | None = None  # None: never stale
    group: str | None = None  # None: the whole network


@dataclass(frozen=True)
class Figure:
    """One KPI of one subject (a partner, a group, the network) in one period.

    value: None when there was nothing to measure. Shares are fractions of one, NPS runs from
        -100 to 100, durations are minutes (time_to_quote: hours), counts are counts.
    hits, of: the sums the value is made of; None where the KPI isn't a quotient.
    n: the sample size: lines, tickets, answers, partners; as the KPI's definition says.
    coverage: the share of what should have been there that was; None where nothing can be missing.
    low, high: the 95 % interval; None where the KPI has none.
    state: None when it has a value and no target holds for it; no value is no data either way.
    short: how many more hits would have reached the target; None unless red and a share.
    details: further figures of the same KPI by name (median, p90, index, ...).
    """

    kpi: str
    value: Fraction | None
    hits: int | None = None
    of: int | None = None
    n: int = 0
    coverage: Fraction | None = None
    low: float | None = None
    high: float | None = None
    state: State | None = None
    target: Target | None = None
    as_of: datetime | None = None
    definition_version: int = 1
    details: Mapping[str, float | int | None] = field(default_factory=dict)

    @property
    def short(self) -> int | None:
        """The hits that are missing to the target, or None when none are or it makes no sense."""
        if self.state is not State.RED or self.target is None or not self.of or self.hits is None:
            return None
        wanted = self.target.value * self.of
        missing = -(-wanted.numerator // wanted.denominator) - self.hits
        return missing if missing > 0 else None


@dataclass(frozen=True)
class Scorecard:
    """All figures of one subject in one period.

    subject: a partner's code, a group's code (`tier:gold`), or `network`.
    """

    period: Period
    subject: str
    figures: Mapping[str, Figure]
    groups: frozenset[str] = frozenset()  # the groups the subject belonged to

    def __getitem__(self, kpi: str) -> Figure:
        """The figure of a KPI; a KPI that was never measured has no data, which isn't zero."""
        return self.figures.get(kpi, Figure(kpi=kpi, value=None, state=State.NO_DATA))
