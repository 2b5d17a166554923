"""JSON-2 and JSON-RPC: requests understood and answered, as Odoo 18 and 19 do it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from integrations.stand_ins.odoo import rights
from integrations.stand_ins.odoo.errors import OdooError, WrongArguments
from integrations.stand_ins.odoo.methods import Bound, Method
from integrations.stand_ins.odoo.rights import User
from integrations.stand_ins.odoo.stand_in import Asked, StandIn

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
_BY_POSITION_ONLY = ("create", "write")  # in 18, where the names of their parameters differ


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    kind: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: Asked = field(default_factory=lambda: Asked("http", "", ""))


def answer(stand_in: StandIn, request: Request, *, revoked: bool = False) -> Answer:
    """What a request is answered. revoked: as if no key were valid."""
    path = request.path.partition("?")[0]
    if path == "/jsonrpc" and request.method == "POST":
        return _jsonrpc(stand_in, request, revoked)
    if path.startswith("/json/2/"):
        if stand_in.version < 19:
            return _to_the_login(path)
        return _json2(stand_in, request, revoked)
    if path == "/web/version" and stand_in.version >= 19:
        told = {"version_info": _version_info(stand_in), "version": f"{stand_in.version}.0"}
        return _json(200, told)
    if path.startswith("/doc-bearer/") and stand_in.version >= 19:
        message = "This page is only accessible to Technical Documentation users."
        return _refused(stand_in, OdooError("odoo.exceptions.AccessError", message))
    if path == "/web/login":
        return Answer(200, b"<!DOCTYPE html>\n<title>Odoo</title>\n<h1>Log in</h1>\n", HTML)
    return _page_not_found()


def addressed(request: Request) -> tuple[str, str]:
    """The model and method a request is for, as far as it can be told; for faults."""
    parts = request.path.partition("?")[0].strip("/").split("/")
    if parts[:2] == ["json", "2"] and len(parts) == 4:
        return parts[2], parts[3]
    if parts == ["jsonrpc"]:
        try:
            params = json.loads(request.body)["params"]
            if params["service"] == "common":
                return "common", params["method"]
            return params["args"][3], params["args"][4]
        except (ValueError, KeyError, IndexError, TypeError):
            return "", ""
    return "", request.path


def not_allowed(stand_in: StandIn, request: Request) -> Answer:
    """The refusal of somebody without rights to the model."""
    model, _ = addressed(request)
    label = stand_in.tables[model].model.label if model in stand_in.tables else model
    message = rights.not_allowed(model, label, write=False, version=stand_in.version)
    return _refusal(stand_in, request, OdooError("odoo.exceptions.AccessError", message))


def out_of_order(stand_in: StandIn, request: Request) -> Answer:
    """What a server answers whose database gave up."""
    message = "could not serialize access due to concurrent update\n"
    error = OdooError("psycopg2.errors.SerializationFailure", message)
    return _refusal(stand_in, request, error)


def _refusal(stand_in: StandIn, request: Request, error: OdooError) -> Answer:
    if request.path == "/jsonrpc":
        asked = Asked("jsonrpc", *addressed(request))
        return _rpc_refused(stand_in, error, asked, json.loads(request.body).get("id"))
    return _refused(stand_in, error, Asked("json2", *addressed(request)))


# --- JSON-2 --------------------------------------------------------------------------------------


def _json2(stand_in: StandIn, request: Request, revoked: bool) -> Answer:
    asked = Asked("json2", *addressed(request))
    if request.headers.get("x-odoo-database", stand_in.database) != stand_in.database:
        return _no_database(asked)
    try:
        user = _bearer(stand_in, request, revoked)
        arguments = _body(request)
        asked = Asked("json2", asked.model, asked.method, arguments, user.login)
        result = stand_in.call(
            user, asked.model, asked.method, lambda method: _by_name(method, arguments, asked)
        )
    except OdooError as error:
        return _refused(stand_in, error, asked)
    if asked.method == "message_post":
        result = [result]
    return _json(200, result, replace(asked, rows=_counted(result)))


def _bearer(stand_in: StandIn, request: Request, revoked: bool) -> User:
    given = request.headers.get("authorization", "")
    name = "werkzeug.exceptions.Unauthorized"
    if not given.lower().startswith("bearer "):
        raise OdooError(
            name, "User not authenticated, use an API Key with a Bearer Authorization header."
        )
    user = None if revoked else stand_in.user_with(given[7:].strip())
    if user is None:
        raise OdooError(name, "Invalid apikey")
    return user


def _body(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(request.body or b"{}")
    except ValueError as problem:
        message = f"could not parse the body as json: {problem}"
        raise OdooError("werkzeug.exceptions.BadRequest", message) from None
    if not isinstance(found, dict):
        raise OdooError("werkzeug.exceptions.BadRequest", "the body must be a json object")
    return found


def _by_name(method: Method, arguments: Mapping[str, Any], asked: Asked) -> Bound:
    named = dict(arguments)
    context = named.pop("context", None) or {}
    ids = named.pop("ids", None)
    if method.of_model and ids is not None:
        raise WrongArguments(f"cannot call {asked.model}.{asked.method} with ids")
    return Bound(_bound(method, (), named), _ids(ids), context)


def _ids(given: Any) -> tuple[int, ...]:
    if given in (None, False):
        return ()
    return (given,) if isinstance(given, int) else tuple(given)


def _bound(method: Method, by_position: Any, named: Mapping[str, Any]) -> inspect.BoundArguments:
    try:
        return method.signature.bind(*by_position, **named)
    except TypeError as problem:
        raise WrongArguments(str(problem)) from None


# --- JSON-RPC ------------------------------------------------------------------------------------


def _jsonrpc(stand_in: StandIn, request: Request, revoked: bool) -> Answer:
    try:
        body = json.loads(request.body)
        params = body.get("params") or {}
        service, method, args = params["service"], params["method"], params["args"]
    except (ValueError, KeyError, AttributeError):
        return Answer(400, b"Invalid JSON data", HTML)
    asked = Asked("jsonrpc", service, method)
    try:
        if service == "common":
            result: Any = _common(stand_in, method, args, revoked)
        else:
            asked = Asked("jsonrpc", args[3], args[4], _told_arguments(args))
            result = _execute(stand_in, args, asked, revoked)
    except OdooError as error:
        return _rpc_refused(stand_in, error, asked, body.get("id"))
    return _json(
        200,
        {"jsonrpc": "2.0", "id": body.get("id"), "result": result},
        replace(asked, rows=_counted(result)),
    )


def _common(stand_in: StandIn, method: str, args: Any, revoked: bool) -> Any:
    if method == "version":
        return {
            "server_version": f"{stand_in.version}.0",
            "server_version_info": _version_info(stand_in),
            "server_serie": f"{stand_in.version}.0",
            "protocol_version": 1,
        }
    _check_database(stand_in, args[0])
    if method not in ("login", "authenticate"):
        raise OdooError("builtins.Exception", f"Method not found: {method}")
    user = None if revoked else stand_in.login(args[1], args[2])
    return user.id if user else False


def _check_database(stand_in: StandIn, name: str) -> None:
    if name != stand_in.database:
        raise OdooError(
            "psycopg2.OperationalError",
            'connection to server at "127.0.0.1", port 55499 failed: '
            f'FATAL:  database "{name}" does not exist\n',
        )


def _told_arguments(args: Any) -> dict[str, Any]:
    """The arguments to note: by position and by name, nothing of the login."""
    return {"args": args[5] if len(args) > 5 else []} | (args[6] if len(args) > 6 else {})


def _execute(stand_in: StandIn, args: Any, asked: Asked, revoked: bool) -> Any:
    _check_database(stand_in, args[0])
    user = None if revoked else stand_in.user_with(args[2], args[1])
    if user is None:
        raise OdooError("odoo.exceptions.AccessDenied", "Access Denied")
    by_position = list(args[5]) if len(args) > 5 else []
    named = dict(args[6]) if len(args) > 6 else {}
    single = asked.method == "create" and by_position and isinstance(by_position[0], dict)

    def bind(method: Method) -> Bound:
        context = named.pop("context", None) or {}
        if stand_in.version < 19 and asked.method in _BY_POSITION_ONLY and named:
            name = next(iter(named))
            raise WrongArguments(f"{asked.method}() got an unexpected keyword argument '{name}'")
        ids = () if method.of_model else _ids(by_position.pop(0) if by_position else None)
        if asked.method in ("search", "search_read"):
            _nothing_for_false(by_position)
        return Bound(_bound(method, by_position, named), ids, context)

    result = stand_in.call(user, asked.model, asked.method, bind)
    if single:
        return result[0]
    if asked.method == "message_post":
        return result if stand_in.version < 19 else [result]
    if asked.method == "activity_schedule":
        return f"mail.activity({', '.join(map(str, result))}{',' if len(result) == 1 else ''})"
    return result


def _nothing_for_false(by_position: list[Any]) -> None:
    """The library sends False where no limit and no order are given."""
    by_position[1:] = [None if each is False else each for each in by_position[1:]]


def _rpc_refused(stand_in: StandIn, error: OdooError, asked: Asked, request_id: Any) -> Answer:
    shown: OdooError = getattr(error, "by_rpc", error)
    told = {
        "code": 200 if stand_in.version < 19 else 0,
        "message": "Odoo Server Error",
        "data": shown.told(stand_in.version),
    }
    asked = replace(asked, error=shown.name)
    return _json(200, {"jsonrpc": "2.0", "id": request_id, "error": told}, asked)


# --- Answers -------------------------------------------------------------------------------------


def _version_info(stand_in: StandIn) -> list[Any]:
    return [stand_in.version, 0, 0, "final", 0, ""]


def _json(status: int, value: Any, asked: Asked | None = None) -> Answer:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Answer(status, body, asked=asked or Asked("http", "", ""))


def _refused(stand_in: StandIn, error: OdooError, asked: Asked | None = None) -> Answer:
    headers = {"WWW-Authenticate": "Bearer "} if error.status == 401 else {}
    body = json.dumps(error.told(stand_in.version)).encode()
    asked = replace(asked or Asked("http", "", ""), error=error.name)
    return Answer(error.status, body, headers=headers, asked=asked)


def _counted(result: Any) -> int:
    return len(result) if isinstance(result, list) else 0


def _no_database(asked: Asked) -> Answer:
    text = (
        "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
        "<p>No database is selected and the requested URL was not found in the server-wide "
        "controllers.</p>\n<p>Please verify the hostname, <a href=/web/login>login</a> and try "
        "again.</p>\n\n<!-- Alternatively, use the X-Odoo-Database header. -->\n"
    )
    return Answer(404, text.encode(), HTML, asked=asked)


def _page_not_found() -> Answer:
    text = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    return Answer(404, text.encode(), HTML)


def _to_the_login(path: str) -> Answer:
    """18 knows nothing of JSON-2 and takes it for a page."""
    target = f"/web/login?redirect={quote(path, safe='')}%3F"
    text = (
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n"
        "<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: "
        f'<a href="{target}">{target}</a>. If not, click the link.\n'
    )
    return Answer(303, text.encode(), HTML, {"Location": target})
