"""Cards: a partner's balance as a loyalty card in Odoo, with a line for each entry.

The card's code is our key. Points are set to what the wallet holds now, whatever the effect was
owed for, so that late and repeated effects do no harm. Odoo's users may change a card's points;
they are set again, and never without saying so on the partner's thread. See
docs/decisions/0012-what-people-change-on-a-card.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.carrying import Due, Hands
from integrations.odoo.connection.kept import connected
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.state import OdooLink
from integrations.odoo.values import id_of
from integrations.odoo.writing import notes
from integrations.odoo.writing.companies import (
    CARD,
    NOT_IN_ODOO,
    card_code,
    company_of,
    switched_off,
)
from integrations.odoo.writing.marks import ENTRIES, entry_key, entry_of, mark, unmarkable
from integrations.odoo.writing.programme import programme_id
from integrations.odoo.writing.wallets import Line, balance_points, lines_after
from partner_cx.database import reading, transact
from partner_cx.quantities import number_text, points_text
from partner_cx.words import Words

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo

KIND = "odoo.card"
HISTORY = "loyalty.history"
LINES_AT_ONCE = 200  # in one transaction of Odoo's
LATEST = 100  # entries that a new card tells one by one

UNTIL_THEN = Words("Points until then", "Points acquis jusque-là")
CHANGED = Words(
    "The points on the card {code} were changed in Odoo, from {before} to {found}. They are kept "
    "in Partner CX, which set them to {balance}. What a partner earned or lost is put right there.",
    "Les points de la carte {code} ont été modifiés dans Odoo, de {before} à {found}. Ils sont "
    "tenus dans Partner CX, qui les a remis à {balance}. C’est là que se corrige ce qu’un "
    "partenaire a gagné ou perdu.",
)
REMADE = Words(
    "The card {code} was deleted in Odoo. Partner CX made it anew, with {balance}.",
    "La carte {code} a été supprimée dans Odoo. Partner CX l’a recréée, avec {balance}.",
)


@dataclass(frozen=True)
class Seen:
    """What we know of a card.

    points: what we wrote last, None where we never did or forgot. setting: what we were about to
    write, when nobody knows whether it was. entry: the last one that has its line.
    """

    card_id: int
    points: int | None = None
    setting: int | None = None
    entry: int | None = None

    def explains(self, points: float) -> bool:
        """Whether a card's points are as we left them."""
        return self.points is None or points in (self.points, self.setting)


def carry_out(due: Due, hands: Hands) -> Mapping[str, Any]:
    """Set a partner's card to what its wallet holds, and add the lines that are missing.

    payload: partner, a code; entries, the ids of the entries it is owed for.
    """
    if off := switched_off(hands.settings, "cards"):
        return off
    with connected(hands.settings, clock=hands.clock) as odoo:
        card = _Card.found(odoo, hands, due) or _Card.made(odoo, hands, due)
        if card is None:
            return NOT_IN_ODOO
        card.set_points()
        card.add_lines()
        return {"card": card.id, "points": card.balance}


@dataclass
class _Card:
    """A partner's card while it is written.

    id: in Odoo. points: what stands there. holder: the company it belongs to there; after a merge
    of companies the one that is left. balance: what the wallet holds.
    """

    odoo: Odoo
    hands: Hands
    due: Due
    id: int
    points: float
    holder: int | None
    seen: Seen
    balance: int

    @property
    def partner_code(self) -> str:
        return str(self.due.payload["partner"])

    @classmethod
    def found(cls, odoo: Odoo, hands: Hands, due: Due) -> _Card | None:
        """The card that is there: by our key, or by its id where somebody changed the code."""
        code = str(due.payload["partner"])
        seen = _seen(hands.engine, code)
        fields = ["points", "partner_id"]
        ours = [["code", "=", card_code(code)]]
        rows = odoo.search_read(CARD, ours, fields, limit=1, archived=True)
        if not rows and seen:
            rows = odoo.read(CARD, [seen.card_id], fields)
        for row in rows:
            known = seen if seen and seen.card_id == row["id"] else Seen(row["id"])
            holder = id_of(row["partner_id"])
            balance = _balance(hands.engine, code)
            return cls(odoo, hands, due, row["id"], row["points"], holder, known, balance)
        return None

    @classmethod
    def made(cls, odoo: Odoo, hands: Hands, due: Due) -> _Card | None:
        """A new card. Odoo lets no second one have its code."""
        code = str(due.payload["partner"])
        company = company_of(odoo, hands.engine, code)
        if company is None:
            return None
        balance = _balance(hands.engine, code)
        before = _seen(hands.engine, code)
        values = {
            "program_id": programme_id(odoo, hands, OdooMapping.read(hands.settings.odoo_mapping)),
            "partner_id": company.id,
            "code": card_code(code),
            "points": balance,
        }
        if before is not None:
            told = REMADE.format(code=card_code(code), balance=_points(balance))
            notes.tell(odoo, hands, company.id, told, key=f"card {code} after {before.card_id}")
        (made,) = odoo.create(CARD, [values], context={"loyalty_no_mail": True})
        seen = Seen(made, points=balance)
        _remember(hands, code, seen)
        return cls(odoo, hands, due, made, balance, company.id, seen, balance)

    def set_points(self) -> None:
        """Set the card's points to the balance, telling of what somebody else set them to."""
        if self.points != self.balance:
            if not self.seen.explains(self.points):
                self._tell_of_change()
            # Noted first: if we end here, what was set is known for ours.
            self._remember(setting=self.balance)
            self.odoo.write(CARD, [self.id], {"points": self.balance})
        self._remember(points=self.balance, setting=None)

    def add_lines(self) -> None:
        """Write a line for each entry that has none."""
        if not self.odoo.has(HISTORY):  # before Odoo 18
            return
        last = self._last_line()
        with reading(self.hands.engine) as session:
            lines = lines_after(session, self.partner_code, last or 0)
        if last is None:
            lines = _summed_up(lines)
        values = [self._line(line) for line in lines]
        for at in range(0, len(values), LINES_AT_ONCE):
            self.odoo.create(HISTORY, values[at : at + LINES_AT_ONCE])
        if lines:
            self._remember(entry=lines[-1].entry_id)

    def _last_line(self) -> int | None:
        """The last entry that has a line, for all that Odoo and we know."""
        ours = [["card_id", "=", self.id], ["description", "ilike", ENTRIES]]
        rows = self.odoo.search_read(HISTORY, ours, ["description"], order="id desc", limit=1)
        known = [self.seen.entry, *(entry_of(row["description"]) for row in rows)]
        return max((each for each in known if each is not None), default=None)

    def _line(self, line: Line) -> dict[str, Any]:
        why = unmarkable(line.why.in_(self.hands.settings.language))
        return {
            "card_id": self.id,
            "description": f"{why} {mark(entry_key(line.entry_id))}",
            "issued": max(line.points, 0),
            "used": max(-line.points, 0),
        }

    def _tell_of_change(self) -> None:
        assert self.seen.points is not None
        if self.holder is None:
            return
        told = CHANGED.format(
            code=card_code(self.partner_code),
            before=_number(self.seen.points),
            found=_number(self.points),
            balance=_points(self.balance),
        )
        notes.tell(
            self.odoo, self.hands, self.holder, told, key=f"card {self.due.key} at {self.points:g}"
        )

    def _remember(self, **changed: int | None) -> None:
        seen = Seen(**(vars(self.seen) | changed))
        if seen != self.seen:
            _remember(self.hands, self.partner_code, seen)
        self.seen = seen


def _summed_up(lines: list[Line]) -> list[Line]:
    """The lines a new card begins with: the latest, and before them one for all the earlier."""
    earlier, latest = lines[:-LATEST], lines[-LATEST:]
    points = sum(line.points for line in earlier)
    return [Line(earlier[-1].entry_id, points, UNTIL_THEN), *latest] if points else latest


def _points(points: int) -> Words:
    return Words(points_text(points, "en"), points_text(points, "fr"))


def _number(points: float) -> Words:
    whole = int(points) if float(points).is_integer() else None
    if whole is not None:
        return Words(number_text(whole, "en"), number_text(whole, "fr"))
    return Words(f"{points:g}", f"{points:g}".replace(".", ","))


# --- What we remember of a card --------------------------------------------------------------


def _balance(engine: sa.Engine, partner_code: str) -> int:
    with reading(engine) as session:
        return balance_points(session, partner_code)


def _seen(engine: sa.Engine, partner_code: str) -> Seen | None:
    """What we know of a partner's card; None: it never had one."""
    with reading(engine) as session:
        link = session.scalar(_links(partner_code).where(OdooLink.gone_at.is_(None)))
        return None if link is None else Seen(link.odoo_id, **(link.seen or {}))


def _remember(hands: Hands, partner_code: str, seen: Seen) -> None:
    known = {name: value for name, value in vars(seen).items() if name != "card_id"}
    now = hands.clock()

    def note(session: Session) -> None:
        for link in session.scalars(_links(partner_code).where(OdooLink.gone_at.is_(None))):
            if link.odoo_id != seen.card_id:
                link.gone_at = now
        row = OdooLink(model=CARD, odoo_id=seen.card_id, ours=partner_code, seen=known)
        session.merge(row)

    transact(hands.engine, note)


def _links(partner_code: str) -> sa.Select[OdooLink]:
    return (
        sa.select(OdooLink)
        .where(OdooLink.model == CARD, OdooLink.ours == partner_code)
        .order_by(OdooLink.odoo_id.desc())
        .limit(1)
    )
