"""Restating a period of which some facts were withdrawn since: they are named, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from rewards.restating import Difference, restate
from tests.harness.intake import SETTINGS, take, take_out
from tests.harness.programme import (
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    lines,
)

LATER = NOW + timedelta(days=10)  # when facts are withdrawn


def _closed(engine: sa.Engine) -> None:
    a_programme(engine, OTIF_BONUS)
    close_it(engine)


def _restated(engine: sa.Engine) -> Sequence[Difference]:
    return restate(engine, QUARTER, now=LATER, by=MANAGER, settings=SETTINGS).differences


def test_withdrawn_facts_are_named_and_their_receipts_left_to_them(network: sa.Engine) -> None:
    take(network, "receipts", _receipt_of("R2-wrong-3", "2026-05-25"), now=NOW)
    _closed(network)
    take_out(network, "order-lines", "R2-wrong-1", "R2-wrong-2", "R2-wrong-3", now=LATER)
    [difference] = _restated(network)
    assert (difference.partner_code, difference.points) == ("R2", 500)
    assert [fact.en for fact in difference.facts] == [
        f"Order line R2-wrong-{number} (erp): withdrawn on 13 July 2026, since erp no longer has "
        "it."
        for number in (1, 2, 3)
    ]
    assert difference.facts[0].fr == (
        "Ligne de commande R2-wrong-1 (erp)\u202f: fait retiré le 13 juillet 2026, "
        "car erp ne l’a plus."
    )


def test_withdrawn_facts_that_come_back_are_told_once_as_what_they_say(network: sa.Engine) -> None:
    """One says the same again, with its receipt, and two something else: only these are news."""
    same, *late = (f"R1-2026-05-18-0{number}" for number in (3, 7, 8))
    take(network, "receipts", _receipt_of(same, "2026-05-18"), now=NOW)
    _closed(network)
    take_out(network, "order-lines", same, *late, now=LATER)
    rows = {line["source_id"]: line for line in lines("R1", 20)}
    take(network, "order-lines", rows[same], now=LATER)
    take(network, "receipts", _receipt_of(same, "2026-05-18"), now=LATER)
    changed = ({**rows[number], "received_on": "2026-05-20"} for number in late)
    take(network, "order-lines", *changed, now=LATER)
    [difference] = _restated(network)
    assert [fact.en for fact in difference.facts] == [
        f"Order line {number} (erp): received on 20 May 2026 instead of 18 May 2026, told by "
        "order-lines.csv on 13 July 2026."
        for number in late
    ]


def _receipt_of(line: str, day: str) -> dict[str, str | None]:
    return {
        "source_id": f"W-{line}",
        "order_line_source_id": line,
        "received_on": day,
        "qty": "0",
    }
