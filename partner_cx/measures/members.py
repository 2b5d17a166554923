"""Sums over members: a period's tallies laid out so that every subject's share of them is a slice.

Before: a period's tallies per partner. After: `summing`, which draws the figures from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from partner_cx.measures.formulas import relationship
from partner_cx.measures.kpi import Weights
from partner_cx.periods import Period

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """What a period's tallies come to, per partner. Rows may be missing; none may come twice
    in `presences`, and in the others they are added.

    counts: kpi, partner_id, hits, of, n of the days within the period; of a code that adds up by
        its latest day (catalogue_completion), that day alone.
    spreads: kpi, partner_id, value, times. presences: kpi, partner_id, who.
    before: like counts, all days before the period, for the codes that run on (backlog).
    """

    counts: pd.DataFrame
    spreads: pd.DataFrame
    presences: pd.DataFrame
    before: pd.DataFrame


@dataclass(frozen=True)
class Network:
    """Who is measured.

    partners: id, joined_on, left_on (NaT: always has been, still is).
    memberships: subject, partner_id: which partners a figure is drawn from. A subject is any
        label; each pair comes once.
    invited: partner_id, who (small letters): the people who may use the portal.
    """

    partners: pd.DataFrame
    memberships: pd.DataFrame
    invited: pd.DataFrame


@dataclass(frozen=True)
class Total:
    """A tally code's sums, per subject or per partner."""

    hits: Whole
    of: Whole
    n: Whole


class Summed:
    """A period's sums, laid out so that every subject's share of them is a slice.

    Memberships stand sorted by subject; a sum over members is one `reduceat`.
    """

    def __init__(
        self, sums: Sums, network: Network, period: Period, as_of_day: date, weights: Weights
    ) -> None:
        self.sums, self.network, self.weights = sums, network, weights
        self.period, self.as_of_day = period, as_of_day
        memberships = network.memberships
        place, self.subjects = pd.factorize(memberships["subject"], sort=False)
        order = np.argsort(place, kind="stable")
        self.partners = pd.Index(network.partners["id"].astype("int64"))
        member = self.partners.get_indexer(pd.Index(memberships["partner_id"].astype("int64")))
        assert (member >= 0).all(), "a member is missing among the partners"
        self._member = member[order]
        self._subject = place[order]
        self._starts = np.flatnonzero(np.diff(self._subject, prepend=-1))

    def members(self, per_partner: NDArray[Any]) -> Whole:
        """Per subject, the sum over its members."""
        return np.add.reduceat(per_partner.astype("int64")[self._member], self._starts)

    def total(self, code: str) -> Total:
        return self._over_members(self.of_partners(code))

    def before(self, code: str) -> Total:
        return self._over_members(self._before.get(code, self._nothing))

    def of_partners(self, code: str) -> Total:
        """A code's sums per partner; zeros where there was nothing."""
        return self._counts.get(code, self._nothing)

    def stands(self, how: str) -> NDArray[np.bool_]:
        """Which partners stand so in the period; see `relationship.standing`."""
        return self._standing[how].to_numpy()

    def tally_rows(self, partner_ids: pd.Series) -> Whole:
        """How many rows name each partner."""
        place = self.partners.get_indexer(pd.Index(partner_ids.astype("int64")))
        return np.bincount(place[place >= 0], minlength=len(self.partners)).astype("int64")

    def spread(self, code: str) -> Spread:
        """A code's values, each member's given to all subjects it belongs to."""
        rows = self._spreads.get(code)
        if rows is None:
            empty = np.zeros(0, dtype="int64")
            return Spread(empty, empty, empty, len(self.subjects))
        partner, value, times = rows
        fan, first, subject = self._subjects_of_partner
        copies = fan[partner]
        step = np.arange(copies.sum()) - np.repeat(np.cumsum(copies) - copies, copies)
        subjects = subject[np.repeat(first[partner], copies) + step]
        value, times = np.repeat(value, copies), np.repeat(times, copies)
        order = np.lexsort((value, subjects))
        return Spread(subjects[order], value[order], times[order], len(self.subjects))

    @cached_property
    def _standing(self) -> pd.DataFrame:
        return relationship.standing(self.network.partners, self.period, as_of_day=self.as_of_day)

    @cached_property
    def _counts(self) -> dict[str, Total]:
        return self._per_partner(self.sums.counts)

    @cached_property
    def _before(self) -> dict[str, Total]:
        return self._per_partner(self.sums.before)

    @cached_property
    def _nothing(self) -> Total:
        zeros = np.zeros(len(self.partners), dtype="int64")
        return Total(zeros, zeros, zeros)

    @cached_property
    def _spreads(self) -> dict[str, tuple[Whole, Whole, Whole]]:
        return {
            code: (rows[:, 0], rows[:, 1], rows[:, 2])
            for code, rows in self._rows_by_code(self.sums.spreads, ["value", "times"])
        }

    @cached_property
    def _subjects_of_partner(self) -> tuple[Whole, Whole, Whole]:
        """Per partner how many subjects it belongs to and where they begin in the third list."""
        order = np.argsort(self._member, kind="stable")
        fan = np.bincount(self._member, minlength=len(self.partners)).astype("int64")
        return fan, np.cumsum(fan) - fan, self._subject[order]

    def _per_partner(self, counts: pd.DataFrame) -> dict[str, Total]:
        totals = {}
        for code, rows in self._rows_by_code(counts, ["hits", "of", "n"]):
            sums = np.zeros((3, len(self.partners)), dtype="int64")
            for into, column in zip(sums, rows[:, 1:].T, strict=True):
                np.add.at(into, rows[:, 0], column)
            totals[code] = Total(*sums)
        return totals

    def _rows_by_code(self, frame: pd.DataFrame, columns: list[str]) -> Iterable[tuple[str, Whole]]:
        """Per code the place of the partner and the columns; other people's partners left out."""
        code, codes = pd.factorize(frame["kpi"])
        partner = self.partners.get_indexer(pd.Index(frame["partner_id"].astype("int64")))
        rows = np.column_stack([partner, *(frame[name].astype("int64") for name in columns)])
        order = np.argsort(code, kind="stable")
        ends = np.cumsum(np.bincount(code, minlength=len(codes)))
        for name, at in zip(codes, np.split(order, ends[:-1]), strict=False):
            yield str(name), rows[at[partner[at] >= 0]]

    def _over_members(self, per_partner: Total) -> Total:
        return Total(
            self.members(per_partner.hits),
            self.members(per_partner.of),
            self.members(per_partner.n),
        )


class Spread:
    """Values and how often they occurred, sorted by subject and value; statistics per subject.

    A subject without values has zeros, and `times` 0 says so.
    """

    def __init__(self, subject: Whole, value: Whole, times: Whole, subjects: int) -> None:
        self._value = value
        self._bounds = np.searchsorted(subject, np.arange(subjects + 1))
        self._times = times
        self._reached = np.cumsum(times)  # how many have come by each row, over all subjects
        self.times = self._per_subject(times)
        self.total = self._per_subject(value * times)

    @property
    def twice_median(self) -> Whole:
        """Twice the median, so that the middle between two values stays whole."""
        return self._at_rank((self.times + 1) // 2) + self._at_rank(self.times // 2 + 1)

    @property
    def p90(self) -> Whole:
        """The 90th percentile by nearest rank."""
        return self._at_rank(-(-9 * self.times // 10))

    def times_from(self, lowest: int) -> Whole:
        """How many values are at least so high."""
        return self._per_subject(np.where(self._value >= lowest, self._times, 0))

    def _per_subject(self, amounts: Whole) -> Whole:
        upto = np.concatenate([np.zeros(1, dtype="int64"), np.cumsum(amounts)])
        return upto[self._bounds[1:]] - upto[self._bounds[:-1]]

    def _at_rank(self, rank: Whole) -> Whole:
        if not len(self._value):
            return np.zeros(len(self.times), dtype="int64")
        before = np.concatenate([np.zeros(1, dtype="int64"), self._reached])[self._bounds[:-1]]
        place = np.searchsorted(self._reached, before + rank)
        return np.where(self.times > 0, self._value[np.minimum(place, len(self._value) - 1)], 0)
