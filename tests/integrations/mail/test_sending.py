"""Sending letters over a real mail server on this machine: encrypted, logged in, on bad days."""

from __future__ import annotations

import logging
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from api.wiring import set_up_logs
from integrations.mail import connection
from integrations.mail.errors import (
    AddressRefused,
    LetterRefused,
    LoginRefused,
    NotSetUp,
    ServerAway,
)
from integrations.mail.letters import LETTERS
from integrations.mail.readers import reader_of
from integrations.mail.sending import KIND, framed, is_for_good, mail, owed_letter
from integrations.worker import carry_out_due
from partner_cx.database import open_database, reading, transact
from partner_cx.effects import Owed, State
from partner_cx.network.letter_choices import choose, stopped
from partner_cx.network.people import Person
from partner_cx.settings import Settings
from tests.harness.databases import fresh_database
from tests.harness.intake import partner, take
from tests.harness.mail_server import PASSWORD, SETTINGS, Post, free_port, mail_server
from tests.harness.owed import START, Clock, hands, owed, rows, standing

DORA, MIA = "dora@d1.example", "mia@brand.example"


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    """Two readers, in SQLite: what is tried here is the mail server."""
    with fresh_database("sqlite") as url:
        opened = open_database(url)
        take(opened, "partners", partner("D1", kind="distributor", language="fr"))
        take(
            opened,
            "people",
            {"email": DORA, "name": "Dora", "role": "partner", "partner_code": "D1"},
            {"email": MIA, "name": "Mia", "role": "manager", "partner_code": None},
        )
        yield opened
        opened.dispose()


@contextmanager
def a_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, post: Post, **how: Any
) -> Iterator[Settings]:
    """A server whose certificate is trusted."""
    with mail_server(folder, post, **how) as settings:
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "certificate.pem"))
        yield settings


def person(engine: sa.Engine, email: str) -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(Person.id).where(Person.email == email)).one()


def sign_in_letter(engine: sa.Engine, email: str = DORA, key: str = "one") -> Owed:
    return owed_letter("sign_in_link", key, person_id=person(engine, email), about={})


def invitation(engine: sa.Engine, email: str = DORA) -> Owed:
    said = {"en": "Your quarter with us", "fr": "Votre trimestre avec nous"}
    about = {"title": said, "purpose": said, "questions": 4, "minutes": 2, "path": "/surveys/1"}
    return owed_letter("survey", "survey:1", person_id=person(engine, email), about=about)


def send(engine: sa.Engine, settings: Settings, clock: Clock | None = None) -> None:
    carry_out_due(hands(engine, clock or Clock(), settings))


def parts(mail: EmailMessage) -> dict[str, str]:
    return {part.get_content_type(): part.get_content() for part in mail.iter_parts()}


# The server doesn't see the TLS that is around the whole conversation.
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("login", [True, False])
def test_a_letter_travels_encrypted(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str, login: bool
):
    post = Post()
    owed(engine, invitation(engine))
    with a_server(tmp_path, monkeypatch, post, security=security, login=login) as settings:
        send(engine, settings)
    [mail] = post.taken
    assert str(mail["To"]) == f"Dora <{DORA}>"
    assert str(mail["From"]) == "Aubrelle Partners <programme@brand.example>"
    assert str(mail["Subject"]) == "Votre trimestre avec nous\u202f: 2 minutes"
    assert (mail["Auto-Submitted"], mail["Content-Language"]) == ("auto-generated", "fr")
    assert mail["Date"].datetime == START
    assert list(parts(mail)) == ["text/plain", "text/html"]
    assert "https://cx.brand.example/surveys/1" in parts(mail)["text/plain"]
    result = rows(engine)[f"{KIND}:survey:1"].result
    assert result == {"message_id": mail["Message-ID"]}


def test_a_letter_can_be_stopped_by_one_click_but_for_a_sign_in_link(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post = Post()
    owed(engine, invitation(engine), sign_in_letter(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings)
    survey, link = sorted(post.taken, key=lambda each: "connexion" in str(each["Subject"]))
    assert survey["List-Unsubscribe"].startswith("<https://cx.brand.example/letters/stop/")
    assert survey["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link["List-Unsubscribe"] is None
    assert "/letters/stop/" not in str(link)


def test_names_and_addresses_in_a_letters_head_stand_on_one_line(engine: sa.Engine):
    with reading(engine) as session:
        reader = reader_of(session, person(engine, DORA), SETTINGS)
    assert reader is not None
    letter = LETTERS["survey"]
    set_ = framed(letter.preview(SETTINGS), letter, reader, SETTINGS)
    written = mail(set_, reader, key="k" * 90, settings=SETTINGS, now=START).as_bytes()
    head = written.partition(b"\r\n\r\n")[0].decode("ascii")
    assert re.search(r"^Message-ID: <[0-9a-f.]+@brand\.example>\r$", head, re.MULTILINE)
    assert re.search(r"^List-Unsubscribe: <https://\S+>\r$", head, re.MULTILINE)
    assert re.search(r"^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$", head, re.MULTILINE)
    assert max(map(len, written.split(b"\r\n"))) <= 998


def test_killed_between_sending_and_noting_it_is_one_letter_to_mail_programs(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post, clock = Post(breaks_off=True), Clock()
    owed(engine, invitation(engine), sign_in_letter(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings, clock)
        assert standing(engine, f"{KIND}:one", clock.at).state is State.WAITING
        post.breaks_off = False
        clock.pass_by(minutes=1)
        send(engine, settings, clock)
    names = [mail["Message-ID"] for mail in post.taken]
    assert len(names) == 4
    assert len(set(names)) == 2
    assert standing(engine, f"{KIND}:one", clock.at).state is State.DONE


@pytest.mark.parametrize(
    ("kept", "travels"),
    [
        ("dora@brücke.example", "dora@xn--brcke-lva.example"),
        ("o'neil+x@d1.example", "o'neil+x@d1.example"),
    ],
)
def test_an_address_travels_as_mail_servers_write_it(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, travels: str
):
    post = Post()
    letter = invitation(engine).payload
    owed(engine, owed_letter("survey", "s", email=kept, about=letter["about"]))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings)
    assert [str(mail["To"]) for mail in post.taken] == [travels]


def test_a_sender_may_have_a_domain_and_a_name_in_any_letters(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post = Post()
    owed(engine, invitation(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, replace(settings, mail_from="Été & Co <programme@brücke.example>"))
    [mail] = post.taken
    assert str(mail["From"]) == "Été & Co <programme@xn--brcke-lva.example>"
    assert mail["Message-ID"].endswith("@xn--brcke-lva.example>")


def refused(settings: Settings) -> Exception:
    mail = EmailMessage()
    mail["To"] = DORA
    mail.set_content("the whole letter")
    with pytest.raises((ServerAway, NotSetUp, LoginRefused, AddressRefused, LetterRefused)) as why:
        connection.send(mail, DORA, settings=settings)
    return why.value


BAD_DAYS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "come again later": (
        {"recipients": {DORA: "451 4.7.1 greylisted"}},
        ServerAway,
        "just now: “4.7.1 greylisted",
    ),
    "nobody there": (
        {"recipients": {DORA: "550 5.1.1 no such user"}},
        AddressRefused,
        "5.1.1 no such user",
    ),
    "letter not wanted": ({"data": "554 5.7.1 spam"}, LetterRefused, "doesn't take the letter"),
    "letter later": ({"data": "452 4.3.1 disk full"}, ServerAway, "come again later"),
    "broken off": ({"breaks_off": True}, ServerAway, "broke the connection off"),
    "slow": ({"slow_seconds": 2}, ServerAway, "didn't answer within"),
    "login refused": (
        {"login_answer": f"535 5.7.8 {PASSWORD} is wrong"},
        LoginRefused,
        "5.7.8 *** is wrong",
    ),
    "login later": ({"login_answer": "454 4.7.0 later"}, ServerAway, "4.7.0 later"),
}


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_of_the_mail_server_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str
):
    how, family, words = BAD_DAYS[day]
    if day == "slow":
        monkeypatch.setattr(connection, "TIMEOUT_SECONDS", 0.5)
    with a_server(tmp_path, monkeypatch, Post(**how)) as settings:
        told = refused(settings)
    assert type(told) is family
    assert words in str(told)
    assert PASSWORD not in str(told)
    assert "whole letter" not in repr(told.__cause__) + repr(told.__context__) + str(told)


@pytest.mark.parametrize(
    ("greeting", "words"),
    [
        (b"554 5.7.1 no service to you today\r\n", "asks to come again later: “5.7.1 no service"),
        (b"421 4.3.2 closing\r\n", "asks to come again later: “4.3.2 closing”"),
        (b"", "broke the connection off"),
        (b"\x00\xff rubbish\r\n", "asks to come again later"),
    ],
    ids=["not you", "not now", "nothing", "rubbish"],
)
def test_a_server_that_lets_nobody_in_says_nothing_of_the_letter(greeting: bytes, words: str):
    class Greeting(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(greeting)

    with socketserver.TCPServer(("127.0.0.1", 0), Greeting) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        port = server.server_address[1]
        there = replace(SETTINGS, mail_host="127.0.0.1", mail_port=port, mail_security="none")
        told = refused(there)
    assert type(told) is ServerAway
    assert words in str(told)


def test_a_certificate_that_nobody_vouches_for_isnt_trusted(tmp_path: Path):
    with mail_server(tmp_path, Post()) as settings:
        told = refused(settings)
    assert isinstance(told, ServerAway)
    assert "certificate that isn't trusted" in str(told)


def test_a_password_never_travels_unencrypted(tmp_path: Path):
    with mail_server(tmp_path, Post(), security="none", login=False) as settings:
        post_elsewhere = replace(settings, mail_host="mail.brand.example")
        assert "unencrypted" in str(refused(post_elsewhere))
        doesnt_offer = replace(settings, mail_security="starttls")
        assert "doesn't offer STARTTLS" in str(refused(doesnt_offer))
        connection.send(EmailMessage(), DORA, settings=settings)  # it stays on this machine


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"mail_from": "nobody"}, "isn't an address"),
        ({"mail_from": None}, "isn't set up"),
        ({"mail_host": "127.0.0.1", "mail_port": None}, "can't be reached"),
        ({"mail_host": "no-such-host.invalid"}, "isn't found by its name"),
    ],
    ids=["sender", "no sender", "nobody listens", "unknown name"],
)
def test_settings_that_cant_work_are_told(other: dict[str, Any], words: str):
    changed = replace(SETTINGS, mail_host="mail.brand.example")
    if other.get("mail_port", 0) is None:
        other = {**other, "mail_port": free_port()}
    assert words in str(refused(replace(changed, **other)))


def test_an_address_that_is_refused_for_good_gets_no_more_letters(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post = Post(recipients={DORA: "550 5.1.1 no such user"})
    owed(engine, invitation(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings)
        owed(engine, sign_in_letter(engine))
        send(engine, settings)
    assert standing(engine, f"{KIND}:survey:1").state is State.PARKED
    not_sent = rows(engine)[f"{KIND}:one"].result
    assert not_sent == {"not_sent": "such letters are stopped for the address"}
    with reading(engine) as session:
        [told] = stopped(session)
    assert (told.email, told.topic, told.through) == (DORA, None, "bounce")


@pytest.mark.parametrize(
    ("status", "for_good"),
    [
        ("5.1.1", True),
        ("5.1.10", True),
        ("5.2.1", True),
        ("5.2.0", True),
        ("5.2.2", False),  # full
        ("5.7.1", False),  # a policy, ours as likely as theirs
        ("5.1.8", False),  # our own domain
        ("5.0.0", True),
        ("4.1.1", False),
        ("", False),
    ],
)
def test_only_what_is_wrong_with_the_address_stops_letters(status: str, for_good: bool):
    assert is_for_good(status) is for_good


def test_what_was_stopped_isnt_sent(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post = Post()
    transact(
        engine,
        lambda s: choose(s, DORA.upper(), "surveys", wanted=False, through="test", now=START),
    )
    owed(engine, invitation(engine), sign_in_letter(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings)
    assert ["connexion" in str(mail["Subject"]) for mail in post.taken] == [True]


def test_a_sign_in_link_that_comes_hours_late_isnt_sent(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post, clock = Post(), Clock(START + timedelta(hours=3))
    owed(engine, sign_in_letter(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings, clock)
    assert post.taken == []
    assert standing(engine, f"{KIND}:one").state is State.DONE


def test_an_effect_never_holds_the_link_and_the_link_signs_in_when_it_is_sent(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    post, clock = Post(), Clock(START + timedelta(hours=1))
    owed(engine, sign_in_letter(engine))
    with a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings, clock)
    text = parts(post.taken[0])["text/plain"]
    token = text.partition("/sign-in/")[2].split()[0]
    effect = rows(engine)[f"{KIND}:one"]
    assert token not in f"{effect.payload} {effect.result} {effect.key}"
    with engine.connect() as connected:
        expires = connected.exec_driver_sql("SELECT expires_at FROM sign_in_links").scalar()
    assert str(expires)[:16] == "2026-07-01 10:30"


def test_no_log_tells_the_password_or_a_letter_at_any_level(
    engine: sa.Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
):
    set_up_logs(replace(SETTINGS, log_level="debug"))
    post = Post(login_answer=f"535 5.7.8 no {PASSWORD}")
    owed(engine, sign_in_letter(engine))
    owed(engine, invitation(engine, MIA))
    with caplog.at_level(logging.DEBUG), a_server(tmp_path, monkeypatch, post) as settings:
        send(engine, settings)
        post.login_answer = None
        owed(engine, sign_in_letter(engine, key="two"))
        send(engine, settings)
    [mail] = post.taken
    token = parts(mail)["text/plain"].partition("/sign-in/")[2].split()[0]
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith(("mail.", "asyncio"))]
    told = capsys.readouterr()
    logged = "\n".join(
        [told.err, told.out, *ours, *(str(r.last_error) for r in rows(engine).values())]
    )
    assert [
        secret for secret in (PASSWORD, token, "Your quarter with us") if secret in logged
    ] == []


def test_a_letter_this_version_doesnt_know_is_parked_in_words(engine: sa.Engine):
    owed(engine, Owed(KIND, f"{KIND}:new", {"letter": "poem", "email": DORA, "about": {}}))
    send(engine, replace(SETTINGS, mail_host="127.0.0.1"))
    assert "no letter “poem”" in str(standing(engine, f"{KIND}:new").why)
    assert "poem" not in LETTERS
