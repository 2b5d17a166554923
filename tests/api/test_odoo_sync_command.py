"""`odoo sync` and `odoo mapping`, as an administrator runs them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from integrations.carrying import Due, Hands, Later
from integrations.odoo.sync.alone import alone
from integrations.odoo.sync.syncing import carry_out
from partner_cx.errors import Refused, Unreachable
from tests.harness.odoo_sync import ALDER, SERVICE, World, a_world, table
from tests.journeys.command_line import CommandLine


@pytest.fixture
def world(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with a_world(engine, 19) as opened:
        said = opened.settings
        monkeypatch.setenv("PARTNER_CX_TIME_ZONE", "UTC")
        for name in ("odoo_url", "odoo_database", "odoo_login", "odoo_key"):
            monkeypatch.setenv(f"PARTNER_CX_{name.upper()}", str(getattr(said, name)))
        yield opened


@pytest.fixture
def office(world: World, database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(database_url, tmp_path)


def test_a_sync_prints_what_became_of_the_rows(office: CommandLine) -> None:
    done = office.run("odoo", "sync", "--format", "json")

    counts = {row["kind"]: row["taken"] for row in done.rows if row["kind"]}
    assert counts == {"partners": 3, "people": 3, "reps": 1}
    assert "Contacts without an e-mail address are left out." in done.err


def test_a_preview_takes_nothing_in(office: CommandLine, world: World) -> None:
    world.at("04-01 09:00").order(ALDER, promised="04-10", quantity=5, delivered=None)

    done = office.run("odoo", "sync", "--preview", "--format", "json")

    told = {(row["stream"], row["kind"]): row["rows"] for row in done.rows}
    assert told["network", "partners"] == 3
    assert told["orders", "order-lines"] == 1
    assert table(world.engine, "SELECT code FROM partners") == []


def test_a_right_that_is_missing_is_told_and_the_exit_status_says_so(
    office: CommandLine, world: World
) -> None:
    world.stand_in.fault("access", model="sale.order", times=None)

    done = office.run("odoo", "sync")
    assert done.status == 1

    assert "orders: stopped. " in done.err
    assert "sale.order" in done.err


def test_a_stream_that_is_misspelt_changes_nothing(office: CommandLine) -> None:
    done = office.run("odoo", "sync", "--only", "order")
    assert done.status == 2
    assert "Did you mean orders?" in done.err


def test_an_odoo_that_is_down_is_told_without_a_traceback(
    office: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARTNER_CX_ODOO_URL", "http://127.0.0.1:9")
    done = office.run("odoo", "sync")
    assert done.status == 2
    assert "Traceback" not in done.err


def test_the_mapping_in_force_is_printed_with_its_reasons(office: CommandLine) -> None:
    done = office.run("odoo", "mapping")
    assert "[partners]" in done.out
    assert "# Which companies are partners: those with a grade" in done.out


# --- By the worker ------------------------------------------------------------------------------


def due(world: World, **payload: object) -> tuple[Due, Hands]:
    now = world.clock["now"]
    owed = Due(1, "odoo.sync", "odoo.sync:x", None, payload, now, 1)
    return owed, Hands(world.engine, world.settings, lambda: now)


def test_the_worker_syncs_and_keeps_what_it_came_to(world: World) -> None:
    kept = carry_out(*due(world))
    assert kept["network: partners"] == {"taken": 3}


def test_the_worker_waits_while_another_sync_is_under_way(world: World) -> None:
    with alone(world.engine), pytest.raises(Later) as waits:
        carry_out(*due(world))
    assert waits.value.at - world.clock["now"] == timedelta(minutes=5)


def test_the_worker_tells_what_stopped_a_stream(world: World) -> None:
    world.stand_in.fault("access", model="sale.order", times=None)
    with pytest.raises(Refused, match=r"orders: .*sale.order"):
        carry_out(*due(world))
    assert len(table(world.engine, "SELECT code FROM partners")) == 3


def test_the_worker_tries_again_when_odoo_goes_down(world: World) -> None:
    world.stand_in.fault("closed", model="sale.order", times=None)
    with pytest.raises(Unreachable):
        carry_out(*due(world))
    assert SERVICE.key not in str(table(world.engine, "SELECT name FROM partners"))
