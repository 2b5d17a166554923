"""Rows are told apart as taken, unchanged, corrected or refused, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partner_cx.database import open_database, reading
from partner_cx.errors import Invalid
from tests.harness.databases import fresh_database
from tests.harness.intake import counts, order_line, partner, take


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with reading(engine) as session:
        return [tuple(row) for row in session.execute(sa.text(query))]


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("R1"), partner("R2"))
    return engine


def test_a_new_row_is_taken_and_its_partner_day_marked(network: sa.Engine) -> None:
    taken, problems = take(network, "order-lines", order_line("L1"), order_line("L2"))
    assert (counts(taken), problems) == ((2, 0, 0, 0), [])
    assert rows(network, "SELECT family, partner_id FROM marks") == [("orders", 1)]


def test_the_same_row_again_changes_nothing_and_marks_nothing(network: sa.Engine) -> None:
    take(network, "order-lines", order_line("L1"))
    with network.begin() as connection:
        connection.execute(sa.text("DELETE FROM marks"))
    taken, _ = take(network, "order-lines", order_line("L1"))
    assert counts(taken) == (0, 1, 0, 0)
    assert rows(network, "SELECT * FROM marks") == []
    assert rows(network, "SELECT * FROM revisions") == []


def test_a_correction_keeps_what_was_said_before_and_marks_both_days(network: sa.Engine) -> None:
    take(network, "order-lines", order_line("L1"))
    with network.begin() as connection:
        connection.execute(sa.text("DELETE FROM marks"))
    taken, _ = take(
        network, "order-lines", order_line("L1", window_end="2026-05-02", partner_code="R2")
    )
    assert counts(taken) == (0, 0, 1, 0)
    marked = rows(network, "SELECT partner_id, day FROM marks ORDER BY partner_id")
    assert [(number, str(day)) for number, day in marked] == [(1, "2026-04-10"), (2, "2026-05-02")]
    ((kind, told, until, contents),) = rows(
        network, "SELECT kind, import_id, superseded_by, contents FROM revisions"
    )
    assert (kind, told < until) == ("order-lines", True)
    assert "2026-04-10" in str(contents)


def test_a_line_that_leaves_an_order_marks_the_lines_it_left(network: sa.Engine) -> None:
    take(
        network,
        "order-lines",
        order_line("L1", window_end="2026-04-10"),
        order_line("L2", window_end="2026-04-20"),
    )
    with network.begin() as connection:
        connection.execute(sa.text("DELETE FROM marks"))
    take(network, "order-lines", order_line("L2", window_end="2026-04-20", order_code="O2"))
    marked = rows(network, "SELECT day FROM marks ORDER BY day")
    assert [str(day) for (day,) in marked] == ["2026-04-10", "2026-04-20"]


def test_the_same_id_from_another_source_is_another_fact(network: sa.Engine) -> None:
    take(network, "order-lines", order_line("L1"), source="erp")
    taken, _ = take(network, "order-lines", order_line("L1"), source="wms")
    assert counts(taken) == (1, 0, 0, 0)


@pytest.mark.parametrize("batch_rows", [1, 2, 1000])
def test_rows_of_one_file_that_contradict_each_other_are_refused(
    network: sa.Engine, batch_rows: int
) -> None:
    """However the file is cut into batches, the first row holds and the others are named."""
    first, again, other = (
        order_line("L1"),
        order_line("L1"),
        order_line("L1", received_qty="1"),
    )
    taken, problems = take(network, "order-lines", first, again, other, batch_rows=batch_rows)
    assert counts(taken) == (1, 1, 0, 1)
    assert [problem.line for problem in problems] == [4]
    # The same over a fact that is known: unchanged first, then contradicted.
    taken, problems = take(network, "order-lines", first, other, batch_rows=batch_rows)
    assert counts(taken) == (0, 1, 0, 1)
    # And a correction first, then a row that says what was known before.
    taken, problems = take(network, "order-lines", other, first, batch_rows=batch_rows)
    assert counts(taken) == (0, 0, 1, 1)
    assert "An earlier row of this file" in problems[0].text("en")


def test_a_bad_row_doesn_t_hide_the_good_ones(network: sa.Engine) -> None:
    taken, problems = take(
        network,
        "order-lines",
        order_line("L1"),
        order_line("L2", ordered_qty="-3"),
        order_line("L3", window_end="2026-02-30"),
        order_line("L4", partner_code="NOBODY"),
        order_line("L5", window_start="2026-04-11"),
        order_line("L6", received_on=None),
        order_line("L7", order_code=None),
        order_line("L8"),
    )
    assert counts(taken) == (2, 0, 0, 6)
    assert {(problem.line, problem.column) for problem in problems} == {
        (3, "ordered_qty"),
        (4, "window_end"),
        (5, "partner_code"),
        (6, "window_start"),
        (7, "received_qty"),
        (8, "order_code"),
    }


def test_parents_may_stand_below_their_children_in_the_file(engine: sa.Engine) -> None:
    taken, problems = take(
        engine,
        "partners",
        partner("R1", parent_code="D1"),
        partner("D1", kind="distributor"),
        partner("R2", parent_code="GONE"),
        partner("A", parent_code="B"),
        partner("B", parent_code="A"),
        partner("S", parent_code="S"),
    )
    assert counts(taken) == (2, 0, 0, 4)
    assert {problem.line for problem in problems} == {4, 5, 6, 7}
    assert rows(
        engine,
        "SELECT c.code, p.code FROM partners c JOIN partners p ON p.id = c.parent_id",
    ) == [("R1", "D1")]


def test_a_correction_that_closes_a_circle_is_refused_whole(engine: sa.Engine) -> None:
    take(engine, "partners", partner("A"), partner("B", parent_code="A"))
    with pytest.raises(Invalid, match="above itself"):
        take(engine, "partners", partner("A", parent_code="B"))
    assert rows(engine, "SELECT count(*) FROM imports") == [(1,)]


def test_a_receipt_finds_its_line_and_marks_the_line_s_day(network: sa.Engine) -> None:
    take(network, "order-lines", order_line("L1", received_qty=None, received_on=None))
    with network.begin() as connection:
        connection.execute(sa.text("DELETE FROM marks"))
    receipt = {"source_id": "R", "order_line_source_id": "L1", "qty": "2.5"}
    taken, problems = take(
        network,
        "receipts",
        receipt | {"received_on": "2026-04-12"},
        receipt | {"source_id": "S", "order_line_source_id": "?", "received_on": "2026-04-12"},
    )
    assert counts(taken) == (1, 0, 0, 1)
    assert problems[0].column == "order_line_source_id"
    assert [str(day) for (day,) in rows(network, "SELECT day FROM marks")] == ["2026-04-10"]


CALENDAR = {"code": "fr", "time_zone": "Europe/Paris", "days": "mon-fri", "opens": "09:00"}
TICKET = {"source_id": "T1", "partner_code": "R1", "opened_at": "2026-04-10T10:00"}


@pytest.mark.parametrize(
    ("known", "coming", "corrected"),
    [
        (
            ("order-lines", order_line("L1")),
            (
                "receipts",
                {
                    "source_id": "C1",
                    "order_line_source_id": "L1",
                    "received_on": "2026-04-10",
                    "qty": "1",
                },
            ),
            ("order-lines", order_line("L1", window_end="2026-05-02")),
        ),
        (
            ("calendars", CALENDAR | {"closes": "18:00"}),
            ("tickets", TICKET | {"calendar": "fr", "response_target_minutes": "60"}),
            ("calendars", CALENDAR | {"closes": "17:00"}),
        ),
    ],
    ids=["a receipt and its line", "a ticket and its calendar"],
)
def test_what_an_import_rests_on_isnt_corrected_before_it_is_in(
    known: tuple[str, Any], coming: tuple[str, Any], corrected: tuple[str, Any]
) -> None:
    """SQLite has one writer at a time anyway."""
    with fresh_database("postgresql") as url:
        engine, impatient = open_database(url), open_database(url)
        sa.event.listen(impatient, "connect", _wait_shortly)
        take(engine, "partners", partner("R1"))
        take(engine, *known)

        def correct_meanwhile(_problems: object, _batch: object) -> None:
            with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
                take(impatient, *corrected)

        nameless = dict.fromkeys(coming[1])
        take(engine, *coming, nameless, on_problems=correct_meanwhile)
        taken, _ = take(impatient, *corrected)
        assert counts(taken) == (0, 0, 1, 0)
        engine.dispose()
        impatient.dispose()


def _wait_shortly(connection: Any, _record: object) -> None:
    connection.execute("SET lock_timeout = '100ms'")
    connection.commit()


def test_a_corrected_calendar_runs_its_tickets_clocks_again(network: sa.Engine) -> None:
    calendar = {"code": "fr", "time_zone": "Europe/Paris", "days": "mon-fri", "opens": "09:00"}
    take(network, "calendars", calendar | {"closes": "18:00", "holidays": "FR"})
    take(
        network,
        "tickets",
        {
            "source_id": "T1",
            "partner_code": "R1",
            "opened_at": "2026-06-12T17:30",
            "first_reply_at": "2026-06-15T09:45",
            "response_target_minutes": "60",
            "calendar": "fr",
        },
    )
    assert rows(network, "SELECT response_seconds FROM tickets") == [(75 * 60,)]
    corrected, _ = take(network, "calendars", calendar | {"closes": "17:30", "holidays": "FR"})
    assert rows(network, "SELECT response_seconds, import_id FROM tickets") == [
        (45 * 60, corrected.import_id)
    ]
    ((contents, until),) = rows(
        network, "SELECT contents, superseded_by FROM revisions WHERE kind = 'tickets'"
    )
    assert ("4500" in str(contents), until) == (True, corrected.import_id)


def test_a_corrected_calendar_marks_the_days_on_which_tickets_were_answered_and_settled(
    network: sa.Engine,
) -> None:
    """Nothing was promised for them, so that they have no due day to be marked by."""
    calendar = {"code": "fr", "time_zone": "Europe/Paris", "days": "mon-fri", "opens": "09:00"}
    take(network, "calendars", calendar | {"closes": "18:00", "holidays": "FR"})
    take(
        network,
        "tickets",
        {
            "source_id": "T1",
            "partner_code": "R1",
            "opened_at": "2026-06-10T09:30",
            "first_reply_at": "2026-06-11T10:00",
            "resolved_at": "2026-06-16T10:00",
            "calendar": "fr",
        },
    )
    with network.begin() as connection:
        connection.execute(sa.text("DELETE FROM marks"))
    take(network, "calendars", calendar | {"closes": "17:00", "holidays": "FR"})
    marked = rows(network, "SELECT day FROM marks WHERE family = 'tickets' ORDER BY day")
    assert [str(day) for (day,) in marked] == ["2026-06-11", "2026-06-16"]


def test_a_score_of_zero_is_kept_and_a_dismissed_one_is_not(network: sa.Engine) -> None:
    answer = {
        "survey_code": "s",
        "partner_code": "R1",
        "answered_at": "2026-04-10T10:00",
        "question_code": "pnps",
    }
    taken, _ = take(
        network,
        "answers",
        answer | {"source_id": "1", "value": "0"},
        answer | {"source_id": "2", "value": "7", "dismissed": "yes"},
        answer | {"source_id": "3", "value": "11"},
        answer | {"source_id": "4", "value": "6.5"},
    )
    assert counts(taken) == (2, 0, 0, 2)
    assert rows(network, "SELECT source_id, value FROM answers ORDER BY source_id") == [
        ("1", 0),
        ("2", None),
    ]


# Any sequence of imports leaves what a plain dictionary would, and every former word.

LINE = st.fixed_dictionaries(
    {
        "source_id": st.sampled_from(["L1", "L2", "L3"]),
        "order_code": st.sampled_from(["O1", "O2"]),
        "partner_code": st.sampled_from(["R1", "R2"]),
        "ordered_qty": st.sampled_from(["1", "2.5"]),
        "window_end": st.sampled_from(["2026-04-10", "2026-05-11"]),
    }
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_any_sequence_of_imports_leaves_what_a_dictionary_would(kind: str) -> None:
    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.lists(LINE, max_size=5), max_size=4), st.sampled_from([1, 2, 100]))
    def holds(files: list[list[dict[str, str]]], batch_rows: int) -> None:
        with fresh_database(kind) as url:
            engine = open_database(url)
            take(engine, "partners", partner("R1"), partner("R2"))
            known: dict[str, dict[str, str]] = {}
            former = 0
            for file in files:
                said: dict[str, dict[str, str]] = {}
                expected = [0, 0, 0, 0]
                for row in file:
                    key = row["source_id"]
                    if key in said:
                        expected[1 if said[key] == row else 3] += 1
                        continue
                    said[key] = row
                    before = known.get(key)
                    expected[0 if before is None else 1 if before == row else 2] += 1
                    former += before is not None and before != row
                    known[key] = row
                taken, _ = take(engine, "order-lines", *file, batch_rows=batch_rows)
                assert list(counts(taken)) == expected
            stored = rows(
                engine,
                "SELECT l.source_id, l.order_code, p.code, l.ordered, l.window_end "
                "FROM order_lines l JOIN partners p ON p.id = l.partner_id",
            )
            assert sorted((k, o, p, q, str(d)) for k, o, p, q, d in stored) == sorted(
                (
                    row["source_id"],
                    row["order_code"],
                    row["partner_code"],
                    int(float(row["ordered_qty"]) * 1_000_000),
                    row["window_end"],
                )
                for row in known.values()
            )
            assert rows(engine, "SELECT count(*) FROM revisions") == [(former,)]
            engine.dispose()

    holds()


@pytest.mark.parametrize("group", ["gold", "teir:gold", "tier:", ":gold"])
def test_a_target_for_what_can_be_no_group_is_refused(network: sa.Engine, group: str) -> None:
    target = {"kpi": "otif", "target": "95 %", "from": "2026-01-01", "group": group}
    taken, problems = take(network, "targets", target, target | {"group": "tier:gold"})
    assert counts(taken) == (1, 0, 0, 1)
    assert problems[0].text("en") == (
        f"line 2, group (“{group}”): No group is called so. "
        "Write kind:reseller, tier:gold, country:FR, region:Bretagne, distributor:D01 or "
        "group:pilot."
    )


def test_a_column_the_file_hasn_t_says_nothing_and_an_empty_cell_says_none(
    engine: sa.Engine,
) -> None:
    take(engine, "partners", partner("D1"))
    full = partner("R1", parent_code="D1", tier="gold", region="Bretagne", joined_on="2025-01-01")
    take(engine, "partners", full)
    taken, _ = take(engine, "partners", partner("R1"))
    assert counts(taken) == (0, 1, 0, 0)
    taken, _ = take(engine, "partners", partner("R1", name="Renamed", tier=None))
    assert counts(taken) == (0, 0, 1, 0)
    assert rows(engine, "SELECT name, tier, region, parent_id FROM partners WHERE code = 'R1'") == [
        ("Renamed", None, "Bretagne", 1)
    ]


def test_an_export_without_receipts_doesn_t_take_receipts_away(network: sa.Engine) -> None:
    line = order_line("L1", status="done")
    take(network, "order-lines", line)
    open_again = {
        name: cell
        for name, cell in line.items()
        if name not in ("received_qty", "received_on", "status")
    }
    taken, _ = take(network, "order-lines", open_again)
    assert counts(taken) == (0, 1, 0, 0)
    assert rows(network, "SELECT received, status FROM order_lines") == [(10_000_000, "done")]
