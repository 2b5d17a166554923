"""Kept parts: what a closed period's overview shows never changes, so it is put together once.

A close freezes its figures for ever; only the partners' names beside them may still change, with an
import. So what was printed is kept under the closes it rests on and the last import there was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from fastapi import Request
from markupsafe import Markup
from sqlalchemy.orm import Session

from api.kept import Kept
from api.pages.network.choosing import Chosen
from api.pages.network.scorecard import periods_before
from partner_cx.operations.imports import Import

KEPT_MAX = 64  # pages of some hundred kilobytes


@dataclass(frozen=True)
class Part:
    """What is kept of an overview: its first sentence, and all that rests on figures, printed."""

    summary: str
    as_of: datetime | None
    figures: Markup


def kept(
    request: Request, session: Session, chosen: Chosen, language: str, make: Callable[[], Part]
) -> Part:
    """The part of a period's overview: kept if all it rests on is closed, else made anew."""
    rests_on = [each for each in map(chosen.back, periods_before(chosen.period)) if each]
    if not all(each.closed for each in rests_on):
        return make()
    key = (
        language,
        request.scope.get("root_path", ""),
        request.url.path,
        request.url.query,
        tuple(rests_on),
        session.scalar(_LAST_IMPORT),
    )
    state = request.app.state
    if not hasattr(state, "kept_overviews"):
        state.kept_overviews = Kept[Part](KEPT_MAX)
    parts: Kept[Part] = state.kept_overviews
    return parts.get(key, make)


_LAST_IMPORT = sa.select(sa.func.max(Import.id))
