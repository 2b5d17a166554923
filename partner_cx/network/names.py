"""What kinds of partner there are and what groups are called, for those too who know no database.

Rules name both, and what decides touches no database.
"""

from __future__ import annotations

from enum import StrEnum


class PartnerKind(StrEnum):
    """What a partner does in the network."""

    DISTRIBUTOR = "distributor"  # buys from the brand, supplies resellers
    RESELLER = "reseller"  # sells to end customers
    INSTALLER = "installer"  # sells and puts into service
    AGENCY = "agency"  # brings business without buying


# What a group's code begins with, from the widest to the narrowest: where several groups override
# a target, the last one holds.
NARROWER = ("kind", "tier", "country", "region", "distributor", "group")


def narrowness(group_code: str) -> int:
    """How narrow a group is among the kinds of groups; the widest is 0."""
    kind = group_code.partition(":")[0]
    return NARROWER.index(kind) if kind in NARROWER else len(NARROWER)
