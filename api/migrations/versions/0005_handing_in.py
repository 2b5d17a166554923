"""Handing files in: whose rows an upload holds, refused rows to look up, endpoints that pause."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("source", TEXT, nullable=True))
    op.add_column("webhook_endpoints", sa.Column("paused_at", INSTANT, nullable=True))
    op.create_table(
        "refused_rows",
        sa.Column("import_id", ID, autoincrement=False, nullable=False),
        sa.Column("delimiter", TEXT, nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_refused_rows_import_id")
        ),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_refused_rows")),
    )
