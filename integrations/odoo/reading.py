"""What is read from Odoo, in the order in which it is read: who there is, then what happened."""

from __future__ import annotations

from integrations.odoo.helpdesk import HELPDESK_TICKETS
from integrations.odoo.invoices import INVOICES
from integrations.odoo.leads import LEADS
from integrations.odoo.learning import LEARNING
from integrations.odoo.network import NETWORK
from integrations.odoo.orders import ORDERS
from integrations.odoo.portal import PORTAL
from integrations.odoo.streams import Stream
from integrations.odoo.surveys import SURVEYS
from integrations.odoo.tickets import TICKETS

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
