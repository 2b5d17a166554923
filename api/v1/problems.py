"""Problems: refusals as programs read them, RFC 9457."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from api.addresses import path_of

UNDER = ("/api/", "/metrics")  # where programs ask: refusals are JSON
MEDIA_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is the matter with one part of a request."""

    field: str = Field(
        description="Where it stands: `query.limit`, `body.rows.0.code`.",
        examples=["query.limit"],
    )
    reason: str = Field(examples=["Input should be less than or equal to 200"])


class Problem(BaseModel):
    """Why a request was refused, RFC 9457."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(
        description="What went wrong, why, and what to do.",
        examples=["query.limit: Input should be less than or equal to 200."],
    )
    errors: list[FieldProblem] | None = Field(
        default=None,
        description="Each part of the request that was refused, where it is about parts.",
    )


class Refused(HTTPException):
    """A request that is refused at the door of the API.

    errors: what is the matter with each part of it, by the part's name.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.errors = errors or {}


def wants_json(request: Request) -> bool:
    return path_of(request).startswith(UNDER)


def problem(
    status: HTTPStatus,
    detail: str = "",
    *,
    errors: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A refusal. detail: what went wrong, why, and what to do. errors: of its parts, by name."""
    told: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail or status.description,
    }
    if errors:
        told["errors"] = [{"field": field, "reason": why} for field, why in errors.items()]
    return JSONResponse(told, status, _headers(status), media_type=MEDIA_TYPE)


def refused(error: Refused) -> JSONResponse:
    """What a request gets that is refused at the door."""
    answer = problem(HTTPStatus(error.status_code), str(error.detail), errors=error.errors)
    answer.headers.update(error.headers or {})
    return answer


def not_understood(error: RequestValidationError) -> JSONResponse:
    """What a request gets whose parts aren't as documented, each part by its name."""
    errors: dict[str, str] = {}
    for each in error.errors():
        errors.setdefault(".".join(map(str, each["loc"])), each["msg"])
    said = "; ".join(f"{field}: {why}" for field, why in errors.items())
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{said}."[:2_000], errors=errors)


def wrong_value(field: str, why: str, remedy: str = "") -> Refused:
    """A part of a request that doesn't serve, such as `query.kpi`."""
    said = f"{why} {remedy}".strip()
    return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"{field}: {said}", errors={field: said})


def nearest(word: str, among: Iterable[str]) -> str:
    """`Did you mean kpi?`, or what there is."""
    known = sorted(among)
    near = get_close_matches(word.lower(), known, n=1)
    if near:
        return f"Did you mean {near[0]}?"
    return f"There are {', '.join(known)}." if known else "There are none here."


def _headers(status: HTTPStatus) -> dict[str, str] | None:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": "5"}
    return None


# --- In the document --------------------------------------------------------------------------

_SAID = {
    400: "The request isn't JSON.",
    401: "No token, or none that is in force.",
    403: "The token isn't for this, or is limited to a partner.",
    404: "There is no such thing, or the token doesn't see it.",
    409: "It contradicts what is already recorded.",
    413: "The request is too large.",
    415: "The body isn't `application/json`.",
    422: "A part of the request is missing, unknown or wrong; `errors` names each.",
    429: "Too many requests; `Retry-After` says in how many seconds the next one is taken.",
    503: "The database is busy or away; the same request may be sent again.",
}
ALWAYS = (401, 403, 422, 429, 503)
WITH_BODY = (400, 413, 415)


def documented(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """The refusals of an operation, beside those that any may give, as FastAPI documents them."""
    wanted = sorted({*ALWAYS, *statuses, *(WITH_BODY if body else ())})
    return {status: _documented(status) for status in wanted}


def _documented(status: int) -> dict[str, Any]:
    phrase = HTTPStatus(status).phrase
    told = {"type": "about:blank", "title": phrase, "status": status, "detail": _SAID[status]}
    headers = {}
    if status in (429, 503):
        headers["Retry-After"] = {
            "description": "Seconds to wait.",
            "schema": {"type": "string"},
        }
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema, "example": told}}
    return {"description": _SAID[status], "content": content, "headers": headers}
