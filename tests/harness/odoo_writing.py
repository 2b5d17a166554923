"""A programme that writes into a stand-in Odoo: points are given here, and looked for there."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands
from integrations.handlers import HANDLERS
from integrations.odoo.connection.kept import hang_up
from integrations.odoo.state import OdooLink
from integrations.odoo.writing import raise_ticket
from integrations.stand_ins.odoo import (
    ADMINISTRATOR,
    DATABASE,
    SERVICE_GROUPS,
    Serving,
    StandIn,
    User,
)
from integrations.worker import Worker
from partner_cx.database import transact
from partner_cx.effects import Effect, listed
from partner_cx.settings import WRITE_BACKS, Settings
from partner_cx.words import Words
from rewards.budgets import budget, fund
from rewards.ledger import AccountKind, Move, account, post, wallet_of
from tests.harness.intake import partner, take
from tests.harness.odoo_sync import (
    ALDER,
    BIRCH,
    NORTH,
    SALLY,
    the_rows,
)
from tests.harness.owed import Clock

__all__ = ["ALDER", "BIRCH", "NORTH", "SALLY"]

SERVICE = User(5, "service", "key-of-the-service", groups=SERVICE_GROUPS)
START = datetime(2026, 6, 3, 9, 0, tzinfo=UTC)  # a Wednesday
KNOWN = {"D01": NORTH, "R01": ALDER, "R02": BIRCH}  # R09 isn't in Odoo


@dataclass
class Programme:
    """A programme beside an Odoo. R01 is Alder, whose salesperson is Sally; nobody has Birch."""

    engine: sa.Engine
    stand_in: StandIn
    serving: Serving
    settings: Settings
    clock: Clock

    @property
    def hands(self) -> Hands:
        return Hands(self.engine, self.settings, self.clock)

    def switch(self, *write_back: str) -> None:
        self.settings = replace(self.settings, odoo_write_back=write_back)

    # --- What happens here ---

    def give(self, partner_code: str, points: int, key: str, why: str = "Well done.") -> None:
        """Grant points as a gesture; taken back when they are negative."""
        with_words = Words(why, f"{why} (fr)")

        def work(session: Session) -> None:
            fund(session, "all", 10**6, key="fund", why=Words("x", "x"), now=self.clock())
            source = budget(session, "all")
            wallet = account(session, AccountKind.WALLET, wallet_of(partner_code))
            move = Move(source, wallet, points) if points > 0 else Move(wallet, source, -points)
            on = date(2026, 6, 3)
            post(session, key=key, why=with_words, moves=[move], effective_on=on, now=self.clock())

        transact(self.engine, work)

    def answered(
        self, partner_code: str, question: str, value: str | None, **more: str | None
    ) -> None:
        """Somebody answers a question of a survey."""
        row = {
            "source_id": f"{partner_code}-{question}-{value}",
            "survey_code": "spring",
            "partner_code": partner_code,
            "answered_at": self.clock().isoformat(),
            "question_code": question,
            "value": value,
            "text": "Zoe from the shop says hello",
            "dismissed": "false",
            "respondent": "zoe@alder.example",
        }
        _, problems = take(self.engine, "answers", row | more, now=self.clock())
        assert problems == []

    def incident(self, partner_code: str, **more: str | None) -> None:
        """A ticket of the category incident comes in, from some other system."""
        row = {
            "source_id": "T-1",
            "partner_code": partner_code,
            "opened_at": self.clock().isoformat(),
            "category": "Incident",
        }
        _, problems = take(self.engine, "tickets", row | more, now=self.clock())
        assert problems == []

    def raise_ticket(self, key: str, partner_code: str = "R01", title: str = "Broken") -> bool:
        def work(session: Session) -> bool:
            return raise_ticket(
                session,
                key=key,
                partner_code=partner_code,
                title=title,
                text="It <b>fell</b>.\n\nTwice.",
                now=self.clock(),
                settings=self.settings,
            )

        return transact(self.engine, work)

    def work(self) -> None:
        """Carry out what is due, in a worker of its own."""
        Worker(self.hands).run_dry()

    def work_in_a_thread(self) -> None:
        """The same, a few effects at a time, by somebody who hangs up at the end."""
        Worker(self.hands, at_once=2).run_dry()
        hang_up()

    def work_without_settling(self, kind: str) -> None:
        """Carry out what is due of a kind, in a worker that is killed before it can settle."""
        Worker(self.hands, {"announce": HANDLERS["announce"]}).run_dry()
        with Session(self.engine) as session:
            wanted = sa.select(Effect).where(Effect.kind == kind, Effect.done_at.is_(None))
            for each in session.scalars(wanted.order_by(Effect.id)):
                names = ("id", "kind", "key", "subject", "payload", "owed_at", "tries")
                HANDLERS[kind](Due(**{name: getattr(each, name) for name in names}), self.hands)

    def standing(self, kind: str = "odoo.") -> dict[str, str]:
        """The effects for Odoo that aren't done, and how it stands with each."""
        with Session(self.engine) as session:
            found = listed(session, now=self.clock())
        return {
            each.key: each.state.value
            for each in found
            if each.kind.startswith(kind) and each.state != "done"
        }

    def why(self, key: str) -> str:
        with Session(self.engine) as session:
            (found,) = listed(session, now=self.clock(), keys=[key])
        return found.why or ""

    # --- What is seen there ---

    def cards(self) -> dict[str, float]:
        return {row["code"]: row["points"] for row in self.stand_in.rows("loyalty.card")}

    def card(self, code: str = "PCX-R01") -> dict[str, Any]:
        (row,) = self.stand_in.rows("loyalty.card", code=code)
        return row

    def history(self, code: str = "PCX-R01") -> list[tuple[str, float, float]]:
        """The lines of a card: description without its mark, issued and used."""
        rows = self.stand_in.rows("loyalty.history", card_id=self.card(code)["id"])
        return [
            (unmarked(row["description"]), row["issued"], row["used"])
            for row in sorted(rows, key=lambda row: row["id"])
        ]

    def notes(self, company: int = ALDER) -> list[str]:
        rows = self.stand_in.rows("mail.message", model="res.partner", res_id=company)
        return [text_of(row["body"]) for row in sorted(rows, key=lambda row: row["id"])]

    def activities(self) -> list[dict[str, Any]]:
        return self.stand_in.rows("mail.activity")


def unmarked(text: str) -> str:
    return re.sub(r" ?\[Partner CX, [^]]*\]", "", text)


def text_of(body: str) -> str:
    """What people read of HTML, without our mark."""
    words = html.unescape(re.sub("<[^>]+>", " ", body))
    return re.sub(" +", " ", unmarked(words)).strip()


@contextmanager
def writing_into(engine: sa.Engine, version: int, **how: Any) -> Iterator[Programme]:
    """A programme that writes everything into an Odoo."""
    clock = Clock(START)
    rows = the_rows() | {
        "project.project": [
            {"id": 1, "name": "Website", "privacy_visibility": "employees"},
            {"id": 2, "name": "Partner support", "privacy_visibility": "portal"},
        ],
    }
    how = {"users": [SERVICE, ADMINISTRATOR], **how}
    stand_in = StandIn(version, rows | how.pop("rows", {}), clock=clock, **how)
    serving = Serving(stand_in)
    serving.start()
    try:
        settings = Settings(
            time_zone="Europe/Paris",
            odoo_url=serving.address,
            odoo_database=DATABASE,
            odoo_login=SERVICE.login,
            odoo_key=SERVICE.key,
            odoo_timeout_seconds=3,
            odoo_write_back=WRITE_BACKS,
        )
        _partners(engine)
        yield Programme(engine, stand_in, serving, settings, clock)
    finally:
        hang_up()
        serving.stop()


def _partners(engine: sa.Engine) -> None:
    take(engine, "partners", *(partner(code) for code in (*KNOWN, "R09")))

    def link(session: Session) -> None:
        for code, number in KNOWN.items():
            seen = {"is": "partner"}
            session.add(OdooLink(model="res.partner", odoo_id=number, ours=code, seen=seen))

    transact(engine, link)


def worked(programme: Programme, **passing: float) -> None:
    """Let time pass, then carry out what is due. Nothing stays undone."""
    for _ in range(8):
        programme.clock.pass_by(**(passing or {"minutes": 1}))
        programme.work()
    assert programme.standing() == {}


def allow(programme: Programme, groups: frozenset[str]) -> None:
    """Let the service account be in these groups alone."""
    users = programme.stand_in.users
    users[:] = [replace(each, groups=groups) if each.id == SERVICE.id else each for each in users]
