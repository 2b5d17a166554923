"""Cards in Odoo: the balance, its history, and what people do to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from integrations.handlers import HANDLERS
from integrations.leasing import Lane
from integrations.odoo.writing.cards import LATEST
from integrations.stand_ins.odoo import SERVICE_GROUPS, Field, Kind
from integrations.stand_ins.odoo.rights import PARTNER_MANAGER, SALES_ALL, SALES_CHIEF, SALES_OWN
from integrations.worker import Worker
from tests.harness.odoo_sync import ALDER, BIRCH
from tests.harness.odoo_writing import Programme, allow, worked, writing_into


@pytest.fixture(params=[18, 19], ids=lambda version: f"odoo{version}")
def programme(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[Programme]:
    with writing_into(engine, request.param) as opened:
        yield opened


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


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.BAD_GATEWAY])
def test_what_we_set_ourselves_is_not_taken_for_somebody_s(
    programme: Programme, kind: Kind
) -> None:
    programme.settings = replace(programme.settings, odoo_timeout_seconds=1)
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.fault(kind, model="loyalty.card", method="write")
    programme.give("R01", 20, "gesture:2")
    programme.work()
    programme.give("R01", 7, "gesture:3")
    worked(programme)
    assert (programme.cards(), programme.notes()) == ({"PCX-R01": 527}, [])


def test_a_change_is_told_once_though_setting_it_right_takes_two_tries(
    programme: Programme,
) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    programme.stand_in.change("loyalty.card", programme.card()["id"], {"points": 900.0})
    programme.stand_in.fault(Kind.BAD_GATEWAY, model="loyalty.card", method="write")
    programme.give("R01", 20, "gesture:2")
    worked(programme)
    assert (programme.cards(), len(programme.notes())) == ({"PCX-R01": 520}, 1)


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


def test_a_programme_that_we_made_may_be_given_another_name_and_be_archived(
    programme: Programme,
) -> None:
    programme.switch("cards")
    programme.give("R01", 500, "gesture:1")
    worked(programme)
    [made] = programme.stand_in.rows("loyalty.program")
    programme.stand_in.change("loyalty.program", made["id"], {"name": "Club", "active": False})
    programme.give("D01", 70, "gesture:2")
    worked(programme)
    assert programme.cards() == {"PCX-R01": 500, "PCX-D01": 70}
    assert {row["program_id"][0] for row in programme.stand_in.rows("loyalty.card")} == {made["id"]}
    assert len(programme.stand_in.rows("loyalty.program")) == 1


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
    assert "“Partner CX” was deleted" in programme.why(key)


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
