"""Health: whether the process lives, whether it may be sent requests, and how it does."""

from __future__ import annotations

import os
import shutil
from http import HTTPStatus
from pathlib import Path

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from api import metrics, migrations, refusals
from api.request_scope import wiring
from api.v1.holders import Monitors
from partner_cx.database import only_reads
from partner_cx.errors import PartnerCXError

ROOM_BYTES = 1_000_000  # that a disk has left at least, for a file on it to be written

router = APIRouter(include_in_schema=False)

log = structlog.get_logger()


@router.get("/health")
def health() -> PlainTextResponse:
    """The process lives; whatever it stands on may be away."""
    return PlainTextResponse("well\n")


@router.get("/ready")
def ready(request: Request) -> PlainTextResponse:
    """Whether requests can be answered. Strangers learn no more than that."""
    engine = wiring(request).engine
    try:
        migrations.require_current(engine)
        unwritable = _why_unwritable(engine)
    except migrations.UnknownVersion as error:
        log.warning("not ready", why=str(error))
        return _not_ready("the database is of a version that this program doesn't know")
    except migrations.OtherVersion as error:
        log.warning("not ready", why=str(error))
        return _not_ready("the database is of another version; run partner-cx migrate")
    except (sa.exc.SQLAlchemyError, OSError, PartnerCXError) as error:
        refusal = refusals.explain(error)
        log.warning("not ready", why=str(refusal) if refusal else type(error).__name__)
        return _not_ready("the database doesn't answer")
    if unwritable:
        log.warning("not ready", why=unwritable)
        return _not_ready("the database can be read, but not written")
    return PlainTextResponse("ready\n")


@router.get("/metrics")
def told(request: Request, _holder: Monitors) -> Response:
    """Counts for Prometheus, for a token with the scope `metrics`."""
    return Response(metrics_of(request).told(), media_type=metrics.MEDIA_TYPE)


def metrics_of(request: Request) -> metrics.Metrics:
    """The counts of this service."""
    kept: metrics.Metrics = request.app.state.metrics
    return kept


def _why_unwritable(engine: sa.Engine) -> str:
    """What keeps the database from being written, as far as it can be told without writing."""
    if engine.dialect.name == "postgresql":
        # Whoever heeds this sends no writer, who would find that connections are out of date.
        return "transactions may only read" if only_reads(engine) else ""
    file = Path(engine.url.database or "")
    if not all(os.access(each, os.W_OK) for each in (file, file.parent)):
        return "the file and its folder may not be written"
    free = shutil.disk_usage(file.parent).free
    return "" if free >= ROOM_BYTES else f"the disk has {free:,} bytes left"


def _not_ready(why: str) -> PlainTextResponse:
    headers = {"Retry-After": "5"}
    return PlainTextResponse(f"not ready: {why}\n", HTTPStatus.SERVICE_UNAVAILABLE, headers)
