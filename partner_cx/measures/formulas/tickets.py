"""Tickets: were they answered and solved in the time promised, how long did it take, how many wait?

The clocks (business seconds in the ticket's calendar, minus pauses) are computed when a ticket is
taken in; here they are only read. A reply or a resolution after `as_of` hasn't happened yet.
"""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from partner_cx.measures.formulas.seam import count, days, instants, known, spread, together


def counts(tickets: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Count `sla_response`, `sla_resolution`, `fcr` with `fcr_known`, and the backlog's moves.

    tickets: id, partner_id, opened_at, opened_on, first_reply_at, replied_on, resolved_at,
        resolved_on, reopened_count, response_target_minutes, resolution_target_minutes, contacts,
        response_due_at, response_due_on, resolution_due_at, resolution_due_on, response_seconds,
        resolution_seconds; NA wherever there is nothing (yet).
    """
    opened = _opened(tickets, as_of)
    return together(
        [
            _kept("sla_response", responses(opened, as_of=as_of)),
            _kept("sla_resolution", resolutions(opened, as_of=as_of)),
            _first_contact(_resolved(opened, as_of)),
            _moves(opened, as_of),
        ]
    )


def spreads(tickets: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Spread the seconds of `first_response` on the day of the reply, of `resolution` on the day
    of the last resolution. The frame is that of `counts`."""
    opened = _opened(tickets, as_of)
    replied = opened[_happened(opened, "first_reply_at", "response_seconds", as_of)]
    resolved = opened[_happened(opened, "resolved_at", "resolution_seconds", as_of)]
    return together(
        [
            spread("first_response", replied, day="replied_on", value=replied["response_seconds"]),
            spread("resolution", resolved, day="resolved_on", value=resolved["resolution_seconds"]),
        ]
    )


def responses(tickets: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Judge each ticket whose first answer was promised: the rows behind a miss.

    Returns the tickets that count, as they came, with `day` (of the due instant) and `kept`. One
    that is still open within its target doesn't count yet; one without a target never does.
    """
    return _judged(tickets, "response", "first_reply_at", as_of)


def resolutions(tickets: pd.DataFrame, *, as_of: datetime) -> pd.DataFrame:
    """Judge each ticket whose resolution was promised, by its last one, as `responses` does."""
    return _judged(tickets, "resolution", "resolved_at", as_of)


def backlog_end(*, start: int, created: int, reopened: int, solved: int) -> int:
    """The tickets waiting at a period's end. A source that says otherwise has lost some."""
    return start + created + reopened - solved


def _judged(tickets: pd.DataFrame, promise: str, done_at: str, as_of: datetime) -> pd.DataFrame:
    target_seconds = known(tickets[f"{promise}_target_minutes"]) * 60
    elapsed = known(tickets[f"{promise}_seconds"])
    done = _happened(tickets, done_at, f"{promise}_seconds", as_of)
    kept = done & (elapsed <= target_seconds).fillna(value=False).astype("bool")
    overdue = ~done & (instants(tickets[f"{promise}_due_at"]) < as_of)
    counts_now = target_seconds.notna() & (done | overdue)
    judged = tickets.assign(day=days(tickets[f"{promise}_due_on"]), kept=kept)
    return judged[counts_now & judged["day"].notna()]


def _kept(kpi: str, judged: pd.DataFrame) -> pd.DataFrame:
    return count(kpi, judged, day="day", hits=judged["kept"], of=1)


def _first_contact(resolved: pd.DataFrame) -> pd.DataFrame:
    """One touch and never reopened, among resolved tickets whose contacts were counted."""
    told = known(resolved["contacts"]).notna()
    counted = resolved[told]
    at_once = (known(counted["contacts"]) == 1) & (_reopened(counted) == 0)
    return together(
        [
            count("fcr", counted, day="resolved_on", hits=at_once, of=1),
            count("fcr_known", resolved, day="resolved_on", hits=told, of=1),
        ]
    )


def _moves(opened: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """What came in, what was solved, and how often something came back.

    `tickets_resolved` counts tickets that stand resolved. Each reopening undid an earlier
    solution, so the solutions given are `tickets_resolved` + `tickets_reopened`. When it was
    reopened isn't known: it is told on the day it was solved for good, or opened.
    """
    resolved = _resolved(opened, as_of)
    came_back = opened[_reopened(opened) > 0]
    is_resolved = instants(came_back["resolved_at"]) <= as_of
    told_on = days(came_back["resolved_on"]).where(is_resolved, days(came_back["opened_on"]))
    return together(
        [
            count("tickets_opened", opened, day="opened_on", hits=1),
            count("tickets_resolved", resolved, day="resolved_on", hits=1),
            count(
                "tickets_reopened",
                came_back.assign(told_on=told_on),
                day="told_on",
                hits=_reopened(came_back),
            ),
        ]
    )


def _reopened(tickets: pd.DataFrame) -> pd.Series:
    return known(tickets["reopened_count"]).fillna(0)


def _opened(tickets: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    return tickets[instants(tickets["opened_at"]) <= as_of]


def _resolved(tickets: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    return tickets[instants(tickets["resolved_at"]) <= as_of]


def _happened(tickets: pd.DataFrame, done_at: str, seconds: str, as_of: datetime) -> pd.Series:
    return (instants(tickets[done_at]) <= as_of) & tickets[seconds].notna()
