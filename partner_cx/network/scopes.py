"""Scopes: what an API token may be used for. Names are a contract."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a token opens."""

    ODOO = "odoo"  # the module in Odoo: what it shows of partners, and its users' sign-in links
