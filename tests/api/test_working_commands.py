"""The commands about effects, the worker and the schedule, as somebody types them."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from api.cli import app
from api.commands import effects, working
from api.headings import HEADINGS
from integrations.schedule import TASKS
from partner_cx.database import open_database
from partner_cx.effects import Effect, Owed, State
from tests.harness.owed import owed, rows

PAGE = Path(__file__).parents[2] / "docs/guide/worker.md"
NOON = "--now 2026-07-01T12:00:00+00:00"


@pytest.fixture(autouse=True)
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty network, in the home of a new user."""
    url = f"sqlite:///{tmp_path}/network.sqlite3"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", url)
    run("migrate")
    return url


def run(command: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, shlex.split(command), prog_name="partner-cx")
    assert result.exit_code == status, result.output
    return result.output


def told(command: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, [*shlex.split(command), "--format", "json"])
    return json.loads(result.stdout)


def owing(url: str, *more: Owed) -> None:
    """One that can be carried out, one of no kind, one that is parked."""
    engine = open_database(url)
    owed(engine, Owed("holds", "h"), Owed("strange", "s"), Owed("alerts", "a"), *more)
    with engine.begin() as connection:
        parked = {"parked_at": rows(engine)["a"].owed_at, "parked_because": "The key was revoked."}
        connection.execute(sa.update(Effect).where(Effect.key == "a").values(parked))
    engine.dispose()


def test_what_is_owed_is_listed_with_what_it_waits_for(network: str):
    owing(network)
    listed = told(f"effects list {NOON}")
    assert [(row["key"], row["state"]) for row in listed] == [
        ("h", "waiting"), ("s", "waiting"), ("a", "parked"),
    ]  # fmt: skip
    assert "The key was revoked." in run(f"effects list --state parked {NOON}")
    counted = told(f"effects list --counts {NOON}")
    assert {"kind": "alerts", "state": "parked", "n": 1} in counted
    assert "There are more than 1" in run(f"effects list --limit 1 {NOON}")


def test_what_the_schedule_did_long_ago_can_be_deleted(network: str):
    owing(network, *(Owed("holds", f"holds:2025-01-0{day}T04:30Z") for day in (1, 2)))
    run(f"work --once {NOON}", status=1)
    assert "1 effect is deleted." in run("effects prune --before 2026-07-02 --now 2026-08-01")
    refused = run("effects prune --before 2026-07-31 --now 2026-08-01", status=2)
    assert "The last week's effects are kept." in refused


def test_the_worker_tries_what_is_due_and_says_what_is_left(network: str):
    owing(network)
    assert "2 tried; 1 wait, 1 parked." in run(f"work --once {NOON}", status=1)
    run(f"effects retry --all {NOON}")
    assert "1 tried; 1 wait, 0 parked." in run(f"work --once {NOON}")
    assert "1 effect is dropped." in run(f'effects drop s --why "Nobody knows it" --by ada {NOON}')
    assert told(f"effects list {NOON}") == []
    assert [row["why"] for row in told("effects list --state dropped")] == ["Nobody knows it"]


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("effects retry", "Name keys, or --kind KIND, or --all."),
        ("effects retry a --all", "Name keys, or --kind KIND, or --all."),
        ("effects retry nothing", "No effect has the key nothing."),
        ("effects drop nothing --why Over", "No effect has the key nothing."),
        ("work --now 2026-07-01", "Add --once to --now."),
    ],
)
def test_what_cant_be_meant_is_refused(command: str, says: str):
    assert says in run(command, status=2)


@pytest.mark.parametrize("command", ["schedule", "work", "work --once", "serve"])
def test_a_schedule_that_cant_be_meant_is_refused(command: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PARTNER_CX_SCHEDULE", "tally = daily 02:00")
    port = " --port 0" if command == "serve" else ""
    assert "Did you mean tallies?" in run(command + port, status=2)


def test_the_schedule_is_shown_by_the_programmes_clocks():
    assert "2026-07-02 01:30" in run(f"schedule {NOON}")
    listed = {row["task"]: row for row in told(f"schedule {NOON}")}
    assert listed.keys() == TASKS.keys()
    assert listed["tallies"]["next"] == "2026-07-01T23:30:00Z"
    assert listed["odoo_sync"]["timetable"] == "not set up"
    assert "met les indicateurs à jour" in run(f"schedule --language fr {NOON}")


def test_the_guide_tells_each_task_with_its_timetable():
    page = PAGE.read_text("utf-8")
    assert [name for name, task in TASKS.items() if f"| `{name}` | {task.when} |" not in page] == []
    assert [state for state in State if f"`{state}`" not in page] == []


def test_every_column_has_a_french_heading():
    columns = {*effects.COLUMNS, *effects.COUNTED, *working.COLUMNS}
    assert columns <= HEADINGS.keys()


@pytest.mark.parametrize("command", ["work", "serve --port 0"])
def test_told_to_stop_it_ends_in_peace(command: str, network: str):
    owing(network)
    engine = open_database(network)
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", *shlex.split(command)], stderr=subprocess.PIPE, text=True
    )
    try:
        for _ in range(600):
            if rows(engine)["h"].done_at is not None:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, complaints
    assert rows(engine)["h"].done_at is not None
    assert {row.leased_by for row in rows(engine).values()} == {None}
    engine.dispose()
