"""A partner's own pages: home, statement and figures, for the partner and whoever may look."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from html import unescape
from itertools import pairwise
from urllib.parse import quote

import openpyxl
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.measures import refreshing
from partner_cx.measures.measuring import measure
from partner_cx.network.partners import Partner
from partner_cx.words import Words
from rewards.budgets import budget
from rewards.ledger import AccountKind, Move, account, post, wallet_of
from tests.harness.cast import closed_programme, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.databases import KINDS, fresh_database
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import BONUS, NOW, QUARTER, a_network, a_programme, lines

PAGES = ("/home", "/statement", "/figures")
BEFORE_THE_CLOSE = datetime(2026, 6, 18, 9, tzinfo=UTC)


@pytest.fixture(scope="module", params=KINDS)
def programme(request: pytest.FixtureRequest):
    """One closed programme for all: these tests only look."""
    with closed_programme(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def reseller(programme: sa.Engine) -> TestClient:
    return signed_in(programme, "reseller")


@pytest.fixture(scope="module")
def distributor(programme: sa.Engine) -> TestClient:
    return signed_in(programme, "distributor")


@pytest.fixture(scope="module")
def manager(programme: sa.Engine) -> TestClient:
    return signed_in(programme, "manager")


@pytest.fixture
def running():
    """The same network while its quarter runs, measured, with the bonus in force."""
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        a_network(engine)
        the_cast(engine)
        a_programme(engine)
        refreshing.refresh(engine, now=NOW, settings=SETTINGS)
        transact(engine, lambda session: measure(session, QUARTER, now=NOW, settings=SETTINGS))
        yield engine
        engine.dispose()


def give(engine: sa.Engine, code: str, count: int, why: str = "A gift") -> None:
    def work(session: Session) -> None:
        own = session.scalars(sa.select(Partner).where(Partner.code == code)).one()
        wallet = account(session, AccountKind.WALLET, wallet_of(code), own.id)
        source = budget(session, BONUS.budget)
        for number in range(count):
            post(
                session,
                key=f"gift:{code}:{why}:{number}",
                why=Words(why, why),
                moves=[Move(source, wallet, 1)],
                effective_on=QUARTER.end_day,
                now=NOW,
            )

    transact(engine, work)


def words(client: TestClient, address: str) -> str:
    """What a page says, without its marks."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", answer.text).split()))


# --- Home -----------------------------------------------------------------------------------------


def test_the_home_says_how_far_it_is_and_what_to_do(running: sa.Engine):
    client = signed_in(running, "reseller", now=BEFORE_THE_CLOSE)
    said = words(client, "/home?lang=en")
    assert "Network quality bonus 500 points · 12 days left" in said
    assert "40 more lines on time in a row would bring OTIF to 95%." in said
    assert "OTIF 85.00% (target 95%, 20 lines): 10 pt short" in said
    assert "No points yet" in said


def test_the_home_speaks_french(running: sa.Engine):
    client = signed_in(running, "reseller", now=BEFORE_THE_CLOSE)
    said = words(client, "/home?lang=fr").replace("\u202f", " ")
    assert "encore 12 jours" in said
    assert "40 lignes de plus sans raté mèneraient OTIF à 95 %." in said


def test_the_home_says_what_the_last_close_gave(reseller: TestClient):
    said = words(reseller, "/home?lang=en")
    assert "The last close: Q2 2026 0 points. Rules for you that brought something: 0 of 1." in said
    assert "conditions not met Network quality bonus" in said


def test_a_distributor_sees_those_it_supplies_with_states_and_balance(distributor: TestClient):
    said = words(distributor, "/home?lang=en")
    assert "The partners you supply" in said
    assert "Partner R1 reseller · gold 100.00% ✓ reached" in said
    assert "500" in said


def test_a_new_partner_is_told_what_will_stand_there():
    with fresh_database("sqlite") as url:
        engine = open_database(url)
        take(engine, "partners", partner("D1", kind="distributor"), partner("R2"))
        the_cast(engine)
        client = signed_in(engine, "reseller")
        said = words(client, "/home?lang=en")
        assert "No rule is for you just now" in said
        assert "No points yet" in said
        assert "No points yet" in words(client, "/statement?lang=en")
        assert "Nothing is measured yet" in words(client, "/figures?lang=en")
        engine.dispose()


@pytest.mark.parametrize("address", PAGES)
def test_whoever_has_no_partner_is_led_to_where_they_begin(manager: TestClient, address: str):
    answer = manager.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_manager_sees_what_the_partner_sees_and_the_way_back(
    manager: TestClient, reseller: TestClient
):
    theirs, own = (words(client, "/partners/R2?lang=en") for client in (manager, reseller))
    assert "← All partners" in theirs
    assert own[own.index("To spend") : own.index("English")] in theirs


# --- Statement ------------------------------------------------------------------------------------


def test_a_statement_lists_the_entry_and_opens_to_its_figures_and_rows(manager: TestClient):
    page = manager.get("/statements/R1?lang=en").text
    assert "Network quality bonus, Q2 2026: 500 points." in page
    (href,) = set(re.findall(r'href="(\?entry=[^"]+)"', page))
    said = words(manager, f"/statements/R1{unescape(href)}")
    assert "OTIF 100.00% (target 95%, 20 lines): reached." in said
    assert "Counted and kept, 20 lines" in said
    assert "R1-2026-05-18-00" in said


def test_what_was_missed_says_why_and_opens_to_the_very_rows(reseller: TestClient):
    said = words(reseller, "/statement?lang=en")
    assert "What was missed at the close of Q2 2026, and why" in said
    assert "OTIF 85.00% (target 95%, 20 lines): 10 pt short" in said
    href = re.findall(r'href="(\?decision=[^"]+)"', reseller.get("/statement").text)[0]
    opened = words(reseller, f"/statement{unescape(href)}")
    for row in ("R2-wrong-1", "R2-wrong-2", "R2-wrong-3"):
        assert row in opened


def test_filters_and_pages_are_in_the_address(programme: sa.Engine, manager: TestClient):
    give(programme, "R1", 60)
    second = words(manager, "/statements/R1?page=2&lang=en")
    assert "51 to 61 of 61" in second
    assert "Network quality bonus, Q2 2026: 500 points." in second
    only = words(manager, "/statements/R1?period=2026Q2&rule=network_quality_bonus&lang=en")
    assert "A gift" not in only
    assert "+500 500" in only
    assert "Nothing came in or went out here" in words(
        manager, "/statements/R1?period=2020Q1&lang=en"
    )
    assert "There is nothing on this page" in words(manager, "/statements/R1?page=9&lang=en")


def test_a_statement_comes_as_a_file_with_numbers_and_no_formulas(
    programme: sa.Engine, manager: TestClient
):
    give(programme, "R3", 1, why="=1+1")
    written = manager.get("/statements/R3?format=csv&lang=en")
    assert written.headers["content-disposition"] == 'attachment; filename="statement-R3.csv"'
    assert "'=1+1" in written.content.decode("utf-8-sig")
    sheet = openpyxl.load_workbook(
        io.BytesIO(manager.get("/statements/R3?format=xlsx&lang=en").content)
    ).active
    assert sheet is not None
    heading, row = list(sheet.iter_rows())[:2]
    assert [cell.value for cell in heading][:2] == ["Day", "Reason"]
    assert (row[1].value, row[1].data_type) == ("=1+1", "s")
    assert (row[4].value, row[4].data_type) == (1, "n")


# --- Figures --------------------------------------------------------------------------------------


def test_figures_stand_against_their_targets(reseller: TestClient):
    said = words(reseller, "/figures?period=2026Q2&lang=en")
    assert "OTIF 85.00% 17 of 20 95% ✕ missed" in said
    assert "Closed: these figures no longer change." in said


def test_a_group_that_is_too_small_tells_nothing(reseller: TestClient):
    assert "of 2 resellers" not in words(reseller, "/figures?period=2026Q2&lang=en")
    said = words(reseller, "/figures?kpi=otif&period=2026Q2&lang=en")
    assert "The group is too small to tell." in said


def test_a_figure_opens_to_what_it_counts_and_its_rows_missed_first(reseller: TestClient):
    said = words(reseller, "/figures?kpi=otif&period=2026Q2&lang=en")
    assert "Order lines received in full inside their window" in said
    assert said.index("Counted and missed, 3 lines") < said.index("Counted and kept, 17 lines")
    written = reseller.get("/figures?kpi=otif&period=2026Q2&format=csv&lang=en")
    assert written.headers["content-disposition"] == ('attachment; filename="otif-2026Q2-R2.csv"')
    assert len(written.text.splitlines()) == 21


# --- For every page -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [*PAGES, "/figures?kpi=otif&period=2026Q2"])
def test_no_other_partner_is_named_to_a_reseller(reseller: TestClient, address: str):
    said = words(reseller, address)
    assert [code for code in ("R1", "R3", "D1") if f"Partner {code}" in said] == []


@pytest.mark.parametrize("address", [*PAGES, "/figures?kpi=otif&period=2026Q2", "/partners/D1"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_built_for_everyone(distributor: TestClient, address: str, language: str):
    page = distributor.get(address, params={"lang": language} if "?" not in address else None).text
    assert len(re.findall(r"<h1", page)) == 1
    assert len(re.findall(r"<table", page)) == len(re.findall(r"<caption", page))
    assert all('scope="' in heading for heading in re.findall(r"<th\b[^>]*>", page))
    identities = re.findall(r'\bid="([^"]+)"', page)
    assert len(identities) == len(set(identities))
    levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/statement?period=soon", 422),
        ("/statement?period=&rule=", 200),
        ("/statement?rule=nothing", 404),
        ("/statement?rule=%00", 404),
        ("/statement?page=0", 422),
        ("/statement?page=1000000", 200),
        ("/statement?page=10000000000000000000000", 422),
        ("/statement?held=7&events=7", 200),
        ("/statement?closed=2020Q1", 200),
        ("/statement?closed=x", 422),
        ("/statement?entry=%00", 404),
        ("/statement?entry=fund:10000", 404),
        ("/statement?decision=0", 422),
        ("/statement?decision=9223372036854775807", 404),
        ("/statement?format=exe", 422),
        ("/figures?period=1900", 200),
        ("/figures?period=9999Q9", 422),
        ("/figures?kpi=%00", 404),
        ("/figures?kpi=nps&period=2031Q1", 200),
        ("/figures?kpi=otif&page=900000", 200),
        ("/home?page=900000", 200),
        ("/statements/" + "x" * 3000, 404),
        ("/figures/%00", 404),
    ],
)
def test_odd_addresses_get_a_page_that_helps(reseller: TestClient, address: str, status: int):
    answer = reseller.get(address)
    assert answer.status_code == status
    assert "<h1" in answer.text


@pytest.mark.parametrize("address", ["/home", "/statement", "/figures?period=2026Q2"])
def test_a_page_asks_as_often_however_large_network_and_ledger_are(address: str):
    with closed_programme("sqlite") as engine:
        client = signed_in(engine, "distributor")
        give(engine, "D1", 2)
        client.get(address)
        with counted(engine) as few:
            client.get(address)
        take(engine, "partners", *(partner(f"N{each}", parent_code="D1") for each in range(70)))
        give(engine, "D1", 130, why="More")
        with counted(engine) as many:
            assert client.get(address).status_code == 200
        assert many.count == few.count <= 16


def test_the_table_of_those_below_never_grows_old(closed: sa.Engine):
    client = signed_in(closed, "distributor")

    def table(address: str = "/home") -> str:
        (found,) = re.findall(
            r'<table class="stacks partners".*?</table>', client.get(address).text, re.DOTALL
        )
        return str(found)

    def measured() -> None:
        take(closed, "order-lines", *lines("R2", 3, day="2026-07-01"))
        refreshing.refresh(closed, now=NOW, settings=SETTINGS)
        transact(closed, lambda s: measure(s, QUARTER.next(), now=NOW, settings=SETTINGS))

    seen = [table()]
    for change in (
        lambda: give(closed, "R2", 1),
        lambda: take(closed, "partners", partner("R2", parent_code="D1", name="Renamed")),
        lambda: take(closed, "partners", partner("N1", parent_code="D1")),
        measured,
    ):
        change()
        seen.append(table())
        assert seen[-1] == table()
    seen.append(table("/home?lang=fr"))
    assert len(set(seen)) == len(seen)


def test_codes_with_slashes_have_their_pages(engine: sa.Engine):
    codes = ("a/../b", "É/x 'q'", "//x")
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    take(engine, "partners", *(partner(code, parent_code="D1") for code in codes))
    the_cast(engine)
    client = signed_in(engine, "distributor")
    for code in codes:
        for room in ("partners", "statements", "figures"):
            assert client.get(f"/{room}/{quote(code, safe='')}").status_code == 200
