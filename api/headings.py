"""What heads a table's columns and stands in its cells, in French; programs get the codes."""

from __future__ import annotations

HEADINGS = {
    "as_of": "arrêté au",
    "awarded": "attribués",
    "better": "mieux",
    "budget": "budget",
    "code": "code",
    "column": "colonne",
    "corrected": "corrigés",
    "coverage": "couverture",
    "cut": "réduits",
    "definition": "définition",
    "definition_version": "version",
    "ends": "fin",
    "expected": "attendu",
    "given": "donnés",
    "held": "en attente",
    "high": "haut",
    "hits": "atteints",
    "kind": "genre",
    "kpi": "indicateur",
    "label": "nom",
    "left": "restants",
    "level": "niveau",
    "limited": "limités",
    "low": "bas",
    "met": "atteint",
    "n": "effectif",
    "not_met": "manqué",
    "of": "sur",
    "optional": "facultatif",
    "partner": "partenaire",
    "period": "période",
    "points": "points",
    "published_at": "publiée le",
    "published_by": "publiée par",
    "refused": "refusés",
    "required": "obligatoire",
    "rule": "règle",
    "source": "source",
    "starts": "début",
    "state": "état",
    "subject": "sujet",
    "taken": "pris",
    "target": "objectif",
    "unchanged": "inchangés",
    "unfunded": "impayés",
    "unit": "unité",
    "unknown": "sans verdict",
    "value": "valeur",
    "version": "version",
    "why": "motif",
}
STATES = {
    "green": "vert",
    "red": "rouge",
    "no_data": "sans donnée",
    "stale": "périmé",
}


def heading(column: str, language: str) -> str:
    """A column's name as people read it."""
    return HEADINGS[column] if language == "fr" else column


def state_word(state: str, language: str) -> str:
    """A state as a table has it; a page says more with a sign."""
    return STATES[state] if language == "fr" else state


def yes_or_no(answer: bool, language: str) -> str:
    yes, no = ("oui", "non") if language == "fr" else ("yes", "no")
    return yes if answer else no
