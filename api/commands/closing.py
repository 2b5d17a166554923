"""Closing a period: figures frozen, rules decided, points awarded, once."""

from __future__ import annotations

import typer

from api.commands.options import Database, Form, In, Now, PeriodText
from api.printing import Format, Row, print_rows, say

IN_TABLE = ("period", "rule", "version", "met", "not_met", "unknown", "awarded", "unfunded")
OUTCOMES = (*IN_TABLE, "limited", "held", "cut")


def close(
    period: PeriodText,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Freeze a period's scorecards, decide its rules and award what was earned. Once."""
    from api.wiring import actor, moment, open_house
    from partner_cx.periods import Period
    from rewards import closings

    chosen = Period.parse(period)
    with open_house(database) as house:
        closed = closings.close(
            house.engine,
            chosen,
            now=moment(now, house.settings),
            by=actor(),
            settings=house.settings,
        )
    rows: list[Row] = [
        {
            "period": str(chosen),
            "rule": outcome.rule.code,
            "version": outcome.rule.version,
            "met": outcome.met,
            "not_met": outcome.not_met,
            "unknown": outcome.unknown,
            "awarded": outcome.points_awarded,
            "unfunded": outcome.points_unfunded,
            "limited": outcome.limited,
            "held": outcome.points_held,
            "cut": outcome.points_cut,
        }
        for outcome in closed.outcomes
    ]
    spoken = language or house.language
    print_rows(rows, OUTCOMES, form=form, in_table=IN_TABLE, language=spoken)
    for sentence in closed.sentences:
        say(sentence.in_(spoken))
    if closed.points_unfunded:
        raise typer.Exit(1)
