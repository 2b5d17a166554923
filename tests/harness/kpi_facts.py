"""Facts as the formulas take them, and the way from their tallies to a subject's figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd

from partner_cx.measures import summing
from partner_cx.measures.formulas.seam import COUNTS, PRESENCES, SPREADS
from partner_cx.measures.kpi import STANDARD_WEIGHTS, Weights
from partner_cx.measures.members import Network
from partner_cx.periods import Period
from partner_cx.quantities import MICRO

_DAY, _INSTANT, _MAYBE = "datetime64[us]", "datetime64[us, UTC]", "Int64"
_COLUMNS = {
    "lines": {
        "id": "int64", "partner_id": "int64", "order_code": "str", "ordered": "int64",
        "window_start": _DAY, "window_end": _DAY, "status": "str", "cancelled_on": _DAY,
    },
    "receipts": {"order_line_id": "int64", "received_on": _DAY, "quantity": "int64"},
    "tickets": {
        "id": "int64", "partner_id": "int64", "opened_at": _INSTANT, "opened_on": _DAY,
        "first_reply_at": _INSTANT, "replied_on": _DAY, "resolved_at": _INSTANT,
        "resolved_on": _DAY, "reopened_count": _MAYBE, "response_target_minutes": _MAYBE,
        "resolution_target_minutes": _MAYBE, "contacts": _MAYBE, "response_due_at": _INSTANT,
        "response_due_on": _DAY, "resolution_due_at": _INSTANT, "resolution_due_on": _DAY,
        "response_seconds": _MAYBE, "resolution_seconds": _MAYBE,
    },
    "visits": {
        "id": "int64", "partner_id": "int64", "asset": "str", "visited_on": _DAY, "outcome": "str",
    },
    "events": {
        "partner_id": "int64", "on": _DAY, "kind": "str", "person_email": "str",
        "internal": "bool",
    },
    "statuses": {"partner_id": "int64", "on": _DAY, "filled": "int64", "required": "int64"},
    "enrolments": {"partner_id": "int64", "enrolled_on": _DAY, "completed_on": _DAY},
    "invoices": {
        "partner_id": "int64", "on": _DAY, "value_minor": "int64", "currency": "str",
        "lines": _MAYBE, "disputed_lines": _MAYBE, "credited_minor": _MAYBE,
    },
    "answers": {
        "partner_id": "int64", "answered_on": _DAY, "question_code": "str", "value": _MAYBE,
        "dismissed": "bool", "respondent": "str",
    },
    "referrals": {"partner_id": "int64", "on": _DAY},
    "quotes": {
        "partner_id": "int64", "requested_at": _INSTANT, "requested_on": _DAY,
        "quoted_at": _INSTANT, "quoted_on": _DAY,
    },
    "partners": {"id": "int64", "joined_on": _DAY, "left_on": _DAY},
    "memberships": {"subject": "str", "partner_id": "int64"},
    "invited": {"partner_id": "int64", "who": "str"},
    "counts": COUNTS,
    "spreads": SPREADS,
    "presences": PRESENCES,
}  # fmt: skip


def facts(kind: str, rows: Iterable[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Rows as a typed frame; what a row leaves out is missing, which counts and flags aren't."""
    columns = _COLUMNS[kind]
    plain = {"int64": 0, "bool": False}
    rows = list(rows)
    return pd.DataFrame(
        {
            name: pd.Series([row.get(name, plain.get(dtype)) for row in rows], dtype=dtype)
            for name, dtype in columns.items()
        }
    )


def counts_of(kpi: str, hits: int, of: int, *, partner_id: int = 1) -> dict[str, Any]:
    """A row of counts, dated in the second quarter of 2026."""
    day = date(2026, 5, 1)
    return {"kpi": kpi, "partner_id": partner_id, "day": day, "hits": hits, "of": of, "n": of}


def spread_of(
    kpi: str, value: float, times: int = 1, *, partner_id: int = 1, scale: int = MICRO
) -> dict[str, Any]:
    """A row of a spread, dated in the second quarter of 2026; scores are given in units."""
    day = date(2026, 5, 1)
    value = round(value * scale)
    return {"kpi": kpi, "partner_id": partner_id, "day": day, "value": value, "times": times}


def network_of(
    partners: pd.DataFrame | None = None,
    groups: Mapping[str, Iterable[int]] | None = None,
    invited: pd.DataFrame | None = None,
) -> Network:
    """A network with everyone in `network` and each partner as `P<id>`; one partner by default."""
    partners = facts("partners", [{"id": 1}]) if partners is None else partners
    subjects = {"network": list(partners["id"]), **{f"P{i}": [i] for i in partners["id"]}}
    members = [
        {"subject": subject, "partner_id": int(partner)}
        for subject, ids in {**subjects, **(groups or {})}.items()
        for partner in ids
    ]
    return Network(
        partners,
        facts("memberships", members),
        facts("invited") if invited is None else invited,
    )


def measured(
    *kpis: str,
    counts: pd.DataFrame | None = None,
    spreads: pd.DataFrame | None = None,
    presences: pd.DataFrame | None = None,
    network: Network | None = None,
    period: str = "2026Q2",
    as_of_day: date = date(2026, 6, 30),
    weights: Weights = STANDARD_WEIGHTS,
) -> dict[str, dict[str, Any]]:
    """The figures of every subject, by subject and KPI, from daily tallies.

    They are Figures; typed as anything, since a test knows which of their parts are there.
    """
    span = Period.parse(period)
    sums = summing.over(
        span,
        facts("counts") if counts is None else counts,
        facts("spreads") if spreads is None else spreads,
        facts("presences") if presences is None else presences,
    )
    drawn = summing.figures(
        kpis, sums, network or network_of(), span, as_of_day=as_of_day, weights=weights
    )
    return summing.told(drawn, as_of=datetime(2026, 7, 1, tzinfo=UTC))


def figure(kpi: str, **tallies: Any) -> Any:
    """The network's figure of one KPI; takes what `measured` takes."""
    return measured(kpi, **tallies)["network"][kpi]


def as_counted(frame: pd.DataFrame) -> dict[Any, tuple[int, ...]]:
    """Counts by KPI, partner and day, each once and well typed."""
    assert dict(frame.dtypes.astype(str)) == COUNTS
    assert not frame.duplicated(["kpi", "partner_id", "day"]).any()
    return {
        (row["kpi"], row["partner_id"], row["day"].date()): (row["hits"], row["of"], row["n"])
        for row in frame.to_dict("records")
    }
