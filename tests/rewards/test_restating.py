"""Restating: what later facts would have changed, what is proposed, and what becomes of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.measures import measuring, refreshing
from partner_cx.periods import PeriodKind
from partner_cx.words import Words
from rewards.events.happenings import Happening, happened
from rewards.ledger import Account, AccountKind, Entry, Move, Transfer, account, post
from rewards.restating import Restatement, restate
from rewards.restating.approving import approve, proposals, refuse
from rewards.restating.compensations import carried, collect_carried
from rewards.rules import Audience, Level, Rule
from rewards.rules.limits import Limit
from tests.harness.balanced import unbalanced
from tests.harness.events import NOW as EVENTS_NOW
from tests.harness.events import on_day
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import (
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    lines,
)

LATER = NOW + timedelta(days=10)  # when the corrections come in
MUCH_LATER = NOW + timedelta(days=200)


def correct(engine: sa.Engine, *numbers: int, now: datetime = LATER, **cells: str | None) -> None:
    """Correct some of R1's twenty lines, all delivered on their day, 18 May."""
    changed = {"received_on": "2026-05-20", **cells}
    rows = [{**line, **changed} for line in lines("R1", 20)]
    take(engine, "order-lines", *(rows[number] for number in numbers), now=now)


def mend(engine: sa.Engine, now: datetime = LATER) -> None:
    """Tell R2's three wrong lines as delivered well after all."""
    take(
        engine,
        "order-lines",
        *(
            order_line(
                f"R2-wrong-{number}",
                order_code="O-R2-wrong",
                partner_code="R2",
                window_end="2026-05-18",
                received_on="2026-05-18",
            )
            for number in (1, 2, 3)
        ),
        now=now,
    )


def again(engine: sa.Engine, now: datetime = LATER, **choices: Any) -> Restatement:
    settings = replace(SETTINGS, **choices)
    return restate(engine, QUARTER, now=now, by=MANAGER, settings=settings)


def closed(engine: sa.Engine, *rules: Rule, points: int = 10_000) -> None:
    a_programme(engine, *(rules or (OTIF_BONUS,)), points=points)
    close_it(engine)


def wallet(engine: sa.Engine, code: str = "R1") -> int:
    with reading(engine) as session:
        held = sa.select(Account.balance_points).where(
            Account.kind == AccountKind.WALLET, Account.owner == f"partner:{code}"
        )
        assert unbalanced(session) == []
        return session.scalar(held) or 0


def decide_about(engine: sa.Engine, proposal_id: int, *, now: datetime = LATER) -> None:
    def work(session: Session) -> None:
        approve(session, proposal_id, by="Lea", now=now)

    transact(engine, work)


def refuse_it(engine: sa.Engine, proposal_id: int) -> None:
    def work(session: Session) -> None:
        refuse(session, proposal_id, by="Lea", why="Our mistake", now=LATER)

    transact(engine, work)


def move(engine: sa.Engine, source: AccountKind, target: AccountKind, points: int) -> None:
    """Move points between R1's accounts or the budget's, and collect what was carried."""
    owners = {AccountKind.BUDGET: OTIF_BONUS.budget}

    def work(session: Session) -> None:
        ends = [account(session, kind, owners.get(kind, "partner:R1")) for kind in (source, target)]
        post(
            session,
            key=f"{source}:{target}:{points}",
            why=Words("Something else", "Autre chose"),
            moves=[Move(ends[0], ends[1], points)],
            effective_on=NOW.date(),
            now=NOW,
        )
        if target is AccountKind.WALLET:
            collect_carried(session, [ends[1].partner_id or 0], MUCH_LATER)

    transact(engine, work)


def spend(engine: sa.Engine, points: int) -> None:
    move(engine, AccountKind.WALLET, AccountKind.SPENT, points)


def earn(engine: sa.Engine, points: int) -> None:
    """Another award, after which what was carried is collected."""
    move(engine, AccountKind.BUDGET, AccountKind.WALLET, points)


def test_without_later_facts_nothing_differs(network: sa.Engine):
    closed(network)
    told = again(network, MUCH_LATER)
    assert (told.figures, told.differences, told.redefined) == ((), (), ())


def test_a_late_correction_that_turns_otif_red_is_proposed_with_its_fact(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    told = again(network)
    [difference] = told.differences
    assert (difference.partner_code, difference.points, difference.new) == ("R1", -500, True)
    assert difference.sentence.en.startswith(
        "Network quality bonus, Q2 2026: 500 points proposed to be taken back. "
        "Known then: OTIF 100.00%"
    )
    assert [fact.en for fact in difference.facts] == [
        f"Order line R1-2026-05-18-{number} (erp): received on 20 May 2026 instead of "
        "18 May 2026, told by order-lines.csv on 13 July 2026."
        for number in ("03", "07")
    ]
    assert difference.facts[0].fr == (
        "Ligne de commande R1-2026-05-18-03 (erp)\u202f: reçue le 20 mai 2026 au lieu du "
        "18 mai 2026, selon order-lines.csv du 13 juillet 2026."
    )
    otif = {(each.level, each.subject): each for each in told.figures if each.kpi == "otif"}
    assert {subject for level, subject in otif if level == "partner"} == {"R1"}
    own = otif["partner", "R1"]
    assert (own.then.hits, own.then.of, own.then.state) == (20, 20, "green")
    assert (own.now.hits, own.now.of, own.now.state) == (18, 20, "red")
    of_network = otif["network", "network"]
    assert (of_network.then.hits, of_network.now.hits) == (37, 35)


def test_a_second_restatement_proposes_nothing(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    first = again(network)
    second = again(network, MUCH_LATER)
    assert [each.proposal_id for each in second.differences] == [
        each.proposal_id for each in first.differences
    ]
    assert [each.new for each in second.differences] == [False]


def test_nothing_is_taken_before_somebody_approves(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    again(network)
    assert wallet(network) == 500


def test_approving_posts_a_compensating_entry_beside_the_original(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    for _ in range(2):
        decide_about(network, difference.proposal_id or 0)
    with reading(network) as session:
        entries = session.execute(
            sa.select(Entry.points, Transfer.corrects_id, Transfer.why_en)
            .join(Transfer)
            .join(Account)
            .where(Account.owner == "partner:R1")
            .order_by(Entry.id)
        ).all()
        originals = session.scalars(sa.select(Transfer.id).where(Transfer.corrects_id.is_(None)))
        original_ids = set(originals)
    assert [(points, bool(corrects)) for points, corrects, _ in entries] == [
        (500, False),
        (-500, True),
    ]
    assert entries[1].corrects_id in original_ids
    assert "Order line R1-2026-05-18-03 (erp): received on 20 May 2026" in entries[1].why_en
    assert wallet(network) == 0
    assert again(network, MUCH_LATER).differences == ()


def test_what_was_refused_is_not_proposed_again(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    number = difference.proposal_id or 0
    refuse_it(network, number)
    [told] = again(network, MUCH_LATER).differences
    assert told.proposal_id is None
    assert told.objection is not None
    assert told.objection.en == "not proposed again: Lea refused it on 13 July 2026"
    with pytest.raises(Conflict, match="refused by Lea on 2026-07-13"):
        decide_about(network, number)


def test_a_proposal_whose_facts_changed_back_is_withdrawn(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    correct(network, 3, 7, received_on="2026-05-18", now=LATER + timedelta(days=1))
    told = again(network, MUCH_LATER)
    assert (told.differences, told.withdrawn) == ((), (difference.proposal_id,))
    with pytest.raises(Conflict, match="withdrawn: the facts have changed since"):
        decide_about(network, difference.proposal_id or 0)


def test_a_withdrawn_proposal_comes_back_as_another_when_its_facts_do(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [first] = again(network).differences
    correct(network, 3, 7, received_on="2026-05-18", now=LATER + timedelta(days=1))
    again(network)
    correct(network, 3, 7, received_on="2026-05-21", now=LATER + timedelta(days=2))
    [second] = again(network, MUCH_LATER).differences
    assert (second.points, second.new) == (-500, True)
    assert second.proposal_id != first.proposal_id


def test_what_was_taken_back_is_given_again_when_the_facts_support_it(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [first] = again(network).differences
    decide_about(network, first.proposal_id or 0)
    correct(network, 3, 7, received_on="2026-05-18", now=LATER + timedelta(days=1))
    [second] = again(network, MUCH_LATER).differences
    assert second.points == 500
    decide_about(network, second.proposal_id or 0, now=MUCH_LATER)
    assert wallet(network) == 500
    assert again(network, MUCH_LATER).differences == ()


def test_good_news_are_given_from_the_budget(network: sa.Engine):
    closed(network)
    mend(network)
    [difference] = again(network).differences
    assert (difference.partner_code, difference.points) == ("R2", 500)
    decide_about(network, difference.proposal_id or 0)
    assert wallet(network, "R2") == 500


def test_a_budget_that_cannot_pay_leaves_the_proposal_open(network: sa.Engine):
    closed(network, points=600)
    mend(network)
    [difference] = again(network).differences
    with pytest.raises(Conflict, match="holds 100 of 500 points"):
        decide_about(network, difference.proposal_id or 0)
    with reading(network) as session:
        assert [each.state for each in proposals(session)] == ["open"]
    assert wallet(network, "R2") == 0


def test_a_wallet_never_falls_below_zero_and_the_rest_is_carried(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    spend(network, 300)
    decide_about(network, difference.proposal_id or 0)
    assert wallet(network) == 0
    with reading(network) as session:
        assert [(each.partner_code, each.points) for each in carried(session)] == [("R1", 300)]
        assert [each.state for each in proposals(session, open_only=True)] == ["carried"]
    earn(network, 120)
    assert wallet(network) == 0
    earn(network, 250)
    assert wallet(network) == 70
    with reading(network) as session:
        assert carried(session) == []
        assert [each.state for each in proposals(session)] == ["approved"]
        keys = session.scalars(
            sa.select(Transfer.key).where(Transfer.proposal_id.is_not(None)).order_by(Transfer.id)
        ).all()
    assert keys == [
        "restate:2026Q2:otif_bonus:R1:500:0",
        "restate:2026Q2:otif_bonus:R1:500:0:carried:2",
        "restate:2026Q2:otif_bonus:R1:500:0:carried:3",
    ]
    assert again(network, MUCH_LATER).differences == ()


def test_restating_leaves_tallies_scorecards_and_marks_as_they_are(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    refreshing.refresh(network, now=MUCH_LATER, settings=SETTINGS)
    transact(
        network,
        lambda session: measuring.measure(session, QUARTER, now=MUCH_LATER, settings=SETTINGS),
    )
    before = contents(network)
    again(network, MUCH_LATER)
    assert contents(network) == before


def contents(engine: sa.Engine) -> dict[str, list[Any]]:
    tables = ("tallies", "month_tallies", "spreads", "presences", "tally_state", "marks")
    with engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.text(f"SELECT * FROM {name}"))))
            for name in (*tables, "scorecards", "frozen_scorecards", "decisions", "entries")
        }


# --- What is decided again ----------------------------------------------------------------------


def test_only_time_passing_changes_nothing(network: sa.Engine):
    """A line that falls due later, a visit that matures: the close's moment stays the close's."""
    take(
        network,
        "order-lines",
        order_line("L9", window_end="2026-08-10", received_on=None, received_qty=None),
        now=NOW,
    )
    closed(network)
    refreshing.refresh(network, now=MUCH_LATER, settings=SETTINGS)
    assert again(network, MUCH_LATER).figures == ()


def test_a_target_raised_afterwards_is_not_held_against_the_past(network: sa.Engine):
    closed(network)
    take(network, "targets", {"kpi": "otif", "target": "100 %", "from": "2026-04-01"}, now=LATER)
    correct(network, 3)
    told = again(network)
    [otif] = [each for each in told.figures if (each.subject, each.kpi) == ("R1", "otif")]
    assert (otif.now.hits, otif.now.of, otif.now.state) == (19, 20, "green")
    assert told.differences == ()


def test_settings_chosen_afterwards_are_not_held_against_the_past(network: sa.Engine):
    closed(network)
    tolerant = {"otif_under_tolerance": Fraction(1, 20)}
    assert again(network, MUCH_LATER, **tolerant).figures == ()


def test_a_partner_who_changed_tier_still_counts_where_it_was(network: sa.Engine):
    ada = {"email": "someone@r1.example", "name": "Ada", "role": "partner", "partner_code": "R1"}
    take(network, "people", ada, now=NOW)
    closed(network)
    take(network, "people", {**ada, "email": "bob@r1.example", "name": "Bob"}, now=LATER)
    take(network, "partners", partner("R1", parent_code="D1", tier="silver"), now=LATER)
    take(network, "partners", partner("R9", parent_code="D1", tier="gold"), now=LATER)
    take(network, "groups", {"group_code": "pilot", "partner_code": "R2"}, now=LATER)
    assert again(network).figures == ()


def test_a_distributors_bonus_is_restated_for_a_resellers_late_fact(network: sa.Engine):
    by_distributor = replace(OTIF_BONUS, measured_on=Level.DISTRIBUTOR, audience=Audience())
    mend(network, NOW)
    correct(network, 0, now=NOW)
    closed(network, by_distributor)
    assert wallet(network, "D1") == 500
    correct(network, 3, 7)
    [difference] = again(network).differences
    assert (difference.partner_code, difference.points) == ("D1", -500)
    assert [fact.source_id for fact in difference.changes.facts] == [
        "R1-2026-05-18-03",
        "R1-2026-05-18-07",
    ]


def test_a_late_receipt_is_named(network: sa.Engine):
    closed(network)
    for number in (1, 3):
        take(
            network,
            "order-lines",
            {
                **order_line(
                    f"R2-wrong-{number}",
                    order_code="O-R2-wrong",
                    partner_code="R2",
                    window_end="2026-05-18",
                ),
                "received_qty": None,
                "received_on": None,
            },
            now=LATER,
        )
        take(
            network,
            "receipts",
            {
                "source_id": f"W{number}",
                "order_line_source_id": f"R2-wrong-{number}",
                "received_on": "2026-05-18",
                "qty": "10",
            },
            now=LATER,
        )
    [difference] = again(network).differences
    assert (difference.partner_code, difference.points) == ("R2", 500)
    assert [fact.en for fact in difference.facts if fact.en.startswith("Receipt")] == [
        f"Receipt W{number} (erp): not known before, told by receipts.csv on 13 July 2026."
        for number in (1, 3)
    ]


def test_a_line_that_went_to_another_partner_is_named_for_both(network: sa.Engine):
    closed(network)
    correct(network, *range(16), partner_code="R3", received_on="2026-05-18")
    told = again(network)
    assert [(each.partner_code, each.points) for each in told.differences] == [("R3", 500)]
    assert told.differences[0].changes.total == 16
    assert (
        told.differences[0]
        .facts[0]
        .en.startswith("Order line R1-2026-05-18-00 (erp): of partner R3 instead of R1")
    )


def test_a_figure_gone_missing_takes_nothing_back(network: sa.Engine):
    closed(network)
    correct(network, *range(16), partner_code="R3", received_on="2026-05-18")
    told = again(network)
    assert "R1" in {each.subject for each in told.figures}
    assert "R1" not in {each.partner_code for each in told.differences}


COURSES = """
code: two_courses
label: {en: Two courses, fr: Deux formations}
source: Terms of 2026
on: close
period: quarter
starts: 2026Q1
conditions:
  - events_at_least: {event: course_completed, count: 2}
award: {points: 80}
budget: network-quality
"""


def test_an_event_that_was_told_late_counts(network: sa.Engine):
    told_of(network, on_day("C1", "2026-05-03"))
    closed(network, replace(Rule.from_yaml(COURSES, "courses"), budget=OTIF_BONUS.budget))
    told_of(network, on_day("C2", "2026-05-04"), on_day("C3", "2026-07-01"))
    [difference] = again(network, MUCH_LATER).differences
    assert (difference.partner_code, difference.points) == ("R1", 80)
    assert [fact.en for fact in difference.facts] == [
        "Course completed on 4 May 2026 (F-GAS), told of on 20 July 2026."
    ]


def told_of(engine: sa.Engine, *happenings: Happening) -> None:
    def work(session: Session) -> None:
        for each in happenings:
            happened(session, each, now=EVENTS_NOW, settings=SETTINGS)

    transact(engine, work)


def test_limits_count_what_they_counted_then(network: sa.Engine):
    limited = replace(OTIF_BONUS, limits=(Limit(PeriodKind.YEAR, points=300),))
    closed(network, limited)
    assert wallet(network) == 300
    mend(network)
    correct(network, 3, 7)
    assert [(each.partner_code, each.points) for each in again(network).differences] == [
        ("R1", -300),
        ("R2", 300),
    ]


def test_an_award_that_is_still_held_is_taken_back_from_what_is_pending(network: sa.Engine):
    closed(network, replace(OTIF_BONUS, hold_days=30))
    correct(network, 3, 7)
    [difference] = again(network).differences
    decide_about(network, difference.proposal_id or 0)
    with reading(network) as session:
        held = session.execute(
            sa.select(Account.kind, Account.balance_points).where(Account.owner == "partner:R1")
        ).all()
        assert (AccountKind.PENDING, 0) in [tuple(row) for row in held]
        assert carried(session) == []
    assert wallet(network) == 0
    assert again(network, MUCH_LATER).differences == ()


def test_an_award_no_budget_has_paid_is_not_taken_back(network: sa.Engine):
    closed(network, points=0)
    correct(network, 3, 7)
    assert again(network).differences == ()


def test_a_period_that_is_not_closed_cannot_be_restated(network: sa.Engine):
    with pytest.raises(Invalid, match="2026Q2 isn't closed"):
        again(network)


def test_a_proposal_that_is_not_there_is_not_found(network: sa.Engine):
    with pytest.raises(NotFound, match="There is no proposal 7"):
        decide_about(network, 7)


# --- Under a policy -----------------------------------------------------------------------------


def test_what_comes_to_light_too_late_is_told_and_not_proposed(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [on_time] = again(network, NOW + timedelta(30), restate_window_days=30).differences
    assert on_time.new
    closed_on, too_late = NOW, NOW + timedelta(31)
    mend(network, closed_on + timedelta(1))
    told = {
        each.partner_code: each
        for each in again(network, too_late, restate_window_days=30).differences
    }
    assert (told["R1"].status, told["R2"].status) == ("open", "told")
    assert told["R2"].objection is not None
    assert told["R2"].objection.en == "not proposed: it could be put right until 2 August 2026"


def test_points_once_given_may_stay_given(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    mend(network)
    told = {each.partner_code: each for each in again(network, restate_take_back=False).differences}
    assert (told["R1"].status, told["R2"].status) == ("told", "proposed")


def test_two_who_restate_at_once_propose_once(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    with ThreadPoolExecutor(4) as at_once:
        told = list(at_once.map(lambda _: again(network), range(4)))
    assert sum(each.new for one in told for each in one.differences) == 1


def test_two_who_approve_at_once_take_back_once(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    with ThreadPoolExecutor(4) as at_once:
        list(at_once.map(lambda _: decide_about(network, difference.proposal_id or 0), range(4)))
    assert wallet(network) == 0


def test_what_is_carried_is_collected_once_by_many_at_once(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    spend(network, 400)
    decide_about(network, difference.proposal_id or 0)
    with ThreadPoolExecutor(4) as at_once:
        list(at_once.map(lambda points: earn(network, points), (150, 151, 152, 153)))
    assert wallet(network) == 150 + 151 + 152 + 153 - 400
    with reading(network) as session:
        assert carried(session) == []


def test_the_next_close_collects_what_was_carried(network: sa.Engine):
    closed(network)
    correct(network, 3, 7)
    [difference] = again(network).differences
    spend(network, 300)
    decide_about(network, difference.proposal_id or 0)
    assert wallet(network) == 0
    take(network, "order-lines", *lines("R1", 20, day="2026-08-18"), now=MUCH_LATER)
    close_it(network, "2026Q3", now=MUCH_LATER)
    assert wallet(network) == 200
    with reading(network) as session:
        assert carried(session) == []
