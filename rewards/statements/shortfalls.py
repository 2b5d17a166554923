"""Shortfalls: which figure stood in a decision's way, and the very rows that kept it down.

Before it stand a retold decision and the facts as they were known at the close its figures were
frozen at; after it statements and explanations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.operations.hindsight import Among, facts_known
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.conditions import Finding, Verdict
from rewards.frozen import Closing, closing_of
from rewards.misses import ROWS_SHOWN, Asked, Misses, rows_kept, rows_missed
from rewards.rules import Decision, Level
from rewards.terms import under_terms


@dataclass(frozen=True)
class Shortfall:
    """A figure that stood in the way.

    sentence: how far it fell short, or why it can't be judged.
    misses: the rows that kept it down, as they were known at the close.
    """

    figure: Figure
    verdict: Verdict
    sentence: Words
    misses: Misses

    @property
    def short(self) -> int | None:
        """How many more hits were missing, where that can be said."""
        return self.figure.short


@dataclass(frozen=True)
class RowsBehind:
    """Finds the rows behind figures, those of a figure once however many decisions look at it.

    limit: at most so many rows for each.
    """

    session: Session
    settings: Settings
    limit: int = ROWS_SHOWN
    _closings: dict[Period, Closing | None] = field(default_factory=dict)
    _asked: dict[tuple[int, Level, str], Asked] = field(default_factory=dict)
    _found: dict[tuple[int, str, Level, str, bool], Misses] = field(default_factory=dict)

    def shortfalls(self, decision: Decision, partner_id: int) -> tuple[Shortfall, ...]:
        """What stood in the way of a decision that wasn't met, in the order of its findings."""
        if decision.verdict is Verdict.MET:
            return ()
        return tuple(
            Shortfall(
                leaf.figure, leaf.verdict, leaf.sentence, self.misses(decision, leaf, partner_id)
            )
            for leaf in leaves(decision.findings)
            if leaf.figure and leaf.verdict is not Verdict.MET
        )

    def misses(self, decision: Decision, leaf: Finding, partner_id: int) -> Misses:
        """The rows that kept a figure down; none where it wasn't missed, or never frozen."""
        if leaf.verdict is not Verdict.NOT_MET:
            return Misses()
        return self._rows(decision, leaf, partner_id, kept=False)

    def kept(self, decision: Decision, leaf: Finding, partner_id: int) -> Misses:
        """The rows that a figure counted and that were as they should be."""
        return self._rows(decision, leaf, partner_id, kept=True)

    def _rows(self, decision: Decision, leaf: Finding, partner_id: int, *, kept: bool) -> Misses:
        closing = self._closing(decision.scorecard.period)
        if leaf.kpi is None or closing is None:
            return Misses()
        level, subject = decision.rule.measured_on, decision.scorecard.subject
        key = (closing.id, leaf.kpi, level, subject, kept)
        if key not in self._found:
            asked = self._asked_about(closing, level, subject, partner_id)
            look_up = rows_kept if kept else rows_missed
            self._found[key] = look_up(asked, leaf.kpi, self.limit)
        return self._found[key]

    def _asked_about(self, closing: Closing, level: Level, subject: str, partner_id: int) -> Asked:
        key = (closing.id, level, subject)
        if key not in self._asked:
            self._asked[key] = Asked(
                self.session,
                tuple(self._partners(closing, level, subject, partner_id)),
                Period.parse(closing.period),
                closing.as_of,
                closing.last_import_id or 0,
                under_terms(self.settings, closing.terms),
            )
        return self._asked[key]

    def _closing(self, period: Period) -> Closing | None:
        if period not in self._closings:
            self._closings[period] = closing_of(self.session, period)
        return self._closings[period]

    def _partners(
        self, closing: Closing, level: Level, subject: str, partner_id: int
    ) -> Sequence[int]:
        if level is Level.PARTNER:
            return [partner_id]
        return _members(self.session, closing, subject)


def leaves(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings about single things, inside out of every all-of, any-of and at-least-of."""
    for finding in findings:
        yield from finding.leaves()


def figures_of(decision: Decision) -> tuple[Figure, ...]:
    """The figures that a decision looked at, each once, in the order of its findings."""
    found = {leaf.figure.kpi: leaf.figure for leaf in leaves(decision.findings) if leaf.figure}
    return tuple(found.values())


def _members(session: Session, closing: Closing, group: str) -> list[int]:
    """The partners whose facts a group's figures were drawn from, by the hierarchy of the close."""
    partners = facts_known(
        session,
        Partner,
        "partners",
        among=Among("id", session.scalars(sa.select(Partner.id)).all()),
        known_until=closing.last_import_id or 0,
    )
    memberships = groups.by_distributor(partners)
    members = memberships.loc[memberships["group_code"] == group, "partner_id"]
    return [int(member) for member in members]
