"""Once: a request under a key of its sender's is carried out once, however often it is sent.

Its key is written in the transaction that carries it out, so that a second one, at the same time
or later, finds what the first was answered: on PostgreSQL it waits for the first one's commit, on
SQLite one transaction writes at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

import sqlalchemy as sa
from fastapi import Header, Request
from sqlalchemy.orm import Session

from api.addresses import path_of
from api.v1.problems import Refused
from partner_cx.database import insert_for
from partner_cx.network.requests import ApiRequest

KEPT = timedelta(days=30)
REPLAYED = "Idempotent-Replay"  # the header of an answer that was given before
UNDER_WAY = 0  # the status of a request that isn't answered yet

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="A name of your own for this request, such as a UUID: sent again with the same "
        "contents, it is answered as it was the first time. Kept for 30 days.",
        examples=["6f1c2d3e-orders-2026-07-01"],
    ),
]


@dataclass(frozen=True)
class Answered:
    """What a request was answered. replayed: before, not now."""

    status: HTTPStatus
    body: str
    replayed: bool = False


def digest_of(request: Request) -> str:
    """What a request is recognised by: its method, its address and its body."""
    asked = f"{request.method} {path_of(request)} {request.state.body_digest}"
    return hashlib.sha256(asked.encode()).hexdigest()


def once(
    session: Session,
    *,
    token_id: int,
    key: str | None,
    digest: str,
    now: datetime,
    work: Callable[[Session], Answered],
) -> Answered:
    """Carry a request out, unless it was under this key: then, what it was answered.

    The caller commits. Raises Refused for a key that was used for another request.
    """
    if key is None:
        return work(session)
    session.execute(sa.delete(ApiRequest).where(ApiRequest.made_at < now - KEPT))
    number = _begin(session, token_id, key, digest, now)
    if number is None:
        return _answered(session, token_id, key, digest)
    answer = work(session)
    session.execute(
        sa.update(ApiRequest)
        .where(ApiRequest.id == number)
        .values(status=answer.status.value, answer=answer.body)
    )
    return answer


def _begin(session: Session, token_id: int, key: str, digest: str, now: datetime) -> int | None:
    """Take a key; None where it is taken, once whoever takes it is done."""
    row = {
        "token_id": token_id,
        "key": key,
        "digest": digest,
        "status": UNDER_WAY,
        "answer": "",
        "made_at": now,
    }
    keys = ["token_id", "key"]
    taken = insert_for(session, ApiRequest).values(row).on_conflict_do_nothing(index_elements=keys)
    return session.scalar(taken.returning(ApiRequest.id))


def _answered(session: Session, token_id: int, key: str, digest: str) -> Answered:
    kept = session.scalars(
        sa.select(ApiRequest).where(ApiRequest.token_id == token_id, ApiRequest.key == key)
    ).one()
    if kept.digest != digest:
        raise Refused(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"The Idempotency-Key {key} was used for another request. "
            "Send the same request again, or this one under a key of its own.",
            errors={"header.Idempotency-Key": "It was used for another request."},
        )
    return Answered(HTTPStatus(kept.status), kept.answer, replayed=True)
