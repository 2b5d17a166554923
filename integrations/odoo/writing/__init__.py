"""Writing back: what Odoo's users need to see of the programme, in the records they look at.

tellings ─► hearing ─► effects ─► cards, notes, activities, tickets ─► records of Odoo

Everything is carried out at least once, so each record we make carries our key, which is looked
for first. What isn't switched on is neither owed nor written.
"""

from __future__ import annotations

from collections.abc import Mapping

from integrations.carrying import Handler
from integrations.odoo.writing import activities, cards, notes, programme, tickets
from integrations.odoo.writing.hearing import hear
from integrations.odoo.writing.tickets import raise_ticket

__all__ = ["HANDLERS", "hear", "raise_ticket"]

HANDLERS: Mapping[str, Handler] = {
    cards.KIND: cards.carry_out,
    programme.KIND: programme.carry_out,
    notes.KIND: notes.carry_out,
    activities.KIND: activities.carry_out,
    tickets.KIND: tickets.carry_out,
}
