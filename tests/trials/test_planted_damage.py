"""Damage planted behind the program's back: the audit names each kind, and is silent without.

An intruder with all rights to the database takes the triggers away, changes something, and puts
them back. Some know the digests and balances too, and make those agree. A short form tries every
third on PostgreSQL; `PARTNER_CX_TRIALS=full` tries all on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.harness import databases
from tests.harness.audited import a_sound_programme, audited, intruding, kinds_found
from tests.harness.damage import (
    Sql,
    a_decision_too_many,
    a_share_moved,
    account,
    decision,
    figure_with_its_digest,
    forged,
    id_of,
    partner_with_its_digest,
    ran,
    revision_rewritten,
    rewritten,
    versions_swapped,
    wiped,
)
from tests.harness.trials import every

QUALITY = "close:2026Q2:network_quality_bonus:R1"
HELD = "close:2026Q2:held_bonus:R1"
COMPENSATION = "restate:2026Q2:held_bonus:R1:500:0"


@pytest.fixture(params=databases.EACH_KIND)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """A copy of a sound programme."""
    with databases.prepared_engine(request.param, "audited", a_sound_programme) as engine:
        yield engine


@dataclass(frozen=True)
class Damage:
    """What an intruder does, and what the audit must name first.

    deep: whether it takes the facts to find it.
    """

    what: str
    kind: str
    do: Callable[[Sql], object]
    deep: bool = False


WALLET = account("wallet", "partner:R1")

DAMAGE = (
    # --- the ledger
    Damage(
        "an entry was raised",
        "entries_unequal",
        ran(f"UPDATE entries SET points = 900 WHERE points > 0 AND transfer_id = {id_of(QUALITY)}"),
    ),
    Damage(
        "an entry was deleted",
        "entry_missing",
        ran(f"DELETE FROM entries WHERE points < 0 AND transfer_id = {id_of(QUALITY)}"),
    ),
    Damage(
        "all entries of a transfer were deleted",
        "transfer_without_entries",
        ran(f"DELETE FROM entries WHERE transfer_id = {id_of(QUALITY)}"),
    ),
    Damage(
        "both entries of a transfer were raised",
        "transfer_altered",
        ran(f"UPDATE entries SET points = 2 * points WHERE transfer_id = {id_of(QUALITY)}"),
    ),
    Damage(
        "an entry was moved to another wallet",
        "transfer_altered",
        ran(
            f"UPDATE entries SET account_id = {account('wallet', 'partner:R2')} "
            f"WHERE points > 0 AND transfer_id = {id_of(QUALITY)}"
        ),
    ),
    Damage(
        "a reason was rewritten",
        "transfer_altered",
        ran(f"UPDATE transfers SET why_fr = 'Cadeau' WHERE key = '{QUALITY}'"),
    ),
    Damage(
        "a transfer was deleted and its entries were left",
        "reference_to_nothing",
        ran(f"DELETE FROM transfers WHERE key = '{QUALITY}'"),
    ),
    Damage(
        "a balance drifted",
        "balance_drifted",
        ran(f"UPDATE accounts SET balance_points = balance_points + 1 WHERE id = {WALLET}"),
    ),
    Damage(
        "points were moved between balances without an entry",
        "balance_drifted",
        ran(
            f"UPDATE accounts SET balance_points = balance_points + 100 WHERE id = {WALLET}",
            "UPDATE accounts SET balance_points = balance_points - 100 "
            "WHERE kind = 'budget' AND owner = 'quality'",
        ),
    ),
    Damage(
        "a wallet was overdrawn",
        "balance_negative",
        lambda sql: forged(sql, "gift:1", WALLET, account("budget", "quality"), 50_000),
    ),
    Damage(
        "a budget was overrun",
        "budget_overspent",
        lambda sql: forged(sql, "gift:1", account("budget", "shared"), WALLET, 50_000),
    ),
    Damage(
        "a wallet was given to another partner",
        "account_misnamed",
        ran(
            "UPDATE accounts SET partner_id = (SELECT id FROM partners WHERE code = 'R3') "
            f"WHERE id = {WALLET}"
        ),
    ),
    # --- awards that the digests know nothing of
    Damage(
        "an award was forged",
        "award_forged",
        lambda sql: forged(
            sql,
            "close:2026Q2:network_quality_bonus:R2",
            account("budget", "quality"),
            account("wallet", "partner:R2"),
            500,
        ),
    ),
    Damage(
        "an award lost its decision",
        "award_forged",
        ran(f"UPDATE transfers SET decision_id = NULL WHERE key = '{QUALITY}'"),
    ),
    Damage(
        "an award was linked to a decision that earned nothing",
        "award_unearned",
        ran(
            f"UPDATE transfers SET decision_id = "
            f"{decision('2026Q2', 'network_quality_bonus', 'R2')} WHERE key = '{QUALITY}'"
        ),
    ),
    Damage(
        "an award was raised, digest and balances with it",
        "award_amount",
        rewritten(
            QUALITY,
            f"UPDATE entries SET points = 2 * points WHERE transfer_id = {id_of(QUALITY)}",
        ),
    ),
    Damage(
        "an award was led to another wallet, digest and balances with it",
        "award_wallet",
        rewritten(
            QUALITY,
            f"UPDATE entries SET account_id = {account('wallet', 'partner:R2')} "
            f"WHERE points > 0 AND transfer_id = {id_of(QUALITY)}",
        ),
    ),
    Damage(
        "an award was charged to another budget, digest and balances with it",
        "award_budget",
        rewritten(
            QUALITY,
            f"UPDATE entries SET account_id = {account('budget', 'limited')} "
            f"WHERE points < 0 AND transfer_id = {id_of(QUALITY)}",
        ),
    ),
    Damage(
        "an award was given another key, and its digest",
        "award_key_altered",
        rewritten(
            "close:2026Q1:network_quality_bonus:R1",
            "UPDATE transfers SET key = 'close:2026Q1:network_quality_bonus:R1' "
            f"WHERE key = '{QUALITY}'",
        ),
    ),
    Damage("an award was wiped out, balances and all", "award_vanished", wiped(QUALITY)),
    Damage(
        "a share of a short budget was moved from one to the other",
        "award_amount",
        a_share_moved,
    ),
    # --- rules
    Damage(
        "a rule's award was rewritten",
        "rule_altered",
        ran("UPDATE rule_versions SET contents = replace(contents, 'points: 500', 'points: 900')"),
    ),
    Damage(
        "a rule was made unreadable",
        "rule_unreadable",
        ran("UPDATE rule_versions SET contents = '{[&a *a' WHERE code = 'held_bonus'"),
    ),
    Damage("two versions of a rule were swapped", "rule_mislabelled", versions_swapped),
    Damage(
        "a rule was put in force earlier",
        "rule_mislabelled",
        ran("UPDATE rule_versions SET starts_on = '2025-01-01' WHERE version = 2"),
    ),
    Damage(
        "a version that nothing rests on was deleted",
        "rule_version_missing",
        ran(
            "UPDATE decisions SET rule_version_id = (SELECT id FROM rule_versions WHERE "
            "code = 'network_quality_bonus' AND version = 2) WHERE rule_version_id = (SELECT id "
            "FROM rule_versions WHERE code = 'network_quality_bonus' AND version = 1)",
            "DELETE FROM rule_versions WHERE code = 'network_quality_bonus' AND version = 1",
        ),
    ),
    # --- closes
    Damage(
        "a frozen figure was altered",
        "scorecards_altered",
        ran(
            "UPDATE frozen_scorecards SET state = 'green' WHERE kpi = 'otif' AND subject = 'R2' "
            "AND period = '2026Q2'"
        ),
    ),
    Damage(
        "a frozen figure was moved to another close",
        "scorecards_misplaced",
        ran(
            "UPDATE frozen_scorecards SET closing_id = (SELECT max(id) FROM closings) "
            "WHERE kpi = 'otif' AND subject = 'R2' AND period = '2026Q2'"
        ),
    ),
    Damage(
        "a frozen figure was altered, and the digest with it",
        "figure_differs",
        figure_with_its_digest,
        deep=True,
    ),
    Damage(
        "a frozen partner was altered",
        "partners_altered",
        ran("UPDATE frozen_partners SET kind = 'installer' WHERE code = 'R2'"),
    ),
    Damage(
        "a frozen partner was altered, and the digest with it",
        "partner_differs",
        partner_with_its_digest,
        deep=True,
    ),
    Damage(
        "a frozen partner's groups were made unreadable",
        "unreadable",
        ran("UPDATE frozen_partners SET groups = '42' WHERE code = 'R2'"),
    ),
    Damage(
        "a close was backdated",
        "closing_misdated",
        ran("UPDATE closings SET closed_at = '2026-07-02 09:00:00' WHERE period = '2026Q2'"),
    ),
    Damage(
        "a close claims to know what was never told",
        "closing_out_of_order",
        ran("UPDATE closings SET last_import_id = 9999 WHERE period = '2026Q3'"),
    ),
    Damage(
        "a close claims to know less than the one before it",
        "closing_out_of_order",
        ran("UPDATE closings SET last_import_id = 2 WHERE period = '2026Q3'"),
    ),
    Damage(
        "a close's terms were made unreadable",
        "closing_unreadable",
        ran("UPDATE closings SET terms = '{' WHERE period = '2026Q2'"),
    ),
    Damage(
        "a close's terms were changed",
        "figure_differs",
        ran(
            'UPDATE closings SET terms = replace(terms, \'"otif_under_tolerance": "\', '
            "'\"otif_under_tolerance\": \"1') WHERE period = '2026Q2'"
        ),
        deep=True,
    ),
    # --- decisions
    Damage(
        "a decision was turned",
        "decision_altered",
        ran(
            "UPDATE decisions SET verdict = 'met', points = 500 WHERE id = "
            f"{decision('2026Q2', 'network_quality_bonus', 'R2')}"
        ),
    ),
    Damage(
        "a decision was deleted",
        "decision_missing",
        ran(
            f"DELETE FROM decisions WHERE id = {decision('2026Q2', 'network_quality_bonus', 'R2')}"
        ),
    ),
    Damage("a decision was added", "decision_extra", a_decision_too_many),
    Damage(
        "decisions were put under another version",
        "rule_version_swapped",
        ran(
            "UPDATE decisions SET rule_version_id = (SELECT id FROM rule_versions WHERE "
            "code = 'network_quality_bonus' AND version = 1) WHERE rule_version_id = (SELECT id "
            "FROM rule_versions WHERE code = 'network_quality_bonus' AND version = 2)"
        ),
    ),
    Damage(
        "more was granted than a limit leaves",
        "limit_exceeded",
        ran(
            f"UPDATE decisions SET points = 500 WHERE id = "
            f"{decision('2026Q3', 'limited_bonus', 'R1')}"
        ),
    ),
    # --- events
    Damage(
        "an event was rewritten",
        "event_altered",
        ran("UPDATE events SET subject = 'ISO-9001' WHERE key = 'C1'"),
    ),
    Damage(
        "an event was kept under another day",
        "event_misdated",
        ran("UPDATE events SET \"on\" = '2026-07-12' WHERE key = 'C1'"),
    ),
    # --- effects
    Damage(
        "what a neighbour is to be told was rewritten",
        "effect_altered",
        ran("UPDATE effects SET payload = '{\"points\": 9}' WHERE id = 1"),
    ),
    Damage(
        "an effect was marked as done",
        "effect_not_carried_out",
        ran("UPDATE effects SET done_at = '2026-07-12 10:00:00' WHERE id = 1"),
    ),
    Damage(
        "an event was deleted, and what rests on it left",
        "reference_to_nothing",
        ran("DELETE FROM events WHERE key = 'C1'"),
    ),
    Damage(
        "an event's decision was deleted, and its award with it",
        "decision_missing",
        lambda sql: [
            wiped("event:P1:report")(sql),
            sql("DELETE FROM decisions WHERE event_id = (SELECT id FROM events WHERE key = 'P1')"),
        ],
    ),
    # --- holds
    Damage(
        "a held award was released early",
        "hold_settled_early",
        rewritten(
            f"release:{HELD}",
            f"UPDATE transfers SET effective_on = '2026-07-10' WHERE key = 'release:{HELD}'",
        ),
    ),
    Damage(
        "less was released than was held",
        "hold_settled_amount",
        rewritten(
            f"release:{HELD}",
            "UPDATE entries SET points = points / 5 * 4 "
            f"WHERE transfer_id = {id_of(f'release:{HELD}')}",
        ),
    ),
    Damage(
        "a release was led to an award that isn't held",
        "hold_of_nothing",
        ran(f"UPDATE transfers SET settles_id = {id_of(QUALITY)} WHERE key = 'release:{HELD}'"),
    ),
    Damage(
        "an award's hold was shortened",
        "hold_terms",
        rewritten(HELD, f"UPDATE transfers SET held_until = '2026-07-04' WHERE key = '{HELD}'"),
    ),
    # --- proposals
    Damage(
        "a proposal was rewritten",
        "proposal_altered",
        ran("UPDATE proposals SET why_en = 'For nothing'"),
    ),
    Damage(
        "an approval was deleted",
        "compensation_unapproved",
        ran("DELETE FROM proposal_outcomes"),
    ),
    Damage(
        "an approval was turned into a refusal",
        "compensation_unapproved",
        ran("UPDATE proposal_outcomes SET approved = false"),
    ),
    Damage("a compensation was wiped out", "proposal_unpaid", wiped(COMPENSATION)),
    Damage(
        "more was taken back than was approved",
        "compensation_amount",
        rewritten(
            COMPENSATION,
            f"UPDATE entries SET points = 2 * points WHERE transfer_id = {id_of(COMPENSATION)}",
        ),
    ),
    Damage(
        "a compensation was led to another award",
        "correction_astray",
        ran(f"UPDATE transfers SET corrects_id = {id_of(QUALITY)} WHERE key = '{COMPENSATION}'"),
    ),
    # --- facts
    Damage(
        "a fact was altered",
        "figure_differs",
        ran(
            "UPDATE order_lines SET received_on = '2026-05-28' WHERE source_id = 'R2-2026-05-18-03'"
        ),
        deep=True,
    ),
    Damage(
        "a fact was deleted",
        "figure_differs",
        ran("DELETE FROM order_lines WHERE source_id = 'R2-2026-05-18-03'"),
        deep=True,
    ),
    Damage("a revision was rewritten", "figure_differs", revision_rewritten, deep=True),
    Damage(
        "a revision was deleted",
        "figure_differs",
        ran("DELETE FROM revisions WHERE id = (SELECT min(id) FROM revisions)"),
        deep=True,
    ),
    Damage(
        "a revision was joined to another import",
        "revisions_broken",
        ran("UPDATE revisions SET superseded_by = superseded_by - 1"),
    ),
)


SQLITE, POSTGRESQL = databases.EACH_KIND
TRIED = [(SQLITE, each) for each in DAMAGE] + [(POSTGRESQL, each) for each in every(3, DAMAGE)]


@pytest.mark.parametrize(
    ("programme", "damage"),
    [
        pytest.param(*kind.values, damage, marks=kind.marks, id=f"{kind.values[0]} {damage.what}")
        for kind, damage in TRIED
    ],
    indirect=["programme"],
)
def test_damage_is_named(programme: sa.Engine, damage: Damage) -> None:
    with intruding(programme) as sql:
        damage.do(sql)
    report = audited(programme, deep=damage.deep)
    [first, *_] = report.differences or [None]
    assert first is not None, "the audit found nothing"
    assert first.kind == damage.kind, [each.sentence.en for each in report.differences]
    assert first.where
    assert first.sentence.en != first.sentence.fr
    assert first.remedy.en


def test_there_are_many_kinds_of_damage() -> None:
    assert len({damage.kind for damage in DAMAGE}) >= 25


def test_a_sound_programme_is_silent_and_says_what_was_looked_at(programme: sa.Engine) -> None:
    report = audited(programme)
    assert [each.sentence.en for each in report.differences] == []
    assert report.unknown == ()
    for what in ("transfers", "entries", "decisions", "events", "awards", "proposals"):
        assert report.checked[what] > 0, what
    assert report.checked["figures computed again"] == report.checked["frozen figures"]


def test_an_audit_changes_nothing(programme: sa.Engine) -> None:
    before = _everything(programme)
    audited(programme)
    assert _everything(programme) == before


def test_nothing_is_found_twice_in_a_row_that_was_put_right(programme: sa.Engine) -> None:
    with intruding(programme) as sql:
        sql(f"UPDATE transfers SET why_en = 'x' || why_en WHERE key = '{QUALITY}'")
    assert kinds_found(programme, deep=False) == ["transfer_altered"]
    with intruding(programme) as sql:
        sql(f"UPDATE transfers SET why_en = substr(why_en, 2) WHERE key = '{QUALITY}'")
    assert kinds_found(programme, deep=False) == []


# --- The guards themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("table", ["entries", "transfers", "decisions", "closings", "proposals"])
@pytest.mark.parametrize("act", ["UPDATE {table} SET id = id + 1000", "DELETE FROM {table}"])
def test_the_database_itself_refuses_changes(programme: sa.Engine, table: str, act: str) -> None:
    with programme.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.execute(sa.text(act.format(table=table)))


def test_a_trigger_taken_away_is_named(programme: sa.Engine) -> None:
    statement = "DROP TRIGGER entries_refuse_update"
    if programme.dialect.name == "postgresql":
        statement = "DROP TRIGGER entries_refuse_change ON entries"
    _execute(programme, statement)
    assert kinds_found(programme, deep=False) == ["trigger_missing"]


def test_a_trigger_that_was_disarmed_is_named(programme: sa.Engine) -> None:
    if programme.dialect.name == "postgresql":
        _execute(programme, "ALTER TABLE entries DISABLE TRIGGER entries_refuse_change")
        assert kinds_found(programme, deep=False) == ["trigger_missing"]
        _execute(
            programme,
            "ALTER TABLE entries ENABLE TRIGGER entries_refuse_change",
            "CREATE OR REPLACE FUNCTION entries_refuse_change() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN NULL; END $$",
        )
    else:
        _execute(
            programme,
            "DROP TRIGGER entries_refuse_update",
            "CREATE TRIGGER entries_refuse_update BEFORE UPDATE ON entries BEGIN SELECT 1; END",
        )
    assert kinds_found(programme, deep=False) == ["trigger_missing"]


def test_a_constraint_taken_away_is_named(programme: sa.Engine) -> None:
    statement = "DROP INDEX uq_transfers_settles_id"
    _execute(programme, statement)
    assert kinds_found(programme, deep=False) == ["constraint_missing"]


def test_an_older_schema_is_named_and_nothing_else_is_said(programme: sa.Engine) -> None:
    _execute(programme, "UPDATE alembic_version SET version_num = '0001'")
    report = audited(programme)
    assert [each.kind for each in report.differences] == ["schema_revision"]
    assert report.checked == {}


def _execute(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _everything(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
        return {
            name: sorted(map(str, connection.exec_driver_sql(f'SELECT * FROM "{name}"').all()))
            for name in tables
        }
