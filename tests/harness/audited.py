"""A programme with everything an audit looks at: closes, events, holds, shares and corrections.

It is made by the programme itself, act by act and moment by moment, so that it is sound; and by
hand it can be damaged as an intruder would who knows the database and has all rights to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.migrations import newest_revision
from partner_cx.database import transact
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards import holds, restating
from rewards.audit import Report, audit
from rewards.audit.database import APPEND_ONLY
from rewards.budgets import fund
from rewards.conditions import KpiIsGreen
from rewards.events.happenings import Happening
from rewards.restating import approving
from rewards.rulebook import publish
from rewards.rules import FixedPoints, Rule, Shortage
from rewards.rules.limits import Limit
from tests.harness.events import a_rule, tell
from tests.harness.intake import SETTINGS, order_line, take
from tests.harness.programme import BONUS, MANAGER, OTIF_BONUS, a_network, close_it, lines

NOT_BELOW_ZERO = "ck_accounts_not_below_zero"
NOT_BELOW_ZERO_AGAIN = (
    f"ALTER TABLE accounts ADD CONSTRAINT {NOT_BELOW_ZERO} "
    "CHECK (kind = 'funding' OR balance_points >= 0) NOT VALID"
)
LATER = datetime(2026, 12, 1, 9, tzinfo=UTC)

# Pays R1, whose figures are all green; R2's aren't, and R3 has none.
QUALITY = replace(BONUS, budget="quality")
# Pays R1 and R2's distributor a share of what there is.
SHARED = replace(
    OTIF_BONUS,
    code="shared_bonus",
    budget="shared",
    when_short=Shortage.PRO_RATA,
    conditions=(KpiIsGreen("sla_response"),),
)
RICHER = replace(QUALITY, award=FixedPoints(600), starts=date(2026, 7, 1))
HELD = replace(OTIF_BONUS, code="held_bonus", budget="held", hold_days=14)
CHECKED = replace(OTIF_BONUS, code="checked_bonus", budget="held", needs_approval=True)
LIMITED = replace(
    OTIF_BONUS,
    code="limited_bonus",
    budget="limited",
    limits=(Limit(PeriodKind.YEAR, points=700),),
)
UNFUNDED = replace(OTIF_BONUS, code="unfunded_bonus", budget="empty")
COURSE = a_rule("course", hold_days="7")
REPORT = a_rule("report", on="report_accepted", budget="reports", award="{points: 20, to: person}")


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T09:00:00+00:00")


def a_sound_programme(engine: sa.Engine) -> None:
    """Two quarters closed, with all that happened around them."""
    a_network(engine)
    _fund(engine, {"quality": 10_000, "shared": 777, "held": 5_000, "limited": 5_000}, "2026-01-05")
    _fund(engine, {"learning": 500, "reports": 500}, "2026-01-05")
    publish_on(
        engine, "2026-01-06", QUALITY, SHARED, HELD, CHECKED, LIMITED, UNFUNDED, COURSE, REPORT
    )
    close_it(engine, "2026Q2", now=at("2026-07-03"))
    tell_on(engine, "C1", EventKind.COURSE_COMPLETED, "R1", "2026-07-10")
    tell_on(engine, "P1", EventKind.REPORT_ACCEPTED, "R2", "2026-07-11")
    _settle_holds(engine, "2026-07-20")
    publish_on(engine, "2026-07-21", RICHER)
    take(engine, "order-lines", *lines("R1", 20, "2026-08-18"))
    close_it(engine, "2026Q3", now=at("2026-10-02"))
    tell_on(engine, "C2", EventKind.COURSE_COMPLETED, "R2", "2026-10-05")
    correct_the_past(engine)
    restating.restate(
        engine, Period.parse("2026Q2"), now=at("2026-10-10"), by=MANAGER, settings=SETTINGS
    )
    _approve_first(engine, "2026-10-11")


def correct_the_past(engine: sa.Engine) -> None:
    """Of R1's twenty lines of May, three turn out to have come late."""
    late = [
        order_line(
            f"R1-2026-05-18-{number:02}",
            order_code=f"O-R1-2026-05-18-{number // 5}",
            partner_code="R1",
            window_end="2026-05-18",
            received_on="2026-05-20",
        )
        for number in range(3)
    ]
    take(engine, "order-lines", *late)


def audited(engine: sa.Engine, *, deep: bool = True) -> Report:
    return audit(engine, settings=SETTINGS, now=LATER, deep=deep, schema=newest_revision())


def kinds_found(engine: sa.Engine, *, deep: bool = True) -> list[str]:
    return [each.kind for each in audited(engine, deep=deep).differences]


# --- An intruder --------------------------------------------------------------------------------


@contextmanager
def intruding(engine: sa.Engine) -> Iterator[Any]:
    """Somebody with all rights, who takes the guards away, and puts them back when done.

    Gives a function that executes SQL.
    """
    on_sqlite = engine.dialect.name == "sqlite"
    with engine.execution_options(writes=True).connect() as connection:
        driver: Any = connection.connection.driver_connection
        if on_sqlite:
            driver.execute("PRAGMA foreign_keys = OFF")
            driver.execute("PRAGMA ignore_check_constraints = ON")
        with connection.begin():
            guards = _take_away(connection) if on_sqlite else []
            if not on_sqlite:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                connection.exec_driver_sql(f"ALTER TABLE accounts DROP CONSTRAINT {NOT_BELOW_ZERO}")
                guards = [NOT_BELOW_ZERO_AGAIN]
            yield lambda sql, **told: connection.execute(sa.text(sql), told)
            for guard in guards:
                connection.exec_driver_sql(guard)
        if on_sqlite:
            driver.execute("PRAGMA foreign_keys = ON")
            driver.execute("PRAGMA ignore_check_constraints = OFF")


def _take_away(connection: sa.Connection) -> list[str]:
    found = connection.exec_driver_sql(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    ).all()
    watched = [each for each in found if each.tbl_name in APPEND_ONLY]
    for name, _, _ in watched:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    return [sql for _, _, sql in watched]


# --- What happens in the programme --------------------------------------------------------------


def _fund(engine: sa.Engine, budgets: dict[str, int], day: str) -> None:
    why = Words("For 2026", "Pour 2026")

    def work(session: Session) -> None:
        for code, points in budgets.items():
            fund(session, code, points, key=f"fund:{code}:{day}", why=why, now=at(day))

    transact(engine, work)


def publish_on(engine: sa.Engine, day: str, *rules: Rule) -> None:
    def work(session: Session) -> None:
        for rule in rules:
            publish(session, rule, by=MANAGER, why="Terms of 2026", now=at(day))

    transact(engine, work)


def tell_on(
    engine: sa.Engine,
    key: str,
    kind: EventKind,
    partner_code: str,
    day: str,
    told_on: str | None = None,
) -> None:
    """Something that happened on a day, told on that day or a later one."""
    person = f"someone@{partner_code.lower()}.example"
    happening = Happening(key, kind, partner_code, at(day), person=person, subject="F-GAS")
    tell(engine, happening, now=at(told_on or day).replace(hour=12))


def _settle_holds(engine: sa.Engine, day: str) -> None:
    """One is refused, and what is due released."""

    def work(session: Session) -> None:
        key, moment = "close:2026Q2:checked_bonus:R1", at(day)
        holds.refuse(session, key, by=MANAGER, why="Told twice", now=moment, settings=SETTINGS)
        holds.release_due(session, on=moment.date(), now=moment)

    transact(engine, work)


def _approve_first(engine: sa.Engine, day: str) -> None:
    def work(session: Session) -> None:
        listed = approving.proposals(session, open_only=True)
        approving.approve(session, listed[0].proposal.id, by=MANAGER, now=at(day))

    transact(engine, work)
