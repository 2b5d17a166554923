"""Directories of the past: the partners, groups and people as they were known after an import.

Before: hindsight. After: a restatement, which measures a closed period for those who were there
then, so that whoever changes tier in summer doesn't change what spring came to.
"""

from __future__ import annotations

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from partner_cx.measures.measuring import Directory
from partner_cx.network import groups
from partner_cx.network.groups import GroupMember
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.operations.hindsight import Among, facts_known


def directory_known(session: Session, known_until: int) -> Directory:
    """Who there was, as imports up to this one had told it."""
    partners = _known(session, Partner, "partners", known_until).sort_values("code")
    people = _known(session, Person, "people", known_until)
    invited = people[(people["role"] == Role.PARTNER.value) & people["partner_id"].notna()]
    return Directory(
        partners=partners[["id", "code", "joined_on", "left_on"]].reset_index(drop=True),
        memberships=_memberships(partners, _known(session, GroupMember, "groups", known_until)),
        invited=pd.DataFrame(
            {"partner_id": invited["partner_id"].astype("int64"), "who": invited["email"]}
        ),
    )


def _known(
    session: Session, model: type[DeclarativeBase], kind: str, known_until: int
) -> pd.DataFrame:
    """The rows of a kind as they were; numbers without gaps become plain ones."""
    numbers = session.scalars(sa.select(model.metadata.tables[model.__tablename__].c.id)).all()
    rows = facts_known(session, model, kind, among=Among("id", numbers), known_until=known_until)
    return rows.astype({"id": "int64"})


def _memberships(partners: pd.DataFrame, own: pd.DataFrame) -> pd.DataFrame:
    """As `groups.memberships` tells them: group_code, partner_id."""
    by_nature = [
        pd.DataFrame(
            {"group_code": f"{name}:" + partners[name], "partner_id": partners["id"]}
        ).dropna()
        for name in ("kind", "tier", "region", "country")
    ]
    chosen = own[["group_code", "partner_id"]].astype({"partner_id": "int64"})
    chosen["group_code"] = "group:" + chosen["group_code"].str.removeprefix("group:")
    together = pd.concat([*by_nature, groups.by_distributor(partners), chosen], ignore_index=True)
    there = together[together["partner_id"].isin(partners["id"])].drop_duplicates()
    return there.sort_values(["group_code", "partner_id"], ignore_index=True)
