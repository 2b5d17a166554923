"""Which group of Odoo opens which model, and which app brings it: for when one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """A group of access rights: as Odoo's settings show it, and its external id."""

    label: str
    code: str

    def __str__(self) -> str:
        return f"{self.label} ({self.code})"


SALES = Group("Sales / User: All Documents", "sales_team.group_sale_salesman_all_leads")
SALES_CHIEF = Group("Sales / Administrator", "sales_team.group_sale_manager")
STOCK = Group("Inventory / User", "stock.group_stock_user")
ACCOUNTS = Group("Show Accounting Features - Readonly", "account.group_account_readonly")
PROJECTS = Group("Project / User", "project.group_project_user")
LEARNING = Group("eLearning / Officer", "website_slides.group_website_slides_officer")
SURVEYS = Group("Surveys / User", "survey.group_survey_user")
HELPDESK = Group("Helpdesk / User", "helpdesk.group_helpdesk_user")
EVERYBODY = Group("User types / Internal User", "base.group_user")
CONTACTS = Group("Extra Rights / Contact Creation", "base.group_partner_manager")
SETTINGS = Group("Administration / Settings", "base.group_system")

OPENED_BY: Mapping[str, Group] = {
    "res.partner": EVERYBODY,
    "res.partner.category": EVERYBODY,
    "res.partner.grade": EVERYBODY,
    "res.users": EVERYBODY,
    "product.product": EVERYBODY,
    "mail.message": EVERYBODY,
    "mail.message.subtype": EVERYBODY,
    "mail.activity": EVERYBODY,
    "uom.uom": EVERYBODY,
    "sale.order": SALES,
    "sale.order.line": SALES,
    "crm.lead": SALES,
    "crm.stage": SALES,
    "loyalty.program": SALES,
    "loyalty.card": SALES,
    "loyalty.history": SALES,
    "website.visitor": SALES,
    "website.track": SALES,
    "stock.picking": STOCK,
    "stock.move": STOCK,
    "account.move": ACCOUNTS,
    "account.move.line": ACCOUNTS,
    "project.project": PROJECTS,
    "project.task": PROJECTS,
    "helpdesk.ticket": HELPDESK,
    "helpdesk.team": HELPDESK,
    "slide.channel": LEARNING,
    "slide.channel.partner": LEARNING,
    "slide.slide.partner": LEARNING,
    "survey.survey": SURVEYS,
    "survey.question": SURVEYS,
    "survey.user_input": SURVEYS,
    "survey.user_input.line": SURVEYS,
    "res.users.log": SETTINGS,
    "mail.tracking.value": SETTINGS,
    "ir.model.fields": SETTINGS,
    "ir.model.data": SETTINGS,
}

OPENED_FOR_WRITING_BY: Mapping[str, Group] = {  # where it differs
    "res.partner": CONTACTS,
    "mail.activity": CONTACTS,  # who plans one on a partner must be allowed to change it
    "loyalty.program": SALES_CHIEF,  # sellers may read it alone
    "loyalty.card": SALES_CHIEF,  # sellers may change them, and make none
}

# The app that brings a model, by what its name begins with; the longest beginning counts.
BROUGHT_BY: Mapping[str, str] = {
    "account.": "Invoicing",
    "crm.": "CRM",
    "helpdesk.": "Helpdesk",
    "loyalty.": "Coupons & Loyalty",
    "project.": "Project",
    "res.partner.grade": "Partnership (up to Odoo 18: Resellers, website_crm_partner_assign)",
    "sale.": "Sales",
    "slide.": "eLearning",
    "stock.": "Inventory",
    "survey.": "Surveys",
    "website.": "Website",
}


def opening(model: str, *, writes: bool = False) -> Group | None:
    """The group that opens a model, where we know it."""
    found = OPENED_FOR_WRITING_BY.get(model) if writes else None
    return found or OPENED_BY.get(model)


def app_of(model: str) -> str | None:
    """The name of the app that brings a model, where we know it."""
    begins = [start for start in BROUGHT_BY if model.startswith(start)]
    return BROUGHT_BY[max(begins, key=len)] if begins else None
