"""The guide, tried as a new user would: its commands are run and print what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from integrations.files.mapping import Mapping
from partner_cx.kinds import KINDS
from partner_cx.measures.catalogue import CATALOGUE
from tests.harness.guide import BLOCK, FORMATS_HEAD, KPIS_HEAD, formats_table, kpis_table

GUIDE = Path(__file__).parents[2] / "docs/guide"
MAPPINGS = Path(__file__).parents[2] / "templates/mappings"
DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(autouse=True)
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, an empty home, nothing set; the system calls the user mia."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "mia")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", "sqlite:///network.sqlite3")


def typed(console: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it printed."""
    first, *parts = re.split(r"^\$ ", console, flags=re.MULTILINE)
    assert first == ""
    commands = (part.partition("\n") for part in parts)
    return [(command, output) for command, _, output in commands]


def run(command: str) -> str:
    """What a person sees: both streams, then the exit status where it isn't 0."""
    words = shlex.split(command)
    if words[0] == "export":
        return ""
    assert words[0] == "partner-cx"
    result = CliRunner().invoke(app, words[1:])
    return result.output + (f"[exit {result.exit_code}]\n" if result.exit_code else "")


@pytest.mark.parametrize(
    ("page", "files"), [("getting-started.md", ""), ("writing-a-rule.md", "examples/*.csv")]
)
def test_a_page_goes_as_it_says(page: str, files: str, tmp_path: Path):
    for file in GUIDE.glob(files) if files else ():
        shutil.copy(file, tmp_path)
    for name, language, text in BLOCK.findall((GUIDE / page).read_text("utf-8")):
        if name:
            (tmp_path / name).write_text(text, encoding="utf-8")
        if language == "console":
            for command, output in typed(text):
                printed = "\n".join(line.rstrip() for line in run(command).splitlines())
                assert printed.strip() == output.strip(), command


def test_the_guide_lists_every_kpi_as_the_catalogue_defines_it():
    page = (GUIDE / "kpis.md").read_text("utf-8")
    assert KPIS_HEAD + kpis_table(CATALOGUE.values()) in page


def test_the_guide_lists_every_kind_and_column():
    page = (GUIDE / "formats.md").read_text("utf-8")
    assert FORMATS_HEAD + formats_table(KINDS.values()) in page


@pytest.mark.parametrize("form", ["csv", "raw"])
def test_the_mappings_of_the_worked_example_let_such_an_export_in(form: str):
    file, ending = {"csv": ("deliveries.csv", ""), "raw": ("deliveries.raw.tsv", "_raw")}[form]
    for kind, name in (("partners", "scms_vendors"), ("order-lines", "scms_order_lines")):
        mapping = MAPPINGS / f"{name}{ending}.toml"
        Mapping.read(mapping)
        printed = run(
            f"partner-cx import {kind} {DATA / file} --source scms --map {mapping} --format csv"
        )
        assert "[exit" not in printed, printed


def test_both_forms_of_an_export_are_the_same_facts():
    for form, ending in (("deliveries.csv", ""), ("deliveries.raw.tsv", "_raw")):
        run(f"partner-cx import partners {DATA / form} --map {MAPPINGS}/scms_vendors{ending}.toml")
        words = f"--map {MAPPINGS}/scms_order_lines{ending}.toml --format csv"
        printed = run(f"partner-cx import order-lines {DATA / form} {words}")
    counts = next(line for line in printed.splitlines() if line.startswith("order-lines,"))
    assert re.fullmatch(r"order-lines,default,0,[1-9]\d*,0,0", counts)
