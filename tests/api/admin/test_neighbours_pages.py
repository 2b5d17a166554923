"""Tokens, effects, letters, webhooks, Odoo and health: shown, acted upon, told in words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from integrations.carrying import Hands
from integrations.odoo.state import OdooCursor
from integrations.webhooks.endpoints import WebhookEndpoint
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed, owe_all
from partner_cx.journal import JournalLine
from partner_cx.network.letter_choices import choose, note_bounce
from partner_cx.network.tokens import ApiToken, holder_of
from tests.harness.administering import WITH_MAIL, administrator, filled_in, words
from tests.harness.cast import SECRET, the_cast
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

PORTAL = "https://93.184.215.14/partner-cx"
WITH_ODOO = replace(SETTINGS, odoo_url="http://127.0.0.1:9", odoo_key="never shown to anybody")


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


def did(engine: sa.Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(sa.select(JournalLine.did).order_by(JournalLine.id)))


def parked(engine: sa.Engine, count: int, kind: str = "strange") -> None:
    def work(session: sa.orm.Session) -> None:
        owe_all(session, [Owed(kind, f"{kind}:{number:03}") for number in range(count)], now=NOW)
        session.execute(
            sa.update(Effect)
            .where(Effect.kind == kind)
            .values(parked_at=NOW, parked_because="The other side says no.")
        )

    transact(engine, work)


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_is_shown_once_works_and_is_taken_back(network: sa.Engine):
    ada = administrator(network)
    made = filled_in(
        ada, "/admin/tokens", name="portal", scopes="read", lasts="30", partner_code="R2"
    )
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    [token] = re.findall(r"pcx_[\w-]+", made.text)
    with reading(network) as session:
        held = holder_of(session, token, now=NOW)
        assert held is not None
        assert held.partner_id is not None
        assert held.expires_at == NOW + timedelta(days=30)
    page = ada.get("/admin/tokens")
    assert token not in page.text
    assert "portal" in words(page)
    assert filled_in(ada, "/admin/tokens/1/end").status_code == 422
    for _ in range(2):
        assert filled_in(ada, "/admin/tokens/1/end", sure="yes").status_code == 303
    with reading(network) as session:
        assert holder_of(session, token, now=NOW) is None
    assert did(network) == ["token.made", "token.ended"]
    assert token not in str(did(network))


def test_a_token_is_made_for_any_partner_that_a_file_may_name(network: sa.Engine):
    code = "Pompes\u00a0&\u202fCie"
    take(network, "partners", partner(code, parent_code="D1"))
    given = {"name": "portal", "scopes": "read", "partner_code": code}
    assert filled_in(administrator(network), "/admin/tokens", **given).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "", "scopes": "read"}, "name"),
        ({"name": "x\0", "scopes": "read"}, "name"),
        ({"name": "x" * 200, "scopes": "read"}, "name"),
        ({"name": "x"}, "scopes"),
        ({"name": "x", "scopes": "everything"}, "scopes"),
        ({"name": "x", "scopes": "read", "lasts": "soon"}, "lasts"),
        ({"name": "x", "scopes": "read", "partner_code": "??\0"}, "partner_code"),
        ({"name": "x", "scopes": "odoo", "partner_code": "R2"}, "partner_code"),
    ],
)
def test_a_token_that_cant_be_is_refused(network: sa.Engine, given: dict[str, str], field: str):
    answer = filled_in(administrator(network), "/admin/tokens", **given)
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    with reading(network) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0


def test_a_token_form_that_is_sent_twice_makes_one(network: sa.Engine):
    given = {"name": "portal", "scopes": "read"}
    first, second = (filled_in(administrator(network), "/admin/tokens", **given) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 422)
    assert "made a moment ago" in words(second)
    assert did(network) == ["token.made"]
    later = administrator(network, now=NOW + timedelta(minutes=2))  # the next one, before it ends
    assert filled_in(later, "/admin/tokens", **given).status_code == 200


def test_a_webhook_form_that_is_sent_twice_makes_one(network: sa.Engine):
    ada = administrator(network)
    first, second = (filled_in(ada, "/admin/webhooks", url=PORTAL) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 422)
    assert "added a moment ago" in words(second)
    assert did(network) == ["endpoint.changed"]


# --- Effects --------------------------------------------------------------------------------------


def test_a_parked_effect_says_why_and_is_retried_once(network: sa.Engine):
    parked(network, 1)
    ada = administrator(network)
    assert "The other side says no." in words(ada.get("/admin/effects?show=parked"))
    first, second = (filled_in(ada, "/admin/effects/retry", kind="strange") for _ in range(2))
    assert "said=retried&count=1" in first.headers["location"]
    assert "said=none" in second.headers["location"]
    assert did(network) == ["effect.retried"]


def test_an_effect_is_dropped_with_a_reason_only(network: sa.Engine):
    parked(network, 2)
    ada = administrator(network)
    for because in ("", "two\nlines", "x" * 400):
        answer = filled_in(ada, "/admin/effects/drop", key="strange:000", because=because)
        assert answer.status_code == 422
    assert (
        filled_in(ada, "/admin/effects/drop", key="strange:000", because="gone").status_code == 303
    )
    again = filled_in(ada, "/admin/effects/drop", key="strange:000", because="gone")
    assert again.status_code == 422
    assert "gone" in words(ada.get("/admin/effects?show=done"))
    assert filled_in(ada, "/admin/effects/drop", key="nowhere", because="x").status_code == 404
    assert filled_in(ada, "/admin/effects/retry").status_code == 422


def test_effects_are_paged_and_ask_as_often(network: sa.Engine):
    parked(network, 3)
    ada = administrator(network)
    ada.get("/admin/effects?show=parked")
    with counted(network) as few:
        ada.get("/admin/effects?show=parked")
    parked(network, 60, "other")
    with counted(network) as many:
        page = ada.get("/admin/effects?show=parked")
    assert many.count == few.count
    assert "page=2" in page.text
    for query in ("show=%00", "kind=%00", "page=0", "key=%00"):
        assert ada.get(f"/admin/effects?{query}").status_code in (200, 422)
        assert ada.get(f"/admin/effects/one?{query}").status_code in (404, 422)


# --- Letters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_letter_is_shown_in_a_frame_that_may_do_nothing(network: sa.Engine, language: str):
    ada = administrator(network)
    page = ada.get(f"/admin/letters?lang={language}").text
    letters = set(re.findall(rf"/admin/letters/(\w+)/{language}\"", page))
    assert len(letters) > 5
    for letter in sorted(letters):
        shown = ada.get(f"/admin/letters/{letter}/{language}")
        assert "sandbox" in shown.text
        framed = ada.get(f"/admin/letters/{letter}/{language}/html")
        assert framed.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert framed.headers["x-frame-options"] == "SAMEORIGIN"
    assert ada.get("/admin/letters/nothing/en").status_code == 404
    assert ada.get("/admin/letters/sign_in_link/de").status_code == 404


def test_stopped_addresses_are_shown_and_allowed_again(network: sa.Engine):
    def work(session: sa.orm.Session) -> None:
        choose(session, "a@x.example", "points", wanted=False, through="page", now=NOW)
        note_bounce(
            session,
            message_id="m1",
            email="b@x.example",
            hard=True,
            status="5.1.1",
            reason="no such user",
            now=NOW - timedelta(hours=1),
        )

    transact(network, work)
    ada = administrator(network)
    said = words(ada.get("/admin/letters"))
    assert "a@x.example" in said
    assert "5.1.1 no such user" in said
    for given in ({"email": "a@x.example", "topic": "points"}, {"email": "b@x.example"}):
        answer = filled_in(ada, "/admin/letters/allow", **given)
        assert "said=allowed" in answer.headers["location"]
    again = filled_in(ada, "/admin/letters/allow", email="a@x.example", topic="points")
    assert "said=not_stopped" in again.headers["location"]
    assert filled_in(ada, "/admin/letters/allow", email="\0").status_code in (303, 422)


# --- Webhooks -------------------------------------------------------------------------------------


def test_an_endpoints_secret_is_shown_once_and_made_anew(network: sa.Engine):
    ada = administrator(network)
    made = filled_in(ada, "/admin/webhooks", url=PORTAL, events="entry.posted")
    [secret] = re.findall(r"whsec_[\w+/=]+", made.text)
    assert secret not in ada.get("/admin/webhooks/1").text
    anew = filled_in(ada, "/admin/webhooks/1/rotate", keep="24")
    assert re.findall(r"whsec_[\w+/=]+", anew.text) != [secret]
    assert filled_in(ada, "/admin/webhooks/1/rotate", keep="x").status_code == 422
    assert "entry.posted" in words(ada.get("/admin/webhooks"))


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "https://127.0.0.1/x", "http://x.example", "\0", "https://a:b@x"]
)
def test_messages_go_to_sound_addresses_only(network: sa.Engine, url: str):
    answer = filled_in(administrator(network), "/admin/webhooks", url=url)
    assert answer.status_code == 422
    assert 'href="#field-url"' in answer.text


def test_a_paused_endpoint_is_owed_its_messages_until_it_goes_on(network: sa.Engine):
    ada = administrator(network)
    filled_in(ada, "/admin/webhooks", url=PORTAL)
    assert filled_in(ada, "/admin/webhooks/1/pause").status_code == 303
    assert filled_in(ada, "/admin/webhooks/1/ping").status_code == 303
    carry_out_due(Hands(network, replace(SETTINGS, secret=SECRET), lambda: NOW))
    said = words(ada.get("/admin/webhooks/1"))
    assert "State paused" in said
    assert "Waiting 1 Parked 0" in said
    assert "Nothing sent yet" in said
    filled_in(ada, "/admin/webhooks/1/go-on")
    with reading(network) as session:
        assert session.scalars(sa.select(WebhookEndpoint.paused_at)).all() == [None]
    assert filled_in(ada, "/admin/webhooks/1/end").status_code == 422
    assert filled_in(ada, "/admin/webhooks/1/end", sure="yes").status_code == 303
    for act in ("ping", "replay", "rotate"):
        answer = filled_in(ada, f"/admin/webhooks/1/{act}", hours="24", keep="0")
        assert answer.status_code == 422
    assert ada.get("/admin/webhooks/99").status_code == 404


def test_endpoints_ask_as_often_however_many_there_are(network: sa.Engine):
    ada = administrator(network)
    filled_in(ada, "/admin/webhooks", url=PORTAL)
    ada.get("/admin/webhooks")
    with counted(network) as few:
        ada.get("/admin/webhooks")
    for _ in range(5):
        filled_in(ada, "/admin/webhooks", url=PORTAL)
    with counted(network) as many:
        ada.get("/admin/webhooks")
    assert many.count == few.count


# --- Odoo -----------------------------------------------------------------------------------------


def test_without_an_odoo_the_page_says_how_to_connect_one(network: sa.Engine):
    ada = administrator(network)
    assert "No Odoo is connected" in words(ada.get("/admin/odoo"))
    for page in ("check", "preview"):
        assert "nothing to" in words(ada.get(f"/admin/odoo/{page}"))
    assert "not_connected" in filled_in(ada, "/admin/odoo/sync").headers["location"]


def test_an_odoo_that_isnt_there_is_told_in_words_and_its_key_never(network: sa.Engine):
    ada = administrator(network, settings=WITH_ODOO)
    for path in ("/admin/odoo", "/admin/odoo/check", "/admin/odoo/preview", "/admin"):
        answer = ada.get(path)
        assert answer.status_code == 200
        assert "never shown" not in answer.text
    assert "The connection doesn’t work." in words(ada.get("/admin/odoo/check"))


def test_an_odoo_read_by_a_command_counts_as_read(network: sa.Engine):
    ada = administrator(network, settings=WITH_ODOO)
    assert "never read yet" in words(ada.get("/admin"))
    transact(network, lambda session: session.add(OdooCursor(stream="orders", finished_at=NOW)))
    said = words(ada.get("/admin"))
    assert "never read yet" not in said
    assert "The last reading came to its end." in said


def test_reading_is_owed_once_while_it_waits(network: sa.Engine):
    ada = administrator(network, settings=WITH_ODOO)
    assert "said=owed" in filled_in(ada, "/admin/odoo/sync").headers["location"]
    assert "said=waiting" in filled_in(ada, "/admin/odoo/sync").headers["location"]
    with reading(network) as session:
        assert session.scalars(sa.select(Effect.kind)).all() == ["odoo.sync"]
    assert ada.get("/admin").status_code == 200  # the schedule's own keys are still read


# --- Health ---------------------------------------------------------------------------------------


def test_health_tells_each_doubt_with_what_to_do(network: sa.Engine):
    parked(network, 2)
    said = words(administrator(network).get("/admin"))
    assert "No worker has ever run here" in said
    assert "2 effects are parked" in said
    assert "Mail isn’t set up" in said


def test_health_is_well_once_a_worker_is_at_work(network: sa.Engine):
    from integrations import schedule

    schedule.plan(network, settings=WITH_MAIL, now=NOW)
    ada = administrator(network, settings=WITH_MAIL)
    assert "At work" in words(ada.get("/admin"))
    later = administrator(network, settings=WITH_MAIL, now=NOW + timedelta(days=2))
    assert "Nobody keeps the schedule" in words(later.get("/admin"))


PAGES = (
    "/admin", "/admin/people", "/admin/people/new", "/admin/people/1", "/admin/tokens",
    "/admin/sources", "/admin/sources?show=imports", "/admin/sources/imports/1", "/admin/uploads",
    "/admin/odoo", "/admin/effects", "/admin/effects?show=parked", "/admin/letters",
    "/admin/letters/sign_in_link/en", "/admin/webhooks",
    f"/admin/effects/one?{urlencode({'key': 'strange:000'})}",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_built_for_everyone(network: sa.Engine, language: str):
    parked(network, 1)
    ada = administrator(network)
    for path in PAGES:
        page = ada.get(path, params={"lang": language} | dict(ada.get(path).url.params)).text
        assert f'<html lang="{language}">' in page
        assert len(re.findall(r"<h1", page)) == 1, path
        assert len(re.findall(r"<table", page)) == len(re.findall(r"<caption", page)), path
        identities = re.findall(r'\bid="([^"]+)"', page)
        assert len(identities) == len(set(identities)), path
        assert "style=" not in page
        assert "<script>" not in page
