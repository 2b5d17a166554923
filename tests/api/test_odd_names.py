"""Codes and names as some systems have them: every link of theirs leads on, and nothing is markup.

Asked of the real server: only there is an address read as a browser writes it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa

from api.app import make_app
from tests.harness.cast import CAST, SECRET, signed_in, the_cast
from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW, a_network, a_programme, close_it, lines
from tests.harness.served import serving

ODD = (
    *("A/B", "A//B", "../x", "%", "%2F", "é%41", "_", "A?B#C", "A&b=c", "A+B", "A B", "A\\B"),
    *("\"q'", "<script>alert(1)</script>", "{{7*7}}", "x" * 200, "-1", "0", "null", "new"),
    *("Z", "z", "É", "e\u0301\u0302", "ß", "İ", "ｗ", "مرحبا", "\u202eabc"),
    *("N\u00a0B", "N\u202fB", "🤷🏽\u200d♀️", "\u200b0", "soft\u00adhyphen"),
)
LISTS = {
    "manager": ("/partners?period=2026Q2&kpi=otif", "/network/2026Q2", "/groups?by=region"),
    "distributor": ("/home",),
    "rep": ("/field",),
    "admin": ("/admin/people",),
}


def _odd_network(engine: sa.Engine) -> None:
    a_network(engine)
    the_cast(engine)
    _, problems = take(
        engine,
        "partners",
        *(
            partner(code, name=code, parent_code="D1", region=code[:100], tier=code[:100])
            for code in ODD
        ),
    )
    assert problems == []
    for number, code in enumerate(ODD[::3]):
        changed = {"partner_code": code, "source_id": f"odd-{number}"}
        take(engine, "order-lines", lines("R1", 1)[0] | changed)
    take(engine, "reps", *({"rep_email": CAST["rep"], "partner_code": code} for code in ODD))
    a_programme(engine)
    close_it(engine)


@pytest.fixture(scope="module", params=EACH_KIND)
def odd(request: pytest.FixtureRequest) -> Iterator[dict[str, httpx.Client]]:
    """Everybody's browser."""
    with prepared_engine(request.param, "odd names", _odd_network) as engine:
        app = make_app(engine, replace(SETTINGS, secret=SECRET), clock=lambda: NOW)
        cookies = {who: dict(signed_in(engine, who).cookies) for who in LISTS}
        with serving(app) as at:
            clients = {
                who: httpx.Client(base_url=at, cookies=held, follow_redirects=True, timeout=30)
                for who, held in cookies.items()
            }
            yield clients
            for client in clients.values():
                client.close()


def links(page: str, start: str) -> set[str]:
    found = re.findall(r'\shref="([^"#]*)', page)
    return {each for each in map(html.unescape, found) if each.startswith(start)}


@pytest.mark.parametrize("who", LISTS)
def test_every_link_leads_on_and_nothing_is_markup(odd: dict[str, httpx.Client], who: str):
    client, wrong = odd[who], []
    for path in LISTS[who]:
        page = client.get(path).text
        found = links(page, "/partners/") | links(page, "/statements/") | links(page, "/admin/peo")
        assert len(found) > 5 or path.startswith(("/network", "/groups")), path
        for each in sorted(found):
            answer = client.get(each)
            if answer.status_code != 200 or "<script>alert" in answer.text:
                wrong.append((answer.status_code, each))
    assert wrong == []


@pytest.mark.parametrize("name", ODD)
def test_a_list_is_narrowed_to_every_name(odd: dict[str, httpx.Client], name: str):
    asked = {"region": name[:100], "period": "2026Q2", "kpi": "otif", "format": "csv"}
    narrowed = odd["manager"].get("/partners", params=asked)
    assert narrowed.status_code == 200
    assert len(narrowed.text.splitlines()) == 2, narrowed.text


def test_what_there_is_to_choose_from_stands_in_one_order(odd: dict[str, httpx.Client]):
    page = odd["manager"].get("/partners?period=2026Q2&kpi=otif").text
    choices = re.search(r'<select[^>]*name="region".*?</select>', page, re.DOTALL)
    assert choices
    offered = [html.unescape(each) for each in re.findall(r'value="([^"]+)"', choices[0])]
    assert sorted(offered) == sorted(each[:100] for each in ODD)
    assert offered == sorted(offered, key=lambda each: (each.casefold(), each))
