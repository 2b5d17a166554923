"""What acts leave in the stand-in Odoo, and the ways of starting one."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from integrations.stand_ins.odoo import ADMINISTRATOR, StandIn, packs, writing
from integrations.stand_ins.odoo.__main__ import main
from integrations.stand_ins.odoo.errors import OdooError
from integrations.stand_ins.odoo.playing import Play
from integrations.stand_ins.odoo.plenty import plenty

HELPDESK: dict[str, list[Any]] = {
    name: [] for name in ("helpdesk.ticket", "helpdesk.team", "helpdesk.stage")
}


@pytest.fixture(params=[18, 19])
def odoo(request: pytest.FixtureRequest) -> Play:
    play = Play(StandIn(request.param))
    play.stage.product("PUMP", "Heat pump", price=900)
    play.stage.product("VALVE", "Valve", price=12)
    return play


def moved(odoo: Play, line: int) -> list[tuple[str, float, float, str]]:
    """State, demand, quantity and day of each move of a line."""
    return [
        (row["state"], row["product_uom_qty"], row["quantity"], row["date"][:10])
        for row in odoo.stand_in.rows("stock.move", sale_line_id=line)
    ]


def ordered(odoo: Play, *lines: tuple[str, float] | tuple[str, float, str]) -> int:
    buyer = odoo.network.company("NORTH", "North", grade="Gold")
    return odoo.sales.order(buyer, lines, at="2026-04-01", promised="2026-04-15 12:00")


def test_a_back_order_rewrites_the_move_and_asks_for_the_rest_in_a_new_one(odoo: Play) -> None:
    order = ordered(odoo, ("PUMP", 20), ("VALVE", 5))
    pump, valve = odoo.sales.lines(order)
    odoo.sales.deliver(order, at="2026-04-14", pieces={1: 12})
    assert moved(odoo, pump) == [
        ("done", 12, 12, "2026-04-14"),
        ("confirmed", 8, 0, "2026-04-15"),
    ]
    assert moved(odoo, valve) == [("confirmed", 5, 0, "2026-04-15")]
    odoo.sales.deliver(order, at="2026-04-20")
    assert moved(odoo, pump)[1] == ("done", 8, 8, "2026-04-20")
    row = odoo.stand_in.row("sale.order", order)
    assert row
    assert row["effective_date"] == "2026-04-14 00:00:00"  # the first delivery, not the last
    assert row["delivery_status"] == "full"


def test_a_rest_that_is_dropped_leaves_the_move_its_demand(odoo: Play) -> None:
    order = ordered(odoo, ("PUMP", 9))
    odoo.sales.deliver(order, at="2026-04-14", pieces={1: 7}, drop_rest=True)
    (line,) = odoo.sales.lines(order)
    assert moved(odoo, line) == [("done", 9, 7, "2026-04-14")]


def test_what_is_put_aside_has_a_quantity_though_nothing_was_sent(odoo: Play) -> None:
    order = ordered(odoo, ("PUMP", 3))
    odoo.sales.reserve(order, at="2026-04-02")
    (line,) = odoo.sales.lines(order)
    assert moved(odoo, line) == [("assigned", 3, 3, "2026-04-15")]
    assert odoo.stand_in.rows("sale.order.line")[0]["qty_delivered"] == 0


def test_dozens_are_moved_in_pieces_and_returns_are_taken_off_what_was_delivered(
    odoo: Play,
) -> None:
    order = ordered(odoo, ("VALVE", 2, "Dozens"))
    odoo.sales.deliver(order, at="2026-04-14")
    odoo.sales.give_back(order, {1: 6}, at="2026-04-20")
    (line,) = odoo.stand_in.rows("sale.order.line")
    assert [each[2] for each in moved(odoo, line["id"])] == [24, 6]
    assert line["qty_delivered"] == 1.5
    back = odoo.stand_in.rows("stock.move")[-1]
    assert (back["location_usage"], back["location_dest_usage"]) == ("customer", "internal")
    assert back["origin_returned_move_id"]


def test_an_order_cancelled_keeps_its_quantities_and_a_line_cancelled_has_none(
    odoo: Play,
) -> None:
    order = ordered(odoo, ("PUMP", 4), ("VALVE", 6))
    odoo.sales.set_quantity(order, 2, 0, at="2026-04-03")
    odoo.sales.cancel(order, at="2026-04-04")
    lines = odoo.stand_in.rows("sale.order.line")
    assert [(line["state"], line["product_uom_qty"]) for line in lines] == [
        ("cancel", 4),
        ("cancel", 0),
    ]
    assert {row["state"] for row in odoo.stand_in.rows("stock.move")} == {"cancel"}


def test_a_ticket_that_is_opened_again_tells_so_only_by_what_was_tracked(odoo: Play) -> None:
    buyer = odoo.network.company("NORTH", "North")
    ticket = odoo.desk.ticket(odoo.network.contact(buyer, "Ida"), "It leaks", at="2026-04-01 08:00")
    odoo.desk.close(ticket, at="2026-04-02")
    odoo.desk.reopen(ticket, at="2026-04-03")
    row = odoo.stand_in.row("project.task", ticket)
    assert row
    assert (row["state"], row["date_end"]) == ("01_in_progress", False)
    tracked = [
        (each["old_value_char"], each["new_value_char"])
        for each in odoo.stand_in.rows("mail.tracking.value")
        if "Done" in (each["old_value_char"], each["new_value_char"])
    ]
    assert tracked == [("In Progress", "Done"), ("Done", "In Progress")]


def test_tickets_are_helpdesks_own_where_it_is_installed() -> None:
    odoo = Play(StandIn(19, HELPDESK))
    contact = odoo.network.contact(odoo.network.company("NORTH", "North"), "Ida")
    ticket = odoo.desk.ticket(contact, "It leaks", at="2026-04-01 08:00")
    odoo.desk.close(ticket, at="2026-04-02 09:00")
    row = odoo.stand_in.row("helpdesk.ticket", ticket)
    assert row
    assert row["close_date"] == "2026-04-02 09:00:00"
    assert len(row["message_ids"]) == 3


def test_odoos_cleaning_leaves_the_last_login_of_each_user(odoo: Play) -> None:
    buyer = odoo.network.company("NORTH", "North")
    users = [odoo.network.portal_user(odoo.network.contact(buyer, name)) for name in ("Ida", "Jon")]
    odoo.network.log_in(users[0], "2026-04-01 08:00", "2026-05-01 08:00")
    odoo.network.log_in(users[1], "2026-04-02 08:00")
    assert odoo.network.clean_logins() == 1
    logs = odoo.stand_in.rows("res.users.log")
    assert [(log["create_uid"][0], log["create_date"][:10]) for log in logs] == [
        (users[0], "2026-05-01"),
        (users[1], "2026-04-02"),
    ]


def test_a_merged_partner_is_gone_and_what_was_its_own_keeps_its_write_date(odoo: Play) -> None:
    order = ordered(odoo, ("PUMP", 1))
    before = odoo.stand_in.row("sale.order", order)
    assert before
    winner = odoo.network.company("SOUTH", "South", grade="Gold")
    odoo.network.merge(before["partner_id"][0], winner, at="2026-05-01")
    after = odoo.stand_in.row("sale.order", order)
    assert after
    assert after["partner_id"] == [winner, "South"]
    assert after["write_date"] == before["write_date"]
    assert not odoo.stand_in.rows("res.partner", ref="NORTH")


def test_a_cards_code_is_there_once(odoo: Play) -> None:
    program = odoo.stand_in.add("loyalty.program", {"name": "Points"})
    cards = odoo.stand_in._call("loyalty.card", ADMINISTRATOR)
    writing.create(cards, {"program_id": program, "code": "one"})
    with pytest.raises(OdooError, match="unique code"):
        writing.create(cards, {"program_id": program, "code": "one"})


# --- Starting one --------------------------------------------------------------------------------


def test_rows_written_to_a_folder_stand_in_again(odoo: Play, tmp_path: Path) -> None:
    order = ordered(odoo, ("PUMP", 2))
    odoo.sales.deliver(order, at="2026-04-14")
    packs.write(odoo.stand_in, tmp_path)
    again = StandIn(odoo.stand_in.version, packs.read(tmp_path))
    for model in ("res.partner", "sale.order", "sale.order.line", "stock.move", "res.users"):
        assert again.rows(model) == odoo.stand_in.rows(model)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "There are no rows"), ("{", "is no JSON"), ("{}", "no list of rows")],
)
def test_a_folder_that_holds_no_rows_is_refused_with_its_reason(
    tmp_path: Path, content: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "res.partner.json").write_text(content)
    assert main([str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def started(tmp_path: Path) -> Iterator[str]:
    """The address of one started by hand, with an empty folder's worth of rows."""
    (tmp_path / "res.partner.json").write_text('[{"id": 1, "name": "North"}]')
    command = [sys.executable, "-m", "integrations.stand_ins.odoo", str(tmp_path), "--port", "0"]
    house = Path(__file__).parents[3]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=house) as process:
        assert process.stdout
        address = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert address
        yield address.group()
        process.terminate()


def test_one_started_by_hand_answers(started: str) -> None:
    answer = httpx.post(
        f"{started}/json/2/res.users/context_get",
        headers={"Authorization": "Bearer a-key-for-trying"},
        json={},
    )
    assert answer.json()["uid"] == 2


@pytest.mark.parametrize("version", [18, 19])
def test_a_network_that_is_made_up_hangs_together(version: int) -> None:
    stand_in = StandIn(version, plenty(103, version=version))
    lines, moves = stand_in.rows("sale.order.line"), stand_in.rows("stock.move")
    assert (len(lines), len(moves), len(stand_in.rows("sale.order"))) == (103, 113, 21)
    for line in lines:
        own = [move for move in moves if move["sale_line_id"][0] == line["id"]]
        assert [move["id"] for move in own] == line["move_ids"]
        assert sum(move["quantity"] for move in own) == line["product_uom_qty"]
    assert sum(len(order["order_line"]) for order in stand_in.rows("sale.order")) == 103
