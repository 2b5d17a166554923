"""Signed totals: true for ever, whatever is recorded afterwards, unless the past was changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import Invalid
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import totals
from rewards.budgets import fund
from tests.harness import databases
from tests.harness.audited import LATER, a_sound_programme, at, intruding
from tests.harness.intake import SETTINGS

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = totals.public_key(KEY)
JULY = Period.parse("2026-07")


@pytest.fixture(params=databases.EACH_KIND)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with databases.prepared_engine(request.param, "audited", a_sound_programme) as engine:
        yield engine


def signed(engine: sa.Engine, period: Period = JULY) -> str:
    with reading(engine) as session:
        return totals.signed(session, period, now=LATER, settings=SETTINGS, key=KEY)


def changed(engine: sa.Engine, document: str) -> list[str]:
    with reading(engine) as session:
        return [each.where for each in totals.verified(session, document, public_key=PUBLIC)]


def test_totals_open_with_what_the_month_before_closed_with(programme: sa.Engine) -> None:
    june, july = (json.loads(signed(programme, Period.parse(m))) for m in ("2026-06", "2026-07"))
    assert june["transfers"]["digest"] == july["transfers"]["before"]["digest"]
    for name, account in june["accounts"].items():
        assert july["accounts"][name]["opening"] == account["closing"]
    assert sum(account["closing"] for account in july["accounts"].values()) == 0
    quality = july["accounts"]["budget quality"]
    assert quality == {"opening": 10_000, "in": 0, "out": 500, "closing": 9_500}
    assert list(july["closings"]) == ["2026Q2"]


def test_what_is_recorded_later_changes_nothing_even_for_an_earlier_day(
    programme: sa.Engine,
) -> None:
    document = signed(programme)
    why = Words("Forgotten", "Oublié")
    transact(
        programme,
        lambda session: fund(
            session,
            "quality",
            5,
            key="late",
            why=why,
            now=LATER,
            effective_on=at("2026-07-15").date(),
        ),
    )
    assert changed(programme, document) == []


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE transfers SET recorded_at = '2026-07-04 09:00:00' WHERE id = 8", "transfers"),
        ("UPDATE closings SET closed_by = 'eve' WHERE period = '2026Q2'", "closings 2026Q2"),
        ("UPDATE rule_versions SET published_by = 'eve' WHERE id = 1", "rules"),
        ("UPDATE rule_versions SET why = 'No reason' WHERE id = 1", "rules"),
        ("UPDATE entries SET points = points * 2 WHERE transfer_id = 8", "accounts"),
        ("DELETE FROM entries WHERE transfer_id = 1", "accounts"),
    ],
)
def test_a_changed_past_is_named(programme: sa.Engine, statement: str, where: str) -> None:
    document = signed(programme)
    with intruding(programme) as sql:
        sql(statement)
    assert any(where in each for each in changed(programme, document))


def test_a_transfer_that_vanished_whole_is_missed(programme: sa.Engine) -> None:
    document = signed(programme, Period.parse("2026-10"))
    with intruding(programme) as sql:
        sql("DELETE FROM entries WHERE transfer_id = 6")
        sql("DELETE FROM transfers WHERE id = 6")
        sql(
            "UPDATE accounts SET balance_points = COALESCE("
            "(SELECT SUM(points) FROM entries WHERE account_id = accounts.id), 0) "
            "WHERE kind = 'funding'"
        )
    found = changed(programme, document)
    assert "2026-10 transfers before count" in found
    assert "2026-10 transfers digest" in found


def test_a_document_that_was_changed_is_refused(programme: sa.Engine) -> None:
    document = signed(programme)
    forged = document.replace('"out": 500', '"out": 400')
    assert forged != document
    with pytest.raises(Invalid, match="changed after it was signed"):
        changed(programme, forged)


def test_a_document_signed_by_somebody_else_is_refused(programme: sa.Engine) -> None:
    other = totals.public_key(Ed25519PrivateKey.generate())
    with reading(programme) as session, pytest.raises(Invalid, match="isn't of this key"):
        totals.verified(session, signed(programme), public_key=other)


@pytest.mark.parametrize("document", ["", "{}", "[]", "null", '{"signature": 3}', "\x00"])
def test_what_is_no_document_is_refused(session: Session, document: str) -> None:
    with pytest.raises(Invalid, match="isn't a document"):
        totals.verified(session, document, public_key=PUBLIC)


def test_a_period_that_lasts_is_not_signed(session: Session) -> None:
    with pytest.raises(Invalid, match="isn't over yet"):
        totals.signed(session, JULY, now=at("2026-07-20"), settings=SETTINGS, key=KEY)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    settings = replace(SETTINGS, data_folder=tmp_path)
    first, again = (totals.public_key(totals.signing_key(settings)) for _ in range(2))
    assert first == again
    assert os.stat(tmp_path / "totals-key").st_mode & 0o077 == 0


def test_a_damaged_key_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "totals-key").write_text("nonsense")
    with pytest.raises(Invalid, match="totals-key can't be read"):
        totals.signing_key(replace(SETTINGS, data_folder=tmp_path))
