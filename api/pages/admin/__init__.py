"""The administrator's pages: who is let in, what comes in and goes out, and how it is."""

from __future__ import annotations

from api.pages.admin import (
    effects,
    health,
    letters,
    odoo,
    people,
    sources,
    tokens,
    uploads,
    webhooks,
)

ROUTERS = (
    health.router,
    people.router,
    tokens.router,
    sources.router,
    uploads.router,
    effects.router,
    letters.router,
    webhooks.router,
    odoo.router,
)
