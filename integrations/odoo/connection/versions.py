"""Which version an Odoo is, asked without a login."""

from __future__ import annotations

import re
from typing import Any

from integrations.odoo.connection import jsonrpc
from integrations.odoo.connection.errors import NotConfigured
from integrations.odoo.connection.faults import VERSION, Fault, Place, explain
from integrations.odoo.connection.wire import Wire

# Where Odoo itself sends what it doesn't know, up to 18: that is no moved address.
OWN_PAGES = ("/web/login", "/web/database")


def ask(wire: Wire, place: Place) -> tuple[int, ...]:
    """Its version, such as (18, 0). Odoo 19 and later tell it over HTTP, all others over JSON-RPC.

    Raises NotConfigured when something else answers there, NoAnswer when nothing does.
    """
    try:
        return _over_http(wire) or _over_jsonrpc(wire)
    except Fault as fault:
        if fault.name == "page" and fault.status in (400, 404, 405):
            refusal: Exception = NotConfigured(
                f"What answers at {place.address} isn't an Odoo.",
                remedy="Check PARTNER_CX_ODOO_URL: it is where Odoo's pages begin, without /web.",
            )
        else:
            refusal = explain(fault, VERSION, place)
    raise refusal


def _over_http(wire: Wire) -> tuple[int, ...] | None:
    try:
        answer = wire.get("/web/version")
    except Fault as fault:
        if fault.name == "elsewhere" and any(page in fault.said for page in OWN_PAGES):
            return None
        raise
    if answer.status >= 500 or answer.status == 429:
        raise answer.page_fault()
    try:
        told = answer.json()
    except ValueError:
        return None
    return numbers(told.get("version_info")) if isinstance(told, dict) else None


def _over_jsonrpc(wire: Wire) -> tuple[int, ...]:
    told = jsonrpc.Connector(wire).get_service("common").version()
    found = numbers(told.get("server_version_info")) if isinstance(told, dict) else None
    if found is None:
        raise Fault("half")
    return found


def numbers(version_info: Any) -> tuple[int, ...] | None:
    """(18, 0) of [18, 0, 0, "final", 0, ""]; (18, 3) of ["saas~18", 3, …]."""
    if not isinstance(version_info, list) or len(version_info) < 2:
        return None
    major = re.search(r"\d+", str(version_info[0]))
    minor = re.match(r"\d+", str(version_info[1]))
    return (int(major[0]), int(minor[0]) if minor else 0) if major else None
