"""API tokens: how another system shows who it is. Shown once; only their digests are kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Instant, Text
from partner_cx.errors import Forbidden, Invalid, NotFound
from partner_cx.network.scopes import NETWORK_WIDE, Scope

PREFIX = "pcx_"  # so that one that was left somewhere is known for what it is
NAME_LONGEST = 100
NOTED_EVERY = timedelta(minutes=5)  # how finely it is noted when a token was last used


class ApiToken(Base):
    """A token of a system beside us, with what it may do.

    scopes: names parted by spaces. partner_id: whom alone it opens, with those below; None: the
    network. ended_at: when it was taken back.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (sa.CheckConstraint("scopes <> ''", name="scopes"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    token_digest: Mapped[str] = mapped_column(Text, unique=True)
    scopes: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)
    partner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("partners.id"))


def make_token(
    session: Session,
    name: str,
    scopes: Collection[Scope],
    *,
    by: str,
    now: datetime,
    lasts: timedelta | None,
    partner_id: int | None = None,
) -> str:
    """A fresh token, as its holder is to be told it. The caller commits.

    name: of whoever holds it. lasts: None is until it is ended.
    partner_id: whom alone it opens, with those below; None: the network.
    """
    if not name.strip() or not name.isprintable() or len(name) > NAME_LONGEST:
        raise Invalid(
            "A token needs the name of whoever holds it.",
            remedy=f"Write a short one such as odoo, {NAME_LONGEST} characters at most.",
        )
    if not scopes:
        raise Invalid("A token has to be for something.", remedy=f"Name one: {', '.join(Scope)}.")
    wide = sorted(NETWORK_WIDE.intersection(scopes))
    if partner_id is not None and wide:
        raise Invalid(
            f"What {', '.join(wide)} opens is about the whole network.",
            remedy=f"Limit a token to a partner for {Scope.READ} and {Scope.PEOPLE} only.",
        )
    token = PREFIX + secrets.token_urlsafe(32)
    session.add(
        ApiToken(
            name=name.strip(),
            token_digest=_digest(token),
            scopes=" ".join(sorted(set(scopes))),
            made_at=now,
            made_by=by,
            expires_at=now + lasts if lasts else None,
            partner_id=partner_id,
        )
    )
    session.flush()
    return token


def holder_of(session: Session, token: str, *, now: datetime) -> ApiToken | None:
    """The token as it is kept; None when it is ended, expired or was never made."""
    return session.scalars(
        sa.select(ApiToken).where(
            ApiToken.token_digest == _digest(token),
            ApiToken.ended_at.is_(None),
            sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
    ).one_or_none()


def require(name: str, scopes: Collection[str], scope: Scope) -> None:
    """Raises Forbidden where a token of this name, for these scopes, isn't for that one."""
    if scope not in scopes:
        raise Forbidden(
            f"The token “{name}” isn't for {scope}.",
            remedy=f"Issue another with `partner-cx tokens issue NAME --scope {scope}`.",
        )


def is_worth_noting(held: ApiToken, *, now: datetime) -> bool:
    """Whether this use is: not each of a hundred in a minute."""
    return held.last_used_at is None or now - held.last_used_at >= NOTED_EVERY


def note_use(session: Session, token_id: int, *, now: datetime) -> None:
    """Note that a token was used. The caller commits."""
    session.execute(sa.update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))


def end_token(session: Session, token_id: int, *, now: datetime) -> ApiToken:
    """Take a token back. Ending it twice ends it once. Raises NotFound. The caller commits."""
    held = session.get(ApiToken, token_id, with_for_update=True)
    if held is None:
        raise NotFound(
            f"There is no token {token_id}.", remedy="`partner-cx tokens list` shows them."
        )
    held.ended_at = held.ended_at or now
    session.flush()
    return held


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
