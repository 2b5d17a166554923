"""What is read from Odoo, in the order in which it is read: who there is, then what happened."""

from __future__ import annotations

from integrations.odoo.streams import Stream
from integrations.odoo.streams.helpdesk import HELPDESK_TICKETS
from integrations.odoo.streams.invoices import INVOICES
from integrations.odoo.streams.leads import LEADS
from integrations.odoo.streams.learning import LEARNING
from integrations.odoo.streams.network import NETWORK
from integrations.odoo.streams.orders import ORDERS
from integrations.odoo.streams.portal import PORTAL
from integrations.odoo.streams.surveys import SURVEYS
from integrations.odoo.streams.tickets import TICKETS

STREAMS: tuple[Stream, ...] = (
    NETWORK,
    PORTAL,
    ORDERS,
    INVOICES,
    TICKETS,
    HELPDESK_TICKETS,
    LEADS,
    LEARNING,
    SURVEYS,
)
