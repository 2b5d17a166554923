"""Explained: why somebody has points or hasn't, back to the rows, as programs read it."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from api.v1.told import Instant, PeriodCode, ToldFigure, figure
from rewards.conditions import Verdict
from rewards.ledger.posted import Posted
from rewards.misses import Misses
from rewards.statements import telling
from rewards.statements.explanations import Explained, Explanation, Judged, Proposed, Reason


class ToldRow(BaseModel):
    """A row of facts behind a figure."""

    source_id: str = Field(description="As its source calls it.", examples=["R2-wrong-1"])
    on: date = Field(examples=["2026-05-18"])
    sentence: str = Field(examples=["Order O-R2-wrong: two days late"])


class ToldRows(BaseModel):
    """Some of the rows behind a figure, and how many there are."""

    total: int = Field(examples=[3])
    rows: list[ToldRow]


class ToldReason(BaseModel):
    """What one condition found."""

    verdict: Verdict = Field(examples=["not_met"])
    sentence: str = Field(examples=["OTIF 85%, target 95%: 2 lines short."])
    figure: ToldFigure | None
    formula: str | None = Field(
        description="What the figure counts.", examples=["Order lines received in full."]
    )
    missed: ToldRows = Field(description="The rows that kept it down, as known at the close.")
    kept: ToldRows = Field(description="Those that counted and kept.")


class ToldStep(BaseModel):
    """A step of the nearest way to what wasn't earned."""

    sentence: str = Field(examples=["2 more lines on time"])
    reachable: bool = Field(examples=[True])


class ToldProposal(BaseModel):
    """A compensation that was proposed, since facts were corrected after the close."""

    number: int = Field(examples=[1])
    points: int = Field(examples=[500])
    why: str = Field(examples=["Corrected since: 3 lines."])
    proposed_at: Instant
    proposed_by: str | None = Field(examples=["mia@brand.example"])
    approved: bool | None = Field(description="Null: nobody has settled it.", examples=[None])
    settled_by: str | None = Field(examples=[None])


class ToldDecision(BaseModel):
    """What a rule came to for a partner, at a close or on an event."""

    on: date = Field(examples=["2026-06-30"])
    period: PeriodCode | None = Field(description="Null: it was taken on an event.")
    event: str | None = Field(description="The key of that event.", examples=[None])
    rule: str = Field(examples=["network_quality_bonus"])
    rule_version: int = Field(examples=[1])
    published_by: str | None = Field(examples=["mia@brand.example"])
    approved_by: str | None = Field(examples=[None])
    verdict: Verdict = Field(examples=["not_met"])
    points: int = Field(examples=[0])
    sentence: str = Field(examples=["Network quality bonus, Q2 2026: not met."])
    agrees: bool = Field(
        description="Whether telling it again comes to the same; if not, run the audit.",
        examples=[True],
    )
    reasons: list[ToldReason]
    unpaid: str | None = Field(
        description="Why points that were earned weren't paid.", examples=[None]
    )
    way: list[ToldStep] = Field(description="The nearest way to what wasn't earned.")
    proposals: list[ToldProposal]


class ToldPosting(BaseModel):
    """An entry of the ledger that belongs to it."""

    key: str = Field(examples=["close:2026Q2:network_quality_bonus:R1"])
    entry: int = Field(examples=[3])
    account: str = Field(examples=["wallet"])
    on: date = Field(examples=["2026-06-30"])
    recorded_at: Instant
    points: int = Field(examples=[500])
    why: str = Field(examples=["Network quality bonus, Q2 2026: 500 points."])
    settles: str | None = Field(
        description="The key of the held award that it settles.", examples=[None]
    )
    corrects: str | None = Field(examples=[None])
    intact: bool = Field(description="Whether its digest is that of its contents.", examples=[True])


class ToldWhy(BaseModel):
    """Why an owner has some points, or hasn't."""

    subject: str = Field(description="A partner's code, or a person's address.", examples=["R2"])
    points: int = Field(description="What it has brought so far.", examples=[0])
    decision: ToldDecision | None = Field(description="Null where no rule gave the points.")
    entries: list[ToldPosting]


class ToldNotFor(BaseModel):
    """A rule that was decided in the period, and isn't for the partner."""

    rule: str = Field(examples=["gold_bonus"])
    rule_version: int = Field(examples=[1])
    sentence: str = Field(examples=["Gold bonus is only for tier gold."])


class ToldExplanation(BaseModel):
    """An explanation, in the order of its days."""

    period: PeriodCode | None
    explanations: list[ToldWhy]
    not_for: list[ToldNotFor]


def told_explanation(found: Explained, language: str, *, with_staff: bool) -> ToldExplanation:
    """with_staff: whether to name who published, approved and proposed: no partner's matter."""
    return ToldExplanation(
        period=str(found.period) if found.period else None,
        explanations=[_why(each, language, with_staff) for each in found.explanations],
        not_for=[
            ToldNotFor(
                rule=each.rule.code,
                rule_version=each.rule.version,
                sentence=telling.not_for(each).in_(language),
            )
            for each in found.not_for
        ],
    )


def _why(each: Explanation, language: str, with_staff: bool) -> ToldWhy:
    return ToldWhy(
        subject=each.subject,
        points=each.points,
        decision=_decision(each.judged, language, with_staff) if each.judged else None,
        entries=[_posting(posted, language) for posted in each.posted],
    )


def _decision(judged: Judged, language: str, with_staff: bool) -> ToldDecision:
    rule = judged.decision.rule
    return ToldDecision(
        on=judged.on,
        period=str(judged.period) if judged.period else None,
        event=judged.event.key if judged.event else None,
        rule=rule.code,
        rule_version=rule.version,
        published_by=judged.published.by if with_staff else None,
        approved_by=judged.published.approved_by if with_staff else None,
        verdict=judged.verdict,
        points=judged.points,
        sentence=judged.decision.sentence.in_(language),
        agrees=judged.agrees,
        reasons=[_reason(each, language) for each in judged.reasons],
        unpaid=judged.unpaid.in_(language) if judged.unpaid else None,
        way=[
            ToldStep(sentence=step.sentence.in_(language), reachable=step.reachable)
            for step in (judged.way.steps if judged.way else ())
        ],
        proposals=[_proposal(each, language, with_staff) for each in judged.proposals],
    )


def _reason(reason: Reason, language: str) -> ToldReason:
    return ToldReason(
        verdict=reason.verdict,
        sentence=reason.sentence.in_(language),
        figure=figure(reason.figure) if reason.figure else None,
        formula=reason.formula.in_(language) if reason.formula else None,
        missed=_rows(reason.behind, language),
        kept=_rows(reason.counted, language),
    )


def _rows(found: Misses, language: str) -> ToldRows:
    return ToldRows(
        total=found.total,
        rows=[
            ToldRow(source_id=row.source_id, on=row.day, sentence=row.sentence.in_(language))
            for row in found.rows
        ],
    )


def _proposal(each: Proposed, language: str, with_staff: bool) -> ToldProposal:
    return ToldProposal(
        number=each.number,
        points=each.points,
        why=each.why.in_(language),
        proposed_at=each.at,
        proposed_by=each.by if with_staff else None,
        approved=each.approved,
        settled_by=each.settled_by if with_staff else None,
    )


def _posting(each: Posted, language: str) -> ToldPosting:
    return ToldPosting(
        key=each.key,
        entry=each.entry,
        account=each.account,
        on=each.on,
        recorded_at=each.recorded_at,
        points=each.moved,
        why=each.why.in_(language),
        settles=each.settles,
        corrects=each.corrects,
        intact=each.intact,
    )
