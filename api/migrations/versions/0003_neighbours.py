"""Neighbours: effects and the schedule, what we remember of Odoo, webhooks, letters, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

APPEND_ONLY = ("bounces", "webhook_attempts")
OPEN = "done_at IS NULL AND parked_at IS NULL"

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "revisions",
        sa.Column("withdrawn", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    _effects()
    _odoo()
    _webhooks()
    _letters()
    _tokens()
    for table in APPEND_ONLY:
        _refuse_changes(table)


def _effects() -> None:
    op.create_table(
        "effects",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("owed_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_by", TEXT, nullable=True),
        sa.Column("leased_until", INSTANT, nullable=True),
        sa.Column("last_error", TEXT, nullable=True),
        sa.Column("parked_at", INSTANT, nullable=True),
        sa.Column("parked_because", TEXT, nullable=True),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.Column("dropped_because", TEXT, nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.CheckConstraint("done_at IS NULL OR parked_at IS NULL", name=op.f("ck_effects_one_end")),
        sa.CheckConstraint(
            "(parked_at IS NULL) = (parked_because IS NULL)", name=op.f("ck_effects_parked_why")
        ),
        sa.CheckConstraint(
            "dropped_because IS NULL OR done_at IS NOT NULL",
            name=op.f("ck_effects_dropped_done"),
        ),
        sa.CheckConstraint(
            "(leased_by IS NULL) = (leased_until IS NULL)", name=op.f("ck_effects_lease_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_effects")),
        sa.UniqueConstraint("key", name=op.f("uq_effects_key")),
    )
    _index_where("ix_effects_due", ["due_at", "id"], OPEN)
    _index_where("ix_effects_subject", ["subject", "id"], "done_at IS NULL AND subject IS NOT NULL")
    _index_where("ix_effects_parked_at", ["parked_at"], "parked_at IS NOT NULL")
    op.create_table(
        "schedule_plans",
        sa.Column("task", TEXT, nullable=False),
        sa.Column("planned_until", INSTANT, nullable=False),
        sa.Column("when_written", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_schedule_plans")),
    )


def _index_where(name: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        "effects",
        columns,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _odoo() -> None:
    op.create_table(
        "odoo_cursors",
        sa.Column("stream", TEXT, nullable=False),
        sa.Column("read_until", INSTANT, nullable=True),
        sa.Column("quiet_since", INSTANT, nullable=True),
        sa.Column("position", sa.JSON(), nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.Column("compared_at", INSTANT, nullable=True),
        sa.Column("mapping_digest", TEXT, nullable=True),
        sa.Column("again", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_odoo_cursors")),
    )
    op.create_table(
        "odoo_links",
        sa.Column("model", TEXT, nullable=False),
        sa.Column("odoo_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ours", TEXT, nullable=False),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("gone_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("model", "odoo_id", name=op.f("pk_odoo_links")),
    )
    op.create_index("ix_odoo_links_ours", "odoo_links", ["model", "ours"])


def _webhooks() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", ID, nullable=False),
        sa.Column("url", TEXT, nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "webhook_secrets",
        sa.Column("id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("sealed", TEXT, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_secrets_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secrets")),
    )
    op.create_index(op.f("ix_webhook_secrets_endpoint_id"), "webhook_secrets", ["endpoint_id"])
    op.create_table(
        "webhook_attempts",
        sa.Column("id", ID, nullable=False),
        sa.Column("effect_id", ID, nullable=False),
        sa.Column("endpoint_id", ID, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", TEXT, nullable=True),
        sa.Column("problem", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["effect_id"], ["effects.id"], name=op.f("fk_webhook_attempts_effect_id")
        ),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoints.id"], name=op.f("fk_webhook_attempts_endpoint_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_attempts")),
    )
    op.create_index(op.f("ix_webhook_attempts_effect_id"), "webhook_attempts", ["effect_id"])
    op.create_index("ix_webhook_attempts_endpoint", "webhook_attempts", ["endpoint_id", "id"])


def _letters() -> None:
    op.create_table(
        "letter_choices",
        sa.Column("email", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        sa.Column("chosen_at", INSTANT, nullable=False),
        sa.Column("chosen_through", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("email", "topic", name=op.f("pk_letter_choices")),
    )
    op.create_table(
        "bounces",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", TEXT, nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounces")),
        sa.UniqueConstraint("message_id", name=op.f("uq_bounces_message_id")),
    )
    op.create_index("ix_bounces_email", "bounces", ["email"])


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("token_digest", TEXT, nullable=False),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("last_used_at", INSTANT, nullable=True),
        sa.CheckConstraint("scopes <> ''", name=op.f("ck_api_tokens_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_api_tokens_token_digest")),
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
