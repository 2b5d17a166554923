"""Tickets of an Odoo through a sync to what is known of them, and to the SLA they come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.streams.tickets import TicketsMapping
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.periods import Period
from tests.harness.odoo_support import (
    SEES_NONE,
    SEES_TRACKING,
    Asking,
    an_asking_network,
    moment,
    on,
)

TICKETS = """
    SELECT p.code, substr(cast(t.opened_at AS text), 6, 11),
        substr(cast(t.first_reply_at AS text), 6, 11), substr(cast(t.resolved_at AS text), 6, 11)
    FROM tickets t JOIN partners p ON p.id = t.partner_id ORDER BY t.opened_at
"""
REOPENED = "SELECT source_id, reopened_count FROM tickets ORDER BY opened_at"


@pytest.fixture(params=[18, 19])
def play(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Asking]:
    with an_asking_network(engine, request.param) as opened:
        yield opened


def sla(play: Asking, at: str) -> dict[str, tuple[int, int]]:
    """hits and of in the second quarter, by partner, with the network's."""
    now = moment(at)
    refreshing.refresh(play.engine, now=now, settings=play.settings)
    with Session(play.engine.execution_options(writes=True)) as session:
        measuring.measure(session, Period.parse("2026Q2"), now=now, settings=play.settings)
        rows = session.scalars(
            sa.select(ScorecardRow).where(
                ScorecardRow.kpi == "sla_response",
                ScorecardRow.level.in_(["partner", "network"]),
            )
        )
        return {row.subject: (row.hits or 0, row.of) for row in rows if row.of}


def a_quarter(play: Asking) -> dict[str, int]:
    """Nine tickets and a task; eight hours are promised for each."""
    desk = play.desk
    ask = {"in_time": desk.ticket(play.ida, "In time", at=on("04-07 08:00"), by_mail=True)}
    desk.reply(ask["in_time"], play.sigrid, at=on("04-07 10:00"))
    desk.close(ask["in_time"], at=on("04-08 09:00"))
    ask["just"] = desk.ticket(play.ida, "To the second", at=on("04-08 09:00"))
    desk.reply(ask["just"], play.per, at=on("04-08 17:00"), by_mail=True)
    ask["late"] = desk.ticket(play.ida, "A note first", at=on("04-09 09:00"))
    desk.note(ask["late"], play.sigrid, at=on("04-09 10:00"))
    desk.reply(ask["late"], play.sigrid, at=on("04-09 18:00"))
    ask["robot"] = desk.ticket(play.jon, "Only acknowledged", at=on("04-10 09:00"))
    desk.automatic(ask["robot"], play.sigrid, at=on("04-10 09:01"))
    ask["colleague"] = desk.ticket(play.jon, "A colleague first", at=on("04-13 09:00"))
    desk.customer_writes(ask["colleague"], play.ida, at=on("04-13 10:00"))
    desk.reply(ask["colleague"], play.per, at=on("04-14 09:00"))
    ask["silent"] = desk.ticket(play.jon, "Closed in silence", at=on("04-14 09:00"))
    desk.close(ask["silent"], at=on("04-14 11:00"), cancelled=True)
    ask["july"] = desk.ticket(play.jon, "Due in July", at=on("06-30 20:00"))
    desk.reply(ask["july"], play.per, at=on("06-30 21:00"))
    ask["stranger"] = desk.ticket(play.guest, "Of no partner", at=on("04-15 09:00"))
    ask["nobody"] = desk.ticket(None, "Of nobody", at=on("04-15 10:00"))
    ask["internal"] = desk.ticket(
        play.ida, "A task", at=on("04-15 11:00"), project="Internal affairs"
    )
    return ask


def test_a_quarter_comes_to_the_table_worked_by_hand(play: Asking) -> None:
    a_quarter(play)
    play.sync("07-01 12:00")
    assert play.rows(TICKETS) == [
        ("BAKKE", "04-07 08:00", "04-07 10:00", "04-08 09:00"),
        ("BAKKE", "04-08 09:00", "04-08 17:00", None),
        ("BAKKE", "04-09 09:00", "04-09 18:00", None),
        ("DAL", "04-10 09:00", None, None),
        ("DAL", "04-13 09:00", "04-14 09:00", None),
        ("DAL", "04-14 09:00", None, "04-14 11:00"),
        ("DAL", "06-30 20:00", "06-30 21:00", None),
    ]
    assert sla(play, "07-01 12:00") == {"BAKKE": (2, 3), "DAL": (0, 3), "network": (2, 6)}


def test_again_changes_nothing(play: Asking) -> None:
    a_quarter(play)
    play.sync("07-01 12:00")
    before = play.rows(TICKETS)
    report = play.sync("07-01 13:00", compare=True)
    assert play.rows(TICKETS) == before
    changes = [
        (counts.taken, counts.corrected, counts.withdrawn)
        for stream in report.streams
        for counts in stream.counts.values()
    ]
    assert set(changes) <= {(0, 0, 0)}


def test_a_colleague_who_left_since_did_answer(play: Asking) -> None:
    ticket = play.desk.ticket(play.ida, "Answered by Per", at=on("04-07 08:00"))
    play.desk.reply(ticket, play.per, at=on("04-07 09:00"))
    play.stage.change("res.users", play.per, on("04-20 08:00"), active=False)
    play.sync("04-21 08:00")
    assert play.rows(TICKETS) == [("BAKKE", "04-07 08:00", "04-07 09:00", None)]


def test_a_message_alone_is_found_by_the_next_sync(play: Asking) -> None:
    """It doesn't touch its ticket."""
    ticket = play.desk.ticket(play.ida, "Waiting", at=on("04-07 08:00"))
    play.sync("04-08 08:00")
    assert play.rows(TICKETS) == [("BAKKE", "04-07 08:00", None, None)]
    play.desk.reply(ticket, play.sigrid, at=on("04-09 08:00"))
    play.sync("04-10 08:00")
    assert play.rows(TICKETS) == [("BAKKE", "04-07 08:00", "04-09 08:00", None)]


@pytest.mark.parametrize("way", ["moved", "archived", "another's", "deleted", "left out"])
def test_what_is_no_ticket_any_more_is_withdrawn(play: Asking, way: str) -> None:
    ticket = play.desk.ticket(play.ida, "Not for long", at=on("04-07 08:00"))
    closed = play.desk.ticket(play.jon, "To stay", at=on("04-07 09:00"))
    play.desk.close(closed, at=on("04-07 10:00"))
    play.sync("04-08 08:00")
    assert len(play.rows(TICKETS)) == 2
    for number in (ticket, closed) if way == "archived" else (ticket,):
        at = on("04-09 08:00")
        match way:
            case "moved":
                elsewhere = play.desk.project("Internal affairs")
                play.stage.change("project.task", number, at, project_id=elsewhere)
            case "archived":
                play.stage.change("project.task", number, at, active=False)
            case "another's":
                play.stage.change("project.task", number, at, partner_id=play.guest)
            case "deleted":
                play.stand_in.remove("project.task", number)
            case "left out":
                play.stage.change("project.task", number, at, project_id=False)
    play.sync("04-10 08:00", compare=True)
    assert [row[0] for row in play.rows(TICKETS)] == ["DAL"]


def test_a_ticket_that_goes_to_another_partner_is_that_ones(play: Asking) -> None:
    ticket = play.desk.ticket(play.ida, "Mistaken", at=on("04-07 08:00"))
    play.sync("04-08 08:00")
    play.stage.change("project.task", ticket, on("04-09 08:00"), partner_id=play.jon)
    play.sync("04-10 08:00")
    assert [row[0] for row in play.rows(TICKETS)] == ["DAL"]


def test_reopened_tickets_are_counted_by_what_was_tracked(play: Asking) -> None:
    never, often = (
        play.desk.ticket(play.ida, title, at=on(at))
        for title, at in (("Never", "04-07 08:00"), ("Twice", "04-07 09:00"))
    )
    play.desk.close(never, at=on("04-08 08:00"))
    for day in ("08", "10"):
        play.desk.close(often, at=on(f"04-{day} 09:00"))
        play.desk.reopen(often, at=on(f"04-{day} 15:00"))
    play.sync("04-12 08:00")
    assert play.rows(REOPENED) == [(str(never), "0"), (str(often), "2")]
    assert play.rows(TICKETS)[1] == ("BAKKE", "04-07 09:00", None, None)


def test_without_that_right_they_are_counted_by_what_was_seen(engine: sa.Engine) -> None:
    with an_asking_network(engine, 19, SEES_NONE) as play:
        ticket = play.desk.ticket(play.ida, "Twice", at=on("04-07 08:00"))
        play.sync("04-07 12:00")
        assert play.rows(REOPENED) == [(str(ticket), None)]
        for day in ("08", "10"):
            play.desk.close(ticket, at=on(f"04-{day} 09:00"))
            play.sync(f"04-{day} 12:00")
            play.desk.reopen(ticket, at=on(f"04-{day} 15:00"))
            play.sync(f"04-{day} 18:00")
        play.sync("04-11 18:00", compare=True)
        assert play.rows(REOPENED) == [(str(ticket), "2")]


def test_the_mapping_says_what_is_promised_and_where(play: Asking) -> None:
    play.mapping = replace(
        play.mapping,
        tickets=TicketsMapping(
            projects=("internal AFFAIRS", "Nowhere"),
            response_target_minutes=60,
            resolution_target_minutes=120,
            categories={"Breakdown": "incident"},
        ),
    )
    tags = [
        play.stage.add("project.tags", on("04-01 08:00"), name=name) for name in ("A", "Breakdown")
    ]
    asked = a_quarter(play)
    play.stage.change("project.task", asked["internal"], on("04-16 08:00"), tag_ids=tags)
    report = play.sync("07-01 12:00")
    [tickets] = [each for each in report.streams if each.stream == "tickets"]
    assert dict(tickets.notes).keys() == {"No project is called Nowhere."}
    columns = "response_target_minutes, resolution_target_minutes, category"
    promised = play.rows(f"SELECT source_id, {columns} FROM tickets")
    assert promised == [(str(asked["internal"]), "60", "120", "incident")]


def test_the_sync_says_which_projects_it_took(play: Asking) -> None:
    a_quarter(play)
    report = play.sync("07-01 12:00")
    [tickets] = [each for each in report.streams if each.stream == "tickets"]
    assert [*tickets.notes] == [
        "Tickets are the tasks of: Partner support. The mapping's [tickets] may differ."
    ]


@pytest.mark.parametrize("version", [18, 19])
def test_where_the_helpdesk_is_installed_its_tickets_count(engine: sa.Engine, version: int) -> None:
    apps: dict[str, Any] = {"helpdesk.team": [], "helpdesk.stage": [], "helpdesk.ticket": []}
    account = replace(SEES_TRACKING, groups=SEES_TRACKING.groups | {"helpdesk.group_helpdesk_user"})
    with an_asking_network(engine, version, account, rows=apps) as play:
        ticket = play.desk.ticket(play.ida, "In the helpdesk", at=on("04-07 08:00"))
        play.desk.note(ticket, play.per, at=on("04-07 09:00"))
        play.desk.reply(ticket, play.per, at=on("04-07 10:00"))
        play.desk.close(ticket, at=on("04-08 09:00"))
        play.desk.ticket(play.guest, "A stranger's", at=on("04-07 08:30"))
        play.sync("04-09 08:00")
        assert play.rows(TICKETS) == [("BAKKE", "04-07 08:00", "04-07 10:00", "04-08 09:00")]
        assert play.rows(REOPENED) == [(f"helpdesk-{ticket}", None)]
        play.desk.reopen(ticket, at=on("04-09 09:00"))
        play.sync("04-10 08:00")
        assert play.rows(REOPENED) == [(f"helpdesk-{ticket}", "1")]
        play.stand_in.remove("helpdesk.ticket", ticket)
        play.sync("04-11 08:00", compare=True)
        assert play.rows(TICKETS) == []


def test_a_ticket_of_no_partner_becomes_one_with_its_company(play: Asking) -> None:
    play.desk.ticket(play.guest, "Early", at=on("04-07 08:00"))
    play.sync("04-08 08:00")
    assert play.rows(TICKETS) == []
    play.network.regrade(play.strand, "Gold", at=on("04-09 08:00"))
    play.sync("04-10 08:00")
    assert [row[0] for row in play.rows(TICKETS)] == ["STRAND"]
