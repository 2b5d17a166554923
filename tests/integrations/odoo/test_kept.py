"""One connection for many effects, until it is no good any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from integrations.odoo.connection import kept
from integrations.odoo.connection.errors import KeyRefused
from integrations.odoo.connection.kept import connected
from tests.harness.odoo_replay import KEY, Asked, Fails, Reply, Scripted, serving, settings_for

NOON = datetime(2026, 4, 30, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _hung_up() -> Iterator[None]:
    yield
    kept.hang_up()


def notes(asked: Asked) -> Reply:
    return None if asked.method == "login" else 31


def write(address: str, *, at: datetime = NOON, times: int = 1, key: str = KEY) -> None:
    for _ in range(times):
        with connected(settings_for(address, odoo_key=key), clock=lambda: at) as odoo:
            odoo.post_note("res.partner", 4, "<p>Hello</p>")


def test_many_effects_log_in_once():
    script = Scripted(18, notes)
    with serving(script) as address:
        write(address, times=20)
    assert script.called().count("res.users.login") == 1
    assert script.called().count("res.partner.message_post") == 20
    assert len({asked.connection for asked in script.asked}) == 1


def test_after_a_while_and_for_other_settings_it_is_made_anew():
    script = Scripted(18, notes)
    with serving(script) as address:
        write(address)
        write(address, at=NOON + timedelta(minutes=11))
        write(address, at=NOON + timedelta(minutes=11), key="another-key")
    assert script.called().count("res.users.login") == 3


def test_after_a_refusal_it_is_made_anew():
    replies = [31, Fails("odoo.exceptions.AccessDenied"), 32]
    script = Scripted(18, lambda asked: None if asked.method == "login" else replies.pop(0))
    with serving(script) as address:
        write(address)
        with pytest.raises(KeyRefused):
            write(address)
        write(address)
    assert script.called().count("res.users.login") == 2


def test_the_key_is_in_no_word_of_it():
    with serving(Scripted(19, notes)) as address:
        write(address)
        assert KEY not in repr(kept._of_thread.kept)
