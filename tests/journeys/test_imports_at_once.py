"""Imports that meet: two of the same file at once, one that is killed, a database out of reach.

Each is a process of its own, as on a server where a schedule and a person start the same import.
"""

from __future__ import annotations

import signal
import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from partner_cx.database import open_database
from tests.journeys.command_line import Answer, CommandLine, ended

ROWS = 30_000
HEADER = "source_id,order_code,partner_code,ordered_qty,window_end,received_qty,received_on\n"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nP1,Partner One,distributor")
    return office


def a_large_file(office: CommandLine, rows: int = ROWS) -> Path:
    lines = (f"L{n},O{n // 5},P1,10,2026-04-10,10,2026-04-10\n" for n in range(rows))
    return office.file("order-lines.csv", HEADER + "".join(lines))


def counts(answer: Answer) -> tuple[int, ...]:
    assert answer.status == 0, answer.err
    row = answer.rows[0]
    return tuple(row[name] for name in ("taken", "unchanged", "corrected", "refused"))


def lines_kept(office: CommandLine) -> int:
    engine = open_database(office.database_url)
    with engine.connect() as connection:
        kept = connection.execute(sa.text("SELECT count(*) FROM order_lines")).scalar_one()
    engine.dispose()
    return int(kept)


def test_of_two_imports_at_once_one_takes_and_the_other_finds_it_unchanged(
    office: CommandLine,
) -> None:
    path = a_large_file(office)
    import_it = ("import", "order-lines", path, "--format", "json")
    both = [office.start(*import_it), office.start(*import_it)]
    assert sorted(counts(ended(each)) for each in both) == [(0, ROWS, 0, 0), (ROWS, 0, 0, 0)]
    assert lines_kept(office) == ROWS
    otif = office.figures("2026-04", "--kpi", "otif", "--now", "2026-05-01")["otif"]
    assert (otif["hits"], otif["of"]) == (ROWS, ROWS)


def test_different_kinds_at_once_all_come_in(office: CommandLine) -> None:
    files = {
        "visits": "source_id,partner_code,asset,visited_on,outcome\nV1,P1,A1,2026-05-02,fixed\n",
        "referrals": "source_id,partner_code,on\nF1,P1,2026-05-02\n",
        "partners": "code,name,kind\nP2,Partner Two,reseller\n",
    }
    started = [
        office.start("import", kind, office.file(f"{kind}.csv", text), "--format", "json")
        for kind, text in files.items()
    ]
    assert [counts(ended(each)) for each in started] == [(1, 0, 0, 0)] * 3


def test_a_killed_import_leaves_nothing_and_runs_again(office: CommandLine) -> None:
    path = a_large_file(office, 250_000)
    before = office.contents()
    killed = office.start("import", "order-lines", path)
    _until_it_writes(office)
    killed.send_signal(signal.SIGKILL)
    assert ended(killed).status == -signal.SIGKILL
    assert office.contents() == before
    assert not path.with_suffix(".problems.csv").exists()
    small = a_large_file(office, 1_000)
    assert counts(office.run("import", "order-lines", small, "--format", "json")) == (1000, 0, 0, 0)


def test_an_interrupted_import_leaves_nothing(office: CommandLine) -> None:
    path = a_large_file(office, 250_000)
    before = office.contents()
    interrupted = office.start("import", "order-lines", path)
    _until_it_writes(office)
    interrupted.send_signal(signal.SIGINT)
    answer = ended(interrupted)
    assert answer.status not in (0, 1)
    assert "Traceback" not in answer.err
    assert office.contents() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:////no/such/folder/programme.sqlite3", "can't be opened. Check that its folder"),
        ("postgresql://ann:se-cret@127.0.0.1:1/programme", "Check the database URL"),
        ("mysql://localhost/programme", "a URL is expected: sqlite:///path/to/file"),
        ("programme.sqlite3", "a URL is expected"),
    ],
)
def test_a_database_out_of_reach_is_told_in_words(tmp_path: Path, url: str, words: str) -> None:
    office = CommandLine(url, tmp_path)
    path = office.file("partners.csv", "code,name,kind\nP1,Partner One,distributor\n")
    answer = office.run("import", "partners", path)
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert "se-cret" not in answer.err
    assert "Traceback" not in answer.err


def test_a_file_that_is_no_database_is_told_in_words(tmp_path: Path) -> None:
    office = CommandLine(f"sqlite:///{tmp_path}/notes.txt", tmp_path)
    office.file("notes.txt", "Call Nord about the pallets.\n" * 100)
    path = office.file("partners.csv", "code,name,kind\nP1,Partner One,distributor\n")
    answer = office.run("import", "partners", path)
    assert (answer.status, answer.out) == (2, "")
    assert "isn't an SQLite database" in answer.err
    assert (tmp_path / "notes.txt").read_text().startswith("Call Nord")


def test_a_busy_sqlite_file_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = CommandLine(f"sqlite:///{tmp_path}/programme.sqlite3", tmp_path)
    office.take("partners", "code,name,kind\nP1,Partner One,distributor")
    monkeypatch.setattr("partner_cx.database.BUSY_SECONDS", 1)
    before = office.contents()
    other = sqlite3.connect(tmp_path / "programme.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    path = office.file("more.csv", "code,name,kind\nP2,Partner Two,distributor\n")
    try:
        answer = office.run("import", "partners", path)
    finally:
        other.rollback()
        other.close()
    assert (answer.status, answer.out) == (2, "")
    assert "The database is busy" in answer.err
    assert office.contents() == before
    assert office.run("import", "partners", path).status == 0


def _until_it_writes(office: CommandLine, *, seconds: float = 20) -> None:
    """Wait until an import is in the midst of its transaction."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _is_writing(office):
            time.sleep(0.3)
            return
        time.sleep(0.02)
    raise AssertionError("the import never began to write")


def _is_writing(office: CommandLine) -> bool:
    url = sa.make_url(office.database_url)
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(str(url.database), isolation_level=None, timeout=0)
        try:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()
        except sqlite3.OperationalError:
            return True
        finally:
            other.close()
        return False
    engine = open_database(office.database_url)
    with engine.connect() as connection:
        held = connection.execute(
            sa.text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND database = (SELECT oid FROM pg_database "
                "WHERE datname = current_database())"
            )
        ).scalar_one()
    engine.dispose()
    return bool(held)
