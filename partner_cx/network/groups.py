"""Groups: whom a partner is compared with, and whom a target or a rule is for.

Most groups follow from what a partner is: `kind:reseller`, `tier:gold`, `region:Bretagne`,
`country:FR`, and `distributor:D01` (the distributor with everyone below it). A channel team adds
its own by the `groups` files: `group:pilot`.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Id, Text
from partner_cx.frames import read_frame
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.prepared import Prepared


class GroupMember(Base):
    """A partner's membership in one of the channel team's own groups."""

    __tablename__ = "group_members"
    __table_args__ = (sa.UniqueConstraint("group_code", "partner_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    group_code: Mapped[str] = mapped_column(Text)
    label: Mapped[str | None] = mapped_column(Text)
    partner_id: Mapped[int] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))


_LEVELS_MAX = 100  # no hierarchy is deeper; a partner that is its own forebear would be


def memberships(session: Session) -> pd.DataFrame:
    """Every group with its members, as the partners stand now: group_code, partner_id.

    A distributor's group holds the distributor itself and everyone below it, at any depth.
    """
    partners = read_frame(
        session,
        sa.select(
            Partner.id,
            Partner.code,
            Partner.kind,
            Partner.parent_id,
            Partner.tier,
            Partner.region,
            Partner.country,
        ),
    )
    own = read_frame(session, sa.select(GroupMember.group_code, GroupMember.partner_id))
    own["group_code"] = "group:" + own["group_code"].str.removeprefix("group:")
    by_nature = [_by(partners, name) for name in ("kind", "tier", "region", "country")]
    groups = pd.concat([*by_nature, by_distributor(partners), own], ignore_index=True)
    return groups.drop_duplicates().sort_values(["group_code", "partner_id"], ignore_index=True)


def by_distributor(partners: pd.DataFrame) -> pd.DataFrame:
    """Every distributor's group with its members: group_code, partner_id.

    partners: id, code, kind, parent_id; with all that stand above any of them.
    """
    # Climb from every partner to its parents, all at once, noting each distributor on the way.
    known = partners.set_index("id")
    climbing = pd.DataFrame({"partner_id": partners["id"], "reached": partners["id"]})
    found = []
    for _ in range(_LEVELS_MAX):
        here = known.loc[climbing["reached"]]
        is_distributor = (here["kind"] == PartnerKind.DISTRIBUTOR).to_numpy()
        code = "distributor:" + here["code"].to_numpy()[is_distributor]
        found.append(
            pd.DataFrame({"group_code": code, "partner_id": climbing["partner_id"][is_distributor]})
        )
        climbing = climbing.assign(reached=here["parent_id"].to_numpy()).dropna()
        if climbing.empty:
            break
    return pd.concat(found)


def labels(session: Session) -> dict[str, str]:
    """What people call a group: a distributor's name, or what the channel team wrote."""
    distributors = sa.select(Partner.code, Partner.name).where(
        Partner.kind == PartnerKind.DISTRIBUTOR
    )
    named = sa.select(GroupMember.group_code, sa.func.max(GroupMember.label)).group_by(
        GroupMember.group_code
    )
    return {f"distributor:{code}": name for code, name in session.execute(distributors)} | {
        f"group:{code.removeprefix('group:')}": label
        for code, label in session.execute(named)
        if label
    }


def _by(partners: pd.DataFrame, name: str) -> pd.DataFrame:
    told = partners[partners[name].notna()]
    return pd.DataFrame({"group_code": f"{name}:" + told[name], "partner_id": told["id"]})


_OF_PARTNER = Prepared(
    sa.text(
        """
    WITH RECURSIVE above(id, parent_id, kind, code, level) AS (
        SELECT id, parent_id, kind, code, 0 FROM partners WHERE id = :partner_id
        UNION ALL
        SELECT p.id, p.parent_id, p.kind, p.code, a.level + 1
        FROM partners p JOIN above a ON p.id = a.parent_id WHERE a.level < :levels_max
    )
    SELECT 'distributor', code FROM above WHERE kind = 'distributor'
    UNION ALL
    SELECT 'group', group_code FROM group_members WHERE partner_id = :partner_id
    """
    )
)


def of_partner(session: Session, partner: Partner | sa.Row[Any]) -> frozenset[str]:
    """The codes of all groups that one partner belongs to now, as `memberships` tells them.

    partner: its id, kind, tier, region and country.
    """
    asked = {"partner_id": partner.id, "levels_max": _LEVELS_MAX - 1}
    found = _OF_PARTNER.rows(session, asked)
    groups = {
        f"{kind}:{code.removeprefix('group:') if kind == 'group' else code}" for kind, code in found
    }
    nature = zip(_NATURE, _nature_of(partner), strict=True)
    return frozenset(groups | {f"{name}:{value}" for name, value in nature if value is not None})


_NATURE = ("kind", "tier", "region", "country")
_nature_of = attrgetter(*_NATURE)
