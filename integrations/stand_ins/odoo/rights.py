"""Who may what: API users with their keys and groups, and the groups that open each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

EMPLOYEE = "base.group_user"
SYSTEM = "base.group_system"
PARTNER_MANAGER = "base.group_partner_manager"
SALES_OWN = "sales_team.group_sale_salesman"
SALES_ALL = "sales_team.group_sale_salesman_all_leads"
SALES_CHIEF = "sales_team.group_sale_manager"
STOCK = "stock.group_stock_user"
ACCOUNTS = "account.group_account_readonly"
PROJECT = "project.group_project_user"
COURSES = "website_slides.group_website_slides_officer"
SURVEYS = "survey.group_survey_user"
HELPDESK = "helpdesk.group_helpdesk_user"

EVERYTHING = "everything"  # the administrator's: all models, all ways
SERVICE_GROUPS = frozenset(
    {EMPLOYEE, PARTNER_MANAGER, SALES_OWN, SALES_ALL, SALES_CHIEF, STOCK, ACCOUNTS, PROJECT}
    | {COURSES, SURVEYS}
)

_SALES = (SALES_ALL, SALES_OWN)
_OPENED_TO_READ: Mapping[str, tuple[str, ...]] = {
    "sale.order": _SALES,
    "sale.order.line": _SALES,
    "crm.lead": _SALES,
    "crm.stage": _SALES,
    "crm.lost.reason": _SALES,
    "loyalty.program": _SALES,
    "loyalty.card": _SALES,
    "loyalty.history": _SALES,
    "loyalty.rule": _SALES,
    "loyalty.reward": _SALES,
    "website.visitor": _SALES,
    "website.track": _SALES,
    "stock.picking": (STOCK, *_SALES),
    "stock.move": (STOCK, *_SALES),
    "stock.location": (STOCK, *_SALES),
    "stock.picking.type": (STOCK, *_SALES),
    "account.move": (ACCOUNTS,),
    "account.move.line": (ACCOUNTS,),
    "slide.channel.partner": (COURSES,),
    "slide.slide.partner": (COURSES,),
    "survey.survey": (SURVEYS,),
    "survey.question": (SURVEYS,),
    "survey.question.answer": (SURVEYS,),
    "survey.user_input": (SURVEYS,),
    "survey.user_input.line": (SURVEYS,),
    "helpdesk.ticket": (HELPDESK,),
    "helpdesk.team": (HELPDESK,),
    "helpdesk.stage": (HELPDESK,),
    "helpdesk.tag": (HELPDESK,),
    "res.users.log": (SYSTEM,),
    "mail.tracking.value": (SYSTEM,),
    "ir.model": (SYSTEM,),
    "ir.model.fields": (SYSTEM,),
    "ir.model.data": (SYSTEM,),
    "ir.module.module": (SYSTEM,),
}
_OPENED_TO_WRITE: Mapping[str, tuple[str, ...]] = {
    "res.partner": (PARTNER_MANAGER,),
    "mail.message": (EMPLOYEE,),
    "mail.activity": (EMPLOYEE,),
    "project.task": (PROJECT,),
    "sale.order": _SALES,
    "sale.order.line": _SALES,
    "crm.lead": _SALES,
    "loyalty.program": (SALES_CHIEF,),
    "loyalty.card": _SALES,
    "loyalty.history": _SALES,
    "loyalty.rule": (SALES_CHIEF,),
    "loyalty.reward": (SALES_CHIEF,),
    "stock.picking": (STOCK,),
    "stock.move": (STOCK,),
    "helpdesk.ticket": (HELPDESK,),
}
# Where records that may be changed may not be made.
_OPENED_TO_CREATE: Mapping[str, tuple[str, ...]] = {"loyalty.card": (SALES_CHIEF,)}

# How messages name groups: in 18, and in 19 where it differs.
_GROUPS_CALLED: Mapping[str, tuple[str, str]] = {
    EMPLOYEE: ("User types/Internal User", "Role / User"),
    SYSTEM: ("Administration/Settings", "Role / Administrator"),
    PARTNER_MANAGER: ("Extra Rights/Contact Creation", "Contact / Creation"),
    SALES_OWN: ("Sales/User: Own Documents Only",) * 2,
    SALES_ALL: ("Sales/User: All Documents",) * 2,
    SALES_CHIEF: ("Sales/Administrator",) * 2,
    STOCK: ("Inventory/User",) * 2,
    ACCOUNTS: (
        "Technical/Show Accounting Features - Readonly",
        "Show Accounting Features - Readonly",
    ),
    PROJECT: ("Project/User",) * 2,
    COURSES: ("eLearning/Officer",) * 2,
    SURVEYS: ("Surveys/User",) * 2,
    HELPDESK: ("Helpdesk/User",) * 2,
}
# Those that messages were seen to name, where more groups open a model than a service needs.
_SEEN: Mapping[tuple[str, int], tuple[str, ...]] = {
    ("account.move", 18): (
        "Invoicing/Administrator",
        "Invoicing/Invoicing",
        "Purchase/User",
        "Sales/User: Own Documents Only",
        "Technical/Show Accounting Features - Readonly",
        "User types/Portal",
    ),
    ("account.move", 19): (
        "Accounting/Administrator",
        "Accounting/Invoicing",
        "Purchase/User",
        "Sales/User: Own Documents Only",
        "Role / Portal",
        "Show Accounting Features - Readonly",
    ),
    ("loyalty.card", 18): ("Sales/Administrator", "Sales/User: Own Documents Only"),
    ("loyalty.card", 19): ("Sales/Administrator", "Sales/User: Own Documents Only"),
}


@dataclass(frozen=True)
class User:
    """Somebody with an API key.

    rules: model → domain; records outside it are hidden, as record rules do it, without a word.
    closed: models that are closed to this user whatever the groups say.
    """

    id: int
    login: str
    key: str = field(repr=False)
    groups: frozenset[str] = frozenset({EVERYTHING})
    rules: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    closed: frozenset[str] = frozenset()
    language: str = "en_US"

    def may(self, model: str, *, write: bool, create: bool = False) -> bool:
        if model in self.closed:
            return False
        opened = _opened(model, write)
        if create:
            opened = _OPENED_TO_CREATE.get(model, opened)
        return EVERYTHING in self.groups or bool(self.groups & set(opened))


def _opened(model: str, write: bool) -> tuple[str, ...]:
    if write:
        return _OPENED_TO_WRITE.get(model, (SYSTEM,))
    return _OPENED_TO_READ.get(model, (EMPLOYEE,))


def not_allowed(model: str, label: str, *, write: bool, version: int) -> str:
    """What Odoo says to somebody who may not."""
    called = _SEEN.get((model, version)) or sorted(
        _GROUPS_CALLED[each][version >= 19] for each in _opened(model, write)
    )
    groups = "".join(f"\t- {each}\n" for each in called)
    return (
        f"You are not allowed to access '{label}' ({model}) records.\n\n"
        f"This operation is allowed for the following groups:\n{groups}\n"
        "Contact your administrator to request access if necessary."
    )
