"""A database of an earlier version is brought along with all it holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import migrations
from partner_cx.database import open_database
from tests.harness.balanced import unbalanced
from tests.harness.databases import EACH_KIND, unmigrated_database

# A distributor and two resellers, one of them gold and one gone by the end of the closed quarter;
# the quarter's one decision awarded 500 points.
OF_THE_FIRST_SCHEMA = """
INSERT INTO sources (id, code) VALUES (1, 'erp');
INSERT INTO imports (id, kind, source, file_name, imported_at, taken, unchanged, corrected, refused)
    VALUES (1, 'partners', 1, 'partners.csv', '2026-01-02 08:00:00', 3, 0, 0, 0);
INSERT INTO partners (id, code, name, kind, parent_id, tier, joined_on, left_on, import_id) VALUES
    (1, 'D1', 'Sanitherm', 'distributor', NULL, NULL, NULL, NULL, 1),
    (2, 'R1', 'Lyon', 'reseller', 1, 'gold', '2024-03-01', NULL, 1),
    (3, 'R2', 'Nice', 'reseller', 1, NULL, NULL, '2026-05-01', 1);
INSERT INTO group_members (id, group_code, partner_id, import_id) VALUES (1, 'pilot', 2, 1);
INSERT INTO rule_versions (id, code, version, contents, digest, starts_on, published_at,
    published_by)
    VALUES (1, 'bonus', 1, 'code: bonus', 'd', '2026-01-01', '2026-01-02 08:00:00', 'm');
INSERT INTO closings (id, period, as_of, closed_at, closed_by, last_import_id, terms, digest)
    VALUES (1, '2026Q2', '2026-07-03 08:00:00', '2026-07-03 08:00:00', 'm', 1, '{}', 'd');
INSERT INTO decisions (id, closing_id, rule_version_id, partner_id, verdict, points, sentence_en,
    sentence_fr, findings) VALUES (1, 1, 1, 2, 'met', 500, 'en', 'fr', '[]');
INSERT INTO accounts (id, kind, owner, partner_id, balance_points) VALUES
    (1, 'funding', 'programme', NULL, -1000), (2, 'budget', 'b', NULL, 500),
    (3, 'wallet', 'partner:R1', 2, 500);
INSERT INTO transfers (id, key, digest, why_en, why_fr, effective_on, recorded_at, decision_id)
    VALUES (1, 'fund:1', 'd', 'w', 'w', '2026-01-02', '2026-01-02 08:00:00', NULL),
    (2, 'close:2026Q2:bonus:R1', 'd', 'w', 'w', '2026-06-30', '2026-07-03 08:00:00', 1);
INSERT INTO entries (id, transfer_id, account_id, points) VALUES
    (1, 1, 1, -1000), (2, 1, 2, 1000), (3, 2, 2, -500), (4, 2, 3, 500);
"""


@pytest.fixture(params=EACH_KIND)
def old_database(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with unmigrated_database(request.param) as url:
        engine = open_database(url)
        migrations.upgrade_to(engine, "0001")
        with engine.execution_options(writes=True).begin() as connection:
            for statement in OF_THE_FIRST_SCHEMA.split(";"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
        yield engine
        engine.dispose()


def test_what_an_older_version_recorded_is_kept(old_database: sa.Engine) -> None:
    migrations.upgrade(old_database)
    migrations.require_current(old_database)
    with Session(old_database) as session:
        decided = session.execute(
            sa.text("SELECT closing_id, event_id, partner_id, verdict, points FROM decisions")
        ).all()
        paid = session.execute(
            sa.text("SELECT key, decision_id, held_until, settles_id FROM transfers ORDER BY id")
        ).all()
        assert decided == [(1, None, 2, "met", 500)]
        assert paid == [("fund:1", None, None, None), ("close:2026Q2:bonus:R1", 1, None, None)]
        assert unbalanced(session) == []


def test_an_earlier_close_is_given_the_partners_known_now(old_database: sa.Engine) -> None:
    migrations.upgrade(old_database)
    with old_database.connect() as connection:
        frozen = connection.execute(
            sa.text("SELECT code, groups FROM frozen_partners ORDER BY code").columns(
                groups=sa.JSON
            )
        ).all()
    assert frozen == [
        ("D1", ["distributor:D1", "kind:distributor"]),
        ("R1", ["distributor:D1", "group:pilot", "kind:reseller", "tier:gold"]),
    ]


@pytest.mark.parametrize("table", ["decisions", "entries", "frozen_partners", "transfers"])
@pytest.mark.parametrize("act", ["DELETE FROM {0}", "UPDATE {0} SET {1} = {1}"])
def test_history_is_still_closed_to_changes(old_database: sa.Engine, table: str, act: str) -> None:
    migrations.upgrade(old_database)
    column = "closing_id" if table == "frozen_partners" else "id"
    with (
        old_database.execution_options(writes=True).connect() as connection,
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
    ):
        connection.exec_driver_sql(act.format(table, column))


def test_a_migrated_database_still_refuses_what_refers_to_nothing(old_database: sa.Engine) -> None:
    migrations.upgrade(old_database)
    with (
        old_database.execution_options(writes=True).connect() as connection,
        pytest.raises(sa.exc.IntegrityError),
    ):
        connection.exec_driver_sql(
            "INSERT INTO entries (transfer_id, account_id, points) VALUES (99, 1, 5)"
        )


def test_both_ways_lead_to_the_same_tables(old_database: sa.Engine) -> None:
    """Altered step by step on PostgreSQL, made anew on SQLite: the columns are the same."""
    from api.schema import METADATA

    migrations.upgrade(old_database)
    seen = sa.inspect(old_database)
    for name, table in METADATA.tables.items():
        columns = {column["name"] for column in seen.get_columns(name)}
        assert columns == set(table.columns.keys()), name
