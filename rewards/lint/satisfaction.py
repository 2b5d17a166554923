"""Rewards on the level of a satisfaction score, which make people beg for tens.

Whoever is paid for a score asks for it, and the score stops telling anything. Taking part may be
rewarded, whatever the answers. A rule that pays for the level all the same needs a second person.
"""

from __future__ import annotations

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family
from partner_cx.words import Words
from rewards import sentences
from rewards.evidence import Needs
from rewards.lint.concern import Concern, Grade, Kind
from rewards.lint.places import AWARD, place_of, single_conditions
from rewards.rules import Rule

LEVELS = frozenset(kpi for kpi, known in CATALOGUE.items() if known.family is Family.PERCEPTION)


def concerns(rule: Rule) -> list[Concern]:
    """One for each satisfaction score that the rule pays for. Pure: publishing asks it too."""
    found = {
        kpi: place_of(condition)
        for condition in single_conditions(rule)
        for kpi in sorted(_kpis(condition.needs()) & LEVELS)
    }
    found = dict.fromkeys(sorted(_kpis(rule.award.needs()) & LEVELS), AWARD) | found
    return [_concern(kpi, where) for kpi, where in found.items()]


def _kpis(needs: Needs) -> frozenset[str]:
    compared = {kpi for _, kpi in (*needs.earlier, *needs.peers)}
    return needs.figures | compared


def _concern(kpi: str, where: str) -> Concern:
    return Concern(
        Kind.SATISFACTION_LEVEL,
        Grade.SECOND_APPROVER,
        where,
        Words(
            "It pays for the level of a satisfaction score, {kpi}: people who are paid for a "
            "score ask for it, and it stops telling anything.",
            "Elle récompense le niveau d’une note de satisfaction, {kpi}\u202f: qui est payé pour "
            "une note la réclame, et elle ne dit plus rien.",
        ).format(kpi=sentences.label(kpi)),
        Words(
            "Reward taking part, whatever the answers (on: survey_answered). To keep it, let "
            "another person approve it: publishing it asks for that.",
            "Récompensez la participation, quelles que soient les réponses, par "
            "«\u202fon: survey_answered\u202f». Pour garder la règle, faites-la approuver par une "
            "autre personne\u202f: la publication le demande.",
        ),
    )
