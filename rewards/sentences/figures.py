"""How a figure is told to the person it decides about: against its target, its past, its peers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor

from partner_cx.measures.figures import Figure
from partner_cx.quantities import NOTHING, percent
from partner_cx.words import Words
from rewards.evidence import Peers
from rewards.sentences.numbers import (
    both,
    day_text,
    decimals_apart,
    decimals_between,
    decimals_needed,
    gap,
    how_many,
    is_share,
    label,
    lower_is_better,
    value,
)
from rewards.sentences.things import PARTNERS, counted

NO_DATA = Words(en="no data", fr="aucune donnée")
NOT_CLOSED = Words(en="no figure was closed by then", fr="aucun chiffre clôturé à ce moment-là")
NO_TARGET = Words(en="no target holds for it", fr="aucun objectif n’est fixé")
NO_INTERVAL = Words(en="its interval isn't known", fr="son intervalle n’est pas connu")
REACHED = Words(en="reached.", fr="c’est atteint.")


@dataclass(frozen=True)
class Bound:
    """What a figure is held against, and how it is called.

    called: what stands before the value: target, at least, at most.
    """

    value: Fraction
    called: Words
    lower_is_better: bool = False


def reached(figure: Figure, bound: Bound) -> Words:
    """`OTIF 96.40% (target 95%, 412 lines): reached.`"""
    return _told(figure, bound, REACHED)


def missed(figure: Figure, bound: Bound) -> Words:
    """`OTIF 94.40% (target 95%, 412 lines): 0.6 pt short, 3 more lines …`."""
    return _told(figure, bound, _by_how_much(figure, bound, _number(figure)))


def reached_surely(figure: Figure, bound: Bound, end: Fraction, *, lower: bool) -> Words:
    """`OTIF 96.40%, surely at least 94.12% (95% interval; at least 94%, 412 lines): reached.`

    end: the end of the interval that was compared; lower: whether it is the lower one.
    """
    return _told_surely(figure, bound, end, REACHED, lower=lower)


def missed_surely(figure: Figure, bound: Bound, end: Fraction, *, lower: bool) -> Words:
    rest = _by_how_much(figure, bound, end, in_things=False)
    return _told_surely(figure, bound, end, rest, lower=lower)


def measured(figure: Figure) -> Words:
    """A figure by itself: `OTIF 96.40%`, or `OTIF –` where there was nothing to measure."""
    number, kpi = figure.value, figure.kpi
    printed = NOTHING if number is None else value(kpi, number)
    return Words("{label} {value}", "{label} {value}").format(label=label(kpi), value=printed)


def improved(figure: Figure, then: Fraction, when: Words, by: Fraction, *, met: bool) -> Words:
    """`OTIF 96.40% (95.00% in Q1 2026, 412 lines): better by 1.4 pt.`

    when: the earlier period, as in `in Q1 2026`. by: how much better was asked.
    """
    other = Words("{value} {when}", "{value} {when}").format(
        value=value(figure.kpi, then, _decimals(figure, then)), when=when
    )
    return _against(figure, then, other, by, met=met)


def beats(
    figure: Figure, theirs: Fraction, peers: Peers, members: int, by: Fraction, *, met: bool
) -> Words:
    """`OTIF 96.40% (93.00% for the 40 partners of its tier, 412 lines): better by 3.4 pt.`"""
    other = Words("{value} for the {members} {peers}", "{value} pour les {members} {peers}").format(
        value=value(figure.kpi, theirs, _decimals(figure, theirs)),
        members=PARTNERS.times(members),
        peers=_OF_PEERS[peers],
    )
    return _against(figure, theirs, other, by, met=met)


def undecided(kpi: str, reason: Words) -> Words:
    """`Portal adoption can't be judged: too small a sample, 3 of at least 5.`"""
    return Words(
        en="{label} can't be judged: {reason}.", fr="{label} sans verdict\u202f: {reason}."
    ).format(label=label(kpi), reason=reason)


def too_small_a_sample(n: int, n_min: int) -> Words:
    return Words(
        en="too small a sample, {n} of at least {n_min}",
        fr="échantillon trop petit, {n} sur au moins {n_min}",
    ).format(n=how_many(n), n_min=how_many(n_min))


def too_little_coverage(coverage: Fraction, coverage_min: Fraction) -> Words:
    decimals = decimals_apart(coverage * 100, coverage_min * 100)

    def brief(share: Fraction) -> Words:
        needed = decimals_needed(share * 100, decimals)
        return both(lambda lang: percent(share, lang, needed))

    text = Words("coverage {coverage} below {least}", "couverture {coverage} inférieure à {least}")
    return text.format(coverage=brief(coverage), least=brief(coverage_min))


def stale(as_of: date | None, days: int | None) -> Words:
    """`stale as of 3 July 2026, its source wasn't refreshed for more than 7 days`."""
    when = length = Words("", "")
    if as_of:
        when = Words(" as of {day}", " au {day}").format(day=day_text(as_of))
    if days:
        length = Words(
            f" for more than {days} day{'' if days == 1 else 's'}",
            f" depuis plus de {days} jour{'' if days == 1 else 's'}",
        )
    return Words(
        en="stale{when}, its source wasn't refreshed{length}",
        fr="donnée périmée{when}, source non rafraîchie{length}",
    ).format(when=when, length=length)


def unknown_earlier(when: Words, reason: Words) -> Words:
    """Why there is nothing to compare a figure with: `in Q1 2026, no data`."""
    return Words("{when}, {reason}", "{when}, {reason}").format(when=when, reason=reason)


def unknown_peers(peers: Peers, reason: Words) -> Words:
    """`for the partners of its tier, no data`."""
    return Words(
        "for the partners {peers}, {reason}", "pour les partenaires {peers}, {reason}"
    ).format(peers=_OF_PEERS[peers], reason=reason)


def no_peers(peers: Peers) -> Words:
    return Words(
        "there is no figure for the partners {peers}",
        "aucun chiffre pour les partenaires {peers}",
    ).format(peers=_OF_PEERS[peers])


def too_few_peers(peers: Peers, members: int, least: int) -> Words:
    return Words(
        "only {members} {peers} to compare with, at least {least} are needed",
        "seulement {members} {peers} à comparer, il en faut au moins {least}",
    ).format(members=PARTNERS.times(members), peers=_OF_PEERS[peers], least=least)


_OF_PEERS = {
    Peers.NETWORK: Words("of the network", "du réseau"),
    Peers.KIND: Words("of its kind", "du même type"),
    Peers.TIER: Words("of its tier", "du même niveau"),
    Peers.REGION: Words("of its region", "de la même région"),
    Peers.COUNTRY: Words("of its country", "du même pays"),
}


def _told(figure: Figure, bound: Bound, rest: Words) -> Words:
    """The figure with its bound and its sample, then what follows from them."""
    decimals = _decimals(figure, bound.value)
    return _with_sample(
        figure,
        value(figure.kpi, _number(figure), decimals),
        _limit(figure, bound, decimals),
        rest,
    )


def _told_surely(figure: Figure, bound: Bound, end: Fraction, rest: Words, *, lower: bool) -> Words:
    kpi, decimals = figure.kpi, decimals_between(figure.kpi, end, bound.value)
    surely = (
        Words("{value}, surely at least {end}", "{value}, à coup sûr au moins {end}")
        if lower
        else Words("{value}, surely at most {end}", "{value}, à coup sûr au plus {end}")
    ).format(value=value(kpi, _number(figure)), end=value(kpi, end, decimals))
    limit = Words("95% interval; {limit}", "intervalle à 95\u202f%\u202f; {limit}").format(
        limit=_limit(figure, bound, decimals)
    )
    return _with_sample(figure, surely, limit, rest)


def _against(figure: Figure, theirs: Fraction, other: Words, by: Fraction, *, met: bool) -> Words:
    """The figure beside another one, and how much better or worse it is."""
    decimals = _decimals(figure, theirs)
    rest = _change(figure, theirs, by)
    if not met:
        asked = Words(", better was asked", ", il fallait mieux")
        if by:
            asked = Words(
                ", at least {by} better was asked", ", il fallait au moins {by} de mieux"
            ).format(by=gap(figure.kpi, by))
        rest = joined_to(rest, asked)
    return _with_sample(
        figure, value(figure.kpi, _number(figure), decimals), other, joined_to(rest, FULL_STOP)
    )


def _change(figure: Figure, theirs: Fraction, by: Fraction) -> Words:
    distance = _number(figure) - theirs
    if not distance:
        return Words("the same", "inchangé")
    better = (distance < 0) is lower_is_better(figure.kpi)
    text = Words("better by {gap}", "mieux de {gap}")
    if not better:
        text = Words("worse by {gap}", "moins bien de {gap}")
    decimals = decimals_between(figure.kpi, abs(distance), by)
    return text.format(gap=gap(figure.kpi, distance, decimals))


FULL_STOP = Words(".", ".")


def joined_to(one: Words, other: Words) -> Words:
    return both(lambda lang: one.in_(lang) + other.in_(lang))


def _with_sample(figure: Figure, printed: Words, beside: Words, rest: Words) -> Words:
    return Words(
        en="{label} {value} ({beside}, {sample}): {rest}",
        fr="{label} {value} ({beside}, {sample})\u202f: {rest}",
    ).format(
        label=label(figure.kpi),
        value=printed,
        beside=beside,
        sample=counted(figure.kpi).times(figure.n),
        rest=rest,
    )


def _limit(figure: Figure, bound: Bound, decimals: int) -> Words:
    return Words("{called} {limit}", "{called} {limit}").format(
        called=bound.called, limit=value(figure.kpi, bound.value, decimals, short=True)
    )


def _by_how_much(
    figure: Figure, bound: Bound, number: Fraction, *, in_things: bool = True
) -> Words:
    if bound.lower_is_better:
        text = Words(en="{gap} over{things}.", fr="{gap} de trop{things}.")
    else:
        text = Words(en="{gap} short{things}.", fr="il manque {gap}{things}.")
    decimals = decimals_between(figure.kpi, number, bound.value)
    things = _things_missing(figure, bound) if in_things else Words("", "")
    return text.format(gap=gap(figure.kpi, bound.value - number, decimals), things=things)


def _things_missing(figure: Figure, bound: Bound) -> Words:
    """`, 3 more lines on time would have reached it`; nothing where hits aren't things.

    Hits are things only in a share where each of the sample is one of `of`: neither in a sum of
    quantities nor in promoters less detractors.
    """
    if not is_share(figure.kpi) or figure.hits is None or not figure.of or figure.of != figure.n:
        return Words("", "")
    things, wanted = counted(figure.kpi), bound.value * figure.of
    if bound.lower_is_better:
        spare = things.times(figure.hits - floor(wanted))
        few, called = spare.en.split(" ", 1)
        enough = f", {few} fewer {called} would have kept to it"
        return Words(enough, f", il aurait suffi de {spare.fr} de moins")
    more = things.times(ceil(wanted) - figure.hits, hit=True)
    few, called = more.en.split(" ", 1)
    enough = f", {few} more {called} would have reached it"
    return Words(enough, f", il aurait suffi de {more.fr} de plus")


def _decimals(figure: Figure, other: Fraction) -> int:
    return decimals_between(figure.kpi, _number(figure), other)


def _number(figure: Figure) -> Fraction:
    assert figure.value is not None, "only what was measured is compared"
    return figure.value
