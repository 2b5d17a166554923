"""Forms and programs that come at once, to a service in processes of its own.

Two processes over PostgreSQL, one over SQLite. Of what is sent several times one is carried out;
whoever comes second reads what is now, and never that we failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import httpx
import pytest
import sqlalchemy as sa

from integrations.files.uploads import Upload
from integrations.webhooks.messages import MESSAGE
from partner_cx.database import open_database, reading
from partner_cx.effects import Effect
from partner_cx.journal import JournalLine
from partner_cx.network.people import Person
from partner_cx.network.scopes import Scope
from partner_cx.network.sessions import WebSession
from partner_cx.network.tokens import ApiToken
from partner_cx.operations.facts import OrderLine
from partner_cx.operations.imports import Import, Source
from rewards.ledger import Transfer
from rewards.restating.proposals import ProposalOutcome
from rewards.rulebook import RuleRetirement
from tests.api.admin.test_uploads_pages import FRENCH, POINTED
from tests.harness.api_clients import API, a_token
from tests.harness.cast import CAST, fresh_link
from tests.harness.databases import EACH_KIND, prepared_database
from tests.harness.decided_about import (
    HELD,
    PAID,
    PARKED,
    RESERVED,
    differences,
    much_to_decide,
    proposals_for,
)
from tests.harness.intake import order_line, partner
from tests.harness.programme import BONUS, QUARTER, seen, ticket
from tests.harness.service import browser, let_in, posts, service, together

EACH = 4  # how often each form is sent
Form = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class House:
    """A service under way, the database behind it, and who has signed in."""

    address: str
    engine: sa.Engine
    cookies: Mapping[str, Mapping[str, str]]

    def sent(self, who: str, *forms: Form) -> list[httpx.Response]:
        """What was answered to forms that somebody sent at once. Never that we failed."""
        answers = posts(self.address, self.cookies[who], forms)
        failed = [each for each in answers if each.status_code >= 500]
        assert not failed, failed[0].text
        return answers

    def each_sent(self, who: str, *forms: Form) -> Counter[int]:
        """The statuses, where each of some forms was sent several times at once."""
        return statuses(self.sent(who, *(forms * EACH)))

    def count(self, wanted: sa.Select[int]) -> int:
        with reading(self.engine) as session:
            return session.scalar(wanted) or 0

    def noted(self, did: str, about: str) -> int:
        """How often the journal says that something was done."""
        lines = sa.select(sa.func.count()).select_from(JournalLine)
        return self.count(lines.where(JournalLine.did == did, JournalLine.about == about))


@pytest.fixture(scope="module", params=EACH_KIND)
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    several = ("--processes", "2") if request.param == "postgresql" else ()
    with prepared_database(request.param, "much-to-decide", much_to_decide) as url:
        engine = open_database(url)
        cookies = {who: let_in(engine, who) for who in ("manager", "admin")}
        with service(url, "--no-work", *several) as serving:
            yield House(serving.address, engine, cookies)
        engine.dispose()


@pytest.fixture(autouse=True)
def sound(house: House) -> Iterator[None]:
    """Whatever was sent, an audit finds nothing afterwards."""
    yield
    assert differences(house.engine) == []


def statuses(answers: Sequence[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


def count_of(table: type, *conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table).where(*conditions)


# --- Points ---------------------------------------------------------------------------------------


def test_of_a_yes_and_a_no_to_an_award_one_counts(house: House):
    for rule in HELD[:3]:
        key = f"close:{QUARTER}:{rule.code}:R1"
        fields = {"key": key, "why": "so"}
        answered = house.each_sent("manager", ("/holds/approve", fields), ("/holds/refuse", fields))
        assert answered == {303: 1, 409: 2 * EACH - 1}
        settling = Transfer.key.in_([f"release:{key}", f"refuse:{key}"])
        assert house.count(count_of(Transfer, settling)) == 1
        assert house.noted("hold.approved", key) + house.noted("hold.refused", key) == 1


def test_of_a_yes_and_a_no_to_a_correction_one_counts(house: House):
    for rule in PAID[:3]:
        number = proposals_for(house.engine, rule.code)
        path = f"/restatements/{number}"
        answered = house.each_sent("manager", (f"{path}/approve", {}), (f"{path}/refuse", WHY))
        assert answered == {303: EACH, 409: EACH}  # the same answer again changes nothing
        outcomes = count_of(ProposalOutcome, ProposalOutcome.proposal_id == number)
        assert house.count(outcomes) == 1
        posted = house.count(count_of(Transfer, Transfer.proposal_id == number))
        approved = count_of(ProposalOutcome, ProposalOutcome.proposal_id == number, YES)
        assert posted == house.count(approved)


def test_an_award_goes_one_way_though_a_correction_takes_it_back_at_once(house: House):
    for rule in HELD[3:]:
        number = proposals_for(house.engine, rule.code)
        fields = {"key": f"close:{QUARTER}:{rule.code}:R1", "why": "so"}
        house.each_sent(
            "manager",
            ("/holds/approve", fields),
            ("/holds/refuse", fields),
            (f"/restatements/{number}/approve", {}),
        )


def test_a_budget_is_funded_once_by_one_form(house: House):
    fields = {"key": "spring", "points": "700", "why": "Spring", "code": "spring"}
    assert house.each_sent("manager", ("/budgets", fields)) == {303: EACH}
    assert house.count(count_of(Transfer, Transfer.key == "fund:form:spring")) == 1
    assert house.noted("budget.funded", "spring") == 1


def test_a_reservation_is_given_back_once(house: House):
    path = f"/budgets/{BONUS.budget}/release"
    for key in RESERVED[:3]:
        forms = [(path, {"key": key, "why": f"Reason {number}"}) for number in range(EACH)]
        assert statuses(house.sent("manager", *forms)) == {303: 1, 422: EACH - 1}


def test_a_quarters_close_is_owed_once(house: House):
    fields = {"agreed": "yes"}
    assert house.each_sent("manager", ("/closes/2026Q3", fields)) == {303: EACH}
    assert house.count(count_of(Effect, Effect.kind == "close_period")) == 1


# --- Rules ----------------------------------------------------------------------------------------


def test_a_rule_is_retired_once_from_one_day(house: House):
    path = f"/rules/{PAID[3].code}/retire"
    forms = [(path, {"from": day, "why": "Over"}) for day in ("2026-10-01", "2027-01-01")]
    assert house.each_sent("manager", *forms) == {303: EACH, 409: EACH}
    retired = count_of(RuleRetirement, RuleRetirement.code == PAID[3].code)
    assert house.count(retired) == 1
    assert house.noted("rule.retired", PAID[3].code) == 1


def test_a_draft_is_thrown_away_once(house: House):
    token = token_for(house, Scope.RULES)
    source = PAID[4].to_yaml()
    with browser(house.address) as system:
        headers = {"Authorization": f"Bearer {token}"}
        path = f"{API}/drafts/{PAID[4].code}"
        kept = system.put(path, json={"yaml": source}, headers=headers)
        assert kept.status_code == 200, kept.text

    def throw_away() -> int:
        with browser(house.address) as client:
            return client.delete(path, headers=headers).status_code

    assert Counter(together(*[throw_away] * EACH)) == {204: 1, 404: EACH - 1}
    assert house.noted("rule.dropped", PAID[4].code) == 1


# --- What is owed ---------------------------------------------------------------------------------


def test_an_effect_is_given_up_once(house: House):
    for key in PARKED[:3]:
        fields = {"key": key, "because": "Nobody wants it"}
        answered = house.each_sent("admin", ("/admin/effects/drop", fields))
        assert answered == {303: 1, 422: EACH - 1}
        assert house.noted("effect.dropped", key) == 1


def test_of_trying_again_and_giving_up_one_is_the_last_word(house: House):
    key = PARKED[3]
    house.each_sent(
        "admin",
        ("/admin/effects/drop", {"key": key, "because": "Nobody wants it"}),
        ("/admin/effects/retry", {"key": key}),
    )
    assert house.noted("effect.dropped", key) == 1
    assert house.count(count_of(Effect, Effect.key == key, Effect.done_at.is_not(None))) == 1


def test_a_webhook_is_told_again_once_and_ended_once(house: House):
    again = ("/admin/webhooks/1/replay", {"hours": "24"})
    assert house.each_sent("admin", again) == {303: EACH}
    assert house.count(count_of(Effect, Effect.kind == MESSAGE, Effect.done_at.is_(None))) == 3
    assert house.each_sent("admin", ("/admin/webhooks/1/end", {"sure": "yes"})) == {303: EACH}
    assert house.noted("endpoint.changed", "endpoint 1") == 2  # owed again once, ended once


# --- People and systems ---------------------------------------------------------------------------


def test_somebody_is_added_once_and_ended_once(house: House):
    said = {"email": "new@r2.example", "name": "New", "role": "partner", "partner_code": "R2"}
    assert house.each_sent("admin", ("/admin/people/new", said)) == {303: 1, 422: EACH - 1}
    assert house.noted("person.changed", said["email"]) == 1
    number = house.count(sa.select(Person.id).where(Person.email == said["email"]))
    ended = (f"/admin/people/{number}/end", {"sure": "yes"})
    assert house.each_sent("admin", ended) == {303: EACH}
    assert house.noted("person.ended", said["email"]) == 1
    assert house.each_sent("admin", (f"/admin/people/{number}/back", {})) == {303: EACH}
    assert house.noted("person.changed", said["email"]) == 2


def test_a_token_is_taken_back_once(house: House):
    token_for(house, Scope.READ, name="portal")
    number = house.count(sa.select(ApiToken.id).where(ApiToken.name == "portal"))
    ended = (f"/admin/tokens/{number}/end", {"sure": "yes"})
    assert house.each_sent("admin", ended) == {303: EACH}
    assert house.noted("token.ended", "portal") == 1


def test_a_mailed_link_lets_one_browser_in(house: House):
    path = fresh_link(house.engine, "rep", now=datetime.now(UTC))
    answers = posts(house.address, {}, [(path, {})] * EACH)
    assert statuses(answers) == {303: 1, 410: EACH - 1}
    rep = sa.select(Person.id).where(Person.email == CAST["rep"]).scalar_subquery()
    assert house.count(count_of(WebSession, WebSession.person_id == rep)) == 1


# --- What comes in --------------------------------------------------------------------------------


def test_a_file_is_taken_in_once(house: House):
    with browser(house.address, house.cookies["admin"]) as ada:
        path = ada.post("/admin/uploads", files={"file": ("x.csv", FRENCH)}).headers["location"]
        preview = ada.post(path, data=POINTED).headers["location"]
        assert ada.get(preview).status_code == 200
    before = house.count(count_of(Import))
    assert house.each_sent("admin", (f"{path}/take", {})) == {303: EACH}
    assert house.count(count_of(Import)) == before + 1
    kept = [(f"{path}/keep", {"name": "ERP"}), (f"{path}/drop", {"sure": "yes"})]
    answered = house.each_sent("admin", *kept)
    assert set(answered) <= {303, 404}
    assert house.count(count_of(Upload, Upload.id == int(path.rsplit("/", 1)[1]))) == 0


def test_one_key_is_carried_out_once_by_whichever_process(house: House):
    token = token_for(house, Scope.FACTS)
    rows = [order_line(f"key-{number}") for number in range(50)]

    def send(rows: Sequence[Mapping[str, str | None]]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "once"}
        body = {"source": "key", "rows": rows}
        with browser(house.address) as client:
            return client.post(f"{API}/facts/order-lines", json=body, headers=headers)

    answers = together(*[lambda: send(rows)] * 8)
    assert statuses(answers) == {200: 8}
    assert len({each.text for each in answers}) == 1
    assert sum("idempotent-replay" not in each.headers for each in answers) == 1
    assert send(rows[:1]).status_code == 422
    assert house.count(count_of(OrderLine, OrderLine.source_id.startswith("key-"))) == 50


def test_the_first_facts_of_a_source_come_in_whichever_kind_they_are(house: House):
    token = token_for(house, Scope.FACTS)
    of_kind = {
        "partners": partner("N1"),
        "order-lines": order_line("first"),
        "tickets": ticket("first", "R1", "30"),
        "portal-events": seen("first", "R1"),
    }

    def send(kind: str, row: Mapping[str, str | None], source: str) -> httpx.Response:
        body = {"source": source, "rows": [row]}
        headers = {"Authorization": f"Bearer {token}"}
        with browser(house.address) as client:
            return client.post(f"{API}/facts/{kind}", json=body, headers=headers)

    for number in range(5):
        answers = together(
            *(partial(send, kind, row, f"new {number}") for kind, row in of_kind.items())
        )
        assert statuses(answers) == {200: len(of_kind)}, [each.text for each in answers]
        assert house.count(count_of(Source, Source.code == f"new {number}")) == 1


YES = ProposalOutcome.approved.is_(True)
WHY = {"why": "Our mistake"}


def token_for(house: House, *scopes: Scope, name: str = "erp") -> str:
    return a_token(house.engine, *scopes, made=datetime.now(UTC), name=name)
