"""Letters at the doors: stopping them, asking for a sign-in link, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from api.app import make_app
from api.cli import app
from api.rates import LINKS_PER_ADDRESS, LINKS_PER_CLIENT
from integrations.mail import addresses
from integrations.mail.identity import stop_token
from integrations.mail.letters import LETTERS
from integrations.mail.sending import KIND
from integrations.mail.topics import TOPICS
from partner_cx.database import open_database, reading, transact
from partner_cx.effects import Effect
from partner_cx.network.departures import depart
from partner_cx.network.letter_choices import note_bounce, wants
from partner_cx.network.sign_in_links import person_called
from tests.harness.cast import CAST, HOME_ADDRESS, a_closed_programme
from tests.harness.counting import counted
from tests.harness.databases import prepared_database
from tests.harness.intake import take
from tests.harness.mail_server import SECRET, SETTINGS, Post, mail_server
from tests.harness.programme import NOW

OWN = {"Origin": HOME_ADDRESS}
DORA, MIA = CAST["distributor"], CAST["manager"]
WITH_MAIL = replace(SETTINGS, mail_host="mail.brand.example")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with prepared_database(request.param, "letters at the doors", a_closed_programme) as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    opened = open_database(url)
    yield opened
    opened.dispose()


def door(engine: sa.Engine, *, later: timedelta = timedelta(), settings=WITH_MAIL) -> TestClient:
    served = make_app(engine, settings, clock=lambda: NOW + later)
    return TestClient(served, base_url=HOME_ADDRESS, follow_redirects=False)


def stop_link(topic: str = "points", email: str = DORA) -> str:
    return f"/letters/stop/{stop_token(email, topic, secret=SECRET)}"


def wanted(engine: sa.Engine, topic: str = "points") -> bool:
    with reading(engine) as session:
        return wants(session, DORA, topic)


def owed(engine: sa.Engine) -> list[Effect]:
    with reading(engine) as session:
        found = list(session.scalars(sa.select(Effect).where(Effect.kind == KIND)))
        session.expunge_all()
        return found


# --- Stopping -------------------------------------------------------------------------------------


def test_looking_at_the_link_stops_nothing_and_pressing_its_button_does(engine: sa.Engine):
    client = door(engine)
    page = client.get(stop_link())
    assert (page.status_code, DORA in page.text) == (200, True)
    assert wanted(engine)
    assert "are stopped" in client.post(stop_link(), headers=OWN).text
    assert (wanted(engine), wanted(engine, "digests")) == (False, True)
    assert "Send them again" in client.get(stop_link()).text
    client.post(stop_link(), data={"wanted": "yes"}, headers=OWN)
    assert wanted(engine)


@pytest.mark.parametrize("how", ["data", "files"])
def test_a_mail_program_stops_letters_by_one_click_without_a_session(engine: sa.Engine, how: str):
    one_click = {"List-Unsubscribe": "One-Click"}
    if how == "files":  # RFC 8058 allows multipart/form-data, too
        form: dict = {"files": {name: (None, value) for name, value in one_click.items()}}
    else:
        form = {"data": one_click}
    assert door(engine).post(stop_link(), **form).status_code == 200
    assert not wanted(engine)


@pytest.mark.parametrize("token", ["x", stop_token(DORA, "points", secret="another one"), "%00"])
def test_a_link_that_isnt_ours_is_nothing(engine: sa.Engine, token: str):
    for method in ("GET", "POST"):
        assert door(engine).request(method, f"/letters/stop/{token}").status_code == 404
    assert wanted(engine)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_page_speaks_both_languages(engine: sa.Engine, topic: str):
    for language, words in (("en", "Stop these letters"), ("fr", "Arrêter ces courriels")):
        page = door(engine).get(f"{stop_link(topic)}?lang={language}").text
        assert words in page
        assert TOPICS[topic].in_(language) in page


def test_letters_link_to_pages_that_are_there(engine: sa.Engine):
    client = door(engine)
    paths = [
        addresses.stop(WITH_MAIL, DORA, "points"),
        addresses.sign_in(WITH_MAIL, "x"),
        addresses.statement(WITH_MAIL, "FR/75 #1"),
        addresses.own_page(WITH_MAIL),
        addresses.network(WITH_MAIL),
        addresses.start(WITH_MAIL),
    ]
    found = [client.get(each.removeprefix(WITH_MAIL.base_url)).status_code for each in paths]
    assert set(found) <= {200, 303, 401}


# --- Asking for a link ----------------------------------------------------------------------------


def ask(client: TestClient, email: str, *, language: str = "en") -> tuple[int, str]:
    answer = client.post(f"/sign-in?lang={language}", data={"email": email}, headers=OWN)
    return answer.status_code, answer.text


def test_whoever_asks_gets_the_same_answer_and_only_the_known_a_letter(engine: sa.Engine):
    client = door(engine)
    assert "Send me a link" in client.get("/sign-in").text
    known, unknown = f" {DORA.upper()} ", "nobody@x.example"
    answers = {ask(client, email) for email in (known, unknown, "dora@d1.example.org", "d@é.x")}
    assert [status for status, _ in answers] == [202]
    [letter] = owed(engine)
    assert letter.payload["letter"] == "sign_in_link"
    assert "token" not in str(letter.payload)


@pytest.mark.parametrize(
    "email", ["", "  ", "dora", "@x.example", "a b@x.example", "a@\0", "a" * 400]
)
def test_what_isnt_an_address_is_said_so_beside_its_field(engine: sa.Engine, email: str):
    for language in ("en", "fr"):
        client = door(engine)
        status, page = ask(client, email, language=language)
        assert status == 422
        assert 'href="#field-email"' in page
        assert 'aria-invalid="true"' in page
    assert owed(engine) == []


def test_a_known_address_takes_as_many_steps_as_an_unknown_one(engine: sa.Engine):
    """What is asked of the database tells nobody who is known: neither by its number nor kind."""
    client = door(engine)
    ask(client, "first@x.example")  # begins the client's count
    kinds = []
    for email in (DORA, "nobody@x.example", MIA, "nobody@y.example"):
        with counted(engine) as asked:
            ask(client, email)
        kinds.append([statement.split()[0] for statement in asked.statements])
    assert kinds[0] == kinds[1] == kinds[2] == kinds[3]


def test_whoever_departed_gets_no_link_and_the_same_answer(engine: sa.Engine):
    client = door(engine)
    before = ask(client, DORA)

    def leave(session: sa.orm.Session) -> None:
        depart(session, person_called(session, DORA).id, by=MIA, now=NOW)

    transact(engine, leave)
    assert ask(client, DORA) == before
    assert len(owed(engine)) == 1


def test_nobody_is_flooded_with_links(engine: sa.Engine):
    client = door(engine)
    assert {ask(client, DORA)[0] for _ in range(LINKS_PER_ADDRESS.amount + 3)} == {202}
    assert len(owed(engine)) == LINKS_PER_ADDRESS.amount
    ask(door(engine, later=timedelta(hours=1)), DORA)
    assert len(owed(engine)) == LINKS_PER_ADDRESS.amount + 1


def test_one_client_cant_have_links_sent_to_everybody(engine: sa.Engine):
    many = [f"p{number}@brand.example" for number in range(LINKS_PER_CLIENT.amount + 5)]
    rows = [{"email": each, "name": "P", "role": "rep", "partner_code": None} for each in many]
    take(engine, "people", *rows)
    client = door(engine)
    assert {ask(client, each)[0] for each in many} == {202}
    assert len(owed(engine)) == LINKS_PER_CLIENT.amount


def test_the_link_leads_to_the_page_that_was_wanted(engine: sa.Engine):
    client = door(engine)
    turned_away = client.get("/kpis?of=otif")
    assert (turned_away.status_code, 'value="/kpis?of=otif"' in turned_away.text) == (401, True)
    for to in ("/kpis?of=otif", "//evil.example", "https://evil.example", "/\\evil.example"):
        client.post("/sign-in", data={"email": DORA, "to": to}, headers=OWN)
    assert [each.payload["about"] for each in owed(engine)] == [{"to": "/kpis?of=otif"}, {}, {}, {}]
    link = addresses.sign_in(WITH_MAIL, "x", "/kpis?of=otif").removeprefix(WITH_MAIL.base_url)
    assert 'action="/sign-in/x?to=/kpis%3Fof%3Dotif"' in client.get(link).text


def test_another_site_cant_ask(engine: sa.Engine):
    answer = door(engine).post(
        "/sign-in", data={"email": DORA}, headers={"Origin": "https://x.example"}
    )
    assert (answer.status_code, owed(engine)) == (403, [])


def test_without_a_mail_server_there_is_no_form(engine: sa.Engine):
    client = door(engine, settings=SETTINGS)
    assert '<form method="post" action="/sign-in"' not in client.get("/sign-in").text
    assert ask(client, DORA)[0] == 404


# --- Commands -------------------------------------------------------------------------------------


def command(*words: str, url: str | None = None) -> tuple[int, str, str]:
    said = [*words, "--database", url] if url else list(words)
    result = CliRunner().invoke(app, ["letters", *said] if words[0] != "link" else said)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARTNER_CX_DATA_FOLDER", str(tmp_path / "home"))
    return tmp_path


def test_every_letter_is_listed(at_home: Path):
    status, out, _ = command("list", "--format", "json", "--language", "fr")
    assert status == 0
    assert [row["letter"] for row in json.loads(out)] == list(LETTERS)


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_shown_as_text_and_as_files(at_home: Path, name: str):
    status, out, _ = command("show", name, "--language", "fr")
    assert (status, "http://127.0.0.1:8000/" in out) == (0, True)
    status, _, _ = command("show", name, "--language", "fr", "--to", str(at_home / "looks"))
    written = {file.suffix: file.read_bytes() for file in (at_home / "looks").iterdir()}
    assert (status, set(written)) == (0, {".html", ".txt", ".eml"})
    mail = message_from_bytes(written[".eml"], policy=policy.default)
    text, html = (part.get_content() for part in mail.iter_parts())
    assert text.replace("\r\n", "\n") == written[".txt"].decode()
    assert html.replace("\r\n", "\n").strip() == written[".html"].decode().strip()


def test_a_letter_is_shown_as_a_person_would_get_it(at_home: Path, url: str):
    status, out, _ = command("show", "quarterly_digest", "--person", CAST["reseller"], url=url)
    assert status == 0
    assert "Nearest way:" in out
    status, _, err = command("show", "points_earned", "--person", CAST["reseller"], url=url)
    assert (status, "nothing to write to" in err) == (2, True)
    status, _, err = command("show", "points_earned", "--person", "no@x.example", url=url)
    assert (status, "Nobody here" in err) == (2, True)


def test_an_unknown_letter_is_refused_with_the_nearest(at_home: Path):
    status, _, err = command("show", "weekly")
    assert (status, "Did you mean weekly_digest?" in err) == (2, True)


def test_a_test_letter_is_sent_at_once(at_home: Path, monkeypatch: pytest.MonkeyPatch):
    post = Post()
    with mail_server(at_home, post, security="none", login=False) as settings:
        for name in ("mail_host", "mail_port", "mail_security", "mail_from"):
            monkeypatch.setenv(f"PARTNER_CX_{name.upper()}", str(getattr(settings, name)))
        status, _, err = command("send-test", "ann@brand.example", "--language", "fr")
    assert (status, "took the letter" in err) == (0, True)
    [mail] = post.taken
    assert mail["List-Unsubscribe"] is None
    status, _, err = command("send-test", "ann@brand.example")
    assert (status, "can't be reached" in err) == (2, True)


def test_without_a_mail_server_a_test_letter_is_refused(at_home: Path):
    status, _, err = command("send-test", "ann@brand.example")
    assert (status, "mail_host" in err) == (2, True)


def test_stopped_addresses_are_listed_and_allowed_again(at_home: Path, engine: sa.Engine, url: str):
    bounced: dict[str, Any] = {
        "email": DORA,
        "hard": True,
        "status": "5.1.1",
        "reason": "nobody",
        "now": NOW,
    }
    transact(engine, lambda session: note_bounce(session, message_id="<1@x>", **bounced))
    door(engine).post(stop_link("digests"))
    status, out, _ = command("stopped", "--format", "json", url=url)
    rows = [(row["email"], row["topic"], row["why"]) for row in json.loads(out)]
    assert (status, rows) == (0, [(DORA, "all", "5.1.1 nobody"), (DORA, "digests", None)])
    assert command("allow", DORA, url=url)[0] == 0
    assert wanted(engine)
    assert command("allow", DORA, url=url)[0] == 2
    assert command("allow", DORA, "--topic", "digests", url=url)[0] == 0
    assert command("stopped", "--format", "json", url=url)[1].strip() == "[\n]"


def test_a_link_is_mailed_by_command(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, engine: sa.Engine, url: str
):
    status, _, err = command("link", MIA, "--mail", url=url)
    assert (status, "mail_host" in err, owed(engine)) == (2, True, [])
    monkeypatch.setenv("PARTNER_CX_MAIL_HOST", "mail.brand.example")
    monkeypatch.setenv("PARTNER_CX_MAIL_FROM", "programme@brand.example")
    status, out, err = command("link", MIA, "--mail", url=url)
    assert (status, out, "on its way" in err) == (0, "", True)
    assert [each.payload["letter"] for each in owed(engine)] == ["sign_in_link"]
    assert command("link", "no@x.example", "--mail", url=url)[0] == 2
