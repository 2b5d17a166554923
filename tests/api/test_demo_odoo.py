"""The demo's own Odoo: the demo's partners, alive in the running quarter, and synced."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from api.demo.cast import MEMBERS
from api.demo.odoo import SHOWN, make_odoo
from integrations.odoo.connection import connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SyncReport, sync
from integrations.stand_ins.odoo import ADMINISTRATOR, DATABASE, running
from partner_cx.settings import Settings

UNTIL = date(2026, 11, 22)
QUARTER = "2026-10-01"


@pytest.mark.parametrize("version", [18, 19])
def test_its_companies_are_the_demos_partners_under_their_codes(version: int) -> None:
    stand_in = make_odoo(version, until=UNTIL).stand_in
    graded = {row["ref"]: row for row in stand_in.rows("res.partner") if row["grade_id"]}
    assert set(graded) == set(SHOWN)
    for member in (each for each in MEMBERS if each.code in SHOWN):
        row = graded[member.code]
        assert (row["name"], row["grade_id"][1]) == (member.name, member.tier)
        above = member.parent_code if member.parent_code in SHOWN else ""
        assert bool(row["parent_id"]) == bool(above)


def test_it_is_lively_and_tells_nothing_of_quarters_that_are_over_nor_of_days_to_come() -> None:
    stand_in = make_odoo(19, until=UNTIL).stand_in
    orders = stand_in.rows("sale.order")
    assert len(orders) > 60
    assert min(row["commitment_date"] for row in orders) > QUARTER
    done = [row["date"] for row in stand_in.rows("stock.move", state="done")]
    assert QUARTER < min(done) <= max(done) < UNTIL.isoformat()
    assert any(row["backorder_id"] for row in stand_in.rows("stock.picking"))
    assert any(row["origin_returned_move_id"] for row in stand_in.rows("stock.move"))
    assert len(stand_in.rows("project.task")) > 15
    assert len(stand_in.rows("res.users.log")) > 50


def test_the_same_day_gives_the_same_rows() -> None:
    one, other = (make_odoo(19, until=UNTIL).stand_in for _ in range(2))
    for model in ("sale.order", "stock.move", "mail.message", "res.users.log"):
        assert one.rows(model) == other.rows(model)


def test_a_sync_of_it_is_clean_and_another_day_brings_more(engine: sa.Engine) -> None:
    odoo = make_odoo(19, until=UNTIL)
    odoo.stand_in.clock = lambda: datetime(2026, 11, 22, 6, tzinfo=UTC)

    def synced(address: str, hour: int) -> SyncReport:
        settings = Settings(odoo_url=address, odoo_database=DATABASE, odoo_key=ADMINISTRATOR.key)
        with connect(settings) as connection:
            now = datetime(2026, 11, 22, hour, tzinfo=UTC)
            return sync(engine, connection, OdooMapping(), settings=settings, now=now)

    with running(odoo.stand_in) as address:
        first = synced(address, 6)
        odoo.another_day(at=datetime(2026, 11, 22, 9, tzinfo=UTC))
        second = synced(address, 12)

    assert not first.has_problems
    assert not second.has_problems
    changed = {
        stream.stream: sum(count.taken + count.corrected for count in stream.counts.values())
        for stream in second.streams
    }
    assert changed["orders"] > 0
    assert changed["tickets"] > 0
