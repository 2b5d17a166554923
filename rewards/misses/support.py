"""Tickets that took too long, and repairs that took another visit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from partner_cx.measures.formulas import tickets, visits
from partner_cx.measures.formulas.seam import instants, known
from partner_cx.operations.facts import Ticket, Visit
from partner_cx.operations.hindsight import Among
from partner_cx.words import Words
from rewards.misses.rows import Asked, Miss, date_of, days_long, duration, miss, records
from rewards.sentences import day_text


def slow_responses(asked: Asked) -> Iterator[Miss]:
    due = asked.facts(Ticket, "tickets", "response_due_on")
    judged = tickets.responses(due, as_of=asked.as_of)
    late = Words(
        "answered after {took}, promised in {target}", "répondu en {took}, promis en {target}"
    )
    never = Words("not answered, promised in {target}", "sans réponse, promise en {target}")
    return _slow(asked, judged, "response", "first_reply_at", late, never)


def slow_resolutions(asked: Asked) -> Iterator[Miss]:
    due = asked.facts(Ticket, "tickets", "resolution_due_on")
    judged = tickets.resolutions(due, as_of=asked.as_of)
    late = Words(
        "resolved after {took}, promised in {target}", "résolu en {took}, promis en {target}"
    )
    never = Words("not resolved, promised in {target}", "non résolu, promis en {target}")
    return _slow(asked, judged, "resolution", "resolved_at", late, never)


def kept_responses(asked: Asked) -> Iterator[Miss]:
    """The tickets that were answered in time, by the same judgement."""
    due = asked.facts(Ticket, "tickets", "response_due_on")
    done = Words(
        "answered after {took}, promised in {target}", "répondu en {took}, promis en {target}"
    )
    return _in_time(tickets.responses(due, as_of=asked.as_of), "response", done)


def kept_resolutions(asked: Asked) -> Iterator[Miss]:
    due = asked.facts(Ticket, "tickets", "resolution_due_on")
    done = Words(
        "resolved after {took}, promised in {target}", "résolu en {took}, promis en {target}"
    )
    return _in_time(tickets.resolutions(due, as_of=asked.as_of), "resolution", done)


def _in_time(judged: pd.DataFrame, promise: str, done: Words) -> Iterator[Miss]:
    for ticket in records(judged[judged["kept"]]):
        verdict = done.format(
            took=duration(ticket[f"{promise}_seconds"] or 0),
            target=duration(ticket[f"{promise}_target_minutes"] * 60),
        )
        yield miss(ticket, "day", _ticket_text(ticket), verdict)


def _slow(
    asked: Asked, judged: pd.DataFrame, promise: str, done_at: str, late: Words, never: Words
) -> Iterator[Miss]:
    for ticket in records(judged[~judged["kept"]]):
        done = ticket[done_at] is not None and ticket[done_at] <= asked.as_of
        verdict = (late if done else never).format(
            took=duration(ticket[f"{promise}_seconds"] or 0),
            target=duration(ticket[f"{promise}_target_minutes"] * 60),
        )
        yield miss(ticket, "day", _ticket_text(ticket), verdict)


def not_at_first_contact(asked: Asked) -> Iterator[Miss]:
    resolved = asked.facts(Ticket, "tickets", "resolved_on")
    resolved = resolved[
        (instants(resolved["resolved_at"]) <= asked.as_of) & known(resolved["contacts"]).notna()
    ]
    reopened = known(resolved["reopened_count"]).fillna(0)
    for ticket in records(resolved[(known(resolved["contacts"]) != 1) | (reopened > 0)]):
        if ticket["reopened_count"]:
            verdict = Words("reopened {n} ×", "rouvert {n} fois")
            verdict = verdict.format(n=ticket["reopened_count"])
        else:
            verdict = Words("took {n} contacts", "a demandé {n} contacts")
            verdict = verdict.format(n=ticket["contacts"])
        yield miss(ticket, "resolved_on", _ticket_text(ticket), verdict)


def _ticket_text(ticket: dict[str, Any]) -> Words:
    return Words("Ticket {id}, opened {day}", "Ticket {id}, ouvert le {day}").format(
        id=ticket["source_id"], day=day_text(date_of(ticket["opened_on"]))
    )


_OUTCOMES = {
    "part_missing": Words("a part was missing", "il manquait une pièce"),
    "not_fixed": Words("not fixed", "non réparé"),
}


def not_fixed_at_first(asked: Asked) -> Iterator[Miss]:
    """First visits are told from follow-ups by all visits to an asset, whoever made them."""
    own = asked.facts(Visit, "visits", "visited_on")
    everyones = asked.among(Visit, "visits", Among("asset", set(own["asset"].tolist())))
    window = asked.settings.ftfr_window_days
    cases = visits.first_visits(everyones, as_of_day=asked.as_of_day, follow_up_days=window)
    ours = cases["partner_id"].isin(asked.partners) & asked.in_period(cases["visited_on"])
    followed_up = Words("another visit within {days}", "une autre visite sous {days}")
    for visit in records(cases[ours & ~cases["fixed_first_time"]]):
        what = Words("First visit to {asset}, {day}", "Première visite à {asset}, {day}").format(
            asset=visit["asset"], day=day_text(date_of(visit["visited_on"]))
        )
        verdict = _OUTCOMES.get(visit["outcome"]) or followed_up.format(days=days_long(window))
        yield miss(visit, "visited_on", what, verdict)
