"""Figures that aren't there: KPIs whose facts never came in, and targets that nobody set."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Target
from partner_cx.measures.targets import targets_of
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import EventsAtLeast, KpiIsGreen
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import subject_of
from rewards.events import EventRow
from rewards.lint import samples
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.past import Past
from rewards.lint.places import AWARD, place_of, single_conditions
from rewards.rules import Rule
from rewards.sentences.things import PARTNERS, events


def concerns(
    session: Session, rule: Rule, audience: Sequence[Candidate], past: Past, period: Period
) -> list[Concern]:
    """period: the first one the rule decides, whose targets it is held against."""
    return [
        *_without_figures(session, rule, past),
        *_of_targets(session, rule, audience, period),
        *_without_events(session, rule),
    ]


def kpis_by_place(rule: Rule) -> dict[str, str]:
    """The KPIs of a rule's own figures, each with the first place that looks at it."""
    found: dict[str, str] = {}
    for condition in single_conditions(rule):
        for kpi in sorted(condition.needs().figures):
            found.setdefault(kpi, place_of(condition))
    for kpi in sorted(rule.award.needs().figures):
        found.setdefault(kpi, AWARD)
    return found


# --- Figures ------------------------------------------------------------------------------------


def _without_figures(session: Session, rule: Rule, past: Past) -> Iterator[Concern]:
    imported = set(session.scalars(sa.select(Import.kind).distinct()))
    for kpi, where in kpis_by_place(rule).items():
        facts = CATALOGUE[kpi].facts[0]
        if facts not in imported:
            yield _never_imported(kpi, facts, where)
        elif not past.is_empty and all(figure.value is None for _, figure in past.figures(kpi)):
            yield _never_measured(kpi, past, where)


def _never_imported(kpi: str, facts: str, where: str) -> Concern:
    return warning(
        Kind.KPI_WITHOUT_FACTS,
        where,
        Words(
            "{kpi} is never measured here: none of the {facts} it is made from were ever imported.",
            "{kpi} n’est jamais mesuré ici\u202f: les faits qu’il lui faut, {facts}, n’ont jamais "
            "été importés.",
        ).format(kpi=sentences.label(kpi), facts=facts),
        Words(
            "Import them (partner-cx import {facts} FILE), or choose another KPI.",
            "Importez-les (partner-cx import {facts} FICHIER), ou choisissez un autre indicateur.",
        ).format(facts=facts),
    )


def _never_measured(kpi: str, past: Past, where: str) -> Concern:
    return warning(
        Kind.KPI_WITHOUT_FIGURES,
        where,
        Words(
            "{kpi} had no data for anyone the rule is for, in {past}: it would have stayed open.",
            "{kpi} est resté sans donnée pour tous ceux que la règle vise, sur {past}\u202f: elle "
            "serait restée en suspens.",
        ).format(kpi=sentences.label(kpi), past=past.told),
        Words(
            "Check whom the rule is for and whose figures it looks at (measured_on), or choose "
            "another KPI.",
            "Vérifiez qui la règle vise et les chiffres de qui elle regarde (measured_on), ou "
            "choisissez un autre indicateur.",
        ),
    )


# --- Targets ------------------------------------------------------------------------------------


def _of_targets(
    session: Session, rule: Rule, audience: Sequence[Candidate], period: Period
) -> Iterator[Concern]:
    in_force = targets_of(session, period).in_force
    for condition in single_conditions(rule):
        if not isinstance(condition, KpiIsGreen):
            continue
        targets = [target for target in in_force if target.kpi == condition.kpi]
        where = place_of(condition)
        without = [each for each in audience if not _holds_for(targets, rule, each)]
        if without or not targets:
            yield _no_target(condition.kpi, len(without), len(audience), where)
        if rule.period is period.kind:
            yield from samples.of_targets(condition.kpi, targets, where)


def _holds_for(targets: Collection[Target], rule: Rule, candidate: Candidate) -> bool:
    level, subject = subject_of(rule, candidate.code)
    belongs = candidate.groups if level == "partner" else {subject}
    return any(target.group is None or target.group in belongs for target in targets)


def _no_target(kpi: str, without: int, audience: int, where: str) -> Concern:
    whom = Words("anyone", "personne")
    if without < audience:
        whom = PARTNERS.times(without)
    return warning(
        Kind.KPI_WITHOUT_TARGET,
        where,
        Words(
            "No target of {kpi} holds for {whom} of the rule's {all}: without one it is neither "
            "green nor red, and the decision stays open.",
            "Aucun objectif de {kpi} ne vaut pour {whom} sur {all} de la règle\u202f: sans "
            "objectif ni vert ni rouge, la décision reste en suspens.",
        ).format(kpi=sentences.label(kpi), whom=whom, all=PARTNERS.times(audience)),
        Words(
            "Import a target (partner-cx import targets FILE), or name a threshold with "
            "kpi_at_least.",
            "Importez un objectif (partner-cx import targets FICHIER), ou nommez un seuil avec "
            "kpi_at_least.",
        ),
    )


# --- Events -------------------------------------------------------------------------------------


def _without_events(session: Session, rule: Rule) -> Iterator[Concern]:
    told = set(session.scalars(sa.select(EventRow.kind).distinct()))
    asked = {rule.on.event: "on"} if rule.on.event else {}
    for condition in single_conditions(rule):
        if isinstance(condition, EventsAtLeast):
            asked.setdefault(condition.asked.kind, place_of(condition))
    for kind, where in asked.items():
        if kind not in told:
            yield warning(
                Kind.EVENT_NEVER_TOLD,
                where,
                Words(
                    "The programme has never been told of any {event}.",
                    "Le programme n’a encore rien reçu de ce type\u202f: {event}.",
                ).format(event=events(kind).one),
                Words(
                    "Have them told (partner-cx import events FILE), or the rule never decides "
                    "anything.",
                    "Faites-les transmettre (partner-cx import events FICHIER), sinon la règle ne "
                    "décidera rien.",
                ),
            )
