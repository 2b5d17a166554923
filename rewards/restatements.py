"""Facts corrected late never rewrite the past: they lead to a proposal beside it.

Before it stand the decision as it was taken and the same one over what is known now; after it
a manager who approves or declines. The original decision and its entry stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

from partner_cx.measures.figures import Figure
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Finding, Verdict
from rewards.rules import Decision


@dataclass(frozen=True)
class Proposal:
    """A compensating entry that a manager may approve.

    points: below zero to take back, above zero to give after all.
    """

    then: Decision
    now: Decision
    points: int
    sentence: Words


def reconsider(then: Decision, now: Decision) -> Proposal | None:
    """Propose what would put right a decision that the facts no longer support.

    Nothing is proposed where the outcome is the same, nor where the figures of today leave it
    open: a figure gone missing is no proof that an award was wrong.
    """
    same = (
        then.rule.code == now.rule.code
        and then.scorecard.period == now.scorecard.period
        and then.scorecard.subject == now.scorecard.subject
    )
    assert same, "a decision is reconsidered against itself"
    points = now.points - then.points
    if now.verdict is Verdict.UNKNOWN or points == 0:
        return None
    return Proposal(then, now, points, _sentence(then, now, points))


def _sentence(then: Decision, now: Decision, points: int) -> Words:
    if points < 0:
        asked = Words(en="{points} proposed to be taken back", fr="reprise de {points} proposée")
    else:
        asked = Words(en="{points} proposed to be added", fr="ajout de {points} proposé")
    return Words(
        en="{label}, {period}: {asked}. {changes} The original entry stays.",
        fr="{label}, {period}\u202f: {asked}. {changes} L’écriture d’origine demeure.",
    ).format(
        label=now.rule.label,
        period=Words(en=now.scorecard.period.label("en"), fr=now.scorecard.period.label("fr")),
        asked=asked.format(points=sentences.points(abs(points))),
        changes=sentences.joined(_changes(then, now)),
    )


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
