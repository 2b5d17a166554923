"""An index to find a period's partners on one KPI, and to count their states."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("scorecards", "frozen_scorecards"):
        op.create_index(f"ix_{table}_period_kpi", table, ["period", "level", "kpi", "state"])
