"""How to use the command line, said where nobody mistakes it for data."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from api.cli import app


@pytest.mark.parametrize("words", [(), ("rules",), ("budgets",)], ids=str)
def test_a_command_that_isnt_named_is_told_on_stderr(words: tuple[str, ...]):
    result = CliRunner().invoke(app, words, prog_name="partner-cx")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert " ".join(("Usage: partner-cx", *words)) in result.stderr


@pytest.mark.parametrize("words", [(), ("rules",), ("budgets",)], ids=str)
def test_help_that_was_asked_for_is_on_stdout(words: tuple[str, ...]):
    result = CliRunner().invoke(app, [*words, "--help"], prog_name="partner-cx")
    assert result.exit_code == 0
    assert "Usage: partner-cx" in result.stdout
    assert result.stderr == ""
