"""Filters of the partner list: what the address asks for, and what a reader may choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa
from fastapi import Request
from sqlalchemy.orm import Session

from api.catalogues import text
from api.pages.network.closer import BY_NAMES, KINDS_OF_PARTNERS
from api.pages.told import STATE_WORDS
from api.render import translator
from partner_cx.errors import Invalid
from partner_cx.insights.ranking import Filter, Order
from partner_cx.measures.figures import State
from partner_cx.network.groups import GroupMember
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.spelling import without_strange
from partner_cx.words import Words

E = TypeVar("E", bound=StrEnum)

TRAITS = ("region", "tier", "kind", "country")
NAMES = (*TRAITS, "distributor", "group")
OFTEN = ("state", "region")  # the others are folded away
LONGEST = 200
ORDER_NAMES = {
    Order.WORST: text("Worst first"),
    Order.BEST: text("Best first"),
    Order.NAME: text("By name"),
    Order.SAMPLE: text("Largest sample first"),
}


@dataclass(frozen=True)
class Asked:
    """What the address asks of the partner list.

    chosen: by the filter's name, as it was written; order: what to sort by.
    """

    chosen: Mapping[str, str] = field(default_factory=dict)
    order: Order = Order.NAME

    @property
    def filter(self) -> Filter:
        state = self.chosen.get("state")
        return Filter(
            state=State(state) if state else None,
            traits={name: self.chosen[name] for name in TRAITS if name in self.chosen},
            distributor=self.chosen.get("distributor", ""),
            group=self.chosen.get("group", ""),
            search=self.chosen.get("q", ""),
        )


def asked(request: Request, *, order: Order) -> Asked:
    """What is asked for. order: unless told. Raises Invalid for a state or order there isn't."""
    given = request.query_params
    chosen = {name: clean(given.get(name, "")) for name in (*NAMES, "state", "q")}
    chosen = {name: value for name, value in chosen.items() if value}
    if "state" in chosen:
        one_of(State, chosen["state"], Words("state", "l’état"))
    sort = given.get("sort", "")
    return Asked(chosen, one_of(Order, sort, Words("order", "l’ordre")) if sort else order)


def one_of(kind: type[E], code: str, what: Words) -> E:
    if code not in set(kind):
        raise Invalid(
            f"“{code}” isn't one of {', '.join(kind)}.",
            remedy=f"Choose the {what.en} on the page.",
            french=f"«\u202f{code}\u202f» n’est pas parmi {', '.join(kind)}. "
            f"Choisissez {what.fr} sur la page.",
        )
    return kind(code)


def clean(given: str) -> str:
    """What was typed, without signs that no name holds."""
    return without_strange(given).strip()[:LONGEST]


@dataclass(frozen=True)
class Choices:
    """What there is to choose from, by the filter's name: codes and what people call them."""

    options: Mapping[str, list[tuple[str, str]]]

    def label(self, name: str, code: str) -> str:
        return dict(self.options[name]).get(code, code)


def choices(session: Session, language: str) -> Choices:
    """The regions, tiers, … that partners have. One query."""
    say = translator(language)
    found: dict[str, list[tuple[str, str]]] = {name: [] for name in NAMES}
    for name, code, label in session.execute(_CHOICES):
        found[name].append((code, label or code))
    found["kind"] = [(code, say(KINDS_OF_PARTNERS[code])) for code, _ in found["kind"]]
    return Choices(
        {
            name: sorted(pairs, key=lambda pair: (pair[1].casefold(), *pair))
            for name, pairs in found.items()
        }
    )


def _trait(name: str) -> sa.Select[Any]:
    column = getattr(Partner, name)
    return (
        sa.select(sa.literal(name).label("name"), column.label("code"), sa.null().label("label"))
        .where(column.is_not(None))
        .distinct()
    )


_GROUP = sa.func.replace(GroupMember.group_code, "group:", "")
_CHOICES: sa.CompoundSelect[Any] = sa.union_all(
    *map(_trait, TRAITS),
    sa.select(sa.literal("distributor"), Partner.code, Partner.name).where(
        Partner.kind == PartnerKind.DISTRIBUTOR
    ),
    sa.select(sa.literal("group"), _GROUP, sa.func.max(GroupMember.label)).group_by(_GROUP),
)


def selects(asked_for: Asked, found: Choices, language: str) -> list[dict[str, Any]]:
    """The filters as fields to choose in; what has nothing to choose from is left out."""
    say = translator(language)
    states = [(state.value, say(word).capitalize()) for state, word in STATE_WORDS.items()]
    told = {
        "state": (say(text("State")), states),
        **{name: (say(BY_NAMES[name]), found.options[name]) for name in NAMES},
    }
    return [
        {
            "name": name,
            "label": label,
            "options": [("", say("All")), *options],
            "value": asked_for.chosen.get(name, ""),
            "often": name in OFTEN,
        }
        for name, (label, options) in told.items()
        if options
    ]


def in_words(asked_for: Asked, found: Choices, language: str) -> str:
    """What the list is narrowed to: `missed · Bretagne`; empty for everybody."""
    say = translator(language)
    words = []
    if state := asked_for.chosen.get("state"):
        words.append(say(STATE_WORDS[State(state)]))
    words += [
        found.label(name, asked_for.chosen[name]) for name in NAMES if name in asked_for.chosen
    ]
    if search := asked_for.chosen.get("q"):
        words.append(say("“{search}”").format(search=search))
    return " · ".join(words)
