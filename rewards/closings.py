"""Closings: a period's figures frozen, its rules decided, its awards posted, once.

Before: tallies, brought up to date. After: the ledger and the statements. Everything that a close
records is one transaction, so that a close that was cut off has done nothing, and a close that is
run again finds what there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import journal
from partner_cx.database import lock, reading, transact
from partner_cx.errors import Conflict, Invalid
from partner_cx.journal import Did
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.quantities import number_text
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import announcing, sentences
from rewards.awards import Outcome, award_all
from rewards.deciding import decide_all
from rewards.deciding.candidates import candidates, freeze_partners, partners_digest
from rewards.events import EventRow
from rewards.events.drawing import draw_events
from rewards.frozen import Closing, FrozenFigure, closing_of, digest, freeze
from rewards.terms import terms_of


@dataclass(frozen=True)
class Closed:
    """What a close came to.

    already: whether the period had been closed before.
    scorecards: how many were frozen: one per partner, group and the network.
    outcomes: what each rule came to, by code.
    """

    period: Period
    already: bool
    scorecards: int
    outcomes: tuple[Outcome, ...]

    @property
    def points_awarded(self) -> int:
        return sum(outcome.points_awarded for outcome in self.outcomes)

    @property
    def points_unfunded(self) -> int:
        return sum(outcome.points_unfunded for outcome in self.outcomes)

    @property
    def sentences(self) -> tuple[Words, ...]:
        """What whoever closed the period reads."""
        return (_opening(self), *(_told(outcome) for outcome in self.outcomes))


def close(
    engine: sa.Engine, period: Period, *, now: datetime, by: str, settings: Settings
) -> Closed:
    """Close a period: freeze its figures, decide its rules, award what was earned.

    Closing again changes nothing, but for awards that no budget could pay then and one can now.
    Raises Invalid while the period isn't over.
    """
    _refuse_while_it_lasts(period, now, settings)
    if not is_closed(engine, period):
        # The long work, in short transactions. Where another close moves the tallies to its own
        # moment meanwhile, what is left is done below.
        with suppress(Conflict):
            refreshing.refresh(engine, now=now, settings=settings)
    draw_events(engine, now=now, settings=settings)  # rules may count them
    return transact(engine, lambda session: _close(session, period, now, by, settings))


def is_closed(engine: sa.Engine, period: Period) -> bool:
    with reading(engine) as session:
        return closing_of(session, period) is not None


def _close(session: Session, period: Period, now: datetime, by: str, settings: Settings) -> Closed:
    lock(session, f"close:{period}")
    closing = closing_of(session, period)
    already, decided = closing is not None, None
    if closing is None:
        closing = _record(session, period, now, by, settings)
        decided = decide_all(session, closing=closing, period=period)
    today = now.astimezone(settings.zone).date()
    outcomes = award_all(
        session, closing=closing, period=period, now=now, today=today, decided=decided
    )
    return Closed(period, already, _count_scorecards(session, closing.id), outcomes)


def _record(
    session: Session, period: Period, now: datetime, by: str, settings: Settings
) -> Closing:
    """Measure the period on what is known at this moment, and freeze it."""
    _hold_still(session)
    refreshing.refresh(session, now=now, settings=settings)  # what came in since, seldom anything
    measuring.measure(session, period, now=now, settings=settings)
    partners = candidates(session, period.last_day)
    closing = Closing(
        period=str(period),
        as_of=now,
        closed_at=now,
        closed_by=by,
        last_import_id=session.scalar(sa.select(sa.func.max(Import.id))),
        last_event_id=session.scalar(sa.select(sa.func.max(EventRow.id))),
        terms=terms_of(settings),
        digest=digest(session, ScorecardRow, period),
        partners_digest=partners_digest(partners),
    )
    session.add(closing)
    session.flush()
    freeze(session, period, closing.id)
    freeze_partners(session, partners, closing.id)
    announcing.closed(session, closing.id, now=now)
    journal.note(session, by=by, did=Did.PERIOD_CLOSED, about=str(period), now=now)
    return closing


def _hold_still(session: Session) -> None:
    """Wait for imports, events and other closes under way; new ones wait for this one's end.

    So that `last_import_id` and `last_event_id` say exactly what was known, and closings are
    numbered in the order in which they are committed: limits and events rely on it. On SQLite a
    writer is alone anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("LOCK TABLE imports, events IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_while_it_lasts(period: Period, now: datetime, settings: Settings) -> None:
    ends_at = period.ends_at(settings.zone)
    if now < ends_at:
        raise Invalid(
            f"{period} isn't over yet.",
            remedy=f"Close it from {ends_at.astimezone(settings.zone):%Y-%m-%d %H:%M} on "
            f"({settings.time_zone}).",
        )


def _count_scorecards(session: Session, closing_id: int) -> int:
    subjects = (
        sa.select(FrozenFigure.level, FrozenFigure.subject)
        .where(FrozenFigure.closing_id == closing_id)
        .distinct()
    )
    return session.scalar(sa.select(sa.func.count()).select_from(subjects.subquery())) or 0


def _opening(closed: Closed) -> Words:
    if closed.already:
        text = Words("{period} was closed already.", "{period} est déjà clôturé.")
    else:
        text = Words(
            "{period} is closed: {count} scorecards frozen.",
            "{period} est clôturé\u202f: {count} tableaux de bord figés.",
        )
    period = Words(closed.period.label("en"), closed.period.label("fr"))
    return text.format(period=period, count=_number(closed.scorecards))


def _told(outcome: Outcome) -> Words:
    told = Words(
        "{label}, version {version}: {met} met it, {not_met} didn't, {unknown} undecided; "
        "{awarded} awarded.",
        "{label}, version {version}\u202f: atteint par {met}, manqué par {not_met}, "
        "sans verdict pour {unknown}\u202f; total attribué\u202f: {awarded}.",
    ).format(
        label=outcome.rule.label,
        version=outcome.rule.version,
        met=_number(outcome.met),
        not_met=_number(outcome.not_met),
        unknown=_number(outcome.unknown),
        awarded=sentences.points(outcome.points_awarded),
    )
    return sentences.joined([told, *_reservations(outcome)])


def _reservations(outcome: Outcome) -> Iterator[Words]:
    """What whoever reads the outcome must know besides."""
    if outcome.limited:
        yield Words(
            "Of them without points, a limit of the rule being reached: {limited}.",
            "Dont sans gain, une limite de la règle étant atteinte\u202f: {limited}.",
        ).format(limited=_number(outcome.limited))
    if outcome.points_held:
        yield Words(
            "{held} of it wait for their day or for approval.",
            "En attente de leur date ou d’une approbation\u202f: {held}.",
        ).format(held=sentences.points(outcome.points_held))
    if outcome.points_cut:
        yield Words(
            "Budget {budget} was shared out in proportion: {cut} less than earned.",
            "Le budget {budget} a été partagé au prorata\u202f: {cut} de moins que le gain.",
        ).format(budget=outcome.rule.budget, cut=sentences.points(outcome.points_cut))
    if outcome.points_unfunded:
        yield Words(
            "{earned} earned can't be paid: budget {budget} holds {left}. "
            "Add {missing} to it and close again.",
            "Restent dus\u202f: {earned}, mais le budget {budget} n’en contient que {left}. "
            "Ajoutez-y {missing} et clôturez à nouveau.",
        ).format(
            earned=sentences.points(outcome.points_unfunded),
            budget=outcome.rule.budget,
            left=_number(outcome.points_left),
            missing=sentences.points(outcome.points_missing),
        )


def _number(count: int) -> Words:
    return Words(number_text(count, "en"), number_text(count, "fr"))
