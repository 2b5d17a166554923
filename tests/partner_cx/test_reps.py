"""Reps and the partners they visit: what a file says of them, and what that opens."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network.people import Person
from partner_cx.network.reps import is_visited_by, visited_by
from partner_cx.operations.revisions import Revision
from tests.harness.intake import partner, take

NADIA, PIETER = "nadia@brand.example", "pieter@brand.example"


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    people = {NADIA: "rep", PIETER: "rep", "mia@brand.example": "manager"}
    take(engine, "partners", partner("R1"), partner("R2"))
    take(
        engine,
        "people",
        *({"email": email, "name": email, "role": role} for email, role in people.items()),
    )
    return engine


def visit(email: str, code: str, **more: str) -> Mapping[str, str]:
    return {"rep_email": email, "partner_code": code, **more}


def visited(engine: sa.Engine, email: str) -> set[str]:
    with Session(engine) as session:
        person = session.scalars(sa.select(Person).where(Person.email == email)).one()
        codes = sa.text("SELECT id, code FROM partners")
        known = {row.id: row.code for row in session.execute(codes)}
        ids = session.scalars(visited_by(person.id)).all()
        assert all(is_visited_by(session, each, person.id) for each in ids)
        return {known[each] for each in ids}


def test_a_rep_visits_the_partners_that_a_file_names(network: sa.Engine):
    taken, problems = take(
        network, "reps", visit(NADIA.upper(), "R1"), visit(NADIA, "R2"), visit(PIETER, "R2")
    )
    assert (taken.taken, problems) == (3, [])
    assert visited(network, NADIA) == {"R1", "R2"}
    assert visited(network, PIETER) == {"R2"}


def test_a_visit_told_again_changes_nothing(network: sa.Engine):
    take(network, "reps", visit(NADIA, "R1"))
    taken, _ = take(network, "reps", visit(NADIA, "R1"))
    assert (taken.taken, taken.unchanged) == (0, 1)


def test_a_partner_is_taken_away_and_what_was_is_kept(network: sa.Engine):
    take(network, "reps", visit(NADIA, "R1"), visit(NADIA, "R2"))
    taken, _ = take(network, "reps", visit(NADIA, "R1", visits="no"))
    assert taken.corrected == 1
    assert visited(network, NADIA) == {"R2"}
    with Session(network) as session:
        assert session.scalars(sa.select(Revision.kind)).all() == ["reps"]
    take(network, "reps", visit(NADIA, "R1", visits="yes"))
    assert visited(network, NADIA) == {"R1", "R2"}


@pytest.mark.parametrize(
    ("row", "column", "said"),
    [
        (visit("nobody@brand.example", "R1"), "rep_email", "Nobody here has this address."),
        (visit("mia@brand.example", "R1"), "rep_email", "This person isn't a rep."),
        (visit("nadia", "R1"), "rep_email", "This is not an e-mail address."),
        (visit(NADIA, "R9"), "partner_code", "No partner has this code."),
        (visit(NADIA, "R1", visits="perhaps"), "visits", "This is not true or false."),
    ],
)
def test_a_row_that_cannot_be_is_refused_with_its_reason(
    network: sa.Engine, row: Mapping[str, str], column: str, said: str
):
    _, problems = take(network, "reps", row)
    assert [(each.column, each.reason.en) for each in problems] == [(column, said)]


def test_a_file_that_says_both_is_refused_where_it_contradicts_itself(network: sa.Engine):
    _, problems = take(network, "reps", visit(NADIA, "R1"), visit(NADIA, "R1", visits="no"))
    assert [each.line for each in problems] == [3]
