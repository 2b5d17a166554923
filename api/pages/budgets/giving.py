"""Giving points to a budget: the form as it was filled in, and what is in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from api.catalogues import text
from api.pages.rules.mistakes import told
from api.pages.viewing import View
from api.render import translator
from api.request_scope import wiring
from partner_cx.database import transact
from partner_cx.errors import Conflict, Invalid
from partner_cx.words import Words
from rewards.budgets import POINTS_MAX, fund
from rewards.reading import Given, Misread

TOO_MUCH = text("The budget would hold more than a budget may. Give it less.")
OTHERWISE = text("This form was sent before with something else in it. Look at the budget first.")


async def _form(request: Request) -> dict[str, str]:
    sent = (await request.form()).multi_items()
    return {name: value.strip() for name, value in sent if isinstance(value, str)}


Form = Annotated[dict[str, str], Depends(_form)]


@dataclass(frozen=True)
class Filled:
    """A form of giving points, as it was filled in, with what is in its way.

    key: makes it happen once, however often it is sent.
    """

    key: str
    code: str = ""
    points: str = ""
    why: str = ""
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def at(self) -> dict[str, str]:
        return dict(self.errors)


def fresh(*errors: tuple[str, str]) -> Filled:
    return Filled(uuid4().hex, errors=errors)


def given(view: View, form: dict[str, str], code: str) -> tuple[Filled, bool]:
    """Give what the form says; what is in the way comes back with it."""
    key = form.get("key", "")
    filled = Filled(key or uuid4().hex, code, form.get("points", ""), form.get("why", ""))
    errors = list(_wrong(filled, view.language))
    if not errors:
        say = translator(view.language)
        try:
            transact(wiring(view.request).engine, lambda writing: _give(writing, filled, view))
        except Invalid:
            errors = [("points", say(TOO_MUCH))]
        except Conflict as conflict:
            too_much = "would hold" in conflict.message
            errors = [("points", say(TOO_MUCH)) if too_much else ("", say(OTHERWISE))]
            view.session.rollback()
    return Filled(filled.key, code, filled.points, filled.why, tuple(errors)), not errors


def _give(writing: Session, filled: Filled, view: View) -> None:
    fund(
        writing,
        filled.code,
        _points(filled.points).whole_number(1, POINTS_MAX),
        key=f"fund:form:{filled.key}",
        why=words(filled.why),
        now=view.now,
        by=view.viewer.person.email,
    )


def _wrong(filled: Filled, language: str) -> list[tuple[str, str]]:
    """What can't be given like this, field by field."""
    checks = (
        lambda: Given(filled.code, "code", "code").code(),
        lambda: _points(filled.points).whole_number(1, POINTS_MAX),
        lambda: words(filled.why),
        lambda: Given(filled.key, "key", "key").code(),
    )
    found = []
    for check in checks:
        try:
            check()
        except Misread as misread:
            found.append((misread.place, told(misread, language)))
    return found


def _points(text: str) -> Given:
    """A whole number, thousands apart or not."""
    digits = text.replace(" ", "").replace("\u202f", "").replace("\xa0", "").replace(",", "")
    value = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else text
    return Given(value, "points", "points")


def words(why: str) -> Words:
    line = Given(why, "why", "why").line()
    return Words(line, line)
