"""Terms: the settings a close was decided on, kept with it as text.

A closed period explains itself by these, whatever an installation chose since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from partner_cx.settings import Settings


def _share_or_none(text: str | None) -> Fraction | None:
    return None if text is None else Fraction(text)


# The settings that figures rest on, and how each is read back.
_READ: Mapping[str, Callable[[Any], Any]] = {
    "time_zone": str,
    "currency": str,
    "otif_under_tolerance": Fraction,
    "otif_over_tolerance": _share_or_none,
    "ftfr_window_days": int,
    "dsi_weights": dict,
    "dsi_answers_min": int,
    "cxi_weights": dict,
}


def terms_of(settings: Settings) -> str:
    """The terms as JSON; a share is written as the exact fraction it is."""
    return json.dumps({name: getattr(settings, name) for name in _READ}, default=str)


def under_terms(settings: Settings, terms: str) -> Settings:
    """Settings as they were when `terms` was written; what it doesn't tell is as today."""
    told = json.loads(terms)
    return replace(
        settings, **{name: read(told[name]) for name, read in _READ.items() if name in told}
    )
