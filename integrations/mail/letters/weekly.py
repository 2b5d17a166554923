"""The weekly digest, for managers: what came in and moved, budgets, and what is parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail import addresses
from integrations.mail.letters.alerts import parked_now
from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import (
    Block,
    Button,
    Fact,
    Facts,
    Heading,
    Item,
    Items,
    Text,
    Written,
    one_or_more,
    same,
)
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.kpi import Direction
from partner_cx.measures.scorecards import NETWORK, ScorecardRow, scorecard_of
from partner_cx.network.people import Role
from partner_cx.operations.imports import Import
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import Settings
from partner_cx.words import COLON, Words
from rewards import sentences
from rewards.budgets import reports
from rewards.frozen import FrozenFigure, closing_of
from rewards.sentences.numbers import how_many, value

WEEK = timedelta(days=7)
MOVED_MOST = 6
KINDS = {
    "partners": Words("Partners", "Partenaires"),
    "people": Words("People", "Personnes"),
    "groups": Words("Groups", "Groupes"),
    "reps": Words("Partners visited", "Partenaires visités"),
    "calendars": Words("Calendars", "Calendriers"),
    "targets": Words("Targets", "Objectifs"),
    "order-lines": Words("Order lines", "Lignes de commande"),
    "receipts": Words("Receipts", "Réceptions"),
    "tickets": Words("Tickets", "Tickets"),
    "visits": Words("Visits", "Interventions"),
    "portal-events": Words("Portal events", "Visites du portail"),
    "catalogue-status": Words("Catalogue statuses", "États de catalogue"),
    "learning": Words("Courses followed", "Formations suivies"),
    "invoices": Words("Invoices", "Factures"),
    "answers": Words("Answers", "Réponses"),
    "referrals": Words("Referrals", "Recommandations"),
    "quotes": Words("Quotes", "Devis"),
    "events": Words("Events", "Événements"),
}
STATES = {
    State.GREEN: Words("Target reached.", "Objectif atteint."),
    State.RED: Words("Target missed.", "Objectif manqué."),
    State.NO_DATA: Words("Not enough data.", "Trop peu de données."),
    State.STALE: Words("Out of date.", "Chiffre périmé."),
}


@dataclass(frozen=True)
class CameIn:
    """Rows of a kind: new ones, corrected ones, and those that were refused."""

    kind: Words
    taken: int
    corrected: int
    refused: int


@dataclass(frozen=True)
class Moved:
    """A KPI of the network in two periods that follow each other."""

    label: Words
    before: Words
    after: Words
    better: bool
    state: Words | None


@dataclass(frozen=True)
class Budget:
    code: str
    left: int
    funded: int


@dataclass(frozen=True)
class Week:
    """What a week brought. period: the quarter whose figures are compared with the one before."""

    came_in: tuple[CameIn, ...]
    moved: tuple[Moved, ...]
    period: Period | None
    budgets: tuple[Budget, ...]
    parked: tuple[tuple[str, int], ...]

    @property
    def is_silent(self) -> bool:
        return not (self.came_in or self.moved or self.budgets or self.parked)


def written(week: Week, settings: Settings) -> Written:
    came = sum(each.taken for each in week.came_in)
    first = one_or_more(
        came,
        Words("One new row came in.", "Une nouvelle ligne est arrivée."),
        Words("{n} new rows came in.", "{n} nouvelles lignes sont arrivées."),
    )
    if not came:
        first = Words("No new rows came in.", "Aucune nouvelle ligne n’est arrivée.")
    return Written(
        subject=Words("Your network this week", "Votre réseau cette semaine"),
        first=first,
        title=Words("Your network this week", "Votre réseau cette semaine"),
        blocks=(
            Heading(Words("What came in", "Ce qui est arrivé")),
            *(_came_in(week.came_in) or [Text(first)]),
            *_moved(week),
            *_budgets(week.budgets),
            *_parked(week.parked),
            Button(
                Words("Open the network", "Ouvrir le réseau"),
                addresses.network(settings),
            ),
        ),
    )


def _came_in(kinds: Sequence[CameIn]) -> list[Block]:
    return [Facts(tuple(Fact(each.kind, _counts(each)) for each in kinds))] if kinds else []


def _counts(each: CameIn) -> Words:
    parts = [Words("{n} new", "{n} de plus").format(n=how_many(each.taken))]
    if each.corrected:
        one, more = (
            Words("{n} corrected", "{n} correction"),
            Words("{n} corrected", "{n} corrections"),
        )
        parts.append(one_or_more(each.corrected, one, more))
    if each.refused:
        parts.append(Words("{n} refused", "{n} refus").format(n=how_many(each.refused)))
    return Words(*(", ".join(part.in_(language) for part in parts) for language in ("en", "fr")))


def _moved(week: Week) -> list[Block]:
    if not week.moved or week.period is None:
        return []
    before = week.period.previous()
    title = Words(
        f"What moved: {week.period.label('en')} compared with {before.label('en')}",
        f"Ce qui a bougé\u202f: {week.period.label('fr')} par rapport au {before.label('fr')}",
    )
    return [Heading(title), Items(tuple(_move(each) for each in week.moved))]


def _move(each: Moved) -> Item:
    if each.better:
        said = Words("Better: it was {before}.", "Mieux\u202f: c’était {before}.")
    else:
        said = Words("Worse: it was {before}.", "Moins bien\u202f: c’était {before}.")
    detail = said.format(before=each.before)
    return Item(each.label, each.after, (detail,) if each.state is None else (detail, each.state))


def _budgets(budgets: Sequence[Budget]) -> list[Block]:
    if not budgets:
        return []
    rows = [
        Fact(
            same(each.code),
            Words("{left} left of {funded}", "reste {left} sur {funded}").format(
                left=how_many(each.left), funded=sentences.points(each.funded)
            ),
        )
        for each in budgets
    ]
    return [Heading(Words("Budgets", "Budgets")), Facts(tuple(rows))]


def _parked(parked: Sequence[tuple[str, int]]) -> list[Block]:
    if not parked:
        return []
    listed = ", ".join(f"{kind} ({count})" for kind, count in parked)
    return [
        Heading(Words("Parked, waiting for somebody", "Mis de côté, à reprendre")),
        Text(
            Words(
                "What neighbours refused{colon}{listed}. An administrator can see why and retry.",
                "Ce que les systèmes voisins ont refusé{colon}{listed}. Un administrateur peut "
                "voir pourquoi et relancer.",
            ).format(colon=COLON, listed=listed)
        ),
    ]


# --- From what is on record -----------------------------------------------------------------------


def _write(desk: Desk, about: About) -> Written | None:
    """about: `moment`, at which the week ends."""
    if desk.reader.role != Role.MANAGER:
        return None  # they no longer look after the programme
    week = week_until(desk, datetime.fromisoformat(about["moment"]))
    return None if week.is_silent else written(week, desk.settings)


def week_until(desk: Desk, moment: datetime) -> Week:
    period, moved = _kpis(desk, moment)
    budgets = [
        Budget(each.code, each.left, each.funded) for each in reports(desk.session) if each.funded
    ]
    return Week(
        tuple(_imports(desk.session, moment)),
        tuple(moved),
        period,
        tuple(budgets),
        parked_now(desk).counts,
    )


def _imports(session: Session, moment: datetime) -> list[CameIn]:
    sums = [sa.func.sum(column) for column in (Import.taken, Import.corrected, Import.refused)]
    rows = session.execute(
        sa.select(Import.kind, *sums)
        .where(Import.imported_at > moment - WEEK, Import.imported_at <= moment)
        .group_by(Import.kind)
        .order_by(Import.kind)
    )
    found = [
        CameIn(KINDS.get(kind, same(kind)), *(int(count or 0) for count in counts))
        for kind, *counts in rows
    ]
    return [each for each in found if each.taken or each.corrected or each.refused]


def _kpis(desk: Desk, moment: datetime) -> tuple[Period | None, list[Moved]]:
    """What moved most since the quarter before: changed states first, then by how far."""
    day = moment.astimezone(desk.settings.zone).date()
    period = Period.of(day, PeriodKind.QUARTER)
    now = _figures(desk.session, period)
    if not now:  # in a quarter's first days nothing may be measured yet
        period = period.previous()
        now = _figures(desk.session, period)
    before = _figures(desk.session, period.previous())
    pairs = [
        (before[kpi], figure)
        for kpi, figure in now.items()
        if kpi in before and _has_moved(before[kpi], figure)
    ]
    pairs.sort(key=lambda pair: _how_far(*pair), reverse=True)
    moved = [_as_moved(*pair) for pair in pairs[:MOVED_MOST]]
    return (period if moved else None), moved


def _figures(session: Session, period: Period) -> Mapping[str, Figure]:
    table = FrozenFigure if closing_of(session, period) else ScorecardRow
    return scorecard_of(session, period, NETWORK, NETWORK, table=table).figures


def _has_moved(before: Figure, after: Figure) -> bool:
    known = before.value is not None and after.value is not None
    return after.kpi in CATALOGUE and known and before.value != after.value


def _how_far(before: Figure, after: Figure) -> tuple[bool, Fraction]:
    assert before.value is not None
    assert after.value is not None
    size = max(abs(before.value), abs(after.value))
    return before.state != after.state, abs(after.value - before.value) / size


def _as_moved(before: Figure, after: Figure) -> Moved:
    assert before.value is not None
    assert after.value is not None
    higher = after.value > before.value
    lower_is_better = CATALOGUE[after.kpi].direction is Direction.LOWER
    return Moved(
        sentences.label(after.kpi),
        value(after.kpi, before.value, 1),
        value(after.kpi, after.value, 1),
        better=higher is not lower_is_better,
        state=STATES[after.state] if after.state else None,
    )


def _newest(desk: Desk) -> About:
    return {"moment": desk.now.isoformat()}


def _preview(settings: Settings) -> Written:
    week = Week(
        (
            CameIn(KINDS["order-lines"], 1204, 12, 3),
            CameIn(KINDS["tickets"], 87, 0, 0),
            CameIn(KINDS["answers"], 41, 0, 0),
        ),
        (
            Moved(
                sentences.label("otif"),
                value("otif", Fraction(942, 1000), 1),
                value("otif", Fraction(961, 1000), 1),
                better=True,
                state=STATES[State.GREEN],
            ),
            Moved(
                sentences.label("pnps"),
                value("pnps", Fraction(31), 1),
                value("pnps", Fraction(24), 1),
                better=False,
                state=STATES[State.RED],
            ),
        ),
        Period.parse("2026Q3"),
        (Budget("quality", 12_500, 50_000),),
        (("odoo.card", 2),),
    )
    return written(week, settings)


WEEKLY_DIGEST = Letter(
    name="weekly_digest",
    topic="digests",
    what=Words("the week, for managers", "la semaine, pour les responsables"),
    because=Words(
        "You get this letter each week because you look after the programme.",
        "Vous recevez ce courriel chaque semaine car vous êtes responsable du programme.",
    ),
    write=_write,
    preview=_preview,
    newest=_newest,
)
