"""The way from the list of rules to a page about one of them."""

from __future__ import annotations

from fastapi import Request

from api.addresses import address
from api.render import translator


def crumbs(
    request: Request,
    language: str,
    here: str,
    *,
    code: str = "",
    label: str = "",
    draft: bool = False,
) -> list[dict[str, str]]:
    """From the list of rules to here.

    code, draft: by the page of this rule, and by its draft's. label: the rule's name, where it can
    be read.
    """
    say = translator(language)
    above = [(say("Rules"), "/rules")]
    if code:
        above.append((label or code, f"/rules/{code}"))
    if draft:
        above.append((say("Draft"), f"/rules/{code}/draft"))
    return [
        *({"label": label, "href": address(request, path)} for label, path in above),
        {"label": here, "href": ""},
    ]
