"""Sessions, departures and links: what opens, what ends, and that of two one gets in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Forbidden
from partner_cx.network.departures import come_back, depart
from partner_cx.network.person_choices import PersonChoice, choose_language, chosen_language
from partner_cx.network.sessions import (
    KEPT_AFTER,
    SESSION_LASTS,
    OpenedBy,
    WebSession,
    end_one_of,
    end_session,
    end_sessions,
    holder_of_session,
    open_session,
    open_sessions,
    prune_sessions,
)
from partner_cx.network.sign_in_links import make_link, person_called, use_link
from tests.harness.counting import counted
from tests.harness.intake import take
from tests.harness.programme import NOW

MIA, REP = "mia@brand.example", "rep@brand.example"


@pytest.fixture(autouse=True)
def people(engine: sa.Engine) -> None:
    rows = [{"email": MIA, "name": "Mia", "role": "manager"}]
    rows.append({"email": REP, "name": "Rep", "role": "rep"})
    take(engine, "people", *(row | {"partner_code": None} for row in rows))


def opened(session: Session, email: str = MIA, *, later: timedelta = timedelta()) -> str:
    number = person_called(session, email).id
    return open_session(session, number, opened_by=OpenedBy.LINK, now=NOW + later)


def holds(session: Session, token: str, *, later: timedelta = timedelta()) -> str | None:
    holder = holder_of_session(session, token, now=NOW + later)
    return holder.person.email if holder else None


def test_a_session_lasts_half_a_day(session: Session):
    token = opened(session)
    moment = timedelta(microseconds=1)
    assert holds(session, token) == MIA
    assert holds(session, token, later=SESSION_LASTS - moment) == MIA
    assert holds(session, token, later=SESSION_LASTS) is None


@pytest.mark.parametrize("token", ["", "x", "é", "\udc80", "1" * 5_000])
def test_a_made_up_token_holds_nothing(session: Session, token: str):
    opened(session)
    assert holds(session, token) is None


def test_the_database_holds_no_token(session: Session):
    token = opened(session)
    assert token not in str(session.execute(sa.select(WebSession.__table__)).all())


def test_who_is_there_is_one_question(engine: sa.Engine):
    def work(session: Session) -> str:
        choose_language(session, person_called(session, MIA).id, "fr", now=NOW)
        return opened(session)

    token = transact(engine, work)
    with reading(engine) as session, counted(engine) as asked:
        holder = holder_of_session(session, token, now=NOW)
        assert holder is not None
        assert (holder.person.name, holder.language, asked.count) == ("Mia", "fr", 1)


def test_signing_out_ends_one_session_and_no_other(session: Session):
    one, two = opened(session), opened(session)
    holder = holder_of_session(session, one, now=NOW)
    assert holder is not None
    end_session(session, holder.token_digest, now=NOW)
    assert (holds(session, one), holds(session, two)) == (None, MIA)


def test_all_of_a_persons_sessions_end_at_once(session: Session):
    mine, others = [opened(session) for _ in range(3)], opened(session, REP)
    person_id = person_called(session, MIA).id
    assert len(open_sessions(session, person_id, now=NOW)) == 3
    assert end_sessions(session, person_id, NOW) == 3
    assert end_sessions(session, person_id, NOW) == 0
    assert {holds(session, token) for token in mine} == {None}
    assert holds(session, others) == REP


def test_nobody_ends_somebody_elses_session(session: Session):
    opened(session)
    [mias] = open_sessions(session, person_called(session, MIA).id, now=NOW)
    rep = person_called(session, REP).id
    assert not end_one_of(session, rep, mias.id, now=NOW)
    assert end_one_of(session, mias.person_id, mias.id, now=NOW)
    assert not end_one_of(session, mias.person_id, mias.id, now=NOW)


def test_whoever_departed_is_out_at_once_and_gets_no_link(session: Session):
    token, person = opened(session), person_called(session, MIA)
    depart(session, person.id, by="ada@brand.example", now=NOW)
    depart(session, person.id, by="ada@brand.example", now=NOW)
    assert holds(session, token) is None
    with pytest.raises(Forbidden, match="may no longer sign in"):
        make_link(session, MIA, now=NOW)
    come_back(session, person.id)
    assert make_link(session, MIA, now=NOW)


def test_an_import_doesnt_undo_a_persons_language(engine: sa.Engine):
    def number(session: Session) -> int:
        return person_called(session, MIA).id

    person_id = transact(engine, number)
    transact(engine, lambda session: choose_language(session, person_id, "en", now=NOW))
    row = {"email": MIA, "name": "Mia M.", "role": "manager", "partner_code": None}
    take(engine, "people", row | {"language": "fr"})
    with reading(engine) as session:
        assert chosen_language(session, person_id) == "en"
    transact(engine, lambda session: choose_language(session, person_id, None, now=NOW))
    with reading(engine) as session:
        assert chosen_language(session, person_id) is None


def test_a_language_chosen_twice_at_once_is_chosen(engine: sa.Engine):
    person_id = transact(engine, lambda session: person_called(session, MIA).id)

    for _ in range(20):
        transact(engine, lambda session: session.execute(sa.delete(PersonChoice)))
        together = Barrier(4)

        def choose(language: str, together: Barrier = together) -> None:
            together.wait()
            transact(engine, lambda session: choose_language(session, person_id, language, now=NOW))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(choose, ["en", "fr", "en", "fr"]))
        with reading(engine) as session:
            assert chosen_language(session, person_id) in ("en", "fr")


def test_sessions_are_let_go_of_a_month_after_they_are_over(session: Session):
    old, new = opened(session), opened(session, later=timedelta(days=1))
    over = NOW + SESSION_LASTS + KEPT_AFTER
    assert prune_sessions(session, now=over) == 0
    assert prune_sessions(session, now=over + timedelta(seconds=1)) == 1
    assert holds(session, old) is None
    assert holds(session, new, later=timedelta(days=1)) == MIA


def test_of_many_who_use_a_link_at_once_one_gets_in(engine: sa.Engine):
    token = transact(engine, lambda session: make_link(session, MIA, now=NOW))

    def use(_: int) -> bool:
        return transact(engine, lambda session: use_link(session, token, now=NOW) is not None)

    with ThreadPoolExecutor(8) as many:
        assert sorted(many.map(use, range(16))) == [False] * 15 + [True]
