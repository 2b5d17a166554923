"""A stand-in Odoo with one record of everything that is read, and an account to read it with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrations.stand_ins.odoo import SERVICE_GROUPS, StandIn, User

ACCOUNT, LOGIN = 7, "partner-cx@brand.example"
SERVICE = User(ACCOUNT, LOGIN, "key-of-the-service", groups=SERVICE_GROUPS)


def small_odoo(version: int, account: User = SERVICE, *, without: Iterable[str] = ()) -> StandIn:
    """A stand-in of a version, asked by this account alone. without: models not installed."""
    absent = set(without)
    rows = {model: some for model, some in _rows().items() if model not in absent}
    return StandIn(version, rows, users=[account], without=absent)


def _rows() -> dict[str, list[dict[str, Any]]]:
    company, person = [1, "Maison Verte"], [2, "Partner CX"]
    return {
        "res.partner.grade": [{"id": 1, "name": "Gold"}],
        "res.partner.category": [{"id": 1, "name": "Reseller"}],
        "res.partner": [
            {"id": 1, "name": "Maison Verte", "ref": "MV", "is_company": True, "grade_id": [1, ""]},
            {"id": 2, "name": "Partner CX", "email": LOGIN},
            {"id": 3, "name": "Ada Vert", "parent_id": company},
        ],
        "res.users": [
            _user(ACCOUNT, "Partner CX", LOGIN, person, share=False),
            _user(8, "Ada Vert", "ada@verte.example", [3, "Ada Vert"], share=True),
        ],
        "sale.order": [{"id": 1, "name": "S1", "partner_id": company, "opportunity_id": [1, ""]}],
        "sale.order.line": [{"id": 1, "order_id": [1, "S1"], "product_id": [1, "Pump"]}],
        "stock.move": [{"id": 1, "sale_line_id": [1, ""], "state": "done"}],
        "product.product": [{"id": 1, "name": "Pump"}],
        "uom.uom": [{"id": 1, "name": "Units", "factor": 1.0}],
        "account.move": [
            {"id": 1, "name": "INV/1", "move_type": "out_invoice", "state": "posted"},
            {"id": 2, "move_type": "out_refund", "state": "posted", "reversed_entry_id": [1, ""]},
        ],
        "crm.lead": [{"id": 1, "name": "Pumps", "partner_assigned_id": company}],
        "project.project": [{"id": 1, "name": "Helpdesk"}],
        "project.task": [{"id": 1, "name": "It leaks", "project_id": [1, "Helpdesk"]}],
        "mail.message": [
            {"id": 1, "model": "project.task", "res_id": 1, "message_type": "comment"}
        ],
        "slide.channel": [{"id": 1, "name": "Pumps for everybody"}],
        "slide.channel.partner": [{"id": 1, "channel_id": [1, ""], "partner_id": [3, ""]}],
        "survey.survey": [{"id": 1, "title": "How are we doing?"}],
        "survey.question": [{"id": 1, "title": "How likely?", "survey_id": [1, ""]}],
        "survey.user_input": [{"id": 1, "survey_id": [1, ""], "state": "done"}],
        "survey.user_input.line": [{"id": 1, "user_input_id": [1, ""]}],
        "loyalty.program": [{"id": 1, "name": "Points"}],
    }


def _user(number: int, name: str, login: str, partner: list[Any], *, share: bool) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "login": login,
        "email": login,
        "partner_id": partner,
        "share": share,
        "active": True,
    }
