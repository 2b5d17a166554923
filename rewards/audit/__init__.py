"""The audit: everything a programme rests on, computed again and compared. It changes nothing.

Before it stand facts, rules, closes and the ledger; after it whoever has to act. Each family of
checks has its module; `KINDS` in `differences` says what can be found and what to do about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading
from partner_cx.settings import Settings
from rewards.audit import (
    accounts,
    awards,
    closings,
    database,
    decisions,
    effects,
    events,
    facts,
    holds,
    ledger,
    proposals,
    revisions,
    rules,
)
from rewards.audit.differences import Difference, Findings, Found, Report, Unknown
from rewards.audit.inspecting import Inspection

__all__ = ["Difference", "Report", "Unknown", "audit"]

CACHE_KILOBYTES = 16_384

Check = Callable[[], Iterable[Found]]


def audit(
    engine: sa.Engine,
    *,
    settings: Settings,
    now: datetime,
    deep: bool = True,
    schema: str | None = None,
) -> Report:
    """Check everything; of each kind of difference the first one, and how many there are.

    deep: the frozen figures, too, computed again from the facts as they were known at each close.
        That happens in a transaction of its own which is always undone; on SQLite nobody else can
        write meanwhile.
    schema: the revision that this program works with; None: it isn't compared.
    Damaged data is a difference, whatever it is: nothing that a row holds is raised as an error.
    """
    findings = Findings()
    with reading(engine) as session, _small_cache(session):
        inspection = Inspection(session, settings, now)
        findings.take(database.revision(inspection, schema))
        if findings.counts:  # of another schema nothing more can be said
            return _report(inspection, findings)
        for name, check in _checks(inspection, deep=deep):
            _carry_out(session, name, check, findings)
    if deep:
        facts.recomputed(engine, inspection, findings)
    return _report(inspection, findings)


@contextmanager
def _small_cache(session: Session) -> Iterator[None]:
    """SQLite keeps pages it has read, up to a size; reading once from end to end needs few."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        yield
        return
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")


def _report(inspection: Inspection, findings: Findings) -> Report:
    return Report(
        tuple(findings.differences()), tuple(inspection.unknown), dict(inspection.checked)
    )


def _checks(inspection: Inspection, *, deep: bool) -> Iterator[tuple[str, Check]]:
    look = partial(partial, inspection=inspection)
    yield "triggers", look(database.triggers)
    yield "constraints", look(database.constraints)
    yield "references", partial(database.references, inspection, everywhere=deep)
    yield "transfers", look(ledger.transfers)
    yield "keys", look(ledger.used_twice)
    yield "balances", look(ledger.balances)
    yield "accounts", look(accounts.owners)
    yield "rule_versions", look(rules.versions)
    yield "closings", look(closings.closings)
    yield "events", look(events.events)
    yield "effects", look(effects.effects)
    readable = _readable(inspection)
    yield "decisions of closes", partial(decisions.at_closes, inspection, readable)
    yield "decisions on events", partial(decisions.on_events, inspection, readable)
    yield "awards", partial(awards.awarded, inspection, readable)
    yield "awards that wait", partial(awards.vanished, inspection, readable)
    yield "shares", partial(awards.shares, inspection, readable)
    yield "held awards", look(holds.settled)
    yield "pending awards", look(holds.taken)
    yield "proposals", partial(proposals.proposals, inspection, readable)
    yield "corrections", look(proposals.corrections)
    yield "revisions", look(revisions.chains)
    yield "revisions' imports", look(revisions.imports)


def _readable(inspection: Inspection) -> rules.Readable:
    """The rules that can be read; none where the table can't be, which its own check tells."""
    try:
        with inspection.session.begin_nested():
            return rules.readable(inspection)
    except Exception:  # noqa: BLE001 - whatever an intruder wrote there
        return {}


def _carry_out(session: Session, name: str, check: Check, findings: Findings) -> None:
    """One check, to its end or to what it couldn't read."""
    try:
        with session.begin_nested():
            findings.take(check())
    except Exception as problem:  # noqa: BLE001 - a row that breaks the check is what it found
        told = " ".join(str(problem).split())[:300]
        findings.take([Found("unreadable", name, "", f"{type(problem).__name__}: {told}")])
