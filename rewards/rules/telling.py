"""What a rule says, in sentences: each part as a manager, a partner or an auditor reads it.

Before it stands a rule; after it the page that shows it, and the form beside which it is read back.
`sentences` tells what was found; this tells what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from partner_cx.network.names import PartnerKind
from partner_cx.periods import PeriodKind
from partner_cx.quantities import percent
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import (
    AllOf,
    AnyOf,
    AtLeastOf,
    Compared,
    Condition,
    EventAbout,
    EventsAtLeast,
    KpiAtLeast,
    KpiAtMost,
    KpiBeats,
    KpiImproved,
    KpiIsGreen,
    PartnerFor,
    PartnerIn,
)
from rewards.evidence import Earlier, Peers
from rewards.rules import Level, Limit, PointsPerUnit, Recipient, Rule, Shortage, TieredPoints
from rewards.sentences.numbers import both, gap, how_many, listed, value
from rewards.sentences.things import DAYS, MONTHS, counted, events

EVERY = {
    PeriodKind.MONTH: Words("Each month, at its close", "Chaque mois, à la clôture"),
    PeriodKind.QUARTER: Words("Each quarter, at its close", "Chaque trimestre, à la clôture"),
    PeriodKind.YEAR: Words("Each year, at its close", "Chaque année, à la clôture"),
}
PERIODS = {
    PeriodKind.MONTH: Words("month", "mois"),
    PeriodKind.QUARTER: Words("quarter", "trimestre"),
    PeriodKind.YEAR: Words("year", "an"),
}
KINDS = {
    PartnerKind.DISTRIBUTOR: Words("distributors", "distributeurs"),
    PartnerKind.RESELLER: Words("resellers", "revendeurs"),
    PartnerKind.INSTALLER: Words("installers", "installateurs"),
    PartnerKind.AGENCY: Words("agencies", "agences"),
}
PEERS = {
    Peers.NETWORK: Words("the network", "du réseau"),
    Peers.KIND: Words("its kind", "de son type"),
    Peers.TIER: Words("its tier", "de son niveau"),
    Peers.REGION: Words("its region", "de sa région"),
    Peers.COUNTRY: Words("its country", "de son pays"),
}
EARLIER = {
    Earlier.PREVIOUS: Words("in the period before", "qu’à la période précédente"),
    Earlier.YEAR_BEFORE: Words("in the same period a year before", "qu’un an plus tôt"),
}
SHORT = {
    Shortage.REFUSE_WHOLE: Words(
        "nobody is paid until it can pay everyone",
        "personne n’est payé tant qu’il ne suffit pas pour tous",
    ),
    Shortage.FIRST_COME: Words(
        "whole awards are paid while it lasts, in an order drawn by lot at a close",
        "des attributions entières sont payées tant qu’il dure, dans un ordre tiré au sort à la "
        "clôture",
    ),
    Shortage.PRO_RATA: Words(
        "everyone gets the same share, once and for all",
        "chacun reçoit la même part, une fois pour toutes",
    ),
}
SURELY = {
    Compared.VALUE: Words("", ""),
    Compared.LOWER: Words(
        "surely (by the lower end of its 95% interval) ",
        "à coup sûr (par le bas de son intervalle à 95\u202f%) ",
    ),
    Compared.UPPER: Words(
        "surely (by the upper end of its 95% interval) ",
        "à coup sûr (par le haut de son intervalle à 95\u202f%) ",
    ),
}
_AND, _OR = Words("and", "et"), Words("or", "ou")


@dataclass(frozen=True)
class Clause:
    """A condition in words, with those it is made of."""

    sentence: Words
    parts: tuple[Clause, ...] = ()


def when_told(rule: Rule) -> Words:
    """`Each quarter, at its close, from 1 April 2026 to 31 December 2026.`"""
    if kind := rule.on.event:
        often = Words("On each event: {event}", "À chaque événement\u202f: {event}").format(
            event=events(kind).one
        )
    else:
        often = EVERY[rule.period]
    if rule.ends is None:
        text = Words("{often}, from {starts} on.", "{often}, à partir du {starts}.")
        return text.format(often=often, starts=sentences.day_text(rule.starts))
    return Words("{often}, from {starts} to {ends}.", "{often}, du {starts} au {ends}.").format(
        often=often,
        starts=sentences.day_text(rule.starts),
        ends=sentences.day_text(rule.ends),
    )


def audience_told(rule: Rule) -> Words:
    """`For resellers and installers, of tier gold or silver, in FR.`"""
    audience = rule.audience
    who = Words("every partner", "tous les partenaires")
    if audience.kinds:
        who = listed([KINDS[kind] for kind in audience.kinds], last=_AND)
    narrowed = [who]
    for codes, text in (
        (audience.tiers, Words("of tier {codes}", "de niveau {codes}")),
        (audience.countries, Words("in {codes}", "situés en {codes}")),
        (audience.groups, Words("belonging to {codes}", "membres de {codes}")),
    ):
        if codes:
            either = listed([Words(code, code) for code in codes], last=_OR)
            narrowed.append(text.format(codes=either))
    told = both(lambda lang: ", ".join(each.in_(lang) for each in narrowed))
    judged = Words("For {who}.", "Pour {who}.")
    if rule.measured_on is Level.DISTRIBUTOR:
        judged = Words(
            "For {who}, judged by the figures of their distributor with all its resellers.",
            "Pour {who}, jugés sur les chiffres de leur distributeur avec tous ses revendeurs.",
        )
    return judged.format(who=told)


def conditions_told(rule: Rule) -> tuple[Clause, ...]:
    """Each condition; none where that it happened is enough."""
    return tuple(map(clause, rule.conditions))


def clause(condition: Condition) -> Clause:
    """A condition in words."""
    if isinstance(condition, AllOf | AnyOf | AtLeastOf):
        return Clause(_together(condition), tuple(map(clause, condition.conditions)))
    return Clause(_single(condition))


def award_told(rule: Rule) -> Words:
    """`Gives 500 points to the partner, from budget network-quality.`"""
    text = Words(
        "Gives the partner {award}{sample}, from budget {budget}.",
        "Donne au partenaire {award}{sample}, sur le budget {budget}.",
    )
    if rule.award.to is Recipient.PERSON:
        text = Words(
            "Gives {award}{sample} to the person who did it, from budget {budget}.",
            "Donne {award}{sample} à la personne qui l’a fait, sur le budget {budget}.",
        )
    sample, award = Words("", ""), rule.award.told
    if isinstance(rule.award, PointsPerUnit | TieredPoints):
        sample = _guarded(rule.award.kpi, rule.award.n_min)
    if isinstance(rule.award, TieredPoints):
        award = Words(
            "the highest step reached ({steps})", "le plus haut palier atteint ({steps})"
        ).format(steps=award)
    return text.format(award=award, sample=sample, budget=rule.budget)


def terms_told(rule: Rule) -> list[Words]:
    """Limits, distance, waiting and what happens when the budget is short, a sentence each."""
    told = [_limit(limit) for limit in rule.limits]
    if rule.cool_down_days:
        told.append(
            Words(
                "Two awards lie at least {days} apart.",
                "Deux attributions sont séparées d’au moins {days}.",
            ).format(days=DAYS.times(rule.cool_down_days))
        )
    if rule.hold_days:
        told.append(
            Words(
                "The points are held for {days} before they can be spent.",
                "Les points attendent {days} avant de pouvoir être utilisés.",
            ).format(days=DAYS.times(rule.hold_days))
        )
    if rule.needs_approval:
        told.append(
            Words(
                "Each award waits until a manager approves it.",
                "Chaque attribution attend l’accord d’un responsable.",
            )
        )
    short = Words("When the budget falls short, {what}.", "Si le budget ne suffit pas, {what}.")
    if rule.on.event is None:
        told.append(short.format(what=SHORT[rule.when_short]))
    return told


def whole(rule: Rule) -> Words:
    """The rule in one breath, as the form reads it back."""
    return sentences.joined(
        [
            when_told(rule),
            audience_told(rule),
            *_all_conditions(rule),
            award_told(rule),
            *terms_told(rule),
        ]
    )


def _all_conditions(rule: Rule) -> Iterator[Words]:
    if rule.conditions:
        told = [_flat(each) for each in conditions_told(rule)]
        yield Words("When {all}.", "Quand {all}.").format(all=listed(told, last=_AND))


def _flat(clause: Clause) -> Words:
    """A condition on one line, those inside it in brackets."""
    if not clause.parts:
        return clause.sentence
    inside = both(lambda lang: "; ".join(_flat(part).in_(lang) for part in clause.parts))
    inside = Words(inside.en, inside.fr.replace("; ", "\u202f; "))
    return Words("{what} ({inside})", "{what} ({inside})").format(
        what=clause.sentence, inside=inside
    )


def _together(condition: AllOf | AnyOf | AtLeastOf) -> Words:
    if isinstance(condition, AllOf):
        return Words("all of these hold", "tout ceci est vrai")
    if isinstance(condition, AnyOf):
        return Words("any of these holds", "l’une de ces conditions est vraie")
    return Words(
        f"at least {condition.count} of these hold",
        f"au moins {condition.count} de ces conditions sont vraies",
    )


def _single(condition: Condition) -> Words:
    match condition:
        case KpiIsGreen():
            return Words("{kpi} reaches its target", "{kpi} atteint son objectif").format(
                kpi=sentences.label(condition.kpi)
            )
        case KpiAtLeast() | KpiAtMost():
            return _against(condition)
        case KpiImproved():
            text = Words(
                "{kpi} is better{by} than {when}{sample}",
                "{kpi} est meilleur{by} {when}{sample}",
            )
            return text.format(when=EARLIER[condition.since], **_compared(condition))
        case KpiBeats():
            text = Words(
                "{kpi} is better{by} than that of {peers} taken together{sample}",
                "{kpi} est meilleur{by} que celui {peers} dans son ensemble{sample}",
            )
            return text.format(peers=PEERS[condition.peers], **_compared(condition))
        case PartnerIn():
            return Words(
                "the partner belongs to {group}", "le partenaire est membre de {group}"
            ).format(group=condition.group)
        case PartnerFor():
            return Words(
                "it has been a partner for at least {months}",
                "il est partenaire depuis au moins {months}",
            ).format(months=MONTHS.times(condition.months))
        case EventsAtLeast():
            return _happened(condition)
        case EventAbout():
            subjects = [_quoted(each) for each in condition.subjects]
            return Words("it is about {subjects}", "il porte sur {subjects}").format(
                subjects=listed(subjects, last=_OR)
            )
    raise AssertionError(condition)


def _against(condition: KpiAtLeast | KpiAtMost) -> Words:
    kpi = condition.kpi
    text = Words(
        "{kpi} is {surely}{called} {bound}{sample}{covered}",
        "{kpi} est {surely}d’{called} {bound}{sample}{covered}",
    )
    covered = Words("", "")
    if condition.coverage_min:
        least = both(lambda lang: percent(condition.coverage_min, lang))
        covered = Words(
            " (with data of at least {least})", " (avec des données pour au moins {least})"
        ).format(least=least)
    surely = SURELY[condition.against]
    return text.format(
        kpi=sentences.label(kpi),
        surely=surely,
        called=condition.called,
        bound=value(kpi, condition.threshold, 9, short=True),
        sample=_guarded(kpi, condition.n_min),
        covered=covered,
    )


def _compared(condition: KpiImproved | KpiBeats) -> dict[str, Words]:
    by = Words("", "")
    if condition.by:
        least = gap(condition.kpi, condition.by)
        by = Words(" by at least {by}", " d’au moins {by}").format(by=least)
    return {
        "kpi": sentences.label(condition.kpi),
        "by": by,
        "sample": _guarded(condition.kpi, condition.n_min),
    }


def _guarded(kpi: str, n_min: int) -> Words:
    """`, with at least 20 lines`; nothing where any sample will do."""
    if n_min == 1:
        return Words("", "")
    return Words(" (on at least {things})", " (sur au moins {things})").format(
        things=counted(kpi).times(n_min)
    )


def _happened(condition: EventsAtLeast) -> Words:
    asked = condition.asked
    about = Words("", "")
    if asked.subject is not None:
        about = Words(" about {subject}", " au sujet de {subject}").format(
            subject=_quoted(asked.subject)
        )
    within = Words("in the period", "dans la période")
    if asked.days is not None:
        within = Words("within {days}", "en {days}").format(days=DAYS.times(asked.days))
    return Words("at least {things}{about} {within}", "au moins {things}{about} {within}").format(
        things=events(asked.kind).times(condition.count), about=about, within=within
    )


def _limit(limit: Limit) -> Words:
    most: Sequence[Words] = [
        *([sentences.points(limit.points)] if limit.points is not None else []),
        *([_times(limit.times)] if limit.times is not None else []),
    ]
    return Words("At most {most} per {period}.", "Au plus {most} par {period}.").format(
        most=listed(most, last=_AND), period=PERIODS[limit.per]
    )


def _times(times: int) -> Words:
    en = "1 award" if times == 1 else f"{how_many(times).en} awards"
    return Words(en, f"{how_many(times).fr} attribution{'s' if times > 1 else ''}")


def _quoted(text: str) -> Words:
    return Words(f"“{text}”", f"«\u202f{text}\u202f»")
