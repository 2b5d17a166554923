"""What every Odoo has from its first day: put in where no rows of a model are given."""

from __future__ import annotations

from typing import Any

BORN = "2020-01-01 08:00:00"


def _rows(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    kept = {"create_date": BORN, "write_date": BORN}
    return [{"id": place} | row | kept for place, row in enumerate(rows, start=1)]


BASICS: dict[str, list[dict[str, Any]]] = {
    "res.company": _rows({"name": "My Company"}),
    "res.currency": _rows({"name": "EUR", "symbol": "€"}),
    "res.lang": _rows(
        {"name": "English (US)", "code": "en_US"}, {"name": "French / Français", "code": "fr_FR"}
    ),
    "mail.message.subtype": _rows(
        {"name": "Discussions", "internal": False, "default": True, "sequence": 0},
        {"name": "Note", "internal": True, "default": False, "sequence": 100},
    ),
    "mail.activity.type": _rows(
        {"name": "Email", "category": "default"},
        {"name": "Call", "category": "phonecall"},
        {"name": "To-Do", "category": "default"},
    ),
}
