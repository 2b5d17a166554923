"""Whatever is funded, awarded, spent and repeated, in whatever order: the ledger adds up.

A machine draws the acts; a plain dictionary says what must come of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import count
from typing import Any

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Conflict
from partner_cx.words import Words
from rewards.budgets import fund
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
DAY = date(2026, 6, 30)
WHY = Words("Because", "Parce que")

BUDGETS = st.sampled_from(["quality", "insights"])
OWNERS = st.sampled_from(["person:ana@x", "person:ben@x", "person:cho@x"])
POINTS = st.integers(min_value=1, max_value=120)
WORLDS = count()

Name = tuple[str, str]
Moves = Mapping[Name, int]


class Ledger(RuleBasedStateMachine):
    """Acts on the ledger, each in a transaction of its own, beside a model of plain balances."""

    engine: sa.Engine

    def __init__(self) -> None:
        super().__init__()
        self.world = f"w{next(WORLDS)}"  # each run has accounts and keys of its own
        self.keys = count()
        self.balances: dict[Name, int] = {}
        self.posted: dict[str, tuple[Any, ...]] = {}
        self.funded = 0

    # --- What is done -----------------------------------------------------------------------

    @rule(code=BUDGETS, points=POINTS)
    def fund_a_budget(self, code: str, points: int) -> None:
        key = self.new_key()
        why = Words("Funded", "Alimenté")
        owner = self.named(code)
        transact(
            self.engine,
            lambda session: fund(session, owner, points, key=key, why=why, now=NOW).id,
        )
        self.change({("budget", owner): points})
        self.funded += points

    @rule(code=BUDGETS, owner=OWNERS, points=POINTS)
    def award_one(self, code: str, owner: str, points: int) -> None:
        source, target = ("budget", self.named(code)), ("wallet", self.named(owner))
        self.try_to_post(self.new_key(), source, target, points)

    @rule(code=BUDGETS, owner=OWNERS, points=POINTS)
    def award_what_is_held(self, code: str, owner: str, points: int) -> None:
        source, target = ("budget", self.named(code)), ("pending", self.named(owner))
        self.try_to_post(self.new_key(), source, target, points)

    @rule(owner=OWNERS, points=POINTS)
    def release(self, owner: str, points: int) -> None:
        source, target = ("pending", self.named(owner)), ("wallet", self.named(owner))
        self.try_to_post(self.new_key(), source, target, points)

    @rule(code=BUDGETS, points=POINTS)
    def reserve(self, code: str, points: int) -> None:
        source, target = ("budget", self.named(code)), ("reserved", self.named(code))
        self.try_to_post(self.new_key(), source, target, points)

    @rule(owner=OWNERS, points=POINTS)
    def spend(self, owner: str, points: int) -> None:
        source, target = ("wallet", self.named(owner)), ("spent", self.named("gifts"))
        self.try_to_post(self.new_key(), source, target, points)

    @rule(code=BUDGETS, points=POINTS, owners=st.sets(OWNERS, min_size=1))
    def award_many_as_a_close_does(self, code: str, points: int, owners: set[str]) -> None:
        source = ("budget", self.named(code))
        key = self.new_key()

        def work(session: Session) -> int:
            postings = [
                self.posting(
                    session, f"{key}:{owner}", source, ("wallet", self.named(owner)), points
                )
                for owner in sorted(owners)
            ]
            return post_many(session, postings, now=NOW)

        if self.holds(source) < points * len(owners):
            with pytest.raises(Conflict, match="holds"):
                transact(self.engine, work)
            return
        assert transact(self.engine, work) == len(owners)
        assert transact(self.engine, work) == 0  # closed again
        self.change({source: -points * len(owners)})
        for owner in owners:
            target = ("wallet", self.named(owner))
            self.change({target: points})
            self.posted[f"{key}:{owner}"] = (source, target, points)

    @precondition(lambda self: self.posted)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.posted)))
        self.post(key, *self.posted[key])

    @precondition(lambda self: self.posted)
    @rule(data=st.data(), more=POINTS)
    def use_a_key_for_something_else(self, data: st.DataObject, more: int) -> None:
        key = data.draw(st.sampled_from(sorted(self.posted)))
        source, target, points = self.posted[key]
        with pytest.raises(Conflict, match="already stands for another transfer"):
            self.post(key, source, target, points + more)

    @rule(code=BUDGETS, owner=OWNERS, points=POINTS)
    def change_ones_mind(self, code: str, owner: str, points: int) -> None:
        """A transaction that is undone has done nothing, and its key is free."""
        source, target = ("budget", self.named(code)), ("wallet", self.named(owner))
        if self.holds(source) < points:
            return

        def work(session: Session) -> None:
            self.posted_in(session, "undone", source, target, points)
            raise KeyError("changed my mind")

        with pytest.raises(KeyError):
            transact(self.engine, work)

    # --- What must hold ---------------------------------------------------------------------

    @invariant()
    def the_ledger_adds_up(self) -> None:
        with reading(self.engine) as session:
            assert unbalanced(session) == []
            below = sa.select(Account.owner).where(
                Account.balance_points < 0, Account.kind != AccountKind.FUNDING
            )
            assert session.scalars(below).all() == []

    @invariant()
    def balances_are_what_they_must_be(self) -> None:
        with reading(self.engine) as session:
            found = session.execute(
                sa.select(Account.kind, Account.owner, Account.balance_points).where(
                    Account.owner.startswith(f"{self.world}:")
                )
            )
            kept = {(kind, owner): points for kind, owner, points in found}
            assert {name: points for name, points in kept.items() if points} == {
                name: points for name, points in self.balances.items() if points
            }
            assert sum(kept.values()) == self.funded
            keys = sa.select(sa.func.count(), sa.func.count(Transfer.key.distinct()))
            n, distinct = session.execute(keys).one()
            assert n == distinct

    # --- Helpers ----------------------------------------------------------------------------

    def named(self, owner: str) -> str:
        return f"{self.world}:{owner}"

    def new_key(self) -> str:
        return self.named(f"key{next(self.keys)}")

    def holds(self, name: Name) -> int:
        return self.balances.get(name, 0)

    def change(self, changes: Moves) -> None:
        for name, points in changes.items():
            self.balances[name] = self.holds(name) + points

    def try_to_post(self, key: str, source: Name, target: Name, points: int) -> None:
        held = self.holds(source)
        if held < points:
            with pytest.raises(Conflict, match=f"holds {held} of {points} point"):
                self.post(key, source, target, points)
            return
        self.post(key, source, target, points)
        self.posted[key] = (source, target, points)
        self.change({source: -points, target: points})

    def post(self, key: str, source: Name, target: Name, points: int) -> None:
        transact(self.engine, lambda session: self.posted_in(session, key, source, target, points))

    def posted_in(
        self, session: Session, key: str, source: Name, target: Name, points: int
    ) -> None:
        posting = self.posting(session, key, source, target, points)
        post(session, key=key, why=WHY, moves=posting.moves, effective_on=DAY, now=NOW)

    def posting(
        self, session: Session, key: str, source: Name, target: Name, points: int
    ) -> Posting:
        accounts = [account(session, AccountKind(kind), owner) for kind, owner in (source, target)]
        return Posting(key, WHY, (Move(accounts[0], accounts[1], points),), DAY)


def test_whatever_is_done_the_ledger_adds_up(engine: sa.Engine) -> None:
    class OnThisDatabase(Ledger):
        pass

    OnThisDatabase.engine = engine
    run_state_machine_as_test(
        OnThisDatabase, settings=settings(max_examples=8, stateful_step_count=25)
    )
