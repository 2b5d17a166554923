"""The document: whole, true to itself, and true to what is served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import make_app
from api.v1.document import ROUTERS, TAGS, document
from api.v1.problems import WITH_BODY
from partner_cx.network.scopes import Scope
from tests.harness.api_clients import API, PLENTY, a_token
from tests.harness.intake import partner, take
from tests.harness.programme import NOW

TOLD = document()


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in TOLD["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


OPERATIONS = dict(operations())


def contents(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        yield from body.get("content", {}).values()


def test_it_is_openapi_3_1_and_names_its_token_and_tags():
    assert TOLD["openapi"].startswith("3.1")
    assert TOLD["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert {tag for each in OPERATIONS.values() for tag in each["tags"]} == set(TAGS)


def test_every_route_is_in_it():
    served = {
        f"{method} {route.path}"
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in set(route.methods or ()) - {"HEAD"}
    }
    assert served - {f"GET {API}/openapi.json"} == set(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_says_what_it_is_and_how_it_may_be_refused(name: str):
    operation = OPERATIONS[name]
    assert operation["description"]
    assert operation["security"] == [{"token": []}]
    wanted = {"401", "403", "422", "429", "503"}
    if "requestBody" in operation:
        wanted |= set(map(str, WITH_BODY))
    assert wanted <= operation["responses"].keys()
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            assert list(answer["content"]) == ["application/problem+json"]
        assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(
            answer["headers"]
        )


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_example_is_one(name: str):
    for content in contents(OPERATIONS[name]):
        schema = {**content["schema"], "components": TOLD["components"]}
        jsonschema.validate(content["example"], schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name.startswith("POST")])
def test_each_example_of_a_body_is_understood(everything: TestClient, name: str):
    content = OPERATIONS[name]["requestBody"]["content"]["application/json"]
    path = name.partition(" ")[2].replace("{kind}", "order-lines")
    answer = everything.post(path, json=content["example"])
    assert answer.status_code == 200, answer.text


def test_a_service_under_a_path_says_so(engine: sa.Engine):
    under = replace(PLENTY, base_url="https://brand.example/partners-cx")
    client = TestClient(make_app(engine, under), base_url="https://brand.example")
    told = client.get("/partners-cx/api/v1/openapi.json").json()
    assert told["servers"] == [{"url": "/partners-cx"}]


def test_under_a_path_a_list_goes_on_there(engine: sa.Engine):
    take(engine, "partners", *(partner(f"P{number}") for number in range(3)))
    under = replace(PLENTY, base_url="https://brand.example/partners-cx")
    client = TestClient(make_app(engine, under, clock=lambda: NOW))
    client.headers["Authorization"] = f"Bearer {a_token(engine, Scope.READ)}"
    page = client.get("/partners-cx/api/v1/partners?limit=2").json()
    assert page["next"].startswith("/partners-cx/api/v1/partners?")
    assert [each["code"] for each in client.get(page["next"]).json()["items"]] == ["P2"]
