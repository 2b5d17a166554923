"""How an award is told: what it comes to, what limits leave of it, and what a rule's test shows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from partner_cx.measures.figures import Figure
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.sentences.figures import Bound, joined_to, missed, reached
from rewards.sentences.numbers import (
    both,
    day_text,
    decimals_between,
    gap,
    how_many,
    in_period,
    label,
    lower_is_better,
    points,
    value,
)
from rewards.sentences.things import DAYS, counted, events

LEFT_OPEN = Words("left open", "en suspens")
NO_POINTS = Words("no points", "pas de points")
_VERDICTS = {
    "met": Words("met", "remplie"),
    "not_met": Words("not met", "non remplie"),
    "unknown": LEFT_OPEN,
}


def on_event(kind: EventKind, day: date) -> Words:
    """`report accepted on 9 April 2026`."""
    return Words("{event} on {day}", "{event} le {day}").format(
        event=events(kind).one, day=day_text(day)
    )


def points_per_unit(kpi: str, start: Fraction, unit: Fraction, each: int, cap: int | None) -> Words:
    """`100 points for each 1 pt of OTIF above 95%, at most 500 points`."""
    most = Words("", "")
    if cap is not None:
        most = Words(", at most {cap}", ", {cap} au plus").format(cap=points(cap))
    return Words(
        "{points} for each {unit} of {kpi} {beyond}{most}",
        "{points} par tranche de {unit} ({kpi} {beyond}){most}",
    ).format(
        points=points(each), unit=gap(kpi, unit), kpi=label(kpi), beyond=_beyond(kpi, start),
        most=most,
    )  # fmt: skip


def points_by_steps(kpi: str, steps: Sequence[tuple[Fraction, int]]) -> Words:
    """`100 points from OTIF 95%, 300 points from 98%`."""
    told = [_step(kpi, reaches, earned) for reaches, earned in steps]
    together = both(lambda lang: ", ".join(step.in_(lang) for step in told))
    return Words("{kpi}: {steps}", "{kpi}\u202f: {steps}").format(kpi=label(kpi), steps=together)


def per_unit(
    figure: Figure, start: Fraction, unit: Fraction, units: int, each: int, earned: int
) -> Words:
    """`OTIF 97.30% (above 95%, 412 lines): 2 × 1 pt at 100 points, that is 200 points.`"""
    whole = Words("", "")
    if earned < units * each:
        whole = Words("capped at {earned}", "plafonné à {earned}")
    else:
        whole = Words("that is {earned}", "soit {earned}")
    rest = Words(
        "{units} × {unit} at {each}, {whole}.", "{units} × {unit} à {each}, {whole}."
    ).format(
        units=how_many(units),
        unit=gap(figure.kpi, unit),
        each=points(each),
        whole=whole.format(earned=points(earned)),
    )
    return _measured_by(figure, start, rest)


def no_unit(figure: Figure, start: Fraction, unit: Fraction) -> Words:
    """`OTIF 95.70% (above 95%, 412 lines): less than 1 pt beyond it.`"""
    rest = Words("less than {unit} beyond it.", "moins de {unit} au-delà.").format(
        unit=gap(figure.kpi, unit)
    )
    return _measured_by(figure, start, rest)


def step_reached(
    figure: Figure, reaches: Fraction, following: tuple[Fraction, int] | None
) -> Words:
    """`OTIF 96.40% (step 95%, 412 lines): reached. Next: 500 points from 98%.`

    following: the next step, if there is one: from where, and what it earns.
    """
    told = reached(figure, _step_bound(figure.kpi, reaches))
    if following is None:
        return told
    more = Words(" Next: {step}.", " Ensuite\u202f: {step}.").format(
        step=_step(figure.kpi, *following)
    )
    return joined_to(told, more)


def no_step_reached(figure: Figure, lowest: Fraction) -> Words:
    """`OTIF 94.40% (step 95%, 412 lines): 0.6 pt short, 3 more lines …`."""
    return missed(figure, _step_bound(figure.kpi, lowest))


def cooling_down(last_on: date, days: int, again_on: date) -> Words:
    return Words(
        "Already won on {last}, and the next award comes {days} later at the earliest: possible "
        "again from {again}.",
        "Déjà obtenu le {last}, et le gain suivant vient au plus tôt {days} après\u202f: à nouveau "
        "possible à partir du {again}.",
    ).format(last=day_text(last_on), days=DAYS.times(days), again=day_text(again_on))


def often_enough(times: int, period: Period) -> Words:
    return Words(
        "Won {times} {period}, which is the limit: possible again from {again}.",
        "Obtenu {times} {period}, ce qui est la limite\u202f: à nouveau possible à partir du "
        "{again}.",
    ).format(times=_times(times), period=in_period(period), again=day_text(period.end_day))


def much_enough(limit: int, won: int, left: int, earned: int, period: Period) -> Words:
    """`The limit is 2,000 points in 2026, 1,800 won so far: 200 of 500 points are left. …`"""
    what_is_left = Words("nothing is left of {earned}", "il ne reste rien sur {earned}")
    if left:
        what_is_left = Words("{left} of {earned} are left", "il reste {left} sur {earned}")
    return Words(
        "The limit is {limit} {period}, {won} won so far: {what}. Possible again from {again}.",
        "Le plafond est de {limit} {period}, dont {won} déjà obtenus\u202f: {what}. À nouveau "
        "possible à partir du {again}.",
    ).format(
        limit=points(limit),
        period=in_period(period),
        won=how_many(won),
        what=what_is_left.format(left=how_many(left), earned=points(earned)),
        again=day_text(period.end_day),
    )


def otherwise(verdict: str, expected_points: int | None, came_to: Words) -> Words:
    """What a rule's test expected, and what it came to.

    `Expected: met, 500 points. It came to: Bonus, Q2 2026: no points. …`
    """
    expected = _VERDICTS[verdict]
    if expected_points is not None:
        expected = Words("{verdict}, {points}", "{verdict}, {points}").format(
            verdict=expected, points=points(expected_points)
        )
    return Words(
        "Expected: {expected}. It came to: {came_to}",
        "Attendu\u202f: {expected}. Obtenu\u202f: {came_to}",
    ).format(expected=expected, came_to=came_to)


def _measured_by(figure: Figure, start: Fraction, rest: Words) -> Words:
    assert figure.value is not None
    decimals = decimals_between(figure.kpi, figure.value, start)
    return Words(
        "{label} {value} ({beyond}, {sample}): {rest}",
        "{label} {value} ({beyond}, {sample})\u202f: {rest}",
    ).format(
        label=label(figure.kpi),
        value=value(figure.kpi, figure.value, decimals),
        beyond=_beyond(figure.kpi, start),
        sample=counted(figure.kpi).times(figure.n),
        rest=rest,
    )


def _beyond(kpi: str, start: Fraction) -> Words:
    way = Words("above {start}", "au-dessus de {start}")
    if lower_is_better(kpi):
        way = Words("below {start}", "au-dessous de {start}")
    return way.format(start=_exact(kpi, start))


def _step(kpi: str, reaches: Fraction, earned: int) -> Words:
    return Words("{points} from {reaches}", "{points} dès {reaches}").format(
        points=points(earned), reaches=_exact(kpi, reaches)
    )


def _step_bound(kpi: str, reaches: Fraction) -> Bound:
    return Bound(reaches, Words("step", "palier"), lower_is_better(kpi))


def _exact(kpi: str, number: Fraction) -> Words:
    return value(kpi, number, decimals_between(kpi, number, Fraction(0)), short=True)


def _times(times: int) -> Words:
    """`once`, `twice`, `4 times`."""
    en = {1: "once", 2: "twice"}.get(times, f"{how_many(times).en} times")
    return Words(en, f"{how_many(times).fr} fois")
