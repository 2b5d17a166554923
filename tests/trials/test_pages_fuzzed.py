"""Every page and form under whatever may be sent: nobody's address bar makes our own mistake.

Each address of the guide's table is asked for with parameters that no page of ours would send:
unknown, empty, huge, repeated, with a NUL; and each form with fields of its own and of others'. At
full length every page has every parameter with every such value.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from urllib.parse import quote, urlencode

import httpx2
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api.app import OPEN_TO_PROGRAMS, make_app
from api.app import PAGES as PAGE_ROUTERS
from api.pages.network.filters import NAMES as FILTERS
from api.sign_in.cookies import COOKIE
from partner_cx.database import transact
from partner_cx.network.departures import come_back
from partner_cx.network.people import Person
from partner_cx.network.sessions import OpenedBy, open_session
from tests.harness.access_table import PageRow, address, rows
from tests.harness.cast import (
    CAST,
    HOME_ADDRESS,
    SECRET,
    a_closed_programme,
)
from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.intake import SETTINGS, take
from tests.harness.programme import NOW
from tests.harness.trials import FULL

PAGES = [row for row in rows() if isinstance(row, PageRow)]
LOOKED_AT = [row for row in PAGES if row.method == "GET"]
SENT = [row for row in PAGES if row.method == "POST"]
WHO = ("manager", "admin", "rep", "distributor")  # who looks, and fills forms in
EACH_PAGE, EACH_FORM = (40, 400) if FULL else (2, 3)  # requests with several wrong things at once
# What pages read without saying so in their signature, and what none of them reads.
READ_BY_HAND = ("lang", "q", "state", "sort", *FILTERS)
UNKNOWN = ("x", "", "état", "page[]")
GARBAGE = (
    *("", " ", "0", "-1", "1.5", "٣", "x", "nan", "true", "null", "[]", "{{7*7}}", "%s", "%"),
    *("2026Q2", "2026Q9", "0000Q1", "9999", "9999-12", "9999Q4", "1969Q4", "0001-01", "2199"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "31/12/2026", "2026-05-18T25:00:00Z"),
    *(
        "a\0b",
        "\0",
        "\ud7ff",
        "\ufffe",
        "\u202eمرحبا",
        "🤷🏽",
        "\n",
        "\r\nX: y",
        "../../etc/passwd",
        ".",
        "..",
    ),
    *("a/b", "a?b", "a#b", "'", '"', "<b>", ";--", "1e999", "9" * 19, "9" * 30, "9" * 5_000),
    *("x" * 5_000, "é" * 300, "R1", "R1,R2", "network", "group:x", "csv", "xlsx", "json", "yaml"),
)
FORM = re.compile(r"<form\b(?P<head>[^>]*)>(?P<body>.*?)</form>", re.DOTALL)
ACTION = re.compile(r'\baction="(?P<path>/[^"?#]*)')
FIELD = re.compile(
    r'<(?:input|select|button|textarea)\b[^>]*\bname="(?P<name>[^"]+)"'
    r'(?:[^>]*\bvalue="(?P<value>[^"]*)")?[^>]*>(?P<text>[^<]*)'
)


@dataclass(frozen=True)
class Form:
    """A form as a page of ours shows it, filled in as it is."""

    path: str
    fields: tuple[tuple[str, str], ...]


@dataclass
class Visit:
    """A browser of somebody's at a programme, and what it was answered."""

    engine: sa.Engine
    app: FastAPI
    who: str
    client: TestClient
    asked: int = 0

    def ask(self, method: str, path: str, sent: str | None = None) -> httpx2.Response:
        """An answer; signed in again where the last act ended that."""
        self.asked += 1
        headers = {"Origin": HOME_ADDRESS}
        if sent is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        answer = self.client.request(method, path, headers=headers, content=sent)
        if answer.status_code == 401 or path.startswith("/sign-out"):
            self.sign_in()
        return answer

    def sign_in(self) -> None:
        """As by a link, of which nobody is let in by so many in so short a time."""
        self.client.cookies.clear()
        self.client.cookies.set(COOKIE, _back(self.engine, self.who))


@pytest.fixture(params=EACH_KIND)
def visits(request: pytest.FixtureRequest) -> Iterator[dict[str, Visit]]:
    """Everybody who signs in, at a closed programme."""
    with prepared_engine(request.param, "closed programme", a_closed_programme) as engine:
        take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": "R2"})
        app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
        made = {}
        for who in WHO:
            client = TestClient(app, base_url=HOME_ADDRESS, follow_redirects=False)
            made[who] = Visit(engine, app, who, client)
            made[who].sign_in()
        yield made


def test_no_parameter_of_a_page_makes_a_mistake_of_ours(visits: dict[str, Visit]) -> None:
    drawn = Random(26)
    routes = [each for router in (*PAGE_ROUTERS, *OPEN_TO_PROGRAMS) for each in router.routes]
    read = {each.path: tuple(_read_by(each)) for each in routes if isinstance(each, APIRoute)}
    wrong = [
        told
        for row, who in product(LOOKED_AT, WHO)
        for query in (
            *_queries(read[row.path], drawn),
            *_each_by_itself(row.path, read[row.path], who),
        )
        if (told := _mistake(visits[who], "GET", f"{_somewhere(row.path, drawn)}?{query}"))
    ]
    assert not wrong, _told(wrong)


def test_no_form_makes_a_mistake_of_ours(visits: dict[str, Visit]) -> None:
    drawn = Random(27)
    wrong = []
    for who, visit in visits.items():
        shown = list(_forms(visit))
        named = sorted({name for form in shown for name, _ in form.fields})
        for row in SENT:
            sent = _encoded([(drawn.choice(named), _worth(drawn)) for _ in range(20)])
            wrong.append(_mistake(visit, "POST", _somewhere(row.path, drawn), sent))
        for form, _ in product(shown, range(EACH_FORM)):
            wrong.append(_mistake(visit, "POST", form.path, _spoiled(form, drawn)))
        assert len(shown) > 2, f"{who} is shown forms"
    assert not any(wrong), _told(list(filter(None, wrong)))


def _mistake(visit: Visit, method: str, path: str, sent: str | None = None) -> str:
    """What went wrong, in a line; nothing where the answer is one that a person can use."""
    answer = visit.ask(method, path, sent)
    outside = path.startswith("/admin/odoo") and answer.status_code in (502, 503)
    if answer.status_code < 500 or outside:
        return ""
    return f"{answer.status_code} {visit.who} {method} {path[:300]} {(sent or '')[:500]}"


def _read_by(route: APIRoute) -> Iterator[str]:
    """What a page's endpoint, and all that it asks for, reads of the address."""
    asked = [route.dependant]
    for each in asked:  # it grows meanwhile
        asked.extend(each.dependencies)
        for parameter in each.query_params:
            within = getattr(parameter.field_info.annotation, "model_fields", None)
            yield from within or (parameter.alias,)


def _queries(read: tuple[str, ...], drawn: Random) -> Iterator[str]:
    names = (*read * 3, *READ_BY_HAND, *UNKNOWN)
    for _ in range(EACH_PAGE):
        pairs = [(drawn.choice(names), _worth(drawn)) for _ in range(drawn.randint(1, 6))]
        yield _encoded([*pairs, *pairs[:1]] if drawn.random() < 0.2 else pairs)
    yield "%zz&&=&%00=%00&page=%ff"


def _each_by_itself(path: str, read: tuple[str, ...], who: str) -> Iterator[str]:
    """Every parameter with everything that could be wrong with it, by one who may look."""
    if FULL and who == ("admin" if path.startswith("/admin") else "manager"):
        for name, value in product(read, GARBAGE):
            yield _encoded([(name, value)])


def _worth(drawn: Random) -> str:
    return drawn.choice(GARBAGE)


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, errors="surrogatepass")


def _somewhere(path: str, drawn: Random) -> str:
    """An address of a route: where there is something, or in a quarter of all cases garbage."""
    if drawn.random() < 0.75:
        return address(path, drawn.choice(["R1", "R2", "D1"]))

    def garbage(_found: re.Match[str]) -> str:
        return quote(drawn.choice(GARBAGE)[:2_000], safe="", errors="surrogatepass") or "x"

    return re.sub(r"\{[^}]+\}", garbage, path)


def _forms(visit: Visit) -> Iterator[Form]:
    """The forms that somebody is shown, each address once for every set of fields."""
    seen = set()
    for row, partner in product(LOOKED_AT, ("R2", "1")):
        path = address(row.path, partner)
        for found in FORM.finditer(visit.ask("GET", path).text):
            if 'method="post"' not in found["head"]:
                continue
            action = ACTION.search(found["head"])
            fields = tuple(
                (each["name"], html.unescape(each["value"] or each["text"].strip()))
                for each in FIELD.finditer(found["body"])
            )
            form = Form(action["path"] if action else path, fields)
            if (what := (form.path, tuple(name for name, _ in fields))) not in seen:
                seen.add(what)
                yield form


def _spoiled(form: Form, drawn: Random) -> str:
    """A form with some of its fields garbage, and at times one missing, or there twice."""
    pairs = list(form.fields)
    for _ in range(min(len(pairs), drawn.randint(1, 3))):
        at = drawn.randrange(len(pairs))
        pairs[at] = (pairs[at][0], _worth(drawn))
    if pairs and drawn.random() < 0.3:
        pairs.pop(drawn.randrange(len(pairs)))
    if pairs and drawn.random() < 0.2:
        pairs.append((drawn.choice(pairs)[0], _worth(drawn)))
    return _encoded(pairs)


def _back(engine: sa.Engine, who: str) -> str:
    """Whoever an act of theirs has ended is there again, in their own role; their session."""
    role = {"distributor": "partner"}.get(who, who)

    def work(session: Session) -> str:
        person = session.scalars(sa.select(Person).where(Person.email == CAST[who])).one()
        person.role = role
        come_back(session, person.id)
        return open_session(session, person.id, opened_by=OpenedBy.LINK, now=NOW)

    return transact(engine, work)


def _told(wrong: list[str]) -> str:
    return f"{len(wrong)} mistakes:\n" + "\n".join(wrong[:40])
