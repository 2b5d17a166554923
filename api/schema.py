"""Every table there is, imported in one place so that the metadata is whole."""

from __future__ import annotations

from integrations import schedule
from integrations.files import refused, uploads
from integrations.odoo import state as odoo_state
from integrations.webhooks import endpoints
from partner_cx import effects, journal, rates
from partner_cx.database import Base
from partner_cx.feedback import answers
from partner_cx.measures import scorecards, tallies, targets
from partner_cx.network import (
    departures,
    groups,
    letter_choices,
    partners,
    people,
    person_choices,
    reps,
    requests,
    sessions,
    sign_in_links,
    tokens,
)
from partner_cx.operations import facts, imports, marks, revisions
from rewards import budgets, decisions, events, frozen, ledger, rulebook
from rewards.restating import proposals

METADATA = Base.metadata
ROOMS = (
    partners,
    people,
    sign_in_links,
    groups,
    imports,
    facts,
    answers,
    revisions,
    marks,
    targets,
    tallies,
    scorecards,
    rulebook,
    decisions,
    frozen,
    events,
    ledger,
    proposals,
    budgets,
    effects,
    schedule,
    odoo_state,
    endpoints,
    letter_choices,
    tokens,
    sessions,
    departures,
    person_choices,
    reps,
    requests,
    rates,
    journal,
    uploads,
    refused,
)
