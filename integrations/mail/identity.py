"""Identity: a letter's name, the same however often it is sent, and known again when it returns.

Before it stand effects with their keys; after it the frame of each letter, and the reading of
bounces. Pure. A Message-ID is drawn from the effect's key, so that a letter sent twice is one to
mail programs, and signed for its address, so that nobody can return a letter we never sent.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from itsdangerous import BadSignature, URLSafeSerializer

from integrations.mail.domains import as_it_is_kept

_NAME = re.compile(r"<?([0-9a-f]{32})\.([0-9a-f]{24})@[^>\s]+>?", re.ASCII)
_STOP = "letters-stop"


def message_id(key: str, email: str, *, domain: str, secret: str) -> str:
    """The Message-ID of the letter owed under a key, to an address. domain: of the sender."""
    drawn = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<{drawn}.{_signed(drawn, email, secret)}@{domain}>"


def was_ours(name: str, email: str, *, secret: str) -> bool:
    """Whether a Message-ID is of a letter that we sent to this address."""
    found = _NAME.fullmatch(name.strip())
    return found is not None and hmac.compare_digest(_signed(found[1], email, secret), found[2])


def _signed(drawn: str, email: str, secret: str) -> str:
    said = f"letter {drawn} {as_it_is_kept(email)}".encode()
    return hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()[:24]


def stop_token(email: str, topic: str, *, secret: str) -> str:
    """What stops letters of a topic to an address, for whoever has the letter. It never expires."""
    return str(URLSafeSerializer(secret, salt=_STOP).dumps([email.strip().lower(), topic]))


def read_stop_token(token: str, *, secret: str) -> tuple[str, str] | None:
    """The address and the topic that a token stands for; None: it was never made here."""
    try:
        email, topic = URLSafeSerializer(secret, salt=_STOP).loads(token)
    except (BadSignature, ValueError, TypeError):
        return None
    return email, topic
