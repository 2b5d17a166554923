"""Metrics: how the service does, as Prometheus reads it. Counts only: nobody's name or number.

Requests are counted by the route's pattern, never by the address itself, so that there are as many
series as routes. What the database knows is asked when somebody looks, by queries that stay cheap.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy.orm import Session

from api.addresses import path_of
from api.request_scope import Wiring
from integrations.odoo.state import OdooCursor
from partner_cx.database import reading
from partner_cx.effects import Effect
from partner_cx.operations.imports import Import
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, Transfer

MEDIA_TYPE = "text/plain; version=1.0.0; charset=utf-8"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counts of one service in one process."""

    def __init__(self, wiring: Wiring) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "partner_cx_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "partner_cx_request_seconds",
            "How long answers took.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.registry.register(_Programme(wiring))

    def answered(self, request: Request, status: int, seconds: float) -> None:
        """Count an answer."""
        method = request.method if request.method in METHODS else "other"
        route = _pattern(request)
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def told(self) -> bytes:
        return generate_latest(self.registry)


def _pattern(request: Request) -> str:
    """The pattern of the route that was asked for: `/partners/{code:path}`."""
    if path_of(request).startswith("/static/"):
        return "/static"
    return str(getattr(request.scope.get("route"), "path", "none"))


class _Programme:
    """What the database knows, asked anew each time."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while it is registered."""
        return ()

    def collect(self) -> Iterable[Metric]:
        now = self._wiring.clock()
        with reading(self._wiring.engine) as session:
            yield from _effects(session, now)
            yield from _ages(session, now)
            yield from _ledger(session)


def _effects(session: Session, now: datetime) -> Iterable[Metric]:
    open_ = Effect.done_at.is_(None)
    waiting = sa.select(sa.func.count()).where(open_, Effect.parked_at.is_(None))
    late = sa.select(sa.func.min(Effect.due_at)).where(
        open_, Effect.parked_at.is_(None), Effect.due_at <= now
    )
    parked = sa.select(sa.func.count()).where(Effect.parked_at.is_not(None))
    yield _gauge("effects_waiting", "What is owed outside and not done.", session.scalar(waiting))
    yield _gauge("effects_parked", "What waits for a person.", session.scalar(parked))
    since = session.scalar(late)
    yield _gauge(
        "effects_late_seconds", "For how long the first of what is due waits.", _age(since, now)
    )


def _ages(session: Session, now: datetime) -> Iterable[Metric]:
    synced = session.scalar(sa.select(sa.func.min(OdooCursor.finished_at)))
    imported = session.scalar(sa.select(Import.imported_at).order_by(Import.id.desc()).limit(1))
    if synced is not None:
        yield _gauge(
            "odoo_sync_age_seconds", "Since the oldest stream was read.", _age(synced, now)
        )
    if imported is not None:
        yield _gauge("import_age_seconds", "Since facts last came in.", _age(imported, now))


def _ledger(session: Session) -> Iterable[Metric]:
    for name, said, table in (
        ("closings", "Periods that were closed.", Closing),
        ("decisions", "What rules came to.", DecisionRow),
        ("transfers", "What the ledger moved.", Transfer),
    ):
        # The last number is read off the key's end; rows are never taken away.
        last = session.scalar(sa.select(sa.func.max(table.id)))
        yield _gauge(f"{name}_recorded", said, last)
    points = GaugeMetricFamily(
        "partner_cx_points", "The points in all accounts of a kind.", labels=["account"]
    )
    held = sa.select(Account.kind, sa.func.sum(Account.balance_points)).group_by(Account.kind)
    for kind, balance in session.execute(held.order_by(Account.kind)):
        points.add_metric([kind], int(balance))
    yield points


def _gauge(name: str, said: str, value: Any) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"partner_cx_{name}", said, value=value or 0)


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
