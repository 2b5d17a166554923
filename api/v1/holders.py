"""Holders: which system asks, by the token that it shows, and what of the network it sees.

A token that is limited to a partner sees that partner and those below it; the others are not there
for it. What is about the network as a whole is not for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Request, Response, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from api.rates import api_allowance
from api.request_scope import Clock, wiring
from api.v1.problems import Refused
from partner_cx.database import reading, transact
from partner_cx.errors import Forbidden, NotFound
from partner_cx.network.partners import Partner
from partner_cx.network.scopes import NETWORK_WIDE, Scope
from partner_cx.network.tokens import (
    holder_of,
    is_worth_noting,
    note_use,
    require,
)

NOT_THERE = "There is no such partner, or the token doesn't see it."

_bearer = HTTPBearer(
    scheme_name="token",
    bearerFormat="pcx_…",
    description="A token that `partner-cx tokens issue` or an administrator's page made.",
    auto_error=False,
)


@dataclass(frozen=True)
class Holder:
    """A system that asks.

    partner_id: whom alone it sees, with those below; None: the network.
    """

    token_id: int
    name: str
    scopes: frozenset[str]
    partner_id: int | None

    @property
    def actor(self) -> str:
        """Who acts, as journals and drafts remember it."""
        return f"token:{self.name}"

    @property
    def sees_network(self) -> bool:
        return self.partner_id is None

    def require(self, scope: Scope) -> None:
        """Raises Forbidden where the token isn't for this, too."""
        require(self.name, self.scopes, scope)

    def require_network(self) -> None:
        """Refuse a token that sees only a part of the network."""
        if not self.sees_network:
            raise Forbidden(
                f"This is about the whole network, and the token “{self.name}” is limited to a "
                "partner.",
                remedy="Ask for a token that isn't.",
            )

    def seen(self, partner_id: Any) -> sa.ColumnElement[bool]:
        """The condition that a column names a partner that the token sees."""
        if self.partner_id is None:
            return sa.true()
        own = sa.select(Partner.id).where(Partner.id == self.partner_id)
        below = own.cte(recursive=True)
        further = sa.select(Partner.id).where(Partner.parent_id == below.c.id)
        return partner_id.in_(sa.select(below.union(further).c.id))

    def partner(self, session: Session, code: str) -> Partner:
        """A partner by its code, if there is one and the token sees it."""
        found = session.scalars(
            sa.select(Partner).where(Partner.code == code, self.seen(Partner.id))
        ).one_or_none()
        if found is None:
            raise NotFound(NOT_THERE)
        return found


def _held(
    request: Request,
    now: Clock,
    shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Holder:
    engine = wiring(request).engine
    with reading(engine) as session:  # given back before anything else is done with the database
        held = holder_of(session, shown.credentials.strip(), now=now) if shown else None
        session.expunge_all()
    if held is None:
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            "This needs a token that is in force, as “Authorization: Bearer pcx_…”. "
            "`partner-cx tokens issue` makes one.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    api_allowance(request, held)
    if is_worth_noting(held, now=now):
        transact(engine, lambda writer: note_use(writer, held.id, now=now))
    return Holder(held.id, held.name, frozenset(held.scopes.split()), held.partner_id)


AnyHolder = Annotated[Holder, Depends(_held, scope="function")]


def only_for(scope: Scope) -> Callable[..., Holder]:
    """What lets a request through that shows a token for this."""

    def held(holder: AnyHolder) -> Holder:
        holder.require(scope)
        if scope in NETWORK_WIDE:
            holder.require_network()
        return holder

    return held


def tell_allowance(request: Request, response: Response) -> None:
    """Say on any answer, a refusal too, how many requests its token has left."""
    for name, value in getattr(request.state, "allowance", {}).items():
        response.headers[name] = value


def _read_network(holder: Annotated[Holder, Depends(only_for(Scope.READ))]) -> Holder:
    holder.require_network()
    return holder


Reads = Annotated[Holder, Depends(only_for(Scope.READ))]
ReadsNetwork = Annotated[Holder, Depends(_read_network)]
ReadsPeople = Annotated[Holder, Depends(only_for(Scope.PEOPLE))]
BringsFacts = Annotated[Holder, Depends(only_for(Scope.FACTS))]
WritesRules = Annotated[Holder, Depends(only_for(Scope.RULES))]
Monitors = Annotated[Holder, Depends(only_for(Scope.METRICS))]
