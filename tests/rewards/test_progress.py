"""Progress: how a partner stands towards the rules in force, while their periods run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
import sqlalchemy as sa

from partner_cx.database import reading, transact
from partner_cx.measures import refreshing
from partner_cx.measures.figures import Figure, State, Target
from partner_cx.measures.measuring import measure
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from rewards.conditions import AnyOf, EventsAtLeast, KpiIsGreen, PartnerFor, Verdict
from rewards.evidence import EventsAsked
from rewards.progress import Progress, Status, Towards, progress
from rewards.progress.outlook import kept_in_a_row
from rewards.progress.running import running_rules
from rewards.rulebook import in_force, publish
from rewards.rulebook.retirements import retire
from rewards.rules import Rule
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import BONUS, MANAGER, NOW, OTIF_BONUS, QUARTER, a_programme

TODAY = date(2026, 6, 18)  # twelve days before the quarter ends


def measured(engine: sa.Engine, *rules: Rule) -> sa.Engine:
    a_programme(engine, *rules)
    transact(engine, lambda session: measure(session, QUARTER, now=NOW, settings=SETTINGS))
    return engine


def ahead(engine: sa.Engine, code: str, today: date = TODAY) -> Progress:
    with reading(engine) as session:
        asked = session.scalars(sa.select(Partner).where(Partner.code == code)).one()
        return progress(session, asked, groups.of_partner(session, asked), today)


def towards(engine: sa.Engine, code: str) -> Towards:
    (only,) = ahead(engine, code).towards
    return only


def test_whoever_meets_everything_is_on_course(network: sa.Engine):
    found = towards(measured(network), "R1")
    assert (found.status, found.points, found.days_left) == (Status.ON_COURSE, 500, 12)
    assert {each.verdict for each in found.conditions} == {Verdict.MET}
    assert found.outlook.todo == ()
    assert found.as_of == NOW


def test_what_is_missed_says_what_would_still_outweigh_it(network: sa.Engine):
    found = towards(measured(network, OTIF_BONUS), "R2")
    assert (found.status, found.points) == (Status.SHORT, 0)
    (condition,) = found.conditions
    assert condition.share == Fraction(17, 20) / Fraction(95, 100)
    (todo,) = found.outlook.todo
    assert todo.en == "40 more lines on time in a row would bring OTIF to 95%."
    assert todo.fr == "40 lignes de plus sans raté mèneraient OTIF à 95\u202f%."


def test_what_hardly_anybody_would_go_for_comes_last(network: sa.Engine):
    """Forty lines in a row, where the whole quarter has had twenty so far."""
    repaired = replace(OTIF_BONUS, code="repaired", conditions=(KpiIsGreen("ftfr"),))
    measured(network, OTIF_BONUS, repaired)
    found = ahead(network, "R2").towards
    assert [(each.rule.code, each.outlook.far) for each in found] == [
        ("repaired", False),
        (OTIF_BONUS.code, True),
    ]


def test_what_nobody_measured_is_neither_met_nor_missed(network: sa.Engine):
    found = towards(measured(network, OTIF_BONUS), "R3")
    assert found.status is Status.UNKNOWN
    assert "OTIF" in found.outlook.todo[0].en


def test_before_anything_is_measured_nothing_is_known(network: sa.Engine):
    a_programme(network)
    found = towards(network, "R1")
    assert (found.status, found.as_of) == (Status.UNKNOWN, None)


def test_figures_that_change_change_what_was_worked_out_before(network: sa.Engine):
    before = towards(measured(network, OTIF_BONUS), "R1")
    assert towards(network, "R1") == before
    late = [
        order_line(
            f"R1-2026-05-18-{number:02}",
            order_code=f"O-R1-2026-05-18-{number // 5}",
            partner_code="R1",
            window_end="2026-05-18",
            received_on="2026-05-29",
        )
        for number in range(2)
    ]
    take(network, "order-lines", *late)
    refreshing.refresh(network, now=NOW, settings=SETTINGS)
    transact(network, lambda session: measure(session, QUARTER, now=NOW, settings=SETTINGS))
    after = towards(network, "R1")
    assert (before.status, after.status) == (Status.ON_COURSE, Status.SHORT)


def test_two_partners_without_figures_are_told_apart_by_what_they_are(network: sa.Engine):
    for code, joined_on in (("R7", "2025-01-01"), ("R8", "2026-06-01")):
        one = partner(code, parent_code="D1", joined_on=joined_on, tier="gold")
        take(network, "partners", one)
    rule = replace(BONUS, code="loyalty", conditions=(PartnerFor(3),))
    measured(network, rule)
    assert towards(network, "R7").status is not towards(network, "R8").status


def test_a_rule_for_others_isnt_told(network: sa.Engine):
    assert ahead(measured(network), "D1").towards == ()


@pytest.mark.parametrize(("months", "status"), [(1, Status.CERTAIN), (48, Status.OUT_OF_REACH)])
def test_what_the_quarter_cant_change_any_more_is_said_so(
    network: sa.Engine, months: int, status: Status
):
    take(network, "partners", partner("R9", parent_code="D1", joined_on="2025-01-01", tier="gold"))
    rule = replace(BONUS, code="loyalty", conditions=(PartnerFor(months),))
    found = towards(measured(network, rule), "R9")
    assert (found.status, found.points) == (status, 500 if status is Status.CERTAIN else 0)


def test_events_are_counted_and_one_kind_that_was_never_told_of_is_unknown(network: sa.Engine):
    asked = EventsAtLeast(EventsAsked(EventKind.PANEL_ATTENDED), 2)
    rule = replace(BONUS, code="panels", conditions=(AnyOf((asked, KpiIsGreen("otif"))),))
    found = towards(measured(network, rule), "R1")
    assert found.status is Status.ON_COURSE
    (several,) = found.conditions
    assert [part.verdict for part in several.parts] == [Verdict.UNKNOWN, Verdict.MET]
    assert several.needed == 1


def otif(hits: int, of: int) -> Figure:
    target = Target("otif", Fraction(95, 100))
    return Figure("otif", Fraction(hits, of), hits, of, of, state=State.RED, target=target)


@pytest.mark.parametrize(
    ("hits", "of", "bound", "count"),
    [(17, 20, "19/20", 40), (0, 1, "1/2", 1), (18, 20, "19/20", 20)],
)
def test_so_many_kept_ones_reach_the_bound_and_one_fewer_doesnt(
    hits: int, of: int, bound: str, count: int
):
    step = kept_in_a_row(otif(hits, of), Fraction(bound))
    assert step is not None
    assert step.sentence.en.startswith(f"{count} more line")
    assert Fraction(hits + count, of + count) >= Fraction(bound)
    assert Fraction(hits + count - 1, of + count - 1) < Fraction(bound)


def test_a_hundred_per_cent_that_was_missed_once_is_out_of_reach():
    step = kept_in_a_row(otif(19, 20), Fraction(1))
    assert step is not None
    assert not step.reachable


def test_a_bound_that_is_reached_needs_nothing():
    assert kept_in_a_row(otif(19, 20), Fraction(19, 20)) is None


@pytest.mark.parametrize("day", [date(2026, 4, 1), date(2026, 6, 30), date(2026, 7, 1)])
def test_the_running_rules_are_those_in_force(network: sa.Engine, day: date):
    def write(session: sa.orm.Session) -> None:
        for rule in (
            OTIF_BONUS,
            replace(OTIF_BONUS, starts=date(2026, 7, 1), source="A later version"),
            replace(OTIF_BONUS, code="monthly", period=PeriodKind.MONTH, starts=date(2026, 6, 1)),
            replace(OTIF_BONUS, code="ended", ends=date(2026, 6, 30)),
            replace(OTIF_BONUS, code="gone"),
        ):
            publish(session, rule, by=MANAGER, why="", now=NOW)
        retire(session, "gone", from_day=date(2026, 7, 1), by=MANAGER, why="Over", now=NOW)

    transact(network, write)
    with reading(network) as session:
        expected = sorted(
            (rule.code, rule.version, str(period))
            for kind in PeriodKind
            for period in [Period.of(day, kind)]
            for _, rule in in_force(session, period)
        )
        found = [
            (each.rule.code, each.rule.version, str(each.period))
            for each in running_rules(session, day)
        ]
    assert sorted(found) == expected


def test_progress_asks_as_often_however_many_rules_there_are(network: sa.Engine):
    measured(network)
    ahead(network, "R1")
    with counted(network) as few:
        ahead(network, "R1")
    more = [replace(BONUS, code=f"bonus_{number}") for number in range(12)]
    a_programme(network, *more, points=0)
    assert len(ahead(network, "R1", TODAY + timedelta(days=1)).towards) == 13
    with counted(network) as many:
        ahead(network, "R1")
    assert many.count == few.count
