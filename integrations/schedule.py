"""The schedule: moments at which something is owed by the clock, planned as effects.

Before: the installation's settings. After: the worker, which carries the effects out. An effect's
key names its moment, so that one of many processes plans it, once; how far a task was planned is
kept, so that a night off is caught up with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from integrations.timetables import Timetable, next_after, parse
from partner_cx.database import Base, Instant, Text, lock, reading, transact
from partner_cx.effects import Effect, Owed, State, drop, is_open, listed, owe_all
from partner_cx.errors import Invalid
from partner_cx.settings import Settings
from partner_cx.words import Words

TABLE = Effect.__table__
MOMENT_SHAPE = "2026-11-22T05:15Z"  # at the end of keys
BY = "schedule"  # who gives up what a later moment stands for
# How far a changed timetable looks back: processes whose settings differ change it in turn, every
# few seconds, and each still plans the moments of its own.
OVERLAP = timedelta(minutes=1)
AHEAD_MAX = timedelta(days=1)  # beyond this, what was planned by a clock is not believed


class SchedulePlan(Base):
    """How far a recurring task has been planned: each of its moments up to then is an effect.

    when_written: the timetable it was planned by; a changed one is planned anew from now on.
    """

    __tablename__ = "schedule_plans"

    task: Mapped[str] = mapped_column(Text, primary_key=True)
    planned_until: Mapped[datetime] = mapped_column(Instant)
    when_written: Mapped[str] = mapped_column(Text)


class CatchUp(StrEnum):
    """What becomes of moments at which nobody was there to plan."""

    EACH = "each"  # every one of them is owed, as each is for something of its own
    LAST = "last"  # only the newest: it does the work of all


def _always(_settings: Settings) -> bool:
    return True


def _with_odoo(settings: Settings) -> bool:
    return bool(settings.odoo_url and settings.odoo_key)


def _with_mail(settings: Settings) -> bool:
    return bool(settings.mail_host and settings.mail_from)


def _with_bounces(settings: Settings) -> bool:
    return bool(settings.bounce_host)


@dataclass(frozen=True)
class Task:
    """Something that is done by the clock.

    when: its timetable unless the settings say otherwise. kind: of the effects it is planned as,
        which begin their keys too unless `key` says otherwise.
    wanted: whether this installation has what it needs; else nothing is planned.
    what: for whoever reads the schedule.
    """

    name: str
    when: str
    kind: str
    what: Words
    wanted: Callable[[Settings], bool] = _always
    catch_up: CatchUp = CatchUp.LAST
    payload: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""

    def key_at(self, moment: datetime) -> str:
        return f"{self.key or self.kind}:{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"

    def owed_at(self, moment: datetime) -> Owed:
        payload = {**self.payload, "moment": moment.astimezone(UTC).isoformat()}
        return Owed(self.kind, self.key_at(moment), payload, due_at=moment)


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task(
            "odoo_sync",
            "every 15 minutes",
            "odoo.sync",
            Words("reads what Odoo changed", "lit ce qui a changé dans Odoo"),
            wanted=_with_odoo,
        ),
        Task(
            "odoo_compare",
            "weekly sunday 03:30",
            "odoo.sync",
            Words("finds what Odoo deleted", "cherche ce qu’Odoo a supprimé"),
            wanted=_with_odoo,
            payload={"compare": True},
            key="odoo.compare",
        ),
        Task(
            "tallies",
            "daily 01:30",
            "tallies",
            Words("brings figures to the present", "met les indicateurs à jour"),
        ),
        Task(
            "uploads",
            "daily 03:15",
            "uploads",
            Words("throws old uploads away", "jette les anciens fichiers transmis"),
        ),
        Task(
            "holds",
            "daily 05:30",
            "holds",
            Words("releases awards whose hold has ended", "libère les gains dont l’attente finit"),
        ),
        Task(
            "alerts",
            "daily 06:00",
            "alerts",
            Words("tells budgets nearly used up", "signale les budgets presque épuisés"),
        ),
        Task(
            "close",
            "off",
            "close",
            Words("closes the ended quarter and awards", "clôture le trimestre et attribue"),
            catch_up=CatchUp.EACH,
        ),
        Task(
            "weekly_digest",
            "weekly monday 07:00",
            "digest.weekly",
            Words("mails the week", "envoie la semaine par courriel"),
            wanted=_with_mail,
        ),
        Task(
            "quarterly_digest",
            "quarterly 6 07:00",
            "digest.quarterly",
            Words("mails the ended quarter", "envoie le trimestre par courriel"),
            wanted=_with_mail,
        ),
        Task(
            "parked",
            "daily 07:30",
            "letters.parked",
            Words("mails what was parked", "envoie ce qui est mis de côté"),
            wanted=_with_mail,
        ),
        Task(
            "bounces",
            "every 30 minutes",
            "bounces",
            Words("reads returned letters", "lit les courriels revenus"),
            wanted=_with_bounces,
        ),
    )
}


@dataclass(frozen=True)
class Planned:
    """A task as this installation runs it. written: its timetable in words."""

    task: Task
    written: str
    timetable: Timetable
    wanted: bool


def timetables(settings: Settings) -> list[Planned]:
    """Every task with its timetable. Raises Invalid for what the settings can't mean."""
    refuse_unknown(settings)
    return [_planned(task, settings) for task in TASKS.values()]


def refuse_unknown(settings: Settings) -> None:
    """Refuse a schedule that names a task there isn't. Raises Invalid with the nearest one."""
    for name in settings.schedule:
        if name not in TASKS:
            near = get_close_matches(name, TASKS, n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(TASKS)}."
            raise Invalid(f"The schedule names “{name}”, which isn't a task.", remedy=remedy)


def _planned(task: Task, settings: Settings) -> Planned:
    written = " ".join(settings.schedule.get(task.name, task.when).lower().split())
    try:
        return Planned(task, written, parse(written), task.wanted(settings))
    except Invalid as refusal:
        raise Invalid(
            f"The schedule of {task.name}: {refusal.message}", remedy=refusal.remedy
        ) from None


def plan(engine: sa.Engine, *, settings: Settings, now: datetime) -> int:
    """Owe everything whose moment has come by now; how many effects that made.

    The first time, and after a timetable was changed, a task is planned from now on. Of a task that
    catches up with its last moment only, a moment is passed over while an earlier one is still
    under way or waits for its neighbour: when that is done, it will have done the work of both. An
    earlier one that is parked is given up for it: what stands in the way is told once.
    """
    planned = timetables(settings)
    with reading(engine) as session:  # nearly always there is nothing to do, and nobody waits
        if not any(_changes(each, _known(session, each), settings, now) for each in planned):
            return 0
    return transact(engine, lambda session: _plan_all(session, planned, settings, now))


def _plan_all(session: Session, planned: list[Planned], settings: Settings, now: datetime) -> int:
    lock(session, "schedule")
    return sum(_plan(session, each, settings, now) for each in planned)


def _plan(session: Session, planned: Planned, settings: Settings, now: datetime) -> int:
    task, known = planned.task, _known(session, planned)
    if not _changes(planned, known, settings, now):
        return 0
    since = _since(planned, known, now)
    moments = list(planned.timetable.moments(since, now, settings.zone))
    until = moments[-1] if moments else since
    session.merge(SchedulePlan(task=task.name, planned_until=until, when_written=planned.written))
    if task.catch_up is CatchUp.LAST:
        moments = [] if _is_under_way(session, task, now) else moments[-1:]
        for moment in moments:
            _stand_in(session, task, moment, now)
    owe_all(session, [task.owed_at(moment) for moment in moments], now=now)
    return len(moments)


def _since(planned: Planned, known: SchedulePlan | None, now: datetime) -> datetime:
    """From where on there is something to plan."""
    if known is None or _is_ahead(known, now):
        return now
    if known.when_written != planned.written:
        return max(known.planned_until, now - OVERLAP)
    return known.planned_until


def _is_ahead(known: SchedulePlan, now: datetime) -> bool:
    """Whether it was planned by a clock that has gone back since, or by `--now`."""
    return known.planned_until > now + AHEAD_MAX


def _stand_in(session: Session, task: Task, moment: datetime, now: datetime) -> None:
    """Give up the parked effects of a task whose newest moment does their work, too."""
    parked = sa.select(TABLE.c.key).where(TABLE.c.parked_at.is_not(None), planned_as(task))
    because = f"{task.key_at(moment)} does its work, too."
    if keys := session.scalars(parked).all():
        drop(session, keys, by=BY, because=because, now=now)


def _changes(
    planned: Planned, known: SchedulePlan | None, settings: Settings, now: datetime
) -> bool:
    if not planned.wanted:
        return False
    if known is None or known.when_written != planned.written or _is_ahead(known, now):
        return True
    return (
        next(planned.timetable.moments(known.planned_until, now, settings.zone), None) is not None
    )


def _known(session: Session, planned: Planned) -> SchedulePlan | None:
    return session.get(SchedulePlan, planned.task.name)


def _is_under_way(session: Session, task: Task, now: datetime) -> bool:
    # What a clock owed that was ahead may wait for years.
    by_now = TABLE.c.owed_at <= now + AHEAD_MAX
    open_one = sa.select(TABLE.c.id).where(is_open(TABLE), by_now, planned_as(task)).limit(1)
    return session.scalar(open_one) is not None


def planned_as(task: Task) -> sa.ColumnElement[bool]:
    """The effects that were planned for a task: those whose keys begin as its keys do."""
    begins = task.key or task.kind
    # A range rather than LIKE, which SQLite wouldn't look up in an index. After : comes ;
    return sa.and_(TABLE.c.key > f"{begins}:", TABLE.c.key < f"{begins};")


def newest_key(session: Session, task: Task) -> str | None:
    return session.scalar(sa.select(sa.func.max(TABLE.c.key)).where(planned_as(task)))


@dataclass(frozen=True)
class Standing:
    """Where a task stands.

    last, state: its newest effect's moment, and what became of it; None: there was none yet.
    coming: its next moment; None: there is none.
    """

    planned: Planned
    last: datetime | None
    state: State | None
    coming: datetime | None


def standings(session: Session, *, settings: Settings, now: datetime) -> list[Standing]:
    """Every task, with when it was last planned and when it comes next."""
    return [_standing(session, each, settings, now) for each in timetables(settings)]


def _standing(session: Session, planned: Planned, settings: Settings, now: datetime) -> Standing:
    newest = newest_key(session, planned.task)
    coming = next_after(planned.timetable, now, settings.zone) if planned.wanted else None
    if newest is None:
        return Standing(planned, None, None, coming)
    [effect] = listed(session, now=now, keys=[newest])
    return Standing(planned, _moment_in(newest), effect.state, coming)


def _moment_in(key: str) -> datetime:
    return datetime.fromisoformat(key[-len(MOMENT_SHAPE) :])
