"""The channel manager's pages for rules: listed, read, written, tried, agreed to, published.

    entered ─► form ─► drafting ─► trying ─► publishing ─► listing, one

What was typed becomes a rule, is kept as a draft, is tried on the past, and put in force.
"""

from __future__ import annotations

from api.pages.rules import drafting, listing, one, publishing, trying

# In this order: “new” and “check” are pages before they are codes of rules.
ROUTERS = (drafting.router, trying.router, publishing.router, listing.router, one.router)
