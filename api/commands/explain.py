"""Explain: from an entry or a partner back to the rows, and on to what was missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, filled
from api.printing import Format, Row, print_rows

if TYPE_CHECKING:
    from partner_cx.words import Words
    from rewards.misses import Misses
    from rewards.statements.explanations import Explained, Explanation, Judged, Reason

# `record` says what a row is: a decision, the rule version behind it, what one of its conditions
# found, a row that was missed or kept, a step of the nearest way, an entry of the ledger, a
# proposal to put it right, or a rule that is for others.
COLUMNS = (
    *("record", "subject", "on", "period", "rule", "rule_version", "verdict", "points", "why"),
    *("kpi", "value", "hits", "of", "n", "coverage", "state", "target", "definition_version"),
    *("formula", "as_of", "source_id", "gap", "reachable", "key", "entry", "account"),
    *("settles", "corrects", "held_until", "needs_approval", "at", "by", "approved_by", "intact"),
)


def explain(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="ENTRY|PARTNER",
            help="An entry's key or number, as `statement --format json` prints them, or a "
            "partner's code, or a person's e-mail.",
        ),
    ],
    period: Annotated[
        str | None,
        typer.Argument(
            metavar="PERIOD",
            help="Of a partner: what was decided in it. Default: the last period that was closed.",
            callback=filled,
            show_default=False,
        ),
    ] = None,
    rows: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many rows behind each figure.")
    ] = 20,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Explain points back to the rows behind them, and what it would have taken to earn them."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.periods import Period
    from rewards.statements.explaining import explain as explained

    chosen = Period.parse(period) if period else None
    with open_house(database) as house, reading(house.engine) as session:
        told = explained(session, asked, chosen, settings=house.settings, rows=rows)
        spoken = language or house.language
        lines = list(_story(told, spoken)) if form is Format.TABLE else []
        records = [] if lines else list(_records(told, spoken))
    for line in lines:
        typer.echo(line)
    if form is not Format.TABLE:
        print_rows(records, COLUMNS, form=form)


# --- For people -----------------------------------------------------------------------------------


def _story(told: Explained, language: str) -> Iterator[str]:
    from rewards.statements import telling

    for place, each in enumerate(told.explanations):
        if place:
            yield ""
        yield from _told(each, language)
    for place, other in enumerate(told.not_for):
        if told.explanations and not place:
            yield ""
        yield f"{telling.not_for(other).in_(language)}"


def _told(each: Explanation, language: str) -> Iterator[str]:
    from rewards.statements import telling

    yield f"{each.name} ({each.subject})"
    if each.judged:
        yield from _decision(each.judged, language)
    if each.posted:
        yield _indented(telling.IN_THE_LEDGER, language)
    for posted in each.posted:
        yield _indented(telling.posted(posted), language, 2)


def _decision(judged: Judged, language: str) -> Iterator[str]:
    from rewards.statements import telling

    yield f"{judged.on}  {judged.decision.sentence.in_(language)}"
    yield _indented(telling.taken(judged), language)
    if not judged.agrees:
        yield _indented(telling.disagrees(judged), language)
    yield _indented(telling.rule(judged), language)
    for term in telling.terms(judged.decision.rule):
        yield _indented(term, language)
    for reason in judged.reasons:
        yield from _reason(reason, language)
    if judged.unpaid:
        yield _indented(judged.unpaid, language)
    if judged.way:
        yield _indented(telling.way(judged.way), language)
        for step in judged.way.steps:
            yield _indented(step.sentence, language, 2)
    for proposed in judged.proposals:
        for sentence in telling.proposed(proposed):
            yield _indented(sentence, language)


def _reason(reason: Reason, language: str) -> Iterator[str]:
    from rewards.statements import telling

    yield f"  {telling.SIGNS[reason.verdict]} {reason.sentence.in_(language)}"
    for sentence in telling.definition(reason):
        yield _indented(sentence, language, 2)
    yield from _rows(reason.behind, telling.missed(reason.behind), language)
    yield from _rows(reason.counted, telling.kept(reason.counted), language)


def _rows(rows: Misses, heading: Words, language: str) -> Iterator[str]:
    if rows.rows:
        yield _indented(heading, language, 2)
    for row in rows.rows:
        yield f"      {row.source_id}  {row.sentence.in_(language)}"


def _indented(sentence: Words, language: str, depth: int = 1) -> str:
    return f"{'  ' * depth}{sentence.in_(language)}"


# --- For programs ---------------------------------------------------------------------------------


def _records(told: Explained, language: str) -> Iterator[Row]:
    from rewards.statements import telling

    for each in told.explanations:
        about: Row = {"subject": each.subject}
        if each.judged:
            about = {**about, **_about(each.judged)}
            yield from _decision_records(each.judged, about, language)
        for posted in each.posted:
            yield {
                **about,
                "record": "entry",
                "on": posted.on,
                "points": posted.moved,
                "why": posted.why.in_(language),
                "key": posted.key,
                "entry": posted.entry,
                "account": posted.account,
                "settles": posted.settles,
                "corrects": posted.corrects,
                "held_until": posted.held_until,
                "needs_approval": posted.needs_approval,
                "at": posted.recorded_at,
                "intact": posted.intact,
            }
    for other in told.not_for:
        yield {
            "record": "not_for",
            "period": str(told.period) if told.period else None,
            "rule": other.rule.code,
            "rule_version": other.rule.version,
            "why": telling.not_for(other).in_(language),
        }


def _about(judged: Judged) -> Row:
    return {
        "on": judged.on,
        "period": str(judged.period) if judged.period else None,
        "rule": judged.decision.rule.code,
        "rule_version": judged.decision.rule.version,
    }


def _decision_records(judged: Judged, about: Row, language: str) -> Iterator[Row]:
    published = judged.published
    yield {
        **about,
        "record": "decision",
        "verdict": judged.verdict.value,
        "points": judged.points,
        "why": judged.decision.sentence.in_(language),
        "key": judged.event.key if judged.event else None,
        "at": judged.event.recorded_at if judged.event else judged.closed_at,
        "by": None if judged.event else judged.closed_by,
        "intact": judged.agrees,
    }
    yield {
        **about,
        "record": "rule",
        "why": published.why,
        "at": published.at,
        "by": published.by,
        "approved_by": published.approved_by,
        "intact": published.intact,
    }
    for reason in judged.reasons:
        yield from _reason_records(reason, about, language)
    if judged.unpaid:
        yield {**about, "record": "unpaid", "why": judged.unpaid.in_(language)}
    for step in judged.way.steps if judged.way else ():
        yield {
            **about,
            "record": "step",
            "why": step.sentence.in_(language),
            "gap": step.gap,
            "reachable": step.reachable,
        }
    for proposed in judged.proposals:
        yield {
            **about,
            "record": "proposal",
            "points": proposed.points,
            "why": proposed.why.in_(language),
            "entry": proposed.number,
            "at": proposed.at,
            "by": proposed.by,
            "approved_by": proposed.settled_by if proposed.approved else None,
        }


def _reason_records(reason: Reason, about: Row, language: str) -> Iterator[Row]:
    found: Row = {
        **about,
        "record": "finding",
        "verdict": reason.verdict.value,
        "why": reason.sentence.in_(language),
    }
    kpi = None
    if figure := reason.figure:
        from api import telling

        kpi = figure.kpi
        hits, of = telling.sums(figure)
        found = {
            **found,
            "kpi": kpi,
            "value": figure.value,
            "hits": hits,
            "of": of,
            "n": figure.n,
            "coverage": figure.coverage,
            "state": figure.state.value if figure.state else None,
            "target": figure.target.value if figure.target else None,
            "definition_version": figure.definition_version,
            "formula": reason.formula.in_(language) if reason.formula else None,
            "as_of": figure.as_of,
        }
    yield found
    for record, rows in (("row", reason.behind), ("kept", reason.counted)):
        for row in rows.rows:
            yield {
                **about,
                "record": record,
                "on": row.day,
                "kpi": kpi,
                "source_id": row.source_id,
                "why": row.sentence.in_(language),
            }
