"""Changing people by hand: revisions, refusals, the last administrator, two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Conflict
from partner_cx.journal import JournalLine
from partner_cx.network.changing import (
    BY_HAND,
    NotTaken,
    change_person,
    end_person,
    let_back_in,
    say_visits,
)
from partner_cx.network.departures import has_departed
from partner_cx.network.people import Person
from partner_cx.network.reps import is_visited_by
from partner_cx.network.sessions import OpenedBy, holder_of_session, open_session
from partner_cx.network.sign_in_links import make_link, use_link
from partner_cx.operations.imports import Import, Source
from partner_cx.operations.revisions import Revision
from tests.harness.cast import CAST, the_cast
from tests.harness.intake import NOW, SETTINGS, partner, take

BY = "ada@brand.example"


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


def said(engine: sa.Engine, **cells: str) -> int:
    return transact(engine, lambda s: change_person(s, cells, by=BY, settings=SETTINGS, now=NOW).id)


def person(session: Session, who: str) -> Person:
    return session.scalars(sa.select(Person).where(Person.email == CAST.get(who, who))).one()


def test_somebody_is_added_as_a_row_of_a_file_would_add_them(network: sa.Engine):
    said(network, email=" Eva@R2.example", name="Eva", role="partner", partner_code="R2")
    with reading(network) as session:
        eva = person(session, "eva@r2.example")
        source = session.scalar(
            sa.select(Source.code)
            .join(Import, Import.source == Source.id)
            .where(Import.id == eva.import_id)
        )
        assert (eva.name, source) == ("Eva", BY_HAND)


def test_a_code_that_a_file_may_hold_may_be_said_by_hand(network: sa.Engine):
    code = "Pompes\u00a0&\u202fCie"
    take(network, "partners", partner(code, parent_code="D1"))
    said(network, email="eva@r2.example", name="Eva", role="partner", partner_code=code)
    with reading(network) as session:
        assert person(session, "eva@r2.example").partner_id is not None


def test_what_was_said_before_is_kept(network: sa.Engine):
    said(network, email=CAST["manager"], name="Mia Other", role="manager", language="fr")
    with reading(network) as session:
        [kept] = session.scalars(sa.select(Revision).where(Revision.kind == "people"))
        lines = session.scalars(sa.select(JournalLine.did)).all()
        assert kept.contents["name"] == "Manager Person"
    assert lines == ["person.changed"]


def test_a_file_that_tells_otherwise_later_goes_before_it(network: sa.Engine):
    said(network, email=CAST["manager"], name="By Hand", role="manager")
    take(network, "people", {"email": CAST["manager"], "name": "By File", "role": "manager"})
    with reading(network) as session:
        assert person(session, "manager").name == "By File"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"email": "no address", "name": "X", "role": "rep"}, "email"),
        ({"email": "x@y.example", "name": "", "role": "rep"}, "name"),
        ({"email": "x@y.example", "name": "X", "role": "boss"}, "role"),
        ({"email": "x@y.example", "name": "X", "role": "partner"}, "partner_code"),
        (
            {"email": "x@y.example", "name": "X", "role": "rep", "partner_code": "??"},
            "partner_code",
        ),
        ({"email": "x@y.example", "name": "X", "role": "rep", "language": "xx"}, "language"),
        ({"email": "x@y\0.example", "name": "X", "role": "rep"}, "email"),
        ({"email": "x@y.example", "name": "X\0", "role": "rep"}, "name"),
    ],
)
def test_what_cant_be_meant_is_refused_by_its_column(
    network: sa.Engine, cells: dict[str, str], column: str
):
    with pytest.raises(NotTaken) as refusal:
        said(network, **cells)
    assert refusal.value.problems[0].column == column
    with reading(network) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(JournalLine)) == 0


def test_the_last_administrator_stays_one(network: sa.Engine):
    with pytest.raises(Conflict, match="last administrator"):
        said(network, email=CAST["admin"], name="Ada", role="manager")
    with pytest.raises(Conflict, match="last administrator"):
        transact(network, lambda s: end_person(s, person(s, "admin"), by=BY, now=NOW))
    with reading(network) as session:
        assert person(session, "admin").role == "admin"
        assert not has_departed(session, person(session, "admin").id)


def test_of_two_administrators_who_end_each_other_at_once_one_stays(network: sa.Engine):
    said(network, email="other@brand.example", name="Other", role="admin")

    def end(who: str) -> bool:
        try:
            transact(network, lambda s: end_person(s, person(s, who), by=BY, now=NOW))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(end, ("admin", "other@brand.example")))
    assert sorted(ended) == [False, True]


def test_whoever_is_ended_is_signed_out_and_let_in_no_more(network: sa.Engine):
    def signed_in(session: Session) -> tuple[str, str]:
        who = person(session, "manager")
        link = make_link(session, who.email, now=NOW)
        return open_session(session, who.id, opened_by=OpenedBy.LINK, now=NOW), link

    token, link = transact(network, signed_in)
    transact(network, lambda s: end_person(s, person(s, "manager"), by=BY, now=NOW))
    transact(network, lambda s: end_person(s, person(s, "manager"), by=BY, now=NOW))
    with reading(network) as session:
        assert holder_of_session(session, token, now=NOW) is None
        did = session.scalars(sa.select(JournalLine.did).order_by(JournalLine.id)).all()
    assert did == ["person.ended"]
    transact(network, lambda s: let_back_in(s, person(s, "manager"), by=BY, now=NOW))
    with reading(network) as session:
        assert not has_departed(session, person(session, "manager").id)
        assert holder_of_session(session, token, now=NOW) is None
    assert transact(network, lambda s: use_link(s, link, now=NOW)) is None


def test_which_partners_a_rep_visits_is_said_and_taken_back(network: sa.Engine):
    def visits(goes: bool) -> bool:
        def work(session: Session) -> bool:
            rep = person(session, "rep")
            say_visits(session, rep, " R2 ", visits=goes, by=BY, settings=SETTINGS, now=NOW)
            return is_visited_by(session, rep.partner_id or 2, rep.id)

        return transact(network, work)

    assert visits(True)
    assert not visits(False)
    with pytest.raises(NotTaken):
        transact(
            network,
            lambda s: say_visits(
                s, person(s, "rep"), "??", visits=True, by=BY, settings=SETTINGS, now=NOW
            ),
        )
