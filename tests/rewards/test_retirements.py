"""Retiring rules, and how versions and drafts stand on a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import transact, writing
from partner_cx.errors import Conflict, NotFound
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from rewards.conditions import KpiIsGreen
from rewards.rulebook import RuleRetirement, in_force, in_force_on, publish
from rewards.rulebook.drafts import save_draft, submit
from rewards.rulebook.retirements import closed_from, retire
from rewards.rulebook.standings import standings
from rewards.rules import FixedPoints, Occasion, Rule
from tests.harness.programme import BONUS, a_programme, a_tallied_network, close_it

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MIA = "mia@brand.example"
CODE = BONUS.code
ON_REPORTS = replace(BONUS, code="insight", on=Occasion.REPORT_ACCEPTED, conditions=())


def put(session: Session, rule: Rule) -> None:
    publish(session, rule, by=MIA, why="", now=NOW)


def take_out(session: Session, day: date, code: str = CODE) -> RuleRetirement:
    return retire(session, code, day, by=MIA, why="It was gamed", now=NOW)


def deciding(session: Session, *periods: str) -> list[list[int]]:
    return [
        [version.version for version, _ in in_force(session, Period.parse(period))]
        for period in periods
    ]


# --- Closes -------------------------------------------------------------------------------------


def test_a_retired_rule_decides_no_period_that_begins_on_its_day_or_later(session: Session):
    put(session, BONUS)
    take_out(session, date(2026, 7, 1))
    assert deciding(session, "2026Q1", "2026Q2", "2026Q3", "2027Q1") == [[1], [1], [], []]


def test_a_rule_retired_midway_still_decides_the_period_under_way(session: Session):
    put(session, BONUS)
    take_out(session, date(2026, 5, 15))
    assert deciding(session, "2026Q2", "2026Q3") == [[1], []]


def test_retiring_brings_no_older_version_back(session: Session):
    put(session, BONUS)
    put(session, replace(BONUS, award=FixedPoints(600)))
    take_out(session, date(2026, 7, 1))
    assert deciding(session, "2026Q2", "2026Q3") == [[2], []]


def test_a_version_that_hadnt_started_is_retired_with_the_rest(session: Session):
    put(session, BONUS)
    put(session, replace(BONUS, starts=date(2027, 1, 1)))
    take_out(session, date(2026, 7, 1))
    assert deciding(session, "2026Q2", "2026Q4", "2027Q1") == [[1], [], []]


def test_a_later_version_is_in_force_again(session: Session):
    put(session, BONUS)
    take_out(session, date(2026, 7, 1))
    put(session, replace(BONUS, starts=date(2027, 1, 1)))
    assert deciding(session, "2026Q2", "2026Q4", "2027Q1") == [[1], [], [2]]


def test_a_retired_rule_that_says_the_same_again_is_a_new_version(session: Session):
    put(session, BONUS)
    take_out(session, date(2026, 7, 1))
    again = submit(session, BONUS, by=MIA, why="", now=NOW)
    assert not again.already
    assert deciding(session, "2026Q3") == [[2]]


def test_retiring_again_changes_nothing_and_another_day_is_refused(session: Session):
    put(session, BONUS)
    first = take_out(session, date(2026, 7, 1))
    assert take_out(session, date(2026, 7, 1)) is first
    with pytest.raises(Conflict, match="retired from 2026-07-01 on already"):
        take_out(session, date(2026, 10, 1))


def test_an_unknown_rule_is_not_retired(session: Session):
    with pytest.raises(NotFound):
        take_out(session, date(2026, 7, 1), "nothing")


def test_the_database_refuses_to_change_a_retirement(session: Session):
    put(session, BONUS)
    take_out(session, date(2026, 7, 1))
    with pytest.raises(sa.exc.DatabaseError, match="append-only"):
        session.execute(sa.update(RuleRetirement).values(from_day=date(2027, 1, 1)))


def test_a_rule_isnt_retired_from_under_a_closed_period(engine: sa.Engine):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    with writing(engine) as session:
        with pytest.raises(Conflict) as refused:
            take_out(session, date(2026, 4, 1))
        assert "2026Q2 is closed and decided by network_quality_bonus" in refused.value.message
        assert "from 2026-07-01 on" in refused.value.remedy
        take_out(session, date(2026, 7, 1))


def test_a_period_stays_decided_whatever_a_later_version_says(engine: sa.Engine):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    transact(engine, lambda session: put(session, replace(BONUS, period=PeriodKind.MONTH)))
    with writing(engine) as session, pytest.raises(Conflict, match="2026Q2 is closed"):
        take_out(session, date(2026, 4, 1))


def test_a_close_that_the_rule_didnt_decide_doesnt_keep_it(engine: sa.Engine):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    transact(
        engine, lambda session: put(session, replace(BONUS, code="new", starts=date(2027, 1, 1)))
    )
    with writing(engine) as session:
        take_out(session, date(2026, 1, 1), "new")


def test_the_closed_periods_a_version_comes_too_late_for_are_named(engine: sa.Engine):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    with writing(engine) as session:
        assert [*map(str, closed_from(session, BONUS))] == ["2026Q2"]
        assert closed_from(session, replace(BONUS, starts=date(2026, 5, 1))) == []


# --- Events -------------------------------------------------------------------------------------


def on_day(session: Session, day: date, kind: EventKind = EventKind.REPORT_ACCEPTED) -> list[int]:
    return [rule.version for _, rule in in_force_on(session, day, kind)]


def test_a_rule_on_events_holds_from_its_first_day_to_its_last(session: Session):
    put(session, replace(ON_REPORTS, starts=date(2026, 5, 15), ends=date(2026, 6, 30)))
    days = (date(2026, 5, 14), date(2026, 5, 15), date(2026, 6, 30), date(2026, 7, 1))
    assert [on_day(session, day) for day in days] == [[], [1], [1], []]
    assert on_day(session, date(2026, 6, 1), EventKind.PANEL_ATTENDED) == []
    assert deciding(session, "2026Q3") == [[]]  # no close decides it


def test_a_newer_version_decides_the_events_from_its_first_day_on(session: Session):
    put(session, ON_REPORTS)
    put(session, replace(ON_REPORTS, starts=date(2026, 5, 15), award=FixedPoints(60)))
    assert [on_day(session, date(2026, 5, day)) for day in (14, 15)] == [[1], [2]]


def test_a_retired_rule_decides_no_event_of_its_day_or_later(session: Session):
    put(session, ON_REPORTS)
    take_out(session, date(2026, 5, 15), "insight")
    assert [on_day(session, date(2026, 5, day)) for day in (14, 15)] == [[1], []]


def test_a_rule_that_moves_to_events_decides_no_close_any_more(session: Session):
    put(session, BONUS)
    put(session, replace(ON_REPORTS, code=CODE, starts=date(2026, 7, 1)))
    assert deciding(session, "2026Q2", "2026Q3") == [[1], []]
    assert on_day(session, date(2026, 7, 1)) == [2]


# --- How they stand -----------------------------------------------------------------------------

TODAY = date(2026, 6, 15)


def stand(session: Session) -> list[tuple[str, int | None, str, str | None]]:
    return [
        (
            each.kept.code,
            getattr(each.kept, "version", None),
            each.status.value,
            each.until.isoformat() if each.until else None,
        )
        for each in standings(session, TODAY)
    ]


def test_every_version_and_draft_says_how_it_stands(session: Session):
    def some(code: str, **changes: object) -> Rule:
        return replace(BONUS, code=code, **changes)  # type: ignore[arg-type]

    put(session, some("care"))
    put(session, some("care", starts=date(2026, 4, 1)))
    put(session, some("care", starts=date(2026, 8, 15)))
    put(session, some("ended", ends=date(2026, 3, 31)))
    put(session, some("gone"))
    take_out(session, date(2026, 4, 1), "gone")
    put(session, some("going"))
    take_out(session, date(2026, 10, 1), "going")
    save_draft(session, some("care", award=FixedPoints(7)), by=MIA, now=NOW)
    submit(session, some("nps", conditions=(KpiIsGreen("nps"),)), by=MIA, why="", now=NOW)
    # code, version, status, until
    assert stand(session) == [
        ("care", 1, "superseded", "2026-03-31"),
        ("care", 2, "in_force", "2026-09-30"),
        ("care", 3, "coming", None),
        ("care", None, "draft", None),
        ("ended", 1, "ended", "2026-03-31"),
        ("going", 1, "in_force", "2026-09-30"),
        ("gone", 1, "retired", "2026-03-31"),
        ("nps", None, "awaiting_approval", None),
    ]


def test_a_version_that_was_replaced_before_it_started_is_superseded(session: Session):
    put(session, replace(BONUS, starts=date(2026, 10, 1)))
    put(session, replace(BONUS, starts=date(2026, 10, 1), award=FixedPoints(7)))
    assert [row[2] for row in stand(session)] == ["superseded", "coming"]
