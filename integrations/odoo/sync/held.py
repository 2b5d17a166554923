"""What we hold of Odoo's: which records our facts and links come from, some at a time."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from integrations.odoo.state import OdooLink
from integrations.odoo.streams import SOURCE
from partner_cx.database import reading
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Source

AT_ONCE = 2_000


def held_facts(
    engine: sa.Engine,
    table: sa.Table,
    *,
    prefix: str = "",
    after: int = 0,
    of: str | None = None,
) -> Iterator[dict[int, int]]:
    """Our facts' ids, from one on, with the ids of the records of Odoo they come from.

    of: the code of the partner they are about; None is every one's. A fact whose source_id isn't
    the prefix and a record's id is left out.
    """
    with reading(engine) as session:
        source = session.scalar(sa.select(Source.id).where(Source.code == SOURCE))
        held = sa.select(table.c.id, table.c.source_id).where(table.c.source == source)
        if of is not None:
            held = held.join(Partner, Partner.id == table.c.partner_id).where(Partner.code == of)
        while rows := session.execute(
            held.where(table.c.id > after).order_by(table.c.id).limit(AT_ONCE)
        ).all():
            after = rows[-1].id
            found = {
                row.id: int(number)
                for row in rows
                if row.source_id.startswith(prefix)
                and (number := row.source_id.removeprefix(prefix)).isdecimal()
            }
            if found:
                yield found


def held_records(
    engine: sa.Engine, model: str, *, after: int = 0, partners: bool = False
) -> Iterator[list[int]]:
    """The records of a model that are linked and there, as far as we know, from one on.

    partners: those alone that are partners of the network.
    """
    held = sa.select(OdooLink.odoo_id).where(OdooLink.model == model, OdooLink.gone_at.is_(None))
    if partners:
        held = held.join(Partner, Partner.code == OdooLink.ours)
    with reading(engine) as session:
        while ids := session.scalars(
            held.where(OdooLink.odoo_id > after).order_by(OdooLink.odoo_id).limit(AT_ONCE)
        ).all():
            after = ids[-1]
            yield list(ids)
