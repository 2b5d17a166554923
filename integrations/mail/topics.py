"""Topics: kinds of letters that an address can stop, one by one."""

from __future__ import annotations

from collections.abc import Mapping

from partner_cx.words import Words

TOPICS: Mapping[str, Words] = {
    "points": Words("points you earned", "les points que vous gagnez"),
    "reports": Words("answers to your reports", "les réponses à vos comptes rendus"),
    "surveys": Words("surveys", "les enquêtes"),
    "alerts": Words("alerts", "les alertes"),
    "digests": Words("weekly and quarterly summaries", "les bilans de semaine et de trimestre"),
}
