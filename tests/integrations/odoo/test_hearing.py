"""Which tellings Odoo is told of, and as what: a table of what may come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.writing import hear
from integrations.telling import Telling
from partner_cx.effects import Owed
from partner_cx.settings import WRITE_BACKS, Settings

NOW = datetime(2026, 6, 3, 9, 0, tzinfo=UTC)
SETTINGS = Settings(odoo_url="https://erp.brand.example", odoo_write_back=WRITE_BACKS)
RULE = {"code": "bonus", "version": 1}


def entry(number: int, partner: str | None = "R01", **more: Any) -> Telling:
    """500 points that a rule brought to a wallet, unless told otherwise."""
    data = {
        "entry": number,
        "key": f"decision:{number}",
        "account": "wallet",
        "points": 500,
        "why": {"en": "Well done.", "fr": "Bravo."},
        "corrects": None,
        "rule": RULE,
    }
    return Telling("entry.posted", f"entry:{number}", NOW, 1, partner, data | more)


def heard(*tellings: Telling, settings: Settings = SETTINGS) -> list[Owed]:
    with Session(sa.create_engine("sqlite://")) as session:
        return hear(session, tellings, settings, NOW)


@pytest.mark.parametrize(
    ("what", "told", "kinds"),
    [
        ("an award", entry(1), ["odoo.card", "odoo.note"]),
        ("an award that waits", entry(1, account="pending"), []),
        (
            "its release",
            entry(1, key="release:1", settles="decision:1"),
            ["odoo.card", "odoo.note"],
        ),
        ("a gesture", entry(1, rule=None, key="gesture:1"), ["odoo.card", "odoo.note"]),
        ("something put right", entry(1, corrects="decision:0"), ["odoo.card"]),
        ("points that were spent", entry(1, rule=None, points=-500), ["odoo.card"]),
        ("points given by hand", entry(1, rule=None, key="gift:1"), ["odoo.card"]),
        ("a person's award", entry(1, partner=None), []),
        ("a closed period", Telling("period.closed", "closing:1", NOW, None, None, {}), []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_odoo_is_told_of(what: str, told: Telling, kinds: list[str]) -> None:
    assert [each.kind for each in heard(told)] == kinds, what


def test_one_act_is_one_card_and_one_note_for_each_partner() -> None:
    owed = heard(entry(7), entry(8, partner="R02"), entry(9, points=20))
    assert [(each.key, each.subject) for each in owed] == [
        ("odoo.card:R01:9", "odoo.card:R01"),
        ("odoo.card:R02:8", "odoo.card:R02"),
        ("odoo.note:7", "odoo.note:R01"),
        ("odoo.note:8", "odoo.note:R02"),
    ]
    assert owed[0].payload == {"partner": "R01", "entries": [7, 9]}
    assert [grant["points"] for grant in owed[2].payload["grants"]] == [500, 20]


def test_nothing_is_owed_without_an_odoo_or_what_is_switched_off() -> None:
    assert heard(entry(1), settings=Settings(odoo_write_back=WRITE_BACKS)) == []
    notes_alone = Settings(odoo_url="https://erp.brand.example", odoo_write_back=("notes",))
    assert [each.kind for each in heard(entry(1), settings=notes_alone)] == ["odoo.note"]
