"""The guide's page on the API: each call it shows answers as it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, a_system
from tests.harness.guide import BLOCK

PAGE = (Path(__file__).parents[3] / "docs/guide/api.md").read_text("utf-8")
CALLS = [text for _, language, text in BLOCK.findall(PAGE) if language == "console"]


def test_each_call_answers_as_the_page_says(closed: sa.Engine):
    client = a_system(closed, *Scope)
    assert len(CALLS) >= 5
    for call in CALLS:
        command, _, shown = call.removeprefix("$ ").partition("\n")
        expected, answered = json.loads(shown), called(client, command)
        for each in (expected, answered):
            each.pop("import_number", None)  # how many there were before says nothing here
        if expected.pop("…", None):  # some of the answer is left out there
            answered = {name: answered[name] for name in expected}
        assert answered == expected, command


def called(client: TestClient, command: str) -> Any:
    """What curl would print."""
    program, *words = shlex.split(command)
    assert program == "curl"
    headers, body = {}, None
    while len(words) > 1:
        option, value, *words = words
        if option == "-H":
            name, _, said = value.partition(": ")
            headers[name] = said
        else:
            assert option == "-d"
            body = value
    assert headers.pop("Authorization") == "Bearer $TOKEN"
    path = words[0].replace("$API", API)
    return client.request("POST" if body else "GET", path, content=body, headers=headers).json()


def test_the_page_names_every_scope():
    assert {Scope(name) for name in re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)} == set(Scope)


def test_the_page_names_every_address_to_read(engine: sa.Engine):
    told = a_system(engine, Scope.READ).get(f"{API}/openapi.json").json()["paths"]
    for path in told:
        room = path.removeprefix(API).split("/")[1]
        assert f"/{room}" in PAGE or room in ("", "odoo"), path
