"""Webhooks against a real receiver: signed, repeated until received, never where they mayn't go."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from standardwebhooks.webhooks import WebhookVerificationError

from integrations.carrying import Hands
from integrations.telling import Telling
from integrations.webhooks import messages, posting
from integrations.webhooks.addresses import destination, sound_url
from integrations.webhooks.endpoints import WebhookAttempt, WebhookEndpoint, end
from integrations.webhooks.secrets import end_former, make_secret, secrets_in_force
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import owe_all
from partner_cx.errors import Conflict, Invalid, Refused
from tests.harness.owed import SETTINGS, Clock, rows
from tests.harness.receiver import (
    Receiver,
    be_slow,
    hang_up,
    receiving,
    say_half,
    status,
    talk_without_end,
)

AT = datetime(2026, 7, 4, 8, 0, tzinfo=UTC)
PRIVATE = replace(SETTINGS, webhook_private_addresses=True, secret="a secret of this installation")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))  # receivers compare with the present moment


def endpoint(engine: sa.Engine, url: str, *events: str) -> tuple[int, str]:
    def make(session: Any) -> tuple[int, str]:
        row = WebhookEndpoint(url=url, events=list(events), made_at=AT, made_by="mia")
        session.add(row)
        session.flush()
        return row.id, make_secret(session, row.id, PRIVATE, now=AT)

    return transact(engine, make)


def telling(number: int = 1, event: str = "entry.posted") -> Telling:
    return Telling(event, f"entry:{number}", AT, 1, "R1", {"partner": "R1", "why": {"fr": "Été"}})


def tell(engine: sa.Engine, clock: Clock, *told: Telling) -> None:
    def owe(session: Any) -> None:
        owe_all(session, messages.hear(session, told, PRIVATE, clock()), now=clock())

    transact(engine, owe)


def carry_out(engine: sa.Engine, clock: Clock, settings: Any = PRIVATE) -> None:
    carry_out_due(Hands(engine, settings, clock))


def attempts(engine: sa.Engine) -> list[WebhookAttempt]:
    with reading(engine) as session:
        found = list(session.scalars(sa.select(WebhookAttempt).order_by(WebhookAttempt.id)))
        session.expunge_all()
        return found


def test_a_message_says_what_happened_and_who_says_so(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    _, secret = endpoint(engine, receiver.url)
    tell(engine, clock, telling())
    carry_out(engine, clock)
    [got] = receiver.got
    assert got.verified(secret) == {
        "type": "entry.posted",
        "timestamp": "2026-07-04T08:00:00+00:00",
        "data": {"partner": "R1", "why": {"fr": "Été"}},
    }
    assert got.headers["webhook-id"] == "entry:1"
    with pytest.raises(WebhookVerificationError):
        got.verified("whsec_" + "A" * 43 + "=")


def test_what_is_told_twice_is_sent_once(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    endpoint(engine, receiver.url)
    tell(engine, clock, telling())
    tell(engine, clock, telling())
    carry_out(engine, clock)
    assert len(receiver.got) == 1


def test_each_hears_what_it_asked_for(engine: sa.Engine, receiver: Receiver, clock: Clock) -> None:
    endpoint(engine, receiver.url, "period.closed")
    tell(engine, clock, telling(1), telling(2, "period.closed"))
    carry_out(engine, clock)
    assert [got.said["type"] for got in receiver.got] == ["period.closed"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (status(500), "answered 500"),
        (status(404), "answered 404"),
        (status(302, Location="http://127.0.0.1/"), "A redirect isn't followed"),
        (hang_up, "broke off"),
        (say_half, "broke off"),
        (be_slow(1.0), "didn't answer within"),
    ],
)
def test_what_is_not_received_is_sent_again_under_the_same_id(
    engine: sa.Engine,
    receiver: Receiver,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    fault: Any,
    told: str,
) -> None:
    monkeypatch.setattr(posting, "ANSWER_WITHIN", 0.5)
    endpoint(engine, receiver.url)
    receiver.answers.append(fault)
    tell(engine, clock, telling())
    carry_out(engine, clock)
    [effect] = rows(engine).values()
    assert effect.done_at is None
    assert told in str(effect.last_error)
    clock.pass_by(seconds=10)
    carry_out(engine, clock)
    assert [got.headers["webhook-id"] for got in receiver.got] == ["entry:1", "entry:1"]
    [effect] = rows(engine).values()
    assert effect.done_at is not None
    assert len(attempts(engine)) == 2


def test_a_receiver_that_is_away_for_days_gets_it_when_it_is_back(
    engine: sa.Engine, clock: Clock
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    endpoint(engine, url)
    tell(engine, clock, telling())
    for _ in range(9 * 24):  # hours
        carry_out(engine, clock)
        clock.pass_by(hours=1)
    [effect] = rows(engine).values()
    assert "can't be reached" in str(effect.parked_because)
    first, last = (attempts(engine)[n].sent_at for n in (0, -1))
    assert timedelta(days=3) < last - first < timedelta(days=5)


def test_an_answer_that_asks_for_patience_gets_it(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    endpoint(engine, receiver.url)
    receiver.answers.append(status(429, Retry_After="3600"))
    tell(engine, clock, telling())
    carry_out(engine, clock)
    clock.pass_by(minutes=59)
    carry_out(engine, clock)
    assert len(receiver.got) == 1
    clock.pass_by(minutes=2)
    carry_out(engine, clock)
    assert len(receiver.got) == 2


def test_who_always_asks_to_come_again_at_once_is_asked_less_and_less(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    endpoint(engine, receiver.url)
    receiver.answers += [status(503, Retry_After="0")] * 400
    tell(engine, clock, telling())
    for _ in range(200):
        carry_out(engine, clock)
        clock.pass_by(seconds=10)
    assert 10 < len(receiver.got) < 60


def test_an_answer_without_an_end_is_not_waited_for(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    endpoint(engine, receiver.url)
    receiver.answers.append(talk_without_end)
    tell(engine, clock, telling())
    carry_out(engine, clock)
    [attempt] = attempts(engine)
    assert attempt.status == 200
    assert len(str(attempt.answer)) <= posting.ANSWER_KEPT


def test_who_is_gone_is_told_nothing_any_more(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    endpoint(engine, receiver.url)
    receiver.answers.append(status(410))
    tell(engine, clock, telling(1))
    carry_out(engine, clock)
    tell(engine, clock, telling(2))
    carry_out(engine, clock)
    assert len(receiver.got) == 1


def test_what_an_ended_endpoint_was_still_owed_is_not_sent(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    number, _ = endpoint(engine, receiver.url)
    tell(engine, clock, telling())
    transact(engine, lambda session: end(session, number, now=clock()).id)
    carry_out(engine, clock)
    [effect] = rows(engine).values()
    assert (receiver.got, effect.result) == ([], {"not_sent": "the endpoint was ended"})


def test_while_a_secret_is_changed_both_sign(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    number, former = endpoint(engine, receiver.url)

    def rotate(session: Any) -> str:
        end_former(session, number, now=clock(), keep=timedelta(hours=24))
        return make_secret(session, number, PRIVATE, now=clock())

    fresh = transact(engine, rotate)
    tell(engine, clock, telling(1))
    carry_out(engine, clock)
    assert receiver.got[0].verified(former) == receiver.got[0].verified(fresh)
    with reading(engine) as session:
        former_ends = clock() + timedelta(hours=24)
        assert secrets_in_force(session, number, PRIVATE, now=former_ends) == [fresh]


def test_no_secret_can_be_read_from_the_database(engine: sa.Engine, receiver: Receiver) -> None:
    _, secret = endpoint(engine, receiver.url)
    with engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT sealed FROM webhook_secrets").scalar_one()
    assert secret.removeprefix("whsec_") not in kept
    other = replace(PRIVATE, secret="the secret of another installation")
    with reading(engine) as session, pytest.raises(Refused, match="webhooks rotate"):
        secrets_in_force(session, 1, other, now=AT)


def test_what_was_sent_is_sent_again_by_hand_under_the_same_id(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    number, _ = endpoint(engine, receiver.url)
    tell(engine, clock, telling(1), telling(2))
    carry_out(engine, clock)
    since = clock.at
    for _ in range(2):  # a replay isn't replayed
        count = transact(
            engine,
            lambda session: messages.replay(session, number, since=since, now=clock()),
        )
        assert count == 2
        carry_out(engine, clock)
    ids = sorted(got.headers["webhook-id"] for got in receiver.got)
    assert ids == ["entry:1"] * 3 + ["entry:2"] * 3


def test_an_ended_endpoint_is_neither_tried_nor_told_again(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    number, _ = endpoint(engine, receiver.url)
    transact(engine, lambda session: end(session, number, now=clock()).id)
    with pytest.raises(Conflict, match="was ended"):
        transact(engine, lambda session: messages.ping(session, number, now=clock()))


# --- Where messages may go ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.1.2.3/hook",
        "https://192.168.0.7:8443/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://[2002:7f00:1::]/",
        "https://2130706433/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "http://93.184.216.34/",
        "ftp://93.184.216.34/",
        "https://user:word@93.184.216.34/",
        "https://93.184.216.34:0/",
        "https://",
        "portal.example",
        "https://93.184.216.34/\nx",
        "https://93.184.216.34/" + "a" * 2_000,
    ],
)
def test_an_address_that_is_no_business_of_ours_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        sound_url(url, private=False)


def test_a_public_address_is_taken() -> None:
    assert sound_url("https://93.184.216.34/hook?a=1#part", private=False) == (
        "https://93.184.216.34/hook?a=1"
    )


def test_a_name_that_turns_inward_later_leads_nowhere(
    engine: sa.Engine, receiver: Receiver, clock: Clock
) -> None:
    inward = receiver.url.replace("http:", "https:")
    endpoint(engine, inward)  # 127.0.0.1, kept while that was allowed
    tell(engine, clock, telling())
    carry_out(engine, clock, replace(PRIVATE, webhook_private_addresses=False))
    [effect] = rows(engine).values()
    assert receiver.got == []
    assert "private network" in str(effect.parked_because)


def test_a_message_goes_to_the_machine_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    to = destination("https://portal.example:8443/hook", private=False)
    assert (to.url, to.host, to.name) == (
        "https://93.184.216.34:8443/hook",
        "portal.example:8443",
        "portal.example",
    )


def test_one_private_number_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = ("93.184.216.34", "10.0.0.1")
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 443)) for each in numbers]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(Refused, match="private network"):
        destination("https://portal.example/", private=False)
