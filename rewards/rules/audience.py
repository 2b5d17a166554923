"""Whom a rule is for, and whose figures it looks at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Self

from partner_cx.network.names import PartnerKind
from rewards.reading import Given, some_items


class Level(StrEnum):
    """Whose figures a rule looks at. What it awards goes to the partner all the same."""

    PARTNER = "partner"  # the partner's own
    DISTRIBUTOR = "distributor"  # those of the distributor with all its resellers


@dataclass(frozen=True)
class Audience:
    """Whom a rule is for: one of each that is named; what isn't named doesn't matter."""

    kinds: tuple[PartnerKind, ...] = ()
    groups: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=(), optional=("kinds", "groups", "tiers", "countries"))
        return cls(
            kinds=tuple(item.choice(PartnerKind) for item in some_items(fields.get("kinds"))),
            groups=tuple(item.group() for item in some_items(fields.get("groups"))),
            tiers=tuple(item.text() for item in some_items(fields.get("tiers"))),
            countries=tuple(item.text() for item in some_items(fields.get("countries"))),
        )

    def to_plain(self) -> dict[str, list[str]]:
        named = {
            "kinds": [kind.value for kind in self.kinds],
            "groups": list(self.groups),
            "tiers": list(self.tiers),
            "countries": list(self.countries),
        }
        return {name: codes for name, codes in named.items() if codes}

    def includes(self, groups: Collection[str]) -> bool:
        """Whether a partner can earn the award.

        groups: all the partner belonged to in the period; what it is counts as one, such as
            `kind:reseller`, `tier:gold`, `country:FR`.
        """
        return not any(any_of.isdisjoint(groups) for any_of in self._wanted)

    @cached_property
    def _wanted(self) -> tuple[frozenset[str], ...]:
        wanted = (
            frozenset(f"kind:{kind}" for kind in self.kinds),
            frozenset(f"tier:{tier}" for tier in self.tiers),
            frozenset(f"country:{country}" for country in self.countries),
            frozenset(self.groups),
        )
        return tuple(any_of for any_of in wanted if any_of)
