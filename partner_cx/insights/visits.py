"""Visits: the partners that a rep visits, those to look after first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.insights.ranking import figures_of
from partner_cx.insights.sheets import PARTNER, Sheet
from partner_cx.measures.figures import Figure, State
from partner_cx.network.partners import Partner
from partner_cx.network.reps import visited_by
from partner_cx.spelling import as_plain, contains


@dataclass(frozen=True)
class Visits:
    """Some of the partners with their figures. total: how many there are altogether."""

    rows: Sequence[tuple[Partner, Mapping[str, Figure]]]
    total: int


def visited_partners(
    session: Session,
    sheet: Sheet | None,
    person_id: int,
    kpis: Sequence[str],
    *,
    search: str = "",
    limit: int,
    offset: int = 0,
) -> Visits:
    """The partners that a person visits, by how many of some KPIs' targets they miss.

    sheet: None where nothing was measured; then by name.
    """
    wanted = sa.select(Partner).where(Partner.id.in_(visited_by(person_id)))
    if search:
        either = (contains(each, search) for each in (Partner.name, Partner.code))
        wanted = wanted.where(sa.or_(*either))
    total = session.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
    order: list[Any] = []
    if sheet is not None:
        order = [_how_many(sheet, kpis, State.RED).desc(), _how_many(sheet, kpis, State.GREEN)]
    wanted = wanted.order_by(*order, as_plain(Partner.name), Partner.code)
    found = session.scalars(wanted.limit(limit).offset(offset)).all()
    figures = figures_of(session, sheet, kpis, [each.code for each in found])
    return Visits([(each, figures.get(each.code, {})) for each in found], total)


def _how_many(sheet: Sheet, kpis: Sequence[str], state: State) -> sa.ScalarSelect[int]:
    """How many of a partner's figures are in a state."""
    table = sheet.table
    return (
        sa.select(sa.func.count())
        .where(
            sheet.rows(PARTNER, kpis=kpis),
            table.subject == Partner.code,
            table.state == state.value,
        )
        .correlate(Partner)
        .scalar_subquery()
    )
