"""Scopes: what an API token may be used for. Names are a contract."""

from __future__ import annotations

from enum import StrEnum

from partner_cx.words import Words


class Scope(StrEnum):
    """What a token opens."""

    ODOO = "odoo"  # the module in Odoo: what it shows of partners, and its users' sign-in links
    READ = "read"  # partners, figures, rules in force, decisions, statements, balances, budgets
    PEOPLE = "people"  # people's names, addresses and points
    FACTS = "facts"  # bringing facts in
    RULES = "rules"  # drafts, checks and back-tests; publishing and approving is for people
    METRICS = "metrics"  # counts for monitoring


NETWORK_WIDE = frozenset({Scope.ODOO, Scope.FACTS, Scope.RULES, Scope.METRICS})

TOLD = {
    Scope.ODOO: Words(
        "the module in Odoo: what it shows of partners, and links that sign its users in",
        "le module dans Odoo\u202f: ce qu’il montre des partenaires, et des liens de connexion",
    ),
    Scope.READ: Words(
        "reading partners, figures, rules, decisions, statements, balances and budgets",
        "lire partenaires, indicateurs, règles, décisions, relevés, soldes et budgets",
    ),
    Scope.PEOPLE: Words(
        "reading people’s names, addresses and points",
        "lire les noms, adresses et points des personnes",
    ),
    Scope.FACTS: Words("bringing facts in", "transmettre des faits"),
    Scope.RULES: Words(
        "drafts, checks and back-tests of rules; never publishing or approving them",
        "brouillons, vérifications et simulations de règles\u202f; jamais les publier ni approuver",
    ),
    Scope.METRICS: Words("counts for monitoring", "compteurs de supervision"),
}
