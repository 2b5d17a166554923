"""What it would have taken: one step towards an award, as a partner reads it."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from partner_cx.measures.figures import Figure
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.evidence import EventsAsked, Peers
from rewards.sentences.figures import no_peers, too_few_peers
from rewards.sentences.numbers import (
    day_text,
    decimals_between,
    gap,
    in_period,
    label,
    listed,
    lower_is_better,
    value,
)
from rewards.sentences.things import DAYS, MONTHS, counted, events


def hits_to(figure: Figure, bound: Fraction, count: int, *, beyond: bool) -> Words:
    """`OTIF at 95%: 3 more lines on time.` beyond: the bound itself isn't enough."""
    things = counted(figure.kpi).times(count, hit=not lower_is_better(figure.kpi))
    number, called = things.en.split(" ", 1)
    if lower_is_better(figure.kpi):
        what = Words(f"{number} fewer {called}", f"{things.fr} de moins")
    else:
        what = Words(f"{number} more {called}", f"{things.fr} de plus")
    return _at(figure, bound, what, beyond=beyond)


def distance_to(figure: Figure, bound: Fraction, *, beyond: bool) -> Words:
    """`NPS at 30: 4 pt more.`, where it isn't made of things that can be counted."""
    assert figure.value is not None
    if beyond and figure.value == bound:
        what = Words("as good as that, and has to be better", "atteint, mais il faut faire mieux")
        return _at(figure, bound, what, beyond=beyond)
    decimals = decimals_between(figure.kpi, figure.value, bound)
    more = ("less", "de moins") if lower_is_better(figure.kpi) else ("more", "de plus")
    what = Words(f"{{gap}} {more[0]}", f"{{gap}} {more[1]}")
    missing = gap(figure.kpi, bound - figure.value, decimals)
    return _at(figure, bound, what.format(gap=missing), beyond=beyond)


def sure_of(figure: Figure, bound: Fraction, end: Fraction, *, lower: bool) -> Words:
    """`OTIF surely at least 95%: the lower end of its interval is at 93.1%, …`"""
    text = Words(
        "{label} surely at most {bound}: the upper end of its interval is at {end}. A larger "
        "sample narrows it.",
        "{label} à coup sûr au plus à {bound}\u202f: le haut de son intervalle est à {end}. Un "
        "échantillon plus grand le resserre.",
    )
    if lower:
        text = Words(
            "{label} surely at least {bound}: the lower end of its interval is at {end}. A larger "
            "sample narrows it.",
            "{label} à coup sûr au moins à {bound}\u202f: le bas de son intervalle est à {end}. Un "
            "échantillon plus grand le resserre.",
        )
    return text.format(
        label=label(figure.kpi),
        bound=value(figure.kpi, bound, short=True),
        end=value(figure.kpi, end, decimals_between(figure.kpi, end, bound)),
    )


def out_of_scale(figure: Figure, bound: Fraction) -> Words:
    return Words(
        "{label} can't be better than {bound}.", "{label} ne peut pas dépasser {bound}."
    ).format(label=label(figure.kpi), bound=value(figure.kpi, bound, short=True))


def more_to_judge(kpi: str, count: int) -> Words:
    """`Portal adoption needs 2 more accounts to be judged.`"""
    things = counted(kpi).times(count)
    number, called = things.en.split(" ", 1)
    return Words(
        "{label} needs {number} more {called} to be judged.",
        "{label}\u202f: {things} de plus pour un verdict.",
    ).format(label=label(kpi), number=number, called=called, things=things)


def more_coverage(kpi: str, coverage: Fraction, least: Fraction) -> Words:
    return Words(
        "{label} needs data of {least} of what should be there to be judged, and has {coverage}.",
        "{label}\u202f: les données doivent couvrir {least} pour un verdict, contre {coverage}.",
    ).format(
        label=label(kpi),
        least=value("otif", least, short=True),
        coverage=value("otif", coverage, decimals_between("otif", coverage, least)),
    )


def fresh_source(kpi: str) -> Words:
    return Words(
        "{label} needs its source refreshed to be judged.",
        "{label}\u202f: la source doit être rafraîchie pour un verdict.",
    ).format(label=label(kpi))


def any_data(kpi: str) -> Words:
    return Words(
        "{label} needs data to be judged.", "{label}\u202f: il faut des données pour un verdict."
    ).format(label=label(kpi))


def a_target(kpi: str) -> Words:
    return Words(
        "{label} can't be judged before a target is set for it.",
        "{label} reste sans verdict tant qu’aucun objectif n’est fixé.",
    ).format(label=label(kpi))


def nothing_earlier(kpi: str, earlier: Period) -> Words:
    reason = Words("nothing {when}", "rien {when}").format(when=in_period(earlier))
    return _held_up(kpi, reason)


def no_comparison(kpi: str, peers: Peers) -> Words:
    return _held_up(kpi, no_peers(peers))


def more_peers(kpi: str, peers: Peers, members: int, least: int) -> Words:
    return _held_up(kpi, too_few_peers(peers, members, least))


def only_for(groups: list[str]) -> Words:
    either = listed([Words(group, group) for group in groups], last=Words("or", "ou"))
    return Words(
        "Only partners of {groups} can earn it.",
        "Réservé aux partenaires de {groups}.",
    ).format(groups=either)


def more_months(count: int, reached_on: date) -> Words:
    """`3 more months as a partner, on 9 April 2027.`"""
    number, called = MONTHS.times(count).en.split(" ", 1)
    return Words(
        "{number} more {called} as a partner, on {day}.",
        "{months} de plus comme partenaire, le {day}.",
    ).format(number=number, called=called, months=MONTHS.times(count), day=day_text(reached_on))


def since_when() -> Words:
    return Words(
        "The day it joined has to be known.", "La date d’entrée dans le réseau doit être connue."
    )


def more_events(asked: EventsAsked, count: int, by: date) -> Words:
    """`2 more reports accepted by 30 June 2026.`"""
    times = events(asked.kind).times(count)
    number, called = times.en.split(" ", 1)
    text = Words(
        "{number} more {called}{about} by {day}.", "{times} de plus{about} d’ici le {day}."
    )
    if asked.days is not None:
        text = Words(
            "{number} more {called}{about} within {days}.", "{times} de plus{about} en {days}."
        )
    return text.format(
        number=number,
        called=called,
        times=times,
        about=_about(asked.subject),
        day=day_text(by),
        days=DAYS.times(asked.days or 0),
    )


def only_about(subjects: tuple[str, ...]) -> Words:
    quoted = [Words(f"“{each}”", f"«\u202f{each}\u202f»") for each in subjects]
    return Words(
        "Only what is about {subjects} earns it.", "Seul compte ce qui porte sur {subjects}."
    ).format(subjects=listed(quoted, last=Words("or", "ou")))


def _held_up(kpi: str, reason: Words) -> Words:
    """What no effort of the partner's changes."""
    return Words(
        "{label} has nothing to be compared with: {reason}.",
        "{label} sans comparaison possible\u202f: {reason}.",
    ).format(label=label(kpi), reason=reason)


def _about(subject: str | None) -> Words:
    if subject is None:
        return Words("", "")
    return Words(f" about “{subject}”", f" au sujet de «\u202f{subject}\u202f»")


def _at(figure: Figure, bound: Fraction, what: Words, *, beyond: bool) -> Words:
    where = Words("at", "à")
    if beyond:
        lower = lower_is_better(figure.kpi)
        where = Words("below", "en dessous de") if lower else Words("above", "au-dessus de")
    return Words(
        "{label} {where} {bound}: {what}.", "{label} {where} {bound}\u202f: {what}."
    ).format(
        label=label(figure.kpi),
        where=where,
        bound=value(figure.kpi, bound, short=True),
        what=what,
    )
