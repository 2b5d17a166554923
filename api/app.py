"""The web service: pages behind a sign-in, and the one place where refusals become answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from time import monotonic
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import migrations, refusals
from api.addresses import UnderPrefix, path_of, prefix_of, see_other
from api.bodies import WithinBounds
from api.health import metrics_of
from api.health import router as health
from api.metrics import Metrics
from api.pages import (
    admin,
    budgets,
    definitions,
    field,
    groups,
    journal,
    letters,
    me,
    network,
    partners,
    sign_in,
    staff_sign_in,
    start,
)
from api.pages.closing import closes, holds, restatements
from api.pages.partner import figures, home, statement
from api.pages.rules import ROUTERS as RULES
from api.places import Place
from api.render import page
from api.request_scope import Wiring, language_of, remember_language, wiring
from api.sign_in import OwnForm, SignInNeeded, Visitor, sign_in_page
from api.static_files import KeptFiles
from api.v1 import document
from api.v1.holders import tell_allowance
from api.v1.problems import Refused, not_understood, problem, refused, wants_json
from api.wrong_parts import wrong_parts
from partner_cx.settings import Settings, signing_secret

# Forms of these are taken from our own pages only.
PAGES = (
    start.router,
    staff_sign_in.router,
    sign_in.router,
    me.router,
    network.router,
    partners.router,
    groups.router,
    field.router,
    home.router,
    statement.router,
    figures.router,
    definitions.router,
    closes.router,
    holds.router,
    restatements.router,
    journal.router,
    budgets.router,
    *RULES,
    *admin.ROUTERS,
)
# Opened by other programs too: by mail programs' own buttons, and by systems with a token.
OPEN_TO_PROGRAMS = (letters.router, health, *document.ROUTERS)

SAFE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

log = structlog.get_logger()


def make_app(
    engine: sa.Engine,
    settings: Settings,
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FastAPI:
    """The service over a database. Nothing but the sign-in is open to a stranger."""
    app = FastAPI(
        title="Partner CX", routes=_routes(), docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.wiring = Wiring(engine, settings, signing_secret(settings), clock)
    app.state.metrics = Metrics(app.state.wiring)
    app.mount("/static", KeptFiles(), name="static")
    app.add_middleware(WithinBounds)
    app.add_middleware(WithSafeHeaders)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(UnderPrefix, prefix=prefix_of(settings))
    app.add_exception_handler(SignInNeeded, _ask_to_sign_in)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _by_status)
    app.add_exception_handler(Refused, _at_the_door)
    return app


@cache
def _routes() -> list[BaseRoute]:
    """All of them, worked out here: FastAPI puts it off until the first one asks.

    It switches the whole process's warnings off and on meanwhile, and two at it trip each other.
    """
    everything = APIRouter()
    for router in (*PAGES, *OPEN_TO_PROGRAMS):
        _answer_head_like_get(router)
    for router in PAGES:
        everything.include_router(router, dependencies=[OwnForm, Place, Visitor])
    for router in (letters.router, *document.ROUTERS):
        everything.include_router(router, dependencies=[Place])
    everything.include_router(health)
    for _ in iter_route_contexts(everything.routes):
        pass
    return everything.routes


def _answer_head_like_get(router: APIRouter) -> None:
    """FastAPI refuses HEAD where Starlette answers it. The server leaves the body out."""
    for route in router.routes:
        if isinstance(route, APIRoute) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")


class WithSafeHeaders:
    """Answers with headers that keep pages to themselves; explains what was refused.

    Starlette's own way of writing this takes two tasks and a stream for every answer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, has_begun = Request(scope), False
        began, _ = monotonic(), request.state  # made here, so that what is kept there is found

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message = {**message, "headers": _with_headers(request, message)}
                metrics_of(request).answered(request, message["status"], monotonic() - began)
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception as error:
            if has_begun:
                raise
            await _refuse(request, error)(scope, receive, send_with_headers)


def _with_headers(request: Request, message: Message) -> list[tuple[bytes, bytes]]:
    """An answer's headers, with ours."""
    response = Response()
    response.raw_headers = list(message.get("headers", ()))
    if message["status"] == HTTPStatus.TEMPORARY_REDIRECT:
        _keep_to_this_site(response)
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    if not path_of(request).startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if wants_json(request):
        tell_allowance(request, response)
    else:
        remember_language(request, response)
    if request.url.scheme == "https":
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response.raw_headers


def _keep_to_this_site(response: Response) -> None:
    """Lead on by the path alone, where a slash too many was written.

    The router would name the host that it was asked by: a proxy's own, or whatever was claimed.
    """
    onward = urlsplit(response.headers["location"])
    response.headers["location"] = urlunsplit(("", "", *onward[2:]))


def _ask_to_sign_in(request: Request, _error: Exception) -> Response:
    if path_of(request) == "/":
        return see_other(request, "/sign-in")
    return sign_in_page(request, HTTPStatus.UNAUTHORIZED)


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if wants_json(request):
        return not_understood(error)
    told = wrong_parts(error, language_of(request))
    return _refusal_page(request, HTTPStatus.UNPROCESSABLE_ENTITY, told)


def _by_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _refusal_page(request, HTTPStatus(error.status_code), why=error.detail)
    response.headers.update(error.headers or {})  # such as the methods that are allowed
    return response


def _at_the_door(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refused(error)


def _refuse(request: Request, error: Exception) -> Response:
    refusal = refusals.explain(error) or _overtaken(request, error)
    if refusal is None:
        return _refusal_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, exc_info=error)
    response = _refusal_page(request, refusal.status, _told(refusal, request), why=str(refusal))
    response.headers.update(refusal.headers)
    return response


def _overtaken(request: Request, error: Exception) -> refusals.Refusal | None:
    """Where the database was brought to another version meanwhile: its tables may be others now."""
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    try:
        migrations.require_current(wiring(request).engine)
    except migrations.OtherVersion as other:
        return refusals.another_version(other)
    except (sa.exc.SQLAlchemyError, OSError):
        return None
    return None


def _route(request: Request) -> str:
    """The address without what was filled in: a sign-in link's token belongs in no log."""
    route = request.scope.get("route")
    return getattr(route, "path", path_of(request))


def _told(refusal: refusals.Refusal, request: Request) -> list[str]:
    """What a page says of it, beside what goes for its status: what the reader can mend.

    Where something isn't there nothing more is told, be it missing or somebody else's.
    """
    if refusal.told:
        return [refusal.told.in_(language_of(request))]
    if refusal.status not in (HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT):
        return []
    if language_of(request) == "fr":
        return [refusal.french] if refusal.french else []
    return [str(refusal)]


def _refusal_page(
    request: Request, status: HTTPStatus, told: Sequence[str] = (), **details: object
) -> Response:
    """Answer with a status in words: a page, or a problem where a program asks.

    told: what was wrong, to the reader.
    details: what the log is told besides, where the fault isn't the reader's.
    """
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("page failed", path=_route(request), status=status.value, **details)
    if wants_json(request):
        return problem(status, str(details.get("why", "")))
    return page(request, "public/refusal.html", status=status, answer=status.value, told=told)
