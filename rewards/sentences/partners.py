"""How conditions on the partner and on events are told, and several conditions together."""

from __future__ import annotations

from datetime import date

from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards.evidence import EventsAsked
from rewards.sentences.figures import REACHED
from rewards.sentences.numbers import day_text, how_many, in_period, listed
from rewards.sentences.things import DAYS, MONTHS, events

NOBODY_TO_AWARD = Words(
    "The award goes to whoever did it, and nobody knows who that was.",
    "Les points vont à la personne qui l’a fait, et on ne sait pas qui c’est.",
)
NOBODY_KNOWS_SINCE_WHEN = Words(
    "The day it joined the network isn't known.",
    "La date d’entrée dans le réseau n’est pas connue.",
)
_SUBJECTS_SHOWN = 3


def belonging(group: str, *, met: bool) -> Words:
    if met:
        return Words("Belongs to {group}.", "Fait partie de {group}.").format(group=group)
    text = Words("Doesn't belong to {group}.", "Ne fait pas partie de {group}.")
    return text.format(group=group)


def partner_since(joined_on: date, months: int, reached_on: date, *, met: bool) -> Words:
    """`Partner since 3 March 2026: 12 months are reached on 3 March 2027.`"""
    text = Words(
        "Partner since {since}: at least {months}.",
        "Partenaire depuis le {since}\u202f: au moins {months}.",
    )
    if not met:
        text = Words(
            "Partner since {since}: {months} to be reached on {reached}.",
            "Partenaire depuis le {since}\u202f: {months} à atteindre le {reached}.",
        )
    return text.format(
        since=day_text(joined_on), months=MONTHS.times(months), reached=day_text(reached_on)
    )


def so_many_met(met: int, count: int, of: int) -> Words:
    """`1 of 3 conditions met, at least 2 asked.`"""
    filled = "condition remplie" if met < 2 else "conditions remplies"
    return Words(
        f"{met} of {of} conditions met, at least {count} asked.",
        f"{met} {filled} sur {of}, il en faut au moins {count}.",
    )


def never_told_of(kind: EventKind) -> Words:
    return Words(
        "The programme has never been told of any {thing}.",
        "Le programme n’a encore rien reçu de ce type\u202f: {thing}.",
    ).format(thing=events(kind).one)


def happened(asked: EventsAsked, count: int, wanted: int, period: Period) -> Words:
    """`2 reports accepted in Q2 2026 (at least 3): 1 short.`"""
    rest = REACHED
    if count < wanted:
        rest = Words("{missing} short.", "il en manque {missing}.").format(
            missing=how_many(wanted - count)
        )
    about = Words("", "")
    if asked.subject is not None:
        about = Words(" about {subject}", " au sujet de {subject}").format(
            subject=_quoted(asked.subject)
        )
    return Words(
        "{things}{about} {when} (at least {wanted}): {rest}",
        "{things}{about} {when} (au moins {wanted})\u202f: {rest}",
    ).format(
        things=events(asked.kind).times(count),
        about=about,
        when=in_period(period) if asked.days is None else _in_days(asked.days),
        wanted=how_many(wanted),
        rest=rest,
    )


def about(subject: str | None, wanted: tuple[str, ...], *, met: bool) -> Words:
    """`It is about “spring”, not about “autumn” or “winter”.`"""
    if met and subject is not None:
        return Words("It is about {subject}.", "Porte sur {subject}.").format(
            subject=_quoted(subject)
        )
    asked = [_quoted(each) for each in wanted[:_SUBJECTS_SHOWN]]
    if len(wanted) > _SUBJECTS_SHOWN:
        more = len(wanted) - _SUBJECTS_SHOWN
        asked.append(Words(f"{more} more", f"{more} autre{'s' if more > 1 else ''}"))
    text = Words(
        "It is about {subject}, not about {asked}.",
        "Porte sur {subject}, et non sur {asked}.",
    )
    if subject is None:
        text = Words(
            "It isn't said what it is about; it had to be {asked}.",
            "Sujet non précisé\u202f; il fallait {asked}.",
        )
    return text.format(subject=_quoted(subject or ""), asked=listed(asked, last=Words("or", "ou")))


def _in_days(days: int) -> Words:
    if days == 1:
        return Words("on the day", "le jour même")
    return Words("within {days}", "en {days}").format(days=DAYS.times(days))


def _quoted(text: str) -> Words:
    return Words(f"“{text}”", f"«\u202f{text}\u202f»")
