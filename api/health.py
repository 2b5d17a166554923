"""Health: whether the process lives, whether it may be sent requests, and how it does."""

from __future__ import annotations

from http import HTTPStatus

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from api import metrics, migrations, refusals
from api.request_scope import wiring
from api.v1.holders import Monitors
from partner_cx.errors import PartnerCXError

router = APIRouter(include_in_schema=False)

log = structlog.get_logger()


@router.get("/health")
def health() -> PlainTextResponse:
    """The process lives; whatever it stands on may be away."""
    return PlainTextResponse("well\n")


@router.get("/ready")
def ready(request: Request) -> PlainTextResponse:
    """Whether requests can be answered. Strangers learn no more than that."""
    try:
        migrations.require_current(wiring(request).engine)
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
    return PlainTextResponse("ready\n")


@router.get("/metrics")
def told(request: Request, _holder: Monitors) -> Response:
    """Counts for Prometheus, for a token with the scope `metrics`."""
    return Response(metrics_of(request).told(), media_type=metrics.MEDIA_TYPE)


def metrics_of(request: Request) -> metrics.Metrics:
    """The counts of this service."""
    kept: metrics.Metrics = request.app.state.metrics
    return kept


def _not_ready(why: str) -> PlainTextResponse:
    headers = {"Retry-After": "5"}
    return PlainTextResponse(f"not ready: {why}\n", HTTPStatus.SERVICE_UNAVAILABLE, headers)
