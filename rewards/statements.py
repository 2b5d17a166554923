"""Statements: every point a partner or person ever got or missed, and why.

Before: the ledger and retold decisions. After: pages, letters and the command line, which print
what stands here and add nothing up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict
from rewards.misses import ROWS_SHOWN
from rewards.owners import Owner, owner_of
from rewards.recorded import Moved, Taken, held_awards, moved, undecided_awards
from rewards.retelling import retell
from rewards.rules import Decision, Rule, Shortage
from rewards.shortfalls import RowsBehind, Shortfall, figures_of

__all__ = ["Held", "Line", "Shortfall", "Statement", "Unearned", "statement"]
