"""The statement in pages says the same as the whole one, and asks as often however long it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import NotFound
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.budgets import budget
from rewards.holds import release_due
from rewards.ledger import AccountKind, Move, account, post
from rewards.ledger.owners import Owner, owner_of
from rewards.progress.around import last_close, supplied
from rewards.statements import statement
from rewards.statements.explaining import explain_decision, explain_entry
from rewards.statements.listing import Shown, entries, held, missed_events, purse, rules_met
from rewards.statements.missed import closes_missed, missed_at
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS
from tests.harness.programme import BONUS, NOW, QUARTER, a_programme, close_it

ALL = Shown()
LATER = Shown(Period.parse("2026Q3"))


def partner_of(session: Session, code: str) -> tuple[Partner, Owner]:
    partner = session.scalars(sa.select(Partner).where(Partner.code == code)).one()
    return partner, owner_of(session, code)


def give(engine: sa.Engine, code: str, *points: int) -> None:
    """Points that no rule gave, one entry each."""

    def work(session: Session) -> None:
        partner, own = partner_of(session, code)
        wallet = account(session, AccountKind.WALLET, own.wallet, partner.id)
        source = budget(session, BONUS.budget)
        for number, each in enumerate(points):
            post(
                session,
                key=f"gift:{code}:{number}",
                why=Words("A gift", "Un cadeau"),
                moves=[Move(source, wallet, each)],
                effective_on=QUARTER.end_day,
                now=NOW,
            )

    transact(engine, work)


@pytest.mark.parametrize("code", ["R1", "R2", "R3"])
def test_the_pages_say_what_the_whole_statement_says(closed: sa.Engine, code: str):
    with reading(closed) as session:
        partner, own = partner_of(session, code)
        whole = statement(session, owner_of(session, code), settings=SETTINGS)
        found = entries(session, own, ALL, limit=50)
        rules = rules_met(session, partner.id)
        closes = closes_missed(session, partner.id, rules, ALL)
        missed = [
            each.sentence
            for close in closes
            for each in missed_at(session, partner, close, rules, ALL)
        ]
        assert [(each.key, each.points, each.balance) for each in found.rows] == [
            (each.key, each.points, each.balance) for each in reversed(whole.lines)
        ]
        assert missed == [each.sentence for each in whole.unearned]
        assert purse(session, own).balance == whole.balance


def test_the_balance_beside_an_entry_is_the_one_after_it(network: sa.Engine):
    a_programme(network)
    close_it(network)
    give(network, "R1", 10, 20, 30)
    with reading(network) as session:
        _, own = partner_of(session, "R1")
        newest = entries(session, own, ALL, limit=2)
        rest = entries(session, own, ALL, limit=2, offset=2)
        later = entries(session, own, LATER, limit=50)
        by_rule = entries(session, own, replace(ALL, rule=BONUS.code), limit=50)
    assert [(each.points, each.balance) for each in newest.rows] == [(30, 560), (20, 530)]
    assert [(each.points, each.balance) for each in rest.rows] == [(10, 510), (500, 500)]
    assert (newest.total, rest.total, later.total, by_rule.total) == (4, 4, 3, 1)
    assert by_rule.rows[0].rule == BONUS
    assert by_rule.rows[0].period == QUARTER


def test_what_is_held_waits_in_its_own_list_until_it_is_released(network: sa.Engine):
    a_programme(network, replace(BONUS, hold_days=30))
    close_it(network)
    with reading(network) as session:
        _, own = partner_of(session, "R1")
        (waiting,) = held(session, own, ALL, limit=50).rows
        assert (waiting.points, waiting.waits, purse(session, own).pending) == (500, True, 500)
        assert "To be released on 2 August 2026." in waiting.sentence.en
        assert entries(session, own, ALL, limit=50).total == 0
    transact(network, lambda session: release_due(session, on=waiting.until, now=NOW))
    with reading(network) as session:
        assert held(session, own, ALL, limit=50).total == 0
        (line,) = entries(session, own, ALL, limit=50).rows
        assert (line.points, line.held_since, line.rule) == (
            500,
            QUARTER.last_day,
            replace(BONUS, hold_days=30),
        )


def test_only_ones_own_entries_and_decisions_are_explained(closed: sa.Engine):
    with reading(closed) as session:
        _, own = partner_of(session, "R1")
        _, other = partner_of(session, "R2")
        key = entries(session, own, ALL, limit=1).rows[0].key
        assert explain_entry(session, own, key, settings=SETTINGS).points == 500
        with pytest.raises(NotFound):
            explain_entry(session, other, key, settings=SETTINGS)
        outcome = last_close(session, own.partner_id or 0)
        assert outcome is not None
        (decided,) = outcome.decided
        assert explain_decision(session, own, decided.number, settings=SETTINGS).points == 500
        for number in (decided.number, 2**70, -1):
            with pytest.raises(NotFound):
                explain_decision(session, other, number, settings=SETTINGS)
        with pytest.raises(NotFound):
            explain_entry(session, own, "no\x00where", settings=SETTINGS)


def test_the_last_close_says_what_was_paid(closed: sa.Engine):
    with reading(closed) as session:
        paid, missed, none = (
            last_close(session, partner_of(session, code)[0].id) for code in ("R1", "R2", "D1")
        )
    assert paid is not None
    assert missed is not None
    assert (paid.points, missed.points, none) == (500, 0, None)


def test_those_below_come_by_name_and_a_page_at_a_time(closed: sa.Engine):
    with reading(closed) as session:
        above = partner_of(session, "D1")[0].id
        first = supplied(session, above, limit=2)
        second = supplied(session, above, limit=2, offset=2)
        assert [(each.code, each.balance) for each in (*first, *second)] == [
            ("R1", 500), ("R2", 0), ("R3", 0),
        ]  # fmt: skip
        assert {each.total for each in (*first, *second)} == {3}
        assert supplied(session, partner_of(session, "R1")[0].id, limit=2) == []


def test_a_long_statement_asks_no_more_often(network: sa.Engine):
    a_programme(network)
    close_it(network)
    counts = []
    for more in ((10,), [10] * 120):
        give(network, "R2" if len(more) == 1 else "R1", *more)
        with reading(network) as session:
            partner, own = partner_of(session, "R2" if len(more) == 1 else "R1")
            rules = rules_met(session, partner.id)
            with counted(network) as asked:
                entries(session, own, ALL, limit=50)
                held(session, own, ALL, limit=50)
                closes_missed(session, partner.id, rules, ALL)
                missed_events(session, partner.id, rules, ALL, limit=50)
            counts.append(asked.count)
    assert counts[0] == counts[1]
