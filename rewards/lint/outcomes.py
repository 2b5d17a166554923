"""What the past says: conditions that nobody ever met or everybody always did, and who never could.

Told only where the past says enough: at least so many figures that could be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from partner_cx.measures.figures import Figure
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import Condition, KpiAtLeast, KpiAtMost, KpiIsGreen, Verdict
from rewards.lint.concern import Concern, Kind, warning
from rewards.lint.past import Past
from rewards.lint.places import AWARD, place_of, single_conditions
from rewards.lint.samples import n_min_of
from rewards.rules import PointsPerUnit, TieredPoints, judge
from rewards.sentences.numbers import how_many
from rewards.sentences.things import PARTNERS, counted

JUDGED_MIN = 5  # verdicts; fewer say nothing about a rule


def concerns(past: Past) -> list[Concern]:
    if past.is_empty:
        return []
    one_by_one = [
        *_conditions(past),
        *_award(past),
        *_small_partners(past),
    ]
    return one_by_one or list(_nobody_won(past))


def _conditions(past: Past) -> Iterator[Concern]:
    for condition in single_conditions(past.rule):
        if condition.event_only:
            continue
        judged = Counter(condition.judge(evidence) for _, _, evidence in past.all_seen())
        del judged[Verdict.UNKNOWN]
        if judged.total() < JUDGED_MIN:
            continue
        if not judged[Verdict.MET]:
            yield _never_met(past, condition, judged.total())
        elif not judged[Verdict.NOT_MET]:
            yield _always_met(past, place_of(condition), judged.total())


def _never_met(past: Past, condition: Condition, judged: int) -> Concern:
    told = Words(
        "Nobody ever met it: {past}, {count} verdicts.{best}",
        "Personne ne l’a jamais remplie\u202f: {past}, {count} verdicts.{best}",
    ).format(past=past.told, count=how_many(judged), best=_best_told(past, condition))
    return warning(
        Kind.NEVER_MET,
        place_of(condition),
        told,
        Words(
            "Ask for less, or give people a way there first; a reward nobody can win moves nobody.",
            "Demandez moins, ou montrez d’abord le chemin\u202f: une récompense hors de portée ne "
            "motive personne.",
        ),
    )


def _best_told(past: Past, condition: Condition) -> Words:
    """`The best was OTIF 93.20%.`, where the condition looks at one KPI."""
    if not isinstance(condition, KpiIsGreen | KpiAtLeast | KpiAtMost):
        return Words("", "")
    best = _best(past, condition.kpi, n_min_of(condition) or 1)
    if best is None:
        return Words("", "")
    return Words(" The best was {figure}.", " Le meilleur\u202f: {figure}.").format(
        figure=sentences.measured(best)
    )


def _best(past: Past, kpi: str, n_min: int) -> Figure | None:
    figures = [
        (figure.value, figure)
        for _, figure in past.figures(kpi)
        if figure.value is not None and figure.n >= n_min
    ]
    better = min if sentences.lower_is_better(kpi) else max
    return better(figures, key=lambda each: each[0])[1] if figures else None


def _always_met(past: Past, where: str, judged: int) -> Concern:
    return warning(
        Kind.ALWAYS_MET,
        where,
        Words(
            "Everybody always met it: {past}, {count} verdicts. It pays for what happens anyway.",
            "Tous l’ont toujours remplie\u202f: {past}, {count} verdicts. Elle paie ce qui arrive "
            "de toute façon.",
        ).format(past=past.told, count=how_many(judged)),
        Words(
            "Ask for more, or reward progress (kpi_improved), or take the condition out.",
            "Demandez plus, ou récompensez le progrès (kpi_improved), ou retirez la condition.",
        ),
    )


def _award(past: Past) -> Iterator[Concern]:
    """Scales that never came to anything, or never to more than their first step."""
    award = past.rule.award
    if not isinstance(award, PointsPerUnit | TieredPoints):
        return
    worth = [award.worth(evidence) for _, _, evidence in past.all_seen()]
    known = [points for points in worth if points is not None]
    if len(known) < JUDGED_MIN:
        return
    if not any(known):
        yield warning(
            Kind.NEVER_MET,
            AWARD,
            Words(
                "Nobody ever came far enough to earn anything: {past}, {count} figures.",
                "Personne n’est jamais allé assez loin pour gagner\u202f: {past}, {count} "
                "chiffres.",
            ).format(past=past.told, count=how_many(len(known))),
            Words("Begin lower.", "Commencez plus bas."),
        )
    elif award.points_max is not None and min(known) >= award.points_max:
        yield _always_met(past, AWARD, len(known))


def _small_partners(past: Past) -> Iterator[Concern]:
    """Partners whose samples never were as large as a condition asks for."""
    for condition in single_conditions(past.rule):
        if isinstance(condition, KpiIsGreen) or n_min_of(condition) is not None:
            kpi = next(iter(condition.needs().figures))
            yield from _too_small_for(past, kpi, n_min_of(condition), place_of(condition))
    award = past.rule.award
    if isinstance(award, PointsPerUnit | TieredPoints):
        yield from _too_small_for(past, award.kpi, award.n_min, AWARD)


def _too_small_for(past: Past, kpi: str, n_min: int | None, where: str) -> Iterator[Concern]:
    """n_min: None: that of the target that held for each."""
    largest: dict[str, int] = {}
    enough: set[str] = set()
    wanted = 0
    for candidate, figure in past.figures(kpi):
        needed = n_min or (figure.target.n_min if figure.target else 1)
        if figure.n == 0 or needed <= 1:
            continue  # without any case it isn't small, it doesn't take part
        largest[candidate.code] = max(largest.get(candidate.code, 0), figure.n)
        wanted = max(wanted, needed)
        if figure.n >= needed:
            enough.add(candidate.code)
    small = sorted(set(largest) - enough)
    if small:
        biggest = max(largest[code] for code in small)
        yield _never_large_enough(past, kpi, where, len(small), len(largest), wanted, biggest)


def _never_large_enough(
    past: Past, kpi: str, where: str, small: int, all_: int, wanted: int, biggest: int
) -> Concern:
    return warning(
        Kind.SMALL_PARTNERS_NEVER_WIN,
        where,
        Words(
            "{small} of {all} could never win: {kpi} is judged from {wanted} on, and in {past} "
            "they never had more than {biggest}.",
            "Hors de portée de {small} sur {all}\u202f: {kpi} se juge dès {wanted}, et le plus "
            "qu’on y ait vu sur {past} est {biggest}.",
        ).format(
            small=PARTNERS.times(small),
            all=how_many(all_),
            kpi=sentences.label(kpi),
            wanted=counted(kpi).times(wanted),
            past=past.told,
            biggest=how_many(biggest),
        ),
        Words(
            "Decide it over a longer period, measure it on the distributor, or give small "
            "partners a rule of their own.",
            "Décidez sur une période plus longue, mesurez chez le distributeur, ou donnez aux "
            "petits une règle à eux.",
        ),
    )


def _nobody_won(past: Past) -> Iterator[Concern]:
    """Where no single condition is to blame: nobody ever met all of them together."""
    if past.rule.on.event is not None:
        return
    judged = Counter(judge(past.rule, evidence)[0] for _, _, evidence in past.all_seen())
    if judged[Verdict.MET] or judged[Verdict.NOT_MET] < JUDGED_MIN:
        return
    yield warning(
        Kind.NOBODY_WON,
        "conditions",
        Words(
            "Nobody would ever have won: {past}, {count} verdicts. Each condition was met, never "
            "all of them together.",
            "Personne n’aurait jamais gagné\u202f: {past}, {count} verdicts. Chaque condition a "
            "été remplie, jamais toutes à la fois.",
        ).format(past=past.told, count=how_many(judged[Verdict.NOT_MET])),
        Words(
            "Ask for fewer of them (at_least_of), or for less.",
            "Demandez-en moins (at_least_of), ou abaissez les seuils.",
        ),
    )


def costs(past: Past) -> list[int]:
    """What the rule would have paid in each period, the first one first."""
    return [
        sum(judge(past.rule, evidence)[1] for _, evidence in each.seen) for each in past.periods
    ]
