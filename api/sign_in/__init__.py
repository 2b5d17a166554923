"""Signing in: by a single-use link, or the brand's own account; and who is there at each request.

    link or account ─► cookies (a session is opened) ─► viewers (who is there) ─► pages

Opening a link shows a button; only pressing it uses the link up, so that a mail scanner that
visits every link locks nobody out. A session ends after half a day, or at once: by signing out, by
ending it from another browser, by departing.
"""

from __future__ import annotations

from api.sign_in.forms import OwnForm, own_path
from api.sign_in.viewers import (
    Administers,
    Manages,
    SeesNetwork,
    SignedIn,
    SignInNeeded,
    Visitor,
    sign_in_page,
)

__all__ = [
    "Administers",
    "Manages",
    "OwnForm",
    "SeesNetwork",
    "SignInNeeded",
    "SignedIn",
    "Visitor",
    "own_path",
    "sign_in_page",
]
