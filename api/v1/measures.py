"""What is measured: the KPIs, the periods with figures, and the figures themselves."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.figures import measured_periods
from api.request_scope import Reading
from api.v1.asking import AskedKpi, AskedPeriod, Page, Sliced, Spoken
from api.v1.doorway import Doorway
from api.v1.holders import Holder, Reads
from api.v1.problems import documented
from api.v1.told import Instant, PeriodCode, ToldFigure, figure
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.discretion import discreet
from partner_cx.measures.kpi import Direction, Family, Kpi, Unit
from partner_cx.measures.scorecards import ScorecardRow, figure_of
from partner_cx.network.partners import Partner
from partner_cx.periods import PeriodKind
from rewards.frozen import Closing, FrozenFigure, closing_of

router = APIRouter(prefix="/api/v1", tags=["figures"], route_class=Doorway)

FigureLevel = Literal["partner", "group", "network"]


class ToldKpi(BaseModel):
    """What a KPI is. Its code is its id, and never changes."""

    code: str = Field(examples=["otif"])
    label: str = Field(examples=["OTIF"])
    unit: Unit = Field(description="A share is a part of one.", examples=["share"])
    direction: Direction = Field(description="Which way is better.", examples=["higher"])
    family: Family = Field(examples=["orders"])
    facts: list[str] = Field(description="What it is made from.", examples=[["order-lines"]])
    formula: str = Field(examples=["Order lines received in full inside their window, out of all."])
    source: str = Field(description="Where the definition comes from.", examples=["SCOR"])
    scale: int = Field(
        description="In how many parts of a unit `hits` and `of` are counted.", examples=[1]
    )
    version: int = Field(examples=[1])


class ToldPeriod(BaseModel):
    """A month, quarter or year with figures."""

    period: PeriodCode
    label: str = Field(examples=["Q2 2026"])
    kind: PeriodKind = Field(examples=["quarter"])
    first_day: date = Field(examples=["2026-04-01"])
    last_day: date = Field(examples=["2026-06-30"])
    closed_at: Instant | None = Field(
        description="From then on its figures never change; null while it is open."
    )


class ToldScore(ToldFigure):
    """A figure, and whose it is."""

    subject: str = Field(
        description="A partner's code, a group's code, or `network`.", examples=["R1"]
    )


class Scores(Page[ToldScore]):
    """Some figures of a period."""

    period: PeriodCode
    level: str = Field(examples=["partner"])
    closed_at: Instant | None = Field(
        description="When these figures were frozen; null: they are those known now."
    )


@router.get("/kpis", responses=documented())
def kpis(_holder: Reads, sliced: Sliced, language: Spoken) -> Page[ToldKpi]:
    """The catalogue: every KPI there is, by code."""
    told = [_kpi(CATALOGUE[code], language) for code in sorted(CATALOGUE)]
    return sliced.of(told, lambda each: (each.code,), str)


@router.get("/periods", responses=documented())
def periods(session: Reading, _holder: Reads, sliced: Sliced, language: Spoken) -> Page[ToldPeriod]:
    """The periods with figures, the earliest first."""
    closed = {row.period: row.closed_at for row in session.execute(_CLOSED)}
    told = [
        ToldPeriod(
            period=str(each),
            label=each.label(language),
            kind=each.kind,
            first_day=each.first_day,
            last_day=each.last_day,
            closed_at=closed.get(str(each)),
        )
        for each in sorted(found.period for found in measured_periods(session))
    ]
    return sliced.of(told, lambda each: (each.first_day.isoformat(), each.kind.value), str, str)


@router.get("/scorecards", responses=documented(404))
def scorecards(
    session: Reading,
    holder: Reads,
    sliced: Sliced,
    period: AskedPeriod,
    kpi: AskedKpi,
    level: Annotated[FigureLevel, Query(description="Whose figures.")] = "partner",
    subject: Annotated[
        str | None,
        Query(max_length=300, description="A partner's or a group's code.", examples=["R1"]),
    ] = None,
) -> Scores:
    """The figures of a period: as frozen where it is closed, else as last measured.

    A token that is limited to a partner gets no score that is made of fewer than five answers.
    """
    closing = closing_of(session, period)
    table = FrozenFigure if closing else ScorecardRow
    wanted = sa.select(table).where(table.period == str(period), table.level == level)
    wanted = wanted.where(*_seen(session, holder, level, subject, table))
    if kpi is not None:
        wanted = wanted.where(table.kpi == kpi)
    if behind := sliced.begins_behind(str, str):
        wanted = wanted.where(sa.tuple_(table.subject, table.kpi) > behind)
    wanted = wanted.order_by(table.subject, table.kpi).limit(sliced.one_more)
    rows = session.scalars(wanted).all()

    def told(row: FrozenFigure | ScorecardRow) -> ToldScore:
        own = figure_of(row)
        return ToldScore(
            subject=row.subject,
            **figure(own if holder.sees_network else discreet(own)).model_dump(),
        )

    page = sliced.page(rows, told, lambda row: (row.subject, row.kpi))
    return Scores(
        items=page.items,
        next=page.next,
        last=page.last,
        period=str(period),
        level=level,
        closed_at=closing.closed_at if closing else None,
    )


_CLOSED = sa.select(Closing.period, Closing.closed_at)


def _seen(
    session: Session,
    holder: Holder,
    level: str,
    subject: str | None,
    table: type[FrozenFigure | ScorecardRow],
) -> list[sa.ColumnElement[bool]]:
    """Whose figures are asked for, of those that the token sees."""
    if level != "partner":
        holder.require_network()
    elif subject is not None:
        holder.partner(session, subject)
    elif not holder.sees_network:
        codes = sa.select(Partner.code).where(holder.seen(Partner.id))
        return [table.subject.in_(codes)]
    return [] if subject is None else [table.subject == subject]


def _kpi(kpi: Kpi, language: str) -> ToldKpi:
    return ToldKpi(
        code=kpi.code,
        label=kpi.label.in_(language),
        unit=kpi.unit,
        direction=kpi.direction,
        family=kpi.family,
        facts=list(kpi.facts),
        formula=kpi.formula.in_(language),
        source=kpi.source,
        scale=kpi.scale,
        version=kpi.version,
    )
