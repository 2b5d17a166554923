"""Forms and ways on: those of other sites are refused, and nothing leads away to one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from fastapi import Depends, Request

from api.request_scope import wiring
from partner_cx.errors import Forbidden

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OWN_PATH = re.compile(r"/(?:[\w.~%-][\w./~%-]*)?(?:\?[\w.~%&=+-]*)?", re.ASCII)


async def own_form_only(request: Request) -> None:
    """Refuse a form that another site sent: browsers say where a form comes from.

    A proxy may pass on a host of its own, so that the address of the settings is ours, too.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    ours = request.headers.get("host"), urlsplit(wiring(request).settings.base_url).netloc
    sent_by = _netloc(origin or "")
    own = bool(sent_by) and sent_by in ours
    if site not in (None, "same-origin") or not (own if origin else site == "same-origin"):
        raise Forbidden("This form was sent from elsewhere.", remedy="Open the page and try again.")


OwnForm = Depends(own_form_only)


def own_path(to: str) -> str:
    """A page of ours; the start instead of anything that could lead elsewhere."""
    return to if _OWN_PATH.fullmatch(to) else "/"


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""
