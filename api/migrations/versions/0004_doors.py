"""Doors: sessions, reps and their partners, the journal, shared counts, requests, uploads, refused
rows to look up, endpoints that pause; and an index for the network's pages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

APPEND_ONLY = ("journal",)

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    op.execute(
        f"ALTER TABLE api_tokens ADD COLUMN partner_id {number} "
        "CONSTRAINT fk_api_tokens_partner_id REFERENCES partners (id)"
    )
    op.drop_column("sign_in_links", "ended_at")  # sessions have a table of their own
    op.add_column("webhook_endpoints", sa.Column("paused_at", INSTANT, nullable=True))
    _sessions()
    _reps()
    _journal()
    _requests()
    _uploads()
    for table in ("scorecards", "frozen_scorecards"):  # a period's partners by a KPI and its state
        op.create_index(f"ix_{table}_period_kpi", table, ["period", "level", "kpi", "state"])
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _sessions() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_digest", TEXT, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("opened_by", TEXT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.CheckConstraint(
            "opened_by IN ('link', 'staff')", name=op.f("ck_web_sessions_opened_by")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_web_sessions_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_web_sessions_token_digest")),
    )
    op.create_index(op.f("ix_web_sessions_person_id"), "web_sessions", ["person_id"])
    op.create_table(
        "departures",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("left_at", INSTANT, nullable=False),
        sa.Column("said_by", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_departures_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_departures")),
    )
    op.create_table(
        "person_choices",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("chosen_at", INSTANT, nullable=False),
        sa.CheckConstraint("language IN ('en', 'fr')", name=op.f("ck_person_choices_language")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_person_choices_person_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person_choices")),
    )


def _reps() -> None:
    op.create_table(
        "partner_reps",
        sa.Column("id", ID, nullable=False),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("visits", sa.Boolean(), nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_partner_reps_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_partner_reps_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_partner_reps_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_reps")),
        sa.UniqueConstraint(
            "partner_id", "person_id", name=op.f("uq_partner_reps_partner_id_person_id")
        ),
    )
    op.create_index(op.f("ix_partner_reps_person_id"), "partner_reps", ["person_id"])


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("did", TEXT, nullable=False),
        sa.Column("about", TEXT, nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
    )
    for column in ("by", "did", "about"):
        op.create_index(op.f(f"ix_journal_{column}"), "journal", [column])


def _requests() -> None:
    op.create_table(
        "rate_counts",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_rate_counts")),
    )
    op.create_index(op.f("ix_rate_counts_ends_at"), "rate_counts", ["ends_at"])
    op.create_table(
        "api_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"], ["api_tokens.id"], name=op.f("fk_api_requests_token_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_requests")),
        sa.UniqueConstraint("token_id", "key", name=op.f("uq_api_requests_token_id_key")),
    )
    op.create_index(op.f("ix_api_requests_made_at"), "api_requests", ["made_at"])


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("mapping", TEXT, nullable=True),
        sa.Column("source", TEXT, nullable=True),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("import_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_uploads_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_made_at"), "uploads", ["made_at"])
    op.create_table(
        "saved_mappings",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("content", TEXT, nullable=False),
        sa.Column("saved_by", TEXT, nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_mappings")),
        sa.UniqueConstraint("kind", "name", name=op.f("uq_saved_mappings_kind_name")),
    )
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


def _refuse_changes(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'check_violation'; "
        f"END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse_change()"
    )
