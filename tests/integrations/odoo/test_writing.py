"""What Odoo's users see of the programme: cards, notes, activities and tickets, never doubled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from integrations.handlers import HANDLERS
from integrations.leasing import Lane
from integrations.odoo.writing.activities import due_on
from integrations.odoo.writing.cards import LATEST
from integrations.odoo.writing.marks import entry_of, mark
from integrations.stand_ins.odoo import SERVICE_GROUPS, Field, Kind, User
from integrations.stand_ins.odoo.rights import PARTNER_MANAGER, SALES_ALL, SALES_CHIEF, SALES_OWN
from integrations.worker import Worker
from tests.harness.odoo_sync import ALDER, BIRCH, SALLY
from tests.harness.odoo_writing import SERVICE, Programme, text_of, writing_into


@pytest.fixture(params=[18, 19], ids=lambda version: f"odoo{version}")
def programme(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Programme]:
    with writing_into(engine, request.param) as opened:
        yield opened


def worked(programme: Programme, **passing: float) -> None:
    """Let time pass, then carry out what is due. Nothing stays undone."""
    for _ in range(8):
        programme.clock.pass_by(**(passing or {"minutes": 1}))
        programme.work()
    assert programme.standing() == {}


# --- Cards ---------------------------------------------------------------------------------------


def test_a_card_shows_the_balance_with_a_line_for_each_entry(programme: Programme) -> None:
    programme.give("R01", 500, "gesture:1", "Sorry for the delay.")
    worked(programme)
    programme.give("R01", -120, "spent:1", "A coffee machine.")
    programme.give("D01", 70, "gesture:2")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 380, "PCX-D01": 70}
    assert programme.card()["partner_id"][0] == ALDER
    assert programme.history() == [("Sorry for the delay.", 500, 0), ("A coffee machine.", 0, 120)]
    [made] = programme.stand_in.rows("loyalty.program")
    assert (made["name"], made["program_type"]) == ("Partner CX", "loyalty")


def test_a_new_card_tells_the_latest_entries_and_sums_up_the_earlier(programme: Programme) -> None:
    programme.switch()
    for number in range(LATEST + 2):
        programme.give("R01", 10 + number, f"gesture:{number}", f"Number {number}.")
    programme.work()
    assert programme.cards() == {}
    programme.switch("cards")
    programme.give("R01", -20, "spent:1", "A coffee machine.")
    worked(programme)
    told = programme.history()
    assert told[:2] == [("Points until then", 10 + 11 + 12, 0), ("Number 3.", 13, 0)]
    assert told[-1] == ("A coffee machine.", 0, 20)
    assert sum(issued - used for _, issued, used in told) == programme.cards()["PCX-R01"]


def test_what_is_owed_for_several_entries_late_is_written_in_order(programme: Programme) -> None:
    programme.serving.stop()
    for number in range(1, 5):
        programme.give("R01", number, f"gesture:{number}", f"Number {number}.")
        programme.work()
        programme.clock.pass_by(minutes=15)
    assert programme.cards() == {}
    assert set(programme.standing("odoo.card").values()) <= {"waiting", "held_back"}
    programme.serving.start()
    worked(programme, minutes=15)
    assert programme.cards() == {"PCX-R01": 10}
    assert programme.history() == [(f"Number {n}.", n, 0) for n in range(1, 5)]
    assert programme.notes() == [f"Granted: {points_of(n)} Number {n}." for n in range(1, 5)]


def points_of(points: int) -> str:
    return "1 point" if points == 1 else f"{points} points"


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


def test_what_somebody_set_a_card_to_is_told_before_it_is_set_again(programme: Programme) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.change("loyalty.card", programme.card()["id"], {"points": 900.0})
    programme.give("R01", 20, "gesture:2")
    programme.work_without_settling("odoo.card")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 520}
    [note] = programme.notes()
    assert note == (
        "The points on the card PCX-R01 were changed in Odoo, from 500 to 900. They are kept in "
        "Partner CX, which set them to 520 points. What a partner earned or lost is put right "
        "there."
    )


def test_without_the_right_to_say_so_a_changed_card_is_left_alone(programme: Programme) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.change("loyalty.card", programme.card()["id"], {"points": 900.0})
    allow(programme, SERVICE_GROUPS - {PARTNER_MANAGER})
    programme.stand_in.fault(Kind.ACCESS, model="res.partner", method="message_post", times=None)
    programme.give("R01", 20, "gesture:2")
    programme.work()
    assert programme.cards() == {"PCX-R01": 900}
    [(key, state)] = programme.standing("odoo.card").items()
    assert state == "parked"
    assert "Contact Creation" in programme.why(key)


def allow(programme: Programme, groups: frozenset[str]) -> None:
    users = programme.stand_in.users
    users[:] = [replace(each, groups=groups) if each.id == SERVICE.id else each for each in users]


def test_a_deleted_card_is_made_anew_and_told_of(programme: Programme) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.remove("loyalty.card", programme.card()["id"])
    programme.give("R01", 20, "gesture:2", "More.")
    programme.work_without_settling("odoo.card")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 520}
    assert programme.history() == [("Well done.", 500, 0), ("More.", 20, 0)]
    assert programme.notes() == [
        "The card PCX-R01 was deleted in Odoo. Partner CX made it anew, with 520 points."
    ]


def test_an_archived_card_stays_archived_and_right(programme: Programme) -> None:
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.change("loyalty.card", programme.card()["id"], {"active": False})
    programme.give("R01", 20, "gesture:2")
    worked(programme)
    assert (programme.card()["points"], programme.card()["active"]) == (520, False)


def test_a_merged_company_keeps_its_card_with_the_one_that_is_left(programme: Programme) -> None:
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.change("loyalty.card", programme.card()["id"], {"partner_id": BIRCH})
    programme.stand_in.remove("res.partner", ALDER)
    programme.give("R01", 20, "gesture:2")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 520}
    assert programme.card()["partner_id"][0] == BIRCH
    assert programme.notes(BIRCH) == ["Granted: 20 points Well done."]


def test_two_workers_write_each_card_once(programme: Programme) -> None:
    for number in range(6):
        for code in ("R01", "R02", "D01"):
            programme.give(code, 10, f"gesture:{code}:{number}", f"Number {number}.")
    for _ in range(6):
        workers = [threading.Thread(target=programme.work_in_a_thread) for _ in range(2)]
        for each in workers:
            each.start()
        for each in workers:
            each.join()
        programme.clock.pass_by(minutes=1)
    assert programme.standing() == {}
    assert programme.cards() == {"PCX-R01": 60, "PCX-R02": 60, "PCX-D01": 60}
    for code in programme.cards():
        assert programme.history(code) == [(f"Number {n}.", 10, 0) for n in range(6)]
    assert len(programme.stand_in.rows("loyalty.program")) == 1


def test_a_partner_that_odoo_does_not_know_has_no_card(programme: Programme) -> None:
    programme.give("R09", 500, "gesture:1")
    worked(programme)
    assert programme.cards() == {}
    assert programme.stand_in.rows("loyalty.program") == []


@pytest.mark.parametrize(
    ("without", "said"),
    [
        ({SALES_ALL, SALES_OWN, SALES_CHIEF}, "Sales / User: All Documents"),
        ({SALES_CHIEF}, "Sales / Administrator"),
    ],
    ids=["reading", "making"],
)
def test_without_the_right_it_waits_for_a_person_and_says_for_what(
    programme: Programme, without: set[str], said: str
) -> None:
    programme.switch("cards")
    programme.stand_in.add("loyalty.program", {"name": "Partner CX", "program_type": "loyalty"})
    allow(programme, SERVICE_GROUPS - without)
    programme.give("R01", 500, "gesture:1")
    programme.work()
    [(key, state)] = programme.standing("odoo.card").items()
    assert state == "parked"
    assert said in programme.why(key)


def test_a_programme_whose_making_was_switched_off_is_made_later(programme: Programme) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    only = {kind: HANDLERS[kind] for kind in ("announce", "odoo.card")}
    Worker(programme.hands, only, lane=Lane(frozenset(only))).run_dry()
    programme.switch()
    programme.work()
    assert programme.standing("odoo.programme") == {}
    programme.switch("cards")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 500}


def test_the_programme_earns_nothing_by_itself(engine: sa.Engine) -> None:
    asked_for = [Field("reward_ids", "one2many"), Field("sale_ok", "boolean")]
    with writing_into(engine, 19, fields={"loyalty.program": asked_for}) as programme:
        programme.give("R01", 500, "gesture:1")
        worked(programme)
        [made] = programme.stand_in.asked("loyalty.program", "create")
        [values] = made.arguments["vals_list"]
        assert values["sale_ok"] is False
        assert "rule_ids" not in values
        [[_, _, reward]] = values["reward_ids"]
        assert reward["required_points"] == 1_000_000_000


def test_a_programme_that_may_not_be_made_is_asked_for(programme: Programme) -> None:
    programme.switch("cards")
    allow(programme, SERVICE_GROUPS - {SALES_CHIEF})
    programme.give("R01", 500, "gesture:1")
    programme.work()
    programme.clock.pass_by(minutes=1)
    programme.work()
    told = programme.why("odoo.programme:Partner CX")
    assert "the service account may make none. Make one of that name in Odoo" in told
    assert set(programme.standing().values()) == {"parked", "waiting"}
    programme.stand_in.add("loyalty.program", {"name": "Partner CX", "program_type": "loyalty"})
    allow(programme, SERVICE_GROUPS)
    programme.clock.pass_by(minutes=6)
    programme.work()
    assert programme.cards() == {"PCX-R01": 500}


def test_a_programme_that_was_deleted_is_not_made_twice(programme: Programme) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    [made] = programme.stand_in.rows("loyalty.program")
    programme.stand_in.remove("loyalty.program", made["id"])
    programme.give("D01", 500, "gesture:2")
    programme.work()
    [(key, state)] = programme.standing("odoo.card").items()
    assert (state, programme.cards()) == ("parked", {"PCX-R01": 500})
    assert "“Partner CX” was deleted or has another name now" in programme.why(key)


def test_a_programme_that_is_not_to_be_made_is_asked_for(
    programme: Programme, tmp_path: Path
) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text('[writing]\nprogramme = "Club"\nmake_programme = false\n')
    programme.settings = replace(programme.settings, odoo_mapping=file)
    programme.give("R01", 500, "gesture:1")
    programme.work()
    [key] = programme.standing("odoo.card")
    assert "Odoo has no loyalty programme “Club”." in programme.why(key)


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


def test_a_mark_is_found_in_no_longer_one() -> None:
    assert mark("entry 12") not in mark("entry 123")
    assert entry_of(f"Well done. {mark('entry 12')}") == 12
    assert entry_of("Well done.") is None
    assert mark("card É_1%]") == "[Partner CX, card ~c9.~5f.1~25.~5d.]"
