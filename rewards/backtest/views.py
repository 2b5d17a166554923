"""Views of a back-test: flat rows for tables, sentences for their head, data for a page."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from partner_cx.periods import Period
from partner_cx.quantities import number_text
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Verdict

if TYPE_CHECKING:
    from rewards.backtest import BackTest

Row = dict[str, Any]


def partner_rows(test: BackTest) -> Iterator[Row]:
    """A row per period and partner; on events one per event."""
    for line in test.lines:
        yield {
            "period": str(line.period),
            "day": line.on,
            "partner": line.candidate.code,
            "verdict": line.verdict.value,
            "points": line.points,
            "paid": line.paid,
            "running_cost": line.running_cost,
        }


def period_rows(test: BackTest) -> Iterator[Row]:
    for run in test.periods:
        yield {
            "period": str(run.period),
            "basis": run.basis.value,
            "version": run.version,
            "partners": run.audience,
            **{verdict.value: run.verdicts.get(verdict, 0) for verdict in Verdict},
            "points": run.points,
            "paid": run.paid,
            "running_cost": run.running_cost,
            "left": run.left,
        }


def change_rows(test: BackTest) -> Iterator[Row]:
    for change in test.changes:
        yield {
            "partner": change.partner_code,
            "before": change.before,
            "after": change.after,
            "difference": change.difference,
            "change": change.direction.value,
        }


def reach_rows(test: BackTest, language: str = "en") -> Iterator[Row]:
    for within in test.reach:
        yield {
            "partner": within.candidate.code,
            "verdict": within.verdict.value,
            "steps": len(within.way.steps),
            "gap": within.gap,
            "reachable": within.way.reachable,
            "way": within.sentence.in_(language),
        }


def fairness_rows(test: BackTest) -> Iterator[Row]:
    for share in test.fairness:
        yield {
            "by": share.by,
            "group": share.group,
            "members": share.members,
            "could_win": share.could_win,
            "won": share.won,
            "points": share.points,
            "share": share.share,
            "small": share.small,
        }


def told(test: BackTest) -> list[Words]:
    """The head of the table: what it would have cost, and whether the budget would have lasted."""
    said = [_cost(test)]
    if test.short is not None:
        said.append(_ran_short(test))
    elif test.budget_points is not None:
        left = sentences.points(test.budget_points - test.cost)
        said.append(
            Words(
                "The budget would have lasted: {left} left.",
                "Le budget aurait suffi\u202f: il reste {left}.",
            ).format(left=left)
        )
    if test.against is not None:
        said.append(_against(test))
    return said


def to_plain(test: BackTest) -> dict[str, Any]:
    """Everything as plain data: series by period, lines, changes, reach and shares by group."""
    said = sentences.joined(told(test))
    return {
        "rule": {"code": test.rule.code, "version": test.rule.version},
        "as_published": test.as_published,
        "budget_points": test.budget_points,
        "points": test.points,
        "cost": test.cost,
        "short_in": str(test.short.period) if test.short else None,
        "sentence": {"en": said.en, "fr": said.fr},
        "periods": [_plain(row) for row in period_rows(test)],
        "partners": [_plain(row) for row in partner_rows(test)],
        "changes": [_plain(row) for row in change_rows(test)],
        "reach": [_plain(row) for row in reach_rows(test)],
        "fairness": [_plain(row) for row in fairness_rows(test)],
    }


def _cost(test: BackTest) -> Words:
    winners = {line.candidate.code for line in test.lines if line.points}
    awards = sum(line.points > 0 for line in test.lines)
    return Words(
        "{label}, {when}: {awards} awards to {winners} partners, {points} earned, {paid} paid.",
        "{label}, {when}\u202f: nombre de primes {awards}, partenaires récompensés {winners}, "
        "{points} gagnés, {paid} payés.",
    ).format(
        label=test.rule.label,
        when=_when(test),
        awards=_number(awards),
        winners=_number(len(winners)),
        points=sentences.points(test.points),
        paid=sentences.points(test.cost),
    )


def _when(test: BackTest) -> Words:
    first, last = _label(test.periods[0].period), _label(test.periods[-1].period)
    if first == last:
        return first
    return Words("{first} to {last}", "de {first} à {last}").format(first=first, last=last)


def _ran_short(test: BackTest) -> Words:
    assert test.short is not None
    return Words(
        "The budget would have run out in {period}, on {day}: {unpaid} unpaid.",
        "Le budget aurait été épuisé en {period}, le {day}\u202f: {unpaid} impayés.",
    ).format(
        period=_label(test.short.period),
        day=sentences.day_text(test.short.lines[0].on),
        unpaid=sentences.points(test.short.unpaid),
    )


def _against(test: BackTest) -> Words:
    assert test.against is not None
    directions = [change.direction.value for change in test.changes]
    return Words(
        "Against version {version} of {code}: {gains} partners gain, {loses} lose, {same} stay "
        "the same; {before} became {after}.",
        "Par rapport à la version {version} de {code}\u202f: gagnants {gains}, perdants {loses}, "
        "inchangés {same}\u202f; de {before} à {after}.",
    ).format(
        version=test.against.rule.version,
        code=test.against.rule.code,
        gains=_number(directions.count("gains")),
        loses=_number(directions.count("loses")),
        same=_number(directions.count("same")),
        before=sentences.points(test.against.points),
        after=sentences.points(test.points),
    )


def _plain(row: Row) -> Row:
    return {name: _plain_value(value) for name, value in row.items()}


def _plain_value(value: object) -> object:
    if isinstance(value, Fraction):
        return str(value)
    return value if isinstance(value, int | str | bool | None) else str(value)


def _label(period: Period) -> Words:
    return Words(period.label("en"), period.label("fr"))


def _number(count: int) -> Words:
    return Words(number_text(count, "en"), number_text(count, "fr"))
