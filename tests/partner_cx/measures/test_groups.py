"""Groups: who belongs together, by what a partner is and by what the channel team says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.network import groups
from partner_cx.network.groups import GroupMember
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Import, Source


@pytest.fixture
def network(session: Session) -> Session:
    """A distributor over another one, a reseller below each, and an installer on its own."""
    session.add(Source(id=1, code="test"))
    session.flush()
    session.add(
        Import(id=1, kind="partners", source=1, file_name="f", imported_at=datetime.now(UTC))
    )
    session.flush()

    def partner(
        number: int, code: str, kind: str, parent_id: int | None = None, **more: Any
    ) -> None:
        described = {"tier": None, "region": None, "country": None} | more
        row = {"id": number, "code": code, "name": f"The {code}", "kind": kind, **described}
        session.execute(sa.insert(Partner).values(parent_id=parent_id, import_id=1, **row))

    partner(1, "D1", "distributor", country="FR")
    partner(2, "D2", "distributor", 1, country="FR")
    partner(3, "R1", "reseller", 1, tier="gold", country="FR")
    partner(4, "R2", "reseller", 2, tier="gold", region="Bretagne", country="FR")
    partner(5, "I1", "installer")
    session.execute(
        sa.insert(GroupMember).values(
            group_code="pilot", label="The pilots", partner_id=5, import_id=1
        )
    )
    return session


def members(session: Session) -> dict[str, list[int]]:
    found = groups.memberships(session).groupby("group_code")["partner_id"]
    return {str(code): partner_ids.tolist() for code, partner_ids in found}


def test_a_partner_belongs_where_its_kind_tier_region_and_country_put_it(network: Session) -> None:
    found = members(network)
    assert found["kind:reseller"] == [3, 4]
    assert found["tier:gold"] == [3, 4]
    assert found["region:Bretagne"] == [4]
    assert found["country:FR"] == [1, 2, 3, 4]


def test_a_distributors_group_holds_itself_and_everyone_below(network: Session) -> None:
    found = members(network)
    assert found["distributor:D1"] == [1, 2, 3, 4]
    assert found["distributor:D2"] == [2, 4]


def test_the_channel_teams_own_groups_are_told_apart_by_their_prefix(network: Session) -> None:
    assert members(network)["group:pilot"] == [5]


def test_a_partner_without_a_tier_is_in_no_tier(network: Session) -> None:
    assert {code for code in members(network) if code.startswith("tier:")} == {"tier:gold"}


def test_labels_are_a_distributors_name_or_the_teams_word(network: Session) -> None:
    assert groups.labels(network) == {
        "distributor:D1": "The D1",
        "distributor:D2": "The D2",
        "group:pilot": "The pilots",
    }


def test_nobody_is_in_any_group_of_an_empty_network(session: Session) -> None:
    assert groups.memberships(session).empty


def test_partners_that_are_each_others_parents_still_end(network: Session) -> None:
    network.execute(sa.update(Partner).where(Partner.id == 1).values(parent_id=2))
    assert members(network)["distributor:D2"] == [1, 2, 3, 4]
