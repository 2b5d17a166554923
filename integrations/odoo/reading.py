"""What is read from Odoo, in the order in which it is read: who there is, then what happened."""

from __future__ import annotations

from integrations.odoo.invoices import INVOICES
from integrations.odoo.leads import LEADS
from integrations.odoo.network import NETWORK
from integrations.odoo.orders import ORDERS
from integrations.odoo.portal import PORTAL
from integrations.odoo.streams import Stream

STREAMS: tuple[Stream, ...] = (
    NETWORK,
    PORTAL,
    ORDERS,
    INVOICES,
    LEADS,
)
