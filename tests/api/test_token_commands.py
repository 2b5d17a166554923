"""Tokens at the command line: issued once, limited where they are meant to be, taken back."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from api.cli import app
from partner_cx.journal import JournalLine
from partner_cx.network.partners import Partner
from partner_cx.network.tokens import ApiToken
from tests.harness.intake import partner, take


@pytest.fixture(autouse=True)
def programme(engine: sa.Engine, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    take(engine, "partners", partner("R1"), partner("mia@brand.example"))
    monkeypatch.setenv("PARTNER_CX_DATABASE_URL", database_url)


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["tokens", *words])
    return result.exit_code, result.output


def kept(engine: sa.Engine) -> list[Any]:
    limited = sa.select(ApiToken.name, ApiToken.scopes, Partner.code).outerjoin(
        Partner, Partner.id == ApiToken.partner_id
    )
    with Session(engine) as session:
        return [tuple(row) for row in session.execute(limited.order_by(ApiToken.id))]


def test_a_token_is_limited_to_the_partner_that_is_named(engine: sa.Engine):
    run("issue", "network", "--scope", "read", "--scope", "facts")
    run("issue", "dashboard", "--scope", "read", "--partner", "R1")
    assert kept(engine) == [("network", "facts read", None), ("dashboard", "read", "R1")]


def test_a_code_that_looks_like_an_address_is_a_partners_all_the_same(engine: sa.Engine):
    run("issue", "dashboard", "--scope", "read", "--partner", "mia@brand.example")
    assert kept(engine) == [("dashboard", "read", "mia@brand.example")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scope", "read", "--partner", "R7"), "No partner has the code R7."),
        (("--scope", "facts", "--partner", "R1"), "is about the whole network"),
        (("--scope", "everything"), "everything"),
    ],
)
def test_what_cant_be_issued_is_refused_and_nothing_is_kept(
    engine: sa.Engine, words: tuple[str, ...], said: str
):
    result = CliRunner().invoke(app, ["tokens", "issue", "x", *words])
    told = result.output + str(result.exception)
    assert result.exit_code != 0
    assert said in told
    assert kept(engine) == []


def test_the_list_says_to_whom_each_is_limited():
    run("issue", "dashboard", "--scope", "read", "--partner", "R1")
    _, listed = run("list", "--format", "csv")
    [row] = csv.DictReader(io.StringIO(listed))
    assert (row["name"], row["partner"]) == ("dashboard", "R1")


def test_who_issued_and_ended_a_token_stands_in_the_journal(engine: sa.Engine):
    run("issue", "dashboard", "--scope", "read", "--by", "ada")
    run("end", "1", "--by", "bob")
    with Session(engine) as session:
        lines = session.scalars(sa.select(JournalLine).order_by(JournalLine.id)).all()
    assert [(each.did, each.by, each.about) for each in lines] == [
        ("token.made", "ada", "dashboard"),
        ("token.ended", "bob", "dashboard"),
    ]
