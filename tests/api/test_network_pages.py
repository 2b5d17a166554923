"""The network's pages: from the overview to the partners to the rows, however many there are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import openpyxl
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.measures import measuring, refreshing
from partner_cx.periods import Period
from tests.harness.cast import closed_programme, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.databases import KINDS, fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.many_partners import many_partners
from tests.harness.programme import NOW, a_network

PAGES = (
    "/network/2026Q2",
    "/network/2026Q2?kpi=dispute_rate",
    "/partners",
    "/partners?kpi=otif",
    "/partners?kpi=otif&state=red&region=Region+1&q=part&sort=best",
    "/groups?kpi=otif&by=region",
)


@pytest.fixture(scope="module", params=KINDS)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """One closed programme for all: these tests only look."""
    with closed_programme(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def manager(programme: sa.Engine) -> TestClient:
    return signed_in(programme, "manager")


@pytest.fixture(scope="module", params=KINDS)
def crowd(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A manager of 130 partners."""
    with fresh_database(request.param) as url:
        engine = open_database(url)
        many_partners(engine, 130)
        take(engine, "people", {"email": "mia@brand.example", "name": "Mia", "role": "manager"})
        yield signed_in(engine, "manager")
        engine.dispose()


def words(client: TestClient, address: str) -> str:
    """What a page says, without its marks."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


def codes(client: TestClient, address: str) -> list[str]:
    """The partners that a page lists, in its order."""
    page = client.get(address).text
    return re.findall(r'<th scope="row" role="rowheader"><a href="/partners/([^"]+)"', page)


# --- The overview ---------------------------------------------------------------------------------


def test_the_overview_begins_with_how_many_targets_are_reached(manager: TestClient):
    said = words(manager, "/network/2026Q2?lang=en")
    assert "1 of 3 targets reached, 2 missed" in said


def test_a_kpi_leads_to_its_partners_and_a_value_to_its_rows(manager: TestClient):
    overview = manager.get("/network/2026Q2").text
    assert 'href="/partners?kpi=otif&amp;period=2026Q2"' in overview
    partners = manager.get("/partners?kpi=otif&period=2026Q2").text
    assert 'href="/figures/R2?kpi=otif&amp;period=2026Q2"' in partners
    rows = words(manager, "/figures/R2?kpi=otif&period=2026Q2")
    assert all(each in rows for each in ("R2-wrong-1", "R2-wrong-2", "R2-wrong-3"))


def test_it_counts_the_partners_that_reach_each_target(manager: TestClient):
    page = manager.get("/network/2026Q2?lang=en").text
    assert 'href="/partners?kpi=otif&amp;state=red&amp;period=2026Q2"' in page
    said = words(manager, "/network/2026Q2?lang=en")
    assert "OTIF ✓ 1 reached , OTIF ✕ 1 missed , OTIF ○ 2 no data , OTIF" in said


def test_without_a_period_before_nobody_has_moved(manager: TestClient):
    said = words(manager, "/network/2026Q2?lang=en")
    assert "The period before wasn’t measured: there is nothing to compare with." in said


def test_the_partners_that_moved_most_are_named_with_the_sample_they_needed(crowd: TestClient):
    said = words(crowd, "/network/2026Q2?lang=en")
    assert "From Q1 2026 to Q2 2026, among partners with a sample of at least 5 in both." in said
    assert "For the worse Partner From, to Difference Partner 0019 75.00% → 5.00% −70.0 pt" in said
    better = "For the better Partner From, to Difference Partner 0000 75.00% → 100.00% +25.0 pt"
    assert better in said


def test_where_lower_is_better_a_rise_is_for_the_worse(crowd: TestClient):
    said = words(crowd, "/network/2026Q2?kpi=dispute_rate&lang=en")
    assert "For the worse Partner From, to Difference Partner 0000 75.00% → 100.00%" in said


def test_a_target_that_nobody_can_be_judged_by_is_named(engine: sa.Engine):
    a_network(engine)
    the_cast(engine)
    take(engine, "targets", {"kpi": "csat", "target": "80 %", "from": "2026-01-01"})
    answer = {
        "source_id": "A1", "survey_code": "S", "partner_code": "R1", "question_code": "csat",
        "answered_at": "2026-02-04T08:00:00Z", "value": "5",
    }  # fmt: skip
    take(engine, "answers", answer)
    measured(engine, "2026Q1", "2026Q2")
    said = words(signed_in(engine, "manager"), "/network/2026Q2?lang=en")
    assert "Satisfaction (CSAT) can’t be judged: there are too few cases." in said


def measured(engine: sa.Engine, *periods: str) -> None:
    refreshing.refresh(engine, now=NOW, settings=SETTINGS)

    def work(session: Session) -> None:
        for code in periods:
            measuring.measure(session, Period.parse(code), now=NOW, settings=SETTINGS)

    transact(engine, work)


# --- The list -------------------------------------------------------------------------------------


def test_on_a_kpi_the_worst_come_first_and_what_cannot_be_judged_last(manager: TestClient):
    assert codes(manager, "/partners?kpi=otif") == ["R2", "R1", "D1", "R3"]
    assert codes(manager, "/partners?kpi=otif&sort=best") == ["R1", "R2", "D1", "R3"]
    assert codes(manager, "/partners") == ["D1", "R1", "R2", "R3"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("state=red", ["R2"]),
        ("state=no_data", ["D1", "R3"]),
        ("tier=gold", ["R2", "R1", "R3"]),
        ("kind=distributor", ["D1"]),
        ("distributor=D1", ["R2", "R1", "D1", "R3"]),
        ("distributor=R1", ["R1"]),
        ("q=partner+r", ["R2", "R1", "R3"]),
        ("q=R2%00", ["R2"]),
        ("q=%25", []),
        ("region=Nowhere", []),
        ("group=none", []),
    ],
)
def test_the_list_is_narrowed_by_the_address(manager: TestClient, asked: str, found: list[str]):
    assert codes(manager, f"/partners?kpi=otif&{asked}") == found


def test_a_name_is_found_without_its_accents_and_capitals(closed: sa.Engine):
    take(closed, "partners", partner("R1", name="Énergie du Rhône", parent_code="D1"))
    manager = signed_in(closed, "manager")
    for search in ("energie", "ÉNERGIE", "rhone"):
        assert codes(manager, f"/partners?q={search}") == ["R1"]


def test_an_own_group_and_a_state_nobody_is_in_say_so(manager: TestClient):
    assert "No partner is like that" in words(manager, "/partners?kpi=otif&state=stale&lang=en")


def test_many_partners_come_a_page_at_a_time(crowd: TestClient):
    first = codes(crowd, "/partners?kpi=otif")
    third = codes(crowd, "/partners?kpi=otif&page=3")
    assert (len(first), len(third)) == (50, 30)
    assert first[0] == "P0019"
    assert "101 to 130 of 130" in words(crowd, "/partners?kpi=otif&page=3&lang=en")
    assert "Nothing on this page" in words(crowd, "/partners?kpi=otif&page=9&lang=en")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/partners?kpi=nothing", 404),
        ("/partners?state=purple", 422),
        ("/partners?sort=purple", 422),
        ("/partners?page=0", 422),
        ("/partners?page=x", 422),
        ("/partners?page=99999999999999999999", 422),
        ("/partners?format=pdf", 422),
        ("/partners?kpi=otif&q=" + "x" * 3000, 200),
        ("/network/2026Q2?kpi=nothing", 404),
        ("/network/%00", 422),
        ("/groups?by=purple", 422),
        ("/groups?sort=purple", 422),
        ("/groups?kpi=%00", 404),
        ("/groups?period=2031Q1", 404),
    ],
)
def test_odd_questions_get_an_answer_that_helps(manager: TestClient, address: str, status: int):
    answer = manager.get(address)
    assert answer.status_code == status
    assert "<h1" in answer.text


# --- Groups ---------------------------------------------------------------------------------------


def test_groups_stand_beside_each_other_and_lead_to_their_partners(manager: TestClient):
    page = manager.get("/groups?kpi=otif&by=distributor&period=2026Q2").text
    assert 'href="/partners?kpi=otif&amp;period=2026Q2&amp;distributor=D1"' in page
    said = words(manager, "/groups?kpi=otif&by=tier&lang=en")
    assert "gold 92.50% 37 of 40 95% ✕ missed 40" in said
    assert "Resellers" in words(manager, "/groups?kpi=otif&by=kind&lang=en")


def test_where_there_are_no_groups_of_a_kind_the_page_says_so(manager: TestClient):
    assert "No groups of this kind" in words(manager, "/groups?by=group&lang=en")


# --- Taken along ----------------------------------------------------------------------------------


def table(client: TestClient, address: str) -> list[list[str]]:
    answer = client.get(address)
    assert answer.headers["content-disposition"].startswith("attachment; ")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_whole_list_is_taken_along_as_it_is_filtered(crowd: TestClient):
    assert len(table(crowd, "/partners?format=csv")) == 131
    rows = table(crowd, "/partners?kpi=otif&region=Region+1&format=csv&page=2&lang=en")
    assert len(rows) == 34
    assert rows[0][:8] == ["Code", "Name", "Kind", "Tier", "Region", "Country", "Value", "Target"]
    assert rows[1][0] == "P0017"
    assert rows[1][6:14] == ["0.15", "0.9", "missed", "20", "3", "20", "0.75", "-0.6"]


def test_the_scorecard_and_the_groups_are_taken_along(manager: TestClient):
    rows = table(manager, "/network/2026Q2?format=csv&lang=en")
    otif = next(row for row in rows if row[1] == "otif")
    assert otif[:10] == [
        "OTIF", "otif", "Deliveries", "0.925", "share", "0.95", "missed", "40", "37", "40",
    ]  # fmt: skip
    assert table(manager, "/groups?by=tier&format=csv&lang=en")[1][:3] == [
        "tier:gold", "gold", "0.925",
    ]  # fmt: skip


def test_a_sheet_holds_numbers(manager: TestClient):
    answer = manager.get("/partners?kpi=otif&format=xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][6:8] == [0.85, 0.95]


# --- How much is asked ----------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_the_database_is_asked_as_often_for_many_partners_as_for_a_few(
    engine: sa.Engine, address: str
):
    many_partners(engine, 8)
    take(engine, "people", {"email": "mia@brand.example", "name": "Mia", "role": "manager"})
    few = asked(engine, address)
    with engine.begin() as connection:
        for name in ("scorecards", "partners"):
            connection.execute(sa.text(f"DELETE FROM {name}"))
    many_partners(engine, 120)
    assert asked(engine, address) == few
    assert few <= 12


def asked(engine: sa.Engine, address: str) -> int:
    manager = signed_in(engine, "manager")
    with counted(engine) as said:
        assert manager.get(address).status_code == 200
    return said.count
