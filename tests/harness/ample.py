"""A programme at its doors, and as much more of everything in it as one likes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.files.refused import RefusedRows
from integrations.files.uploads import SavedMapping, Upload
from partner_cx.database import transact
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
from tests.harness.administering import administrator, filled_in
from tests.harness.audited import LATER, a_sound_programme, tell_on
from tests.harness.cast import CAST, the_cast
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.programme import BONUS, MANAGER

DRAFT = replace(BONUS, budget="quality", source="Terms of 2027")


def a_programme_at_its_doors(engine: sa.Engine) -> None:
    """Two quarters closed, everybody who signs in, and a draft of the network quality bonus."""
    a_sound_programme(engine)
    the_cast(engine)
    take(engine, "reps", {"rep_email": CAST["rep"], "partner_code": "R2"})
    transact(engine, lambda session: save_draft(session, DRAFT, by=MANAGER, now=LATER))


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
    for number in numbers:
        answer = filled_in(ada, "/admin/webhooks", url=f"https://portal.example/hook/{number}")
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
        _owed(session, number)
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


def _owed(session: Session, number: int) -> None:
    owe(session, Owed("letter", f"letter:{number}", {"to": "nobody"}), now=LATER)
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
