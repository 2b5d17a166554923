"""Syncing by itself: the effect `odoo.sync`, which the schedule owes and the worker carries out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from integrations.carrying import Due, Handler, Hands, Later
from integrations.odoo.connection import connect
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.sync import SHOWN_MAX, SyncReport, sync
from integrations.odoo.sync.alone import UnderWay
from partner_cx.errors import Refused, Unreachable

WAIT = timedelta(minutes=5)  # while another sync is under way


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Read what changed in Odoo. payload: compare, whether to look for what was deleted.

    Raises Later while another sync is under way and when the worker is to end, Unreachable when
    Odoo didn't answer to the end, Refused when a stream was stopped; what was read by then is in.
    """
    settings = hands.settings

    def leave_if_told(_share: float, _rows: int) -> None:  # between two transactions
        if hands.stopping():
            raise Later(hands.clock())

    mapping = OdooMapping.read(settings.odoo_mapping)
    with connect(settings, clock=hands.clock) as odoo:
        try:
            report = sync(
                hands.engine,
                odoo,
                mapping,
                settings=settings,
                now=hands.clock(),
                compare=bool(due.payload.get("compare")),
                on_progress=leave_if_told,
            )
        except UnderWay:
            raise Later(hands.clock() + WAIT) from None
    if report.stopped:
        raise _stopped(report)
    return told(report)


def _stopped(report: SyncReport) -> Exception:
    """Why it didn't come to its end: later it may, or somebody must see to it."""
    for stream in report.stopped:
        if isinstance(stream.stopped, Unreachable):
            return stream.stopped
    words = [f"{stream.stream}: {stream.stopped}" for stream in report.stopped]
    return Refused(" ".join(words), remedy="The other streams were read.")


def told(report: SyncReport) -> dict[str, Any]:
    """What is worth keeping of a sync: what became of how many rows, and the first refused ones."""
    kept: dict[str, Any] = {
        f"{stream.stream}: {kind}": {name: n for name, n in vars(counts).items() if n}
        for stream in report.streams
        for kind, counts in stream.counts.items()
        if any(vars(counts).values())
    }
    refused = [str(row) for stream in report.streams for row in stream.refused]
    return kept | ({"refused": refused[:SHOWN_MAX]} if refused else {})


HANDLERS: Mapping[str, Handler] = {"odoo.sync": carry_out}
