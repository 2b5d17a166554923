"""Holders: which system asks, by the token that it shows."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request

from api.request_scope import Clock, Reading, wiring
from partner_cx.database import transact
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import (
    ApiToken,
    holder_of,
    is_worth_noting,
    note_use,
    require,
)

SCHEME = "bearer"


def _held(
    request: Request,
    session: Reading,
    now: Clock,
    authorization: Annotated[str, Header()] = "",
) -> ApiToken:
    scheme, _, token = authorization.partition(" ")
    held = holder_of(session, token.strip(), now=now) if scheme.lower() == SCHEME else None
    if held is None:
        raise HTTPException(
            HTTPStatus.UNAUTHORIZED,
            "This needs a token that is in force, as “Authorization: Bearer pcx_…”. "
            "`partner-cx tokens issue` makes one.",
        )
    if is_worth_noting(held, now=now):
        transact(wiring(request).engine, lambda writer: note_use(writer, held.id, now=now))
    return held


def only_for(scope: Scope) -> Callable[..., ApiToken]:
    """What lets a request through that shows a token for this."""

    def held(holder: Annotated[ApiToken, Depends(_held, scope="function")]) -> ApiToken:
        require(holder, scope)
        return holder

    return held
