"""Nothing that opens Odoo is ever written down: no log, no traceback, no message, no repr."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
import structlog

from api.wiring import set_up_logs
from integrations.odoo.connection import Odoo, connect
from integrations.odoo.connection.wire import Wire
from partner_cx.errors import PartnerCXError
from partner_cx.settings import Settings
from tests.harness.odoo_replay import (
    AT_ONCE,
    KEY,
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

LEVELS = ["debug", "info", "warning", "error"]
PASSWORD = "a-password-for-the-mail-server"
LOGGERS = ("", "odoolib", "odoolib.rpc", "httpx", "httpcore", "stamina", "asyncio")
# What a bad server, or a wrong setting of ours, may say back to us.
SAYS_IT_BACK = f"the key {KEY} isn't good for anything"


class Kept(logging.Handler):
    """Every record, with whatever anybody could format out of it."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))
        self.texts.append(repr(vars(record)))
        if record.exc_info and record.exc_info[1]:
            self.texts.append(whole_story(record.exc_info[1]))


@pytest.fixture(params=LEVELS)
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    """All that is logged at a level, by any library."""
    handler = Kept()
    level = request.param.upper()
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    logging.getLogger().addHandler(handler)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(level)
    set_up_logs(Settings(log_level=request.param))
    yield handler
    logging.getLogger().removeHandler(handler)
    for name, former in before.items():
        logging.getLogger(name).setLevel(former)
    structlog.reset_defaults()


def whole_story(error: BaseException) -> str:
    """A traceback as the most talkative tool prints it: causes, contexts, all variables."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(told.format(chain=True)) + repr(error) + str(error) + repr(vars(error))


def story_of(act: Callable[[], object]) -> str:
    """The story of a refusal, from the first frame that isn't the test's."""
    try:
        act()
    except PartnerCXError as error:
        return whole_story(error)
    return ""


def everything(odoo: Odoo) -> Iterator[str]:
    """Calls of every sort, and the stories of those that fail."""
    for act in (
        lambda: odoo.search_read("res.partner", [], ["name"]),
        lambda: odoo.count("res.partner"),
        lambda: odoo.write("res.partner", [1], {"name": "x"}),
        lambda: odoo.call("res.partner", "message_post", ids=[1], body="x"),
        odoo.user_id,
    ):
        yield story_of(act)
    yield from (repr(odoo), str(odoo), repr(vars(odoo)))


REPLIES = {
    "all is well": lambda asked: {"uid": 7} if asked.method == "context_get" else [{"id": 1}],
    "a refused key": lambda _: Fails("odoo.exceptions.AccessDenied", SAYS_IT_BACK),
    "a wrong argument": lambda _: Fails("builtins.TypeError", SAYS_IT_BACK),
    "a fault of the server's": lambda _: Fails("psycopg2.errors.X", SAYS_IT_BACK),
    "a page": lambda _: Page(SAYS_IT_BACK, 502),
    "half an answer": lambda _: Page('{"said": "' + SAYS_IT_BACK),
    "a redirect": lambda _: Page("", 303, {"Location": f"/web/login?key={KEY}"}),
    "a closed connection": lambda _: HangsUp(),
}


def answering(replies) -> Reply:
    def answer(asked: Asked) -> Reply:
        return None if asked.method == "login" else replies(asked)

    return answer


@pytest.mark.parametrize("version", [18, 19])
@pytest.mark.parametrize("replies", REPLIES.values(), ids=list(REPLIES))
def test_the_key_is_written_nowhere(version: int, replies, kept: Kept, capsys):
    script = Scripted(version, answering(replies))
    with serving(script) as address, connect(settings_for(address), patience=AT_ONCE) as odoo:
        told = list(everything(odoo))
    assert any(KEY in repr(asked) for asked in script.asked) or version == 18, "it was sent"
    written = "\n".join([*kept.texts, *told, *capsys.readouterr()])
    assert KEY not in written


def _whatever(reply: Page | HangsUp, _: str) -> Page | HangsUp:
    return reply


@pytest.mark.parametrize("version", [18, 19])
def test_the_key_is_in_no_error_of_connecting(version: int, kept: Kept, capsys):
    told = []
    for early in (Page(SAYS_IT_BACK), Page(SAYS_IT_BACK, 404), Page("", 502), HangsUp()):
        script = Scripted(version, answering(lambda _: []), before=partial(_whatever, early))
        with serving(script) as address:
            settings = settings_for(address)
            told.append(story_of(partial(connect, settings, patience=AT_ONCE)))
            assert told[-1]
    assert KEY not in "\n".join([*kept.texts, *told, *capsys.readouterr()])


@pytest.mark.parametrize("version", [18, 19])
def test_the_key_is_in_no_story_of_a_mistake_of_ours(version: int, monkeypatch: pytest.MonkeyPatch):
    def mistaken(*_: object) -> None:
        raise RuntimeError("a mistake")

    with scripted_odoo(Scripted(version, answering(lambda _: 1))) as odoo:
        odoo.count("res.partner")
        monkeypatch.setattr(Wire, "_read", mistaken)
        with pytest.raises(RuntimeError) as failed:
            odoo.count("res.partner")
    ours = failed.value.with_traceback(failed.value.__traceback__.tb_next)  # type: ignore[union-attr]
    assert KEY not in whole_story(ours)


@pytest.mark.parametrize("version", [18, 19])
def test_what_is_written_is_in_no_log(version: int, kept: Kept, capsys):
    with scripted_odoo(Scripted(version, answering(lambda _: 31))) as odoo:
        odoo.post_note("res.partner", 4, "<p>A whole letter.</p>")
    assert "whole letter" not in "\n".join([*kept.texts, *capsys.readouterr()])


def test_settings_show_that_there_are_secrets_and_not_which():
    settings = replace(
        Settings(), odoo_key=KEY, mail_password=PASSWORD, bounce_password=PASSWORD, secret="s" * 20
    )
    shown = repr(settings) + str(settings)
    assert KEY not in shown
    assert PASSWORD not in shown
    assert "s" * 20 not in shown
    assert "odoo_key='***'" in shown


def test_the_library_itself_would_print_the_key():
    """What the tests above guard against is real, so they can fail."""
    from odoolib.rpc import JsonRPCConnector

    handler = Kept()
    logger = logging.getLogger("odoolib")
    logger.addHandler(handler)
    before, logger.level = logger.level, logging.DEBUG
    try:
        with pytest.raises(Exception, match="refused"):
            JsonRPCConnector("127.0.0.1", 9).get_service("common").login("brand", "me", KEY)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    assert KEY in "\n".join(handler.texts)
