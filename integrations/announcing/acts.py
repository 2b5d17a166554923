"""Tellings of acts: a close with what it decided, an event, an alert, answers that came in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.announcing import entries
from integrations.telling import Telling
from partner_cx.effects import ANNOUNCE, Owed
from partner_cx.feedback.answers import Answer
from partner_cx.kinds.tickets import INCIDENT
from partner_cx.network.partners import Partner
from partner_cx.operations.facts import Ticket
from partner_cx.operations.imports import Import, Source
from partner_cx.quantities import MICRO
from rewards.budgets import BudgetAlert
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing
from rewards.rulebook import RuleVersion

# What was answered or opened longer before it came in is history: the first import of a network
# holds years of it, and is no news to anybody.
STILL_TOLD = timedelta(days=30)

ANSWERS_AT_ONCE = 5_000  # of an import, in one transaction; the rest is an act of its own


def of_closing(session: Session, closing_id: int) -> Iterator[Telling]:
    """That a period was closed, and to each partner what was decided about it."""
    closing = session.get_one(Closing, closing_id)
    data = {
        "period": closing.period,
        "closed_at": closing.closed_at.isoformat(),
        "closed_by": closing.closed_by,
    }
    yield Telling("period.closed", f"closing:{closing_id}", closing.closed_at, None, None, data)
    decided = _DECISIONS.where(DecisionRow.closing_id == closing_id)
    rows = session.execute(decided.order_by(Partner.code, RuleVersion.code, DecisionRow.id))
    for (partner_id, code), of_partner in groupby(rows, lambda row: (row.partner_id, row.partner)):
        yield Telling(
            event="decisions.made",
            id=f"decisions:closing:{closing_id}:{partner_id}",
            at=closing.closed_at,
            partner_id=partner_id,
            partner_code=code,
            data={
                "partner": code,
                "period": closing.period,
                "event": None,
                "decisions": [_decision(row) for row in of_partner],
            },
        )


def of_event(session: Session, event_id: int) -> Iterator[Telling]:
    """What was decided on an event, and the entries it led to at once."""
    event = session.get_one(EventRow, event_id)
    rows = session.execute(_DECISIONS.where(DecisionRow.event_id == event_id)).all()
    code = session.get_one(Partner, event.partner_id).code
    yield Telling(
        event="decisions.made",
        id=f"decisions:event:{event_id}",
        at=event.recorded_at,
        partner_id=event.partner_id,
        partner_code=code,
        data={
            "partner": code,
            "period": None,
            "event": {"key": event.key, "kind": event.kind, "subject": event.subject},
            "decisions": [_decision(row) for row in rows],
        },
    )
    yield from entries.of_decisions(session, [row.id for row in rows])


def of_budget_alert(session: Session, alert_id: int) -> Iterator[Telling]:
    """That so much of a budget is used."""
    alert = session.get_one(BudgetAlert, alert_id)
    data = {
        "alert": "budget",
        "budget": alert.budget_code,
        "level_percent": alert.level,
        "used_points": alert.used_points,
        "funded_points": alert.funded_points,
        "sentence": {"en": alert.sentence.en, "fr": alert.sentence.fr},
    }
    yield Telling("alert.raised", f"budget_alert:{alert_id}", alert.raised_at, None, None, data)


def of_answers(session: Session, piece: int | Sequence[int]) -> Iterator[Telling]:
    """A piece of the answers that an import brought or corrected. Never who gave them.

    piece: the import; or it, and the answer after which to go on.
    """
    import_id, after = (piece, 0) if isinstance(piece, int) else piece
    came = session.get_one(Import, import_id).imported_at
    found = (
        sa.select(Answer, Partner.code)
        .join(Partner, Partner.id == Answer.partner_id)
        .where(
            Answer.import_id == import_id,
            Answer.id > after,
            Answer.answered_at >= came - STILL_TOLD,
        )
        .order_by(Answer.id)
        .limit(ANSWERS_AT_ONCE)
    )
    for answer, code in session.execute(found):
        yield Telling(
            event="answer.received",
            id=f"answer:{answer.id}:{import_id}",
            at=came,
            partner_id=answer.partner_id,
            partner_code=code,
            data={
                "partner": code,
                "survey": answer.survey_code,
                "question": answer.question_code,
                "value": _value(answer.value),
                "text": answer.text,
                "dismissed": answer.dismissed,
                "answered_at": answer.answered_at.isoformat(),
            },
        )


def rest_of(told: Sequence[Telling]) -> Owed | None:
    """The act that goes on after a full piece of an import's answers."""
    if len(told) < ANSWERS_AT_ONCE or told[-1].event != "answer.received":
        return None
    after, import_id = (int(number) for number in told[-1].id.split(":")[1:])
    key = f"{ANNOUNCE}:answers:{import_id}:{after}"
    return Owed(ANNOUNCE, key, {"answers": [import_id, after]})


def of_incidents(session: Session, import_id: int) -> Iterator[Telling]:
    """The open incidents that an import brought or corrected, each always as the same telling."""
    came = session.get_one(Import, import_id).imported_at
    found = (
        sa.select(Ticket, Partner.code, Source.code.label("source"))
        .join(Partner, Partner.id == Ticket.partner_id)
        .join(Source, Source.id == Ticket.source)
        .where(
            Ticket.import_id == import_id,
            Ticket.opened_at >= came - STILL_TOLD,
            sa.func.lower(Ticket.category) == INCIDENT,
            Ticket.resolved_at.is_(None),
        )
        .order_by(Ticket.id)
    )
    for ticket, code, source in session.execute(found):
        yield Telling(
            event="incident.opened",
            id=f"incident:{ticket.id}",
            at=came,
            partner_id=ticket.partner_id,
            partner_code=code,
            data={
                "partner": code,
                "source": source,
                "ticket": ticket.source_id,
                "opened_at": ticket.opened_at.isoformat(),
            },
        )


def _value(micro: int | None) -> int | float | None:
    """A score as people write it: 9, or 3.5."""
    if micro is None:
        return None
    return micro // MICRO if micro % MICRO == 0 else micro / MICRO


def _decision(row: Any) -> Mapping[str, Any]:
    return {
        "decision": row.id,
        "rule": {"code": row.code, "version": row.version},
        "verdict": row.verdict,
        "points": row.points,
    }


_DECISIONS = (
    sa.select(
        DecisionRow.id,
        DecisionRow.partner_id,
        DecisionRow.verdict,
        DecisionRow.points,
        Partner.code.label("partner"),
        RuleVersion.code,
        RuleVersion.version,
    )
    .join(Partner, Partner.id == DecisionRow.partner_id)
    .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
)
