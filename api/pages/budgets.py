"""Budgets: where their points are, what may still come, who drew on them, and giving them more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session, aliased

from api import exports
from api.access import Viewer
from api.addresses import address, see_other
from api.catalogues import text
from api.exports import FormatAsked
from api.pages.rules.listing import meter
from api.pages.rules.mistakes import told
from api.paging import ROWS, PageAsked, of_page, offset, one_more
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import Manages, SeesNetwork
from partner_cx.database import transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.network.partners import Partner
from partner_cx.quantities import number_text, percent, points_text
from partner_cx.words import Words
from rewards.budgets import POINTS_MAX, BudgetReport, alerts, fund, report, reports
from rewards.budgets.outlook import Outlook, drawn_by_rules, outlook
from rewards.budgets.reservations import release, reservations
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.reading import Given, Misread
from rewards.rulebook.standings import Status, standings

router = APIRouter()

ALERTS_SHOWN = 20
KNOWN_MOST = 1_000  # offered while a budget is typed
SAID = {
    "funded": text("The points are in the budget."),
    "released": text("The points are back in the budget."),
}
TOO_MUCH = text("The budget would hold more than a budget may. Give it less.")
OTHERWISE = text("This form was sent before with something else in it. Look at the budget first.")
OVER = text("That reservation is over: it was settled or released already.")


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


@router.get("/budgets")
def budgets(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    number: PageAsked = 1,
    form: FormatAsked = None,
) -> Response:
    """Every budget, and where its points are."""
    if form:
        rows = [_row(each) for each in reports(session)]
        columns = [translator(language)(each) for each in COLUMNS]
        return exports.table(request, columns, rows, "budgets", form)
    return _list_page(request, session, now, language, viewer, _fresh(), number)


@router.post("/budgets")
def give(
    request: Request,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Give points to a budget, an old one or a new one."""
    filled, done = _given(request, session, form, form.get("code", ""), now, language, viewer)
    if done:
        return see_other(request, f"/budgets/{form['code']}?said=funded")
    return _list_page(request, session, now, language, viewer, filled)


@router.get("/budgets/{code}")
def budget(
    request: Request,
    code: str,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    number: PageAsked = 1,
    form: FormatAsked = None,
    said: str = "",
) -> Response:
    """One budget: its points, what may come, its rules, reservations, alerts and entries."""
    _refuse_unknown(session, code, now)
    if form:
        columns = [translator(language)(each) for each in ENTRY_COLUMNS]
        rows = [
            (entry.effective_on, partner, points, _why(entry).in_(language))
            for entry, points, partner in session.execute(_entries(code))
        ]
        return exports.table(request, columns, rows, f"budget-{code}", form)
    notice = translator(language)(SAID[said]) if said in SAID else ""
    return _page(request, session, code, now, language, viewer, _fresh(), number, said=notice)


@router.post("/budgets/{code}/fund")
def fund_it(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Give points to this budget."""
    _refuse_unknown(session, code, now)
    filled, done = _given(request, session, form, code, now, language, viewer)
    if done:
        return see_other(request, f"/budgets/{code}?said=funded")
    return _page(request, session, code, now, language, viewer, filled)


@router.post("/budgets/{code}/release")
def release_it(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Give what was reserved back to its budget."""
    _refuse_unknown(session, code, now)
    key = form.get("key", "")
    of_budget = {each.key for each in reservations(session, code)}

    def work(writing: Session) -> None:
        if key not in of_budget:
            raise Conflict(f"Nothing is reserved under {key}.")
        release(writing, key, why=_words(form.get("why", "")), now=now)

    try:
        transact(wiring(request).engine, work)
    except Misread as misread:
        errors = ((f"release-{key}", told(misread, language)),)
        filled = Filled(uuid4().hex, errors=errors)
        return _page(request, session, code, now, language, viewer, filled)
    except Conflict:
        session.rollback()
        filled = Filled(uuid4().hex, errors=(("", translator(language)(OVER)),))
        return _page(request, session, code, now, language, viewer, filled)
    return see_other(request, f"/budgets/{code}?said=released")


# --- Giving -------------------------------------------------------------------------------------


def _fresh() -> Filled:
    return Filled(uuid4().hex)


def _given(
    request: Request,
    session: Session,
    form: dict[str, str],
    code: str,
    now: datetime,
    language: str,
    viewer: Viewer,
) -> tuple[Filled, bool]:
    """Give what the form says; what is in the way comes back with it."""
    key = form.get("key", "")
    filled = Filled(key or uuid4().hex, code, form.get("points", ""), form.get("why", ""))
    errors = list(_wrong(filled, language))
    if not errors:
        try:
            transact(wiring(request).engine, lambda writing: _give(writing, filled, viewer, now))
        except Invalid:
            errors = [("points", translator(language)(TOO_MUCH))]
        except Conflict as conflict:
            too_much = "would hold" in conflict.message
            errors = [("points" if too_much else "", _conflict(too_much, language))]
            session.rollback()
    return Filled(filled.key, code, filled.points, filled.why, tuple(errors)), not errors


def _give(writing: Session, filled: Filled, viewer: Viewer, now: datetime) -> None:
    fund(
        writing,
        filled.code,
        _points(filled.points).whole_number(1, POINTS_MAX),
        key=f"fund:form:{filled.key}",
        why=_words(filled.why),
        now=now,
        by=viewer.person.email,
    )


def _conflict(too_much: bool, language: str) -> str:
    return translator(language)(TOO_MUCH if too_much else OTHERWISE)


def _wrong(filled: Filled, language: str) -> list[tuple[str, str]]:
    """What can't be given like this, field by field."""
    checks = (
        lambda: Given(filled.code, "code", "code").code(),
        lambda: _points(filled.points).whole_number(1, POINTS_MAX),
        lambda: _words(filled.why),
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


def _words(why: str) -> Words:
    line = Given(why, "why", "why").line()
    return Words(line, line)


# --- Printing -----------------------------------------------------------------------------------


COLUMNS = (
    text("Budget"),
    text("Given"),
    text("Spent"),
    text("Committed"),
    text("Reserved"),
    text("Left"),
)
ENTRY_COLUMNS = (text("Day"), text("Partner"), text("Points"), text("What for"))


def _row(told_: BudgetReport) -> tuple[str | int, ...]:
    return (told_.code, told_.funded, told_.spent, told_.committed, told_.reserved, told_.left)


def _list_page(
    request: Request,
    session: Session,
    now: datetime,
    language: str,
    viewer: Viewer,
    filled: Filled,
    number: int = 1,
) -> Response:
    funded = [each for each in reports(session) if each.funded]
    unfunded = sorted(_named_by_rules(session, now) - {each.code for each in funded})
    shown = funded[offset(number) :][:ROWS]
    return page(
        request,
        "programme/budgets.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if filled.errors else HTTPStatus.OK,
        lines=of_page(
            request, [_line(each, language) for each in shown], len(funded), number, language
        ),
        unfunded=unfunded,
        known=[*(each.code for each in funded), *unfunded][:KNOWN_MOST],
        alerts=[_alert(each, language) for each in alerts(session)[:ALERTS_SHOWN]],
        filled=filled,
        manages=viewer.manages,
        exports=exports.links(request),
    )


def _line(told_: BudgetReport, language: str) -> dict[str, Any]:
    amounts = ("funded", "spent", "committed", "reserved", "left")
    return {
        "code": told_.code,
        "meter": meter(told_, language),
        **{name: number_text(getattr(told_, name), language) for name in amounts},
    }


def _page(
    request: Request,
    session: Session,
    code: str,
    now: datetime,
    language: str,
    viewer: Viewer,
    filled: Filled,
    number: int = 1,
    *,
    said: str = "",
) -> Response:
    today = now.astimezone(wiring(request).settings.zone).date()
    told_ = report(session, code)
    entries = session.execute(_entries(code).offset(offset(number)).limit(ROWS + 1))
    say = translator(language)
    return page(
        request,
        "programme/budget.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if filled.errors else HTTPStatus.OK,
        code=code,
        line=_line(told_, language),
        funded=bool(told_.funded),
        outlook=_outlook(outlook(session, code, today), language),
        rules=_rules(session, code, language),
        reservations=[
            {
                "key": each.key,
                "points": number_text(each.points, language),
                "why": each.why.in_(language),
                "at": each.reserved_at,
                "error": filled.at.get(f"release-{each.key}", ""),
            }
            for each in reservations(session, code)
        ],
        alerts=[_alert(each, language) for each in alerts(session, code)[:ALERTS_SHOWN]],
        entries=one_more(request, [_entry(*each, language) for each in entries], number, "entries"),
        filled=filled,
        manages=viewer.manages,
        exports=exports.links(request),
        said=said,
        crumbs=[
            {"label": say("Budgets"), "href": address(request, "/budgets")},
            {"label": code, "href": ""},
        ],
    )


def _outlook(found: Outlook, language: str) -> dict[str, Any] | None:
    """What may still come; None where no rule is open."""
    if not found.open_awards:
        return None
    chance = found.chance_short
    return {
        "open": number_text(found.open_awards, language),
        "expected": points_text(round(found.expected), language),
        "likely_most": points_text(found.likely_most, language),
        "surely": not chance,
        "chance": percent(chance, language, 0 if chance > 1 / 100 or not chance else 2),
        "state": "problem" if chance > 1 / 2 else "warning" if chance > 1 / 20 else "done",
    }


def _rules(session: Session, code: str, language: str) -> list[dict[str, str]]:
    return [
        {
            "code": rule,
            "awards": number_text(awards, language),
            "points": points_text(points, language),
        }
        for rule, awards, points in drawn_by_rules(session, code)
    ]


def _alert(alert: Any, language: str) -> dict[str, Any]:
    return {"at": alert.raised_at, "code": alert.budget_code, "told": alert.sentence.in_(language)}


def _entry(transfer: Transfer, points: int, partner: str | None, language: str) -> dict[str, Any]:
    return {
        "partner": partner or "",
        "href": f"/partners/{quote(partner, safe='')}" if partner else "",
        "on": transfer.effective_on,
        "why": _why(transfer).in_(language),
        "points": f"{'+' if points > 0 else ''}{number_text(points, language)}",
    }


def _why(transfer: Transfer) -> Words:
    return Words(transfer.why_en, transfer.why_fr)


def _entries(code: str) -> sa.Select[Transfer, int, str | None]:
    """What moved in the budget and for which partner, the latest first."""
    other, wallet = aliased(Entry), aliased(Account)
    partner = (
        sa.select(sa.func.min(Partner.code))
        .join(wallet, wallet.partner_id == Partner.id)
        .join(other, other.account_id == wallet.id)
        .where(other.transfer_id == Transfer.id)
        .correlate(Transfer)
        .scalar_subquery()
    )
    return (
        sa.select(Transfer, Entry.points, partner)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.BUDGET, Account.owner == code)
        .order_by(Entry.id.desc())
    )


# --- Which there are ----------------------------------------------------------------------------


def _refuse_unknown(session: Session, code: str, now: datetime) -> None:
    known = sa.select(Account.id).where(Account.kind == AccountKind.BUDGET, Account.owner == code)
    if session.scalar(known) is None and code not in _named_by_rules(session, now):
        raise NotFound(f"There is no budget {code}.", remedy="Give it points, or check the code.")


def _named_by_rules(session: Session, now: datetime) -> set[str]:
    """The budgets of the rules and drafts that are not over."""
    open_ = (Status.IN_FORCE, Status.COMING, Status.DRAFT, Status.AWAITING_APPROVAL)
    found = standings(session, now.date())
    return {each.rule.budget for each in found if each.status in open_}
