"""The first schema: the network, its facts, their tallies, scorecards, rules and the ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# What was recorded in these tables is history: the database itself refuses to change it.
APPEND_ONLY = (
    "revisions",
    "rule_versions",
    "closings",
    "frozen_scorecards",
    "decisions",
    "transfers",
    "entries",
)

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "closings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", TEXT, nullable=False),
        sa.Column("last_import_id", sa.BigInteger(), nullable=True),
        sa.Column("terms", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closings")),
        sa.UniqueConstraint("period", name=op.f("uq_closings_period")),
    )
    op.create_table(
        "marks",
        sa.Column("family", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("whole_month", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("family", "day", "partner_id", name=op.f("pk_marks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "month_tallies",
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "month", "partner_id", name=op.f("pk_month_tallies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "presences",
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("kpi", "month", "partner_id", "who", name=op.f("pk_presences")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rule_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("contents", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", TEXT, nullable=False),
        sa.Column("why", TEXT, server_default="", nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_rule_versions_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_versions")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_rule_versions_code_version")),
    )
    op.create_table(
        "scorecards",
        sa.Column("period", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("hits", sa.BigInteger(), nullable=True),
        sa.Column("of", sa.BigInteger(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("coverage", TEXT, nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("target", TEXT, nullable=True),
        sa.Column("n_min", sa.Integer(), nullable=True),
        sa.Column("coverage_min", TEXT, nullable=True),
        sa.Column("stale_after_days", sa.Integer(), nullable=True),
        sa.Column("target_group", TEXT, nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("details", TEXT, nullable=True),
        sa.PrimaryKeyConstraint("period", "level", "subject", "kpi", name=op.f("pk_scorecards")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("code", name=op.f("uq_sources_code")),
    )
    op.create_table(
        "spreads",
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "day", "partner_id", "value", name=op.f("pk_spreads")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies",
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kpi", "day", "partner_id", name=op.f("pk_tallies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tally_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", TEXT, nullable=False),
        sa.Column("last_import_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_tally_state_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_state")),
    )
    op.create_table(
        "frozen_scorecards",
        sa.Column(
            "closing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("period", TEXT, nullable=False),
        sa.Column("level", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("value", TEXT, nullable=True),
        sa.Column("hits", sa.BigInteger(), nullable=True),
        sa.Column("of", sa.BigInteger(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("coverage", TEXT, nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("state", TEXT, nullable=True),
        sa.Column("target", TEXT, nullable=True),
        sa.Column("n_min", sa.Integer(), nullable=True),
        sa.Column("coverage_min", TEXT, nullable=True),
        sa.Column("stale_after_days", sa.Integer(), nullable=True),
        sa.Column("target_group", TEXT, nullable=True),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("details", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["closing_id"], ["closings.id"], name=op.f("fk_frozen_scorecards_closing_id")
        ),
        sa.PrimaryKeyConstraint(
            "period", "level", "subject", "kpi", name=op.f("pk_frozen_scorecards")
        ),
    )
    op.create_index(
        op.f("ix_frozen_scorecards_closing_id"), "frozen_scorecards", ["closing_id"], unique=False
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_name", TEXT, nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=False),
        sa.Column("unchanged", sa.BigInteger(), nullable=False),
        sa.Column("corrected", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("events_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_imports_source")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("id", "source", name=op.f("uq_imports_id_source")),
    )
    op.create_index("ix_imports_kind_imported_at", "imports", ["kind", "imported_at"], unique=False)
    op.create_table(
        "calendars",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("days", TEXT, nullable=False),
        sa.Column("opens", TEXT, nullable=False),
        sa.Column("closes", TEXT, nullable=False),
        sa.Column("holidays", TEXT, nullable=True),
        sa.Column("closed_on", TEXT, nullable=True),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_calendars_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
        sa.UniqueConstraint("code", name=op.f("uq_calendars_code")),
    )
    op.create_table(
        "partners",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tier", TEXT, nullable=True),
        sa.Column("region", TEXT, nullable=True),
        sa.Column("country", TEXT, nullable=True),
        sa.Column("language", TEXT, nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("source_id", TEXT, nullable=True),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "kind IN ('distributor', 'reseller', 'installer', 'agency')",
            name=op.f("ck_partners_kind"),
        ),
        sa.CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on",
            name=op.f("ck_partners_left_after_joined"),
        ),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_partners_not_its_own_parent")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_partners_import_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["partners.id"], name=op.f("fk_partners_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("code", name=op.f("uq_partners_code")),
    )
    op.create_index(op.f("ix_partners_parent_id"), "partners", ["parent_id"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fact_id", sa.BigInteger(), nullable=False),
        sa.Column("partner_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "superseded_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.CheckConstraint("superseded_by > import_id", name=op.f("ck_revisions_superseded_later")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_revisions_import_id")),
        sa.ForeignKeyConstraint(
            ["superseded_by"], ["imports.id"], name=op.f("fk_revisions_superseded_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    op.create_index("ix_revisions_kind_fact_id", "revisions", ["kind", "fact_id"], unique=False)
    op.create_index(
        "ix_revisions_kind_partner_id", "revisions", ["kind", "partner_id"], unique=False
    )
    op.create_table(
        "targets",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kpi", TEXT, nullable=False),
        sa.Column("group_code", TEXT, server_default="", nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("target", TEXT, nullable=False),
        sa.Column("n_min", sa.Integer(), nullable=True),
        sa.Column("coverage_min", TEXT, nullable=True),
        sa.Column("stale_after_days", sa.Integer(), nullable=True),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("n_min >= 0", name=op.f("ck_targets_n_min")),
        sa.CheckConstraint("stale_after_days > 0", name=op.f("ck_targets_stale_after_days")),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_targets_import_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_targets")),
        sa.UniqueConstraint(
            "kpi", "group_code", "starts_on", name=op.f("uq_targets_kpi_group_code_starts_on")
        ),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("balance_points", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind = 'funding' OR balance_points >= 0", name=op.f("ck_accounts_not_below_zero")
        ),
        sa.CheckConstraint(
            "kind IN ('funding', 'budget', 'wallet', 'held', 'spent', 'expired')",
            name=op.f("ck_accounts_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_accounts_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("kind", "owner", name=op.f("uq_accounts_kind_owner")),
    )
    op.create_index(op.f("ix_accounts_partner_id"), "accounts", ["partner_id"], unique=False)
    op.create_table(
        "answers",
        sa.Column("survey_code", TEXT, nullable=False),
        sa.Column("question_code", TEXT, nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("text", TEXT, nullable=True),
        sa.Column("dismissed", sa.Boolean(), nullable=False),
        sa.Column("respondent", TEXT, nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "NOT dismissed OR value IS NULL", name=op.f("ck_answers_dismissed_without_value")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_answers_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_answers_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("source", "source_id", name="uq_answers_source_id"),
    )
    op.create_index(
        "ix_answers_partner_day", "answers", ["partner_id", "answered_on"], unique=False
    )
    op.create_table(
        "catalogue_statuses",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("filled", sa.Integer(), nullable=False),
        sa.Column("required", sa.Integer(), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "filled >= 0 AND filled <= required", name=op.f("ck_catalogue_statuses_filled")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_catalogue_statuses_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_catalogue_statuses_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_statuses")),
        sa.UniqueConstraint("source", "source_id", name="uq_catalogue_statuses_source_id"),
    )
    op.create_index(
        "ix_catalogue_statuses_partner_day",
        "catalogue_statuses",
        ["partner_id", "on"],
        unique=False,
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "closing_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "rule_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("sentence_en", TEXT, nullable=False),
        sa.Column("sentence_fr", TEXT, nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "points >= 0 AND (verdict = 'met' OR points = 0)", name=op.f("ck_decisions_points")
        ),
        sa.CheckConstraint(
            "verdict IN ('met', 'not_met', 'unknown')", name=op.f("ck_decisions_verdict")
        ),
        sa.ForeignKeyConstraint(
            ["closing_id"], ["closings.id"], name=op.f("fk_decisions_closing_id")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_decisions_partner_id")
        ),
        sa.ForeignKeyConstraint(
            ["rule_version_id"], ["rule_versions.id"], name=op.f("fk_decisions_rule_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
        sa.UniqueConstraint(
            "closing_id",
            "rule_version_id",
            "partner_id",
            name=op.f("uq_decisions_closing_id_rule_version_id_partner_id"),
        ),
    )
    op.create_index(op.f("ix_decisions_partner_id"), "decisions", ["partner_id"], unique=False)
    op.create_table(
        "enrolments",
        sa.Column("person_email", TEXT, nullable=False),
        sa.Column("course_code", TEXT, nullable=False),
        sa.Column("enrolled_on", sa.Date(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("progress", sa.BigInteger(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "completed_on >= enrolled_on", name=op.f("ck_enrolments_completed_after_enrolled")
        ),
        sa.CheckConstraint(
            "progress >= 0 AND progress <= 1000000", name=op.f("ck_enrolments_progress")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_enrolments_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_enrolments_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolments")),
        sa.UniqueConstraint("source", "source_id", name="uq_enrolments_source_id"),
    )
    op.create_index(
        "ix_enrolments_partner_day", "enrolments", ["partner_id", "enrolled_on"], unique=False
    )
    op.create_table(
        "group_members",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_code", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_group_members_import_id")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_group_members_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_group_members")),
        sa.UniqueConstraint(
            "group_code", "partner_id", name=op.f("uq_group_members_group_code_partner_id")
        ),
    )
    op.create_index(
        op.f("ix_group_members_partner_id"), "group_members", ["partner_id"], unique=False
    )
    op.create_table(
        "invoices",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", TEXT, nullable=False),
        sa.Column("lines", sa.Integer(), nullable=True),
        sa.Column("disputed_lines", sa.Integer(), nullable=True),
        sa.Column("credited_minor", sa.BigInteger(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("disputed_lines <= lines", name=op.f("ck_invoices_disputed")),
        sa.CheckConstraint("lines >= 0 AND disputed_lines >= 0", name=op.f("ck_invoices_lines")),
        sa.CheckConstraint(
            "value_minor >= 0 AND credited_minor >= 0", name=op.f("ck_invoices_values")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_invoices_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_invoices_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("source", "source_id", name="uq_invoices_source_id"),
    )
    op.create_index("ix_invoices_partner_day", "invoices", ["partner_id", "on"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("order_code", TEXT, nullable=False),
        sa.Column("product_code", TEXT, nullable=True),
        sa.Column("ordered", sa.BigInteger(), nullable=False),
        sa.Column("window_start", sa.Date(), nullable=True),
        sa.Column("window_end", sa.Date(), nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("cancelled_on", sa.Date(), nullable=True),
        sa.Column("value_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", TEXT, nullable=True),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "status IN ('open', 'done', 'cancelled_by_customer', 'cancelled_by_supplier')",
            name=op.f("ck_order_lines_status"),
        ),
        sa.CheckConstraint(
            "(received IS NULL) = (received_on IS NULL)", name=op.f("ck_order_lines_receipt_whole")
        ),
        sa.CheckConstraint("ordered > 0", name=op.f("ck_order_lines_something_ordered")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_order_lines_received")),
        sa.CheckConstraint("window_start <= window_end", name=op.f("ck_order_lines_window")),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_order_lines_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_order_lines_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
        sa.UniqueConstraint("source", "source_id", name="uq_order_lines_source_id"),
    )
    op.create_index(
        "ix_order_lines_order", "order_lines", ["partner_id", "order_code"], unique=False
    )
    op.create_index(
        "ix_order_lines_partner_day", "order_lines", ["partner_id", "window_end"], unique=False
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("language", TEXT, nullable=True),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "role <> 'partner' OR partner_id IS NOT NULL", name=op.f("ck_people_partner_named")
        ),
        sa.CheckConstraint(
            "role IN ('rep', 'partner', 'manager', 'admin')", name=op.f("ck_people_role")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_people_import_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_people_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    op.create_index(op.f("ix_people_partner_id"), "people", ["partner_id"], unique=False)
    op.create_table(
        "sign_in_links",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_digest", TEXT, nullable=False),
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_sign_in_links_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_links")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_in_links_token_digest")),
    )
    op.create_index(
        op.f("ix_sign_in_links_person_id"), "sign_in_links", ["person_id"], unique=False
    )
    op.create_table(
        "portal_events",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("person_email", TEXT, nullable=True),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "kind IN ('login', 'sheet_view', 'media_download', 'search', 'quote')",
            name=op.f("ck_portal_events_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_portal_events_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_portal_events_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_events")),
        sa.UniqueConstraint("source", "source_id", name="uq_portal_events_source_id"),
    )
    op.create_index(
        "ix_portal_events_partner_day", "portal_events", ["partner_id", "on"], unique=False
    )
    op.create_table(
        "quotes",
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("quoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quoted_on", sa.Date(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "quoted_at >= requested_at", name=op.f("ck_quotes_quoted_after_requested")
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_quotes_import_id_source"),
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_quotes_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotes")),
        sa.UniqueConstraint("source", "source_id", name="uq_quotes_source_id"),
    )
    op.create_index("ix_quotes_partner_quoted", "quotes", ["partner_id", "quoted_on"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("referred_name", TEXT, nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_referrals_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_referrals_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referrals")),
        sa.UniqueConstraint("source", "source_id", name="uq_referrals_source_id"),
    )
    op.create_index("ix_referrals_partner_day", "referrals", ["partner_id", "on"], unique=False)
    op.create_table(
        "tickets",
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_reply_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_count", sa.Integer(), nullable=True),
        sa.Column("response_target_minutes", sa.Integer(), nullable=True),
        sa.Column("resolution_target_minutes", sa.Integer(), nullable=True),
        sa.Column(
            "calendar_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("paused", TEXT, nullable=True),
        sa.Column("contacts", sa.Integer(), nullable=True),
        sa.Column("channel", TEXT, nullable=True),
        sa.Column("category", TEXT, nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("replied_on", sa.Date(), nullable=True),
        sa.Column("resolved_on", sa.Date(), nullable=True),
        sa.Column("response_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_due_on", sa.Date(), nullable=True),
        sa.Column("resolution_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution_due_on", sa.Date(), nullable=True),
        sa.Column("response_seconds", sa.BigInteger(), nullable=True),
        sa.Column("resolution_seconds", sa.BigInteger(), nullable=True),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("contacts >= 0", name=op.f("ck_tickets_contacts")),
        sa.CheckConstraint(
            "first_reply_at >= opened_at", name=op.f("ck_tickets_replied_after_opened")
        ),
        sa.CheckConstraint("reopened_count >= 0", name=op.f("ck_tickets_reopened_count")),
        sa.CheckConstraint(
            "resolved_at >= opened_at", name=op.f("ck_tickets_resolved_after_opened")
        ),
        sa.CheckConstraint(
            "response_target_minutes > 0 AND resolution_target_minutes > 0",
            name=op.f("ck_tickets_targets"),
        ),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendars.id"], name=op.f("fk_tickets_calendar_id")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_tickets_import_id")),
        sa.ForeignKeyConstraint(["source"], ["sources.id"], name=op.f("fk_tickets_source")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_tickets_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("source", "source_id", name="uq_tickets_source_id"),
    )
    op.create_index(op.f("ix_tickets_calendar_id"), "tickets", ["calendar_id"], unique=False)
    op.create_index("ix_tickets_opened", "tickets", ["partner_id", "opened_on"], unique=False)
    op.create_index("ix_tickets_replied", "tickets", ["partner_id", "replied_on"], unique=False)
    op.create_index(
        "ix_tickets_resolution_due", "tickets", ["partner_id", "resolution_due_on"], unique=False
    )
    op.create_index("ix_tickets_resolved", "tickets", ["partner_id", "resolved_on"], unique=False)
    op.create_index(
        "ix_tickets_response_due", "tickets", ["partner_id", "response_due_on"], unique=False
    )
    op.create_table(
        "visits",
        sa.Column("asset", TEXT, nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column(
            "partner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint(
            "outcome IN ('fixed', 'part_missing', 'not_fixed', 'no_access')",
            name=op.f("ck_visits_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_visits_import_id_source"),
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_visits_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("source", "source_id", name="uq_visits_source_id"),
    )
    op.create_index("ix_visits_asset", "visits", ["asset", "visited_on"], unique=False)
    op.create_index("ix_visits_partner_day", "visits", ["partner_id", "visited_on"], unique=False)
    op.create_table(
        "receipts",
        sa.Column(
            "order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column(
            "import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_receipts_quantity")),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_receipts_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_lines.id"], name=op.f("fk_receipts_order_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("source", "source_id", name="uq_receipts_source_id"),
    )
    op.create_index(op.f("ix_receipts_order_line_id"), "receipts", ["order_line_id"], unique=False)
    op.create_table(
        "transfers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("why_en", TEXT, nullable=False),
        sa.Column("why_fr", TEXT, nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "decision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column(
            "corrects_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.ForeignKeyConstraint(
            ["corrects_id"], ["transfers.id"], name=op.f("fk_transfers_corrects_id")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_transfers_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_transfers_decision_id")),
        sa.UniqueConstraint("key", name=op.f("uq_transfers_key")),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "transfer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_entries_moves_something")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_entries_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfers.id"], name=op.f("fk_entries_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
        sa.UniqueConstraint(
            "transfer_id", "account_id", name=op.f("uq_entries_transfer_id_account_id")
        ),
    )
    op.create_index(op.f("ix_entries_account_id"), "entries", ["account_id"], unique=False)
    for table in APPEND_ONLY:
        _refuse_changes(table)


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
