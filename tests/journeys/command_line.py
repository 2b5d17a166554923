"""The command line as a person uses it: files on a disk, commands, what they print and leave.

A command runs within the test, or, where processes matter, as one of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from typer.testing import CliRunner

from api import schema
from api.cli import app
from partner_cx.database import open_database


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What `--format json` printed."""
        found: list[dict[str, Any]] = json.loads(self.out)
        return found


@dataclass(frozen=True)
class CommandLine:
    """`partner-cx` over one database, from one folder."""

    database_url: str
    folder: Path

    def run(self, *arguments: str | Path, **environ: str) -> Answer:
        """Run a command within this process. What it doesn't foresee is raised."""
        given = [str(each) for each in arguments]
        env = {"PARTNER_CX_DATABASE_URL": self.database_url, **self._home(), **environ}
        done = CliRunner().invoke(app, given, prog_name="partner-cx", env=env)
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Answer(done.exit_code, done.stdout, done.stderr)

    def start(self, *arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        env = {**os.environ, **self._home(), "PARTNER_CX_DATABASE_URL": self.database_url}
        return subprocess.Popen(
            [sys.executable, "-m", "api.cli", *map(str, arguments)],
            cwd=Path(__file__).parents[2],
            env={**env, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run_apart(self, *arguments: str | Path, **environ: str) -> Answer:
        """Run a command as a process of its own, to its end."""
        return ended(self.start(*arguments, **environ))

    def file(self, name: str, contents: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return path

    def take(self, kind: str, text: str, *options: str | Path, **environ: str) -> tuple[int, ...]:
        """Import a table that is all good; answers taken, unchanged and corrected."""
        path = self.file(f"{kind}.csv", csv_of(text))
        answer = self.run("import", kind, path, "--format", "json", *options, **environ)
        assert (answer.status, answer.rows[0]["refused"]) == (0, 0), answer.err
        return tuple(answer.rows[0][name] for name in ("taken", "unchanged", "corrected"))

    def figures(self, period: str, *options: str, **environ: str) -> dict[str, dict[str, Any]]:
        """A scorecard by its KPIs, as json tells it."""
        answer = self.run("scorecard", period, "--format", "json", *options, **environ)
        assert answer.status == 0, answer.err
        return {row["kpi"]: row for row in answer.rows}

    def contents(self, *, without: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table: what a command that changes nothing must leave as it was."""
        engine = open_database(self.database_url)
        tables = [t for t in schema.METADATA.sorted_tables if t.name not in without]
        with engine.connect() as connection:
            found = {
                table.name: sorted(
                    (dict(row) for row in connection.execute(sa.select(table)).mappings()),
                    key=repr,
                )
                for table in tables
            }
        engine.dispose()
        return found

    def _home(self) -> dict[str, str]:
        return {"HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}


def ended(process: subprocess.Popen[str], *, seconds: int = 60) -> Answer:
    """What a process answered, once it has ended."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Answer(process.returncode, out, err)


def csv_of(text: str) -> str:
    """A table drawn with bars, as CSV; what is CSV already stays so."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if "|" not in lines[0]:
        return "\n".join(lines) + "\n"
    return "".join(",".join(cell.strip() for cell in line.split("|")) + "\n" for line in lines)
