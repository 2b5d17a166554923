"""The document: what the API is, as OpenAPI 3.1 tells it, and what a token may do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from api.addresses import address, prefix_of
from api.request_scope import Reading, wiring
from api.v1 import backtests, facts, ledger, measures, odoo, partners, programme, rules
from api.v1.asking import Spoken
from api.v1.doorway import Doorway
from api.v1.facts import FactsRefused
from api.v1.holders import AnyHolder
from api.v1.problems import Problem, documented
from partner_cx.network.partners import Partner
from partner_cx.network.scopes import TOLD, Scope

router = APIRouter(prefix="/api/v1", route_class=Doorway)

ROUTERS = (
    router,
    partners.router,
    measures.router,
    ledger.router,
    programme.router,
    rules.router,
    backtests.router,
    facts.router,
    odoo.router,
)
TITLE = "Partner CX"
VERSION = "1"
ABOUT = """What Partner CX knows of a partner network, for other systems: partners, figures, rules,
decisions and points to read; facts to bring in; rules to draft, check and try.

Every request shows a token: `Authorization: Bearer pcx_…`. Lists come in pages: follow `next`.
Refusals are problems (RFC 9457) that say what, why and what to do. Numbers that aren't whole are
decimal texts; moments are RFC 3339 in UTC; periods are `2026`, `2026Q2` or `2026-05`."""
TAGS = {
    "api": "What this is, and what the token may do.",
    "partners": "The companies of the network.",
    "people": "Who sells, signs in or manages. Needs the scope `people`.",
    "figures": "KPIs, periods and scorecards.",
    "points": "Balances, statements and explanations.",
    "programme": "Decisions, budgets and closes.",
    "rules": "Published rules; drafts, checks and back-tests.",
    "facts": "Facts in, in batches.",
    "odoo": "For the module in Odoo.",
}
RATE_HEADERS = {
    "RateLimit-Limit": "How many requests the token may make in a while.",
    "RateLimit-Remaining": "How many are left of them.",
    "RateLimit-Reset": "In how many seconds all of them are there again.",
}
EXAMPLES = {
    "date": "2026-06-30",
    "date-time": "2026-07-03T09:00:00Z",
    "string": "text",
    "integer": 1,
    "number": 1,
    "boolean": True,
}


class ToldScope(BaseModel):
    """Something a token may do."""

    scope: Scope = Field(examples=["read"])
    means: str = Field(examples=["reading partners, figures, rules, decisions, statements"])


class Root(BaseModel):
    """What this is, and what the token may do."""

    title: str = Field(examples=[TITLE])
    version: str = Field(examples=[VERSION])
    document: str = Field(description="As OpenAPI 3.1.", examples=["/api/v1/openapi.json"])
    token: str = Field(description="The token's name.", examples=["erp"])
    scopes: list[ToldScope]
    partner: str | None = Field(
        description="The partner that the token is limited to, with those below; null: none.",
        examples=[None],
    )


@router.get("/", tags=["api"], responses=documented())
def root(request: Request, session: Reading, holder: AnyHolder, language: Spoken) -> Root:
    """What this is, and what the token may do."""
    partner = session.get(Partner, holder.partner_id) if holder.partner_id else None
    return Root(
        title=TITLE,
        version=VERSION,
        document=address(request, "/api/v1/openapi.json"),
        token=holder.name,
        scopes=[
            ToldScope(scope=scope, means=TOLD[scope].in_(language))
            for scope in Scope
            if scope in holder.scopes
        ],
        partner=partner.code if partner else None,
    )


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """The document itself: open to all, as it holds nobody's data."""
    state = request.app.state
    if not hasattr(state, "api_document"):
        state.api_document = document(prefix_of(wiring(request).settings))
    return JSONResponse(state.api_document)


def document(prefix: str = "") -> dict[str, Any]:
    """The whole document. prefix: the path that the service stands under."""
    routes = [
        _without_head(route)
        for each in ROUTERS
        for route in each.routes
        if isinstance(route, APIRoute)
    ]
    told = get_openapi(
        title=TITLE,
        version=VERSION,
        description=ABOUT,
        routes=routes,
        tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        servers=[{"url": prefix or "/"}],
    )
    schemas = told["components"]["schemas"]
    for model in (Problem, FactsRefused):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    for operation in _operations(told):
        _give_examples(operation, schemas)
        _tell_rates(operation)
    return told


def _without_head(route: APIRoute) -> APIRoute:
    """HEAD is answered like GET, and needn't be told of twice."""
    shown = copy(route)
    shown.methods = set(route.methods or ()) - {"HEAD"}
    return shown


def _operations(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in told["paths"].values():
        yield from path.values()


def _tell_rates(operation: dict[str, Any]) -> None:
    for answer in operation["responses"].values():
        headers = answer.setdefault("headers", {})
        for name, said in RATE_HEADERS.items():
            headers[name] = {"description": said, "schema": {"type": "string"}}


def _give_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """An example for every body and answer, put together from those of their parts."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for content in body.get("content", {}).values():
            if "example" not in content and "examples" not in content:
                content["example"] = _example(content["schema"], schemas)


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for several in ("anyOf", "allOf", "oneOf"):
        if several in schema:
            return _example(schema[several][0], schemas)
    if "properties" in schema:
        parts = schema["properties"].items()
        return {name: _example(part, schemas) for name, part in parts if _is_shown(name, schema)}
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [_example(schema["items"], schemas)]
    return EXAMPLES.get(schema.get("format", schema.get("type", "")), {})


def _is_shown(name: str, schema: Mapping[str, Any]) -> bool:
    """A body leaves out what needn't be given; an answer has all its parts."""
    if schema.get("additionalProperties") is not False or name in schema.get("required", ()):
        return True
    return name == ("code" if "code" in schema["properties"] else "yaml")
