"""A closed period's overview is put together once, and still says what is so."""

from __future__ import annotations

import sqlalchemy as sa

from tests.harness.cast import signed_in
from tests.harness.counting import counted
from tests.harness.intake import partner, take


def asked(client, engine: sa.Engine, address: str) -> tuple[int, str]:
    with counted(engine) as seen:
        said = client.get(address).text
    return seen.count, said


def test_a_closed_period_asks_less_the_second_time_and_says_the_same(closed):
    manager = signed_in(closed, "manager")
    first, said = asked(manager, closed, "/network/2026Q2")
    again, said_again = asked(manager, closed, "/network/2026Q2")
    assert again < first
    assert said_again == said


def test_each_language_and_each_kpi_is_kept_for_itself(closed):
    manager = signed_in(closed, "manager")
    pages = [f"/network/2026Q2?lang={language}&kpi={kpi}"
             for language in ("en", "fr") for kpi in ("otif", "sla_response")]  # fmt: skip
    assert len({manager.get(page).text for page in pages}) == len(pages)
    assert all(f'lang="{page[21:23]}"' in manager.get(page).text for page in pages)


def test_an_import_has_it_put_together_anew(closed):
    manager = signed_in(closed, "manager")
    first, _ = asked(manager, closed, "/network/2026Q2")
    asked(manager, closed, "/network/2026Q2")
    take(closed, "partners", partner("R9", name="New"))
    after, _ = asked(manager, closed, "/network/2026Q2")
    assert after == first
