"""Rules one can trust with money: events, drafts, held awards, proposals, frozen partners.

Decisions lose their stored sentences: they are told again from the rule version and the frozen
evidence. A period that was closed before is given its partners as they are at this migration,
since nobody noted them then; its `partners_digest` stays empty, and the audit says nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = (
    "events",
    "frozen_partners",
    "rule_retirements",
    "proposals",
    "proposal_outcomes",
    "budget_alerts",
)
ACCOUNT_KINDS = "'funding', 'budget', 'reserved', 'pending', 'wallet', 'held', 'spent', 'expired'"

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rules()
    _events()
    op.add_column("closings", sa.Column("last_event_id", sa.BigInteger(), nullable=True))
    op.add_column("closings", sa.Column("partners_digest", TEXT, nullable=True))
    op.add_column("rule_versions", sa.Column("approved_by", TEXT, nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _remake_decisions()
        _remake_accounts()
    else:
        _alter_decisions()
        _alter_accounts()
    _proposals()
    _transfers()
    for table in APPEND_ONLY:
        _refuse_changes(table)
    _freeze_partners()


def _rules() -> None:
    op.create_table(
        "rule_drafts",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("contents", TEXT, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", TEXT, nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_by", TEXT, nullable=True),
        sa.Column("why", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_rule_drafts")),
    )
    op.create_table(
        "rule_retirements",
        sa.Column("id", ID, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_by", TEXT, nullable=False),
        sa.Column("why", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_retirements")),
        sa.UniqueConstraint("code", "version", name=op.f("uq_rule_retirements_code_version")),
    )
    op.create_table(
        "budget_alerts",
        sa.Column("id", ID, nullable=False),
        sa.Column("budget_code", TEXT, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("funded_points", sa.BigInteger(), nullable=False),
        sa.Column("used_points", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_alerts")),
        sa.UniqueConstraint(
            "budget_code",
            "level",
            "funded_points",
            name=op.f("uq_budget_alerts_budget_code_level_funded_points"),
        ),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("person_email", TEXT, nullable=True),
        sa.Column("subject", TEXT, nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("last_closing_id", sa.BigInteger(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_events_partner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint("key", name=op.f("uq_events_key")),
    )
    op.create_index("ix_events_partner_kind_on", "events", ["partner_id", "kind", "on"])
    op.create_index("ix_events_kind", "events", ["kind"])
    _index_given("events", "person_email")
    op.create_table(
        "event_draws",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("last_fact_id", sa.BigInteger(), nullable=False),
        sa.Column("last_revision_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_event_draws")),
    )
    op.create_table(
        "waiting_facts",
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("fact_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "fact_id", name=op.f("pk_waiting_facts")),
    )
    op.create_index("ix_revisions_kind_id", "revisions", ["kind", "id"])
    op.create_table(
        "told_events",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("person_email", TEXT, nullable=True),
        sa.Column("subject", TEXT, nullable=True),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("source", ID, nullable=False),
        sa.Column("source_id", TEXT, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.CheckConstraint(
            "kind IN ('report_accepted', 'survey_answered', 'course_completed', "
            "'catalogue_completed', 'panel_attended', 'incident_resolved')",
            name=op.f("ck_told_events_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["import_id", "source"],
            ["imports.id", "imports.source"],
            name=op.f("fk_told_events_import_id_source"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_told_events_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_events")),
        sa.UniqueConstraint("source", "source_id", name="uq_told_events_source_id"),
    )
    op.create_index("ix_told_events_partner_day", "told_events", ["partner_id", "on"])
    op.create_table(
        "frozen_partners",
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("code", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["closing_id"], ["closings.id"], name=op.f("fk_frozen_partners_closing_id")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_frozen_partners_partner_id")
        ),
        sa.PrimaryKeyConstraint("closing_id", "partner_id", name=op.f("pk_frozen_partners")),
    )


def _decisions(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", ID, nullable=False),
        sa.Column("closing_id", ID, nullable=True),
        sa.Column("event_id", ID, nullable=True),
        sa.Column("rule_version_id", ID, nullable=False),
        sa.Column("partner_id", ID, nullable=False),
        sa.Column("verdict", TEXT, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "points >= 0 AND (verdict = 'met' OR points = 0)", name=op.f("ck_decisions_points")
        ),
        sa.CheckConstraint(
            "verdict IN ('met', 'not_met', 'unknown')", name=op.f("ck_decisions_verdict")
        ),
        sa.CheckConstraint(
            "(closing_id IS NULL) <> (event_id IS NULL)", name=op.f("ck_decisions_one_occasion")
        ),
        sa.ForeignKeyConstraint(
            ["closing_id"], ["closings.id"], name=op.f("fk_decisions_closing_id")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_decisions_event_id")),
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


def _remake_decisions() -> None:
    """SQLite alters no constraint: the table is made anew, under the same name."""
    _decisions("decisions_new")
    op.execute(
        "INSERT INTO decisions_new "
        "(id, closing_id, rule_version_id, partner_id, verdict, points) "
        "SELECT id, closing_id, rule_version_id, partner_id, verdict, points FROM decisions"
    )
    op.execute("DROP TABLE decisions")
    op.execute("ALTER TABLE decisions_new RENAME TO decisions")
    op.create_index(op.f("ix_decisions_partner_id"), "decisions", ["partner_id"])
    _index_given("decisions", "event_id", "rule_version_id", unique=True)
    _refuse_changes("decisions")


def _alter_decisions() -> None:
    for column in ("sentence_en", "sentence_fr", "findings"):
        op.drop_column("decisions", column)
    op.alter_column("decisions", "closing_id", nullable=True)
    op.add_column("decisions", sa.Column("event_id", ID, nullable=True))
    op.create_foreign_key(
        op.f("fk_decisions_event_id"), "decisions", "events", ["event_id"], ["id"]
    )
    op.create_check_constraint(
        op.f("ck_decisions_one_occasion"),
        "decisions",
        "(closing_id IS NULL) <> (event_id IS NULL)",
    )
    _index_given("decisions", "event_id", "rule_version_id", unique=True)


def _remake_accounts() -> None:
    op.create_table(
        "accounts_new",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("owner", TEXT, nullable=False),
        sa.Column("partner_id", ID, nullable=True),
        sa.Column("balance_points", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind = 'funding' OR balance_points >= 0", name=op.f("ck_accounts_not_below_zero")
        ),
        sa.CheckConstraint(f"kind IN ({ACCOUNT_KINDS})", name=op.f("ck_accounts_kind")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_accounts_partner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("kind", "owner", name=op.f("uq_accounts_kind_owner")),
    )
    op.execute(
        "INSERT INTO accounts_new (id, kind, owner, partner_id, balance_points) "
        "SELECT id, kind, owner, partner_id, balance_points FROM accounts"
    )
    op.execute("DROP TABLE accounts")
    op.execute("ALTER TABLE accounts_new RENAME TO accounts")
    op.create_index(op.f("ix_accounts_partner_id"), "accounts", ["partner_id"])


def _alter_accounts() -> None:
    op.drop_constraint(op.f("ck_accounts_kind"), "accounts")
    op.create_check_constraint(op.f("ck_accounts_kind"), "accounts", f"kind IN ({ACCOUNT_KINDS})")


def _proposals() -> None:
    op.create_table(
        "proposals",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("decision_id", ID, nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("why_en", TEXT, nullable=False),
        sa.Column("why_fr", TEXT, nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("last_import_id", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by", TEXT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_proposals_asks_for_something")),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_proposals_decision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.UniqueConstraint("key", name=op.f("uq_proposals_key")),
    )
    op.create_index(op.f("ix_proposals_decision_id"), "proposals", ["decision_id"])
    op.create_table(
        "proposal_outcomes",
        sa.Column("proposal_id", ID, nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_by", TEXT, nullable=False),
        sa.Column("why", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposals.id"], name=op.f("fk_proposal_outcomes_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", name=op.f("pk_proposal_outcomes")),
    )


def _transfers() -> None:
    op.add_column("transfers", sa.Column("held_until", sa.Date(), nullable=True))
    op.add_column(
        "transfers",
        sa.Column("needs_approval", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    number = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    for column, table in (("settles_id", "transfers"), ("proposal_id", "proposals")):
        op.execute(
            f"ALTER TABLE transfers ADD COLUMN {column} {number} "
            f"CONSTRAINT fk_transfers_{column} REFERENCES {table} (id)"
        )
    for column in ("corrects_id", "held_until", "proposal_id"):
        _index_given("transfers", column)
    _index_given("transfers", "settles_id", unique=True)


def _index_given(table: str, column: str, *more: str, unique: bool = False) -> None:
    given = sa.text(f"{column} IS NOT NULL")
    op.create_index(
        f"{'uq' if unique else 'ix'}_{table}_{column}",
        table,
        [column, *more],
        unique=unique,
        sqlite_where=given,
        postgresql_where=given,
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


# --- Who the partners of earlier closes were ----------------------------------------------------

_PARTNERS = sa.text(
    "SELECT id, code, kind, parent_id, tier, region, country, joined_on, left_on FROM partners"
).columns(joined_on=sa.Date(), left_on=sa.Date())


def _freeze_partners() -> None:
    closings = op.get_bind().execute(sa.text("SELECT id, period FROM closings")).all()
    if not closings:
        return
    partners = {row.id: row for row in op.get_bind().execute(_PARTNERS)}
    chosen: dict[int, set[str]] = {}
    for code, partner_id in op.get_bind().execute(
        sa.text("SELECT group_code, partner_id FROM group_members")
    ):
        chosen.setdefault(partner_id, set()).add(f"group:{code.removeprefix('group:')}")
    insert = sa.text(
        "INSERT INTO frozen_partners (closing_id, partner_id, code, kind, joined_on, groups) "
        "VALUES (:closing_id, :partner_id, :code, :kind, :joined_on, :groups)"
    ).bindparams(sa.bindparam("joined_on", type_=sa.Date()))
    for closing_id, period in closings:
        day = _last_day(period)
        rows = [
            {
                "closing_id": closing_id,
                "partner_id": partner.id,
                "code": partner.code,
                "kind": partner.kind,
                "joined_on": partner.joined_on,
                "groups": json.dumps(
                    sorted(chosen.get(partner.id, set()) | set(_groups(partner, partners)))
                ),
            }
            for partner in partners.values()
            if (partner.joined_on is None or partner.joined_on <= day)
            and (partner.left_on is None or partner.left_on > day)
        ]
        if rows:
            op.get_bind().execute(insert, rows)


def _groups(partner: Any, partners: dict[int, Any]) -> Iterator[str]:
    for about in ("kind", "tier", "region", "country"):
        if name := getattr(partner, about):
            yield f"{about}:{name}"
    above, seen = partner, set()
    while above and above.id not in seen:
        seen.add(above.id)
        if above.kind == "distributor":
            yield f"distributor:{above.code}"
        above = partners.get(above.parent_id)


def _last_day(period: str) -> date:
    year = int(period[:4])
    month = 12
    if "Q" in period:
        month = 3 * int(period[-1])
    elif "-" in period:
        month = int(period[-2:])
    first_after = date(year + month // 12, month % 12 + 1, 1)
    return first_after - timedelta(days=1)
