"""The pages for rules: written, tried, published, agreed to, sent back, retired."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from api.pages.rules import form
from api.pages.rules.entered import flat
from partner_cx.database import transact
from partner_cx.journal import JournalLine
from partner_cx.network.sign_in_links import make_link
from rewards.conditions import AllOf, KpiAtLeast, KpiIsGreen
from rewards.rulebook import newest, publish, versions
from rewards.rulebook.drafts import draft_of, drafts, save_draft, submit
from rewards.rules import FixedPoints, Rule
from tests.harness.cast import CAST, HOME_ADDRESS, at_the_door, closed_programme, the_cast
from tests.harness.counting import counted
from tests.harness.intake import take
from tests.harness.programme import BONUS, NOW, a_network

MIA, OTTO = CAST["manager"], "otto@brand.example"
HERE = {"Origin": HOME_ADDRESS}
MORE = replace(BONUS, award=FixedPoints(600))
ON_NPS = replace(BONUS, code="nps_bonus", conditions=(KpiAtLeast("nps", Fraction(50), n_min=20),))


@pytest.fixture
def programme(closed: sa.Engine) -> sa.Engine:
    """A closed programme with a second manager."""
    take(closed, "people", {"email": OTTO, "name": "Otto", "role": "manager"})
    return closed


@pytest.fixture(scope="module")
def looked_at() -> Iterator[sa.Engine]:
    """One programme, with a draft, for all who look and change nothing."""
    with closed_programme("sqlite") as engine:
        drafted(engine, MORE)
        yield engine


@pytest.fixture
def empty(engine: sa.Engine) -> sa.Engine:
    """A network without any rule."""
    a_network(engine)
    the_cast(engine)
    return engine


def browser_of(engine: sa.Engine, email: str = MIA) -> TestClient:
    client = at_the_door(engine)
    token = transact(engine, lambda session: make_link(session, email, now=NOW))
    assert client.post(f"/sign-in/{token}", headers=HERE).status_code == 303
    return client


def sent(rule: Rule, **more: str) -> dict[str, Any]:
    """The form of a rule, as a browser sends it."""
    fields: dict[str, Any] = {}
    for name, text in flat(form.taken_apart(rule)):
        if name == "kinds":
            fields.setdefault(name, []).append(text)
        else:
            fields[name] = text
    return fields | {"do": "save"} | more


def post(client: TestClient, path: str, fields: dict[str, Any]) -> Any:
    return client.post(path, data=fields, headers=HERE)


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found[1])


def drafted(engine: sa.Engine, rule: Rule, by: str = MIA) -> None:
    transact(engine, lambda session: save_draft(session, rule, by=by, now=NOW).code)


def asked(engine: sa.Engine) -> None:
    transact(engine, lambda s: submit(s, ON_NPS, by=MIA, why="Board", now=NOW).already)


def journal(engine: sa.Engine) -> list[tuple[str, str]]:
    with Session(engine) as session:
        lines = session.scalars(sa.select(JournalLine).order_by(JournalLine.id))
        return [(each.did, each.by) for each in lines if each.did.startswith("rule.")]


def version_of(engine: sa.Engine, code: str) -> int | None:
    with Session(engine) as session:
        last = newest(session, code)
        return last.version if last else None


# --- Looking ------------------------------------------------------------------------------------


def test_the_list_says_how_each_rule_stands(looked_at: sa.Engine):
    page = browser_of(looked_at).get("/rules").text
    for said in ("Network quality bonus", "in force", "500 points", "Q2 2026: 1 award, 500 points"):
        assert said in page


def test_the_list_is_filtered_by_its_address(programme: sa.Engine):
    client = browser_of(programme)
    drafted(programme, replace(BONUS, code="other", budget="else"))
    assert "No rule is like that" in client.get("/rules?state=retired").text
    assert "network_quality_bonus ·" not in client.get("/rules?budget=else").text
    assert "other" in client.get("/rules?state=draft").text
    assert client.get("/rules?state=%00&budget=%F0%9F%8E%81").status_code == 200


def test_the_list_asks_as_often_for_one_rule_as_for_sixty(programme: sa.Engine):
    client = browser_of(programme)
    with counted(programme) as one:
        client.get("/rules")
    for number in range(60):
        other = replace(BONUS, code=f"rule_{number}", budget=f"budget_{number}")
        transact(programme, lambda s, r=other: publish(s, r, by=MIA, why="", now=NOW).version)  # type: ignore[misc]
    with counted(programme) as many:
        assert "61 rules" in client.get("/rules").text
    assert many.count == one.count
    assert 'rel="next"' in client.get("/rules").text
    assert "rule_59" in client.get("/rules?page=2").text
    assert client.get("/rules?page=0").status_code == 422


@pytest.mark.parametrize("path", ["/rules", "/budgets", "/rules/new", "/rules/new?template=empty"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_programme_without_rules_says_how_to_begin(empty: sa.Engine, path: str, language: str):
    answer = browser_of(empty).get(path, params={"lang": language} if "?" not in path else None)
    assert answer.status_code == 200


def test_a_rules_page_says_what_it_is_and_came_to(looked_at: sa.Engine):
    page = browser_of(looked_at).get("/rules/network_quality_bonus").text
    for said in ("OTIF reaches its target", "Gives the partner 500 points", "Terms of 2026", MIA):
        assert said in page
    assert 'href="/partners?period=2026Q2"' in page


def test_a_version_says_what_is_different(programme: sa.Engine):
    transact(programme, lambda s: publish(s, MORE, by=OTTO, why="More", now=NOW).version)
    client = browser_of(programme)
    assert "award" in client.get("/rules/network_quality_bonus").text
    page = client.get("/rules/network_quality_bonus/versions/2").text
    assert "<del>−   points: 500</del>" in page
    assert "<ins>+   points: 600</ins>" in page


def test_a_rule_is_taken_along_as_yaml(looked_at: sa.Engine):
    answer = browser_of(looked_at).get("/rules/network_quality_bonus/yaml?download=true")
    assert Rule.from_yaml(answer.text, "downloaded") == BONUS
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    [
        "/rules/none",
        "/rules/none/yaml",
        "/rules/none/draft",
        "/rules/none/draft/backtest",
        "/rules/network_quality_bonus/versions/9",
        "/rules/network_quality_bonus/versions/٢",
        "/rules/new?template=none",
        "/budgets/none",
    ],
)
def test_what_isnt_there_is_said_so(looked_at: sa.Engine, path: str):
    assert browser_of(looked_at).get(path).status_code == 404


# --- Writing ------------------------------------------------------------------------------------


def test_a_new_rule_is_kept_as_a_draft(programme: sa.Engine):
    rule = replace(BONUS, code="care")
    answer = post(browser_of(programme), "/rules/new", sent(rule))
    assert answer.headers["location"] == "/rules/care/draft?said=saved"
    with Session(programme) as session:
        assert draft_of(session, "care").rule == rule
    assert journal(programme)[-1] == ("rule.saved", MIA)


@pytest.mark.parametrize("code", ["network_quality_bonus", "new", "check", "", "two words"])
def test_a_code_that_cant_be_given_is_refused_and_the_form_kept(looked_at: sa.Engine, code: str):
    fields = sent(replace(MORE, source="Kept as it was typed"), code=code)
    answer = post(browser_of(looked_at), "/rules/new", fields)
    assert answer.status_code == 422
    assert 'href="#field-code"' in answer.text
    assert "Kept as it was typed" in answer.text
    assert 'value="600"' in answer.text


def test_a_button_changes_the_form_and_saves_nothing(looked_at: sa.Engine):
    fields = sent(BONUS, do="add:c", new="partner_in", source="Typed")
    answer = post(browser_of(looked_at), "/rules/network_quality_bonus/draft", fields)
    assert answer.status_code == 200
    assert 'name="c.3.group"' in answer.text
    assert "Typed" in answer.text
    with Session(looked_at) as session:
        assert [each.rule for each in drafts(session)] == [MORE]


def test_form_and_yaml_write_the_same_draft(programme: sa.Engine):
    client = browser_of(programme)
    path = "/rules/network_quality_bonus/draft"
    shown = post(client, path, sent(MORE, do="yaml"))
    source = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", shown.text, re.DOTALL)
    assert source is not None
    answer = post(client, path, {"yaml": unescape(source[1]), "read": "", "do": "save"})
    assert answer.headers["location"] == f"{path}?said=saved&as=yaml"
    with Session(programme) as session:
        assert draft_of(session, MORE.code).rule == MORE
    assert 'name="c.0.kpi"' in client.get(path).text


def test_a_mistake_in_yaml_says_its_line_and_keeps_the_text(looked_at: sa.Engine):
    source = BONUS.to_yaml().replace("otif", "otiff")
    fields = {"yaml": source, "read": "", "do": "save"}
    answer = post(browser_of(looked_at), "/rules/network_quality_bonus/draft", fields)
    assert answer.status_code == 422
    assert "There is no KPI “otiff”. Did you mean “otif”?" in answer.text
    assert re.search(r"Line \d+, column \d+", answer.text)
    assert "kpi_is_green: otiff" in answer.text


def test_a_rule_that_doesnt_fit_the_form_is_shown_as_yaml(programme: sa.Engine):
    deep = AllOf((AllOf((AllOf((AllOf((KpiIsGreen("otif"),)),)),)),))
    drafted(programme, replace(BONUS, conditions=(deep,)))
    page = browser_of(programme).get("/rules/network_quality_bonus/draft").text
    assert "more than the form can hold" in page
    assert '<textarea id="field-yaml"' in page


def test_another_code_in_yaml_is_refused(looked_at: sa.Engine):
    fields = {"yaml": replace(BONUS, code="care").to_yaml(), "read": "", "do": "save"}
    answer = post(browser_of(looked_at), "/rules/network_quality_bonus/draft", fields)
    assert answer.status_code == 422
    assert "stays “network_quality_bonus”" in answer.text


def test_the_second_of_two_managers_is_told_and_loses_nothing(programme: sa.Engine):
    mia, otto = browser_of(programme), browser_of(programme, OTTO)
    path = "/rules/network_quality_bonus/draft"
    reads = [hidden(each.get(path).text, "read") for each in (mia, otto)]
    assert post(mia, path, sent(MORE, read=reads[0])).status_code == 303
    theirs = sent(replace(BONUS, hold_days=9), read=reads[1])
    answer = post(otto, path, theirs)
    assert answer.status_code == 409
    assert f"{MIA} saved this draft" in answer.text
    assert 'name="hold_days" type="text" value="9"' in answer.text
    with Session(programme) as session:
        assert draft_of(session, BONUS.code).rule == MORE
    again = post(otto, path, theirs | {"read": hidden(answer.text, "read")})
    assert again.status_code == 303
    with Session(programme) as session:
        assert draft_of(session, BONUS.code).rule.hold_days == 9


def test_what_is_typed_is_read_back_with_what_there_is_to_say(looked_at: sa.Engine):
    answer = post(browser_of(looked_at), "/rules/check", sent(MORE, of=MORE.code))
    assert "Gives the partner 600 points" in answer.text
    assert "<html" not in answer.text


def test_what_is_half_typed_is_read_back_as_no_rule_yet(looked_at: sa.Engine):
    answer = post(browser_of(looked_at), "/rules/check", {"c.0.what": "kpi_at_least"})
    assert answer.status_code == 200
    assert "Not a rule yet" in answer.text


def test_a_draft_is_thrown_away_unless_it_was_changed_meanwhile(programme: sa.Engine):
    client = browser_of(programme)
    drafted(programme, MORE)
    path = "/rules/network_quality_bonus/draft/discard"
    stale = post(client, path, {"read": "another"})
    assert stale.headers["location"] == "/rules/network_quality_bonus?said=overtaken"
    page = client.get("/rules/network_quality_bonus/draft").text
    assert post(client, path, {"read": hidden(page, "read")}).status_code == 303
    assert journal(programme)[-1] == ("rule.dropped", MIA)


# --- Trying and publishing ----------------------------------------------------------------------


def test_a_draft_is_tried_beside_the_rule_in_force(looked_at: sa.Engine):
    page = browser_of(looked_at).get("/rules/network_quality_bonus/draft/backtest").text
    for said in (
        "1 awards to 1 partners, 600 points earned",
        "Against version 1",
        "+100",
        "By tier",
    ):
        assert said in page


@pytest.mark.parametrize("span", ["from=2026Q3", "from=x", "to=2020Q1", "from=2026&to=%00"])
def test_periods_that_arent_there_are_refused(looked_at: sa.Engine, span: str):
    answer = browser_of(looked_at).get(f"/rules/network_quality_bonus/draft/backtest?{span}")
    assert answer.status_code == 422
    assert "Choose two of these periods" in answer.text


@pytest.mark.parametrize("show", ["partners", "periods", "changes", "reach", "fairness"])
@pytest.mark.parametrize("form_", ["csv", "xlsx", "json"])
def test_a_back_test_is_taken_along(looked_at: sa.Engine, show: str, form_: str):
    path = f"/rules/network_quality_bonus/draft/backtest?show={show}&format={form_}"
    answer = browser_of(looked_at).get(path)
    assert answer.status_code == 200
    assert answer.content


def test_a_draft_is_published_once_its_back_test_was_looked_at(programme: sa.Engine):
    drafted(programme, MORE)
    client = browser_of(programme)
    path = "/rules/network_quality_bonus/draft"
    unseen = post(client, f"{path}/publish", {"why": "More"})
    assert unseen.headers["location"] == f"{path}/backtest?said=again"
    seen = hidden(client.get(f"{path}/backtest").text, "seen")
    no_reason = post(client, f"{path}/publish", {"seen": seen, "why": " "})
    assert no_reason.status_code == 422
    assert 'id="error-why"' in no_reason.text
    answer = post(client, f"{path}/publish", {"seen": seen, "why": "More for them"})
    assert answer.headers["location"] == "/rules/network_quality_bonus?said=published"
    with Session(programme) as session:
        last = versions(session, BONUS.code)[-1]
        assert (last.version, last.why, last.published_by) == (2, "More for them", MIA)


def test_what_another_looked_at_publishes_nothing(programme: sa.Engine):
    drafted(programme, MORE)
    path = "/rules/network_quality_bonus/draft"
    seen = hidden(browser_of(programme, OTTO).get(f"{path}/backtest").text, "seen")
    answer = post(browser_of(programme), f"{path}/publish", {"seen": seen, "why": "More"})
    assert answer.headers["location"] == f"{path}/backtest?said=again"


def test_a_draft_that_was_changed_after_its_back_test_isnt_published(programme: sa.Engine):
    drafted(programme, MORE)
    client = browser_of(programme)
    path = "/rules/network_quality_bonus/draft"
    seen = hidden(client.get(f"{path}/backtest").text, "seen")
    drafted(programme, replace(MORE, hold_days=3), OTTO)
    answer = post(client, f"{path}/publish", {"seen": seen, "why": "More"})
    assert answer.status_code == 409
    assert "Somebody changed the draft" in answer.text
    assert version_of(programme, BONUS.code) == 1


def test_a_draft_that_fails_its_own_tests_isnt_published(programme: sa.Engine):
    test = {"name": "Earns it", "given": {}, "expect": {"verdict": "met"}}
    drafted(programme, Rule.from_plain({**MORE.to_plain(), "tests": [test]}, "a rule"))
    client = browser_of(programme)
    page = client.get("/rules/network_quality_bonus/draft/backtest").text
    assert "what its own tests say" in page
    seen = hidden(browser_of(programme).get("/rules/network_quality_bonus/draft").text, "read")
    assert 'name="seen"' not in page
    answer = post(client, "/rules/network_quality_bonus/draft/publish", {"seen": seen, "why": "x"})
    assert answer.headers["location"].endswith("said=again")


def test_two_who_publish_at_once_make_one_version(programme: sa.Engine):
    drafted(programme, MORE)
    path = "/rules/network_quality_bonus/draft"
    clients = [browser_of(programme, who) for who in (MIA, OTTO)]
    forms = [
        {"seen": hidden(each.get(f"{path}/backtest").text, "seen"), "why": "More"}
        for each in clients
    ]
    answers = at_once(
        *(
            lambda c=c, f=f: post(c, f"{path}/publish", f)
            for c, f in zip(clients, forms, strict=True)
        )
    )
    assert {each.status_code for each in answers} == {303}
    assert version_of(programme, BONUS.code) == 2


def at_once(*works: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: work(), works))


# --- The second person --------------------------------------------------------------------------


def test_a_rule_on_a_satisfaction_score_waits_for_another_manager(programme: sa.Engine):
    drafted(programme, ON_NPS)
    mia, otto = browser_of(programme), browser_of(programme, OTTO)
    page = mia.get("/rules/nps_bonus/draft/backtest").text
    assert "Ask for approval" in page
    answer = post(
        mia, "/rules/nps_bonus/draft/publish", {"seen": hidden(page, "seen"), "why": "Board"}
    )
    assert answer.headers["location"] == "/rules/nps_bonus/draft/backtest?said=asked"
    assert "Waiting for you" not in mia.get("/rules").text
    assert "Waiting for you" in otto.get("/rules").text
    read = hidden(otto.get("/rules/nps_bonus/draft/backtest").text, "read")
    agreed = post(otto, "/rules/nps_bonus/draft/approve", {"read": read})
    assert agreed.headers["location"] == "/rules/nps_bonus?said=approved"
    assert journal(programme)[-3:] == [
        ("rule.asked", MIA),
        ("rule.published", MIA),
        ("rule.approved", OTTO),
    ]


def test_nobody_agrees_with_themselves(programme: sa.Engine):
    asked(programme)
    client = browser_of(programme)
    page = client.get("/rules/nps_bonus/draft/backtest").text
    assert "Waiting for another manager" in page
    answer = post(client, "/rules/nps_bonus/draft/approve", {"read": hidden(page, "read")})
    assert answer.status_code == 403
    assert "somebody else must agree" in answer.text
    assert version_of(programme, "nps_bonus") is None


def test_who_agrees_to_a_text_that_was_changed_meanwhile_is_told(programme: sa.Engine):
    asked(programme)
    otto = browser_of(programme, OTTO)
    read = hidden(otto.get("/rules/nps_bonus/draft/backtest").text, "read")
    other = replace(ON_NPS, award=FixedPoints(9_000))
    transact(programme, lambda s: submit(s, other, by=MIA, why="More", now=NOW).already)
    answer = post(otto, "/rules/nps_bonus/draft/approve", {"read": read})
    assert answer.status_code == 409
    assert "9,000 points" in answer.text
    assert version_of(programme, "nps_bonus") is None


def test_of_agreeing_and_sending_back_at_once_one_is_done(programme: sa.Engine):
    take(programme, "people", {"email": "olga@brand.example", "name": "O", "role": "manager"})
    asked(programme)
    clients = [browser_of(programme, who) for who in (OTTO, "olga@brand.example")]
    read = hidden(clients[0].get("/rules/nps_bonus/draft/backtest").text, "read")
    path = "/rules/nps_bonus/draft"
    answers = at_once(
        lambda: post(clients[0], f"{path}/approve", {"read": read}),
        lambda: post(clients[1], f"{path}/send-back", {"read": read, "no": "Too much"}),
    )
    done = [dict(journal(programme)).get(each) for each in ("rule.approved", "rule.sent_back")]
    assert done.count(None) == 1
    assert (version_of(programme, "nps_bonus") is None) is (done[0] is None)
    assert all(each.status_code in (303, 409) for each in answers)


def test_a_draft_is_sent_back_with_a_reason(programme: sa.Engine):
    asked(programme)
    otto = browser_of(programme, OTTO)
    read = hidden(otto.get("/rules/nps_bonus/draft/backtest").text, "read")
    path = "/rules/nps_bonus/draft/send-back"
    assert post(otto, path, {"read": read, "no": ""}).status_code == 422
    answer = post(otto, path, {"read": read, "no": "It rewards begging"})
    assert answer.status_code == 303
    page = browser_of(programme).get("/rules/nps_bonus/draft").text
    assert "It rewards begging" in page
    assert OTTO in page


# --- Retiring -----------------------------------------------------------------------------------


def test_a_rule_is_retired_with_a_reason(programme: sa.Engine):
    client = browser_of(programme)
    fields = {"from": "2026Q3", "why": "Served its time"}
    answer = post(client, "/rules/network_quality_bonus/retire", fields)
    assert answer.headers["location"] == "/rules/network_quality_bonus?said=retired"
    assert "Served its time" in client.get("/rules/network_quality_bonus").text
    assert journal(programme)[-1] == ("rule.retired", MIA)


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"from": "", "why": "x"}, "from", 422),
        ({"from": "soon", "why": "x"}, "from", 422),
        ({"from": "9999-12-31", "why": "x"}, "from", 422),
        ({"from": "2026Q3", "why": ""}, "why", 422),
        ({"from": "2026Q3", "why": "a\0b"}, "why", 422),
        ({"from": "2026Q2", "why": "x"}, "from", 409),
        ({}, "from", 422),
    ],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_retirement_that_cant_be_says_why(
    looked_at: sa.Engine, fields: dict[str, str], field: str, status: int, language: str
):
    path = f"/rules/network_quality_bonus/retire?lang={language}"
    answer = post(browser_of(looked_at), path, fields)
    assert answer.status_code == status
    assert f'id="error-{field}"' in answer.text


# --- Who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["rep", "reseller", "distributor", "admin"])
def test_only_managers_write_rules_and_fund_budgets(looked_at: sa.Engine, who: str):
    client = browser_of(looked_at, CAST[who])
    path = "/rules/network_quality_bonus"
    acts = ("/retire", "/draft", "/draft/publish", "/draft/approve", "/draft/send-back")
    for act in (*acts, "/draft/discard"):
        assert post(client, f"{path}{act}", sent(MORE)).status_code == 403
    assert post(client, "/rules/new", sent(MORE)).status_code == 403
    assert post(client, "/budgets", {"code": "x", "points": "1", "why": "x"}).status_code == 403
    assert version_of(looked_at, BONUS.code) == 1


def test_a_form_from_elsewhere_is_refused(looked_at: sa.Engine):
    client = browser_of(looked_at)
    answer = client.post("/rules/new", data=sent(MORE), headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
