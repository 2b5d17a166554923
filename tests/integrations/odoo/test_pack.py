"""A recorded Odoo, read whole, measures what its own book says it should.

`PARTNER_CX_TEST_ODOO_PACK` names a folder with `rows.18`, `rows.19` (one file per model) and
`expected.json`: counts of OTIF, SLA and portal use per company and quarter. Without it there is
nothing to try.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from integrations.odoo.connection import connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import sync
from integrations.stand_ins.odoo import ADMINISTRATOR, DATABASE, StandIn, running
from partner_cx.database import reading, transact
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.figures import Figure
from partner_cx.measures.scorecards import kept_figures
from partner_cx.periods import Period
from partner_cx.settings import Settings

PACK = os.environ.get("PARTNER_CX_TEST_ODOO_PACK")
pytestmark = pytest.mark.skipif(not PACK, reason="PARTNER_CX_TEST_ODOO_PACK names no pack")
UTC_DAYS = Settings(time_zone="UTC")


@pytest.fixture(params=[18, 19])
def read_pack(engine: sa.Engine, request: pytest.FixtureRequest) -> sa.Engine:
    """The database after a first sync, and another that finds nothing new."""
    with running(StandIn(request.param, rows_of(request.param))) as address:
        settings = Settings(
            time_zone="UTC",
            odoo_url=address,
            odoo_database=DATABASE,
            odoo_login=ADMINISTRATOR.login,
            odoo_key=ADMINISTRATOR.key,
        )
        with connect(settings) as odoo:
            for hour in (9, 10):
                now = datetime(2026, 10, 1, hour, tzinfo=UTC)
                report = sync(engine, odoo, OdooMapping(), settings=settings, now=now)
                assert not report.has_problems
    return engine


def rows_of(version: int) -> dict[str, Any]:
    files = Path(PACK or "", f"rows.{version}").glob("[!_]*.json")
    return {file.stem: json.loads(file.read_text("utf-8")) for file in files}


@pytest.mark.parametrize(
    ("quarter", "moment"), [("2026-Q2", "end"), ("2026-Q3", "end"), ("2026-Q3", "midway")]
)
def test_a_recorded_odoo_measures_as_its_book_says(
    read_pack: sa.Engine, quarter: str, moment: str
) -> None:
    book = json.loads(Path(PACK or "", "expected.json").read_text("utf-8"))
    if moment == "end":
        on = date.fromisoformat(book["reporting_date"])
        totals = book["totals"][quarter]
        companies = {code: c["quarters"][quarter] for code, c in book["companies"].items()}
    else:
        on = date.fromisoformat(book["mid_quarter"]["reporting_date"])
        totals, companies = book["mid_quarter"]["totals"], book["mid_quarter"]["companies"]

    period = Period.parse(quarter.replace("-", ""))
    found = measured(read_pack, period, on)
    tickets = tickets_of(read_pack, period, on)

    assert {
        code: counted(found["partner"].get(code, {}), tickets.get(code, (0, 0)))
        for code in companies
    } == {code: told(company) for code, company in companies.items()}
    network = found["network"]["network"]
    assert (network["otif"].of, network["otif"].hits) == (totals["lines_due"], totals["lines_otif"])
    adoption = network["portal_adoption"]
    assert (adoption.hits, adoption.of) == (
        totals["portal_active_companies"],
        totals["graded_companies"],
    )
    due = [each for each in book["tickets"] if is_due(each, period, on)]
    answered = (network["sla_response"].of, network["sla_response"].hits)
    assert answered == (len(due), sum(each["within_target"] for each in due))


def is_due(ticket: Mapping[str, Any], period: Period, on: date) -> bool:
    """Whether a ticket of the book counts in our SLA of a period, which goes by the due day."""
    if ticket["excluded"]:
        return False
    day = datetime.fromisoformat(ticket["target"]).date()
    return period.first_day <= day < period.end_day and day <= on


def measured(
    engine: sa.Engine, period: Period, on: date
) -> dict[str, Mapping[str, Mapping[str, Figure]]]:
    """Scorecards by level and subject, as of the end of a day."""
    now = datetime.combine(on, time(23, 59, 59), UTC)
    refreshing.refresh(engine, now=now, settings=UTC_DAYS)
    transact(engine, lambda s: measuring.measure(s, period, now=now, settings=UTC_DAYS))
    with reading(engine) as session:
        return {level: kept_figures(session, period, level) for level in ("partner", "network")}


def tickets_of(engine: sa.Engine, period: Period, on: date) -> dict[str, tuple[int, int]]:
    """Tickets opened in a period with their target passed, and those answered within it.

    The book counts a ticket in the quarter it was opened in; our SLA where it was due.
    """
    known = sa.text(
        "SELECT p.code, sum(1), sum(CASE WHEN t.first_reply_at <= t.response_due_at THEN 1 "
        "ELSE 0 END) FROM tickets t JOIN partners p ON p.id = t.partner_id "
        "WHERE t.opened_on >= :first AND t.opened_on < :end AND t.response_due_on <= :on "
        "GROUP BY p.code"
    )
    days = {"first": period.first_day, "end": period.end_day, "on": on}
    if engine.dialect.name == "sqlite":
        days = {name: str(day) for name, day in days.items()}  # type: ignore[misc]
    with engine.connect() as connection:
        return {row[0]: (row[1], row[2]) for row in connection.execute(known, days)}


def counted(card: Mapping[str, Figure], tickets: tuple[int, int]) -> tuple[Any, ...]:
    """Lines due and in time and in full, tickets with a target and within it, the portal used."""
    otif, adoption = card.get("otif"), card.get("portal_adoption")
    lines = (otif.of, otif.hits) if otif and otif.of else (0, 0)
    return (*lines, *tickets, bool(adoption and adoption.hits))


def told(company: Mapping[str, Any]) -> tuple[Any, ...]:
    names = ("lines_due", "lines_otif", "tickets_with_target", "tickets_within_target")
    return (*(company[name] for name in names), company["portal_active"])
