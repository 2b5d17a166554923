"""Events: told once, decided on what was known then, paid once; and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from partner_cx.words import Words
from rewards.budgets import alerts, fund
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events.awards import pay_waiting
from rewards.events.evidence import event_evidence, event_history
from rewards.ledger import AccountKind, Transfer
from rewards.ledger.owners import owner_of
from rewards.rules import decide
from rewards.statements import statement
from tests.harness.events import NOW, a_course, a_rule, holds, in_force, on_day, tell
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import close_it


def count(engine: sa.Engine, model: type) -> int:
    with Session(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


@pytest.fixture
def partners(engine: sa.Engine) -> sa.Engine:
    """A distributor with two resellers, of whom R1 is gold and in the pilot."""
    take(
        engine,
        "partners",
        partner("D1", kind="distributor"),
        partner("R1", parent_code="D1", tier="gold", country="FR"),
        partner("R2", parent_code="D1"),
    )
    take(engine, "groups", {"group_code": "pilot", "partner_code": "R1"})
    return engine


# --- Once ---------------------------------------------------------------------------------------


def test_an_event_is_recorded_decided_and_paid(partners: sa.Engine) -> None:
    in_force(partners, a_rule())
    recorded = tell(partners, a_course())
    assert recorded.new
    assert recorded.points == 50
    [ruling] = recorded.rulings
    assert (ruling.rule_code, ruling.verdict, ruling.paid) == ("course", Verdict.MET, True)
    assert holds(partners, "wallet", "partner:R1") == 50
    assert holds(partners, "budget", "learning") == 9_950
    with Session(partners) as session:
        [transfer] = session.scalars(sa.select(Transfer).where(Transfer.decision_id.is_not(None)))
        assert transfer.key == "event:C1:course"
        assert transfer.effective_on == date(2026, 7, 10)
        assert transfer.why_en.startswith("Course taken")


def test_an_event_told_again_changes_nothing(partners: sa.Engine) -> None:
    in_force(partners, a_rule())
    first = tell(partners, a_course())
    again = tell(partners, a_course(person="ADA@R1.example"))  # addresses know no case
    assert not again.new
    assert (again.event_id, again.rulings) == (first.event_id, first.rulings)
    assert holds(partners, "wallet", "partner:R1") == 50
    assert count(partners, EventRow) == count(partners, DecisionRow) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"partner_code": "R2"},
        {"kind": EventKind.PANEL_ATTENDED},
        {"person": "eve@r1.example"},
        {"person": None},
        {"subject": "SAFETY"},
        {"happened_at": datetime(2026, 7, 10, 12, 1, tzinfo=UTC)},
    ],
)
def test_a_key_that_stands_for_another_event_is_refused(
    partners: sa.Engine, other: dict[str, Any]
) -> None:
    in_force(partners, a_rule())
    tell(partners, a_course())
    with pytest.raises(Conflict, match="C1 already stands for another event"):
        tell(partners, a_course(**other))
    assert holds(partners, "wallet", "partner:R1") == 50
    assert holds(partners, "wallet", "partner:R2") == 0


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"partner_code": "R9"}, NotFound),
        ({"happened_at": NOW + timedelta(seconds=1)}, Invalid),
        ({"key": "two\nlines"}, Invalid),
        ({"key": ""}, Invalid),
        ({"person": "Ada"}, Invalid),
        ({"person": "@"}, Invalid),
        ({"person": "ada@lyon"}, Invalid),
        ({"subject": "a\nb"}, Invalid),
    ],
)
def test_what_cannot_have_happened_is_refused(
    partners: sa.Engine, other: dict[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        tell(partners, a_course(**other))
    assert count(partners, EventRow) == 0


# --- What it was decided on ---------------------------------------------------------------------


def test_an_event_keeps_who_the_partner_was(partners: sa.Engine) -> None:
    tell(partners, a_course())
    take(partners, "partners", partner("R1", parent_code="D1", tier="silver", country="FR"))
    with Session(partners) as session:
        [event] = session.scalars(sa.select(EventRow))
        assert event.groups == [
            "country:FR",
            "distributor:D1",
            "group:pilot",
            "kind:reseller",
            "tier:gold",
        ]
        assert event.on == date(2026, 7, 10)


def test_one_partners_groups_are_those_of_everyones_memberships(partners: sa.Engine) -> None:
    with Session(partners) as session:
        memberships = groups.memberships(session).groupby("partner_id")["group_code"]
        for each in session.scalars(sa.select(Partner)):
            assert groups.of_partner(session, each) == frozenset(memberships.get_group(each.id))


def test_a_rule_counts_the_event_itself_among_those_of_its_period(partners: sa.Engine) -> None:
    third = "conditions: [{events_at_least: {event: course_completed, count: 3}}]"
    in_force(partners, a_rule(period="quarter", text=third))
    told = [
        tell(partners, on_day(f"C{number}", day)).points
        for number, day in enumerate(("2026-06-30", "2026-07-02", "2026-07-03", "2026-07-04"))
    ]
    assert told == [0, 0, 0, 50]


def test_a_rule_looks_at_the_last_closed_period_before_the_event(network: sa.Engine) -> None:
    green = "conditions: [{kpi_is_green: otif}]"
    in_force(network, a_rule(text=green))
    before = tell(network, on_day("C1", "2026-07-01"), now=NOW)
    close_it(network)
    after = tell(network, on_day("C2", "2026-07-01"), now=NOW)
    earlier_day = tell(network, on_day("C3", "2026-06-30"), now=NOW)
    wrong = tell(network, on_day("C4", "2026-07-01", partner_code="R2"), now=NOW)
    found = [each.rulings[0].verdict for each in (before, after, earlier_day, wrong)]
    assert found == [Verdict.UNKNOWN, Verdict.MET, Verdict.UNKNOWN, Verdict.NOT_MET]


def test_a_decision_on_an_event_is_told_again_as_it_was_taken(network: sa.Engine) -> None:
    """Whatever came to be known since: another close, other events, another tier."""
    conditions = (
        "conditions: [{any_of: [{kpi_is_green: otif}, "
        "{events_at_least: {event: course_completed, count: 2}}]}]"
    )
    once = a_rule(text=conditions, limits="[{per: year, points: 80}]")
    in_force(network, once)
    for number in range(4):
        tell(network, on_day(f"C{number}", "2026-07-01"))
        if number == 1:
            close_it(network)
    with Session(network) as session:
        for row in session.scalars(sa.select(DecisionRow).where(DecisionRow.event_id.is_not(None))):
            event = session.get_one(EventRow, row.event_id)
            told = decide(
                once, event_evidence(session, event, once), event_history(session, event, once)
            )
            assert (told.verdict, told.points) == (row.verdict, row.points)
        points = session.scalars(
            sa.select(DecisionRow.points)
            .where(DecisionRow.event_id.is_not(None))
            .order_by(DecisionRow.id)
        )
        assert list(points) == [0, 50, 30, 0]


# --- Which rules --------------------------------------------------------------------------------


def test_only_rules_in_force_on_the_events_day_decide_it(partners: sa.Engine) -> None:
    spring = a_rule("spring", starts="2026-03-01", ends="2026-05-31")
    in_force(partners, spring, a_rule("panels", on="panel_attended"))
    decided = {
        day: [ruling.rule_code for ruling in tell(partners, on_day(day, day)).rulings]
        for day in ("2026-02-28", "2026-03-01", "2026-05-31", "2026-06-01")
    }
    assert decided == {
        "2026-02-28": [],
        "2026-03-01": ["spring"],
        "2026-05-31": ["spring"],
        "2026-06-01": [],
    }


def test_a_newer_version_decides_from_the_day_it_starts(partners: sa.Engine) -> None:
    in_force(partners, a_rule(), a_rule(starts="2026-07-05", award="{points: 70}"))
    assert tell(partners, on_day("C1", "2026-07-04")).points == 50
    assert tell(partners, on_day("C2", "2026-07-05")).points == 70


def test_a_rule_for_others_is_not_decided(partners: sa.Engine) -> None:
    in_force(partners, a_rule(text="for: {tiers: [gold]}"))
    assert tell(partners, a_course("C1")).points == 50
    assert tell(partners, a_course("C2", partner_code="R2")).rulings == ()


@pytest.mark.parametrize(("day", "points"), [("2026-07-09", 0), ("2026-07-10", 50)])
def test_before_it_was_a_partner_nothing_is_earned(
    engine: sa.Engine, day: str, points: int
) -> None:
    take(engine, "partners", partner("R1", joined_on="2026-07-10"))
    in_force(engine, a_rule())
    assert tell(engine, on_day("C1", day)).points == points


@pytest.mark.parametrize(("day", "points"), [("2026-07-09", 50), ("2026-07-10", 0)])
def test_once_it_has_left_nothing_is_earned(engine: sa.Engine, day: str, points: int) -> None:
    take(engine, "partners", partner("R1", left_on="2026-07-10"))
    in_force(engine, a_rule())
    assert tell(engine, on_day("C1", day)).points == points


# --- Limits and cool-downs ----------------------------------------------------------------------


def test_what_goes_beyond_a_limit_is_cut_off(partners: sa.Engine) -> None:
    in_force(partners, a_rule(limits="[{per: month, points: 120}]"))
    told = [tell(partners, on_day(f"C{n}", "2026-06-10")).points for n in range(4)]
    assert told == [50, 50, 20, 0]
    assert tell(partners, on_day("July", "2026-07-01")).points == 50
    assert holds(partners, "wallet", "partner:R1") == 170


@pytest.mark.parametrize(
    ("days", "points"),
    [
        (("2026-06-01", "2026-06-30"), [50, 0]),
        (("2026-06-01", "2026-07-01"), [50, 50]),
        (("2026-07-01", "2026-06-02"), [50, 0]),  # told late: the same distance
        (("2026-07-01", "2026-06-01"), [50, 50]),
    ],
)
def test_awards_lie_a_cool_down_apart(
    partners: sa.Engine, days: tuple[str, ...], points: list[int]
) -> None:
    in_force(partners, a_rule(limits="", cool_down_days="30"))
    assert [tell(partners, on_day(day, day)).points for day in days] == points


def test_a_persons_limits_are_the_persons_own(partners: sa.Engine) -> None:
    to_person = a_rule(award="{points: 50, to: person}", limits="[{per: year, times: 1}]")
    in_force(partners, to_person)
    assert tell(partners, a_course("C1")).points == 50
    assert tell(partners, a_course("C2", person="bob@r1.example")).points == 50
    assert tell(partners, a_course("C3", partner_code="R2")).points == 0  # Ada, elsewhere
    assert holds(partners, "wallet", "person:ada@r1.example") == 50
    assert holds(partners, "wallet", "person:bob@r1.example") == 50
    assert holds(partners, "wallet", "partner:R1") == 0


def test_an_award_to_nobody_known_is_left_open(partners: sa.Engine) -> None:
    in_force(partners, a_rule(award="{points: 50, to: person}"))
    [ruling] = tell(partners, a_course(person=None)).rulings
    assert (ruling.verdict, ruling.points) == (Verdict.UNKNOWN, 0)


# --- Budgets ------------------------------------------------------------------------------------


def test_what_the_budget_cannot_pay_waits_and_is_paid_in_the_order_of_events(
    partners: sa.Engine,
) -> None:
    in_force(partners, a_rule(), points=60)
    told = [tell(partners, a_course(f"C{n}")).rulings[0] for n in range(4)]
    assert [ruling.points for ruling in told] == [50] * 4
    assert [ruling.paid for ruling in told] == [True, False, False, False]
    more = Words("More", "Encore")

    def fund_and_pay(session: Session) -> int:
        fund(session, "learning", 100, key="more", why=more, now=NOW)
        return pay_waiting(session, now=NOW)

    assert transact(partners, fund_and_pay) == 100
    with Session(partners) as session:
        keys = session.scalars(sa.select(Transfer.key).where(Transfer.key.startswith("event:")))
        assert sorted(keys) == ["event:C0:course", "event:C1:course", "event:C2:course"]
    assert transact(partners, lambda session: pay_waiting(session, now=NOW)) == 0
    assert holds(partners, "budget", "learning") == 10


def test_an_event_is_kept_though_no_budget_can_pay_it(partners: sa.Engine) -> None:
    in_force(partners, a_rule(), points=0)
    recorded = tell(partners, a_course())
    assert recorded.new
    assert not recorded.rulings[0].paid
    assert count(partners, EventRow) == 1
    assert not tell(partners, a_course()).rulings[0].paid


def test_an_award_on_an_event_waits_for_its_own_points_alone(partners: sa.Engine) -> None:
    in_force(partners, a_rule(), points=0)
    tell(partners, a_course())
    with Session(partners) as session:
        [waiting] = statement(session, owner_of(session, "R1"), settings=SETTINGS).unearned
    assert waiting.sentence.en.endswith("Earned, and waiting until budget learning can pay it.")


def test_a_budgets_levels_are_told_when_events_bring_it_there(partners: sa.Engine) -> None:
    in_force(partners, a_rule(limits=""), points=200)
    told = []
    for number in range(4):
        tell(partners, a_course(f"C{number}"))
        with Session(partners) as session:
            told.append(sorted(alert.level for alert in alerts(session, "learning")))
    assert told == [[], [50], [50], [50, 80, 95, 100]]
    more = Words("More", "Encore")
    transact(
        partners, lambda session: fund(session, "learning", 200, key="more", why=more, now=NOW)
    )
    tell(partners, a_course("C4"))
    with Session(partners) as session:
        found = [(alert.level, alert.funded_points) for alert in alerts(session, "learning")]
    assert found.count((50, 400)) == 1


# --- Held ---------------------------------------------------------------------------------------


def test_a_held_award_is_pending_until_its_day(partners: sa.Engine) -> None:
    in_force(partners, a_rule(hold_days="14"))
    tell(partners, a_course())
    assert holds(partners, AccountKind.PENDING, "partner:R1") == 50
    assert holds(partners, AccountKind.WALLET, "partner:R1") == 0
    with Session(partners) as session:
        [transfer] = session.scalars(sa.select(Transfer).where(Transfer.held_until.is_not(None)))
        assert transfer.held_until == date(2026, 7, 24)
        assert not transfer.needs_approval


def test_two_rules_on_one_event_both_pay(partners: sa.Engine) -> None:
    second = replace(a_rule("second"), budget="a_budget")
    in_force(partners, a_rule(), second)
    assert tell(partners, a_course()).points == 100
    assert holds(partners, "wallet", "partner:R1") == 100
