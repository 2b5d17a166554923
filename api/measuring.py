"""Measuring on demand: a period's scorecards brought up to a moment, and those asked for found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.figures import closed_at, figures_of
from api.wiring import House
from partner_cx.database import reading, transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import NETWORK
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.settings import Settings


def measure_period(house: House, period: Period, *, now: datetime) -> datetime | None:
    """Bring a period's scorecards up to a moment, unless they are frozen; then, since when."""
    with reading(house.engine) as session:
        closed = closed_at(session, period)
    if closed is None:
        # The long work, in short transactions. Where somebody asks for another moment meanwhile,
        # what is left is done below.
        with suppress(Conflict):
            refreshing.refresh(house.engine, now=now, settings=house.settings)
        transact(house.engine, lambda session: _measure(session, period, now, house.settings))
    return closed


def _measure(session: Session, period: Period, now: datetime, settings: Settings) -> None:
    """Measure on tallies that nobody can move to another moment before it is done."""
    refreshing.refresh(session, now=now, settings=settings)  # seldom anything
    measuring.measure(session, period, now=now, settings=settings)


@dataclass(frozen=True)
class Asked:
    """Which figures are asked for: those on a level, perhaps of one subject or one KPI."""

    level: str
    subject: str | None = None
    kpi: str | None = None

    def find(self, session: Session, period: Period) -> Iterator[tuple[str, Figure]]:
        """The figures with their subjects, by subject, in the catalogue's order."""
        found = figures_of(session, period, self.level)
        if self.subject and self.subject not in found:
            self._refuse_stranger(session, set(found))
        for subject in [self.subject] if self.subject else sorted(found):
            for code in CATALOGUE:
                if code in found.get(subject, {}) and self.kpi in (None, code):
                    yield subject, found[subject][code]

    def _refuse_stranger(self, session: Session, known: set[str]) -> None:
        if self.level == "partner":
            known = set(session.scalars(sa.select(Partner.code)))
        if self.subject not in known:
            raise NotFound(
                f"There is no {self.level} {self.subject}.",
                remedy=f"There are {len(known)}"
                + (f", such as {', '.join(sorted(known)[:3])}." if known else "."),
            )


def figures_asked(
    *, partner: str | None, group: str | None, level: str | None, kpi: str | None
) -> Asked:
    """Read the options of `scorecard`: a partner or a group names its level by itself."""
    if partner and group:
        raise Invalid("A partner and a group are asked for at once.", remedy="Name one of them.")
    own = "partner" if partner else "group" if group else None
    if own and level and level != own:
        raise Invalid(f"A {own} isn't on the level {level}.", remedy="Leave --level out.")
    if kpi is not None and kpi not in CATALOGUE:
        raise NotFound(f"There is no KPI {kpi}.", remedy="`partner-cx kpis` lists them.")
    return Asked(level=str(own or level or NETWORK), subject=partner or group, kpi=kpi)
