"""How Alembic reaches the database and the schema; called by `api.migrations`."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from api.schema import METADATA
from partner_cx.database import Exact, Instant


def plain_type(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types as what the database sees, so that old migrations stand alone."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Exact):
        return "sa.Text()"
    return False


def same_type(
    _context: object,
    _inspected: object,
    _column: object,
    seen: sa.types.TypeEngine[Any],
    meant: sa.types.TypeEngine[Any],
) -> bool | None:
    """Compare our own column types by what the database sees."""
    if isinstance(meant, Instant):
        return not isinstance(seen, sa.DateTime)
    if isinstance(meant, Exact):
        return not isinstance(seen, sa.Text)
    return None


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    compare_type=same_type,
    render_item=plain_type,
    render_as_batch=False,
)
with context.begin_transaction():
    context.run_migrations()
