"""A service that is killed while it answers, and served again, has done each form once or not.

A form is sent, the process is killed as by a power cut at a random moment, and once it serves
again the same form is sent again. A short form runs with the other tests;
`PARTNER_CX_TRIALS=full` kills hundreds of times.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.files.uploads import Upload
from partner_cx import effects
from partner_cx.database import open_database, reading, transact
from partner_cx.effects import Owed
from partner_cx.journal import JournalLine
from partner_cx.network.scopes import Scope
from partner_cx.operations.imports import Import, Source
from partner_cx.words import Words
from rewards.budgets.reservations import reserve
from rewards.ledger import Transfer
from tests.harness.api_clients import API, a_token
from tests.harness.databases import EACH_KIND, prepared_database
from tests.harness.decided_about import differences, much_to_decide
from tests.harness.events import a_course, a_rule, in_force, tell
from tests.harness.intake import order_line
from tests.harness.killed_service import Mortal, mortal_service
from tests.harness.programme import OTIF_BONUS
from tests.harness.service import browser, let_in
from tests.harness.trials import FULL

KILLS = 200 if FULL else 4  # of each database
DRAW = random.Random(2026)
WHY = Words("Spring", "Printemps")
LINES = 200
FILE = (
    "source_id,order_code,partner_code,ordered_qty,window_end,received_qty,received_on\n"
    + "".join(f"{{0}}-{n},O{n // 5},R1,10,2026-04-10,10,2026-04-10\n" for n in range(LINES))
)


@dataclass(frozen=True)
class Form:
    """What is sent. again: what is answered the second time, be it carried out before or not.

    once: how often what it does stands in the database afterwards, which is to be 1.
    """

    who: str
    path: str
    fields: Mapping[str, Any]
    again: Sequence[int]
    once: sa.Select[int]


@pytest.mark.parametrize("kind", EACH_KIND)
def test_forms_sent_again_after_a_kill_are_carried_out_once(kind: str):
    with prepared_database(kind, "much-to-answer", much_to_answer) as url:
        engine = open_database(url)
        house = House(url, engine)
        seconds = house.undisturbed()
        for number in range(1, KILLS + 1):
            house.killed_after(DRAW.uniform(0, seconds), number)
        assert differences(engine) == []
        engine.dispose()


def much_to_answer(engine: sa.Engine) -> None:
    much_to_decide(engine)
    in_force(engine, a_rule("course", needs_approval="true", limits=""), points=1_000_000)


class House:
    """A database, whoever serves it, and who asks."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        self.url, self.engine = url, engine
        self.cookies = {who: let_in(engine, who) for who in ("manager", "admin")}
        self.token = a_token(engine, Scope.FACTS, made=datetime.now(UTC))

    def undisturbed(self) -> float:
        """How many seconds all forms take."""
        forms = self.prepared(0)
        with mortal_service(self.url) as serving:
            self.send(serving.address, forms)  # what the first asks for is worked out
            again = self.prepared(-1)
            began = time.monotonic()
            self.send(serving.address, again)
            return time.monotonic() - began

    def killed_after(self, seconds: float, number: int) -> None:
        forms = self.prepared(number)
        with mortal_service(self.url) as serving:
            first = self.kill_while_sending(serving, forms, seconds)
        with mortal_service(self.url) as serving:
            answers = self.send(serving.address, forms)
        for form, before, answer in zip(forms, first, answers, strict=True):
            told = f"{form.path}: {before}, {answer.status_code} after {seconds:.4f} s"
            assert answer.status_code in form.again, f"{told}\n{answer.text}"
            with reading(self.engine) as session:
                assert session.scalar(form.once) == 1, told

    def kill_while_sending(
        self, serving: Mortal, forms: Sequence[Form], seconds: float
    ) -> list[int | None]:
        """The statuses of those that were answered before."""
        sending = threading.Barrier(len(forms) + 1)

        def send(form: Form) -> int | None:
            with self.client(serving.address, form) as client:
                sending.wait()
                try:
                    return self.post(client, form).status_code
                except httpx.TransportError:
                    return None

        with ThreadPoolExecutor(len(forms)) as pool:
            sent = [pool.submit(send, form) for form in forms]
            sending.wait()
            time.sleep(seconds)
            serving.kill()
            return [each.result() for each in sent]

    def send(self, address: str, forms: Sequence[Form]) -> list[httpx.Response]:
        def send(form: Form) -> httpx.Response:
            with self.client(address, form) as client:
                return self.post(client, form)

        with ThreadPoolExecutor(len(forms)) as pool:
            return list(pool.map(send, forms))

    def client(self, address: str, form: Form) -> httpx.Client:
        return browser(address, self.cookies.get(form.who))

    def post(self, client: httpx.Client, form: Form) -> httpx.Response:
        if form.who in self.cookies:
            return client.post(form.path, data=dict(form.fields))
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": form.who}
        return client.post(form.path, json=form.fields, headers=headers)

    # --- What is sent ---

    def prepared(self, number: int) -> list[Form]:
        """Forms that nobody has sent yet, with what they are about."""
        name = f"round-{number}"
        tell(self.engine, a_course(name, person=f"{number}@r1.example"))
        tell(self.engine, a_course(f"{name}-no", person=f"{number}-no@r1.example"))
        upload = transact(self.engine, lambda session: _owed(session, name))
        return [
            _funding(name),
            _releasing(name),
            _approving(f"event:{name}:course"),
            _refusing(f"event:{name}-no:course"),
            _adding(f"{name}@r2.example"),
            _dropping(name),
            _taking_in(upload),
            _sending(name),
        ]


def _owed(session: Session, name: str) -> int:
    """A reservation, a parked effect, and a file to be taken in; its number."""
    now = datetime.now(UTC)
    reserve(session, OTIF_BONUS.budget, 10, key=name, why=WHY, now=now)
    effects.owe(session, Owed("strange", name), now=now)
    upload = Upload(
        name="lines.csv",
        content=FILE.replace("{0}", f"file-{name}").encode(),
        kind="order-lines",
        mapping="",
        source="erp",
        made_by="ada@brand.example",
        made_at=now,
    )
    session.add(upload)
    session.flush()
    return upload.id


def _count(table: type, *conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table).where(*conditions)


def _noted(did: str, about: str) -> sa.Select[int]:
    return _count(JournalLine, JournalLine.did == did, JournalLine.about == about)


def _funding(name: str) -> Form:
    fields = {"key": name, "code": name, "points": "100", "why": "Spring"}
    return Form("manager", "/budgets", fields, [303], _noted("budget.funded", name))


def _releasing(name: str) -> Form:
    path = f"/budgets/{OTIF_BONUS.budget}/release"
    once = _count(Transfer, Transfer.key == f"reserve:{name}:over")
    return Form("manager", path, {"key": name, "why": "Not needed"}, [303, 422], once)


def _approving(key: str) -> Form:
    fields = {"key": key, "why": "so"}
    return Form("manager", "/holds/approve", fields, [303, 409], _noted("hold.approved", key))


def _refusing(key: str) -> Form:
    fields = {"key": key, "why": "so"}
    return Form("manager", "/holds/refuse", fields, [303, 409], _noted("hold.refused", key))


def _adding(email: str) -> Form:
    said = {"email": email, "name": "New", "role": "partner", "partner_code": "R2"}
    return Form("admin", "/admin/people/new", said, [303, 422], _noted("person.changed", email))


def _dropping(key: str) -> Form:
    fields = {"key": key, "because": "Nobody wants it"}
    return Form("admin", "/admin/effects/drop", fields, [303, 422], _noted("effect.dropped", key))


def _taking_in(number: int) -> Form:
    mine = _count(Import, Import.id == Upload.import_id, Upload.id == number)
    return Form("admin", f"/admin/uploads/{number}/take", {}, [303], mine)


def _sending(name: str) -> Form:
    rows = [order_line(f"{name}-{n}") for n in range(LINES)]
    body = {"source": f"api {name}", "rows": rows}
    own = _count(Import, Import.source == Source.id, Source.code == f"api {name}")
    return Form(name, f"{API}/facts/order-lines", body, [200], own)
