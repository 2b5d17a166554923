"""What other Odoos hold than the recorded one: addresses with names, tags like one another, records
that rules hide from the account among those it may see."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from integrations.odoo.directory import address_of
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.network import PartnersMapping
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
