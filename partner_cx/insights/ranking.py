"""Ranking: the partners on one KPI, filtered, sorted and cut into pages by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from partner_cx.insights.sheets import PARTNER, Sheet, best_first, worst_first
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Direction
from partner_cx.measures.scorecards import ScorecardRow, figure_of
from partner_cx.network.groups import GroupMember
from partner_cx.network.partners import Partner
from partner_cx.network.reps import visited_by
from partner_cx.spelling import as_plain, contains

_LEVELS_MAX = 100  # no hierarchy is deeper


class Order(StrEnum):
    """What partners are sorted by."""

    WORST = "worst"  # those to look after first
    BEST = "best"  # the best first
    NAME = "name"  # by name
    SAMPLE = "sample"  # the largest sample first


@dataclass(frozen=True)
class Filter:
    """Which partners are asked for; empty: all of them.

    traits: a partner's own columns, such as region and tier, with what they are to be.
    distributor: the code of one, for it and all below it. group: the code of one of the channel
    team's own groups. search: a part of the name or the code. visited_by: a rep's number.
    """

    state: State | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    distributor: str = ""
    group: str = ""
    search: str = ""
    visited_by: int | None = None


@dataclass(frozen=True)
class Ranked:
    """A partner with its figure of a KPI, and that of the period before."""

    partner: Partner
    figure: Figure
    before: Figure | None


@dataclass(frozen=True)
class Page:
    """Some of the partners. total: how many there are altogether."""

    rows: Sequence[Ranked]
    total: int


def ranking(
    session: Session,
    sheet: Sheet,
    kpi: str,
    wanted: Filter,
    *,
    order: Order,
    limit: int | None = None,
    offset: int = 0,
    before: Sheet | None = None,
) -> Page:
    """The partners on a KPI. before: the sheet whose figures stand beside; None: none do."""
    table = sheet.table
    # Sorted as narrow rows; the wide ones are looked up for those that are shown alone.
    some = (
        sa.select(
            Partner.id,
            sa.func.count().over().label("total"),
            sa.func.row_number().over(order_by=_by(sheet, kpi, order)).label("place"),
        )
        .join(table, table.subject == Partner.code)
        .where(sheet.rows(PARTNER, kpis=[kpi]), *_conditions(wanted))
    )
    if wanted.state:
        some = some.where(table.state == wanted.state.value)
    shown = some.order_by(sa.text("place")).limit(limit).offset(offset).subquery()
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    found = (
        sa.select(Partner, shown.c.total, *columns)
        .join(shown, shown.c.id == Partner.id)
        .join(table, sa.and_(table.subject == Partner.code, sheet.rows(PARTNER, kpis=[kpi])))
        .order_by(shown.c.place)
    )
    rows = session.execute(found).all()
    if not rows and offset:  # beyond the end: how many there are is still told
        return Page((), ranking(session, sheet, kpi, wanted, order=order, limit=1).total)
    former = figures_of(session, before, [kpi], [row.Partner.code for row in rows])
    return Page(
        [
            Ranked(row.Partner, figure_of(row), former.get(row.Partner.code, {}).get(kpi))
            for row in rows
        ],
        rows[0].total if rows else 0,
    )


def figures_of(
    session: Session, sheet: Sheet | None, kpis: Sequence[str], codes: Sequence[str]
) -> dict[str, dict[str, Figure]]:
    """Some partners' figures of some KPIs, by code and KPI."""
    if sheet is None or not codes:
        return {}
    columns = [getattr(sheet.table, column.name) for column in ScorecardRow.__table__.columns]
    figures: dict[str, dict[str, Figure]] = {}
    wanted = sa.select(*columns).where(sheet.rows(PARTNER, kpis=kpis))
    if len(codes) <= _FEW:
        wanted = wanted.where(sheet.table.subject.in_(codes))
    for row in session.execute(wanted):
        figures.setdefault(row.subject, {})[row.kpi] = figure_of(row)
    return figures


_FEW = 500  # of more partners than so many, all are read


def _by(sheet: Sheet, kpi: str, order: Order) -> list[Any]:
    direction = CATALOGUE[kpi].direction if kpi in CATALOGUE else Direction.HIGHER
    match order:
        case Order.WORST:
            return [*worst_first(sheet.table, direction), Partner.code]
        case Order.BEST:
            return [*best_first(sheet.table, direction), Partner.code]
        case Order.SAMPLE:
            return [sheet.table.n.desc(), Partner.code]
        case Order.NAME:
            return [as_plain(Partner.name), Partner.code]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    conditions = [getattr(Partner, name) == value for name, value in wanted.traits.items()]
    if wanted.distributor:
        conditions.append(Partner.id.in_(_below(wanted.distributor)))
    if wanted.group:
        codes = [wanted.group, f"group:{wanted.group}"]  # files may write either
        members = sa.select(GroupMember.partner_id).where(GroupMember.group_code.in_(codes))
        conditions.append(Partner.id.in_(members))
    if wanted.search:
        either = (contains(each, wanted.search) for each in (Partner.name, Partner.code))
        conditions.append(sa.or_(*either))
    if wanted.visited_by is not None:
        conditions.append(Partner.id.in_(visited_by(wanted.visited_by)))
    return conditions


def _below(distributor: str) -> sa.Select[tuple[int]]:
    """A distributor and all below it, at any depth."""
    first = sa.select(Partner.id, sa.literal(0).label("level")).where(Partner.code == distributor)
    found = first.cte("below", recursive=True)
    child = aliased(Partner)
    deeper = sa.select(child.id, found.c.level + 1).join(found, child.parent_id == found.c.id)
    return sa.select(found.union(deeper.where(found.c.level < _LEVELS_MAX)).c.id)
