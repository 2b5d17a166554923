"""Pages while another process writes: a long import, a measuring, a close.

Whoever looks sees figures of one moment, before or after, never half; a manager's form waits its
turn and is carried out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from partner_cx.database import open_database, reading
from partner_cx.network.scopes import Scope
from rewards.ledger import Transfer
from tests.harness.administering import words
from tests.harness.api_clients import API, a_token
from tests.harness.cast import the_cast
from tests.harness.databases import EACH_KIND, prepared_database
from tests.harness.decided_about import differences
from tests.harness.intake import partner, take
from tests.harness.killed_service import mortal_service
from tests.harness.programme import BONUS, OTIF_BONUS, a_programme, lines
from tests.harness.service import browser, let_in
from tests.journeys.command_line import CommandLine, ended

PARTNERS = [f"P{number:03}" for number in range(100)]
FUNDED, AWARD = 100_000, 500
ROWS = 30_000
REST_SECONDS = 0.02  # between two looks: the machine is to write, too
# What a page says while nothing is measured, once it is, and once it is closed.
SAYS: Mapping[str, Sequence[set[str]]] = {
    "/network": (
        {"Nothing is measured yet"},
        {"1 of 1 targets reached", "1,000 of 1,000", "200 of 200", "Still open"},
        {"1 of 1 targets reached", "1,000 of 1,000", "200 of 200", "Closed on"},
    ),
    "/partners": (
        {"Nothing is measured yet"},
        {"102 partners", "Still open", "100.00%"},
        {"100 of 101 partners a rule is for earned 50,000 points", "Closed on", "100.00%"},
    ),
    "/closes/2026Q2": (
        {"hasn’t been measured yet", "Close the period"},
        {"100 reached ○ 2 no data", "100 0 1 50,000", "Close the period"},
        {"100 reached ○ 2 no data", "100 0 1 50,000", "Closed on"},
    ),
    "/statements/P001": (
        {"Figures 0 points to spend", "No points yet"},
        {"Figures 0 points to spend", "No points yet"},
        {"Figures 500 points to spend", "+500 500"},
    ),
    "/figures/P001": (
        {"Nothing is measured yet"},
        {"10 of 10 95% ✓ reached", "the median of 100 resellers", "Still open"},
        {"10 of 10 95% ✓ reached", "the median of 100 resellers", "Closed: these figures"},
    ),
}
HEADER = "source_id,order_code,partner_code,ordered_qty,window_end,received_qty,received_on\n"


@pytest.mark.parametrize("kind", EACH_KIND)
def test_pages_tell_of_one_moment_while_another_process_writes(kind: str, tmp_path: Path):
    with prepared_database(kind, "hundred-partners", a_hundred_partners) as url:
        engine = open_database(url)
        cookies = let_in(engine, "manager")
        token = a_token(engine, Scope.READ, made=datetime.now(UTC))
        office = CommandLine(url, tmp_path)
        with mortal_service(url) as serving, looked_at(serving.address, cookies, token) as looking:
            for command in (
                ("import", "order-lines", a_large_file(office)),
                ("measure", "2026Q2"),
                ("close", "2026Q2"),
            ):
                assert ended(office.start(*command)).status == 0, command
        assert looking.funded > 1
        gifts = sa.select(sa.func.count()).where(
            Transfer.key.startswith("fund:form:", autoescape=True)
        )
        with reading(engine) as session:
            assert session.scalar(gifts) == looking.funded
        assert {0, AWARD * len(PARTNERS)} >= looking.spent
        assert looking.read == {path: moments[-1] for path, moments in SAYS.items()}
        assert differences(engine) == []
        engine.dispose()


def a_hundred_partners(engine: sa.Engine) -> None:
    """Each of them did well in the second quarter, which nobody has closed."""
    first = partner("D1", kind="distributor"), partner("R2", parent_code="D1")
    take(engine, "partners", *first, *(partner(code, parent_code="D1") for code in PARTNERS))
    the_cast(engine)
    take(
        engine,
        "targets",
        {"kpi": "otif", "target": "95 %", "from": "2026-01-01", "n_min": "5"},
    )
    take(engine, "order-lines", *(line for code in PARTNERS for line in lines(code, 10)))
    a_programme(engine, OTIF_BONUS, points=FUNDED)


def a_large_file(office: CommandLine) -> Path:
    """Lines of the third quarter, which change nothing of the second."""
    told = (f"L{n},O{n // 5},{PARTNERS[n % 100]},1,2026-08-10,1,2026-08-10\n" for n in range(ROWS))
    return office.file("order-lines.csv", HEADER + "".join(told))


class Looking:
    """What was seen and done meanwhile."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.funded = 0
        self.spent: set[int] = set()
        self.read: dict[str, set[str]] = {}  # what each page said last

    def until_over(self, look: Callable[[httpx.Client], None], client: httpx.Client) -> None:
        with client:
            look(client)
            while not self.over.wait(REST_SECONDS):
                look(client)
            look(client)

    def at_pages(self, client: httpx.Client) -> None:
        for path, moments in SAYS.items():
            answer = client.get(path, follow_redirects=True)
            assert answer.status_code == 200, f"{path}: {answer.text}"
            text = words(answer)
            self.read[path] = {each for each in set().union(*moments) if each in text}
            assert self.read[path] in moments, f"{path}: {self.read[path]}"

    def at_the_budget(self, client: httpx.Client) -> None:
        """What was given is somewhere: spent, committed, reserved or left."""
        [row] = items(client, "/budgets")
        parts = [row[name] for name in ("spent", "committed", "reserved", "left")]
        assert row["funded"] == sum(parts), row
        self.spent.add(row["spent"])

    def at_balances(self, client: httpx.Client) -> None:
        """A close gives to all of them or to none."""
        held = {row["points"] for row in items(client, "/balances?limit=200") if _has_won(row)}
        assert held in ({0}, {AWARD}), held

    def giving(self, client: httpx.Client) -> None:
        fields = {"key": f"gift-{self.funded}", "points": "1", "why": "One more"}
        answer = client.post(f"/budgets/{BONUS.budget}/fund", data=fields)
        assert answer.status_code == 303, answer.text
        self.funded += 1


def items(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    answer = client.get(f"{API}{path}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def _has_won(row: Mapping[str, Any]) -> bool:
    return row["partner"] in PARTNERS


@contextmanager
def looked_at(address: str, cookies: Mapping[str, str], token: str) -> Iterator[Looking]:
    """Pages are looked at, and forms sent, within the block."""
    looking = Looking()
    looks = (looking.at_pages, looking.at_the_budget, looking.at_balances, looking.giving)
    with ThreadPoolExecutor(len(looks)) as pool:
        under_way: list[Future[None]] = [
            pool.submit(looking.until_over, look, browser(address, cookies, token))
            for look in looks
        ]
        try:
            yield looking
        finally:
            looking.over.set()
    for each in under_way:
        each.result()
