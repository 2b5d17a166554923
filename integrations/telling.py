"""A telling: one thing that happened, as neighbours are told of it, in plain values.

Before it stands `announcing`, which draws them up; after it letters, webhooks and Odoo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Telling:
    """One thing that happened.

    event: what sort of thing, such as entry.posted; see `docs/guide/webhooks.md`.
    id: the same for the same thing, however often it is told: letters, digits, colons, hyphens.
    at: when it was recorded.
    partner_id, partner_code: whom it concerns; None: the programme as a whole, or a person alone.
    data: what there is to say, fit for JSON. Days and instants are ISO 8601, points whole numbers,
        texts are there in both languages.
    """

    event: str
    id: str
    at: datetime
    partner_id: int | None
    partner_code: str | None
    data: Mapping[str, Any]
