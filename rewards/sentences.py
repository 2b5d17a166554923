"""How a figure is told to the person it decides about, in English and in French.

Before it stand figures; after it the findings of a decision, and with them every statement,
letter and page that says why. Numbers are rounded here and only here, and never so far that a
miss reads like its target.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.measures.kpi import Direction, Unit
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period
from partner_cx.quantities import NOTHING, number_text, percent, points_text
from partner_cx.words import Words
from rewards.evidence import EventsAsked, Peers

_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


@dataclass(frozen=True)
class Bound:
    """What a figure is held against, and how it is called.

    called: what stands before the value: target, at least, at most.
    """

    value: Fraction
    called: Words
    lower_is_better: bool = False

    def is_kept_by(self, value: Fraction) -> bool:
        return value <= self.value if self.lower_is_better else value >= self.value


@dataclass(frozen=True)
class Counted:
    """What a KPI counts, so that a miss can be told in things rather than in percent.

    hit: what makes one of them count, where saying so helps; in English only, since in French
        “3 lignes de plus” says it.
    """

    one: Words
    many: Words
    hit: str = ""

    def times(self, count: int, *, hit: bool = False) -> Words:
        """`1 line`, `412 lines`; French says the singular up to one: `0 ligne`."""
        en = self.one.en if count == 1 else self.many.en
        fr = self.one.fr if count < 2 else self.many.fr
        return Words(
            en=f"{number_text(count, 'en')} {en}{f' {self.hit}' if hit and self.hit else ''}",
            fr=f"{number_text(count, 'fr')} {fr}",
        )


def _things(en: str, fr: str, hit: str = "") -> Counted:
    """Most plurals take an s in both languages; `|` parts singular from plural where not."""
    (en_one, en_many), (fr_one, fr_many) = (
        text.split("|") if "|" in text else (text, f"{text}s") for text in (en, fr)
    )
    return Counted(Words(en_one, fr_one), Words(en_many, fr_many), hit)


_ANSWERS = _things("answer", "réponse")
_COUNTED = {
    "otif": _things("line", "ligne", "on time"),
    "otif_order": _things("order", "commande", "on time"),
    "otif_case": _things("line", "ligne"),
    "on_time": _things("line", "ligne", "on time"),
    "in_full": _things("line", "ligne", "in full"),
    "sla_response": _things("ticket", "ticket", "answered in time"),
    "sla_resolution": _things("ticket", "ticket", "resolved in time"),
    "first_response": _things("ticket", "ticket"),
    "resolution": _things("ticket", "ticket"),
    "backlog": _things("ticket", "ticket"),
    "ftfr": _things("first visit", "première visite|premières visites", "that fixed it"),
    "fcr": _things("ticket", "ticket", "settled at first contact"),
    "dispute_rate": _things("invoice line", "ligne de facture|lignes de facture"),
    "credit_rate": _things("invoice", "facture"),
    "portal_adoption": _things("account", "compte", "active"),
    "portal_depth": _things("user", "utilisateur", "active"),
    "catalogue_completion": _things("field", "champ", "filled"),
    "learning_completion": _things("enrolment", "inscription", "completed"),
    "time_to_quote": _things("request", "demande"),
    "retention": _things("partner", "partenaire", "kept"),
    "churn": _things("partner", "partenaire"),
    "referral_rate": _things("partner", "partenaire", "with a referral"),
    **dict.fromkeys(
        ("nps", "pnps", "pnps_by_partner", "csat", "csat10", "ces", "ces5", "dsi", "cxi"), _ANSWERS
    ),
}
_MEASUREMENTS = _things("measurement", "mesure")
_UNITS = {Unit.MINUTES: "min", Unit.HOURS: "h"}
_GAPS = {**_UNITS, Unit.SHARE: "pt", Unit.NPS: "pt", Unit.INDEX: "pt"}


def label(kpi: str) -> Words:
    """What the catalogue calls a KPI; its code where the catalogue has none."""
    return CATALOGUE[kpi].label if kpi in CATALOGUE else Words(kpi, kpi)


def is_share(kpi: str) -> bool:
    """Whether a KPI is a share of one, told in percent."""
    return kpi in CATALOGUE and CATALOGUE[kpi].unit is Unit.SHARE


def lower_is_better(kpi: str) -> bool:
    return kpi in CATALOGUE and CATALOGUE[kpi].direction is Direction.LOWER


def has_interval(kpi: str) -> bool:
    return kpi in CATALOGUE and CATALOGUE[kpi].has_interval


def reached(figure: Figure, bound: Bound) -> Words:
    """`OTIF 96.40% (target 95%, 412 lines): reached.`"""
    return _told(figure, bound, Words(en="reached.", fr="c’est atteint."))


def missed(figure: Figure, bound: Bound) -> Words:
    """`OTIF 94.40% (target 95%, 412 lines): 0.6 pt short, 3 more lines …`."""
    if bound.lower_is_better:
        rest = Words(en="{gap} over{things}.", fr="{gap} de trop{things}.")
    else:
        rest = Words(en="{gap} short{things}.", fr="il manque {gap}{things}.")
    things = _things_missing(figure, bound)
    return _told(figure, bound, rest.format(gap=_gap(figure, bound), things=things))


def reached_surely(figure: Figure, bound: Bound, end: Fraction, *, lower: bool) -> Words:
    return _told_surely(figure, bound, end, lower=lower, rest=Words("reached.", "c’est atteint."))


def missed_surely(figure: Figure, bound: Bound, end: Fraction, *, lower: bool) -> Words:
    return _told_surely(
        figure, bound, end, lower=lower, rest=Words("not reached.", "ce n’est pas atteint.")
    )


def measured(figure: Figure) -> Words:
    """A figure by itself: `OTIF 96.40%`, or `OTIF –` where there was nothing to measure."""
    number, kpi = figure.value, figure.kpi
    value = NOTHING if number is None else _both(lambda lang: _value(kpi, number, lang))
    return Words("{label} {value}", "{label} {value}").format(label=label(kpi), value=value)


def undecided(kpi: str, reason: Words) -> Words:
    """`Portal adoption can't be judged: too small a sample, 3 of at least 5.`"""
    return Words(
        en="{label} can't be judged: {reason}.", fr="{label} sans verdict\u202f: {reason}."
    ).format(label=label(kpi), reason=reason)


NO_DATA = Words(en="no data", fr="aucune donnée")
NO_TARGET = Words(en="no target holds for it", fr="aucun objectif n’est fixé")
NO_INTERVAL = Words(en="it has no interval", fr="aucun intervalle n’est connu")


def too_small_a_sample(n: int, n_min: int) -> Words:
    return Words(
        en="too small a sample, {n} of at least {n_min}",
        fr="échantillon trop petit, {n} sur au moins {n_min}",
    ).format(n=_both(lambda lang: number_text(n, lang)), n_min=n_min)


def too_little_coverage(coverage: Fraction, coverage_min: Fraction) -> Words:
    decimals = _decimals_apart(coverage * 100, coverage_min * 100)

    def brief(share: Fraction) -> Words:
        needed = _decimals_needed(share * 100, decimals)
        return _both(lambda lang: percent(share, lang, needed))

    text = Words("coverage {coverage} below {least}", "couverture {coverage} inférieure à {least}")
    return text.format(coverage=brief(coverage), least=brief(coverage_min))


def stale(as_of: date | None, days: int | None) -> Words:
    """`stale as of 3 July 2026, its source wasn't refreshed for more than 7 days`."""
    when = length = Words("", "")
    if as_of:
        when = Words(f" as of {_day(as_of, 'en')}", f" au {_day(as_of, 'fr')}")
    if days:
        length = Words(
            f" for more than {days} day{'' if days == 1 else 's'}",
            f" depuis plus de {days} jour{'' if days == 1 else 's'}",
        )
    return Words(
        en="stale{when}, its source wasn't refreshed{length}",
        fr="donnée périmée{when}, source non rafraîchie{length}",
    ).format(when=when, length=length)


def of_another(whose: Words, reason: Words) -> Words:
    """Why another figure that it is compared with says nothing: `no data for Q1 2026`."""
    return Words("{reason} ({whose})", "{reason} ({whose})").format(reason=reason, whose=whose)


def improved(figure: Figure, then: Fraction, when: Words, by: Fraction, *, met: bool) -> Words:
    """`OTIF 96.40% (95.00% in Q1 2026, 412 lines): 1.4 pt better.`"""
    return _against(figure, then, when, by, met=met)


def beats(
    figure: Figure, value: Fraction, peers: Peers, members: int, by: Fraction, *, met: bool
) -> Words:
    whose = Words("{peers}, {n} partners", "{peers}, {n} partenaires").format(
        peers=PEERS[peers], n=_both(lambda lang: number_text(members, lang))
    )
    return _against(figure, value, whose, by, met=met)


def _against(figure: Figure, other: Fraction, whose: Words, by: Fraction, *, met: bool) -> Words:
    return Words(
        "{label} {value} ({other}, {whose}): {rest}",
        "{label} {value} ({other}, {whose})\u202f: {rest}",
    ).format(
        label=label(figure.kpi),
        value=_both(lambda lang: _value(figure.kpi, _number(figure), lang)),
        other=_both(lambda lang: _value(figure.kpi, other, lang)),
        whose=whose,
        rest=Words("reached.", "c’est atteint.") if met else Words("missed.", "c’est manqué."),
    )


PEERS = {
    Peers.NETWORK: Words("the network", "le réseau"),
    Peers.KIND: Words("partners of its kind", "les partenaires du même type"),
    Peers.TIER: Words("partners of its tier", "les partenaires du même niveau"),
    Peers.REGION: Words("partners of its region", "les partenaires de la même région"),
    Peers.COUNTRY: Words("partners of its country", "les partenaires du même pays"),
}


def no_peers(peers: Peers) -> Words:
    return Words("there are no {peers}", "pas de comparaison avec {peers}").format(
        peers=PEERS[peers]
    )


def too_few_peers(peers: Peers, members: int, least: int) -> Words:
    return Words(
        "too few {peers} to compare with, {members} of at least {least}",
        "trop peu pour comparer avec {peers}, {members} sur au moins {least}",
    ).format(peers=PEERS[peers], members=members, least=least)


def so_many_met(met: int, count: int, of: int) -> Words:
    return Words(
        "{met} of {of} met, {count} asked.", "{met} sur {of} remplies, {count} demandées."
    ).format(met=met, of=of, count=count)


NOBODY_KNOWS_SINCE_WHEN = Words(
    "Since when it has been a partner isn’t known.", "On ignore depuis quand il est partenaire."
)


def partner_since(joined_on: date, months: int, reached_on: date, *, met: bool) -> Words:
    told = (
        Words("Partner since {since}.", "Partenaire depuis le {since}.")
        if met
        else Words(
            "Partner since {since}, {months} months on {reached}.",
            "Partenaire depuis le {since}, {months} mois le {reached}.",
        )
    )
    return told.format(since=day_text(joined_on), months=months, reached=day_text(reached_on))


EVENTS = {
    EventKind.REPORT_ACCEPTED: _things(
        "report accepted|reports accepted", "rapport retenu|rapports retenus"
    ),
    EventKind.SURVEY_ANSWERED: _things(
        "survey answered|surveys answered", "enquête répondue|enquêtes répondues"
    ),
    EventKind.COURSE_COMPLETED: _things(
        "course completed|courses completed", "formation achevée|formations achevées"
    ),
    EventKind.CATALOGUE_COMPLETED: _things(
        "catalogue completed|catalogues completed", "catalogue complété|catalogues complétés"
    ),
    EventKind.PANEL_ATTENDED: _things(
        "panel attended|panels attended", "panel suivi|panels suivis"
    ),
    EventKind.INCIDENT_RESOLVED: _things(
        "incident resolved|incidents resolved", "incident résolu|incidents résolus"
    ),
}


def never_told_of(kind: EventKind) -> Words:
    return Words(
        "The programme has never been told of any {things}.",
        "Le programme n’a jamais eu connaissance de {things}.",
    ).format(things=EVENTS[kind].many)


def happened(asked: EventsAsked, count: int, wanted: int, period: Period) -> Words:
    return Words("{times}, {wanted} asked.", "{times}, {wanted} demandés.").format(
        times=EVENTS[asked.kind].times(count), wanted=wanted
    )


def about(subject: str | None, wanted: tuple[str, ...], *, met: bool) -> Words:
    told = (
        Words("About {subject}.", "Au sujet de {subject}.")
        if met
        else Words("Isn’t about {wanted}.", "N’est pas au sujet de {wanted}.")
    )
    return told.format(subject=subject, wanted=", ".join(wanted))


def points(count: int) -> Words:
    """`500 points`, `1 point`."""
    return _both(lambda lang: points_text(count, lang))


def joined(sentences: list[Words]) -> Words:
    """Sentences one after the other."""
    return _both(lambda lang: " ".join(sentence.in_(lang) for sentence in sentences))


def _told(figure: Figure, bound: Bound, rest: Words) -> Words:
    """The figure with its bound and its sample, then what follows from them."""
    number, decimals = _number(figure), _decimals(figure, bound)
    limit = _both(lambda lang: _value(figure.kpi, bound.value, lang, decimals, short=True))
    told = Words(
        en="{label} {value} ({called} {limit}, {sample}): {rest}",
        fr="{label} {value} ({called} {limit}, {sample})\u202f: {rest}",
    )
    return told.format(
        label=label(figure.kpi),
        value=_both(lambda lang: _value(figure.kpi, number, lang, decimals)),
        called=bound.called,
        limit=limit,
        sample=_counted(figure.kpi).times(figure.n),
        rest=rest,
    )


def _told_surely(figure: Figure, bound: Bound, end: Fraction, *, lower: bool, rest: Words) -> Words:
    sure = (
        Words("surely at least", "à coup sûr au moins")
        if lower
        else Words("surely at most", "à coup sûr au plus")
    )
    scale = _scale(figure.kpi)
    decimals = _decimals_apart(end * scale, bound.value * scale)
    return Words(
        "{label} {value}, {sure} {end} (95% interval; {called} {limit}, {sample}): {rest}",
        "{label} {value}, {sure} {end} (intervalle à 95\u202f%\u202f; {called} {limit}, "
        "{sample})\u202f: {rest}",
    ).format(
        label=label(figure.kpi),
        value=_both(lambda lang: _value(figure.kpi, _number(figure), lang)),
        sure=sure,
        end=_both(lambda lang: _value(figure.kpi, end, lang, decimals)),
        called=bound.called,
        limit=_both(lambda lang: _value(figure.kpi, bound.value, lang, decimals, short=True)),
        sample=_counted(figure.kpi).times(figure.n),
        rest=rest,
    )


def _things_missing(figure: Figure, bound: Bound) -> Words:
    """`, 3 more lines on time would have reached it`; nothing where hits aren't things.

    Hits are things only in a share where each of the sample is one of `of`: neither in a sum of
    quantities nor in promoters less detractors.
    """
    if not is_share(figure.kpi) or figure.hits is None or not figure.of or figure.of != figure.n:
        return Words("", "")
    counted, wanted = _counted(figure.kpi), bound.value * figure.of
    if bound.lower_is_better:
        spare = counted.times(figure.hits - floor(wanted))
        few, things = spare.en.split(" ", 1)
        return Words(f", {few} fewer {things} would have kept to it", f", soit {spare.fr}")
    missing = ceil(wanted) - figure.hits
    more = counted.times(missing, hit=True)
    few, things = more.en.split(" ", 1)
    return Words(f", {few} more {things} would have reached it", f", soit {more.fr} de plus")


def _gap(figure: Figure, bound: Bound) -> Words:
    """How far the figure lies from its bound: `0.6 pt`, `12 min`; never printed as nothing."""
    gap = abs(bound.value - _number(figure)) * _scale(figure.kpi)
    decimals = max(_decimals(figure, bound), _decimals_apart(gap, Fraction(0)))
    unit = _unit(figure.kpi, _GAPS)
    return _both(lambda lang: f"{_shortly(gap, lang, decimals)} {unit}".strip())


def _decimals(figure: Figure, bound: Bound) -> int:
    scale = _scale(figure.kpi)
    return _decimals_apart(_number(figure) * scale, bound.value * scale)


def _decimals_apart(one: Fraction, other: Fraction) -> int:
    """The fewest decimals, at least two, with which different numbers read differently."""
    decimals = 2
    while one != other and round(one, decimals) == round(other, decimals):
        decimals += 1
    return decimals


def _value(
    kpi: str, number: Fraction, language: str, decimals: int = 2, *, short: bool = False
) -> str:
    """A KPI's value with its unit. short: without the zeros at the end."""
    if short:
        decimals = _decimals_needed(number * _scale(kpi), decimals)
    if is_share(kpi):
        return percent(number, language, decimals)
    return f"{number_text(number, language, decimals)} {_unit(kpi)}".strip()


def _shortly(number: Fraction, language: str, decimals: int) -> str:
    return number_text(number, language, _decimals_needed(number, decimals))


def _decimals_needed(number: Fraction, decimals: int) -> int:
    """How many of the decimals are left once the zeros at the end are gone."""
    rounded = round(number, decimals)
    return next(fewer for fewer in range(decimals + 1) if round(number, fewer) == rounded)


def _number(figure: Figure) -> Fraction:
    assert figure.value is not None, "only what was measured is compared"
    return figure.value


def _scale(kpi: str) -> int:
    return 100 if is_share(kpi) else 1


def _unit(kpi: str, units: dict[Unit, str] = _UNITS) -> str:
    return units.get(CATALOGUE[kpi].unit, "") if kpi in CATALOGUE else ""


def _counted(kpi: str) -> Counted:
    return _COUNTED.get(kpi, _MEASUREMENTS)


def day_text(day: date) -> Words:
    """`9 April 2026`, `9 avril 2026`; in French a month begins with its `1er`."""
    return _both(lambda lang: _day(day, lang))


def _day(day: date, language: str) -> str:
    number = "1er" if day.day == 1 and language == "fr" else day.day
    return f"{number} {_MONTHS[language].split()[day.month - 1]} {day.year}"


def _both(say: Callable[[str], str]) -> Words:
    return Words(en=say("en"), fr=say("fr"))


def cooling_down(last_on: date, days: int, again_on: date) -> Words:
    return Words(
        "Already won on {last}, at most once in {days} days: possible again from {again}.",
        "Déjà obtenu le {last}, une fois en {days} jours au plus\u202f: à nouveau possible à "
        "partir du {again}.",
    ).format(last=day_text(last_on), days=days, again=day_text(again_on))


def often_enough(times: int, period: Period) -> Words:
    return Words(
        "Limit of {times} times in {period} reached: possible again from {again}.",
        "Limite de {times} fois atteinte ({period})\u202f: à nouveau possible à partir du {again}.",
    ).format(times=times, period=_period(period), again=day_text(period.end_day))


def much_enough(limit: int, won: int, period: Period) -> Words:
    return Words(
        "Limit of {limit} in {period}, {won} already won: possible again from {again}.",
        "Limite de {limit} ({period}), dont {won} déjà obtenus\u202f: à nouveau possible à partir "
        "du {again}.",
    ).format(limit=points(limit), won=won, period=_period(period), again=day_text(period.end_day))


def _period(period: Period) -> Words:
    return Words(period.label("en"), period.label("fr"))


def on_event(kind: EventKind, day: date) -> Words:
    return Words("{event} on {day}", "{event} le {day}").format(
        event=EVENTS[kind].one, day=day_text(day)
    )


def per_unit(
    figure: Figure, start: Fraction, unit: Fraction, units: int, each: int, cap: int | None
) -> Words:
    return Words("{figure}: {units} × {each}.", "{figure}\u202f: {units} × {each}.").format(
        figure=measured(figure), units=units, each=points(each)
    )


def step_reached(figure: Figure, reaches: Fraction, earned: int) -> Words:
    return Words("{figure}: {earned}.", "{figure}\u202f: {earned}.").format(
        figure=measured(figure), earned=points(earned)
    )


def no_step_reached(figure: Figure, lowest: Fraction) -> Words:
    return Words("{figure}: no step reached.", "{figure}\u202f: aucun palier atteint.").format(
        figure=measured(figure)
    )


_VERDICTS = {
    "met": Words("met", "remplie"),
    "not_met": Words("not met", "non remplie"),
    "unknown": Words("left open", "en suspens"),
}


def otherwise(verdict: str, expected_points: int | None, came_to: Words) -> Words:
    """`Expected met, 500 points. It came to: …`"""
    expected = _VERDICTS[verdict]
    if expected_points is not None:
        expected = Words("{verdict}, {points}", "{verdict}, {points}").format(
            verdict=expected, points=points(expected_points)
        )
    return Words(
        "Expected {expected}. It came to: {came_to}",
        "Attendu\u202f: {expected}. Obtenu\u202f: {came_to}",
    ).format(expected=expected, came_to=came_to)


def points_per_unit(kpi: str, start: Fraction, unit: Fraction, each: int, cap: int | None) -> Words:
    way = Words("below", "sous") if lower_is_better(kpi) else Words("above", "au-dessus de")
    most = Words("", "")
    if cap is not None:
        most = Words(", at most {cap}", ", {cap} au plus").format(cap=points(cap))
    return Words(
        "{points} for each {unit} of {kpi} {way} {start}{most}",
        "{points} par {unit} de {kpi} {way} {start}{most}",
    ).format(
        points=points(each),
        unit=_both(lambda lang: _short_gap(kpi, unit, lang)),
        kpi=label(kpi),
        way=way,
        start=_both(lambda lang: _value(kpi, start, lang, short=True)),
        most=most,
    )


def points_by_steps(kpi: str, steps: list[tuple[Fraction, int]]) -> Words:
    told = [
        Words("{points} from {reaches}", "{points} dès {reaches}").format(
            points=points(earned),
            reaches=_both(lambda lang, r=reaches: _value(kpi, r, lang, short=True)),
        )
        for reaches, earned in steps
    ]
    return Words("{kpi}: {steps}", "{kpi}\u202f: {steps}").format(
        kpi=label(kpi), steps=_both(lambda lang: ", ".join(t.in_(lang) for t in told))
    )


def _short_gap(kpi: str, gap: Fraction, language: str) -> str:
    return f"{_shortly(gap * _scale(kpi), language, 2)} {_unit(kpi, _GAPS)}".strip()
