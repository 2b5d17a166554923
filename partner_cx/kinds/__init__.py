"""The kinds of fact there are, each with its columns, as people's exports and scripts know them.

These names are a contract: extend them, don't rename them. How rows come in is `operations.intake`.
"""

from __future__ import annotations

from partner_cx.kinds.answers import ANSWERS
from partner_cx.kinds.events import EVENTS
from partner_cx.kinds.network import GROUPS, PARTNERS, PEOPLE, REPS
from partner_cx.kinds.operations import (
    CATALOGUE_STATUS,
    INVOICES,
    LEARNING,
    PORTAL_EVENTS,
    QUOTES,
    REFERRALS,
    VISITS,
)
from partner_cx.kinds.orders import ORDER_LINES, RECEIPTS
from partner_cx.kinds.targets import TARGETS
from partner_cx.kinds.tickets import CALENDARS, TICKETS
from partner_cx.operations.intake import kinds_by_name

KINDS = kinds_by_name(
    (
        PARTNERS,
        PEOPLE,
        GROUPS,
        REPS,
        CALENDARS,
        TARGETS,
        ORDER_LINES,
        RECEIPTS,
        TICKETS,
        VISITS,
        PORTAL_EVENTS,
        CATALOGUE_STATUS,
        LEARNING,
        INVOICES,
        ANSWERS,
        REFERRALS,
        QUOTES,
        EVENTS,
    )
)
