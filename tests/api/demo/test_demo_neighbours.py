"""The demo's neighbours: an Odoo that is read and written into, a receiver that is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.demo.cast import MEMBERS
from api.demo.neighbours import alone
from api.demo.network import network_days
from api.demo.odoo import SHOWN
from integrations.odoo.state import OdooLink
from integrations.odoo.writing.companies import CARD
from integrations.webhooks.endpoints import WebhookAttempt, in_force
from partner_cx.database import open_database
from partner_cx.effects import Effect
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.operations.facts import OrderLine, PortalEvent, Receipt, Ticket
from partner_cx.operations.imports import Source
from partner_cx.settings import Settings
from rewards.events import EventRow
from rewards.ledger import Entry
from tests.harness.built_demo import NOW, a_built_demo, build, built_on_sqlite
from tests.harness.databases import EACH_KIND

RUNNING = "2026-10-01"
READ = (OrderLine, Receipt, Ticket, PortalEvent)
LIVES_MAX_SECONDS = 60


@pytest.fixture(params=EACH_KIND)
def demo(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with a_built_demo(request.param) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


def test_it_says_what_was_read_and_written_and_sent() -> None:
    _, _, said = built_on_sqlite()
    told = said.partition("An Odoo 19 and a receiver of webhooks")[2]
    first, _, then = told.partition("Another day there")
    assert "  network  19 partners, " in first
    assert " order lines, " in first
    assert "  tickets  " in then
    assert "19 cards, " in then
    assert "card in Odoo        Lyon Thermique: " in then
    assert "note on its thread  Granted: " in then
    assert "signature checked" in then


def test_all_that_was_owed_is_done_and_every_partner_of_the_odoo_has_its_card(
    demo: sa.Engine,
) -> None:
    with Session(demo) as session:
        undone = sa.select(Effect.key).where(Effect.done_at.is_(None))
        assert session.scalars(undone).all() == []
        with_card = sa.select(OdooLink.ours).where(OdooLink.model == CARD)
        assert sorted(session.scalars(with_card)) == sorted(SHOWN)
        statuses = session.scalars(sa.select(WebhookAttempt.status)).all()
        events = session.scalars(sa.select(WebhookAttempt.event).distinct()).all()
    assert set(statuses) == {204}
    assert set(events) == {"period.closed", "entry.posted", "alert.raised"}


def test_what_the_files_say_of_partners_stays_as_it_is(demo: sa.Engine) -> None:
    with Session(demo) as session:
        partners = {each.code: each for each in session.scalars(sa.select(Partner))}
        joined = {each.code: each.joined_on for each in partners.values()}
        a_rep = sa.select(Person).where(Person.email == "nadia.belkacem@aubrelle.example")
        spoken_by_a_rep = session.scalars(a_rep).one().language
    for member in MEMBERS:
        known = partners[member.code]
        above = partners[member.parent_code].id if member.parent_code else None
        assert (known.name, known.kind, known.parent_id) == (member.name, member.kind, above)
        assert (known.tier, known.region) == (member.tier, member.region)
        assert (known.country, known.language) == (member.country, member.language)
    assert joined == _joined_in_the_files()
    assert spoken_by_a_rep == "fr"


def test_nothing_of_the_odoo_falls_into_a_quarter_that_is_over(demo: sa.Engine) -> None:
    of_odoo = sa.select(Source.id).where(Source.code == "odoo").scalar_subquery()
    with Session(demo) as session:
        firsts = [
            session.scalar(sa.select(sa.func.min(day)).where(model.source == of_odoo))
            for model, day in (
                (OrderLine, OrderLine.window_end),
                (Receipt, Receipt.received_on),
                (Ticket, Ticket.opened_at),
                (PortalEvent, PortalEvent.at),
            )
        ]
    assert all(first is not None and str(first) >= RUNNING for first in firsts), firsts


def test_at_the_next_start_nothing_is_doubled_and_nobody_is_told_any_more(tmp_path: Path) -> None:
    built, files, _ = built_on_sqlite()
    url = _copied(built, tmp_path)
    engine = open_database(url)
    before = _counted(engine)
    again = build(url, files)
    assert again.exit_code == 0, again.output
    assert _counted(engine) == before
    with Session(engine) as session:
        assert in_force(session) == []
    engine.dispose()
    assert "there already" in again.stdout
    assert "nothing new" in again.stdout
    assert "19 cards, " in again.stdout
    assert "deleted" not in again.stdout


def test_served_its_neighbours_answer_and_all_ends_with_ctrl_c(tmp_path: Path) -> None:
    built, files, _ = built_on_sqlite()
    url = _copied(built, tmp_path)
    command = [sys.executable, "-m", "api.cli", "demo", "--database", url, "--folder", str(files)]
    with subprocess.Popen(
        [*command, "--port", "0"],
        env=os.environ | {"HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as served:
        try:
            said = _said_until(served, "Serving on ")
            address = said.partition("PARTNER_CX_ODOO_URL=")[2].split()[0]
            asked = httpx.get(f"{address}/web/version", trust_env=False)
            served.send_signal(signal.SIGINT)
            rest, _ = served.communicate(timeout=LIVES_MAX_SECONDS)
        finally:
            served.kill()
    assert asked.json()["version"].startswith("19"), asked.text
    assert served.returncode == 0, rest
    assert "Traceback" not in said + rest
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/web/version", trust_env=False)
    engine = open_database(url)
    with Session(engine) as session:
        assert in_force(session) == []
    engine.dispose()


def test_it_never_speaks_to_a_users_own_neighbours() -> None:
    given = Settings(
        odoo_url="https://erp.brand.example",
        odoo_key="a key",
        mail_host="mail.brand.example",
        bounce_host="mail.brand.example",
    )
    demo = alone(given, "fr")
    assert (demo.odoo_url, demo.mail_host, demo.bounce_host) == (None, None, None)
    assert demo.language == "fr"


def _said_until(served: subprocess.Popen[str], last: str) -> str:
    assert served.stdout is not None
    said = ""
    for line in served.stdout:
        said += line
        if line.startswith(last):
            break
    return said


def _joined_in_the_files() -> dict[str, object]:
    days = network_days(datetime.fromisoformat(NOW).date())["joined_on"]
    return {str(code): joined.date() for code, joined in days.items()}


def _counted(engine: sa.Engine) -> dict[str, int]:
    with Session(engine) as session:
        counted = (*READ, Person, Entry, EventRow, Effect, OdooLink, WebhookAttempt)
        return {
            model.__name__: session.scalar(sa.select(sa.func.count()).select_from(model)) or 0
            for model in counted
        }


def _copied(url: str, folder: Path) -> str:
    copy = folder / "demo.sqlite3"
    source = sa.create_engine(url)
    with source.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
    source.dispose()
    return f"sqlite:///{copy}"
