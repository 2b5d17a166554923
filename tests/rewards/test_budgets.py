"""Budgets: where their points are, what is reserved of them, and when they are told to run out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.words import Words
from rewards.budgets import (
    BudgetAlert,
    BudgetReport,
    alerts,
    budget,
    fund,
    points_left,
    raise_alerts,
    report,
    reports,
)
from rewards.budgets.reservations import release, reservations, reserve, settle
from rewards.ledger import (
    Account,
    AccountKind,
    Move,
    Posting,
    Transfer,
    account,
    post,
    post_many,
)
from tests.harness.balanced import unbalanced

NOW = datetime(2026, 7, 2, 9, 0, tzinfo=UTC)
WHY = Words("A panel in Lyon", "Un panel à Lyon")


def funded(session: Session, points: int, code: str = "quality") -> None:
    why = Words("For 2026", "Pour 2026")
    fund(session, code, points, key=f"fund:{code}:{points}", why=why, now=NOW)


def set_aside(session: Session, points: int, key: str = "panel") -> Transfer:
    return reserve(session, "quality", points, key=key, why=WHY, now=NOW)


def wallet(session: Session, owner: str = "partner:R1") -> Account:
    return account(session, AccountKind.WALLET, owner)


def award(session: Session, points: int, key: str, to: str = AccountKind.WALLET) -> Transfer:
    target = account(session, AccountKind(to), "partner:R1")
    moves = [Move(budget(session, "quality"), target, points)]
    return post(session, key=key, why=WHY, moves=moves, effective_on=NOW.date(), now=NOW)


# --- where the points are ---------------------------------------------------------------------


def test_a_budget_never_funded_has_no_points_anywhere(session: Session) -> None:
    assert report(session, "quality") == BudgetReport("quality", 0, 0, 0, 0, 0)
    assert report(session, "quality").used_share is None


def test_a_report_adds_up(session: Session) -> None:
    funded(session, 1_000)
    funded(session, 500)
    award(session, 300, "a1")
    award(session, 200, "a2", to="pending")
    set_aside(session, 100)
    told = report(session, "quality")
    assert told == BudgetReport("quality", 1_500, 300, 200, 100, 900)
    assert told.spent + told.committed + told.reserved + told.left == told.funded
    assert told.used == 600


def test_an_award_taken_back_is_not_spent(session: Session) -> None:
    funded(session, 1_000)
    award(session, 300, "a1")
    moves = [Move(wallet(session), budget(session, "quality"), 120)]
    post(session, key="back", why=WHY, moves=moves, effective_on=NOW.date(), now=NOW)
    told = report(session, "quality")
    assert (told.funded, told.spent, told.left) == (1_000, 180, 820)


def test_what_a_partner_redeems_stays_spent(session: Session) -> None:
    funded(session, 1_000)
    award(session, 300, "a1")
    moves = [Move(wallet(session), account(session, AccountKind.SPENT, "gifts"), 250)]
    post(session, key="gift", why=WHY, moves=moves, effective_on=NOW.date(), now=NOW)
    assert report(session, "quality").spent == 300


@pytest.mark.parametrize(
    ("to", "spent", "left"), [("wallet", 200, 800), ("budget", 0, 1_000)], ids=["released", "no"]
)
def test_a_held_award_is_committed_until_it_is_settled(
    session: Session, to: str, spent: int, left: int
) -> None:
    funded(session, 1_000)
    held = award(session, 200, "held", to="pending")
    assert report(session, "quality").committed == 200
    target = wallet(session) if to == "wallet" else budget(session, "quality")
    move = Move(account(session, AccountKind.PENDING, "partner:R1"), target, 200)
    settling = Posting("settled", WHY, (move,), NOW.date(), settles_id=held.id)
    post_many(session, [settling], now=NOW)
    assert report(session, "quality") == BudgetReport("quality", 1_000, spent, 0, 0, left)


def test_every_budget_is_reported_by_code(session: Session) -> None:
    funded(session, 10, "quality")
    funded(session, 20, "panels")
    assert [(told.code, told.left) for told in reports(session)] == [
        ("panels", 20),
        ("quality", 10),
    ]


# --- reservations -----------------------------------------------------------------------------


def test_a_request_beyond_the_cap_is_refused_whole(session: Session) -> None:
    funded(session, 10_000)
    set_aside(session, 9_950, "first")
    with pytest.raises(Conflict, match="Budget quality holds 50 of 100 points"):
        set_aside(session, 100, "second")
    assert [each.points for each in reservations(session)] == [9_950]
    assert points_left(session, "quality") == 50


def at_once(*acts: Callable[[], object]) -> list[str]:
    """What became of acts begun together, each in a thread of its own."""
    together, outcomes = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        together.wait()
        try:
            act()
            outcomes.append("accepted")
        except Conflict as refusal:
            outcomes.append(refusal.message)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def asking(engine: sa.Engine, points: int, key: str) -> Callable[[], object]:
    return lambda: transact(engine, lambda session: set_aside(session, points, key).id)


def test_of_two_simultaneous_requests_for_40_exactly_one_is_accepted(engine: sa.Engine) -> None:
    transact(engine, lambda session: funded(session, 10_000))
    transact(engine, lambda session: set_aside(session, 9_950, "before").id)
    outcomes = at_once(asking(engine, 40, "one"), asking(engine, 40, "other"))
    assert outcomes == ["Budget quality holds 10 of 40 points.", "accepted"]
    with reading(engine) as session:
        assert report(session, "quality") == BudgetReport("quality", 10_000, 0, 0, 9_990, 10)
        assert unbalanced(session) == []


def test_one_key_reserves_once_however_often_and_by_however_many(engine: sa.Engine) -> None:
    transact(engine, lambda session: funded(session, 1_000))
    assert at_once(*[asking(engine, 40, "panel")] * 4) == ["accepted"] * 4
    with reading(engine) as session:
        assert report(session, "quality").reserved == 40


def test_told_again_on_another_day_it_is_the_same_reservation(session: Session) -> None:
    funded(session, 1_000)
    later = NOW + timedelta(days=3)
    first = set_aside(session, 40)
    assert reserve(session, "quality", 40, key="panel", why=WHY, now=later) is first
    with pytest.raises(Conflict, match="already stands for another transfer"):
        set_aside(session, 41)


def test_what_is_settled_reaches_the_wallet_and_the_rest_goes_back(session: Session) -> None:
    funded(session, 1_000)
    set_aside(session, 400)
    settle(session, "panel", wallet(session), points=250, why=WHY, now=NOW)
    assert report(session, "quality") == BudgetReport("quality", 1_000, 250, 0, 0, 750)
    assert reservations(session) == []
    assert unbalanced(session) == []


def test_a_reservation_ends_once(session: Session) -> None:
    funded(session, 1_000)
    set_aside(session, 400)
    first = settle(session, "panel", wallet(session), why=WHY, now=NOW)
    assert settle(session, "panel", wallet(session), why=WHY, now=NOW) is first
    with pytest.raises(Conflict, match="The reservation panel is over"):
        settle(session, "panel", wallet(session, "partner:R2"), why=WHY, now=NOW)
    with pytest.raises(Conflict, match="The reservation panel is over"):
        release(session, "panel", why=WHY, now=NOW)
    assert report(session, "quality").spent == 400


def test_of_a_settlement_and_a_release_at_once_one_happens(engine: sa.Engine) -> None:
    def begin(session: Session) -> None:
        funded(session, 1_000)
        set_aside(session, 400)

    transact(engine, begin)
    outcomes = at_once(
        lambda: transact(
            engine,
            lambda session: settle(session, "panel", wallet(session), why=WHY, now=NOW).id,
        ),
        lambda: transact(engine, lambda session: release(session, "panel", why=WHY, now=NOW).id),
    )
    assert outcomes == [
        "The reservation panel is over: it was settled or released.",
        "accepted",
    ]
    with reading(engine) as session:
        assert report(session, "quality").reserved == 0
        assert unbalanced(session) == []


def test_what_is_released_can_be_reserved_again(session: Session) -> None:
    funded(session, 100)
    set_aside(session, 100)
    release(session, "panel", why=WHY, now=NOW)
    set_aside(session, 100, "another")
    assert [each.key for each in reservations(session, "quality")] == ["another"]


def test_keys_with_signs_of_their_own_are_kept_apart(session: Session) -> None:
    funded(session, 100)
    set_aside(session, 10, "a")
    set_aside(session, 20, "a:over")
    release(session, "a", why=WHY, now=NOW)
    assert [(each.key, each.points) for each in reservations(session)] == [("a:over", 20)]


@pytest.mark.parametrize("points", [0, 401, -1])
def test_more_or_less_than_was_reserved_cannot_be_settled(session: Session, points: int) -> None:
    funded(session, 1_000)
    set_aside(session, 400)
    with pytest.raises(Invalid, match="are reserved under panel"):
        settle(session, "panel", wallet(session), points=points, why=WHY, now=NOW)


def test_what_nobody_reserved_cannot_be_released(session: Session) -> None:
    with pytest.raises(NotFound, match="Nothing is reserved under panel"):
        release(session, "panel", why=WHY, now=NOW)


# --- alerts -----------------------------------------------------------------------------------


def levels(raised: list[BudgetAlert]) -> list[int]:
    return [alert.level for alert in raised]


def test_each_level_is_told_once(session: Session) -> None:
    funded(session, 1_000)
    award(session, 499, "a1")
    assert raise_alerts(session, ["quality"], NOW) == []
    award(session, 1, "a2")
    assert levels(raise_alerts(session, ["quality"], NOW)) == [50]
    assert raise_alerts(session, ["quality"], NOW) == []
    award(session, 460, "a3")
    assert levels(raise_alerts(session, ["quality"], NOW)) == [80, 95]
    award(session, 40, "a4")
    assert levels(raise_alerts(session, ["quality"], NOW)) == [100]
    assert levels(alerts(session, "quality")) == [100, 95, 80, 50]
    assert alerts(session, "panels") == []


def test_held_and_reserved_points_count_as_used(session: Session) -> None:
    funded(session, 1_000)
    award(session, 300, "a1", to="pending")
    set_aside(session, 200)
    assert levels(alerts(session)) == [50]


def test_a_budget_funded_again_has_its_levels_before_it_again(session: Session) -> None:
    funded(session, 1_000)
    award(session, 900, "a1")
    assert levels(raise_alerts(session, ["quality"], NOW)) == [50, 80]
    funded(session, 2_000)
    assert raise_alerts(session, ["quality"], NOW) == []
    award(session, 600, "a2")
    assert levels(raise_alerts(session, ["quality"], NOW)) == [50]


def test_an_alert_says_how_much_in_both_languages(session: Session) -> None:
    funded(session, 10_000)
    award(session, 8_000, "a1")
    told = raise_alerts(session, ["quality"], NOW, levels=[80])[0].sentence
    assert told.en == "Budget quality: 80% is used, 8,000 of 10,000 points."
    assert "80\u202f% sont utilisés" in told.fr


def test_an_alert_that_two_would_raise_is_told_once(engine: sa.Engine) -> None:
    def begin(session: Session) -> None:
        funded(session, 100)
        award(session, 60, "a1")

    transact(engine, begin)
    told: list[int] = []
    act = lambda: told.append(  # noqa: E731
        transact(engine, lambda session: len(raise_alerts(session, ["quality"], NOW)))
    )
    assert at_once(act, act) == ["accepted"] * 2
    assert sorted(told) == [0, 1]
