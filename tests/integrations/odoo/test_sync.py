"""A sync reads an Odoo that changes, and what it reads is what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from integrations.odoo.connection.errors import KeyRefused
from integrations.odoo.streams.network import PartnersMapping
from integrations.odoo.streams.people import PeopleMapping
from integrations.odoo.sync.alone import UnderWay, alone
from integrations.stand_ins.odoo import User
from partner_cx.errors import Conflict, Unreachable
from partner_cx.operations.revisions import Revision
from tests.harness.intake import take
from tests.harness.odoo_sync import (
    ALDER,
    ANNA,
    ANNA_USER,
    BIRCH,
    CEDAR,
    GOLD,
    NORTH,
    SALLY,
    SERVICE,
    World,
    a_world,
    facts,
    person,
    table,
)

PARTNERS = """
    SELECT p.code, p.kind, a.code, p.tier, p.country, p.language, p.joined_on, p.left_on
    FROM partners p LEFT JOIN partners a ON a.id = p.parent_id ORDER BY p.code
"""
PEOPLE = """
    SELECT e.email, e.role, p.code, e.language FROM people e
    LEFT JOIN partners p ON p.id = e.partner_id ORDER BY e.email
"""
LINES = """
    SELECT p.code, l.window_end, l.status FROM order_lines l
    JOIN partners p ON p.id = l.partner_id ORDER BY l.window_end
"""
LOGINS = """
    SELECT p.code, e.source_id FROM portal_events e JOIN partners p ON p.id = e.partner_id
    ORDER BY e.source_id
"""


@pytest.fixture(params=[18, 19])
def world(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[World]:
    with a_world(engine, request.param) as opened:
        yield opened


def test_a_first_sync_tells_who_there_is(world: World) -> None:
    report = world.sync()

    assert table(world.engine, PARTNERS) == [
        ("D01", "distributor", None, "Gold", "FR", "en", "2026-01-05", None),
        ("R01", "reseller", "D01", "Silver", None, "fr", "2026-01-05", None),
        (f"odoo-{BIRCH}", "reseller", None, "Silver", None, None, "2026-01-05", None),
    ]
    assert table(world.engine, PEOPLE) == [
        ("anna@alder.example", "partner", "R01", "fr"),
        ("ben@birch.example", "partner", f"odoo-{BIRCH}", "en"),
        ("sally@brand.example", "rep", None, "en"),
    ]
    assert [*report.streams[0].notes] == ["Contacts without an e-mail address are left out."]
    assert not report.has_problems


def test_a_tag_names_the_partner_above_where_no_company_does(world: World) -> None:
    suppliers = world.add("res.partner.category", name="Supplied by")
    north = world.add("res.partner.category", name="Birch", parent_id=suppliers)
    world.change("res.partner", NORTH, category_id=[(6, 0, [north])])

    world.at("04-01 09:00").sync()

    assert [row[:3] for row in table(world.engine, PARTNERS)] == [
        ("D01", "distributor", f"odoo-{BIRCH}"),
        ("R01", "reseller", "D01"),
        (f"odoo-{BIRCH}", "distributor", None),
    ]


def test_a_sync_again_changes_nothing_and_asks_little(world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered="04-09")
    world.at("04-02 09:00").sync()
    before = facts(world.engine)

    report = world.at("04-03 09:00").sync()

    assert facts(world.engine) == before
    changed = [c for s in report.streams for c in s.counts.values() if c.taken or c.corrected]
    assert changed == []


def test_what_changed_since_is_read_and_nothing_else(world: World) -> None:
    for hour in ("09:00", "09:30", "12:00"):
        world.at(f"04-01 {hour}").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.at("04-02 09:00").sync()
    move = world.stand_in.rows("stock.move")[-1]["id"]
    world.at("04-09 11:00").deliver(move, "04-09")

    report = world.at("04-09 12:00").sync()

    orders = next(stream for stream in report.streams if stream.stream == "orders")
    assert (orders.units, orders.counts["receipts"].taken) == (1, 1)
    assert orders.counts["order-lines"].corrected == 1


def test_an_odoo_that_is_quiet_is_not_read_again_and_again(world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)
    read = []
    for hour in ("10:00", "10:05", "10:15", "10:30"):
        report = world.at(f"04-01 {hour}").sync()
        read += [stream.units for stream in report.streams if stream.stream == "orders"]
    assert read == [1, 1, 1, 0]

    world.at("04-01 10:31").order(BIRCH, promised="04-11", quantity=5, delivered=None)
    world.at("04-01 10:45").sync()
    assert len(table(world.engine, LINES)) == 2


def test_a_changed_grade_is_a_correction_and_the_former_one_is_kept(world: World) -> None:
    world.at("04-01 09:00").sync()
    world.at("05-01 09:00").change("res.partner", ALDER, grade_id=GOLD)

    world.at("05-01 10:00").sync()

    assert table(world.engine, "SELECT tier FROM partners WHERE code = 'R01'") == [("Gold",)]
    with world.engine.connect() as connection:
        former = connection.execute(sa.select(Revision.contents)).scalars().all()
    assert [contents["tier"] for contents in former] == ["Silver"]


def test_a_partner_whose_reference_changes_keeps_its_code(world: World) -> None:
    world.at("04-01 09:00").sync()
    world.at("05-01 09:00").change("res.partner", ALDER, ref="R-NEW", name="Alder & Co")

    world.at("05-01 10:00").sync()

    assert table(world.engine, "SELECT code, name FROM partners WHERE source_id = '11'") == [
        ("R01", "Alder & Co")
    ]


def test_an_archived_partner_left_that_day_and_may_come_back(world: World) -> None:
    left_on = "SELECT left_on FROM partners WHERE code = 'R01'"
    world.at("04-01 09:00").sync()

    world.at("05-03 09:00").change("res.partner", ALDER, active=False)
    world.at("05-07 10:00").sync()
    assert table(world.engine, left_on) == [("2026-05-03",)]

    world.at("06-01 09:00").change("res.partner", ALDER, name="Alder, archived")
    world.at("06-01 10:00").sync()
    assert table(world.engine, left_on) == [("2026-05-03",)]

    world.at("06-09 09:00").change("res.partner", ALDER, active=True)
    world.at("06-09 10:00").sync()
    assert table(world.engine, left_on) == [(None,)]


def test_a_partner_that_loses_its_grade_left_with_the_tier_it_had(world: World) -> None:
    world.at("04-01 09:00").sync()
    world.at("05-03 09:00").change("res.partner", ALDER, grade_id=False)

    world.at("05-03 10:00").sync()

    left = "SELECT tier, left_on FROM partners WHERE code = 'R01'"
    assert table(world.engine, left) == [("Silver", "2026-05-03")]


def test_a_company_that_becomes_a_partner_brings_its_earlier_orders(world: World) -> None:
    world.at("04-01 09:00").order(CEDAR, promised="04-10", quantity=5, delivered="04-09")
    world.at("04-02 09:00").sync()
    assert table(world.engine, LINES) == []

    world.at("05-01 09:00").change("res.partner", CEDAR, grade_id=GOLD)
    world.at("05-01 10:00").sync()

    assert table(world.engine, LINES) == [(f"odoo-{CEDAR}", "2026-04-10", "done")]


def test_a_merged_partner_left_and_its_orders_are_the_others(world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered="04-09")
    world.order(BIRCH, promised="04-12", quantity=5, delivered=None)
    world.at("04-02 09:00").sync()
    merge(world, loser=ALDER, winner=BIRCH)

    world.at("05-01 10:00").sync(compare=True)

    assert table(world.engine, LINES) == [
        (f"odoo-{BIRCH}", "2026-04-10", "done"),
        (f"odoo-{BIRCH}", "2026-04-12", "open"),
    ]
    assert table(world.engine, "SELECT left_on FROM partners WHERE code = 'R01'") == [
        ("2026-05-01",)
    ]


def merge(world: World, *, loser: int, winner: int) -> None:
    """As Odoo's wizard does it: what pointed to one points to the other, without a trace."""
    for model, name in (("sale.order", "partner_id"), ("res.partner", "parent_id")):
        for row in world.stand_in.rows(model, **{name: loser}):
            kept = world.stand_in.tables[model].kept[row["id"]]
            kept[name] = winner
            if model == "res.partner":
                kept["commercial_partner_id"] = winner
    world.stand_in.remove("res.partner", loser)


def test_what_was_deleted_is_withdrawn_when_ids_are_compared(world: World) -> None:
    order = world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered="04-09")
    world.order(ALDER, promised="04-12", quantity=5, delivered=None)
    world.at("04-02 09:00").sync()
    line = world.stand_in.rows("sale.order.line", order_id=order)[0]["id"]
    world.stand_in.remove("stock.move", world.stand_in.rows("stock.move")[0]["id"])
    world.stand_in.remove("sale.order.line", line)
    world.stand_in.remove("sale.order", order)

    world.at("04-03 10:00").sync()
    assert len(table(world.engine, LINES)) == 2

    world.at("04-03 11:00").sync(compare=True)
    assert table(world.engine, LINES) == [("R01", "2026-04-12", "open")]


def test_rows_that_are_hidden_all_at_once_are_not_taken_for_deleted(world: World) -> None:
    for _ in range(60):
        world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.at("04-02 09:00").sync()
    world.stand_in.users[0] = with_rights(
        rules={
            "sale.order": [("id", "<", 5)],
            "sale.order.line": [("id", "<", 5)],
            "stock.move": [("id", "<", 5)],
        }
    )

    report = world.at("04-03 11:00").sync(compare=True, only=["orders"])

    assert isinstance(report.streams[0].stopped, Conflict)
    assert "looks like rights lost" in str(report.streams[0].stopped)
    assert len(table(world.engine, LINES)) == 60

    world.at("04-04 11:00").sync(compare=True, even_many=True, only=["orders"])
    assert len(table(world.engine, LINES)) == 4


def test_rights_lost_on_one_model_stop_that_stream_alone(world: World) -> None:
    world.at("04-02 09:00").sync()
    world.at("04-03 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.change("res.partner", BIRCH, name="Birch & Co")
    world.stand_in.users[0] = with_rights(closed=frozenset({"stock.move"}))

    report = world.at("04-03 10:00").sync()

    stopped = {stream.stream: str(stream.stopped) for stream in report.stopped}
    assert [*stopped] == ["orders"]
    assert "stock.move" in stopped["orders"]
    assert table(world.engine, "SELECT name FROM partners WHERE source_id = '12'") == [
        ("Birch & Co",)
    ]

    world.stand_in.users[0] = SERVICE
    assert not world.at("04-03 11:00").sync().has_problems
    assert table(world.engine, LINES) == [("R01", "2026-04-10", "open")]


def with_rights(**how: Any) -> User:
    return replace(SERVICE, **how)


@pytest.mark.parametrize(
    ("kind", "after"), [("closed", 3), ("bad_gateway", 9), ("half", 17), ("revoked", 12)]
)
def test_an_odoo_that_goes_down_midway_is_caught_up_with(
    world: World, kind: str, after: int
) -> None:
    for day in ("04-10", "04-11", "04-12"):
        world.at("04-01 09:00").order(ALDER, promised=day, quantity=5, delivered="04-09")
    world.log_in(ANNA_USER, "04-01 10:00")
    world.stand_in.fault(kind, after=after, times=None)

    report = world.at("04-02 09:00").sync()
    assert isinstance(report.streams[-1].stopped, (Unreachable, KeyRefused))
    assert len(report.stopped) == 1, "the streams after it would fare no better"

    world.stand_in.heal()
    assert not world.at("04-02 10:00").sync().has_problems
    assert [status for _, _, status in table(world.engine, LINES)] == ["done"] * 3
    assert len(table(world.engine, LOGINS)) == 1
    assert len(table(world.engine, PEOPLE)) == 3


@pytest.mark.parametrize("ours", ["03-01 10:00", "07-01 10:00"])
def test_a_clock_that_goes_wrong_loses_nothing(world: World, ours: str) -> None:
    world.at("04-01 09:00").sync(now=ours)
    world.at("04-01 09:01").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.at("04-01 09:02").sync(now=ours)
    world.at("04-01 09:02").order(BIRCH, promised="04-11", quantity=5, delivered=None)
    world.at("04-01 09:03").sync(now=ours)

    assert [code for code, _, _ in table(world.engine, LINES)] == ["R01", f"odoo-{BIRCH}"]


def test_logins_are_the_same_from_the_log_and_from_the_last_login(world: World) -> None:
    world.stand_in.users[0] = with_rights(closed=frozenset({"res.users.log"}))
    world.log_in(ANNA_USER, "04-01 10:00")
    world.at("04-01 12:00").sync()
    world.log_in(ANNA_USER, "04-02 10:00")
    world.at("04-02 12:00").sync()

    world.stand_in.users[0] = SERVICE
    world.log_in(ANNA_USER, "04-03 10:00")
    world.log_in(ANNA_USER, "04-03 11:00")
    world.at("04-03 12:00").sync()

    assert table(world.engine, LOGINS) == [
        ("R01", f"login:{ANNA_USER}:2026-04-01T10:00:00Z"),
        ("R01", f"login:{ANNA_USER}:2026-04-02T10:00:00Z"),
        ("R01", f"login:{ANNA_USER}:2026-04-03T10:00:00Z"),
        ("R01", f"login:{ANNA_USER}:2026-04-03T11:00:00Z"),
    ]


def test_a_login_that_odoo_forgot_is_kept(world: World) -> None:
    world.log_in(ANNA_USER, "04-01 10:00")
    world.at("04-01 12:00").sync()
    world.stand_in.remove("res.users.log", *[r["id"] for r in world.stand_in.rows("res.users.log")])

    world.at("05-01 12:00").sync(compare=True)

    assert len(table(world.engine, LOGINS)) == 1


def test_two_contacts_with_one_address_are_one_person(world: World) -> None:
    world.add(
        "res.partner", **person(40, "Other", BIRCH, "anna@alder.example") | {"parent_id": BIRCH}
    )

    report = world.at("04-01 09:00").sync()
    world.at("04-01 09:05").sync()

    assert ("anna@alder.example", "partner", "R01", "fr") in table(world.engine, PEOPLE)
    assert any("anna@alder.example is the address of several" in n for n in report.streams[0].notes)


def test_nobodys_role_is_changed(world: World) -> None:
    world.at("04-01 09:00").sync()
    with world.engine.begin() as connection:
        connection.execute(sa.text("UPDATE people SET role = 'manager' WHERE email LIKE 'sally%'"))
    world.at("04-02 09:00").change("res.partner", ALDER, name="Alder & Co")

    world.at("04-02 10:00").sync()

    assert ("sally@brand.example", "manager", None, "en") in table(world.engine, PEOPLE)


def test_a_person_who_goes_to_another_partner_goes_there(world: World) -> None:
    world.at("04-01 09:00").sync()
    change = world.at("04-02 09:00").change
    change("res.partner", ANNA, parent_id=NORTH)
    world.stand_in.tables["res.partner"].kept[ANNA]["commercial_partner_id"] = NORTH

    world.at("04-02 10:00").sync()

    assert ("anna@alder.example", "partner", "D01", "fr") in table(world.engine, PEOPLE)


def test_another_mapping_reads_everything_anew(world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.at("04-02 09:00").sync()
    world.mapping = type(world.mapping)(
        partners=PartnersMapping(which="domain", domain=(("id", "in", [ALDER, CEDAR]),)),
        people=PeopleMapping(contacts="none"),
    )

    world.at("04-03 09:00").sync()

    left = "SELECT code, left_on FROM partners ORDER BY code"
    assert table(world.engine, left) == [
        ("D01", "2026-01-05"),
        ("R01", None),
        (f"odoo-{BIRCH}", "2026-01-05"),
        (f"odoo-{CEDAR}", None),
    ]


def test_two_syncs_never_run_at_once(world: World) -> None:
    with alone(world.engine), pytest.raises(UnderWay, match="under way"):
        world.sync()
    world.sync()


def test_refused_rows_are_told_with_their_record_and_tried_again(world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)
    world.change("sale.order", 1, name="S\x07")

    report = world.at("04-02 09:00").sync()
    told = [str(row) for stream in report.streams for row in stream.refused]
    assert told
    assert told[0].startswith("sale.order.line 1 (order-lines): order_code")

    again = world.at("04-03 09:00").sync()
    assert again.refused_rows == 1

    world.at("04-04 09:00").change("sale.order", 1, name="S1")
    assert not world.sync().has_problems
    assert not world.at("04-05 09:00").sync().has_problems
    assert len(table(world.engine, LINES)) == 1


VISITS = """
    SELECT e.email, p.code, CASE WHEN r.visits THEN 'yes' ELSE 'no' END
    FROM partner_reps r JOIN partners p ON p.id = r.partner_id
    JOIN people e ON e.id = r.person_id ORDER BY e.email, p.code
"""


def test_a_salesperson_visits_their_companies(world: World) -> None:
    world.sync()

    assert table(world.engine, VISITS) == [("sally@brand.example", "R01", "yes")]


def test_a_company_with_another_salesperson_is_theirs_and_no_longer_the_formers(
    world: World,
) -> None:
    world.at("04-01 09:00").sync()
    world.at("04-02 09:00").change("res.users", SALLY, login="sue@brand.example")
    sue = world.add("res.partner", name="Sue", is_company=False, email="sue@brand.example")
    world.change("res.users", SALLY, partner_id=[sue, "Sue"])
    world.change("res.partner", ALDER, user_id=[SALLY, "Sue"])

    world.at("04-03 09:00").sync()

    assert table(world.engine, VISITS) == [
        ("sally@brand.example", "R01", "no"),
        ("sue@brand.example", "R01", "yes"),
    ]


def test_a_company_without_a_salesperson_is_visited_by_nobody(world: World) -> None:
    world.at("04-01 09:00").sync()
    world.at("04-02 09:00").change("res.partner", ALDER, user_id=False)

    world.at("04-03 09:00").sync()

    assert table(world.engine, VISITS) == [("sally@brand.example", "R01", "no")]


def test_a_salesperson_whom_we_know_as_a_manager_is_no_rep(world: World) -> None:
    sally = {"email": "sally@brand.example", "name": "Sally", "role": "manager"}
    take(world.engine, "people", sally)

    report = world.sync()

    assert not report.has_problems
    assert table(world.engine, VISITS) == []
