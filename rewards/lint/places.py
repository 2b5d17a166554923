"""Where in a rule a concern lies, and the single conditions it is made of."""

from __future__ import annotations

from collections.abc import Iterator

from rewards.conditions import AllOf, AnyOf, AtLeastOf, Condition
from rewards.rules import Rule

AWARD = "award"


def place_of(condition: Condition) -> str:
    """`conditions: kpi_is_green otif`: the condition as it is written, shortly."""
    plain = condition.to_plain()
    about = plain.get("kpi") or plain.get("event") if isinstance(plain, dict) else plain
    return f"conditions: {condition.name} {about if isinstance(about, str) else ''}".rstrip()


def single_conditions(rule: Rule) -> Iterator[Condition]:
    """The conditions about one thing, inside out of every all-of, any-of and at-least-of."""
    for condition in rule.conditions:
        for inner in condition.inside():
            if not isinstance(inner, AllOf | AnyOf | AtLeastOf):
                yield inner
