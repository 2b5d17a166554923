"""The programme: what was decided, what budgets hold, and which periods are closed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.request_scope import Reading
from api.v1.asking import AskedPeriodOrNone, Page, PartnerCode, Sliced
from api.v1.doorway import Doorway
from api.v1.holders import Reads, ReadsNetwork
from api.v1.problems import documented
from api.v1.told import Decimals, Instant, PeriodCode, decimals
from partner_cx.network.partners import Partner
from rewards.budgets import BudgetReport, reports
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.ledger import Transfer
from rewards.rulebook import RuleVersion

router = APIRouter(prefix="/api/v1", tags=["programme"], route_class=Doorway)


class ToldVerdict(BaseModel):
    """What a rule came to for a partner. It never changes."""

    decision: int = Field(description="Its number.", examples=[1])
    partner: str = Field(examples=["R1"])
    rule: str = Field(examples=["network_quality_bonus"])
    rule_version: int = Field(examples=[1])
    period: PeriodCode | None = Field(description="Null: it was taken on an event.")
    event: str | None = Field(description="The key of that event.", examples=[None])
    on: date | None = Field(description="The day of that event.", examples=[None])
    verdict: Verdict = Field(examples=["met"])
    points: int = Field(description="What it awards; 0 unless it is met.", examples=[500])
    entry: str | None = Field(
        description="The key of the entry that paid it; null: nothing was paid.",
        examples=["close:2026Q2:network_quality_bonus:R1"],
    )


class ToldBudget(BaseModel):
    """Where a budget's points are: `spent`, `committed`, `reserved` and `left` make `funded`."""

    code: str = Field(examples=["network-quality"])
    funded: int = Field(description="What it was ever given.", examples=[10_000])
    spent: int = Field(examples=[500])
    committed: int = Field(description="Awarded, and held.", examples=[0])
    reserved: int = Field(description="Set aside for something under way.", examples=[0])
    left: int = Field(examples=[9_500])
    used_share: Decimals | None = Field(description="Null: it was never funded.", examples=["0.05"])


class ToldClosing(BaseModel):
    """That a period was closed: its figures and decisions never change."""

    period: PeriodCode
    closed_at: Instant
    closed_by: str = Field(examples=["mia@brand.example"])
    figures_digest: str = Field(
        description="SHA-256 of the frozen figures.",
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    )


@router.get("/decisions", responses=documented(404))
def decisions(
    session: Reading,
    holder: Reads,
    sliced: Sliced,
    period: AskedPeriodOrNone,
    partner: PartnerCode = None,
    rule: Annotated[str | None, Query(max_length=80, description="The code of a rule.")] = None,
    verdict: Verdict | None = None,
) -> Page[ToldVerdict]:
    """What rules came to, in the order in which it was decided. See `/explanations` for reasons."""
    wanted = _DECISIONS.where(holder.seen(DecisionRow.partner_id))
    if partner is not None:
        wanted = wanted.where(DecisionRow.partner_id == holder.partner(session, partner).id)
    if period is not None:
        happened = EventRow.on.between(period.first_day, period.last_day)
        wanted = wanted.where(sa.or_(Closing.period == str(period), happened))
    if rule is not None:
        wanted = wanted.where(RuleVersion.code == rule)
    if verdict is not None:
        wanted = wanted.where(DecisionRow.verdict == verdict)
    if behind := sliced.begins_behind(int):
        wanted = wanted.where(DecisionRow.id > behind[0])
    rows = session.execute(wanted.order_by(DecisionRow.id).limit(sliced.one_more)).all()
    return sliced.page(rows, _told, lambda row: (row.decision,))


@router.get("/budgets", responses=documented())
def budgets(session: Reading, _holder: ReadsNetwork, sliced: Sliced) -> Page[ToldBudget]:
    """The budgets, by code."""
    return sliced.of([_budget(each) for each in reports(session)], lambda each: (each.code,), str)


@router.get("/closings", responses=documented())
def closings(session: Reading, _holder: ReadsNetwork, sliced: Sliced) -> Page[ToldClosing]:
    """The closes, in the order in which they were made."""
    wanted = sa.select(Closing).order_by(Closing.id).limit(sliced.one_more)
    if behind := sliced.begins_behind(int):
        wanted = wanted.where(Closing.id > behind[0])
    rows = session.scalars(wanted).all()
    return sliced.page(rows, _closing, lambda row: (row.id,))


_DECISIONS = (
    sa.select(
        DecisionRow.id.label("decision"),
        Partner.code.label("partner"),
        RuleVersion.code.label("rule"),
        RuleVersion.version.label("rule_version"),
        Closing.period,
        EventRow.key.label("event"),
        EventRow.on,
        DecisionRow.verdict,
        DecisionRow.points,
        Transfer.key.label("entry"),
    )
    .join(Partner, Partner.id == DecisionRow.partner_id)
    .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
    .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
    .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
    .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
)


def _told(row: Any) -> ToldVerdict:
    return ToldVerdict(**row._mapping)  # noqa: SLF001 - a row's own way to be a mapping


def _budget(report: BudgetReport) -> ToldBudget:
    return ToldBudget(
        code=report.code,
        funded=report.funded,
        spent=report.spent,
        committed=report.committed,
        reserved=report.reserved,
        left=report.left,
        used_share=decimals(report.used_share),
    )


def _closing(closing: Closing) -> ToldClosing:
    return ToldClosing(
        period=closing.period,
        closed_at=closing.closed_at,
        closed_by=closing.closed_by,
        figures_digest=closing.digest,
    )
