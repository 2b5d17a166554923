"""Differences: what an audit can find, each kind with what it says and what to do about it.

`where`, `expected` and `found` are what the database holds: keys, codes, digests, points. Only the
sentences around them are told in a language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from partner_cx.words import Words


@dataclass(frozen=True)
class Found:
    """One thing that differs, as a check comes upon it.

    kind: one of KINDS. where: the key, code or table it is about.
    """

    kind: str
    where: str
    expected: object = ""
    found: object = ""


@dataclass(frozen=True)
class Difference:
    """The first difference of a kind, and how many of the kind there are."""

    kind: str
    where: str
    expected: str
    found: str
    count: int
    sentence: Words
    remedy: Words


@dataclass(frozen=True)
class Unknown:
    """Something that could not be checked, and why: it neither passed nor failed."""

    where: str
    reason: Words


@dataclass(frozen=True)
class Report:
    """What an audit came to.

    checked: how many of what were looked at, by name; silence about nothing means nothing.
    """

    differences: tuple[Difference, ...]
    unknown: tuple[Unknown, ...]
    checked: Mapping[str, int]


@dataclass(frozen=True)
class Kind:
    """A kind of difference. sentence: with {where}, {expected} and {found}."""

    sentence: Words
    remedy: Words


@dataclass
class Findings:
    """What was found so far: of each kind the first, and a count. Flat, however much differs."""

    first: dict[str, Found] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def take(self, found: Iterable[Found]) -> None:
        for each in found:
            assert each.kind in KINDS, f"no kind of difference is called {each.kind}"
            self.first.setdefault(each.kind, each)
            self.counts[each.kind] = self.counts.get(each.kind, 0) + 1

    def differences(self) -> Iterator[Difference]:
        """Of each kind the first. What lies deeper comes first: it may explain the rest."""
        for name, kind in KINDS.items():
            if each := self.first.get(name):
                told = {
                    "where": each.where,
                    "expected": str(each.expected),
                    "found": str(each.found),
                }
                yield Difference(
                    name,
                    **told,
                    count=self.counts[name],
                    sentence=kind.sentence.format(**told),
                    remedy=kind.remedy,
                )


_BACKUP = Words(
    "Compare with the newest backup that an audit finds nothing in, and find out who changed it.",
    "Comparez avec la sauvegarde la plus récente où l’audit ne trouve rien, et cherchez qui l’a "
    "changé.",
)
_MIGRATE = Words(
    "Run `partner-cx migrate` on a copy, compare the schemas, and put back what is missing.",
    "Lancez `partner-cx migrate` sur une copie, comparez les schémas et remettez ce qui manque.",
)
_CORRECT = Words(
    "Never edit the ledger: put it right by a compensation, once it is clear who did this.",
    "Ne modifiez jamais le grand livre\u202f: corrigez par une compensation, une fois l’auteur "
    "connu.",
)
_CLOSE_AGAIN = Words(
    "Close the period again: it pays what is earned and unpaid, and changes nothing else.",
    "Clôturez de nouveau la période\u202f: ce qui est acquis et impayé est payé, rien d’autre ne "
    "change.",
)


def _kind(en: str, fr: str, remedy: Words = _BACKUP) -> Kind:
    return Kind(Words(en, fr), remedy)


# In the order in which they are told.
KINDS: Mapping[str, Kind] = {
    # --- the database itself
    "schema_revision": _kind(
        "The database is at revision {found}, this program at {expected}.",
        "La base est à la révision {found}, ce programme à {expected}.",
        Words("Run `partner-cx migrate`.", "Lancez `partner-cx migrate`."),
    ),
    "trigger_missing": _kind(
        "Table {where} no longer refuses changes: {found}.",
        "La table {where} ne refuse plus les modifications\u202f: {found}.",
        _MIGRATE,
    ),
    "constraint_missing": _kind(
        "Table {where} has lost its constraint {expected}.",
        "La table {where} a perdu sa contrainte {expected}.",
        _MIGRATE,
    ),
    "reference_to_nothing": _kind(
        "{where} refers to {expected}, which isn't there.",
        "{where} renvoie à {expected}, qui n’existe pas.",
    ),
    "unreadable": _kind(
        "{where} can't be read: {found}.",
        "{where} est illisible\u202f: {found}.",
    ),
    # --- the ledger
    "transfer_without_entries": _kind(
        "Transfer {where} has no entries left.",
        "Le mouvement {where} n’a plus d’écritures.",
    ),
    "entry_missing": _kind(
        "Transfer {where} has entries on one side only, which come to {found} points.",
        "Le mouvement {where} n’a d’écritures que d’un côté, pour {found} points.",
    ),
    "entries_unequal": _kind(
        "The entries of transfer {where} come to {found} points instead of 0.",
        "Les écritures du mouvement {where} font {found} points au lieu de 0.",
    ),
    "transfer_altered": _kind(
        "The contents of transfer {where} aren't those it was posted with.",
        "Le contenu du mouvement {where} n’est pas celui qui fut passé.",
    ),
    "key_used_twice": _kind(
        "The key {where} stands for {found} transfers.",
        "La clé {where} désigne {found} mouvements.",
        _CORRECT,
    ),
    "paid_twice": _kind(
        "Decision {where} was paid by {found} transfers.",
        "La décision {where} a été payée par {found} mouvements.",
        _CORRECT,
    ),
    "account_misnamed": _kind(
        "Account {where} belongs to {found} and is linked to {expected}.",
        "Le compte {where} appartient à {found} et est lié à {expected}.",
    ),
    "balance_drifted": _kind(
        "Account {where} keeps a balance of {found}; its entries come to {expected}.",
        "Le compte {where} affiche un solde de {found}\u202f; ses écritures font {expected}.",
        Words(
            "Trust the entries, and find out what wrote the balance without one.",
            "Fiez-vous aux écritures, et cherchez ce qui a changé le solde sans écriture.",
        ),
    ),
    "budget_overspent": _kind(
        "Budget {where} gave {found} points and was given {expected}.",
        "Le budget {where} a donné {found} points et en a reçu {expected}.",
        Words(
            "Fund the budget with what is missing, or compensate what should not have been paid.",
            "Alimentez le budget de ce qui manque, ou compensez ce qui n’était pas dû.",
        ),
    ),
    "balance_negative": _kind(
        "Account {where} stands at {found} points, below zero.",
        "Le compte {where} est à {found} points, sous zéro.",
        _CORRECT,
    ),
    "total_not_zero": _kind(
        "All balances together come to {found} points instead of 0.",
        "L’ensemble des soldes fait {found} points au lieu de 0.",
    ),
    # --- rules
    "rule_unreadable": _kind(
        "Rule {where} can't be read as a rule: {found}",
        "La règle {where} ne se lit pas comme une règle\u202f: {found}",
    ),
    "rule_altered": _kind(
        "The contents of rule {where} aren't those that were published.",
        "Le contenu de la règle {where} n’est pas celui qui fut publié.",
    ),
    "rule_mislabelled": _kind(
        "Rule {where} says {found} and is kept as {expected}.",
        "La règle {where} dit {found} et est conservée comme {expected}.",
    ),
    "rule_version_missing": _kind(
        "Of rule {where} version {expected} is missing.",
        "De la règle {where}, la version {expected} manque.",
    ),
    # --- closes
    "closing_unreadable": _kind(
        "The close of {where} can't be read: {found}.",
        "La clôture de {where} est illisible\u202f: {found}.",
    ),
    "scorecards_misplaced": _kind(
        "Frozen figures of {found} stand under the close of {where}.",
        "Des chiffres figés de {found} se trouvent sous la clôture de {where}.",
    ),
    "scorecards_altered": _kind(
        "The frozen figures of {where} aren't those that were closed.",
        "Les chiffres figés de {where} ne sont pas ceux de la clôture.",
        Words(
            "The audit without --quick names the figure, computed again from the facts.",
            "L’audit sans --quick nomme le chiffre, recalculé depuis les faits.",
        ),
    ),
    "partners_altered": _kind(
        "The frozen partners of {where} aren't those that were closed.",
        "Les partenaires figés de {where} ne sont pas ceux de la clôture.",
    ),
    "closing_misdated": _kind(
        "The close of {where} says {found}, and what was frozen with it {expected}.",
        "La clôture de {where} dit {found}, et ce qui fut figé avec elle {expected}.",
    ),
    "closing_out_of_order": _kind(
        "The close of {where} claims to know {found}; it can know {expected}.",
        "La clôture de {where} prétend connaître {found}\u202f; elle peut connaître {expected}.",
    ),
    # --- events
    "event_altered": _kind(
        "Event {where} isn't what was told.",
        "L’événement {where} n’est pas celui qui fut rapporté.",
    ),
    "event_told_twice": _kind(
        "The key {where} stands for {found} events.",
        "La clé {where} désigne {found} événements.",
    ),
    "event_misdated": _kind(
        "Event {where} is kept under {found}; it happened on {expected}.",
        "L’événement {where} est conservé au {found}\u202f; il eut lieu le {expected}.",
    ),
    "event_out_of_order": _kind(
        "Event {where} claims that close {found} was the last one; there were {expected}.",
        "L’événement {where} prétend que la clôture {found} était la dernière\u202f; il y en eut "
        "{expected}.",
    ),
    # --- effects
    "effect_altered": _kind(
        "Effect {where} isn't what was owed.",
        "L’effet {where} n’est pas ce qui était dû.",
    ),
    "effect_not_carried_out": _kind(
        "Effect {where} was marked as done on {found}, and no worker took it up.",
        "L’effet {where} est marqué comme fait le {found}, et aucun processus ne l’a pris en "
        "charge.",
        Words(
            "Find out who marked it, and see at the neighbour's whether it was told.",
            "Cherchez qui l’a marqué, et voyez chez le destinataire s’il a été informé.",
        ),
    ),
    # --- decisions
    "rule_version_swapped": _kind(
        "{where} was decided by version {found}; version {expected} was in force.",
        "{where} a été décidé par la version {found}\u202f; la version {expected} était en "
        "vigueur.",
    ),
    "decision_altered": _kind(
        "Decision {where} says {found}; the frozen evidence says {expected}.",
        "La décision {where} dit {found}\u202f; les éléments figés disent {expected}.",
    ),
    "decision_extra": _kind(
        "Decision {where} is there, and the rule wasn't for that partner or occasion.",
        "La décision {where} existe, et la règle ne visait ni ce partenaire ni cette occasion.",
    ),
    "decision_missing": _kind(
        "Decision {where} is missing; the frozen evidence says {expected}.",
        "La décision {where} manque\u202f; les éléments figés disent {expected}.",
    ),
    "limit_exceeded": _kind(
        "Decision {where} grants {found}; the rule's limits leave {expected}.",
        "La décision {where} accorde {found}\u202f; les plafonds de la règle laissent {expected}.",
        _CORRECT,
    ),
    # --- awards
    "award_forged": _kind(
        "Transfer {where} calls itself an award, and no decision stands behind it.",
        "Le mouvement {where} se dit récompense, et aucune décision ne le fonde.",
        _CORRECT,
    ),
    "award_unearned": _kind(
        "Transfer {where} pays a decision that is {found}.",
        "Le mouvement {where} paie une décision qui est {found}.",
        _CORRECT,
    ),
    "award_key_altered": _kind(
        "Transfer {where} pays a decision whose award has the key {expected}.",
        "Le mouvement {where} paie une décision dont la récompense a la clé {expected}.",
    ),
    "award_amount": _kind(
        "Award {where} came to {found} points; the decision says {expected}.",
        "La récompense {where} a été de {found} points\u202f; la décision dit {expected}.",
        _CORRECT,
    ),
    "award_wallet": _kind(
        "Award {where} went to {found} instead of {expected}.",
        "La récompense {where} est allée à {found} au lieu de {expected}.",
        _CORRECT,
    ),
    "award_budget": _kind(
        "Award {where} was paid by {found} instead of {expected}.",
        "La récompense {where} a été payée par {found} au lieu de {expected}.",
        _CORRECT,
    ),
    "award_vanished": _kind(
        "Award {where} of {expected} points was earned, its budget could pay it, and no transfer "
        "is there.",
        "La récompense {where} de {expected} points était acquise, son budget pouvait la payer, "
        "et aucun mouvement n’existe.",
        _CLOSE_AGAIN,
    ),
    # --- holds
    "hold_terms": _kind(
        "Award {where} is held {found}; its rule says {expected}.",
        "La récompense {where} est retenue {found}\u202f; sa règle dit {expected}.",
    ),
    "hold_settled_twice": _kind(
        "The held award {where} was settled {found} times.",
        "La récompense retenue {where} a été dénouée {found} fois.",
        _CORRECT,
    ),
    "hold_settled_early": _kind(
        "The held award {where} was released on {found}, before {expected}.",
        "La récompense retenue {where} a été libérée le {found}, avant le {expected}.",
        _CORRECT,
    ),
    "hold_settled_amount": _kind(
        "The held award {where} of {expected} was settled with {found}.",
        "La récompense retenue {where} de {expected} a été dénouée avec {found}.",
        _CORRECT,
    ),
    "hold_of_nothing": _kind(
        "Transfer {where} settles {found}: no held award.",
        "Le mouvement {where} dénoue {found}\u202f: aucune récompense retenue.",
        _CORRECT,
    ),
    # --- proposals
    "proposal_altered": _kind(
        "Proposal {where} isn't what was proposed.",
        "La proposition {where} n’est pas celle qui fut faite.",
    ),
    "proposal_unpaid": _kind(
        "Proposal {where} was approved, and no entry carries it out.",
        "La proposition {where} a été approuvée, et aucune écriture ne l’exécute.",
        Words(
            "Look for the compensation in a backup; if it never was, approve the proposal anew.",
            "Cherchez la compensation dans une sauvegarde\u202f; si elle n’a jamais existé, "
            "approuvez de nouveau.",
        ),
    ),
    "compensation_unapproved": _kind(
        "Transfer {where} carries out a proposal that nobody approved.",
        "Le mouvement {where} exécute une proposition que personne n’a approuvée.",
        _CORRECT,
    ),
    "compensation_amount": _kind(
        "Transfer {where} compensates {found} points; {expected} were proposed.",
        "Le mouvement {where} compense {found} points\u202f; {expected} étaient proposés.",
        _CORRECT,
    ),
    "correction_astray": _kind(
        "Transfer {where} corrects {found} instead of {expected}.",
        "Le mouvement {where} corrige {found} au lieu de {expected}.",
    ),
    # --- facts and their revisions
    "revisions_broken": _kind(
        "The revisions of {where} don't join: one ends with import {found}, the next begins with "
        "{expected}.",
        "Les révisions de {where} ne se suivent pas\u202f: l’une finit à l’import {found}, la "
        "suivante commence à {expected}.",
    ),
    "revision_astray": _kind(
        "A revision of {where} names its {found}.",
        "Une révision de {where} nomme comme import {found}.",
    ),
    "figure_differs": _kind(
        "Frozen figure {where}: {found}; from the facts known then: {expected}.",
        "Chiffre figé {where}\u202f: {found}\u202f; d’après les faits connus alors\u202f: "
        "{expected}.",
        Words(
            "A fact, a revision or the frozen row was changed behind the program: compare all "
            "three with a backup.",
            "Un fait, une révision ou la ligne figée a été changé hors du programme\u202f: "
            "comparez les trois avec une sauvegarde.",
        ),
    ),
    "partner_differs": _kind(
        "Frozen partner {where}: {found}; from the files known then: {expected}.",
        "Partenaire figé {where}\u202f: {found}\u202f; d’après les fichiers connus alors\u202f: "
        "{expected}.",
    ),
}
