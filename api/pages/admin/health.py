"""Health: how the installation is, each doubt in words with what to do about it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api import migrations
from api.catalogues import Translator, text
from api.pages.admin.effects import STATES
from api.pages.admin.odoo import SYNC, is_connected
from api.pages.admin.sources import feeds
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import Administers
from integrations import schedule
from integrations.mail.connection import is_set_up
from integrations.odoo.state import OdooCursor
from integrations.schedule import SchedulePlan, Standing
from integrations.webhooks.messages import MESSAGE
from partner_cx import effects
from partner_cx.effects import State
from partner_cx.settings import Settings

router = APIRouter()

LATE = timedelta(minutes=10)  # beyond which what is due should have been begun
ROOM_MIN = 2_000_000_000  # bytes free on the disk
SHOWN_LATE = 5  # sources named one by one


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. state: well, doubt or problem. remedy, href: what to do."""

    name: str
    state: str
    told: str
    remedy: str = ""
    href: str = ""


STATE_WORDS = {"well": text("well"), "doubt": text("to look at"), "problem": text("problem")}
COLOURS = {"well": "green", "doubt": "amber", "problem": "red"}


@router.get("/admin")
def health(
    request: Request, session: Reading, language: Language, now: Clock, _viewer: Administers
) -> Response:
    say, house = translator(language), wiring(request)
    standings = schedule.standings(session, settings=house.settings, now=now)
    counts = effects.counted(session, now=now)
    findings = [
        _database(session, house.engine, say),
        _worker(session, standings, house.settings, now, say),
        _parked(counts, say),
        _mail(house.settings, say),
        _odoo(session, house.settings, now, say),
        _webhooks(counts, say),
        _freshness(session, now, say),
        _disk(house.settings, house.engine, say),
    ]
    order = {"problem": 0, "doubt": 1, "well": 2}
    findings.sort(key=lambda each: order[each.state])
    return page(
        request,
        "admin/health.html",
        findings=[_shown(each, say) for each in findings],
        doubts=sum(each.state != "well" for each in findings),
        tasks=[_task(each, say) for each in standings],
        waiting=_total(counts, State.WAITING, State.HELD_BACK),
        under_way=_total(counts, State.UNDER_WAY),
        parked=_total(counts, State.PARKED),
    )


def _shown(each: Finding, say: Translator) -> dict[str, str]:
    return {
        "name": each.name,
        "state": say(STATE_WORDS[each.state]),
        "colour": COLOURS[each.state],
        "told": each.told,
        "remedy": each.remedy,
        "href": each.href,
    }


def _total(counts: dict[tuple[str, State], int], *states: State) -> int:
    return sum(count for (_, state), count in counts.items() if state in states)


# --- What is looked at ----------------------------------------------------------------------------


def _database(session: Session, engine: sa.Engine, say: Translator) -> Finding:
    kind = {"postgresql": "PostgreSQL"}.get(engine.dialect.name, "SQLite")
    size = _size(_bytes_of(session, kind), say)
    told = say("{kind}, schema {schema}, {size}.").format(
        kind=kind, schema=migrations.newest_revision(), size=size
    )
    return Finding(say("Database"), "well", told)


def _bytes_of(session: Session, kind: str) -> int:
    if kind == "SQLite":
        pages = sa.func.pragma_page_count().table_valued("page_count")
        size = sa.func.pragma_page_size().table_valued("page_size")
        bytes_ = (
            sa.select(pages.c.page_count).scalar_subquery()
            * sa.select(size.c.page_size).scalar_subquery()
        )
        return int(session.scalar(sa.select(bytes_)) or 0)
    asked = sa.func.pg_database_size(sa.func.current_database())
    return int(session.scalar(sa.select(asked)) or 0)


def _worker(
    session: Session,
    standings: list[Standing],
    settings: Settings,
    now: datetime,
    say: Translator,
) -> Finding:
    """Whether anybody carries effects out, as what should have been begun tells."""
    name = say("Worker")
    remedy = say("Start partner-cx work, or partner-cx serve without --no-work.")
    plans = {each.task: each.planned_until for each in session.scalars(sa.select(SchedulePlan))}
    if not plans:
        told = say("No worker has ever run here: nothing is sent, read or planned.")
        return Finding(name, "problem", told, remedy)
    if any(_is_behind(each, plans, settings, now) for each in standings):
        told = say("Nobody keeps the schedule: what was due hasn’t even been planned.")
        return Finding(name, "problem", told, remedy, "#schedule")
    oldest = effects.listed(session, now=now, states=(State.WAITING,), limit=1)
    if oldest and oldest[0].due_at < now - LATE and not oldest[0].why:
        told = say("{key} has been due for {minutes} minutes, and nobody took it up.").format(
            key=oldest[0].key, minutes=int((now - oldest[0].due_at).total_seconds() // 60)
        )
        return Finding(name, "doubt", told, remedy, "/admin/effects?show=waiting")
    return Finding(name, "well", say("At work: what was due is planned and taken up."))


def _is_behind(
    standing: Standing, plans: dict[str, datetime], settings: Settings, now: datetime
) -> bool:
    planned = standing.planned
    until = plans.get(planned.task.name)
    if not planned.wanted or until is None:
        return False
    missed = planned.timetable.moments(until, now - LATE, settings.zone)
    return next(iter(missed), None) is not None


def _parked(counts: dict[tuple[str, State], int], say: Translator) -> Finding:
    parked = _total(counts, State.PARKED)
    name, href = say("Effects"), "/admin/effects"
    if parked:
        told = say.many(
            "{count} effect is parked: it waits for somebody to mend what is wrong.",
            "{count} effects are parked: they wait for somebody to mend what is wrong.",
            parked,
        )
        remedy = say("Read the reasons, mend them, then retry.")
        return Finding(name, "problem", told, remedy, f"{href}?show=parked")
    waiting = _total(counts, State.WAITING, State.HELD_BACK, State.UNDER_WAY)
    told = say.many("Nothing parked; {count} waits.", "Nothing parked; {count} wait.", waiting)
    return Finding(name, "well", told, href=href)


def _mail(settings: Settings, say: Translator) -> Finding:
    if not is_set_up(settings):
        told = say("Mail isn’t set up: nobody can sign in by a mailed link, and no letter leaves.")
        remedy = say("Set mail_host and mail_from, then send a test letter.")
        return Finding(say("Mail"), "doubt", told, remedy, "/admin/letters")
    told = say("Letters leave from {sender}.").format(sender=settings.mail_from)
    return Finding(say("Mail"), "well", told, href="/admin/letters")


def _odoo(session: Session, settings: Settings, now: datetime, say: Translator) -> Finding:
    if not is_connected(settings):
        told = say("No Odoo is connected; facts come as files.")
        return Finding("Odoo", "well", told, href="/admin/odoo")
    last = effects.listed(session, now=now, kind=SYNC, limit=1, newest_first=True)
    if not last and session.scalar(sa.select(sa.func.max(OdooCursor.finished_at))) is None:
        told = say("Connected, and never read yet.")
        return Finding("Odoo", "doubt", told, say("Read it now."), "/admin/odoo")
    if last and last[0].state is State.PARKED:
        told = say("The last reading was stopped: {why}").format(why=last[0].why or "")
        return Finding("Odoo", "problem", told, say("Check the connection."), "/admin/odoo")
    if last and last[0].why:
        told = say("It doesn’t answer and is tried again: {why}").format(why=last[0].why)
        return Finding("Odoo", "doubt", told, say("Check the connection."), "/admin/odoo")
    return Finding("Odoo", "well", say("The last reading came to its end."), href="/admin/odoo")


def _webhooks(counts: dict[tuple[str, State], int], say: Translator) -> Finding:
    parked = counts.get((MESSAGE, State.PARKED), 0)
    name, href = say("Webhooks"), "/admin/webhooks"
    if parked:
        told = say.many(
            "{count} message wasn’t received in four days.",
            "{count} messages weren’t received in four days.",
            parked,
        )
        remedy = say("Ask whoever runs the other side, then retry or end the endpoint.")
        return Finding(name, "problem", told, remedy, href)
    return Finding(name, "well", say("What was sent was received, or is still tried."), href=href)


def _freshness(session: Session, now: datetime, say: Translator) -> Finding:
    found = feeds(session)
    late = [each for each in found if each.is_late(now)]
    name, href = say("Sources"), "/admin/sources"
    if not found:
        told = say("Nothing has come in yet.")
        return Finding(name, "doubt", told, say("Hand in the first file."), "/admin/uploads")
    if late:
        named = ", ".join(f"{each.kind} ({each.source})" for each in late[:SHOWN_LATE])
        told = say.many(
            "{count} source hasn’t come for twice as long as usual: {named}.",
            "{count} sources haven’t come for twice as long as usual: {named}.",
            len(late),
        ).format(named=named)
        return Finding(name, "doubt", told, say("Ask whoever sends it."), href)
    told = say.many("{count} source comes as usual.", "{count} sources come as usual.", len(found))
    return Finding(name, "well", told, href=href)


def _disk(settings: Settings, engine: sa.Engine, say: Translator) -> Finding:
    """Room where the data folder is, and an SQLite database beside it."""
    beside = engine.url.database if engine.dialect.name == "sqlite" else None
    place = Path(beside).parent if beside and beside != ":memory:" else settings.data_folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not os.access(place, os.R_OK):
        return Finding(say("Disk"), "doubt", say("How much room is left can’t be seen."))
    free = shutil.disk_usage(place).free
    told = say("{size} free.").format(size=_size(free, say))
    if free < ROOM_MIN:
        remedy = say("Make room: a full disk stops everything.")
        return Finding(say("Disk"), "problem", told, remedy)
    return Finding(say("Disk"), "well", told)


def _size(size: int, say: Translator) -> str:
    units = (
        (10**9, say.many("{count} GB", "{count} GB", size // 10**9)),
        (10**6, say.many("{count} MB", "{count} MB", size // 10**6)),
    )
    kilobytes = say.many("{count} kB", "{count} kB", -(-size // 1000))
    return next((told for least, told in units if size >= least), kilobytes)


def _task(each: Standing, say: Translator) -> dict[str, Any]:
    planned = each.planned
    colour = {State.PARKED: "red", State.DONE: "green"}
    return {
        "name": planned.task.name,
        "does": planned.task.what.in_(say.language),
        "written": planned.written if planned.wanted else "",
        "last": each.last,
        "state": say(STATES[each.state]) if each.state else "",
        "colour": colour.get(each.state, "") if each.state else "",
        "next": each.coming,
    }
