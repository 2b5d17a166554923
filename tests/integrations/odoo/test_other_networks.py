"""What other Odoos hold than the recorded one: addresses with names, tags like one another, records
that rules hide from the account among those it may see."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from integrations.odoo.directory import Directory, address_of
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams.network import PartnersMapping
from integrations.stand_ins.odoo import SERVICE_GROUPS, User
from tests.harness.odoo_support import an_asking_network, on
from tests.harness.odoo_sync import ALDER, BIRCH, CEDAR, a_world, table

VERSIONS = (18, 19)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("Anna@Alder.example", "anna@alder.example"),
        (' "Alder, Anna" <Anna@Alder.example> ', "anna@alder.example"),
        ("Anna <anna@alder.example>", "anna@alder.example"),
        ("<anna@alder.example>", "anna@alder.example"),
        ("anna@alder.example, ben@alder.example", None),
        ("Anna <anna@alder.example>, Ben <ben@alder.example>", None),
        ("Anna <>", None),
        (False, None),
    ],
)
def test_an_address_may_have_a_name_before_it(written: str | bool, address: str | None) -> None:
    assert address_of(written) == address


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tag_chooses_those_that_have_it_or_one_below_and_none_that_is_called_alike(
    engine: sa.Engine, version: int
) -> None:
    with a_world(engine, version) as world:
        tag = world.add("res.partner.category", name="Reseller")
        below = world.add("res.partner.category", name="Certified", parent_id=tag)
        far_below = world.add("res.partner.category", name="With stock", parent_id=below)
        alike = world.add("res.partner.category", name="Former reseller")
        for number, label in ((ALDER, tag), (BIRCH, far_below), (CEDAR, alike)):
            world.change("res.partner", number, category_id=[(6, 0, [label])])
        world.mapping = OdooMapping(partners=PartnersMapping(which="category", category="Reseller"))
        assert not world.at("03-02 08:00").sync(only=["network"]).has_problems
    assert set(table(engine, "SELECT code FROM partners")) == {
        (f"odoo-{BIRCH}",),
        ("R01",),
    }


def hides(model: str, *domain: object) -> User:
    """A service account that sees a model's records of a domain alone."""
    return User(5, "service", "key-of-the-service", SERVICE_GROUPS, rules={model: domain})


@pytest.mark.parametrize("version", VERSIONS)
def test_replies_are_found_behind_any_number_of_messages_that_the_account_may_not_see(
    engine: sa.Engine, version: int
) -> None:
    account = hides("mail.message", ("body", "not ilike", "secret"))
    with an_asking_network(engine, version, account) as play:
        play.settings = replace(play.settings, odoo_page_rows=1)
        asked = play.desk.ticket(play.ida, "It drips", at=on("04-02 08:00"))
        play.sync("04-10 12:00")
        for minute in range(10, 35):
            at = on(f"04-10 12:{minute}")
            play.desk.customer_writes(asked, play.ida, at=at, text="A secret.")
        play.desk.reply(asked, play.sigrid, at=on("04-10 12:40"))
        for minute in range(41, 55):
            at = on(f"04-10 12:{minute}")
            play.desk.customer_writes(asked, play.ida, at=at, text="A secret.")
        play.sync("04-10 13:00")
        assert play.rows("SELECT first_reply_at FROM tickets") != [(None,)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reply_is_read_though_the_newest_message_is_hidden_and_nothing_else_changed(
    engine: sa.Engine, version: int
) -> None:
    account = hides("mail.message", ("body", "not ilike", "secret"))
    with an_asking_network(engine, version, account) as play:
        asked = play.desk.ticket(play.ida, "It drips", at=on("04-02 08:00"))
        for at in ("04-10 12:00", "04-10 12:30", "04-10 13:00"):
            play.sync(at)
        play.desk.reply(asked, play.sigrid, at=on("04-10 13:10"))
        play.desk.customer_writes(asked, play.ida, at=on("04-10 13:20"), text="A secret.")
        play.sync("04-10 13:30")
        assert play.rows("SELECT first_reply_at FROM tickets") != [(None,)]


UNITS = {  # name: factor in 18, factor in 19, and the unit it is told by there
    "g": (1000.0, 1.0, None),
    "kg": (1.0, 1000.0, "g"),
    "Ton": (0.001, 1_000_000.0, "kg"),
    "mm": (1000.0, 1.0, None),
    "m": (1.0, 1000.0, "mm"),
    "L": (1.0, 1.0, None),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_weighed_counts_in_kilograms_in_either_version(
    engine: sa.Engine, version: int
) -> None:
    """From 19 on Odoo weighs in grams: a line of 2 kg would outweigh 1,000 lines of 2 pieces."""
    with a_world(engine, version) as world:
        ids: dict[str, int] = {}
        for name, (before, since, above) in UNITS.items():
            factor = {"factor": before if version < 19 else since}
            told_by = {"relative_uom_id": ids[above]} if above and version >= 19 else {}
            ids[name] = world.add("uom.uom", name=name, **factor, **told_by)
        directory = Directory(world.odoo, engine)
        assert {name: str(directory.factor(number)) for name, number in ids.items()} == {
            "g": "1/1000",
            "kg": "1",
            "Ton": "1000",
            "mm": "1/1000",
            "m": "1",
            "L": "1",
        }
