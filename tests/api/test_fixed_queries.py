"""However much the programme holds, a page asks the database as often as for a little.

Every page and list of the guide's table is opened over two of everything, and again over many.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.database import open_database, transact
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import make_token
from tests.harness.ample import a_programme_at_its_doors, add
from tests.harness.askings import WHO, Asking, askings
from tests.harness.audited import LATER
from tests.harness.cast import at_the_door, signed_in
from tests.harness.counting import counted
from tests.harness.databases import fresh_database

LITTLE, MUCH = range(2), range(2, 70)  # the second is more than a page of a list holds


@pytest.fixture
def programme() -> Iterator[sa.Engine]:
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_programme_at_its_doors(engine)
        yield engine
        engine.dispose()


def test_a_page_asks_as_often_for_much_as_for_a_little(programme: sa.Engine):
    add(programme, LITTLE)
    few = dict(asked(programme))
    add(programme, MUCH)
    many = dict(asked(programme))
    more = {
        str(each): f"{len(few[each])} then {len(many[each])}: {_first_new(few[each], many[each])}"
        for each in few
        if len(many[each]) > len(few[each])
    }
    assert more == {}


def asked(engine: sa.Engine) -> Iterator[tuple[Asking, list[str]]]:
    """What each address asks of the database, once whatever is kept in memory is there."""
    clients = {who: signed_in(engine, who, now=LATER) for who in WHO}
    clients["api"] = _with_token(engine)
    for each in askings():
        clients[each.who].get(each.path)
        with counted(engine) as said:
            answer = clients[each.who].get(each.path)
        assert answer.status_code in (200, 303), f"{each}: {answer.status_code} {answer.text}"
        yield each, said.statements


def _first_new(few: list[str], many: list[str]) -> str:
    left = list(few)
    for statement in many:
        if statement not in left:
            return statement
        left.remove(statement)
    return ""


def _with_token(engine: sa.Engine) -> TestClient:
    held = transact(
        engine,
        lambda session: make_token(session, "a test", [*Scope], by="ada", now=LATER, lasts=None),
    )
    client = at_the_door(engine, now=LATER)
    client.headers["Authorization"] = f"Bearer {held}"
    return client
