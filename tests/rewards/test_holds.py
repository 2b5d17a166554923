"""Held awards: released on their day, approved or refused by somebody, and each of it once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.errors import Conflict, Invalid, NotFound
from rewards import holds
from rewards.holds import Held, Released
from rewards.ledger import Transfer
from rewards.ledger.owners import owner_of
from rewards.statements import statement
from tests.harness.events import NOW, a_course, a_rule, in_force, tell
from tests.harness.events import holds as held_by
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import MANAGER

DUE = date(2026, 7, 24)  # fourteen days after the course of 10 July
KEY = "event:C1:course"


@pytest.fixture
def partners(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("R1"), partner("R2"))
    return engine


def release(engine: sa.Engine, on: date) -> Released:
    return transact(engine, lambda session: holds.release_due(session, on=on, now=NOW))


def approve(engine: sa.Engine, key: str = KEY, now: datetime = NOW, why: str = "") -> Held:
    return transact(
        engine,
        lambda session: holds.approve(
            session, key, by=MANAGER, why=why, now=now, settings=SETTINGS
        ),
    )


def refuse(engine: sa.Engine, key: str = KEY, why: str = "Told twice") -> Held:
    return transact(
        engine,
        lambda session: holds.refuse(session, key, by=MANAGER, why=why, now=NOW, settings=SETTINGS),
    )


def where(engine: sa.Engine, owner: str = "partner:R1") -> dict[str, int]:
    """Where the points are: pending, in the wallet, in the budget."""
    return {
        "pending": held_by(engine, "pending", owner),
        "wallet": held_by(engine, "wallet", owner),
        "budget": held_by(engine, "budget", "learning"),
    }


PENDING = {"pending": 50, "wallet": 0, "budget": 9_950}
IN_WALLET = {"pending": 0, "wallet": 50, "budget": 9_950}
TAKEN_BACK = {"pending": 0, "wallet": 0, "budget": 10_000}


@pytest.mark.parametrize(
    ("on", "found"), [(date(2026, 7, 23), PENDING), (DUE, IN_WALLET), (date(2027, 1, 1), IN_WALLET)]
)
def test_a_held_award_is_released_from_its_day_on(
    partners: sa.Engine, on: date, found: dict[str, int]
) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    release(partners, on)
    assert where(partners) == found


def test_releasing_again_releases_nothing(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    for number in range(3):
        tell(partners, a_course(f"C{number}"))
    tell(partners, a_course("other", partner_code="R2"))
    assert release(partners, DUE) == Released(4, 200)
    assert release(partners, DUE) == Released()
    assert held_by(partners, "wallet", "partner:R1") == 150


def test_what_needs_a_yes_is_not_released_by_itself(partners: sa.Engine) -> None:
    in_force(partners, a_rule(needs_approval="true"))
    tell(partners, a_course())
    assert release(partners, date(2030, 1, 1)) == Released()
    assert where(partners) == PENDING
    assert approve(partners).points == 50
    assert where(partners) == IN_WALLET


def test_an_award_held_and_to_be_approved_waits_for_both(partners: sa.Engine) -> None:
    in_force(partners, a_rule(needs_approval="true", hold_days="14"))
    tell(partners, a_course())
    with pytest.raises(Conflict, match="held until 2026-07-24"):
        approve(partners)
    approve(partners, now=datetime(2026, 7, 23, 22, 30, tzinfo=UTC))  # the 24th in Paris
    assert where(partners) == IN_WALLET


def test_what_only_waits_for_its_day_needs_nobodys_yes(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    with pytest.raises(Conflict, match="needs nobody's yes"):
        approve(partners)


@pytest.mark.parametrize("terms", [{"hold_days": "14"}, {"needs_approval": "true"}])
def test_a_refused_award_goes_back_to_the_budget_and_says_why(
    partners: sa.Engine, terms: dict[str, str]
) -> None:
    in_force(partners, a_rule(**terms))
    tell(partners, a_course())
    refuse(partners)
    assert where(partners) == TAKEN_BACK
    with Session(partners) as session:
        [held] = statement(session, owner_of(session, "R1"), settings=SETTINGS).held
        assert held.settled_why is not None
        assert "Told twice" in held.settled_why.en
        assert MANAGER in held.settled_why.fr
        assert not held.released


@pytest.mark.parametrize("settle", [release, approve, refuse])
@pytest.mark.parametrize("again", [approve, refuse])
def test_an_award_is_settled_once(partners: sa.Engine, settle: Any, again: Any) -> None:
    terms = {"hold_days": "14"} if settle is release else {"needs_approval": "true"}
    in_force(partners, a_rule(**terms))
    tell(partners, a_course())
    settle(partners, DUE) if settle is release else settle(partners)
    before = where(partners)
    with pytest.raises(Conflict, match="settled already"):
        again(partners)
    assert release(partners, date(2030, 1, 1)) == Released()
    assert where(partners) == before


def test_a_key_that_no_award_has_is_not_found(partners: sa.Engine) -> None:
    with pytest.raises(NotFound, match="partner-cx holds list"):
        refuse(partners, "event:C9:course")


def test_an_award_that_was_never_held_cannot_be_refused(partners: sa.Engine) -> None:
    in_force(partners, a_rule())
    tell(partners, a_course())
    with pytest.raises(Conflict, match="never held"):
        refuse(partners)


@pytest.mark.parametrize("why", ["", "  ", "two\nlines"])
def test_a_refusal_without_a_reason_is_refused(partners: sa.Engine, why: str) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    with pytest.raises(Invalid):
        refuse(partners, why=why)
    assert where(partners) == PENDING


def test_those_that_wait_are_listed_by_their_day(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"), a_rule("slow", hold_days="30"))
    in_force(partners, a_rule("asked", needs_approval="true"), points=0)
    tell(partners, a_course())
    with Session(partners) as session:
        found = holds.pending(session)
        assert [(each.key, each.held_until, each.needs_approval) for each in found] == [
            ("event:C1:asked", None, True),
            ("event:C1:course", DUE, False),
            ("event:C1:slow", date(2026, 8, 9), False),
        ]
        assert {each.owner for each in found} == {"partner:R1"}
        assert holds.pending(session, "partner:R2") == []
    release(partners, DUE)
    with Session(partners) as session:
        assert [each.key for each in holds.pending(session)] == ["event:C1:asked", "event:C1:slow"]


def test_a_persons_held_award_is_released_to_the_person(partners: sa.Engine) -> None:
    in_force(partners, a_rule(award="{points: 50, to: person}", hold_days="14"))
    tell(partners, a_course())
    release(partners, DUE)
    assert where(partners, "person:ada@r1.example") == IN_WALLET


def test_a_release_says_what_it_releases_and_points_at_it(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    release(partners, DUE)
    with Session(partners) as session:
        award, settling = session.scalars(
            sa.select(Transfer).where(Transfer.key.contains(KEY)).order_by(Transfer.id)
        )
        assert (settling.key, settling.settles_id) == (f"release:{KEY}", award.id)
        assert settling.effective_on == DUE
        assert award.why_en in settling.why_en
