"""The doorway: what every request to the API must be like, before anything else is looked at.

A body is JSON of at most a megabyte, read exactly; a parameter that nobody asks for is refused
rather than ignored, since a misspelt filter would otherwise answer with everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Coroutine, Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.v1.problems import Refused, nearest, wrong_value

BODY_BYTES_MAX = 1_000_000
_TOO_LARGE = "The request is larger than 1 MB. Send it in several."
_MEDIA_TYPE = "application/json"
_DEEPEST = 50


class Doorway(APIRoute):
    """A route of the API: refuses what isn't a request that it documents."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        known = frozenset(_query_parameters(self.dependant))

        async def let_in(request: Request) -> Response:
            _refuse_unknown_parameters(request, known)
            if self.body_field is not None:
                _refuse_other_media(request)
                request = _ExactRequest(request.scope, request.receive)
            return await handle(request)

        return let_in


class _ExactRequest(Request):
    """A request whose body is read to its limit and no further, and its numbers as written."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            declared = self.headers.get("content-length", "")
            if declared.isascii() and declared.isdigit() and int(declared[:20]) > BODY_BYTES_MAX:
                raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
            read = bytearray()
            async for piece in self.stream():
                read += piece
                if len(read) > BODY_BYTES_MAX:
                    raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
            self._body = bytes(read)
            self.state.body_digest = hashlib.sha256(self._body).hexdigest()
        return self._body

    async def json(self) -> Any:
        try:
            read = json.loads(
                (await self.body()).decode("utf-8"),
                parse_float=Decimal,
                parse_constant=_refuse_constant,
            )
        except UnicodeDecodeError:
            raise _malformed("it isn't UTF-8 text") from None
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise _malformed(f"{place}: {error.msg.lower()}") from None
        except RecursionError:
            raise _malformed(f"it is nested more than {_DEEPEST} deep") from None
        except ValueError:
            raise _malformed("it holds a number that nobody can mean") from None
        _look_over(read)
        return read


def _query_parameters(dependant: Dependant) -> Iterator[str]:
    """What may stand behind the question mark: of the route, and of all it depends on."""
    yield from (param.alias for param in dependant.query_params)
    for each in dependant.dependencies:
        yield from _query_parameters(each)


def _refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    given = [name for name, _ in request.query_params.multi_items()]
    for name, value in request.query_params.multi_items():
        field = f"query.{name[:60]}"
        if name not in known:
            raise wrong_value(field, "This isn't a parameter here.", nearest(name, known))
        if given.count(name) > 1:
            raise wrong_value(field, "It is given more than once.", "Give it once.")
        if "\0" in value:
            raise wrong_value(field, "The text holds a NUL.", "Take it out.")


def _refuse_other_media(request: Request) -> None:
    empty = request.headers.get("content-length", "0") == "0"
    if empty and "transfer-encoding" not in request.headers:
        return  # that it is missing is said once it is known who asks
    given = request.headers.get("content-type", "")
    kind, _, rest = given.partition(";")
    charset = rest.strip().lower().removeprefix("charset=").strip('"')
    if kind.strip().lower() != _MEDIA_TYPE or charset not in ("", "utf-8"):
        raise Refused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body is {given[:100] or 'of no kind that is named'}. "
            f"Send JSON, as “Content-Type: {_MEDIA_TYPE}”.",
        )


def _look_over(value: Any, depth: int = 0) -> None:
    """Refuse what no text and no database can hold: half of a sign that takes two."""
    if depth > _DEEPEST:
        raise _malformed(f"it is nested more than {_DEEPEST} deep")
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _malformed("it holds half of a surrogate pair, which is no text") from None
    elif isinstance(value, dict):
        for name, each in value.items():
            _look_over(name)
            _look_over(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _look_over(each, depth + 1)


def _refuse_constant(name: str) -> NoReturn:
    raise _malformed(f"{name} is no number of JSON")


def _malformed(why: str) -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, f"The body can't be read as JSON: {why}.")
