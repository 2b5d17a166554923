"""The container and compose files: what can be said of them without building anything."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from api.cli import app
from partner_cx.settings import Settings

HOUSE = Path(__file__).parents[1]
TOOLS = Path(sys.executable).parent
COMPOSE = yaml.safe_load((HOUSE / "compose.yaml").read_text(encoding="utf-8"))
HAS_HADOLINT = sys.platform == "linux" and platform.machine() == "x86_64"


def run(tool: str, *arguments: str) -> None:
    told = subprocess.run(
        [TOOLS / tool, *arguments], check=False, cwd=HOUSE, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.skipif(not HAS_HADOLINT, reason="hadolint is packaged for Linux on x86-64 alone")
def test_the_container_file_is_as_such_files_should_be():
    run("hadolint", "Containerfile")


def test_the_compose_file_is_as_the_specification_says():
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


def test_the_container_holds_every_package_and_nothing_else():
    copied = re.findall(r"^COPY (\w+) ", (HOUSE / "Containerfile").read_text("utf-8"), re.MULTILINE)
    packages = {"api", "integrations", "partner_cx", "rewards", "templates"}
    assert set(copied) == packages
    allowed = (HOUSE / ".dockerignore").read_text("utf-8").split()
    assert {line[1:] for line in allowed if line.startswith("!")} == {*packages, "requirements.txt"}


def test_every_command_and_setting_that_is_named_exists():
    settings = COMPOSE["x-partner-cx"]["environment"]
    known = {f"PARTNER_CX_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(settings) <= known
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for service in COMPOSE["services"].values():
        if command := service.get("command"):
            options = {name for each in commands[command[0]].params for name in each.opts}
            said = {word for word in command[1:] if word.startswith("--")}
            assert said - {"--no-work"} <= options


def test_no_secret_is_written_down():
    assert not re.search(
        r"(PASSWORD|SECRET): (?!\$\{)", (HOUSE / "compose.yaml").read_text("utf-8")
    )
