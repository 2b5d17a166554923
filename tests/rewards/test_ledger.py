"""The ledger: points move once and never out of nothing, and every balance is its entries' sum."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Conflict, Invalid
from partner_cx.words import Words
from rewards.budgets import POINTS_MAX, budget, fund, points_left
from rewards.ledger import (
    Account,
    AccountKind,
    Entry,
    Move,
    Posting,
    Transfer,
    account,
    accounts,
    post,
    post_many,
)
from tests.harness.balanced import Imbalance, unbalanced

NOW = datetime(2026, 7, 2, 9, 0, tzinfo=UTC)
DAY = date(2026, 6, 30)
WHY = Words("Well done.", "Bravo.")


def funded(session: Session, points: int, code: str = "quality") -> Account:
    fund(session, code, points, key=f"fund:{code}", why=Words("For 2026", "Pour 2026"), now=NOW)
    return budget(session, code)


def wallet(session: Session, owner: str) -> Account:
    return account(session, AccountKind.WALLET, owner)


def give(session: Session, points: int, owner: str = "person:ana@shop.example", key: str = "gift"):
    move = Move(budget(session, "quality"), wallet(session, owner), points)
    return post(session, key=key, why=WHY, moves=[move], effective_on=DAY, now=NOW)


def balances(session: Session) -> dict[str, int]:
    session.expire_all()
    return {f"{a.kind} {a.owner}": a.balance_points for a in session.scalars(sa.select(Account))}


def test_points_come_from_funding_and_every_sum_is_zero(session: Session) -> None:
    funded(session, 1_000)
    give(session, 300)
    assert balances(session) == {
        "funding programme": -1_000,
        "budget quality": 700,
        "wallet person:ana@shop.example": 300,
    }
    assert unbalanced(session) == []


def test_the_same_key_again_is_the_same_transfer(session: Session) -> None:
    funded(session, 1_000)
    first = give(session, 300)
    assert give(session, 300) is first
    assert balances(session)["wallet person:ana@shop.example"] == 300


@pytest.mark.parametrize("points", [299, 301])
def test_the_same_key_with_other_contents_is_refused(session: Session, points: int) -> None:
    funded(session, 1_000)
    give(session, 300)
    with pytest.raises(Conflict, match="gift already stands for another transfer"):
        give(session, points)
    assert balances(session)["budget quality"] == 700
    assert unbalanced(session) == []


def test_an_account_never_gives_more_than_it_holds(session: Session) -> None:
    funded(session, 40)
    with pytest.raises(Conflict, match="Budget quality holds 40 of 100 points"):
        give(session, 100)
    assert balances(session)["budget quality"] == 40
    assert session.scalar(sa.select(sa.func.count(Transfer.id))) == 1  # the funding alone


def test_a_budget_of_10000_with_9950_reserved_refuses_100_whole(session: Session) -> None:
    source = funded(session, 10_000)
    held = account(session, AccountKind.HELD, "order:1")
    post(
        session,
        key="reserve",
        why=WHY,
        moves=[Move(source, held, 9_950)],
        effective_on=DAY,
        now=NOW,
    )
    with pytest.raises(Conflict, match="holds 50 of 100 points"):
        give(session, 100)
    assert points_left(session, "quality") == 50


@pytest.mark.parametrize("points", [0, -5])
def test_nothing_and_less_than_nothing_are_no_move(session: Session, points: int) -> None:
    funded(session, 100)
    with pytest.raises(Invalid):
        give(session, points)


def test_a_budget_holds_a_million_million_points_and_not_one_more(session: Session) -> None:
    funded(session, POINTS_MAX - 10)
    before = balances(session)
    too_many = [
        (10**20, Invalid, "100,000,000,000,000,000,000 points .* 1,000,000,000,000 points at most"),
        (2**63 - 1, Invalid, "at most"),
        (POINTS_MAX + 1, Invalid, "at most"),
        (11, Conflict, "would hold 1,000,000,000,001 points.* Give 10 points at most"),
    ]
    for points, refusal, said in too_many:
        with pytest.raises(refusal, match=said):
            fund(session, "quality", points, key="more", why=WHY, now=NOW)
        assert balances(session) == before
    for _ in range(2):  # told again, it is the same gift
        fund(session, "quality", 10, key="more", why=WHY, now=NOW)
    assert points_left(session, "quality") == POINTS_MAX
    assert unbalanced(session) == []


def test_a_move_to_oneself_moves_nothing(session: Session) -> None:
    source = funded(session, 100)
    with pytest.raises(Invalid, match="Nothing would move"):
        post(session, key="k", why=WHY, moves=[Move(source, source, 1)], effective_on=DAY, now=NOW)


def test_many_are_posted_all_together_and_only_once(session: Session) -> None:
    source = funded(session, 1_000)
    wallets = accounts(session, AccountKind.WALLET, {f"person:{n}@x": None for n in range(5)})
    postings = [
        Posting(f"award:{owner}", WHY, (Move(source, wallet, 100),), DAY)
        for owner, wallet in wallets.items()
    ]
    assert post_many(session, postings[:2], now=NOW) == 2
    assert post_many(session, postings, now=NOW) == 3
    assert post_many(session, postings, now=NOW) == 0
    assert balances(session)["budget quality"] == 500
    assert unbalanced(session) == []


def test_of_many_that_the_budget_cant_pay_none_is_posted(session: Session) -> None:
    source = funded(session, 250)
    wallets = accounts(session, AccountKind.WALLET, {f"person:{n}@x": None for n in range(3)})
    postings = [
        Posting(f"award:{owner}", WHY, (Move(source, wallet, 100),), DAY)
        for owner, wallet in wallets.items()
    ]
    with pytest.raises(Conflict, match="Budget quality holds 250 of 300 points"):
        post_many(session, postings, now=NOW)
    assert set(balances(session).values()) == {-250, 250, 0}
    assert unbalanced(session) == []


def test_many_never_take_more_from_a_wallet_than_it_holds(session: Session) -> None:
    funded(session, 250)
    ana, ben = "person:ana@x", "person:ben@x"
    give(session, 60, ana, "a")
    give(session, 40, ben, "b")
    spent = account(session, AccountKind.SPENT, "gifts")
    postings = [
        Posting(f"spend:{owner}", WHY, (Move(wallet(session, owner), spent, 50),), DAY)
        for owner in (ana, ben)
    ]
    with pytest.raises(Conflict, match="Wallet person:ben@x holds 40 of 50 points"):
        post_many(session, postings, now=NOW)
    assert balances(session)["wallet person:ana@x"] == 60


def test_one_and_many_post_the_same_under_one_key(session: Session) -> None:
    source = funded(session, 1_000)
    transfer = give(session, 300)
    target = wallet(session, "person:ana@shop.example")
    posting = Posting("gift", WHY, (Move(source, target, 300),), DAY)
    assert posting.digest == transfer.digest
    assert post_many(session, [posting], now=NOW) == 0
    other = Posting("gift", Words("Other", "Autre"), (Move(source, target, 300),), DAY)
    with pytest.raises(Conflict, match="gift already stands"):
        post_many(session, [other], now=NOW)


def test_of_two_who_ask_for_40_of_50_at_once_exactly_one_gets_them(engine: sa.Engine) -> None:
    transact(engine, lambda session: funded(session, 50).id)
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def ask(who: str) -> None:
        together.wait()
        try:
            transact(engine, lambda session: give(session, 40, f"person:{who}", who).id)
            outcomes.append("accepted")
        except Conflict as refusal:
            outcomes.append(refusal.message)

    threads = [threading.Thread(target=ask, args=(who,)) for who in ("ana@x", "ben@x")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Budget quality holds 10 of 40 points.", "accepted"]
    with reading(engine) as session:
        assert points_left(session, "quality") == 10
        assert unbalanced(session) == []


def test_one_key_posted_by_many_at_once_moves_points_once(engine: sa.Engine) -> None:
    transact(engine, lambda session: funded(session, 1_000).id)
    together = threading.Barrier(4)
    ids: list[int] = []

    def repeat() -> None:
        together.wait()
        ids.append(transact(engine, lambda session: give(session, 40).id))

    threads = [threading.Thread(target=repeat) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert len(set(ids)) == 1
    with reading(engine) as session:
        assert points_left(session, "quality") == 960


@pytest.mark.parametrize("model", [Transfer, Entry])
@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_refuses_to_change_what_was_posted(
    session: Session, model: type[Transfer | Entry], act: str
) -> None:
    funded(session, 100)
    statement = sa.delete(model) if act == "delete" else sa.update(model).values(id=model.id)
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        session.execute(statement)


def test_the_database_itself_refuses_a_balance_below_zero(session: Session) -> None:
    source = funded(session, 100)
    below = sa.update(Account).where(Account.id == source.id).values(balance_points=-1)
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(below)


def test_a_balance_that_was_tampered_with_is_found(session: Session) -> None:
    source = funded(session, 100)
    session.execute(sa.update(Account).where(Account.id == source.id).values(balance_points=90))
    assert unbalanced(session) == [
        Imbalance("budget quality", 90, 100),
        Imbalance("all accounts", -10, 0),
    ]
