"""Lines of a back-test: what a rule comes to for each partner in each period, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from partner_cx.periods import Period
from rewards.conditions import Verdict
from rewards.deciding.candidates import Candidate
from rewards.rules import Rule


class Basis(StrEnum):
    """What a period's figures are."""

    CLOSED = "closed"  # those frozen at its close: they never change
    MEASURED = "measured"  # those known now, of a period that is over and not closed yet
    SO_FAR = "so_far"  # those known now, of a period that still runs


@dataclass
class Line:
    """One partner in one period, or one event of it.

    on: the day the decision is about. points: what was decided; paid: what the budget had for it.
    running_cost: what was paid until here, this line included.
    """

    period: Period
    on: date
    candidate: Candidate
    verdict: Verdict
    points: int
    paid: int = 0
    running_cost: int = 0


@dataclass
class Batch:
    """What is decided and paid together: a whole close, or one event.

    closing_id, event_id: those of the database; both None where the period isn't closed.
    unpaid: what the budget couldn't pay. left: what it held afterwards; None: nobody asked it.
    """

    period: Period
    basis: Basis
    rule: Rule
    lines: Sequence[Line]
    closing_id: int | None = None
    event_id: int | None = None
    left: int | None = None

    @property
    def due(self) -> list[Line]:
        """The lines that earned something and haven't been paid."""
        return [line for line in self.lines if line.points and not line.paid]

    @property
    def unpaid(self) -> int:
        return sum(line.points - line.paid for line in self.lines)


@dataclass(frozen=True)
class PeriodRun:
    """What a period comes to as a whole.

    audience: for how many partners the rule was. version: of the rule; None: nothing was decided.
    left: what the budget held afterwards; None where none was set.
    """

    period: Period
    basis: Basis
    version: int | None
    audience: int
    verdicts: dict[Verdict, int] = field(default_factory=dict)
    points: int = 0
    paid: int = 0
    running_cost: int = 0
    left: int | None = None


def period_run(
    period: Period, basis: Basis, batches: Sequence[Batch], cost_before: int
) -> PeriodRun:
    """Add up a period's batches."""
    lines = [line for batch in batches for line in batch.lines]
    verdicts = dict.fromkeys(Verdict, 0)
    for line in lines:
        verdicts[line.verdict] += 1
    paid = sum(line.paid for line in lines)
    return PeriodRun(
        period=period,
        basis=basis,
        version=batches[-1].rule.version if batches else None,
        audience=len({line.candidate.partner_id for line in lines}),
        verdicts=verdicts,
        points=sum(line.points for line in lines),
        paid=paid,
        running_cost=cost_before + paid,
        left=batches[-1].left if batches else None,
    )
