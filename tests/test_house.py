"""The house rules that a machine can keep: floors, README, sizes, locked requirements."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.testing import CliRunner

HOUSE = Path(__file__).parents[1]
FLOORS = ("partner_cx", "rewards", "integrations", "api")
LINES_MAX = 600


def called(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


CODE = sorted(
    path
    for folder in (*FLOORS, "tests")
    for path in (HOUSE / folder).rglob("*.py")
    if "versions" not in path.parts
)
README = HOUSE / "README.md"
PAGES = [README, *sorted((HOUSE / "docs").rglob("*.md"))]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==[^\s;]+( ; [^\\]+)? \\$")
HASHED = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def commands() -> set[str]:
    """The commands that `partner-cx --help` lists."""
    from api.cli import app

    return set(typer.main.get_group(app).commands)


def written_commands(page: Path) -> set[str]:
    """The commands that a page tells its reader to type."""
    text = page.read_text(encoding="utf-8")
    return set(re.findall(r"(?:^|[`/])partner-cx ([a-z]+)", text, re.MULTILINE))


def test_nothing_imports_upward():
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=HOUSE, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_every_command_that_a_page_names_exists(page: Path):
    assert written_commands(page) <= commands()


def test_help_explains_every_command():
    from api.cli import app

    group = typer.main.get_group(app)
    silent = [name for name, command in group.commands.items() if not command.help]
    assert not silent, f"commands without a word of help: {silent}"
    assert CliRunner().invoke(app, ["--help"]).exit_code == 0


def test_every_command_and_each_below_it_is_told_of_in_the_docs():
    from api.cli import app

    named = [
        f"{name} {below}".rstrip()
        for name, command in typer.main.get_group(app).commands.items()
        for below in getattr(command, "commands", None) or [""]
    ]
    told = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in named if not re.search(rf"(partner-cx |`){name}\b", told)] == []


@pytest.mark.parametrize("page", PAGES, ids=called)
def test_links_between_pages_lead_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_target_in_the_readme_exists():
    offered = set(re.findall(r"^([a-z]+):", (HOUSE / "Makefile").read_text(), re.MULTILINE))
    asked = re.findall(r"`make ([a-z]+)|^make ([a-z]+)", README.read_text(), re.MULTILINE)
    assert {quoted or alone for quoted, alone in asked} <= offered


def test_no_file_outgrows_its_reader():
    lengths = {called(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_hold_versions_and_hashes_and_nothing_else(name: str):
    """No index, no address, no unpinned line: the same files wherever they come from."""
    lines = (HOUSE / name).read_text().splitlines()
    strange = [line for line in lines if not PINNED.match(line) and not HASHED.match(line)]
    assert strange == []


def test_what_runs_is_tested_in_the_same_version():
    run, develop = (
        {line for line in (HOUSE / name).read_text().splitlines() if PINNED.match(line)}
        for name in REQUIREMENTS
    )
    assert run <= develop


def test_the_house_stands_without_its_neighbourhood():
    """No path that leads out of the repository: a clone has to be enough."""
    outside = Path("..", "shared").as_posix()
    texts = [*CODE, *PAGES, HOUSE / "Makefile"]
    assert [called(path) for path in texts if outside in path.read_text(encoding="utf-8")] == []
