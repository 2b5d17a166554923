"""Secrets: what messages are signed with, kept so that the database alone gives none away."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.orm import Session

from integrations.webhooks.endpoints import WebhookSecret
from partner_cx.errors import Refused
from partner_cx.settings import Settings, signing_secret

PREFIX = "whsec_"
LENGTH = 32  # bytes; the specification asks for 24 to 64


def make_secret(session: Session, endpoint_id: int, settings: Settings, *, now: datetime) -> str:
    """A fresh secret of an endpoint, as its owner reads it. The caller commits."""
    secret = PREFIX + base64.b64encode(secrets.token_bytes(LENGTH)).decode()
    sealed = _seal(settings).encrypt(secret.encode()).decode()
    session.add(WebhookSecret(endpoint_id=endpoint_id, sealed=sealed, made_at=now))
    session.flush()
    return secret


def end_former(session: Session, endpoint_id: int, *, now: datetime, keep: timedelta) -> None:
    """Let the secrets in force end, once `keep` has passed; none that ends sooner is put off."""
    ends_at = now + keep
    session.execute(
        sa.update(WebhookSecret)
        .where(
            WebhookSecret.endpoint_id == endpoint_id,
            sa.or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > ends_at),
        )
        .values(expires_at=ends_at)
    )


def secrets_in_force(
    session: Session, endpoint_id: int, settings: Settings, *, now: datetime
) -> list[str]:
    """An endpoint's secrets, the newest first.

    Raises Refused when they were sealed under another installation's secret.
    """
    sealed = session.scalars(
        sa.select(WebhookSecret.sealed)
        .where(
            WebhookSecret.endpoint_id == endpoint_id,
            sa.or_(WebhookSecret.expires_at.is_(None), WebhookSecret.expires_at > now),
        )
        .order_by(WebhookSecret.id.desc())
    )
    try:
        return [_seal(settings).decrypt(each.encode()).decode() for each in sealed]
    except InvalidToken:
        raise Refused(
            f"The secret of endpoint {endpoint_id} can't be read: it was sealed under another "
            "PARTNER_CX_SECRET than this one.",
            remedy=f"Put that back, or run `partner-cx webhooks rotate {endpoint_id}`.",
        ) from None


def _seal(settings: Settings) -> Fernet:
    derived = HKDF(hashes.SHA256(), length=32, salt=None, info=b"partner-cx webhook secrets")
    return Fernet(base64.urlsafe_b64encode(derived.derive(signing_secret(settings).encode())))
