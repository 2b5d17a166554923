"""Whatever is imported and withdrawn in whatever order, the tallies are those of a rebuild.

A short form runs with the other tests; `PARTNER_CX_TRIALS=full` plays hundreds of stories.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partner_cx.database import open_database, reading
from partner_cx.measures.refreshing import rebuild, refresh
from tests.harness.databases import fresh_database
from tests.harness.intake import SETTINGS, partner, take, take_out
from tests.harness.trials import FULL

STORIES = 400 if FULL else 12
START = datetime(2026, 3, 25, 10, tzinfo=UTC)
DAYS = [f"2026-{month:02}-{day:02}" for month in (3, 4) for day in (1, 2, 3, 15, 29)]
INSTANTS = [f"{day}T{hour:02}:30" for day in DAYS for hour in (1, 9, 23)]


def some(*values: str | None) -> st.SearchStrategy[str | None]:
    return st.sampled_from(values)


def row(**cells: st.SearchStrategy[str | None]) -> st.SearchStrategy[dict[str, str | None]]:
    return st.fixed_dictionaries(
        {"source_id": some("1", "2", "3", "4"), "partner_code": some("R1", "R2")} | cells
    )


day, day_or_none = some(*DAYS), some(None, *DAYS)
instant, instant_or_none = some(*INSTANTS), some(None, *INSTANTS)
calendar = {
    "code": "fr",
    "time_zone": "Europe/Paris",
    "days": "mon-fri",
    "opens": "09:00",
    "holidays": "FR",
}
KINDS = {
    "order-lines": row(
        order_code=some("A", "B"),
        ordered_qty=some("1", "10", "2.5"),
        window_start=some(None, None, "2026-03-01"),
        window_end=day,
        status=some("open", "done", "cancelled_by_customer", "cancelled_by_supplier"),
        cancelled_on=day_or_none,
        received_qty=some("10"),
        received_on=day,
    ),
    "receipts": st.fixed_dictionaries(
        {
            "source_id": some("1", "2", "3"),
            "order_line_source_id": some("1", "2", "3", "4"),
            "received_on": day,
            "qty": some("1", "9", "10"),
        }
    ),
    "tickets": row(
        opened_at=some(*INSTANTS[:6]),
        first_reply_at=some(None, *INSTANTS[6:]),
        resolved_at=some(None, *INSTANTS[6:]),
        reopened_count=some(None, "0", "2"),
        response_target_minutes=some(None, "30", "2000"),
        resolution_target_minutes=some(None, "60", "20000"),
        calendar=some(None, "fr"),
        paused=some(None, "2026-03-02T08:00/2026-03-04T08:00", "2026-03-30T08:00/"),
        contacts=some(None, "1", "3"),
    ),
    "calendars": st.fixed_dictionaries(
        {name: st.just(value) for name, value in calendar.items()}
        | {"closes": some("12:00", "18:00")}
    ),
    "visits": row(
        asset=some("P", "Q"),
        visited_on=day,
        outcome=some("fixed", "part_missing", "not_fixed", "no_access"),
    ),
    "portal-events": row(
        at=instant,
        kind=some("login", "sheet_view", "media_download"),
        person_email=some(None, "a@r.example", "b@r.example"),
        internal=some("no", "yes"),
    ),
    "catalogue-status": row(on=day, filled=some("0", "3"), required=some("3", "9")),
    "learning": row(
        person_email=some("a@r.example"),
        course_code=some("C"),
        enrolled_on=some(*DAYS[:5]),
        completed_on=some(None, *DAYS[5:]),
    ),
    "invoices": row(
        on=day,
        value_minor=some("0", "1000"),
        currency=some(None, "EUR", "CHF"),
        lines=some(None, "5"),
        disputed_lines=some(None, "2"),
        credited_minor=some(None, "10"),
    ),
    "answers": row(
        survey_code=some("s"),
        answered_at=instant,
        question_code=some("pnps", "csat", "dsi.logistics"),
        value=some(None, "1", "3", "5"),
        dismissed=some("no", "yes"),
    ),
    "referrals": row(on=day),
    "quotes": row(requested_at=some(*INSTANTS[:6]), quoted_at=some(None, *INSTANTS[6:])),
}
files = st.sampled_from(sorted(KINDS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(KINDS[kind], min_size=1, max_size=4))
)
GONE = "gone"  # an act beside the imports: facts of a kind, by their numbers, are withdrawn
withdrawals = st.tuples(
    st.sampled_from(sorted(KINDS.keys() - {"calendars"})).map(lambda kind: f"{GONE} {kind}"),
    st.lists(st.fixed_dictionaries({"source_id": some("1", "2", "3", "4")}), min_size=1),
)
moves = st.none() | st.integers(-40, 40)


def kept(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    tables = ("tallies", "month_tallies", "spreads", "presences")
    with reading(engine) as session:
        return {
            table: sorted(
                tuple(map(str, found))
                for found in session.execute(sa.text(f"SELECT * FROM {table}"))
            )
            for table in tables
        }


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_tallies_after_any_imports_equal_a_rebuild_from_nothing(database: str) -> None:
    @settings(max_examples=STORIES, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(files | withdrawals, moves), min_size=1, max_size=8))
    def holds(story: list[tuple[tuple[str, list[dict[str, str | None]]], int | None]]) -> None:
        with fresh_database(database) as url:
            engine = open_database(url)
            take(engine, "partners", partner("R1"), partner("R2"))
            take(engine, "calendars", calendar | {"closes": "17:00"})
            now = START
            for (kind, rows), days in story:
                if kind.startswith(GONE):
                    gone = [str(row["source_id"]) for row in rows]
                    take_out(engine, kind.removeprefix(f"{GONE} "), *gone, now=now)
                else:
                    take(engine, kind, *rows, now=now)
                if days is not None:  # else nobody looked in between
                    now = START + timedelta(days=days)
                    refresh(engine, now=now, settings=SETTINGS)
            refresh(engine, now=now, settings=SETTINGS)
            found = kept(engine)
            rebuild(engine, now=now, settings=SETTINGS)
            assert found == kept(engine)
            engine.dispose()

    holds()
