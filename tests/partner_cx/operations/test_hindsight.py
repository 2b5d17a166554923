"""Fact tables put back as they were: every row, every figure, at every moment that ever was."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading
from partner_cx.kinds import KINDS
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.operations.hindsight import UNKNOWN_YET, put_back
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from rewards.frozen import digest
from tests.harness.intake import SETTINGS, order_line, partner, take, take_out
from tests.harness.programme import NOW, QUARTER, a_network, lines, seen, ticket

LINE = "R1-2026-05-18-00"
Kept = tuple[int, dict[str, list[str]], str]  # the last import, the tables, the figures' digest


def one_thing_after_the_other(engine: sa.Engine) -> list[Kept]:
    """A network that changes in every way facts can change, and what stood there after each."""
    a_network(engine)
    moments = [_now(engine)]
    take(engine, "order-lines", _line(received_on="2026-05-21"))
    moments.append(_now(engine))
    take(engine, "order-lines", _line(received_on="2026-05-18"), *lines("R3", 3, "2026-06-02"))
    moments.append(_now(engine))
    take(engine, "order-lines", _line(partner_code="R2"), _line(window_end="2026-05-30"))
    take(engine, "receipts", _receipt("W1", "2026-05-18"))
    moments.append(_now(engine))
    take(engine, "receipts", _receipt("W1", "2026-05-25"), _receipt("W2", "2026-05-18"))
    take(engine, "calendars", _calendar("18:00"))
    take(engine, "tickets", {**ticket("T3", "R2", "50"), "calendar": "day"})
    moments.append(_now(engine))
    take(engine, "calendars", _calendar("17:00"))
    take(engine, "tickets", ticket("T1", "R1", "90"))
    take(engine, "visits", _visit("V1", "2026-05-04", "not_fixed"))
    moments.append(_now(engine))
    take(engine, "visits", _visit("V1", "2026-05-04", "fixed"), _visit("V2", "2026-05-06", "fixed"))
    take(engine, "partners", partner("R3", tier="silver", left_on="2026-06-01"), partner("R4"))
    take(engine, "portal-events", seen("E4", "R4"), seen("E3", "R3", internal="no"))
    take(engine, "targets", {"kpi": "otif", "target": "50 %", "from": "2026-01-01", "n_min": "1"})
    take(engine, "groups", {"group_code": "pilot", "partner_code": "R1"})
    moments.append(_now(engine))
    take_out(engine, "order-lines", LINE, "R2-wrong-3")  # the second with its receipts
    take_out(engine, "visits", "V2")  # the newest there is
    take_out(engine, "tickets", "T1")
    moments.append(_now(engine))
    take(engine, "order-lines", _line(received_on="2026-05-25"))
    take(engine, "visits", _visit("V3", "2026-05-05", "fixed"))
    take(engine, "visits", _visit("V2", "2026-05-06", "part_missing"))
    moments.append(_now(engine))
    take(engine, "order-lines", _line(partner_code="R3"), _wrong_line())
    take(engine, "receipts", _receipt("W1", "2026-05-18"))
    take(engine, "tickets", ticket("T1", "R1", "30"))
    moments.append(_now(engine))
    take_out(engine, "order-lines", LINE)
    take_out(engine, "receipts", "W1")
    moments.append(_now(engine))
    return moments


@pytest.mark.parametrize("in_one_transaction", [True, False])
def test_the_tables_and_the_figures_are_those_of_then(
    engine: sa.Engine, in_one_transaction: bool
) -> None:
    moments = one_thing_after_the_other(engine)
    if in_one_transaction:
        with Session(engine.execution_options(writes=True)) as session:
            for moment in reversed(moments):
                _is_as_it_was(session, moment)
    else:
        for moment in moments:
            with Session(engine.execution_options(writes=True)) as session:
                _is_as_it_was(session, moment)
    assert _now(engine) == moments[-1], "and all of it was undone"


def _is_as_it_was(session: Session, moment: Kept) -> None:
    last_import, tables, figures = moment
    put_back(session, KINDS.values(), known_until=last_import)
    found = _tables(session, last_import)
    for name, rows in tables.items():
        assert found[name] == rows, name
    assert _figures(session) == figures


def _now(engine: sa.Engine) -> Kept:
    with reading(engine) as session:
        last = session.scalar(sa.select(sa.func.max(Import.id))) or 0
        tables = _tables(session, last)
    with Session(engine.execution_options(writes=True)) as session:  # measured, and undone
        return last, tables, _figures(session)


def _tables(session: Session, last_import: int) -> dict[str, list[str]]:
    """Every fact as text, without what is there and was not known yet."""
    found: dict[str, list[str]] = {}
    for kind in KINDS.values():
        rows: Any = session.execute(sa.select(kind.table).order_by(kind.table.c.id)).all()
        hidden = kind.table.name in UNKNOWN_YET
        found[kind.name] = [str(row) for row in rows if not hidden or row.import_id <= last_import]
    return found


def _figures(session: Session) -> str:
    refreshing.refresh(session, now=NOW, settings=SETTINGS)
    for period in (QUARTER, Period.parse("2026-05")):
        measuring.measure(session, period, now=NOW, settings=SETTINGS)
    periods = (QUARTER, Period.parse("2026-05"))
    return " ".join(digest(session, ScorecardRow, period) for period in periods)


def _line(**cells: str) -> dict[str, str | None]:
    return order_line(
        LINE,
        **{
            "order_code": "O-R1-2026-05-18-0",
            "partner_code": "R1",
            "window_end": "2026-05-18",
            "received_on": "2026-05-18",
            **cells,
        },
    )


def _wrong_line() -> dict[str, str | None]:
    """R2-wrong-3 as it is told anew, on another day and without goods."""
    return order_line(
        "R2-wrong-3",
        order_code="O-R2-wrong",
        partner_code="R2",
        window_end="2026-05-19",
        received_qty=None,
        received_on=None,
    )


def _receipt(source_id: str, day: str) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "order_line_source_id": "R2-wrong-3",
        "received_on": day,
        "qty": "20",
    }


def _calendar(closes: str) -> dict[str, str | None]:
    return {
        "code": "day",
        "time_zone": "Europe/Paris",
        "days": "mon-fri",
        "opens": "09:00",
        "closes": closes,
    }


def _visit(source_id: str, day: str, outcome: str) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "asset": "B1",
        "visited_on": day,
        "outcome": outcome,
    }
