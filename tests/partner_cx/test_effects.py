"""Effects: owed once, listed, and mended by hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.effects import (
    OPEN_STATES,
    Effect,
    Owed,
    State,
    counted,
    digest_of,
    drop,
    listed,
    owe,
    owe_all,
    retry,
)
from partner_cx.errors import Conflict, Invalid, NotFound
from tests.harness.owed import START, note

SOON = START + timedelta(minutes=5)


@pytest.fixture
def owing(session: Session) -> Session:
    """R1's first is parked, its second waits behind; `busy` is leased, `old` done."""
    owe_all(session, [note("first", "R1"), note("second", "R1")], now=START)
    owe_all(session, [note("busy"), note("old"), note("failed"), Owed("mail", "m")], now=START)
    put(session, "first", parked_at=START, parked_because="The key was revoked.", tries=3)
    put(session, "busy", leased_by="somebody", leased_until=SOON)
    put(session, "old", done_at=START)
    put(session, "failed", due_at=SOON, tries=2, last_error="Nobody there.")
    return session


def put(session: Session, key: str, **values: object) -> None:
    session.execute(sa.update(Effect).where(Effect.key == key).values(**values))


def states(session: Session) -> dict[str, State]:
    return {each.key: each.state for each in listed(session, now=START)}


def test_a_key_is_owed_once(session: Session):
    owe(session, note("a", payload={"points": 1}), now=START)
    owe(session, note("a", payload={"points": 2}), now=SOON)
    kept = session.scalars(sa.select(Effect)).one()
    assert (kept.payload, kept.owed_at, kept.due_at) == ({"points": 1}, START, START)
    assert kept.digest == digest_of("note", "a", {"points": 1})


def test_whoever_cares_is_told_that_a_key_is_owed_with_other_contents(session: Session):
    owe(session, note("a", payload={"points": 1}), now=START)
    owe(session, note("a", payload={"points": 1}), now=SOON, exactly=True)
    with pytest.raises(Conflict, match="a is owed already, with other contents"):
        owe(session, note("a", payload={"points": 2}), now=SOON, exactly=True)


def test_thousands_are_owed_at_once(session: Session):
    owe_all(session, (note(f"k{number}") for number in range(2_500)), now=START, exactly=True)
    assert counted(session, now=START) == {("note", State.WAITING): 2_500}


def test_each_stands_somewhere_and_says_what_it_waits_for(owing: Session):
    assert states(owing) == {
        "first": State.PARKED,
        "second": State.HELD_BACK,
        "busy": State.UNDER_WAY,
        "old": State.DONE,
        "m": State.WAITING,
        "failed": State.WAITING,
    }
    told = {each.key: (each.why, each.behind) for each in listed(owing, now=START)}
    assert told["first"] == ("The key was revoked.", None)
    assert told["second"] == (None, "first")
    assert told["failed"] == ("Nobody there.", None)


def test_they_are_listed_by_state_kind_and_key(owing: Session):
    def keys(**more: object) -> list[str]:
        return [each.key for each in listed(owing, now=START, **more)]  # type: ignore[arg-type]

    assert keys(states=OPEN_STATES) == ["first", "second", "busy", "m", "failed"]
    assert keys(states=[State.DONE]) == ["old"]
    assert keys(kind="mail") == ["m"]
    assert keys(keys=["m", "old", "strange"]) == ["old", "m"]
    assert keys(limit=2) == ["first", "second"]


def test_a_lease_that_has_run_out_is_nobodys(owing: Session):
    assert [each.key for each in listed(owing, now=SOON, states=[State.UNDER_WAY])] == []


def test_open_ones_are_counted_by_kind(owing: Session):
    assert counted(owing, now=START) == {
        ("mail", State.WAITING): 1,
        ("note", State.HELD_BACK): 1,
        ("note", State.PARKED): 1,
        ("note", State.UNDER_WAY): 1,
        ("note", State.WAITING): 1,
    }


def test_what_is_parked_is_tried_again_with_all_patience_anew(owing: Session):
    assert retry(owing, now=SOON) == 1
    [again] = listed(owing, now=SOON, keys=["first"])
    assert (again.state, again.due_at, again.tries) == (State.WAITING, SOON, 0)
    assert retry(owing, now=SOON) == 0


def test_by_its_key_what_waits_for_another_try_is_tried_at_once(owing: Session):
    assert retry(owing, now=START, keys=["failed", "first"]) == 2
    assert [each.due_at for each in listed(owing, now=START, keys=["failed"])] == [START]


def test_those_of_one_kind_are_tried_again(owing: Session):
    assert retry(owing, now=START, kind="mail") == 0
    assert retry(owing, now=START, kind="note") == 1


@pytest.mark.parametrize(
    ("key", "refusal", "told"),
    [
        ("strange", NotFound, "No effect has the key strange."),
        ("old", Conflict, "old is done already."),
        ("busy", Conflict, "busy is under way."),
    ],
)
def test_what_is_settled_under_way_or_unknown_is_left_alone(
    owing: Session, key: str, refusal: type[Exception], told: str
):
    before = states(owing)
    with pytest.raises(refusal, match=told):
        retry(owing, now=START, keys=["first", key])
    with pytest.raises(refusal, match=told):
        drop(owing, ["first", key], by="ada", because="Over.", now=START)
    assert states(owing) == before


def test_a_dropped_one_is_never_carried_out_and_those_behind_it_go_on(owing: Session):
    assert drop(owing, ["first"], by="ada", because="That system is gone.", now=SOON) == 1
    assert states(owing)["second"] is State.WAITING
    [dropped] = listed(owing, now=SOON, keys=["first"])
    assert (dropped.state, dropped.why) == (State.DROPPED, "That system is gone.")
    kept = owing.scalars(sa.select(Effect).where(Effect.key == "first")).one()
    assert (kept.done_at, kept.result) == (SOON, {"dropped_by": "ada"})
    with pytest.raises(Conflict, match="first is dropped already"):
        retry(owing, now=SOON, keys=["first"])


@pytest.mark.parametrize("because", ["", " ", "two\nlines"])
def test_why_it_is_dropped_has_to_be_said_in_one_line(owing: Session, because: str):
    with pytest.raises(Invalid):
        drop(owing, ["first"], by="ada", because=because, now=START)
