"""What a KPI is: its unit and direction, how its days add up, and the weights of the indices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from partner_cx.words import Words


class Unit(StrEnum):
    """What a value is a number of."""

    SHARE = "share"  # a fraction of one, printed in percent
    MINUTES = "minutes"  # in the ticket's calendar
    HOURS = "hours"  # around the clock
    COUNT = "count"  # things
    SCORE = "score"  # on the scale of its question
    NPS = "nps"  # −100 to 100
    INDEX = "index"  # 0 to 100


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"


class Family(StrEnum):
    """Which formulas measure it."""

    ORDERS = "orders"
    TICKETS = "tickets"
    VISITS = "visits"
    INVOICES = "invoices"
    PORTAL = "portal"
    LEARNING = "learning"
    PERCEPTION = "perception"
    RELATIONSHIP = "relationship"


class AddsUp(StrEnum):
    """How days make a period."""

    COUNTS = "counts"  # the sum of the days' counts
    VALUES = "values"  # all the days' values together, then their mean or median
    SEEN = "seen"  # who was seen in any month, each once
    LATEST = "latest"  # each partner's last day with a status in the period, that day alone
    RUNNING = "running"  # all days since ever, up to the period's end
    STANDING = "standing"  # no tallies: read off the partners' own dates


@dataclass(frozen=True)
class Kpi:
    """One KPI's definition.

    formula: in one or two sentences, what a partner may read behind a figure.
    facts: the kinds of facts it is made from, as files and sources name them.
    tallies: the tally codes it is summed from; `dsi.*` is every code that begins with `dsi.`.
    coverage: the tally that says of how much of what should have been there it was made.
    scale: `hits` and `of` are kept in this many parts of a unit.
    has_interval: whether `low` and `high` are drawn; not for amounts, which aren't trials.
    source: where the definition comes from.
    """

    code: str
    label: Words
    unit: Unit
    direction: Direction
    family: Family
    facts: tuple[str, ...]
    adds_up: AddsUp
    tallies: tuple[str, ...]
    formula: Words
    source: str
    coverage: str | None = None
    scale: int = 1
    has_interval: bool = False
    version: int = 1


DSI_WEIGHTS: Mapping[str, int] = {
    "logistics": 30,
    "product": 20,
    "pricing": 20,
    "support": 15,
    "training": 15,
}
CXI_WEIGHTS: Mapping[str, int] = {"effective": 40, "easy": 30, "enjoyable": 30}
PRESENT_WEIGHT_MIN = Fraction(7, 10)  # below it an index has lost too much to be called one


@dataclass(frozen=True)
class Weights:
    """The weights of the indices' parts, and how many answers a part needs to be counted in."""

    dsi: Mapping[str, int] = field(default_factory=lambda: DSI_WEIGHTS)
    cxi: Mapping[str, int] = field(default_factory=lambda: CXI_WEIGHTS)
    answers_min: int = 1


STANDARD_WEIGHTS = Weights()  # where a programme sets none of its own
