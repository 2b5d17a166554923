"""The rows behind a miss: the very order lines, tickets or visits that kept a figure down.

Before: facts as they were known at the close, judged by the same formulas that were counted.
After: statements, which show a partner what went wrong, line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from partner_cx.words import Words
from rewards.misses import adoption, invoices, orders, support
from rewards.misses.rows import Asked, Miss, Misses

__all__ = ["Asked", "Miss", "Misses", "rows_kept", "rows_missed"]

ROWS_SHOWN = 20


def rows_missed(asked: Asked, kpi: str, limit: int = ROWS_SHOWN) -> Misses:
    """The rows that kept a KPI from being better: as many as `of` less `hits`.

    Where less is better, those that were hit. A KPI that isn't made of hits has none to show.
    """
    if kpi not in _TOLD:
        return Misses()
    called, tell = _TOLD[kpi]
    return _sorted(tell(asked), called, limit)


def rows_kept(asked: Asked, kpi: str, limit: int = ROWS_SHOWN) -> Misses:
    """The rows that a KPI counted and that were as they should be: as many as its `hits`.

    Only for promises that are kept or broken row by row; none for the other KPIs.
    """
    if kpi not in _KEPT:
        return Misses()
    return _sorted(_KEPT[kpi](asked), _TOLD[kpi][0], limit)


def _sorted(rows: Iterable[Miss], called: tuple[Words, Words], limit: int) -> Misses:
    found = sorted(rows, key=lambda row: (row.day, row.source_id))
    return Misses(len(found), tuple(found[:limit]), called)


def _called(en: str, fr: str) -> tuple[Words, Words]:
    return Words(en, fr), Words(f"{en}s", f"{fr}s")


_LINES, _TICKETS = _called("line", "ligne"), _called("ticket", "ticket")
_INVOICES = _called("invoice", "facture")
_FIRST_VISITS = (
    Words("first visit", "première visite"),
    Words("first visits", "premières visites"),
)

_TOLD: dict[str, tuple[tuple[Words, Words], Callable[[Asked], Iterable[Miss]]]] = {
    "otif": (_LINES, orders.not_in_window_or_full),
    "otif_case": (_LINES, orders.short_in_window),
    "otif_order": (_called("order", "commande"), orders.broken_orders),
    "on_time": (_LINES, orders.late_or_early),
    "in_full": (_LINES, orders.incomplete),
    "sla_response": (_TICKETS, support.slow_responses),
    "sla_resolution": (_TICKETS, support.slow_resolutions),
    "fcr": (_TICKETS, support.not_at_first_contact),
    "ftfr": (_FIRST_VISITS, support.not_fixed_at_first),
    "dispute_rate": (_INVOICES, invoices.disputed),
    "credit_rate": (_INVOICES, invoices.credited),
    "catalogue_completion": (_called("catalogue", "catalogue"), adoption.unfilled),
    "learning_completion": (_called("enrolment", "inscription"), adoption.uncompleted),
    "portal_adoption": (_called("account", "compte"), adoption.unseen),
}

_KEPT: dict[str, Callable[[Asked], Iterable[Miss]]] = {
    "otif": orders.in_window_and_full,
    "on_time": orders.on_time,
    "in_full": orders.in_full,
    "sla_response": support.kept_responses,
    "sla_resolution": support.kept_resolutions,
}
