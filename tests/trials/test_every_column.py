"""Any column of what is only ever added to, changed in one row: the audit finds it.

Not among them are a few that nothing else tells of: who closed a period, who published a rule,
when something was recorded. Those the signed totals hold (see test_totals).

A short form tries every third column; `PARTNER_CX_TRIALS=full` tries all.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from rewards.audit.database import APPEND_ONLY
from tests.harness import databases
from tests.harness.audited import a_sound_programme, audited, intruding
from tests.harness.trials import every

# Table, column, what it becomes, and of which row.
COMPENSATION = "key LIKE 'restate:%'"
RELEASE = "key = 'release:close:2026Q2:held_bonus:R1'"
AWARD = "key = 'close:2026Q2:network_quality_bonus:R1'"
R2 = "partner_id = (SELECT id FROM partners WHERE code = 'R2') AND closing_id = 1"
FIGURE = "period = '2026Q2' AND subject = 'R1' AND kpi = 'otif'"
EDITS = (
    ("transfers", "key", "key || '!'", AWARD),
    ("transfers", "digest", "'0'", AWARD),
    ("transfers", "why_en", "'Gift'", AWARD),
    ("transfers", "why_fr", "'Cadeau'", AWARD),
    ("transfers", "effective_on", "'2026-06-29'", AWARD),
    ("transfers", "decision_id", "NULL", AWARD),
    ("transfers", "held_until", "'2026-09-01'", AWARD),
    ("transfers", "needs_approval", "true", AWARD),
    ("transfers", "corrects_id", "1", AWARD),
    ("transfers", "corrects_id", "NULL", COMPENSATION),
    ("transfers", "proposal_id", "NULL", COMPENSATION),
    ("transfers", "settles_id", "NULL", RELEASE),
    ("transfers", "settles_id", "1", AWARD),
    ("entries", "transfer_id", "transfer_id + 1", "id = (SELECT max(id) - 4 FROM entries)"),
    ("entries", "account_id", "1", "id = (SELECT max(id) FROM entries)"),
    ("entries", "points", "points + 1", "id = 3"),
    ("accounts", "balance_points", "balance_points - 1", "kind = 'budget' AND owner = 'quality'"),
    ("accounts", "owner", "'partner:R9'", "kind = 'wallet' AND owner = 'partner:R1'"),
    ("accounts", "kind", "'spent'", "kind = 'wallet' AND owner = 'partner:R1'"),
    ("closings", "period", "'2025Q2'", "period = '2026Q2'"),
    ("closings", "as_of", "'2026-07-04 09:00:00'", "period = '2026Q2'"),
    ("closings", "closed_at", "'2026-07-04 09:00:00'", "period = '2026Q2'"),
    ("closings", "last_import_id", "9999", "period = '2026Q2'"),
    ("closings", "last_event_id", "9999", "period = '2026Q2'"),
    ("closings", "terms", "'[]'", "period = '2026Q2'"),
    ("closings", "digest", "'0'", "period = '2026Q2'"),
    ("closings", "partners_digest", "'0'", "period = '2026Q2'"),
    ("closings", "partners_digest", "NULL", "period = '2026Q3'"),
    *(
        ("frozen_scorecards", column, value, FIGURE)
        for column, value in (
            ("closing_id", "2"),
            ("period", "'2026Q1'"),
            ("level", "'group'"),
            ("subject", "'R9'"),
            ("kpi", "'otif9'"),
            ("value", "'1/2'"),
            ("hits", "hits + 1"),
            ('"of"', '"of" + 1'),
            ("n", "n + 1"),
            ("coverage", "'1/2'"),
            ("low", "0.5"),
            ("high", "0.5"),
            ("state", "'red'"),
            ("target", "'1/2'"),
            ("n_min", "6"),
            ("coverage_min", "'1/2'"),
            ("stale_after_days", "30"),
            ("target_group", "'tier:gold'"),
            ("as_of", "'2026-07-04 09:00:00'"),
            ("definition_version", "9"),
            ("details", "'{}'"),
        )
    ),
    ("frozen_partners", "closing_id", "9", R2),
    ("frozen_partners", "partner_id", "1000", R2),
    ("frozen_partners", "code", "'R9'", R2),
    ("frozen_partners", "kind", "'agency'", R2),
    ("frozen_partners", "joined_on", "'2020-01-01'", R2),
    ("frozen_partners", "groups", "'[]'", R2),
    ("decisions", "closing_id", "999", "id = 1"),
    ("decisions", "rule_version_id", "(SELECT max(id) FROM rule_versions)", "id = 1"),
    ("decisions", "partner_id", "1", "id = 1"),
    ("decisions", "verdict", "'unknown'", "verdict = 'not_met' AND closing_id = 1"),
    ("decisions", "points", "points + 1", "verdict = 'met' AND event_id IS NULL"),
    ("decisions", "points", "points + 1", "event_id IS NOT NULL"),
    ("decisions", "event_id", "event_id + 1", "event_id = 1"),
    ("rule_versions", "code", "'another'", "id = 1"),
    ("rule_versions", "version", "7", "id = 1"),
    ("rule_versions", "contents", "replace(contents, 'starts', 'begins')", "id = 1"),
    ("rule_versions", "digest", "'0'", "id = 1"),
    ("rule_versions", "starts_on", "'2026-02-01'", "id = 1"),
    ("events", "key", "'C9'", "key = 'C1'"),
    ("events", "digest", "'0'", "key = 'C1'"),
    ("events", "kind", "'panel_attended'", "key = 'C1'"),
    ("events", "partner_id", "1", "key = 'C1'"),
    ("events", "person_email", "'eve@r1.example'", "key = 'C1'"),
    ("events", "subject", "NULL", "key = 'C1'"),
    ("events", "happened_at", "'2026-07-10 10:00:00'", "key = 'C1'"),
    ("events", '"on"', "'2026-07-11'", "key = 'C1'"),
    ("events", "last_closing_id", "9", "key = 'C1'"),
    ("proposals", "key", "key || '!'", "id = 1"),
    ("proposals", "decision_id", "decision_id + 1", "id = 1"),
    ("proposals", "points", "points - 1", "id = 1"),
    ("proposals", "why_en", "'Gift'", "id = 1"),
    ("proposals", "why_fr", "'Cadeau'", "id = 1"),
    ("proposals", "figures", "'[]'", "id = 1"),
    ("proposals", "changes", "'[]'", "id = 1"),
    ("proposals", "last_import_id", "1", "id = 1"),
    ("proposals", "digest", "'0'", "id = 1"),
    ("proposal_outcomes", "proposal_id", "proposal_id + 1", "approved"),
    ("proposal_outcomes", "approved", "false", "approved"),
    ("revisions", "kind", "'tickets'", "id = 1"),
    ("revisions", "fact_id", "fact_id + 100", "id = 1"),
    ("revisions", "import_id", "import_id - 1", "id = 1"),
    ("revisions", "superseded_by", "superseded_by - 1", "id = 1"),
    ("revisions", "withdrawn", "true", "id = 1"),
    ("revisions", "contents", "'{}'", "id = 1"),
)
DEEP = {("revisions", "kind"), ("revisions", "contents")}


@pytest.fixture(params=databases.EACH_KIND)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with databases.prepared_engine(request.param, "audited", a_sound_programme) as engine:
        yield engine


@pytest.mark.parametrize(("table", "column", "value", "where"), every(3, EDITS))
def test_an_edited_column_is_found(
    programme: sa.Engine, table: str, column: str, value: str, where: str
) -> None:
    with intruding(programme) as sql:
        touched = sql(f"UPDATE {table} SET {column} = {value} WHERE {where}")
        assert touched.rowcount >= 1, "the edit must hit a row"
    report = audited(programme, deep=(table, column) in DEEP)
    assert report.differences


def test_every_table_that_is_only_added_to_is_tried() -> None:
    # Alerts, retirements and the journal are told to nobody who is paid by them.
    assert {table for table, *_ in EDITS} - {"accounts"} == set(APPEND_ONLY) - {
        "budget_alerts",
        "rule_retirements",
        "journal",
    }
