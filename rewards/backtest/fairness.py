"""Fairness: whether every kind of partner could win, and which ones did.

Shares by tier, region and country are told by what partners belong to; by size, in quarters of the
network by order lines due in the periods, so that a rule which only large partners can win shows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.periods import Period
from rewards.backtest.lines import Line
from rewards.deciding.candidates import Candidate
from rewards.frozen import Closing, FrozenFigure

BY_GROUP = ("tier", "region", "country")
SIZES = ("smallest quarter", "second quarter", "third quarter", "largest quarter")
NO_LINES = "no order lines"
MEMBERS_FEW = 5  # a group of fewer says nothing about its kind


@dataclass(frozen=True)
class Share:
    """What one group of partners could win, and did.

    by: tier, region, country or size. group: which one; None: those that belong to none.
    members: of the network. could_win: those that the rule was for. won: those that won anything.
    points: before any budget; share: of all points; None where nobody won any.
    """

    by: str
    group: str | None
    members: int
    could_win: int
    won: int
    points: int
    share: Fraction | None

    @property
    def small(self) -> bool:
        return self.members < MEMBERS_FEW


def shares(
    everyone: Sequence[Candidate], lines: Iterable[Line], size_of: Mapping[str, int]
) -> tuple[Share, ...]:
    """Every group's share, by tier, region, country and size."""
    points: Counter[str] = Counter()
    could_win = set()
    for line in lines:
        could_win.add(line.candidate.code)
        points[line.candidate.code] += line.points
    found: list[Share] = []
    for by, groups in _groupings(everyone, size_of):
        found += _shares(by, groups, could_win, points)
    return tuple(found)


def sizes(session: Session, periods: Mapping[Period, Closing | None]) -> dict[str, int]:
    """How many order lines were due to each partner in the periods, by its code."""
    size: Counter[str] = Counter()
    for table, wanted in (
        (FrozenFigure, [str(period) for period, closing in periods.items() if closing]),
        (ScorecardRow, [str(period) for period, closing in periods.items() if not closing]),
    ):
        counted = (
            sa.select(table.subject, sa.func.sum(table.n))
            .where(table.period.in_(wanted), table.level == "partner", table.kpi == "otif")
            .group_by(table.subject)
        )
        if wanted:
            size.update({code: int(n) for code, n in session.execute(counted)})
    return dict(size)


def _groupings(
    everyone: Sequence[Candidate], size_of: Mapping[str, int]
) -> Iterator[tuple[str, dict[str | None, list[str]]]]:
    for by in BY_GROUP:
        groups: dict[str | None, list[str]] = defaultdict(list)
        for candidate in everyone:
            groups[_group(candidate, by)].append(candidate.code)
        yield by, dict(sorted(groups.items(), key=lambda each: (each[0] is None, each[0] or "")))
    yield "size", _by_size(everyone, size_of)


def _by_size(
    everyone: Sequence[Candidate], size_of: Mapping[str, int]
) -> dict[str | None, list[str]]:
    """Quarters of those that were due anything, equally many in each; ties by code."""
    active = sorted(
        (each.code for each in everyone if size_of.get(each.code)),
        key=lambda code: (size_of[code], code),
    )
    groups: dict[str | None, list[str]] = {}
    for number, name in enumerate(SIZES):
        first, end = (len(active) * quarter // len(SIZES) for quarter in (number, number + 1))
        groups[name] = active[first:end]
    groups[NO_LINES] = [each.code for each in everyone if not size_of.get(each.code)]
    return {name: codes for name, codes in groups.items() if codes}


def _shares(
    by: str,
    groups: Mapping[str | None, Sequence[str]],
    could_win: set[str],
    points: Mapping[str, int],
) -> Iterator[Share]:
    total = sum(points.values())
    for name, codes in groups.items():
        of_group = sum(points.get(code, 0) for code in codes)
        yield Share(
            by=by,
            group=name,
            members=len(codes),
            could_win=sum(code in could_win for code in codes),
            won=sum(points.get(code, 0) > 0 for code in codes),
            points=of_group,
            share=Fraction(of_group, total) if total else None,
        )


def _group(candidate: Candidate, by: str) -> str | None:
    prefix = f"{by}:"
    found = min((code for code in candidate.groups if code.startswith(prefix)), default=None)
    return found.removeprefix(prefix) if found else None
