"""Letters that come back: read from a mailbox once, and only where they are letters of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from integrations.carrying import Due
from integrations.mail import mailbox as reading_mail
from integrations.mail.bounces import read_report
from integrations.mail.errors import LoginRefused, NotSetUp, ServerAway
from integrations.mail.identity import message_id, read_stop_token, stop_token, was_ours
from integrations.mail.mailbox import FLAG, SEEN, read_bounces
from partner_cx.database import open_database, reading, transact
from partner_cx.errors import NotFound
from partner_cx.network.letter_choices import allow, choose, stopped, unwanted, wants
from tests.harness.databases import fresh_database
from tests.harness.mail_server import PASSWORD, SECRET, SETTINGS, Inbox, mailbox
from tests.harness.owed import START, Clock, hands

DORA = "dora@d1.example"
NAME = message_id("mail.letter:1", DORA, domain="brand.example", secret=SECRET)
DUE = Due(1, "bounces", "bounces:1", None, {}, START, 1)


def report(
    *,
    to: str = DORA,
    letter: str = NAME,
    action: str = "failed",
    status: str = "5.1.1",
    original: str = "message/rfc822",
    recipient: str | None = None,
    name: str = "<report-1@mx.example>",
) -> bytes:
    """A delivery status notification as a mail server writes it."""
    return f"""From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: programme@brand.example
Subject: Undelivered Mail Returned to Sender
Message-ID: {name}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="XX"

--XX
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.example. It could not be delivered.

--XX
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Wed, 1 Jul 2026 09:00:00 +0000

Final-Recipient: rfc822; {recipient or to}
Original-Recipient: rfc822;{to}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} <{to}>: no such
    user here

--XX
Content-Type: {original}

From: Aubrelle Partners <programme@brand.example>
To: Dora <{to}>
Message-ID: {letter}
Subject: hello
Content-Type: text/plain

The whole letter.

--XX--
""".replace("\n", "\r\n").encode()


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    with fresh_database("sqlite") as url:
        opened = open_database(url)
        yield opened
        opened.dispose()


def test_a_hard_report_tells_the_address_and_why():
    [told] = read_report(report(), secret=SECRET)
    assert (told.email, told.hard, told.status) == (DORA, True, "5.1.1")
    assert told.reason == f"550 5.1.1 <{DORA}>: no such user here"


@pytest.mark.parametrize(
    ("what", "hard"),
    [
        ({"status": "5.1.1"}, True),
        ({"status": "5.0.0"}, True),
        ({"status": "5.2.2"}, False),
        ({"status": "5.7.1"}, False),
        ({"status": "4.4.1", "action": "delayed"}, False),
        ({"status": "4.4.7"}, False),
        ({"recipient": "dora.new@elsewhere.example"}, True),  # she forwards her mail
        ({"original": "text/rfc822-headers"}, True),
    ],
    ids=str,
)
def test_what_a_report_means(what: dict[str, str], hard: bool):
    [told] = read_report(report(**what), secret=SECRET)
    assert (told.email, told.hard) == (DORA, hard)


def test_an_address_comes_back_as_it_travelled_and_is_known_as_it_is_kept():
    kept, travelled = "dora@brücke.example", "dora@xn--brcke-lva.example"
    name = message_id("mail.letter:1", kept, domain="brand.example", secret=SECRET)
    [told] = read_report(report(to=travelled, letter=name), secret=SECRET)
    assert told.email == kept


MADE_TO_HURT = {
    "letters in letters": b"Content-Type: message/rfc822\r\n\r\n" * 8_000,
    "parts in parts": b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n)
        for n in range(4_000)
    ),
    "a kind with many names": b"Content-Type: multipart/report; "
    + b"a*0=b;" * 30_000
    + b"\r\n\r\n",
    "brackets": report(to="(" * 100_000),
    "quotes": report(to='"' * 100_000),
}


@pytest.mark.parametrize("what", MADE_TO_HURT)
def test_mail_that_is_made_to_hurt_is_no_report_and_soon_read(what: str):
    assert read_report(MADE_TO_HURT[what], secret=SECRET) == []


NOTHING_OF_OURS = {
    "a letter to somebody else": report(to="mia@brand.example"),
    "a made-up letter": report(letter="<0123@brand.example>"),
    "a letter without a name": report(letter=""),
    "delivered": report(action="delivered", status="2.0.0"),
    "no letter inside": report().partition(b"--XX\r\nContent-Type: message/rfc822")[0] + b"--XX--",
    "a holiday": b"From: a@b.example\r\nSubject: Away\r\n\r\nBack on Monday.",
    "nothing": b"",
    "noise": bytes(range(256)) * 10,
    "half": report()[:700],
}


@pytest.mark.parametrize("mail", NOTHING_OF_OURS)
def test_anything_else_stops_nobodys_letters(mail: str):
    assert read_report(NOTHING_OF_OURS[mail], secret=SECRET) == []


def test_a_letters_name_is_known_again_for_its_address_alone():
    assert was_ours(NAME, "Dora@D1.example ", secret=SECRET)
    assert not was_ours(NAME, "mia@brand.example", secret=SECRET)
    assert not was_ours(NAME, DORA, secret="another secret entirely")
    assert not was_ours(NAME.replace("<", "<0"), DORA, secret=SECRET)
    assert message_id("mail.letter:1", DORA, domain="brand.example", secret=SECRET) == NAME


@pytest.mark.parametrize("token", ["", "x", "W10.abc", "é" * 9])
def test_a_made_up_stop_link_stops_nothing(token: str):
    assert read_stop_token(token, secret=SECRET) is None
    made = stop_token(DORA, "points", secret=SECRET)
    assert read_stop_token(made, secret=SECRET) == (DORA, "points")
    assert read_stop_token(made, secret="another secret entirely") is None


@pytest.mark.parametrize("keeps_flags", [True, False])
def test_a_mailbox_is_read_once_and_left_as_it_is_but_for_a_flag(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps_flags: bool
):
    inbox = Inbox(keeps_flags=keeps_flags)
    inbox.add(report())
    inbox.add(NOTHING_OF_OURS["a holiday"])
    inbox.add(report())  # the same once more, as a server that was cut off delivers it
    with mailbox(tmp_path, inbox) as settings:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        first = read_bounces(DUE, hands(engine, Clock(), settings))
        again = read_bounces(DUE, hands(engine, Clock(), settings))
    assert first == {"read": 3, "hard": 1, "soft": 0}
    assert again == {"read": 0, "hard": 0, "soft": 0}
    flag = FLAG if keeps_flags else SEEN
    assert inbox.flags == {1: {flag}, 2: {flag}, 3: {flag}}
    with reading(engine) as session:
        assert not wants(session, DORA, "points")
        assert [each.email for each in stopped(session)] == [DORA]


def test_cut_off_in_the_middle_it_goes_on_where_it_was(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    inbox = Inbox(hangs_up_at="UID STORE")
    inbox.add(report())
    with mailbox(tmp_path, inbox) as settings:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        with pytest.raises(ServerAway, match="broke off"):
            read_bounces(DUE, hands(engine, Clock(), settings))
        inbox.hangs_up_at = None
        assert read_bounces(DUE, hands(engine, Clock(), settings)) == {
            "read": 1,
            "hard": 0,  # it was noted already
            "soft": 0,
        }


def test_what_is_wrong_with_a_mailbox_is_told_without_its_password(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with mailbox(tmp_path, Inbox()) as settings:
        with pytest.raises(ServerAway, match="isn't trusted"):
            read_bounces(DUE, hands(engine, Clock(), settings))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        wrong = replace(settings, bounce_password="not-the-one-it-wants")
        with pytest.raises(LoginRefused) as told:
            read_bounces(DUE, hands(engine, Clock(), wrong))
    assert "not-the-one-it-wants" not in str(told.value) + repr(told.value.__context__)
    with pytest.raises(ServerAway, match="can't be reached"):
        read_bounces(DUE, hands(engine, Clock(), settings))
    with pytest.raises(NotSetUp):
        read_bounces(DUE, hands(engine, Clock(), replace(SETTINGS, bounce_host="127.0.0.1")))
    assert PASSWORD not in repr(settings)
    assert reading_mail.AT_ONCE > 1


def test_an_address_can_be_allowed_again_and_stopped_anew(engine: sa.Engine):
    def bounce(name: str, clock: Clock) -> None:
        inbox_now = hands(engine, clock, SETTINGS)
        reading_mail._noted(inbox_now, read_report(report(name=name), secret=SECRET))

    clock = Clock()
    bounce("<one@mx.example>", clock)
    clock.pass_by(hours=1)
    transact(engine, lambda s: allow(s, DORA, through="command", now=clock.at))
    with reading(engine) as session:
        assert wants(session, DORA, "points")
    bounce("<one@mx.example>", clock)  # an old report, read again
    clock.pass_by(hours=1)
    bounce("<two@mx.example>", clock)
    with reading(engine) as session:
        assert unwanted(session, [DORA, "mia@brand.example"], "points") == {DORA}


def test_allowing_what_isnt_stopped_is_refused_and_says_what_is(engine: sa.Engine):
    transact(engine, lambda s: choose(s, DORA, "points", wanted=False, through="test", now=START))
    with pytest.raises(NotFound, match="--topic points"):
        transact(engine, lambda s: allow(s, DORA, through="command", now=START))
    transact(engine, lambda s: allow(s, DORA, topic="points", through="command", now=START))
    with reading(engine) as session:
        assert stopped(session) == []
