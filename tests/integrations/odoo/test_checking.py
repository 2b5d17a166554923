"""Checking an Odoo: every gap is found, named, and told with what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.odoo.checking import check
from integrations.odoo.checking.findings import Finding, State
from integrations.odoo.connection import Odoo, connect
from integrations.odoo.connection.errors import KeyRefused, NoAnswer
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams.portal import PortalMapping
from integrations.odoo.sync.reading import STREAMS
from integrations.odoo.writing_section import WritingMapping
from integrations.stand_ins.odoo import DATABASE, SERVICE_GROUPS, StandIn, User, running
from partner_cx.settings import WRITE_BACKS
from tests.harness.odoo_replay import (
    AT_ONCE,
    Asked,
    Reply,
    Scripted,
    scripted_odoo,
    settings_for,
)
from tests.harness.odoo_small import ACCOUNT, LOGIN, small_odoo

NOW = datetime(2026, 4, 30, 12, tzinfo=UTC)
BOTH = pytest.mark.parametrize("version", [18, 19])
ALL_KPIS = {kpi for stream in STREAMS for kpi in stream.kpis}
SALES_ALL = "sales_team.group_sale_salesman_all_leads"


@contextmanager
def spoken_with(stand_in: StandIn, **more: Any) -> Iterator[Odoo]:
    (account,) = stand_in.users
    with running(stand_in) as address:
        settings = settings_for(
            address, odoo_database=DATABASE, odoo_login=LOGIN, odoo_key=account.key
        )
        with connect(settings, patience=AT_ONCE, **more) as odoo:
            yield odoo


def checked(
    stand_in: StandIn, mapping: OdooMapping | None = None, write_back: tuple[str, ...] = ()
) -> list[Finding]:
    with spoken_with(stand_in) as odoo:
        return check(odoo, mapping or OdooMapping(), now=NOW, write_back=write_back)


def problems(findings: list[Finding]) -> dict[str, State]:
    return {f"{each.area}: {each.what}": each.state for each in findings if each.is_problem}


@BOTH
def test_nothing_is_missing_where_all_is_there(version: int):
    findings = checked(small_odoo(version), write_back=WRITE_BACKS)
    assert problems(findings) == {}
    assert {each.area for each in findings} >= {stream.name for stream in STREAMS}
    connection = findings[0]
    assert connection.found == {18: "Odoo 18.0 over JSON-RPC", 19: "Odoo 19.0 over JSON-2"}[version]
    written = [each for each in findings if each.area == "writing"]
    assert [(each.what, each.found) for each in written] == [(name, "on") for name in WRITE_BACKS]


@BOTH
def test_checking_writes_nothing(version: int):
    stand_in = small_odoo(version)
    checked(stand_in, write_back=WRITE_BACKS)
    asked = {each.method for each in stand_in.requests}
    assert asked.isdisjoint({"create", "write", "unlink", "message_post", "activity_schedule"})


GROUPS_MISSING = {
    # the group that is missing: what can't be read, and a KPI that isn't measured without it
    "account.group_account_readonly": ("invoices: account.move", "credit_rate"),
    SALES_ALL: ("orders: all of sale.order", "otif"),
}


@BOTH
@pytest.mark.parametrize(("group", "expected"), GROUPS_MISSING.items())
def test_a_missing_group_is_named_with_what_it_costs(
    version: int, group: str, expected: tuple[str, str]
):
    what, kpi = expected
    account = User(7, LOGIN, "key", groups=SERVICE_GROUPS - {group})
    findings = checked(small_odoo(version, account))
    found = {f"{each.area}: {each.what}": each for each in findings}[what]
    assert found.is_problem
    assert group in found.remedy
    assert kpi in found.costs


@BOTH
def test_a_plain_user_reads_the_network_and_little_else(version: int):
    account = User(7, LOGIN, "key", groups=frozenset({"base.group_user"}))
    found = problems(checked(small_odoo(version, account)))
    areas = {place.split(":")[0] for place in found}
    assert {"orders", "invoices", "leads"} <= areas
    assert "network" not in areas


@BOTH
def test_what_a_rule_hides_is_doubted_as_odoo_says_nothing(version: int):
    account = User(7, LOGIN, "key", groups=SERVICE_GROUPS, rules={"sale.order": [["id", "=", 0]]})
    findings = checked(small_odoo(version, account))
    doubted = next(each for each in findings if each.what == "sale.order")
    assert doubted.state is State.DOUBT
    assert "rules hide them" in doubted.remedy


@BOTH
def test_an_odoo_without_tags_is_no_cause_for_doubt(version: int):
    stand_in = small_odoo(version)
    stand_in.remove("res.partner.category", 1)
    findings = checked(stand_in)
    assert problems(findings) == {}
    tags = next(each for each in findings if each.what == "res.partner.category")
    assert (tags.state, tags.costs) == (State.NOTE, ())


@BOTH
def test_an_app_that_is_missing_costs_its_kpis(version: int):
    findings = checked(small_odoo(version, without=["crm.lead", "stock.move"]))
    leads = next(each for each in findings if each.area == "leads")
    assert leads.state is State.GAP
    assert leads.costs == ("time_to_quote",)
    assert "crm" in leads.remedy
    moves = next(each for each in findings if each.what == "stock.move")
    assert (moves.state, moves.found) == (State.GAP, "not installed")
    assert "otif" in moves.costs
    assert "Inventory" in moves.remedy


@BOTH
def test_without_a_network_nothing_is_measured(version: int):
    stand_in = small_odoo(version)
    del stand_in.tables["res.partner"].fields["grade_id"]
    network = next(each for each in checked(stand_in) if each.area == "network")
    assert network.state is State.GAP
    assert set(network.costs) == ALL_KPIS


def test_what_the_mapping_leaves_out_is_no_gap():
    findings = checked(small_odoo(19), OdooMapping(portal=PortalMapping(logins=False)))
    (portal,) = [each for each in findings if each.area == "portal"]
    assert (portal.state, portal.found) == (State.NOTE, "the mapping leaves it out")


@BOTH
def test_closed_logins_are_a_note_as_the_last_ones_do(version: int):
    findings = checked(small_odoo(version))
    noted = next(each for each in findings if each.what == "res.users.log")
    assert noted.state is State.NOTE


def test_of_very_many_records_not_each_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("integrations.odoo.checking.COUNTED_MAX", 2)
    findings = {f"{each.area}: {each.what}": each.found for each in checked(small_odoo(19))}
    assert findings["invoices: account.move"] == "2 records and more"
    assert findings["orders: sale.order"] == "1 record"


# --- The account, the clock, the version ----------------------------------------------------


def test_a_portal_users_key_is_no_good():
    stand_in = small_odoo(19)
    stand_in.change("res.users", ACCOUNT, {"share": True})
    assert problems(checked(stand_in))["account: user"] is State.GAP


def test_without_an_address_only_notes_are_lost():
    stand_in = small_odoo(19)
    stand_in.change("res.users", ACCOUNT, {"email": False})
    assert problems(checked(stand_in)) == {}


def test_notes_need_an_address_to_be_written_from():
    stand_in = small_odoo(19)
    stand_in.change("res.users", ACCOUNT, {"email": False})
    found = problems(checked(stand_in, write_back=("notes",)))
    assert found["writing: notes"] is State.GAP


@pytest.mark.parametrize("minutes", [-7, 7])
def test_clocks_that_are_apart_are_doubted(minutes: int):
    apart = timedelta(minutes=minutes)
    with spoken_with(small_odoo(19), clock=lambda: datetime.now(UTC) - apart) as odoo:
        clock = next(each for each in check(odoo, OdooMapping(), now=NOW) if each.what == "clock")
    assert clock.state is State.DOUBT
    assert ("ahead of" if minutes > 0 else "behind") in clock.found


def test_a_version_that_was_never_tried_is_doubted():
    assert "connection" in next(iter(problems(checked(small_odoo(17)))))


@BOTH
@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (["2026-09-01 00:00:00"], State.NOTE),
        (["2026-09-01 00:00:00", "2026-05-20 08:00:00"], State.DOUBT),
        (["2026-04-01 00:00:00"], State.DOUBT),
        ([False, "2026-05-20 08:00:00"], None),
        ([], None),
    ],
)
def test_the_day_on_which_the_key_ends_is_told_where_odoo_tells_it(
    version: int, ends: list[Any], state: State | None
):
    def answer(asked: Asked) -> Reply:
        told = {
            "context_get": {"uid": 7},
            "read": [{"id": 7, "name": "Us", "login": LOGIN, "email": LOGIN, "share": False}],
            "search_read": [{"id": n, "expiration_date": day} for n, day in enumerate(ends)],
            "search": [1],
            "has_access": True,
            "fields_get": {"name": {}},
        }
        return told.get(asked.method)

    with scripted_odoo(Scripted(version, answer)) as odoo:
        findings = check(odoo, OdooMapping(), now=NOW, streams=())
    states = [each.state for each in findings if each.what == "key"]
    assert states == ([] if state is None else [state])


# --- Writing --------------------------------------------------------------------------------


@BOTH
def test_what_is_switched_off_is_noted_with_what_it_would_need(version: int):
    account = User(7, LOGIN, "key", groups=SERVICE_GROUPS - {"project.group_project_user"})
    findings = checked(small_odoo(version, account), write_back=("cards",))
    written = {each.what: each for each in findings if each.area == "writing"}
    assert written["cards"].state is State.WELL
    assert written["notes"].found == "off; it could be on"
    assert written["tickets"].state is State.NOTE
    assert "may not create project.task" in written["tickets"].found


@BOTH
def test_what_is_switched_on_and_may_not_be_written_is_a_gap(version: int):
    account = User(7, LOGIN, "key", groups=SERVICE_GROUPS - {"base.group_partner_manager"})
    findings = checked(small_odoo(version, account), write_back=("notes",))
    notes = next(each for each in findings if each.what == "notes")
    assert notes.state is State.GAP
    assert "base.group_partner_manager" in notes.remedy


def test_cards_need_the_app_for_loyalty():
    stand_in = small_odoo(19, without=["loyalty.program", "loyalty.card", "loyalty.history"])
    findings = checked(stand_in, write_back=("cards",))
    cards = next(each for each in findings if each.what == "cards")
    assert cards.state is State.GAP
    assert "Coupons & Loyalty" in cards.remedy


@BOTH
@pytest.mark.parametrize(("programme", "state"), [("Points", State.WELL), ("Rewards", State.GAP)])
def test_cards_need_the_programme_they_belong_to(version: int, programme: str, state: State):
    mapping = OdooMapping(writing=WritingMapping(programme=programme, make_programme=False))
    findings = checked(small_odoo(version), mapping, write_back=("cards",))
    cards = next(each for each in findings if each.what == "cards")
    assert cards.state is state
    assert state is State.WELL or "“Rewards”" in cards.remedy


# --- No Odoo to check -----------------------------------------------------------------------


@BOTH
def test_a_revoked_key_ends_the_check(version: int):
    stand_in = small_odoo(version)
    with spoken_with(stand_in) as odoo:
        stand_in.fault("revoked", times=None)
        with pytest.raises(KeyRefused):
            check(odoo, OdooMapping(), now=NOW)


@BOTH
@pytest.mark.parametrize("after", [3, 10, 25])
def test_a_key_revoked_midway_is_no_gap_of_a_stream(version: int, after: int):
    stand_in = small_odoo(version)
    with spoken_with(stand_in) as odoo:
        stand_in.fault("revoked", after=after, times=None)
        with pytest.raises(KeyRefused):
            check(odoo, OdooMapping(), now=NOW)


@BOTH
def test_an_odoo_that_goes_down_midway_ends_the_check(version: int):
    stand_in = small_odoo(version)
    with spoken_with(stand_in) as odoo:
        stand_in.fault("bad_gateway", after=5, times=None)
        with pytest.raises(NoAnswer):
            check(odoo, OdooMapping(), now=NOW)
