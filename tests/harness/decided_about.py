"""A programme in which much waits for somebody: awards, corrections, reservations, effects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.migrations import newest_revision
from integrations.webhooks import adding
from integrations.webhooks.messages import MESSAGE
from partner_cx import effects
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed
from partner_cx.words import Words
from rewards.audit import audit
from rewards.budgets import fund
from rewards.budgets.reservations import reserve
from rewards.restating import restate
from rewards.restating.approving import proposals
from tests.harness.audited import CHECKED, correct_the_past
from tests.harness.cast import the_cast
from tests.harness.intake import SETTINGS
from tests.harness.programme import (
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_network,
    a_programme,
    close_it,
)

HELD = [replace(CHECKED, code=f"checked_{number}") for number in range(6)]
PAID = [replace(OTIF_BONUS, code=f"paid_{number}") for number in range(6)]
RESERVED = [f"panel {number}" for number in range(6)]
PARKED = [f"parked:{number}" for number in range(6)]
WHY = Words("For 2026", "Pour 2026")


def much_to_decide(engine: sa.Engine) -> None:
    """A quarter closed and corrected since; nobody has decided about anything yet."""
    a_network(engine)
    the_cast(engine)
    a_programme(engine, *HELD, *PAID, points=100_000)
    transact(engine, _reserve)
    close_it(engine)
    correct_the_past(engine)
    restate(engine, QUARTER, now=NOW, by=MANAGER, settings=SETTINGS)
    transact(engine, _owe)


def _reserve(session: Session) -> None:
    fund(session, CHECKED.budget, 100_000, key="fund:held", why=WHY, now=NOW)
    for key in RESERVED:
        reserve(session, OTIF_BONUS.budget, 100, key=key, why=WHY, now=NOW)


def _owe(session: Session) -> None:
    url = "https://portal.example/hook"
    endpoint = adding.add(session, url, [], by=MANAGER, settings=SETTINGS, now=NOW)
    now = datetime.now(UTC)
    told = {"event": "entry.posted", "endpoint": endpoint.id, "message_id": "m"}
    keys = [f"webhook:{endpoint.id}:{number}" for number in range(3)]
    effects.owe_all(session, [Owed(MESSAGE, key, told) for key in keys], now=now)
    session.execute(sa.update(Effect).where(Effect.key.in_(keys)).values(done_at=now, tries=1))
    effects.owe_all(session, [Owed("strange", key) for key in PARKED], now=now)
    parked = {"parked_at": now, "parked_because": "The other side says no."}
    session.execute(sa.update(Effect).where(Effect.kind == "strange").values(**parked))


def differences(engine: sa.Engine) -> list[str]:
    """What `partner-cx audit` finds."""
    found = audit(
        engine, settings=SETTINGS, now=datetime.now(UTC), deep=True, schema=newest_revision()
    )
    return [f"{each.kind}: {each}" for each in found.differences]


def proposals_for(engine: sa.Engine, rule_code: str) -> int:
    """The number of the open proposal about a rule's award."""
    with reading(engine) as session:
        [number] = [
            each.proposal.id
            for each in proposals(session, open_only=True)
            if each.rule_code == rule_code
        ]
        return number
