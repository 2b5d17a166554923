"""Whatever stands in a row, the audit tells of it in a sentence and goes on.

SQLite keeps any text in any column; PostgreSQL refuses what isn't of the column's type. A short
form tries every third column; `PARTNER_CX_TRIALS=full` tries all.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from api.schema import METADATA
from rewards.audit.database import APPEND_ONLY
from tests.harness import databases
from tests.harness.audited import a_sound_programme, audited, intruding
from tests.harness.trials import every

WATCHED = (*APPEND_ONLY, "accounts", "order_lines", "partners", "imports")
EMPTY = {"budget_alerts", "rule_retirements"}
# What is on record for people to read, and rests on nothing else: the signed totals hold it.
TOLD_NOWHERE_ELSE = {
    *("closings.closed_by", "rule_versions.published_by", "rule_versions.approved_by"),
    *("rule_versions.why", "proposals.proposed_by", "proposal_outcomes.settled_by"),
    *("proposal_outcomes.why", "revisions.partner_id", "budget_alerts.budget_code"),
    *("transfers.recorded_at", "proposal_outcomes.approved"),  # still read as a yes
    *("imports.file_name", "partners.name", "partners.language", "partners.source_id"),
    *("journal.at", "journal.by", "journal.did", "journal.about", "journal.details"),
}
# SQLite takes nothing but numbers where a number is the row's own.
NUMBERS = {*(f"{name}.id" for name in WATCHED), "proposal_outcomes.proposal_id"}
COLUMNS = [
    (name, column.name)
    for name in WATCHED
    for column in METADATA.tables[name].columns
    if name not in EMPTY and f"{name}.{column.name}" not in NUMBERS
]


@pytest.fixture
def programme() -> Iterator[sa.Engine]:
    with databases.prepared_engine("sqlite", "audited", a_sound_programme) as engine:
        yield engine


@pytest.mark.sqlite
@pytest.mark.parametrize(("table", "column"), every(3, COLUMNS))
def test_garbage_is_told_and_no_error(programme: sa.Engine, table: str, column: str) -> None:
    with intruding(programme) as sql:
        sql(
            f'UPDATE "{table}" SET "{column}" = \'gärbage\' WHERE rowid = '
            f'(SELECT min(rowid) FROM "{table}")'
        )
    facts = table in ("order_lines", "partners", "imports", "revisions")
    report = audited(programme, deep=facts)
    if not facts and f"{table}.{column}" not in TOLD_NOWHERE_ELSE:
        assert report.differences
    for each in report.differences:
        assert each.sentence.en
        assert each.sentence.fr
