"""However much the programme holds, a page asks the database as often as for a little.

Every page and list of the guide's table is opened over two of everything, and again over many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from integrations.files.refused import RefusedRows
from integrations.files.uploads import SavedMapping, Upload
from partner_cx.database import open_database, transact
from partner_cx.effects import Owed, owe
from partner_cx.journal import Did, note
from partner_cx.measures import refreshing
from partner_cx.network.scopes import Scope
from partner_cx.network.sign_in_links import make_link
from partner_cx.network.tokens import make_token
from partner_cx.operations.event_kinds import EventKind
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import restating
from rewards.budgets import fund
from rewards.rulebook import publish
from rewards.rulebook.drafts import save_draft
from tests.harness.access_table import ROLES, ApiRow, PageRow, address, rows
from tests.harness.administering import administrator, filled_in
from tests.harness.audited import LATER, a_sound_programme, tell_on
from tests.harness.cast import CAST, at_the_door, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import BONUS, MANAGER

LITTLE, MUCH = range(2), range(2, 70)  # the second is more than a page of a list holds
DRAFT = replace(BONUS, budget="quality", source="Terms of 2027")
# Who asks, and about which partner.
WHO = {
    None: "R2",
    "rep": "R2",
    "reseller": "R2",
    "distributor": "D1",
    "manager": "R1",
    "admin": "R1",
}
ROLE = {"reseller": "partner", "distributor": "partner"}
# What some addresses are asked beside: filters and files.
ASKED = {
    "/admin/effects/one": ("key=letter:0",),
    "/admin/effects": ("show=parked", "show=done"),
    "/admin/sources": ("show=imports",),
    "/figures": ("kpi=otif&period=2026Q2",),
    "/figures/{code:path}": ("kpi=otif&period=2026Q2",),
    "/statement": ("period=2026Q2",),
    "/partners": ("period=2026Q2", "period=2026Q2&kpi=otif", "kpi=otif&format=csv"),
    "/groups": ("period=2026Q2&kpi=otif&by=tier",),
    "/rules/new": ("template=network_quality_bonus",),
    "/rules/{code}/draft": ("as=yaml",),
    "/api/v1/partners/by-code": ("code=R1",),
    "/api/v1/people/by-email": (f"email={CAST['rep']}",),
    "/api/v1/scorecards": ("period=2026Q2",),
    "/api/v1/balances": ("partner=R1",),
    "/api/v1/statements": ("partner=R1",),
    "/api/v1/explanations": ("partner=R1&period=2026Q2",),
    "/api/v1/entries/by-key": ("key=close:2026Q2:network_quality_bonus:R1",),
}
# Of these, nothing is told without naming what one wants.
ASKS_FOR_MORE = {
    "/admin/effects/one",
    "/api/v1/partners/by-code",
    "/api/v1/people/by-email",
    "/api/v1/scorecards",
    "/api/v1/statements",
    "/api/v1/explanations",
    "/api/v1/entries/by-key",
}
# What is told of one thing that isn't here, or of no programme at all.
LEFT_OUT = {
    *("/sign-in/staff", "/sign-in/staff/return", "/letters/stop/{token}"),
    *("/api/v1/odoo/partners/{odoo_id}", "/metrics"),
}


@dataclass(frozen=True)
class Asking:
    """An address, opened by somebody of the cast or by a token (who: `api`)."""

    who: str | None
    path: str

    def __str__(self) -> str:
        return f"{self.who or 'a stranger'} at {self.path}"


def askings() -> Iterator[Asking]:
    for row in rows():
        if row.method == "GET" and row.path not in LEFT_OUT:
            for who in ["api"] if isinstance(row, ApiRow) else [*WHO]:
                if isinstance(row, ApiRow) or _may(row, who):
                    yield from _with_queries(who, row.path, WHO.get(who, "R1"))


def _may(row: PageRow, who: str | None) -> bool:
    return row.answers[ROLES.index(ROLE.get(who or "", who))] in ("yes", "own", "visited")


def _with_queries(who: str | None, route: str, code: str) -> Iterator[Asking]:
    path = address(route, code)
    if route not in ASKS_FOR_MORE:
        yield Asking(who, path)
    for query in ASKED.get(route, ()):
        yield Asking(who, f"{path}?{query}")


@pytest.fixture(scope="module")
def programme() -> Iterator[sa.Engine]:
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_sound_programme(engine)
        the_cast(engine)
        take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": "R2"})
        transact(engine, lambda session: save_draft(session, DRAFT, by=MANAGER, now=LATER))
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


# --- More of everything ---------------------------------------------------------------------------


def add(engine: sa.Engine, numbers: range) -> None:
    """So many of everything, by the programme's own acts."""
    _network(engine, numbers)
    for number in numbers:
        for code in ("R1", "R2"):
            tell_on(engine, f"{code}-{number}", EventKind.COURSE_COMPLETED, code, "2026-11-02")
    refreshing.refresh(engine, now=LATER, settings=SETTINGS)
    _correct(engine, numbers)
    transact(engine, lambda session: _beside(session, numbers))
    ada = administrator(engine, now=LATER)
    for _ in numbers:
        answer = filled_in(ada, "/admin/webhooks", url="https://portal.example/hook")
        assert answer.status_code in (200, 303), answer.text


def _network(engine: sa.Engine, numbers: Iterable[int]) -> None:
    """Partners and people, with figures of a closed quarter and of the one that runs."""
    codes = [f"X{number:03}" for number in numbers]
    take(engine, "partners", *(partner(code, parent_code="D1", tier="gold") for code in codes))
    emails = [f"person{number}@r2.example" for number in numbers]
    take(
        engine,
        "people",
        *(
            {"email": email, "name": email, "role": "partner", "partner_code": "R2"}
            for email in emails
        ),
    )
    take(engine, "reps", *({"rep_email": CAST["rep"], "partner_code": code} for code in codes))
    for day in ("2026-05-18", "2026-11-18"):
        take(engine, "order-lines", *_lines(codes, day))
    for number in numbers:  # each in a file of its own
        take(engine, "order-lines", *_lines(["R1", "R2", "D1"], f"2026-10-{number % 28 + 1:02}"))


def _lines(codes: Iterable[str], day: str) -> list[dict[str, str | None]]:
    return [
        order_line(
            f"{code}-{day}-{number}",
            partner_code=code,
            order_code=f"O-{code}-{day}-{number}",
            window_end=day,
            received_on=day,
        )
        for code in codes
        for number in range(6)
    ]


def _correct(engine: sa.Engine, numbers: range) -> None:
    """A closed quarter comes out otherwise for everybody who came late, which is proposed."""
    take(engine, "order-lines", *_lines(["R2"], f"2026-05-{numbers.stop % 28 + 1:02}"))
    restating.restate(engine, Period.parse("2026Q2"), now=LATER, by=MANAGER, settings=SETTINGS)


def _beside(session: Session, numbers: Iterable[int]) -> None:
    """Gifts, rules, letters owed and parked, tokens, uploads, refused rows, links, lines."""
    imports = session.scalars(sa.select(Import.id).order_by(Import.id)).all()
    for number in numbers:
        why = Words(f"Gift {number}", f"Don {number}")
        for budget in ("quality", BONUS.code, f"budget_{number}"):
            fund(session, budget, 10, key=f"gift:{budget}:{number}", why=why, now=LATER, by=MANAGER)
        rule = replace(BONUS, code=f"rule_{number}", budget=f"budget_{number}")
        publish(session, rule, by=MANAGER, why="More", now=LATER)
        save_draft(session, replace(rule, code=f"draft_{number}"), by=MANAGER, now=LATER)
        note(session, by=MANAGER, did=Did.RULE_SAVED, about=f"rule_{number}", now=LATER)
        make_token(session, f"token {number}", [Scope.READ], by="ada", now=LATER, lasts=None)
        make_link(session, CAST["reseller"], now=LATER)
        _owed(session, number, LATER)
        session.add(_upload(number))
        session.add(
            SavedMapping(
                kind="order-lines", name=f"m{number}", content="", saved_by="ada", saved_at=LATER
            )
        )
        if session.get(RefusedRows, imports[number]) is None:
            session.add(
                RefusedRows(import_id=imports[number], delimiter=",", columns=["a"], rows=[])
            )


def _owed(session: Session, number: int, now: datetime) -> None:
    owe(session, Owed("letter", f"letter:{number}", {"to": "nobody"}), now=now)
    session.execute(
        sa.text("UPDATE effects SET parked_at=:at, parked_because='refused' WHERE key=:key"),
        {"at": "2026-12-01 08:00:00", "key": f"letter:{number}"},
    )


MAPPING = "[columns]\n" + "".join(f'{name} = "{name}"\n' for name in order_line())


def _upload(number: int) -> Upload:
    line = order_line(f"L{number}")
    return Upload(
        name=f"{number}.csv",
        kind="order-lines",
        content="\n".join([",".join(line), ",".join(map(str, line.values()))]).encode(),
        mapping=MAPPING,
        source="erp",
        made_by=CAST["admin"],
        made_at=LATER - timedelta(minutes=number),
    )
