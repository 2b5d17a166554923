"""The network's pages: its scorecard, a closer look at one KPI, its groups beside each other."""

from __future__ import annotations

from api.pages.network.overview import router

__all__ = ["router"]
