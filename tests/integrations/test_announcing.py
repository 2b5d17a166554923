"""What is told of a close, an event, an entry, an alert and answers; and that it is told once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from integrations.announcing import HANDLERS, acts, tellings_of
from integrations.carrying import Handler, Hands
from integrations.telling import Telling
from integrations.webhooks.endpoints import WebhookEndpoint
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import ANNOUNCE, Effect
from partner_cx.errors import Invalid
from rewards.holds import release_due
from rewards.ledger import Account, AccountKind, Entry
from tests.harness import events
from tests.harness.audited import a_sound_programme
from tests.harness.events import a_course, a_rule, in_force
from tests.harness.intake import NOW as TAKEN_AT
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW, a_closed_quarter, close_it

FUNDED = 10_000


def told(engine: sa.Engine, event: str) -> list[Telling]:
    """What there is to tell of a sort, of all that was announced, in its order."""
    with reading(engine) as session:
        announced = sa.select(Effect.payload).where(Effect.kind == ANNOUNCE).order_by(Effect.id)
        acts = session.scalars(announced).all()
        tellings = [each for act in acts for each in tellings_of(session, act)]
    return [each for each in tellings if each.event == event]


def answer(source_id: str, value: str) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "survey_code": "relation",
        "partner_code": "R1",
        "answered_at": "2026-07-01T08:00:00Z",
        "question_code": "pnps",
        "value": value,
        "text": "Slow replies",
        "respondent": "nora@r1.example",
    }


def incident(source_id: str, opened_at: str) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "opened_at": opened_at,
        "category": "incident",
    }


def test_a_close_tells_of_the_period_the_decisions_and_the_points(engine: sa.Engine) -> None:
    a_closed_quarter(engine)
    [period] = told(engine, "period.closed")
    assert period.data["period"] == "2026Q2"
    decided = {each.partner_code: each.data["decisions"] for each in told(engine, "decisions.made")}
    verdicts = {code: [each["verdict"] for each in of] for code, of in decided.items()}
    assert verdicts["R1"] == ["met"]
    assert verdicts["R2"] == ["not_met"]
    [entry] = told(engine, "entry.posted")
    assert entry.partner_code == "R1"
    assert (entry.data["account"], entry.data["points"]) == ("wallet", 500)
    assert entry.data["rule"] == {"code": "network_quality_bonus", "version": 1}
    assert entry.data["period"] == "2026Q2"
    assert set(entry.data["why"]) == {"en", "fr"}


def test_closing_again_tells_of_nothing_again(engine: sa.Engine) -> None:
    a_closed_quarter(engine)
    before = told(engine, "entry.posted"), told(engine, "period.closed")
    close_it(engine)
    assert (told(engine, "entry.posted"), told(engine, "period.closed")) == before


def test_money_for_a_budget_is_told_to_nobody(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    in_force(engine, a_rule())
    assert told(engine, "entry.posted") == []


def test_an_event_tells_of_its_decision_and_its_entry_once(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    in_force(engine, a_rule())
    for _ in range(3):
        events.tell(engine, a_course())
    [decided] = told(engine, "decisions.made")
    assert decided.data["event"]["kind"] == "course_completed"
    assert [each["points"] for each in decided.data["decisions"]] == [50]
    [entry] = told(engine, "entry.posted")
    assert (entry.data["partner"], entry.data["points"]) == ("R1", 50)


def test_a_held_award_is_told_as_pending_and_then_as_come(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    in_force(engine, a_rule(hold_days="14"))
    events.tell(engine, a_course())
    later = events.NOW + timedelta(days=30)
    transact(engine, lambda session: release_due(session, on=later.date(), now=later))
    entries = [(each.data["account"], each.data["points"]) for each in told(engine, "entry.posted")]
    assert entries == [("pending", 50), ("pending", -50), ("wallet", 50)]
    released = told(engine, "entry.posted")[-1]
    assert released.data["settles"] is not None
    assert released.data["rule"] == {"code": "course", "version": 1}


def test_a_budget_that_runs_out_raises_its_alerts(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    in_force(engine, a_rule(), points=100)
    events.tell(engine, a_course("C1"))
    events.tell(engine, a_course("C2"))
    levels = [each.data["level_percent"] for each in told(engine, "alert.raised")]
    assert levels == [50, 80, 95, 100]


def test_answers_are_told_without_who_gave_them(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    take(engine, "answers", answer("A1", "0"))
    take(engine, "answers", answer("A1", "0"))  # unchanged: nothing to tell
    [received] = told(engine, "answer.received")
    assert received.data["value"] == 0
    assert received.data["text"] == "Slow replies"
    assert "nora" not in str(received)


def test_years_of_old_answers_and_incidents_are_taken_in_silently(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    ages = {"A1": 0, "A2": 29, "A3": 31, "A4": 900}
    at = {
        each: f"{TAKEN_AT - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}" for each, days in ages.items()
    }
    take(engine, "answers", *({**answer(each, "0"), "answered_at": at[each]} for each in ages))
    take(engine, "tickets", *(incident(each, at[each]) for each in ages))
    answered = [each.data["answered_at"][:10] for each in told(engine, "answer.received")]
    assert answered == [at["A1"][:10], at["A2"][:10]]
    assert [each.data["ticket"] for each in told(engine, "incident.opened")] == ["A1", "A2"]


def test_an_import_of_many_answers_is_told_in_pieces(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acts, "ANSWERS_AT_ONCE", 2)
    take(engine, "partners", partner())
    take(engine, "answers", *(answer(f"A{number}", "9") for number in range(5)))
    transact(engine, lambda session: session.add(listening("answer.received")))
    carry_out_due(Hands(engine, SETTINGS, lambda: NOW), handlers=_announcing())
    with reading(engine) as session:
        kinds = session.scalars(sa.select(Effect.kind)).all()
    assert (kinds.count(ANNOUNCE), kinds.count("webhook.message")) == (3, 5)
    ids = [each.id for each in told(engine, "answer.received")]
    assert len(ids) == len(set(ids)) == 5


def test_an_act_of_a_newer_version_is_left_for_it() -> None:
    with pytest.raises(Invalid, match="up to date"):
        tellings_of(None, {"gesture": 1})  # type: ignore[arg-type]


def test_an_act_carried_out_twice_owes_nothing_twice(engine: sa.Engine) -> None:
    a_closed_quarter(engine)
    transact(engine, lambda session: session.add(listening("entry.posted")))
    hands = Hands(engine, SETTINGS, lambda: NOW)
    for _ in range(2):
        carry_out_due(hands, handlers=_announcing())
        _forget_that_it_was_done(engine)
    with reading(engine) as session:
        keys = session.scalars(sa.select(Effect.key).where(Effect.kind == "webhook.message"))
        assert len(list(keys)) == 1


def listening(*events: str) -> WebhookEndpoint:
    return WebhookEndpoint(
        url="https://portal.example/", events=list(events), made_at=NOW, made_by="mia"
    )


def _announcing() -> dict[str, Handler]:
    return {**HANDLERS, "webhook.message": lambda _due, _hands: None}


def _forget_that_it_was_done(engine: sa.Engine) -> None:
    """As when a worker is killed between the act and its settling."""
    again = sa.update(Effect).where(Effect.kind == ANNOUNCE).values(done_at=None)
    transact(engine, lambda session: session.execute(again))


def test_what_is_told_has_an_id_that_any_header_can_hold(engine: sa.Engine) -> None:
    """Codes may be written in any alphabet; ids may not, nor hold the full stops of signatures."""
    take(engine, "partners", partner("Ré.seau ν"))
    a_closed_quarter(engine)
    decided = told(engine, "decisions.made")
    assert "Ré.seau ν" in [each.partner_code for each in decided]
    others = [*told(engine, "entry.posted"), *told(engine, "period.closed")]
    ids = [each.id for each in (*decided, *others)]
    assert [each for each in ids if not re.fullmatch(r"[\w:-]+", each, re.ASCII)] == []


def test_whatever_comes_to_a_wallet_or_leaves_it_is_told_once(engine: sa.Engine) -> None:
    """Awards, holds, yeses and noes, restatements and corrections: all by way of the ledger."""
    a_sound_programme(engine)
    owned = (
        sa.select(Entry.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind.in_([AccountKind.WALLET, AccountKind.PENDING]))
    )
    with reading(engine) as session:
        posted = set(session.scalars(owned))
    entries = [each.data["entry"] for each in told(engine, "entry.posted")]
    assert len(posted) > 10
    assert set(entries) == posted
    assert len(entries) == len(posted)
