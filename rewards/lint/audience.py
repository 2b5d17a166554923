"""Whom a rule is for: nobody, or groups that nobody belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from partner_cx.words import Words
from rewards.conditions import PartnerIn
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import is_for
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.places import place_of, single_conditions
from rewards.rules import Level, Rule


def concerns(rule: Rule, everyone: Sequence[Candidate]) -> Iterator[Concern]:
    """everyone: all partners there are today."""
    if not everyone:
        return
    yield from _empty(rule, everyone)
    groups = frozenset().union(*(each.groups for each in everyone))
    for condition in single_conditions(rule):
        if isinstance(condition, PartnerIn) and condition.group not in groups:
            yield warning(
                Kind.EMPTY_GROUP,
                place_of(condition),
                Words(
                    "No partner belongs to {group} today.",
                    "Aucun partenaire ne fait partie de {group} aujourd’hui.",
                ).format(group=condition.group),
                Words(
                    "Check its spelling, capitals included, or import who belongs to it "
                    "(partner-cx import groups FILE).",
                    "Vérifiez son orthographe, majuscules comprises, ou importez ses membres "
                    "(partner-cx import groups FICHIER).",
                ),
            )


def _empty(rule: Rule, everyone: Sequence[Candidate]) -> Iterator[Concern]:
    if any(is_for(rule, each) for each in everyone):
        return
    remedy = Words(
        "Check the spelling under “for”, capitals included, or leave out what nobody has.",
        "Vérifiez l’orthographe sous «\u202ffor\u202f», majuscules comprises, ou retirez ce que "
        "personne n’a.",
    )
    if rule.measured_on is Level.DISTRIBUTOR:
        remedy = Words(
            "“measured_on: distributor” is for distributors alone: let “for” include them.",
            "«\u202fmeasured_on: distributor\u202f» ne vise que les distributeurs\u202f: "
            "incluez-les sous «\u202ffor\u202f».",
        )
    yield warning(
        Kind.EMPTY_AUDIENCE,
        "for",
        Words(
            "It is for nobody: none of the partners of today fit it.",
            "Elle ne vise personne\u202f: aucun des partenaires actuels n’y répond.",
        ),
        remedy,
    )
