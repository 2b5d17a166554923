"""Statements: told to a person as a story, given to a program as flat rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.printing import Format, Row, print_rows

if TYPE_CHECKING:
    from partner_cx.measures.figures import Figure
    from rewards.statements import Held, Shortfall, Statement, Unearned

# `record` says what a row is: the balance, what is pending, an entry, an award that is held or was
# taken back before it could be spent, a decision without points, a figure that one of these rests
# on, or a row behind a miss.
COLUMNS = (
    *("record", "on", "period", "rule", "rule_version", "verdict", "points", "balance", "why"),
    *("kpi", "value", "hits", "of", "n", "state", "target", "short", "source_id", "key"),
    *("entry", "corrects", "held_until", "needs_approval", "settled_on"),
)


def statement(
    subject: Annotated[
        str, typer.Argument(metavar="PARTNER|EMAIL", help="A partner's code or a person's e-mail.")
    ],
    period: Annotated[
        str | None,
        typer.Option(metavar="PERIOD", help="Only what took effect within it.", callback=filled),
    ] = None,
    rows: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many rows behind each miss.")
    ] = 20,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Print every entry with its reason, the balance, and what stood in the way of more."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading
    from partner_cx.periods import Period
    from rewards.ledger.owners import owner_of
    from rewards.statements import statement as made

    chosen = Period.parse(period) if period else None
    with open_house(database) as house, reading(house.engine) as session:
        owner = owner_of(session, subject)
        told = made(session, owner, settings=house.settings, period=chosen, rows=rows)
        if now is not None:
            told = _until(told, moment(now, house.settings).astimezone(house.settings.zone).date())
        spoken = language or house.language
    if form is Format.TABLE:
        for line in _story(told, spoken):
            typer.echo(line)
    else:
        print_rows(_records(told, spoken), COLUMNS, form=form)


def _until(told: Statement, day: date) -> Statement:
    """The statement as it stood at the end of a day."""
    lines = tuple(line for line in told.lines if line.on <= day)
    held = tuple(_held_until(each, day) for each in told.held if each.on <= day)
    return replace(
        told,
        balance=lines[-1].balance if lines else 0,
        lines=lines,
        unearned=tuple(each for each in told.unearned if each.on <= day),
        pending=sum(each.points for each in held if each.waits),
        held=held,
    )


def _held_until(each: Held, day: date) -> Held:
    """A held award as it stood at the end of a day."""
    if each.settled_on is None or each.settled_on <= day:
        return each
    return replace(each, settled_on=None, released=False, settled_why=None)


# --- For people -----------------------------------------------------------------------------------


def _story(told: Statement, language: str) -> Iterator[str]:
    from partner_cx.quantities import number_text, points_text
    from partner_cx.words import COLON, Words

    head = f"{told.name} ({told.subject})"
    yield f"{head}{COLON.in_(language)}{points_text(told.balance, language)}"
    if told.pending:
        pending = Words("Pending: {points}", "En attente\u202f: {points}")
        yield pending.in_(language).format(points=points_text(told.pending, language))
    if told.carried:
        carried = Words("Still to be taken back: {points}", "Encore à reprendre\u202f: {points}")
        yield carried.in_(language).format(points=points_text(told.carried, language))
    if told.lines:
        yield ""
    for line in told.lines:
        signed = f"{'+' if line.points > 0 else ''}{number_text(line.points, language)}"
        balance = number_text(line.balance, language)
        yield f"{line.on}  {signed:>7}  → {balance:>7}  {line.why.in_(language)}"
        if line.corrects:
            yield f"    {line.corrects.sentence.in_(language)}"
    yield from _held(told, language)
    if told.unearned:
        yield ""
        yield Words("Without points:", "Sans points\u202f:").in_(language)
    for each in told.unearned:
        yield from _missed(each, language)


def _held(told: Statement, language: str) -> Iterator[str]:
    """The awards that can't be spent yet, then those that were taken back before."""
    from partner_cx.quantities import number_text
    from partner_cx.words import Words

    waiting = Words("Pending, not to be spent yet:", "En attente, pas encore à dépenser\u202f:")
    refused = Words("Taken back before being released:", "Repris avant d’être débloqués\u202f:")
    for heading, awards in ((waiting, told.waiting), (refused, told.refused)):
        if awards:
            yield ""
            yield heading.in_(language)
        for each in awards:
            points = number_text(each.points, language)
            yield f"{each.on}  {points:>7}  {each.sentence.in_(language)}"


def _missed(each: Unearned, language: str) -> Iterator[str]:
    from partner_cx.words import Words

    yield f"{each.on}  {each.sentence.in_(language)}"
    for shortfall in each.shortfalls:
        shown = shortfall.misses.rows
        for miss in shown:
            yield f"    {miss.source_id}  {miss.sentence.in_(language)}"
        more = shortfall.misses.total - len(shown)
        if more and shown:
            said = Words("… and {more} more", "… et {more} de plus").format(more=more)
            yield f"    {said.in_(language)}"


# --- For programs ---------------------------------------------------------------------------------


def _records(told: Statement, language: str) -> Iterator[Row]:
    yield {"record": "balance", "balance": told.balance, "why": told.name}
    if told.held:
        yield {"record": "pending", "balance": told.pending, "why": told.name}
    if told.carried:
        yield {"record": "carried", "balance": -told.carried, "why": told.name}
    for line in told.lines:
        about: Row = {
            "on": line.on,
            "period": str(line.period) if line.period else None,
            "rule": line.rule.code if line.rule else None,
            "rule_version": line.rule.version if line.rule else None,
            "key": line.key,
        }
        yield {
            **about,
            "record": "entry",
            "points": line.points,
            "balance": line.balance,
            "why": line.why.in_(language),
            "entry": line.entry,
            "corrects": line.corrects.key if line.corrects else None,
        }
        for figure in line.figures:
            yield {**about, "record": "figure", **_figure(figure)}
    for award in (*told.waiting, *told.refused):
        yield from _held_records(award, language)
    for each in told.unearned:
        yield from _unearned_records(each, language)


def _held_records(each: Held, language: str) -> Iterator[Row]:
    about: Row = {
        "on": each.on,
        "period": str(each.period) if each.period else None,
        "rule": each.rule.code if each.rule else None,
        "rule_version": each.rule.version if each.rule else None,
        "key": each.key,
    }
    yield {
        **about,
        "record": "held" if each.waits else "refused",
        "points": each.points,
        "why": each.sentence.in_(language),
        "entry": each.entry,
        "held_until": each.until,
        "needs_approval": each.needs_approval,
        "settled_on": each.settled_on,
    }
    for figure in each.figures:
        yield {**about, "record": "figure", **_figure(figure)}


def _unearned_records(each: Unearned, language: str) -> Iterator[Row]:
    about: Row = {
        "on": each.on,
        "period": str(each.period) if each.period else None,
        "rule": each.rule.code,
        "rule_version": each.rule.version,
        "verdict": each.verdict.value,
    }
    yield {**about, "record": "unearned", "points": 0, "why": each.sentence.in_(language)}
    reasons = {shortfall.figure.kpi: shortfall for shortfall in each.shortfalls}
    for figure in each.figures:
        shortfall = reasons.get(figure.kpi)
        why = shortfall.sentence.in_(language) if shortfall else None
        yield {**about, "record": "figure", "why": why, **_figure(figure)}
        if shortfall:
            yield from _rows(about, shortfall, language)


def _rows(about: Row, shortfall: Shortfall, language: str) -> Iterator[Row]:
    for miss in shortfall.misses.rows:
        yield {
            **about,
            "record": "row",
            "on": miss.day,
            "kpi": shortfall.figure.kpi,
            "source_id": miss.source_id,
            "why": miss.sentence.in_(language),
        }


def _figure(figure: Figure) -> Row:
    from api import telling

    hits, of = telling.sums(figure)
    return {
        "kpi": figure.kpi,
        "value": figure.value,
        "hits": hits,
        "of": of,
        "n": figure.n,
        "state": figure.state.value if figure.state else None,
        "target": figure.target.value if figure.target else None,
        "short": figure.short,
    }
