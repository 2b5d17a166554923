"""An Odoo that is down, slow, behind a broken proxy, or not the one that was meant."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integrations.odoo.connection import Patience, _Again, connect
from integrations.odoo.connection.errors import (
    KeyRefused,
    NoAnswer,
    NoSuchDatabase,
    NotAllowed,
    NotConfigured,
)
from partner_cx.errors import Refused
from tests.harness.certificates import certificate_of_ones_own
from tests.harness.odoo_replay import (
    AT_ONCE,
    DATABASE,
    Asked,
    Fails,
    HangsUp,
    Page,
    Reply,
    Scripted,
    scripted_odoo,
    serving,
    settings_for,
)

BOTH = pytest.mark.parametrize("version", [18, 19])
ROW = {"id": 4, "name": "Maison Verte"}


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Replies one after the other, logins aside; the last one for ever."""
    left = list(replies)

    def answer(asked: Asked) -> Reply:
        if asked.method == "login":
            return None
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


BAD_ANSWERS = {
    "a proxy without an Odoo": (Page("<h1>502 Bad Gateway</h1>", 502), "status 502"),
    "an Odoo that can't start": (Page("<h1>Internal Server Error</h1>", 500), "trouble of its own"),
    "too many requests": (Page("slower", 429, {"Retry-After": "0"}), "too many requests"),
    "a page of maintenance": (Page("<h1>We are back soon</h1>"), "a page instead of data"),
    "half an answer": (Page('[{"id": 4, "na', 200), "can't be read whole"),
    "an answer cut off": (Page('[{"id": 4, "na', 200, cut=True), "broke off"),
    "a closed connection": (HangsUp(), "broke off"),
    "data of another kind": (Page('{"jsonrpc": "2.0", "result": {"ok": true}}'), "be read whole"),
    "another program's data": (Page('{"error": "down"}'), "be read whole"),
    "an answer that isn't text": (Page("[]", 200, {"Content-Encoding": "gzip"}), "be read whole"),
}


@BOTH
@pytest.mark.parametrize(("bad", "words"), BAD_ANSWERS.values(), ids=list(BAD_ANSWERS))
def test_a_bad_answer_is_asked_for_again_and_then_told(version: int, bad: Reply, words: str):
    script = Scripted(version, in_turn(bad))
    with scripted_odoo(script) as odoo:
        with pytest.raises(NoAnswer, match=words) as failed:
            odoo.search_read("res.partner", [], ["name"])
        assert odoo.address in str(failed.value)
    assert not failed.value.maybe_done
    assert script.called().count("res.partner.search_read") >= 1


@BOTH
def test_one_bad_answer_is_got_over(version: int):
    script = Scripted(version, in_turn(Page(status=503), HangsUp(), [ROW]))
    with scripted_odoo(script) as odoo:
        assert odoo.search_read("res.partner", [], ["name"]) == [ROW]
    assert script.called().count("res.partner.search_read") == 3


@BOTH
@pytest.mark.parametrize("bad", [Page(status=504), HangsUp(), Page("{", cut=True)])
def test_a_write_without_an_answer_is_not_sent_again_as_nobody_knows(version: int, bad: Reply):
    script = Scripted(version, in_turn(bad))
    with scripted_odoo(script) as odoo, pytest.raises(NoAnswer, match="is unknown") as failed:
        odoo.create("loyalty.card", [{"points": 1}])
    assert failed.value.maybe_done
    assert script.called().count("loyalty.card.create") == 1


@BOTH
@pytest.mark.parametrize("slow", [Page("[]", after=1.4), Page("[" + " " * 60 + "]", drip=True)])
def test_what_takes_too_long_is_given_up(version: int, slow: Page):
    script = Scripted(version, in_turn(slow))
    with (
        serving(script) as address,
        connect(settings_for(address, odoo_timeout_seconds=1), patience=Patience(tries=1)) as odoo,
        pytest.raises(NoAnswer, match="took too long for") as failed,
    ):
        odoo.write("res.partner", [4], {"comment": "x"})
    assert failed.value.maybe_done
    assert "PARTNER_CX_ODOO_TIMEOUT_SECONDS" in failed.value.remedy


@BOTH
def test_a_slow_odoo_is_not_asked_the_same_again_and_again(version: int):
    script = Scripted(version, in_turn(Page("[]", after=1.2)))
    with (
        serving(script) as address,
        connect(settings_for(address, odoo_timeout_seconds=1), patience=AT_ONCE) as odoo,
        pytest.raises(NoAnswer, match="took too long"),
    ):
        odoo.search_read("res.partner", [], ["name"])
    assert script.called().count("res.partner.search_read") == AT_ONCE.tries_when_slow


@pytest.mark.parametrize(
    ("asked", "waited"), [("0", 0.0), ("7", 7.0), ("86400", 60.0), (None, True)]
)
def test_a_server_may_say_when_to_come_again(asked: str | None, waited: float):
    headers = {"Retry-After": asked} if asked else {}
    script = Scripted(19, in_turn(Page("", 429, headers)))
    with scripted_odoo(script) as odoo, pytest.raises(NoAnswer) as failed:
        odoo.write("res.partner", [4], {"comment": "x"})
    assert _Again(Patience())(failed.value) == waited


@BOTH
def test_the_settings_say_how_long_is_waited_and_not_the_library(version: int):
    with scripted_odoo(Scripted(version, in_turn([])), odoo_timeout_seconds=90) as odoo:
        assert odoo._wire._client.timeout.read == 90  # its JSON-RPC gives up after five


def test_an_odoo_that_is_down_is_said_to_be():
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(NoAnswer, match="nobody answers there") as failed:
        connect(settings_for(address), patience=AT_ONCE)
    assert not failed.value.maybe_done


def test_a_write_to_an_odoo_that_went_down_was_not_carried_out():
    script = Scripted(19, in_turn([]))
    with serving(script) as address:
        odoo = connect(settings_for(address), patience=AT_ONCE)
    with odoo, pytest.raises(NoAnswer, match="was not carried out") as failed:
        odoo.write("res.partner", [4], {"comment": "x"})
    assert not failed.value.maybe_done


def test_a_name_that_no_machine_has_is_said_to_be_unknown():
    with pytest.raises(NoAnswer, match="no machine of that name"):
        connect(settings_for("http://odoo.invalid"), patience=AT_ONCE)


# --- The key and the rights -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "revoked"),
    [
        (18, Fails("odoo.exceptions.AccessDenied")),
        (19, Fails("werkzeug.exceptions.Unauthorized", "Invalid apikey")),
    ],
)
def test_a_key_revoked_midway_stops_the_reading(version: int, revoked: Fails):
    with scripted_odoo(Scripted(version, in_turn([ROW], revoked))) as odoo:
        pages = odoo.pages("res.partner", [], ["name"], size=1)
        assert next(pages) == [ROW]
        with pytest.raises(KeyRefused):
            next(pages)


@BOTH
def test_rights_lost_on_one_model_name_it_and_leave_the_others(version: int):
    def answer(asked: Asked) -> Reply:
        if asked.model == "account.move":
            return Fails("odoo.exceptions.AccessError", "You are not allowed.")
        return None if asked.method == "login" else [ROW]

    with scripted_odoo(Scripted(version, answer)) as odoo:
        with pytest.raises(NotAllowed) as refused:
            odoo.search_read("account.move", [], ["name"])
        assert odoo.search_read("res.partner", [], ["name"]) == [ROW]
    assert refused.value.model == "account.move"
    assert refused.value.group == "account.group_account_readonly"


# --- Addresses ------------------------------------------------------------------------------


@BOTH
def test_an_odoo_may_stand_behind_a_path_and_a_port(version: int):
    with scripted_odoo(Scripted(version, in_turn([ROW]), prefix="/erp/odoo")) as odoo:
        assert odoo.address.endswith("/erp/odoo")
        assert odoo.search_read("res.partner", [], ["name"]) == [ROW]
        assert odoo.version == (version, 0)
        assert odoo.protocol == {18: "JSON-RPC", 19: "JSON-2"}[version]


@BOTH
def test_odoo_is_spoken_with_over_tls(version: int, tmp_path: Path, monkeypatch):
    certificate = certificate_of_ones_own(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(Scripted(version, in_turn([ROW])), tls=context) as address:
        with pytest.raises(NoAnswer, match="can't be spoken with safely: self-signed certificate"):
            connect(settings_for(address), patience=AT_ONCE)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with connect(settings_for(address), patience=AT_ONCE) as odoo:
            assert odoo.search_read("res.partner", [], ["name"]) == [ROW]


def test_https_written_for_http_is_said_to_be():
    with serving(Scripted(19, in_turn([]))) as address:
        written = address.replace("http:", "https:")
        with pytest.raises(NoAnswer, match="it doesn't speak HTTPS"):
            connect(settings_for(written), patience=AT_ONCE)


REDIRECTS = {
    "to HTTPS": ("https://erp.brand.example/web", "https://erp.brand.example/web"),
    "to a login": ("/web/login?redirect=%2Fjsonrpc", "where people sign in"),
    "to somebody's sign-on": ("https://sso.brand.example/login?x=1", "where people sign in"),
}


@BOTH
@pytest.mark.parametrize(("to", "words"), REDIRECTS.values(), ids=list(REDIRECTS))
def test_a_redirect_is_told_and_not_followed(version: int, to: str, words: str):
    script = Scripted(version, in_turn([]), before=lambda _: Page("", 303, {"Location": to}))
    with serving(script) as address, pytest.raises(NotConfigured, match=words) as refused:
        connect(settings_for(address), patience=AT_ONCE)
    assert "redirect=" not in str(refused.value)
    assert script.asked == []


@BOTH
def test_a_redirect_to_login_in_the_middle_is_a_matter_of_setting_up(version: int):
    login = Page("", 303, {"Location": "/web/login"})
    with scripted_odoo(Scripted(version, in_turn(login))) as odoo, pytest.raises(NotConfigured):
        odoo.count("res.partner")


@pytest.mark.parametrize("page", ["/web/login", "/web/database/selector"])
def test_an_older_odoo_that_sends_what_it_doesnt_know_to_its_pages_is_known(page: str):
    script = Scripted(
        18,
        in_turn([ROW]),
        before=lambda path: Page("", 303, {"Location": page}) if "version" in path else None,
    )
    with scripted_odoo(script) as odoo:
        assert odoo.version == (18, 0)
        assert odoo.search_read("res.partner", [], ["name"]) == [ROW]


def test_a_server_that_is_no_odoo_is_not_taken_for_one():
    script = Scripted(18, in_turn([]), before=lambda _: Page("<h1>Not Found</h1>", 404))
    with serving(script) as address, pytest.raises(NotConfigured, match="isn't an Odoo"):
        connect(settings_for(address), patience=AT_ONCE)


def test_a_proxy_that_lets_only_pages_through_is_told_of():
    closed = Page("<h1>Forbidden</h1>", 403)
    script = Scripted(19, in_turn([]), before=lambda path: closed if "json" in path else None)
    with scripted_odoo(script) as odoo, pytest.raises(NotConfigured, match="status 403"):
        odoo.count("res.partner")


def test_a_server_that_wants_a_database_named_says_so():
    reply = Page("<p>No database is selected</p>", 404)
    with (
        scripted_odoo(Scripted(19, in_turn(reply)), odoo_database=None) as odoo,
        pytest.raises(NoSuchDatabase, match="several databases"),
    ):
        odoo.count("res.partner")


def test_a_server_with_one_database_finds_it_by_itself():
    script = Scripted(19, in_turn(3))
    with scripted_odoo(script, odoo_database=None) as odoo:
        assert odoo.count("res.partner") == 3
    assert "X-Odoo-Database" not in script.asked[-1].headers
    with scripted_odoo(script) as odoo:
        odoo.count("res.partner")
    assert script.asked[-1].headers["X-Odoo-Database"] == DATABASE


MISSING = {
    "PARTNER_CX_ODOO_URL": {"odoo_url": None},
    "PARTNER_CX_ODOO_KEY": {"odoo_key": None},
    "PARTNER_CX_ODOO_DATABASE": {"odoo_database": None},
    "PARTNER_CX_ODOO_LOGIN": {"odoo_login": None},
}


@pytest.mark.parametrize(("variable", "given"), MISSING.items())
def test_a_setting_that_is_missing_is_named(variable: str, given: dict[str, Any]):
    script = Scripted(18, in_turn([]))
    with serving(script) as address, pytest.raises(NotConfigured, match=variable):
        connect(replace(settings_for(address), **given), patience=AT_ONCE)


def test_a_key_that_no_header_can_carry_is_refused_before_it_is_sent():
    with serving(Scripted(19, in_turn([]))) as address, pytest.raises(Refused) as refused:
        connect(settings_for(address, odoo_key="clé\nsecrète"), patience=AT_ONCE)
    assert "PARTNER_CX_ODOO_KEY" in str(refused.value)
    assert "secr" not in str(refused.value)


def test_cookies_of_odoo_are_not_kept():
    script = Scripted(19, in_turn(Page("3", 200, {"Set-Cookie": "session_id=abc; Path=/"}), 3))
    with scripted_odoo(script) as odoo:
        odoo.count("res.partner")
        odoo.count("res.partner")
    assert "Cookie" not in script.asked[-1].headers


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ([18, 0, 0, "final", 0, ""], (18, 0)),
        (["saas~18", 3, 0, "final", 0, ""], (18, 3)),
        ([19, "1a1", 0, "alpha", 1, ""], (19, 1)),
        (["?", "x"], None),
        ("19.0", None),
    ],
)
def test_versions_are_read_as_odoo_writes_them(told, version):
    from integrations.odoo.connection.versions import numbers

    assert numbers(told) == version
