"""Facts that their source no longer has: taken out, kept as they were, and told anew as others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from partner_cx.database import reading
from partner_cx.kinds import KINDS
from partner_cx.measures.refreshing import rebuild, refresh
from partner_cx.operations.facts import OrderLine, Receipt
from partner_cx.operations.hindsight import Among, facts_known
from partner_cx.operations.imports import Import
from partner_cx.operations.revisions import Revision
from tests.harness.intake import NOW, SETTINGS, order_line, partner, take, take_out

LATER = NOW + timedelta(days=5)


def receipt(source_id: str = "W1", line: str = "L1", **cells: str) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "order_line_source_id": line,
        "received_on": "2026-04-10",
        "qty": "10",
        **cells,
    }


@pytest.fixture
def engine(engine: sa.Engine) -> sa.Engine:
    """Two lines of one order without goods of their own, and a receipt of the first."""
    take(engine, "partners", partner("R1"), partner("R2"))
    empty = {"received_qty": None, "received_on": None}
    take(engine, "order-lines", order_line("L1", **empty), order_line("L2", **empty))
    take(engine, "receipts", receipt(), source="warehouse")
    refresh(engine, now=NOW, settings=SETTINGS)
    return engine


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as session:
        return [tuple(row) for row in session.execute(sa.text(query))]


def otif(engine: sa.Engine) -> tuple[int, int]:
    refresh(engine, now=NOW, settings=SETTINGS)
    sums = """SELECT coalesce(sum(hits), 0), coalesce(sum("of"), 0) FROM tallies"""
    [(hits, of)] = rows(engine, f"{sums} WHERE kpi = 'otif'")
    return int(hits), int(of)


def known(engine: sa.Engine, until: int) -> tuple[list[str], list[str]]:
    """The lines and receipts that an import, and those before it, had told."""
    with reading(engine) as session:
        ids = Among("order_line_id", range(1, 100))
        whose = Among("partner_id", range(1, 100))
        found = (
            facts_known(session, OrderLine, "order-lines", among=whose, known_until=until),
            facts_known(session, Receipt, "receipts", among=ids, known_until=until),
        )
    lines, receipts = (sorted(frame["source_id"]) for frame in found)
    return lines, receipts


def last_import(engine: sa.Engine) -> int:
    with reading(engine) as session:
        return session.scalar(sa.select(sa.func.max(Import.id))) or 0


def test_a_withdrawn_line_is_in_no_figure_and_its_receipts_go_with_it(engine: sa.Engine) -> None:
    assert otif(engine) == (1, 2)
    assert take_out(engine, "order-lines", "L1") == 1
    assert otif(engine) == (0, 1)
    assert rows(engine, "SELECT source_id FROM receipts") == []
    take_out(engine, "order-lines", "L2")
    assert otif(engine) == (0, 0)


def test_a_withdrawn_receipt_leaves_its_line_waiting(engine: sa.Engine) -> None:
    assert take_out(engine, "receipts", "W1", source="warehouse") == 1
    assert otif(engine) == (0, 2)


def test_each_kind_is_withdrawn_by_an_import_of_its_own(engine: sa.Engine) -> None:
    before = last_import(engine)
    take_out(engine, "order-lines", "L1", "L2", now=LATER)
    told = "SELECT kind, corrected, taken, file_name FROM imports WHERE id > {} ORDER BY id"
    assert rows(engine, told.format(before)) == [
        ("receipts", 1, 0, "no longer at the source"),
        ("order-lines", 2, 0, "no longer at the source"),
    ]
    assert rows(engine, "SELECT kind, fact_id FROM revisions WHERE withdrawn ORDER BY id") == [
        ("receipts", 1),
        ("order-lines", 1),
        ("order-lines", 2),
    ]


def test_what_nobody_knows_is_passed_over_and_makes_no_import(engine: sa.Engine) -> None:
    before = last_import(engine)
    assert take_out(engine, "order-lines", "L9") == 0
    assert take_out(engine, "order-lines", "L1", source="another") == 0
    assert last_import(engine) == before
    assert take_out(engine, "order-lines", "L1", "L9") == 1
    assert take_out(engine, "order-lines", "L1", "L9") == 0


def test_it_is_still_known_as_it_was_before(engine: sa.Engine) -> None:
    before = last_import(engine)
    take_out(engine, "order-lines", "L1")
    assert known(engine, before) == (["L1", "L2"], ["W1"])
    assert known(engine, last_import(engine)) == (["L2"], [])


def test_a_fact_that_comes_back_is_another_one(engine: sa.Engine) -> None:
    take_out(engine, "order-lines", "L1", "L2")
    taken, _ = take(engine, "order-lines", order_line("L2"), order_line("L1"))
    assert (taken.taken, taken.corrected) == (2, 0)
    assert rows(engine, "SELECT id, source_id FROM order_lines ORDER BY id") == [
        (3, "L2"),
        (4, "L1"),
    ]
    assert otif(engine) == (2, 2)


def test_a_number_is_never_given_again(engine: sa.Engine) -> None:
    """SQLite gives the highest number again once its row is gone."""
    take_out(engine, "order-lines", "L2")
    take(engine, "order-lines", order_line("L3"), order_line("L1"), order_line("L4"))
    take(engine, "order-lines", order_line("L5"), order_line("L3", received_qty="9"))
    with reading(engine) as session:
        there = dict(session.execute(sa.select(OrderLine.source_id, OrderLine.id)).all())
        gone = set(session.scalars(sa.select(Revision.fact_id).where(Revision.withdrawn)))
    assert sorted(there) == ["L1", "L3", "L4", "L5"]
    assert gone.isdisjoint(there.values())


def test_who_has_no_source_id_of_its_own_cant_be_withdrawn(engine: sa.Engine) -> None:
    for kind in ("partners", "people", "calendars", "targets"):
        with pytest.raises(AssertionError, match=kind):
            take_out(engine, kind, "R1")


def test_what_happened_cant_be_taken_back(engine: sa.Engine) -> None:
    with pytest.raises(AssertionError, match="which nothing takes back"):
        take_out(engine, "events", "E1")


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        ("tickets", {"opened_at": "2026-04-01T08:00Z", "first_reply_at": "2026-04-01T09:00Z"}),
        ("visits", {"asset": "B1", "visited_on": "2026-04-03", "outcome": "fixed"}),
        ("portal-events", {"at": "2026-04-03T08:00Z", "kind": "login"}),
        ("catalogue-status", {"on": "2026-04-03", "filled": "3", "required": "9"}),
        (
            "learning",
            {"person_email": "a@r.example", "course_code": "C", "enrolled_on": "2026-04-03"},
        ),
        (
            "invoices",
            {"on": "2026-04-03", "value_minor": "100", "lines": "5", "disputed_lines": "1"},
        ),
        (
            "answers",
            {
                "survey_code": "s",
                "answered_at": "2026-04-03T08:00Z",
                "question_code": "pnps",
                "value": "0",
            },
        ),
        ("referrals", {"on": "2026-04-03"}),
        ("quotes", {"requested_at": "2026-04-01T08:00Z", "quoted_at": "2026-04-03T08:00Z"}),
    ],
)
def test_any_kind_of_fact_leaves_the_tallies_it_was_in(
    engine: sa.Engine, kind: str, row: dict[str, str]
) -> None:
    promised = {"response_target_minutes": "90"} if kind == "tickets" else {}
    before = tallied(engine)
    take(engine, kind, {"source_id": "X", "partner_code": "R2", **row, **promised})
    refresh(engine, now=NOW, settings=SETTINGS)
    assert tallied(engine) != before
    assert take_out(engine, kind, "X") == 1
    refresh(engine, now=NOW, settings=SETTINGS)
    assert tallied(engine) == before
    rebuild(engine, now=NOW, settings=SETTINGS)
    assert tallied(engine) == before
    assert rows(engine, f"SELECT id FROM {KINDS[kind].table.name}") == []


def tallied(engine: sa.Engine) -> list[list[str]]:
    tables = ("tallies", "month_tallies", "spreads", "presences")
    return [sorted(map(str, rows(engine, f"SELECT * FROM {table}"))) for table in tables]


def test_a_thousand_facts_are_withdrawn_together(engine: sa.Engine) -> None:
    many = [order_line(f"M{number}", window_end="2026-05-04") for number in range(1_000)]
    take(engine, "order-lines", *many, now=datetime(2026, 7, 1, 13, tzinfo=UTC))
    assert take_out(engine, "order-lines", *(f"M{number}" for number in range(1_000))) == 1_000
    assert otif(engine) == (1, 2)
