"""The commands about webhooks, as somebody types them, over a receiver that is really there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands import webhooks
from api.headings import HEADINGS
from tests.harness.receiver import receiving, status


@pytest.fixture(autouse=True)
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", "sqlite:///network.sqlite3")
    monkeypatch.setenv("PARTNER_CX_WEBHOOK_PRIVATE_ADDRESSES", "true")


def run(command: str, status: int = 0) -> Any:
    result = CliRunner().invoke(app, shlex.split(command), prog_name="partner-cx")
    assert result.exit_code == status, result.output
    return result


def rows(command: str) -> list[dict[str, Any]]:
    return json.loads(run(f"{command} --format json").stdout)


def test_a_system_is_told_tried_and_told_no_more() -> None:
    with receiving(status(503)) as receiver:
        secret = run(f"webhooks add {receiver.url} --event entry.posted").stdout.strip()
        assert secret.startswith("whsec_")
        [listed] = rows("webhooks list")
        assert (listed["events"], listed["waiting"], listed["parked"]) == ("entry.posted", 0, 0)
        run("webhooks test 1")
        assert rows("webhooks list")[0]["waiting"] == 1
        run("work --once")
        [failed] = rows("webhooks sent")
        assert (failed["status"], failed["event"]) == (503, "ping")
        run(f"effects retry {failed['key']}")
        run("work --once")
        assert [each["status"] for each in rows("webhooks sent --endpoint 1")] == [200, 503]
        assert receiver.got[-1].verified(secret)["type"] == "ping"
    run("webhooks end 1")
    assert "was ended" in run("webhooks test 1", status=2).output


def test_a_new_secret_is_shown_once_and_the_old_one_ends() -> None:
    with receiving() as receiver:
        former = run(f"webhooks add {receiver.url}").stdout.strip()
        fresh = run("webhooks rotate 1 --keep-hours 0").stdout.strip()
        assert former != fresh
        run("webhooks test 1")
        run("work --once")
        assert receiver.got[0].verified(fresh)
        assert len(receiver.got[0].headers["webhook-signature"].split()) == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("add ftp://portal.example/", "https://portal"),
        ("add https://u:p@portal.example/", "without a password"),
        ("add http://127.0.0.1:9/ --event entry.postd", "Did you mean entry.posted?"),
        ("end 7", "no endpoint 7"),
        ("rotate 7", "no endpoint 7"),
        ("replay 7 --since 2026-07-01", "no endpoint 7"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(command: str, why: str) -> None:
    result = run(f"webhooks {command}", status=2)
    assert why in result.output
    assert "u:p@" not in result.output
    assert rows("webhooks list") == []


def test_inside_a_network_only_who_may_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARTNER_CX_WEBHOOK_PRIVATE_ADDRESSES", "false")
    assert "private network" in run("webhooks add https://127.0.0.1/", status=2).output


def test_what_there_is_to_hear_is_said_in_both_languages() -> None:
    assert "A period was closed." in run("webhooks events").stdout
    assert "Une période a été clôturée." in run("webhooks events --language fr").stdout


def test_the_tables_are_headed_in_french() -> None:
    assert {*webhooks.LISTED, *webhooks.SENT_IN_TABLE, *webhooks.TYPES} <= set(HEADINGS)
