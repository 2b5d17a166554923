"""Damage done by hand to a programme's database, as an intruder would who knows it well.

Each act is given a function that executes SQL; see `audited.intruding`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from partner_cx.periods import Period
from rewards.deciding.candidates import frozen_candidates, partners_digest
from rewards.frozen import FrozenFigure, digest
from rewards.ledger import contents_digest

SHARED = "close:2026Q2:shared_bonus:R1"
Sql = Callable[..., Any]


def id_of(key: str) -> str:
    return f"(SELECT id FROM transfers WHERE key = '{key}')"


def account(kind: str, owner: str) -> str:
    return f"(SELECT id FROM accounts WHERE kind = '{kind}' AND owner = '{owner}')"


def decision(period: str, rule: str, partner: str) -> str:
    return (
        f"(SELECT d.id FROM decisions d JOIN closings c ON c.id = d.closing_id "
        f"JOIN rule_versions r ON r.id = d.rule_version_id JOIN partners p ON p.id = d.partner_id "
        f"WHERE c.period = '{period}' AND r.code = '{rule}' AND p.code = '{partner}')"
    )


def sealed(sql: Sql, key: str) -> None:
    """Make a transfer's digest and all balances agree with what stands there now."""
    head = sql(
        "SELECT key, why_en, why_fr, CAST(effective_on AS TEXT), CAST(held_until AS TEXT), "
        "needs_approval FROM transfers WHERE key = :key",
        key=key,
    ).one()
    entries = sql(
        "SELECT a.kind, a.owner, e.points FROM entries e JOIN accounts a ON a.id = e.account_id "
        f"WHERE e.transfer_id = {id_of(key)}"
    ).all()
    digest = contents_digest(
        head[0],
        head[1],
        head[2],
        head[3],
        [tuple(entry) for entry in entries],
        held_until=head[4],
        needs_approval=bool(head[5]),
    )
    sql("UPDATE transfers SET digest = :digest WHERE key = :key", digest=digest, key=key)
    sql(
        "UPDATE accounts SET balance_points = COALESCE("
        "(SELECT SUM(points) FROM entries WHERE account_id = accounts.id), 0)"
    )


def forged(sql: Sql, key: str, source: str, target: str, points: int) -> None:
    """A transfer that looks like any other."""
    sql(
        "INSERT INTO transfers (id, key, digest, why_en, why_fr, effective_on, recorded_at) "
        "SELECT max(id) + 1, :key, '', 'Bonus', 'Prime', '2026-06-30', max(recorded_at) "
        "FROM transfers",
        key=key,
    )
    for place, moved in ((source, -points), (target, points)):
        sql(
            "INSERT INTO entries (id, transfer_id, account_id, points) "
            f"SELECT max(id) + 1, {id_of(key)}, {place}, {moved} FROM entries"
        )
    sealed(sql, key)


def rewritten(key: str, *statements: str) -> Callable[[Sql], None]:
    """Statements, after which digest and balances are made to agree."""

    def do(sql: Sql) -> None:
        for statement in statements:
            sql(statement)
        sealed(sql, key)

    return do


def ran(*statements: str) -> Callable[[Sql], None]:
    def do(sql: Sql) -> None:
        for statement in statements:
            sql(statement)

    return do


def wiped(key: str) -> Callable[[Sql], None]:
    """A transfer that never was, as far as balances tell."""

    def do(sql: Sql) -> None:
        sql(f"DELETE FROM entries WHERE transfer_id = {id_of(key)}")
        sql("DELETE FROM transfers WHERE key = :key", key=key)
        sealed(sql, "fund:quality:2026-01-05")

    return do


def figure_with_its_digest(sql: Sql) -> None:
    """A frozen figure, and the digest of the close with it: only the facts know better."""
    connection = sql("SELECT 1").connection
    sql("UPDATE frozen_scorecards SET n = n + 1 WHERE kpi = 'in_full' AND subject = 'R2'")
    with Session(connection) as opened:
        for period in ("2026Q2", "2026Q3"):
            due = digest(opened, FrozenFigure, Period.parse(period))
            sql("UPDATE closings SET digest = :due WHERE period = :period", due=due, period=period)


def partner_with_its_digest(sql: Sql) -> None:
    connection = sql("SELECT 1").connection
    sql("UPDATE frozen_partners SET joined_on = '2020-01-01' WHERE code = 'R3'")
    with Session(connection) as opened:
        for number in sql("SELECT id FROM closings").scalars().all():
            due = partners_digest(frozen_candidates(opened, number))
            sql("UPDATE closings SET partners_digest = :due WHERE id = :id", due=due, id=number)


def a_share_moved(sql: Sql) -> None:
    """Fifty points from one who got a share to the other: together it stays what there was."""
    for key, by in ((SHARED, 50), ("close:2026Q2:shared_bonus:R2", -50)):
        sql(
            f"UPDATE entries SET points = points + CASE WHEN points > 0 THEN {by} ELSE -({by}) END "
            f"WHERE transfer_id = {id_of(key)}"
        )
        sealed(sql, key)


def versions_swapped(sql: Sql) -> None:
    """Version 1 says what version 2 says, and the other way round, with their digests."""
    rows = sql(
        "SELECT id, contents, digest FROM rule_versions WHERE code = 'network_quality_bonus' "
        "ORDER BY version"
    ).all()
    for (number, _, _), (_, contents, seal) in zip(rows, reversed(rows), strict=True):
        sql(
            "UPDATE rule_versions SET contents = :contents, digest = :digest WHERE id = :id",
            contents=contents,
            digest=seal,
            id=number,
        )


def a_decision_too_many(sql: Sql) -> None:
    sql(
        "INSERT INTO decisions (id, closing_id, rule_version_id, partner_id, verdict, points) "
        "SELECT (SELECT max(id) + 1 FROM decisions), closing_id, rule_version_id, "
        "(SELECT id FROM partners WHERE code = 'D1'), 'not_met', 0 FROM decisions "
        f"WHERE id = {decision('2026Q2', 'network_quality_bonus', 'R2')}"
    )


def revision_rewritten(sql: Sql) -> None:
    number, contents = sql("SELECT id, contents FROM revisions ORDER BY id LIMIT 1").one()
    said = json.loads(contents) if isinstance(contents, str) else contents
    said["received_on"] = "2026-05-25"
    sql(
        "UPDATE revisions SET contents = :contents WHERE id = :id",
        contents=json.dumps(said),
        id=number,
    )
