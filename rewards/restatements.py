"""Facts corrected late never rewrite the past: they lead to a proposal beside it. Pure.

Before it stand the decision as it was taken and the same one over what is known now; after it
a manager who approves or declines. The original decision and its entry stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from partner_cx.measures.figures import Figure
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Finding, Verdict
from rewards.rules import Decision


@dataclass(frozen=True)
class Given:
    """What a decision has brought so far.

    earned: what was decided. paid: what was paid of it; less where a budget was shared out, or
        couldn't pay yet, or where somebody refused the award.
    compensated: what approved proposals added since, or took back.
    """

    earned: int
    paid: int
    compensated: int = 0

    def owed(self, points: int) -> int:
        """What is missing to this many points, or below zero what goes beyond them.

        Added is only what goes beyond what was decided: what of it is unpaid, its budget owes.
        Taken back is only what goes beyond what should have been given.
        """
        missing = points - (self.earned + self.compensated)
        beyond = points - (self.paid + self.compensated)
        return missing if missing > 0 else min(beyond, 0)


@dataclass(frozen=True)
class Policy:
    """What a programme puts right, and until when.

    window_days: after the close; what comes to light later is told, and not proposed.
    points_min: smaller differences aren't worth anybody's while.
    take_back: whether points are ever taken back.
    """

    window_days: int = 365
    points_min: int = 1
    take_back: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        return cls(
            settings.restate_window_days, settings.restate_min_points, settings.restate_take_back
        )

    def objection(self, points: int, *, closed_on: date, today: date) -> Words | None:
        """Why so many points aren't proposed; None where they are."""
        until = closed_on + timedelta(self.window_days)
        if today > until:
            return Words(
                "not proposed: it could be put right until {day}",
                "sans proposition\u202f: c’était rectifiable jusqu’au {day}",
            ).format(day=sentences.day_text(until))
        if points < 0 and not self.take_back:
            return Words(
                "not proposed: points once given stay given",
                "sans proposition\u202f: les points attribués le restent",
            )
        if abs(points) < self.points_min:
            return Words(
                "not proposed: less than {least}", "sans proposition\u202f: moins de {least}"
            ).format(least=sentences.points(self.points_min))
        return None


@dataclass(frozen=True)
class Proposal:
    """A compensating entry that a manager may approve.

    points: below zero to take back, above zero to give after all.
    """

    then: Decision
    now: Decision
    points: int

    @property
    def sentence(self) -> Words:
        """What whoever is asked reads."""
        return Words(
            en="{label}, {period}: {asked}. {changes} The original entry stays.",
            fr="{label}, {period}\u202f: {asked}. {changes} L’écriture d’origine demeure.",
        ).format(
            label=self.now.rule.label,
            period=self._period,
            asked=asked(self.points),
            changes=sentences.joined(_changes(self.then, self.now)),
        )

    @property
    def why(self) -> Words:
        """What the partner reads beside the entry, once there is one."""
        return Words(
            en="{label}, {period}, put right. {changes}",
            fr="{label}, {period}, rectification. {changes}",
        ).format(
            label=self.now.rule.label,
            period=self._period,
            changes=sentences.joined(_changes(self.then, self.now)),
        )

    @property
    def _period(self) -> Words:
        period = self.now.scorecard.period
        return Words(en=period.label("en"), fr=period.label("fr"))


def reconsider(then: Decision, now: Decision, given: Given | None = None) -> Proposal | None:
    """Propose what would put right a decision that the facts no longer support.

    given: what it brought so far; None: what was decided, no more and no less.

    Nothing is proposed where the outcome is the same, nor where the figures of today leave it
    open: a figure gone missing is no proof that an award was wrong.
    """
    same = (
        then.rule.code == now.rule.code
        and then.scorecard.period == now.scorecard.period
        and then.scorecard.subject == now.scorecard.subject
    )
    assert same, "a decision is reconsidered against itself"
    given = given or Given(earned=then.points, paid=then.points)
    points = given.owed(now.points)
    if now.verdict is Verdict.UNKNOWN or points == 0:
        return None
    return Proposal(then, now, points)


def asked(points: int) -> Words:
    """`500 points proposed to be taken back`."""
    if points < 0:
        told = Words(en="{points} proposed to be taken back", fr="reprise de {points} proposée")
    else:
        told = Words(en="{points} proposed to be added", fr="ajout de {points} proposé")
    return told.format(points=sentences.points(abs(points)))


def _changes(then: Decision, now: Decision) -> list[Words]:
    """One sentence per figure that changed its verdict, with its value then and now."""
    before = {finding.kpi: finding for finding in _about_figures(then)}
    changed = [
        _change(before[finding.kpi].figure, finding)
        for finding in _about_figures(now)
        if finding.kpi in before and before[finding.kpi].verdict is not finding.verdict
    ]
    return changed or [finding.sentence for finding in now.reasons]


def _about_figures(decision: Decision) -> list[Finding]:
    leaves = (leaf for finding in decision.findings for leaf in finding.leaves())
    return [leaf for leaf in leaves if leaf.figure]


def _change(then: Figure | None, now: Finding) -> Words:
    assert then is not None
    return Words(
        en="Known then: {then}. Known now: {now}",
        fr="Connu alors\u202f: {then}. Connu à présent\u202f: {now}",
    ).format(then=sentences.measured(then), now=now.sentence)
