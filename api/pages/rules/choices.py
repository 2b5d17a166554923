"""What the fields of a rule's form offer, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.catalogues import text
from api.pages.definitions import FAMILY_NAMES
from api.render import translator
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family
from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from rewards.conditions import Verdict
from rewards.ledger import Account, AccountKind
from rewards.rules import Occasion
from rewards.rules.telling import EARLIER, KINDS, PEERS, PERIODS, SHORT
from rewards.sentences.things import events

Options = list[Any]  # pairs of a code and what it is called, or groups of such

CONDITION_NAMES = {
    "kpi_is_green": text("a KPI reaches its target"),
    "kpi_at_least": text("a KPI is at least …"),
    "kpi_at_most": text("a KPI is at most …"),
    "kpi_improved": text("a KPI is better than before"),
    "kpi_beats": text("a KPI is better than the peers’"),
    "partner_in": text("the partner belongs to a group"),
    "partner_for": text("it has been a partner for … months"),
    "events_at_least": text("something happened so often"),
    "event_about": text("the event is about …"),
    "any_of": text("any of several conditions"),
    "at_least_of": text("so many of several conditions"),
    "all_of": text("all of several conditions"),
}
FIELD_NAMES = {
    "code": text("Code"),
    "label_en": text("Name in English"),
    "label_fr": text("Name in French"),
    "source": text("Why the rule exists"),
    "on": text("When it is decided"),
    "period": text("Period"),
    "starts": text("First day"),
    "ends": text("Last day"),
    "kinds": text("Kinds of partner"),
    "tiers": text("Tiers"),
    "countries": text("Countries"),
    "groups": text("Groups"),
    "measured_on": text("Whose figures"),
    "kpi": text("KPI"),
    "threshold": text("Threshold"),
    "n_min": text("Cases at least"),
    "coverage_min": text("Coverage at least"),
    "bound": text("What is compared"),
    "since": text("Compared with"),
    "peers": text("Peers"),
    "by": text("By at least"),
    "group": text("Group"),
    "months": text("Months"),
    "event": text("Event"),
    "count": text("How many"),
    "about": text("About"),
    "days": text("Within days"),
    "subjects": text("About one of these"),
    "what": text("Condition"),
    "new": text("Conditions"),
    "scale": text("How it is reckoned"),
    "points": text("Points"),
    "to": text("Who gets it"),
    "unit_kpi": text("KPI"),
    "unit_start": text("From"),
    "unit_unit": text("Unit"),
    "unit_points": text("Points"),
    "unit_cap": text("At most"),
    "unit_n_min": text("Cases at least"),
    "steps_kpi": text("KPI"),
    "steps_n_min": text("Cases at least"),
    "reaches": text("From"),
    "budget": text("Budget"),
    "when_short": text("When the budget falls short"),
    "hold_days": text("Days held"),
    "cool_down_days": text("Days apart"),
    "needs_approval": text("Approval of each award"),
    "per": text("Per"),
    "times": text("Times"),
    "name": text("Name of the test"),
    "given": text("Given these figures"),
    "verdict": text("Expected"),
    "yaml": text("YAML"),
    "why": text("Why"),
}
VERDICTS = {
    Verdict.MET: text("met"),
    Verdict.NOT_MET: text("not met"),
    Verdict.UNKNOWN: text("left open"),
}


def field_name(field: str, language: str) -> str:
    """What a field is called, wherever it stands."""
    return translator(language)(FIELD_NAMES.get(field.rpartition(".")[2], text("Condition")))


def choices(session: Session, language: str) -> dict[str, Options]:
    """Everything that the form's fields offer."""
    say = translator(language)
    return {
        "kpis": _kpis(language),
        "conditions": [(code, say(name)) for code, name in CONDITION_NAMES.items()],
        "on": [
            (Occasion.CLOSE.value, say("at its close")),
            {"label": say("on an event"), "options": _events(language)},
        ],
        "periods": _told(PERIODS, language),
        "kinds": _told(KINDS, language),
        "measured_on": [
            ("partner", say("the partner itself")),
            ("distributor", say("its distributor, with all resellers")),
        ],
        "bound": [
            ("value", say("by its value")),
            ("lower", say("by the lower end of its 95% interval")),
            ("upper", say("by the upper end of its 95% interval")),
        ],
        "since": _told(EARLIER, language),
        "peers": _told(PEERS, language),
        "events": _events(language),
        "scales": [
            ("points", say("the same points each time")),
            ("per_unit", say("points for each unit beyond a threshold")),
            ("tiers", say("points by steps")),
        ],
        "to": [
            ("partner", say("to the partner")),
            ("person", say("to the person who did it")),
        ],
        "when_short": _told(SHORT, language),
        "verdicts": [(verdict.value, say(name)) for verdict, name in VERDICTS.items()],
        **_known(session),
    }


def _kpis(language: str) -> Options:
    say = translator(language)
    groups = (
        (family, [kpi for kpi in CATALOGUE.values() if kpi.family is family]) for family in Family
    )
    return [
        {
            "label": say(FAMILY_NAMES[family]),
            "options": [(kpi.code, kpi.label.in_(language)) for kpi in kpis],
        }
        for family, kpis in groups
        if kpis
    ]


def _events(language: str) -> Options:
    return [(kind.value, events(kind).one.in_(language)) for kind in EventKind]


def _told(names: Mapping[Any, Any], language: str) -> Options:
    return [(code.value, words.in_(language)) for code, words in names.items()]


def _known(session: Session) -> dict[str, Options]:
    """What the programme has already, to choose from while typing."""
    budgets = sa.select(Account.owner).where(Account.kind == AccountKind.BUDGET)
    tiers = sa.select(Partner.tier).where(Partner.tier.is_not(None)).distinct()
    countries = sa.select(Partner.country).where(Partner.country.is_not(None)).distinct()
    return {
        "known_budgets": _sorted(session.scalars(budgets)),
        "known_tiers": _sorted(session.scalars(tiers)),
        "known_countries": _sorted(session.scalars(countries)),
    }


def _sorted(codes: Iterable[str | None]) -> Options:
    return sorted(code for code in codes if code)
