"""What Odoo's users see of the programme, never doubled, never lost: notes, activities, tickets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from integrations.odoo.writing.activities import due_on
from integrations.odoo.writing.marks import entry_of, mark, marked
from integrations.stand_ins.odoo import Kind, User
from tests.harness.odoo_sync import ALDER, BIRCH, SALLY
from tests.harness.odoo_writing import SERVICE, Programme, text_of, worked, writing_into


@pytest.fixture(params=[18, 19], ids=lambda version: f"odoo{version}")
def programme(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Programme]:
    with writing_into(engine, request.param) as opened:
        yield opened


# --- Once, whatever happens ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["odoo.card", "odoo.note", "odoo.activity", "odoo.ticket"])
def test_a_worker_killed_before_it_settles_doubles_nothing(programme: Programme, kind: str) -> None:
    programme.give("R01", 10, "gesture:0")
    worked(programme)
    everything_happens(programme)
    programme.work_without_settling(kind)
    worked(programme)
    assert_everything_is_there_once(programme)


def everything_happens(programme: Programme) -> None:
    programme.give("R01", 500, "gesture:1")
    programme.answered("R01", "nps", "3")
    programme.raise_ticket("report 7")


def assert_everything_is_there_once(programme: Programme) -> None:
    assert programme.cards() == {"PCX-R01": 510}
    assert programme.history() == [("Well done.", 10, 0), ("Well done.", 500, 0)]
    assert programme.notes() == [
        "Granted: 10 points Well done.",
        "Granted: 500 points Well done.",
    ]
    assert len(programme.activities()) == 1
    assert len(programme.stand_in.rows("project.task")) == 1
    assert len(programme.stand_in.rows("loyalty.program")) == 1


@pytest.mark.parametrize(
    ("model", "method"),
    [
        ("loyalty.program", "create"),
        ("loyalty.card", "create"),
        ("loyalty.card", "write"),
        ("loyalty.history", "create"),
        ("res.partner", "message_post"),
        ("mail.activity", "create"),
        ("project.task", "create"),
    ],
)
@pytest.mark.parametrize("kind", [Kind.LOST, Kind.CUT, Kind.BAD_GATEWAY])
def test_a_write_whose_outcome_is_unknown_is_looked_for_first(
    programme: Programme, model: str, method: str, kind: Kind
) -> None:
    programme.settings = replace(programme.settings, odoo_timeout_seconds=1)
    fault = programme.stand_in.fault(kind, model=model, method=method)
    programme.give("R01", 10, "gesture:0")
    worked(programme)
    everything_happens(programme)
    worked(programme)
    assert fault.hit == 1
    assert_everything_is_there_once(programme)


# --- Notes ---------------------------------------------------------------------------------------


def test_a_grant_is_noted_in_the_language_of_the_programme(programme: Programme) -> None:
    programme.settings = replace(programme.settings, language="fr")
    programme.give("R01", 1500, "gesture:1", "Sorry <b>for</b> & of it.")
    worked(programme)
    [note] = programme.stand_in.rows("mail.message", model="res.partner", res_id=ALDER)
    assert text_of(note["body"]) == (
        "Accordé\u202f: 1\u202f500 points Sorry <b>for</b> & of it. (fr)"
    )
    assert note["subtype_id"][1] == "Note"
    assert "&lt;b&gt;for" in note["body"]


@pytest.mark.parametrize(
    ("key", "points"), [("correction:1", 500), ("gesture:1", -5)], ids=["put right", "taken"]
)
def test_what_is_no_grant_is_not_noted(programme: Programme, key: str, points: int) -> None:
    programme.switch("notes")
    programme.switch()
    programme.give("R01", 10, "before")
    programme.work()
    programme.switch("notes")
    programme.give("R01", points, key)
    worked(programme)
    assert programme.notes() == []


# --- Activities ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "value", "is_told"),
    [
        ("nps", "0", True),
        ("nps", "6", True),
        ("nps", "7", False),
        ("pnps", "6", True),
        ("csat", "2", True),
        ("csat", "3", False),
        ("csat10", "4", True),
        ("cxi.delivery", "1", True),
        ("ces", "1", False),  # the direction differs from survey to survey
    ],
)
def test_an_unhappy_answer_is_an_activity_for_the_salesperson(
    programme: Programme, question: str, value: str, is_told: bool
) -> None:
    programme.answered("R01", question, value)
    worked(programme)
    found = programme.activities()
    assert len(found) == is_told
    for each in found:
        assert (each["res_model"], each["res_id"]) == ("res.partner", ALDER)
        assert each["user_id"][0] == SALLY
        assert each["date_deadline"] == "2026-06-04"
        assert each["activity_type_id"][1] == "To-Do"
        assert "zoe" not in str(each).lower()


def test_a_corrected_answer_is_no_second_activity(programme: Programme) -> None:
    programme.answered("R01", "nps", "3", source_id="A")
    worked(programme)
    programme.answered("R01", "nps", "2", source_id="A")
    worked(programme)
    assert len(programme.activities()) == 1


def test_old_answers_that_come_in_late_bother_nobody(programme: Programme) -> None:
    programme.answered("R01", "nps", "3", answered_at="2026-05-20T10:00:00Z")
    programme.answered("R01", "nps", None, source_id="B", dismissed="true")
    worked(programme)
    assert programme.activities() == []


def test_an_activity_that_was_done_meanwhile_is_not_planned_again(programme: Programme) -> None:
    programme.answered("R01", "nps", "3")
    programme.work_without_settling("odoo.activity")
    [planned] = programme.activities()
    programme.stand_in.remove("mail.activity", planned["id"])  # as Odoo 18 does
    told = {"model": "res.partner", "res_id": ALDER, "body": planned["note"]}
    programme.stand_in.add("mail.message", told | {"message_type": "notification"})
    worked(programme)
    assert programme.activities() == []


def test_nobody_to_tell_is_said_and_named_in_the_mapping(
    programme: Programme, tmp_path: Path
) -> None:
    programme.answered("R02", "nps", "3")
    programme.work()
    [(key, state)] = programme.standing().items()
    assert state == "parked"
    assert "Nobody in Odoo looks after Birch" in programme.why(key)
    file = tmp_path / "mapping.toml"
    file.write_text('[writing]\nsalesperson = "sally@brand.example"\n')
    programme.settings = replace(programme.settings, odoo_mapping=file)
    programme.answered("R02", "nps", "4")
    programme.work()
    assert [each["res_id"] for each in programme.activities()] == [BIRCH]


def test_an_incident_is_an_activity_once(programme: Programme) -> None:
    programme.incident("R01")
    worked(programme)
    programme.incident("R01", first_reply_at=programme.clock().isoformat())
    programme.incident("R01", source_id="T-2", category="question")
    programme.incident("R01", source_id="T-3", opened_at="2026-05-20T10:00:00Z")
    worked(programme)
    [activity] = programme.activities()
    assert (activity["summary"], activity["user_id"][0]) == (
        "Incident: call within 24 hours",
        SALLY,
    )
    assert "ticket T-1 of erp" in activity["note"]


@pytest.mark.parametrize(
    ("at", "hours", "day"),
    [
        ("2026-06-03T09:00", 2, date(2026, 6, 4)),
        ("2026-06-03T23:30", 2, date(2026, 6, 5)),  # half past one of the 4th, where Sally is
        ("2026-06-03T01:00", -5, date(2026, 6, 3)),
    ],
)
def test_an_activity_is_due_within_a_day(at: str, hours: int, day: date) -> None:
    zone = timezone(timedelta(hours=hours))
    assert due_on(datetime.fromisoformat(at).replace(tzinfo=UTC), zone) == day


# --- Tickets -------------------------------------------------------------------------------------


def test_a_ticket_is_raised_in_the_project_for_support(programme: Programme) -> None:
    programme.raise_ticket("report 7", title="It  fell\nfrom the shelf")
    programme.raise_ticket("report 7", title="It fell from the shelf")
    worked(programme)
    [task] = programme.stand_in.rows("project.task")
    assert task["name"] == "It fell from the shelf"
    assert (task["project_id"][0], task["partner_id"][0]) == (2, ALDER)
    assert text_of(task["description"]) == "It <b>fell</b>. Twice."


def test_tickets_go_to_the_helpdesk_where_there_is_one(engine: sa.Engine) -> None:
    teams = [{"id": 4, "name": "Hotline"}]
    user = User(SERVICE.id, SERVICE.login, SERVICE.key)
    rows = {"helpdesk.team": teams, "helpdesk.ticket": [], "helpdesk.stage": []}
    with writing_into(engine, 19, rows=rows, users=[user]) as programme:
        programme.raise_ticket("report 7")
        worked(programme)
        [ticket] = programme.stand_in.rows("helpdesk.ticket")
        assert (ticket["team_id"][0], ticket["partner_id"][0]) == (4, ALDER)


# --- Switches and marks --------------------------------------------------------------------------


def test_what_is_switched_off_is_not_written(programme: Programme) -> None:
    everything_happens(programme)
    programme.switch()
    worked(programme)
    programme.raise_ticket("report 8")
    programme.give("R01", 5, "gesture:9")
    worked(programme)
    assert programme.stand_in.asked() == []


def test_what_looks_like_a_mark_in_what_people_wrote_is_none(programme: Programme) -> None:
    programme.give(
        "R01", 5, "gesture:1", "As in " + " ".join(mark(f"entry {n}") for n in range(99))
    )
    worked(programme)
    programme.give("R01", 7, "gesture:2")
    worked(programme)
    assert len(programme.notes()) == 2
    assert [issued for _, issued, _ in programme.history()] == [5, 7]
    body = marked(["See [PARTNER CX, ticket report 8] &amp; co"], "ticket report 7")
    assert mark("ticket report 8").lower() not in body.lower()
    assert mark("ticket report 7") in body


def test_a_mark_is_found_in_no_longer_one() -> None:
    assert mark("entry 12") not in mark("entry 123")
    assert entry_of(f"Well done. {mark('entry 12')}") == 12
    assert entry_of("Well done.") is None
    assert mark("card É_1%]") == "[Partner CX, card ~c9.~5f.1~25.~5d.]"
