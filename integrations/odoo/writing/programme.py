"""The loyalty programme that the partners' cards belong to: found by its name, or made once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands, Later
from integrations.odoo.connection.errors import NotAllowed
from integrations.odoo.connection.kept import connected
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.writing.companies import switched_off
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed, owe
from partner_cx.errors import Refused
from partner_cx.settings import Settings
from partner_cx.words import Words

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KIND = "odoo.programme"
MODEL = "loyalty.program"
SOON, LATER = timedelta(seconds=5), timedelta(minutes=5)
POINTS = Words("Points", "Points")
# So that it is nobody's but ours: no order in Odoo earns on its cards or takes from them.
OUT_OF_REACH = 1_000_000_000  # points that the reward takes which Odoo wants to see
NOT_SOLD = ("sale_ok", "pos_ok", "ecommerce_ok", "portal_visible")


def programme_id(odoo: Odoo, hands: Hands, mapping: OdooMapping) -> int:
    """The programme's id in Odoo.

    Raises Later while it is being made, by an effect of its own so that two workers don't make
    two; Refused when there is none and it isn't to be made.
    """
    name = mapping.writing.programme
    if (found := _found(odoo, name)) is not None:
        return found
    if (renamed := _made_before(odoo, hands, name)) is not None:
        return renamed
    if not mapping.writing.make_programme:
        raise Refused(f"Odoo has no loyalty programme “{name}”.", remedy=_MAKE_ONE)
    now = hands.clock()
    try:
        parked = transact(hands.engine, lambda session: _have_it_made(session, name, now))
    except Refused:
        if (found := _found(odoo, name)) is not None:  # made since we looked
            return found
        raise
    raise Later(now + (LATER if parked else SOON))


def _made_before(odoo: Odoo, hands: Hands, name: str) -> int | None:
    """The one that was made under a name, and has another by now."""
    with reading(hands.engine) as session:
        every = session.scalars(sa.select(Effect).where(Effect.kind == KIND).order_by(Effect.id))
        results = [each.result or {} for each in every if each.payload["name"] == name]
    made = [each["programme"] for each in results if "programme" in each]
    return next((row["id"] for row in odoo.read(MODEL, made, ["name"])), None)


def _have_it_made(session: Session, name: str, now: datetime) -> bool:
    """Owe the making of a programme, unless it is owed; whether that waits for a person.

    Raises Refused when it was made before, or somebody dropped its making.
    """
    every = session.scalars(sa.select(Effect).where(Effect.kind == KIND).order_by(Effect.id))
    earlier = [each for each in every if each.payload["name"] == name]
    if any("programme" in (each.result or {}) or each.dropped_because for each in earlier):
        raise Refused(
            f"Odoo's loyalty programme “{name}” was deleted, or its making was dropped.",
            remedy=_MAKE_ONE,
        )
    # Those that are done and made none were carried out while cards were switched off.
    ended = [each for each in earlier if each.done_at]
    if len(ended) == len(earlier):
        key = ":".join([KIND, name, *([str(len(ended) + 1)] if ended else [])])
        owe(session, Owed(KIND, key, {"name": name}), now=now)
        return False
    return earlier[-1].parked_at is not None


_MAKE_ONE = (
    "Make one of that name in Odoo (Sales, Products, Discount & Loyalty: Loyalty Cards, with "
    "nothing to sell it by), or name the one that is there in the mapping: [writing] programme. "
    "Then retry."
)


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Make the programme, unless there is one of the name."""
    if off := switched_off(hands.settings, "cards"):
        return off
    name = str(due.payload["name"])
    with connected(hands.settings, clock=hands.clock) as odoo:
        found = _found(odoo, name)
        if found is not None:
            return {"programme": found}
        try:
            (made,) = odoo.create(MODEL, [_values(odoo, name, hands.settings)])
        except NotAllowed as refusal:
            told = f"Odoo has no loyalty programme “{name}”, and the service account may make none."
            raise Refused(told, remedy=_MAKE_ONE) from refusal
    return {"programme": made}


def _found(odoo: Odoo, name: str) -> int | None:
    found = odoo.search(MODEL, [["name", "=", name]], limit=1, archived=True)
    return found[0] if found else None


def _values(odoo: Odoo, name: str, settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": name,
        "program_type": "loyalty",
        "applies_on": "both",
        "trigger": "auto",
        "portal_point_name": POINTS.in_(settings.language),
    }
    values |= {each: False for each in NOT_SOLD if odoo.has_field(MODEL, each)}
    if odoo.has_field(MODEL, "reward_ids"):
        # Odoo wants one, and makes none by itself where `applies_on` is given; nor does it then
        # make a rule by which orders earn points.
        values["reward_ids"] = [[0, 0, {"discount": 1, "required_points": OUT_OF_REACH}]]
    return values
