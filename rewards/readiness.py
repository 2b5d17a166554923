"""Readiness: what whoever closes a period looks at first: whether all that its rules rest on is in.

Before: imports, scorecards and the rules in force. After: the page of a close.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import State
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from rewards.rules import Rule

_DIRECTORY = {"partners", "people"}  # who there is; it says nothing of what they did


@dataclass(frozen=True)
class Heard:
    """What is known of a kind of facts that the rules rest on.

    heard_at: when the last file or reading of it came in; None: never.
    events_until: the end of the last day that it tells of; None: nothing told.
    kpis: those that it feeds, of the rules'.
    """

    kind: str
    heard_at: datetime | None
    events_until: datetime | None
    kpis: tuple[str, ...]

    def reaches(self, end: datetime) -> bool:
        """Whether something was told after the end: then the end itself is probably all in."""
        return self.heard_at is not None and self.heard_at >= end


@dataclass(frozen=True)
class Judged:
    """How many partners stand where on a KPI of the rules'. as_of: when that was measured."""

    kpi: str
    states: Mapping[State | None, int]
    as_of: datetime


def kpis_of(rules: Collection[Rule]) -> list[str]:
    """The KPIs that rules look at in the period itself, in the catalogue's order."""
    asked = {kpi for rule in rules for kpi in _kpis(rule)}
    return [code for code in CATALOGUE if code in asked]


def _kpis(rule: Rule) -> set[str]:
    needs = rule.needs()
    return {*needs.figures, *(kpi for _, kpi in needs.earlier), *(kpi for _, kpi in needs.peers)}


def heard(session: Session, kpis: Collection[str]) -> list[Heard]:
    """What is known of each kind of facts that KPIs are measured on, by kind."""
    kinds = {kind for kpi in kpis for kind in CATALOGUE[kpi].facts} - _DIRECTORY
    found = session.execute(
        sa.select(Import.kind, sa.func.max(Import.imported_at), sa.func.max(Import.events_until))
        .where(Import.kind.in_(kinds))
        .group_by(Import.kind)
    )
    known = {kind: (heard_at, until) for kind, heard_at, until in found}
    return [_heard(kind, kpis, *known.get(kind, (None, None))) for kind in sorted(kinds)]


def _heard(
    kind: str, kpis: Collection[str], heard_at: datetime | None, until: datetime | None
) -> Heard:
    fed = tuple(kpi for kpi in kpis if kind in CATALOGUE[kpi].facts)
    return Heard(kind, heard_at, until, fed)


def judged(session: Session, period: Period, kpis: Collection[str]) -> list[Judged]:
    """How partners stand on KPIs, as last measured; none that was never measured."""
    found = session.execute(
        sa.select(
            ScorecardRow.kpi,
            ScorecardRow.state,
            sa.func.count(),
            sa.func.max(ScorecardRow.as_of),
        )
        .where(
            ScorecardRow.period == str(period),
            ScorecardRow.level == "partner",
            ScorecardRow.kpi.in_(list(kpis)),
        )
        .group_by(ScorecardRow.kpi, ScorecardRow.state)
    )
    states: dict[str, dict[State | None, int]] = {}
    moments: dict[str, datetime] = {}
    for kpi, state, count, as_of in found:
        states.setdefault(kpi, {})[State(state) if state else None] = count
        moments[kpi] = max(as_of, moments.get(kpi, as_of))
    return [Judged(kpi, states[kpi], moments[kpi]) for kpi in kpis if kpi in states]
