"""The demo's files through the front door: what a user would see who imports them by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from api.demo.network import DemoFile, make_network
from tests.journeys.command_line import CommandLine

NOW = ("--now", "2026-11-21T12:00")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[DemoFile]:
    return list(make_network(tmp_path_factory.mktemp("demo"), until=date(2026, 11, 21)))


def test_no_row_of_the_demo_is_refused_and_again_nothing_changes(
    files: list[DemoFile], database_url: str, tmp_path: Path
) -> None:
    office = CommandLine(database_url, tmp_path)
    told = {file.path.name: imported(office, file) for file in files}
    assert {name: counts["refused"] for name, counts in told.items()} == dict.fromkeys(told, 0)
    corrections = told.pop("order-lines-corrections.csv")
    assert corrections["corrected"] > 0
    assert all(counts["taken"] and not counts["corrected"] for counts in told.values())

    for file in files:
        # The lines and their corrections contradict each other by nature, and stay apart.
        if not file.path.stem.startswith("order-lines"):
            again = imported(office, file)
            assert (again["taken"], again["corrected"], again["refused"]) == (0, 0, 0), file
    assert imported(office, files[-1])["corrected"] == 0


def imported(office: CommandLine, file: DemoFile) -> dict[str, int]:
    options = ["--source", file.source, "--format", "json", *NOW]
    if file.mapping_path:
        options += ["--map", str(file.mapping_path)]
    answer = office.run("import", file.kind, file.path, *options)
    assert answer.status == 0, answer.err
    counts: dict[str, int] = answer.rows[0]
    return counts


def test_the_demo_leaves_the_network_of_a_database_named_by_the_environment_alone(
    database_url: str, tmp_path: Path
) -> None:
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code | name | kind\nOURS | Ours | reseller")
    before = office.contents()
    answer = office.run("demo", "--no-serve", *NOW)
    assert answer.status == 2
    assert "another network" in answer.err
    assert office.contents() == before
