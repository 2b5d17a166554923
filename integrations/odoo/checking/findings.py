"""Findings: what a check of an Odoo says, one thing each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands with something."""

    WELL = "well"
    NOTE = "note"  # good to know, nothing to do
    DOUBT = "doubt"  # it may be as it should; somebody has to look
    GAP = "gap"  # it is missing


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    area: `connection`, `account`, a stream's name, `writing`. costs: codes of the KPIs that
    aren't measured without it.
    """

    area: str
    what: str
    state: State
    found: str
    remedy: str = ""
    costs: tuple[str, ...] = ()

    @property
    def is_problem(self) -> bool:
        return self.state in (State.DOUBT, State.GAP)
