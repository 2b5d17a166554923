"""The demo's programme: which rules are in force from the story's beginning, and who pays them.

They are the templates that come with Partner CX, started earlier. `building` publishes them before
anything is imported, so that the story's answers and courses earn what they would have earned.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from api.render import TEMPLATES
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import budgets, rulebook
from rewards.rules import Rule

ACTOR = "demo"
RULES = (
    "network_quality_bonus",
    "catalogue_completion",
    "own_improvement",
    "e_learning",
    "survey_response",
)
BUDGETS = {"network-quality": 200_000, "adoption": 100_000, "field-insights": 20_000}


def put_in_force(session: Session, first: Period, *, now: datetime) -> None:
    """Publish the rules from a period on, without an end, and fund the budgets that pay them."""
    for name in RULES:
        rulebook.publish(
            session,
            replace(_template(name), starts=first.first_day, ends=None),
            by=ACTOR,
            why="The demo's programme.",
            now=now,
        )
    for code, points in BUDGETS.items():
        budgets.fund(
            session,
            code,
            points,
            key=f"fund:demo:{code}",
            why=Words("The demo programme's budget", "Le budget du programme de démonstration"),
            now=now,
        )


def _template(name: str) -> Rule:
    file = TEMPLATES / "rules" / f"{name}.yaml"
    return Rule.from_yaml(file.read_text(encoding="utf-8"), file.name)
