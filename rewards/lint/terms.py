"""What a rule leaves without a bound: points, times, days, and no test that says what is meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from partner_cx.words import Words
from rewards import sentences
from rewards.lint.concern import Concern, Kind, note, warning
from rewards.lint.places import AWARD
from rewards.rules import FixedPoints, Occasion, Recipient, Rule


def concerns(rule: Rule, on: date) -> list[Concern]:
    """on: the day the rule is looked at."""
    return [*_award(rule), *_limits(rule), *_days(rule, on), *_tests(rule)]


def _award(rule: Rule) -> Iterator[Concern]:
    if rule.award.points_max is None:
        yield warning(
            Kind.NO_CAP,
            AWARD,
            Words(
                "Nothing caps what one award comes to: {award}.",
                "Rien ne plafonne une attribution\u202f: {award}.",
            ).format(award=rule.award.told),
            Words(
                "Add a line “cap: …” under “per_unit”, the most that one award may come to.",
                "Ajoutez une ligne «\u202fcap: …\u202f» sous «\u202fper_unit\u202f», le maximum "
                "d’une attribution.",
            ),
        )
    if rule.award.to is Recipient.PERSON and rule.needs().figures:
        yield warning(
            Kind.PERSON_PAID_FOR_PARTNER,
            AWARD,
            Words(
                "It pays a person, and looks at the partner's figures, which are everybody's work.",
                "Elle récompense une personne sur les chiffres du partenaire, qui sont l’œuvre de "
                "tous.",
            ),
            Words(
                "Take “to: person” out, or the conditions on KPIs.",
                "Retirez «\u202fto: person\u202f», ou les conditions sur des indicateurs.",
            ),
        )


def _limits(rule: Rule) -> Iterator[Concern]:
    if rule.on is not Occasion.CLOSE and not rule.limits and not rule.cool_down_days:
        yield warning(
            Kind.NO_LIMIT,
            "limits",
            Words(
                "Nothing limits how often one partner can win by it: whoever makes the events "
                "happen makes the points.",
                "Rien ne limite le nombre de gains d’un partenaire\u202f: qui provoque les "
                "événements fabrique les points.",
            ),
            Words(
                "Add limits, such as “- {per: month, times: 4}”, or “cool_down_days: 30”.",
                "Ajoutez des limites, par exemple «\u202f- {per: month, times: 4}\u202f», ou "
                "«\u202fcool_down_days: 30\u202f».",
            ),
        )
    if not isinstance(rule.award, FixedPoints):
        return
    for limit in rule.limits:
        if limit.points is not None and limit.points < rule.award.points:
            yield warning(
                Kind.LIMIT_BELOW_AWARD,
                "limits",
                Words(
                    "The limit of {limit} is less than one award, {award}: it never pays whole.",
                    "La limite de {limit} est inférieure à une seule attribution, {award}\u202f: "
                    "elle n’est jamais versée entière.",
                ).format(
                    limit=sentences.points(limit.points), award=sentences.points(rule.award.points)
                ),
                Words(
                    "Raise the limit, or lower the award.", "Relevez la limite, ou baissez le gain."
                ),
            )


def _days(rule: Rule, on: date) -> Iterator[Concern]:
    if rule.ends is None:
        year = max(rule.starts.year, on.year)
        yield note(
            Kind.NO_END,
            "ends",
            Words(
                "It has no end, and pays until somebody thinks of it.",
                "Elle n’a pas de fin, et paie jusqu’à ce que quelqu’un y pense.",
            ),
            Words(
                f"Add a line such as “ends: {year}Q4”; a new version prolongs it.",
                f"Ajoutez une ligne, par exemple «\u202fends: {year}Q4\u202f»\u202f; une nouvelle "
                "version la prolonge.",
            ),
        )
    elif rule.ends < on:
        yield warning(
            Kind.ALREADY_OVER,
            "ends",
            Words(
                "It ended on {day}: nothing that happens from now on is decided by it.",
                "Elle a pris fin le {day}\u202f: plus rien ne se décide par elle.",
            ).format(day=sentences.day_text(rule.ends)),
            Words("Name a later end.", "Indiquez une fin plus tardive."),
        )


def _tests(rule: Rule) -> Iterator[Concern]:
    if not rule.tests:
        yield note(
            Kind.NO_TESTS,
            "tests",
            Words(
                "No test says what it is meant to do.", "Aucun test ne dit ce qu’elle doit faire."
            ),
            Words(
                "Add “tests:” with a case that wins and one that just misses; publishing runs "
                "them.",
                "Ajoutez «\u202ftests:\u202f» avec un cas gagnant et un cas manqué de peu\u202f; "
                "la publication les exécute.",
            ),
        )
