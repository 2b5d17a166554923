"""The `rules` commands: from a file over a draft and a second person into force, and out of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from typer.testing import CliRunner, Result

from api.cli import app
from partner_cx.journal import Did, JournalLine
from rewards.conditions import KpiAtLeast
from rewards.rules import FixedPoints, Rule
from tests.harness.programme import BONUS, OTIF_BONUS, a_programme, a_tallied_network, close_it

CODE = BONUS.code
ON_NPS = replace(BONUS, code="nps_bonus", conditions=(KpiAtLeast("nps", Fraction(50)),))
LINT = Path(__file__).parents[1] / "rewards/lint/rules"
MIA, OTTO = "mia@brand.example", "otto@brand.example"


@pytest.fixture
def rules(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`rules` commands on an empty programme, in a folder of their own, in July 2026."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Result:
        given = ["--database", database_url, "rules", *map(str, words)]
        if words[0] not in ("show", "drafts"):
            given += ["--now", "2026-07-03T11:00"]
        return CliRunner().invoke(app, given, prog_name="partner-cx")

    return run


def written(rule: Rule, name: str = "bonus.yaml") -> str:
    Path(name).write_text(rule.to_yaml(), encoding="utf-8")
    return name


def standing(rules: Any) -> list[tuple[str, int | None, str]]:
    listed = json.loads(rules("list", "--format", "json").stdout)
    return [(row["code"], row["version"], row["status"]) for row in listed]


def done(result: Result) -> str:
    """What was said of a command that went well."""
    assert result.exit_code == 0, result.output
    return result.stderr


def refused(result: Result) -> str:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("partner-cx: ")
    return result.stderr


# --- Into force ---------------------------------------------------------------------------------


def test_a_rule_goes_from_a_file_over_a_draft_into_force(rules: Any):
    assert "kept as a draft: 500 points per quarter" in done(rules("add", written(BONUS)))
    assert standing(rules) == [(CODE, None, "draft")]
    assert rules("show", CODE, "--draft").stdout == BONUS.to_yaml()
    assert f"{CODE}, version 1, is in force." in done(rules("publish", CODE, "--why", "2026"))
    assert standing(rules) == [(CODE, 1, "in_force")]
    assert "was in force already" in done(rules("publish", "bonus.yaml"))


def test_a_file_is_published_as_it_is(rules: Any):
    done(rules("publish", written(BONUS), "--by", MIA, "--why", "Terms of 2026"))
    (row,) = json.loads(rules("list", "--format", "json").stdout)
    assert (row["published_by"], row["why"], row["points"]) == (MIA, "Terms of 2026", 500)


def test_a_version_that_starts_later_says_from_when_on(rules: Any):
    coming = replace(BONUS, starts=date(2026, 10, 1))
    said = done(rules("publish", written(coming)))
    assert "version 1, is published, and decides from 2026-10-01 on" in said
    assert standing(rules) == [(CODE, 1, "coming")]


def test_closed_periods_are_told_to_keep_what_decided_them(engine: sa.Engine, rules: Any):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    said = done(rules("publish", written(replace(BONUS, award=FixedPoints(600)))))
    assert "2026Q2 is closed and keeps what decided it." in said


def test_a_rule_that_fails_its_own_tests_is_refused_with_what_came_out(rules: Any):
    said = refused(rules("publish", LINT / "test_failed.yaml"))
    assert "Test “Nine in ten are enough”: Expected: met, 600 points. It came to:" in said
    assert standing(rules) == []


# --- The second person --------------------------------------------------------------------------


def test_a_second_person_agrees(rules: Any):
    asked = rules("publish", written(ON_NPS), "--by", MIA, "--why", "The board wants it")
    assert asked.exit_code == 1
    assert "another person must agree" in asked.stderr
    assert "partner-cx rules approve nps_bonus --by NAME" in asked.stderr
    assert standing(rules) == [("nps_bonus", None, "awaiting_approval")]
    (draft,) = json.loads(rules("drafts", "--format", "json").stdout)
    assert (draft["asked_by"], draft["why"]) == (MIA, "The board wants it")
    again = rules("publish", "bonus.yaml", "--by", OTTO)
    assert again.exit_code == 1
    assert f"{MIA} asked for it" in again.stderr
    assert "somebody else must agree" in refused(rules("approve", "nps_bonus", "--by", MIA))
    said = done(rules("approve", "nps_bonus", "--by", OTTO))
    assert f"{MIA} asked, {OTTO} agreed." in said
    (row,) = json.loads(rules("list", "--format", "json").stdout)
    assert (row["published_by"], row["approved_by"]) == (MIA, OTTO)


def test_nothing_waits_for_a_person_where_nobody_asked(rules: Any):
    assert "There is no draft of nps_bonus" in refused(rules("approve", "nps_bonus"))
    done(rules("add", written(ON_NPS)))
    assert "doesn't ask for anything" in refused(rules("approve", "nps_bonus"))


# --- Out of it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["2026Q4", "2026-10", "2026-10-01"])
def test_a_rule_is_retired_from_a_day_or_a_period_on(rules: Any, day: str):
    done(rules("publish", written(BONUS)))
    assert "from 2026-10-01 on" in done(rules("retire", CODE, "--from", day, "--why", "Gamed"))
    (row,) = json.loads(rules("list", "--format", "json").stdout)
    assert (row["status"], row["until"]) == ("in_force", "2026-09-30")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "soon", "--why", "x"), "neither a day nor a period"),
        (("--from", "0001-01-01", "--why", "x"), "neither a day nor a period"),
        (("--from", "2026Q4", "--why", " "), "the text is empty"),
        (("--from", "2026Q4", "--why", "a\nb"), "several lines"),
    ],
    ids=str,
)
def test_a_retirement_names_its_day_and_its_reason(rules: Any, options: tuple, said: str):
    done(rules("publish", written(BONUS)))
    assert said in refused(rules("retire", CODE, *options))
    assert standing(rules) == [(CODE, 1, "in_force")]


def test_a_draft_is_discarded_and_the_journal_names_who(rules: Any, session: Session):
    done(rules("add", written(BONUS)))
    done(rules("discard", CODE, "--by", MIA))
    assert standing(rules) == []
    assert "There are no drafts" in refused(rules("discard", CODE))
    dropped = sa.select(JournalLine.by).where(JournalLine.did == Did.RULE_DROPPED)
    assert session.scalars(dropped).all() == [MIA]


# --- Looked at ----------------------------------------------------------------------------------


def test_the_list_tells_the_award_in_words_in_both_languages(rules: Any):
    done(rules("publish", written(BONUS)))
    english = rules("list").stdout
    assert "in force" in english
    assert "quarter's close" in english
    french = rules("list", "--language", "fr").stdout
    assert "en vigueur" in french
    assert "clôture du trimestre" in french
    assert "jusqu’au" in french


def test_an_earlier_version_and_the_draft_are_shown_apart(rules: Any):
    done(rules("publish", written(BONUS)))
    done(rules("add", written(replace(BONUS, award=FixedPoints(7)))))
    assert "points: 500" in rules("show", CODE).stdout
    assert "points: 7" in rules("show", CODE, "--draft").stdout
    assert rules("show", CODE, "--draft", "--version", 1).exit_code == 2
    assert "no version 2" in refused(rules("show", CODE, "--version", 2))


# --- Checked ------------------------------------------------------------------------------------


def findings(result: Result) -> dict[str, str]:
    return {row["finding"]: row["grade"] for row in json.loads(result.stdout)}


def test_a_check_tells_what_is_wrong_and_what_to_do(rules: Any):
    checked = rules("check", LINT / "no_cap.yaml")
    assert checked.exit_code == 1
    assert "warning: no_cap (award)\n  Nothing caps what one award comes to" in checked.stdout
    assert "→ Add a line “cap: …”" in checked.stdout
    french = rules("check", LINT / "no_cap.yaml", "--language", "fr").stdout
    assert "avertissement\u202f: no_cap (award)\n  Rien ne plafonne" in french


@pytest.mark.parametrize(
    ("name", "finding", "grade", "exit_status"),
    [
        ("no_tests", "no_tests", "note", 1),  # the programme is empty: that is warned of
        ("satisfaction_level", "satisfaction_level", "second_approver", 1),
        ("test_failed", "test_failed", "refused", 2),
    ],
)
def test_the_exit_status_tells_how_bad_it_is(
    rules: Any, name: str, finding: str, grade: str, exit_status: int
):
    checked = rules("check", LINT / f"{name}.yaml", "--format", "json")
    assert findings(checked)[finding] == grade
    assert checked.exit_code == exit_status


def test_a_code_means_its_draft_or_else_its_newest_version(rules: Any):
    done(rules("publish", written(BONUS)))
    assert f"{CODE}, version 1: 500 points per quarter." in rules("check", CODE).stderr
    done(rules("add", written(replace(BONUS, award=FixedPoints(7)))))
    assert f"The draft of {CODE}: 7 points per quarter." in rules("check", CODE).stderr


def test_a_check_looks_at_the_periods_that_are_named(engine: sa.Engine, rules: Any):
    a_tallied_network(engine)
    a_programme(engine)
    close_it(engine)
    file = written(OTIF_BONUS)
    told = findings(rules("check", file, "--from", "2026Q1", "--to", "2026Q2", "--format", "json"))
    assert "no_history" not in told
    assert "overlap" in told
    told = findings(rules("check", file, "--to", "2026Q1", "--format", "json"))
    assert "no_history" in told
    assert "is a month" in refused(rules("check", file, "--from", "2026-05"))
    assert "lies before" in refused(rules("check", file, "--from", "2026Q2", "--to", "2026Q1"))


def test_a_check_without_a_programme_makes_none(tmp_path: Path):
    nowhere = tmp_path / "nowhere.sqlite3"
    words = ["rules", "check", str(LINT / "no_end.fine.yaml")]
    checked = CliRunner().invoke(app, [*words, "--database", f"sqlite:///{nowhere}"])
    assert checked.exit_code == 0
    assert "no_programme" in checked.stdout
    assert not nowhere.exists()


def test_an_empty_database_stays_empty(tmp_path: Path):
    empty = tmp_path / "empty.sqlite3"
    empty.touch()
    words = ["rules", "check", str(LINT / "no_end.fine.yaml")]
    assert CliRunner().invoke(app, [*words, "--database", f"sqlite:///{empty}"]).exit_code == 0
    with sa.create_engine(f"sqlite:///{empty}").connect() as connection:
        assert sa.inspect(connection).get_table_names() == []


# --- Refused ------------------------------------------------------------------------------------

BAD = [
    (b"", "nothing in it"),
    (b"code: [", "line 1, column 8"),
    (b"code: caf\xe9\nlabel: x", "line 1: this isn't UTF-8 text"),
    (b"\xff\xfec\x00o\x00", "isn't UTF-8 text"),
    (b"code: a\x00b", "doesn't belong in a text"),
    (b"a: &a [x, x]\nb: [*a, *a]\nc: [*b]", "line 1, column 4: anchors and aliases"),
    (b"code: a\ncode: b\n", "line 2, column 1: “code” is given twice"),
    (b"[" * 5_000, "nested more than 20 deep"),
    (b"# long\n" * 1_500_000, "larger than 100 kB"),  # ten megabytes
    (b"colour: red\n", "“colour” isn't a field here"),
]


@pytest.mark.parametrize(("contents", "said"), BAD, ids=[said for _, said in BAD])
@pytest.mark.parametrize("command", ["check", "add", "publish"])
def test_a_file_that_isnt_a_rule_is_refused_with_its_place(
    rules: Any, command: str, contents: bytes, said: str
):
    Path("bad.yaml").write_bytes(contents)
    told = refused(rules(command, "bad.yaml"))
    assert said in told
    assert len(told) < 1_000


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("nowhere.yaml", "There is no file nowhere.yaml"),
        ("folder.yaml", "folder.yaml is a folder"),
        ("./folder", "folder is a folder"),
        ("nothing", "nothing"),
    ],
)
@pytest.mark.parametrize("command", ["check", "publish"])
def test_what_isnt_there_is_told_apart(rules: Any, command: str, named: str, said: str):
    Path("folder.yaml").mkdir()
    Path("folder").mkdir()
    assert said in refused(rules(command, named))


@pytest.mark.parametrize("by", ["", "  ", "a\nb", "\x1b[31m"])
def test_whoever_acts_has_a_name_one_can_read(rules: Any, by: str):
    result = rules("publish", written(BONUS), "--by", by)
    assert result.exit_code == 2
    assert "--by" in result.stderr
    assert standing(rules) == []
