"""Budgets: where their points are, what may still come, who drew on them, and giving them more."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from api import exports
from api.addresses import see_other
from api.catalogues import text
from api.exports import FormatAsked
from api.pages.budgets.giving import Form, fresh, given, words
from api.pages.budgets.printing import (
    COLUMNS,
    ENTRY_COLUMNS,
    entries_of,
    list_page,
    named_by_rules,
    one_page,
    row,
    why_of,
)
from api.pages.rules.mistakes import told
from api.pages.viewing import LookingAtNetwork, Managing, View
from api.paging import PageAsked
from api.render import translator
from api.request_scope import wiring
from partner_cx.database import transact
from partner_cx.errors import Conflict, NotFound
from rewards.budgets import reports
from rewards.budgets.reservations import release, reservations
from rewards.ledger import Account, AccountKind
from rewards.reading import Misread

router = APIRouter()

SAID = {
    "funded": text("The points are in the budget."),
    "released": text("The points are back in the budget."),
}
OVER = text("That reservation is over: it was settled or released already.")


@router.get("/budgets")
def budgets(view: LookingAtNetwork, number: PageAsked = 1, form: FormatAsked = None) -> Response:
    """Every budget, and where its points are."""
    if form:
        rows = [row(each) for each in reports(view.session)]
        columns = [translator(view.language)(each) for each in COLUMNS]
        return exports.table(view.request, columns, rows, "budgets", form)
    return list_page(view, fresh(), number)


@router.post("/budgets")
def give(view: Managing, form: Form) -> Response:
    """Give points to a budget, an old one or a new one."""
    filled, done = given(view, form, form.get("code", ""))
    if done:
        return see_other(view.request, f"/budgets/{form['code']}?said=funded")
    return list_page(view, filled)


@router.get("/budgets/{code}")
def budget(
    view: LookingAtNetwork,
    code: str,
    number: PageAsked = 1,
    form: FormatAsked = None,
    said: str = "",
) -> Response:
    """One budget: its points, what may come, its rules, reservations, alerts and entries."""
    _refuse_unknown(view, code)
    say = translator(view.language)
    if form:
        rows = [
            (entry.effective_on, partner, points, why_of(entry).in_(view.language))
            for entry, points, partner in view.session.execute(entries_of(code))
        ]
        columns = [say(each) for each in ENTRY_COLUMNS]
        return exports.table(view.request, columns, rows, f"budget-{code}", form)
    return one_page(view, code, fresh(), number, said=say(SAID[said]) if said in SAID else "")


@router.post("/budgets/{code}/fund")
def fund_it(view: Managing, code: str, form: Form) -> Response:
    """Give points to this budget."""
    _refuse_unknown(view, code)
    filled, done = given(view, form, code)
    if done:
        return see_other(view.request, f"/budgets/{code}?said=funded")
    return one_page(view, code, filled)


@router.post("/budgets/{code}/release")
def release_it(view: Managing, code: str, form: Form) -> Response:
    """Give what was reserved back to its budget."""
    _refuse_unknown(view, code)
    key = form.get("key", "")
    of_budget = {each.key for each in reservations(view.session, code)}

    def work(writing: Session) -> None:
        if key not in of_budget:
            raise Conflict(f"Nothing is reserved under {key}.")
        release(writing, key, why=words(form.get("why", "")), now=view.now)

    try:
        transact(wiring(view.request).engine, work)
    except Misread as misread:
        return one_page(view, code, fresh((f"release-{key}", told(misread, view.language))))
    except Conflict:
        view.session.rollback()
        return one_page(view, code, fresh(("", translator(view.language)(OVER))))
    return see_other(view.request, f"/budgets/{code}?said=released")


def _refuse_unknown(view: View, code: str) -> None:
    known = sa.select(Account.id).where(Account.kind == AccountKind.BUDGET, Account.owner == code)
    if view.session.scalar(known) is None and code not in named_by_rules(view.session, view.now):
        raise NotFound(f"There is no budget {code}.", remedy="Give it points, or check the code.")
