"""Exchanges recorded with real servers, where PARTNER_CX_TEST_ODOO_PACK names a folder of them.

`exchanges.18.json` and `exchanges.19.json` there hold what was asked and answered. Whatever it
was, the adapter returns it or refuses it in the family that its sort of refusal belongs to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from integrations.odoo.connection import Odoo
from integrations.odoo.connection.errors import (
    Gone,
    KeyRefused,
    NoAnswer,
    NoSuchDatabase,
    NotAllowed,
    NotInstalled,
    OtherVersion,
    ProgramFault,
    RuleBroken,
)
from partner_cx.errors import PartnerCXError
from tests.harness.odoo_replay import Asked, Page, Scripted, scripted_odoo

PACK = os.environ.get("PARTNER_CX_TEST_ODOO_PACK")
# What the ids of exchanges begin with, and the family they belong to; all others succeed.
FAMILIES: Mapping[str, type[PartnerCXError]] = {
    "access-denied": NotAllowed,
    "auth-no-key": KeyRefused,
    "auth-revoked-key": KeyRefused,
    "auth-wrong-database": NoSuchDatabase,
    "auth-wrong-key": KeyRefused,
    "bad-": ProgramFault,
    "read-without-fields": NotAllowed,
    "server-error": NoAnswer,
    "unknown-field": OtherVersion,
    "unknown-method": OtherVersion,
    "unknown-model": NotInstalled,
    "unlink-missing": Gone,
    "validation-error": RuleBroken,
    "write-missing": Gone,
}
# Ways of asking that the adapter doesn't take.
NOT_OURS = ("json2-on-18", "jsonrpc-", "positional-argument", "search-read-by-library", "version")


def recorded() -> list[Any]:
    return [
        pytest.param(version, each, id=f"{version}-{each['id']}")
        for version in ((18, 19) if PACK else ())
        for each in json.loads((Path(str(PACK)) / f"exchanges.{version}.json").read_text("utf-8"))[
            "exchanges"
        ]
        if not each["id"].startswith(NOT_OURS)
    ]


@pytest.mark.parametrize(("version", "exchange"), recorded())
def test_a_recorded_exchange_is_understood(version: int, exchange: dict[str, Any]):
    http = exchange["http"][-1]
    family = next((to for start, to in FAMILIES.items() if exchange["id"].startswith(start)), None)
    with scripted_odoo(Scripted(version, answering(exchange)), odoo_database="nodb") as odoo:
        ask = call_of(version, http["request"])
        if family is None:
            assert ask(odoo) == returned(exchange, http)
        else:
            with pytest.raises(family):
                ask(odoo)


def answering(exchange: dict[str, Any]) -> Callable[[Asked], Any]:
    response = exchange["http"][-1]["response"]
    body = response["body"]
    is_page = "html" in response["headers"].get("Content-Type", "")
    page = Page(body if is_page else json.dumps(body), response["status"], response["headers"])
    is_login = "check_login" in (exchange.get("client_call") or "")
    return lambda asked: None if asked.method == "login" and not is_login else page


def call_of(version: int, request: dict[str, Any]) -> Callable[[Odoo], Any]:
    """The same call, through the adapter."""
    body = request["body"]
    if not isinstance(body, dict):
        return lambda odoo: odoo.count("res.partner")
    if version == 18:
        if body["params"]["service"] == "common":
            return Odoo.user_id
        _, _, _, model, method, placed, named = body["params"]["args"]
    else:
        model, method = request["path"].split("/")[3:5]
        named, placed = dict(body), []
    ids = named.get("ids") or (placed[0] if placed else [])
    calls: dict[str, Callable[[Odoo], Any]] = {
        "context_get": Odoo.user_id,
        "search_read": lambda odoo: odoo.search_read(model, [], named.get("fields") or []),
        "search_count": lambda odoo: odoo.count(model),
        "read": lambda odoo: odoo.read(model, ids, ["name"]),
        "create": lambda odoo: odoo.create(model, [{"name": "x"}]),
        "write": lambda odoo: odoo.write(model, ids, {"name": "x"}),
        "unlink": lambda odoo: odoo.unlink(model, ids),
        "message_post": lambda odoo: odoo.post_note(model, ids[0], "<p>x</p>"),
    }
    return calls.get(method) or (lambda odoo: odoo.call(model, method, ids=ids))


def returned(exchange: dict[str, Any], http: dict[str, Any]) -> Any:
    """What the adapter makes of what was answered: ids are lists, a login is a number."""
    body = http["response"]["body"]
    told = body.get("result") if isinstance(body, dict) and "jsonrpc" in body else body
    name = exchange["id"]
    if name == "auth-ok":
        return told["uid"] if isinstance(told, dict) else told
    if name == "message-post":
        return told[0] if isinstance(told, list) else told
    if name in ("write", "loyalty-write"):
        return None
    if name in ("create", "activity-create", "loyalty-history"):
        return told if isinstance(told, list) else [told]
    if name == "activity-schedule":
        return [int("".join(filter(str.isdigit, told)))] if isinstance(told, str) else told
    return told
