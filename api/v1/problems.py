"""Problems: refusals as programs read them, RFC 9457."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.responses import JSONResponse

from api.addresses import path_of

UNDER = "/api/"  # where answers are JSON, refusals too


def wants_json(request: Request) -> bool:
    return path_of(request).startswith(UNDER)


def problem(status: HTTPStatus, detail: str = "") -> JSONResponse:
    """A refusal. detail: what went wrong, why, and what to do."""
    told = {"type": "about:blank", "title": status.phrase, "status": status.value}
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
    return JSONResponse(
        {**told, "detail": detail or status.description},
        status,
        headers,
        media_type="application/problem+json",
    )
