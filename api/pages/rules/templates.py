"""The templates that a new rule may begin from: those beside the pages, with what each is for."""

from __future__ import annotations

from typing import Any

from api.catalogues import text
from api.render import TEMPLATES, translator
from rewards import rulebook
from rewards.rules import Rule

EXPLAINED = {
    "network_quality_bonus": text(
        "Points for every partner whose service was good all quarter long."
    ),
    "own_improvement": text("Points for partners who got better, wherever they began."),
    "fast_first_response": text(
        "Points for each ten minutes by which customers hear sooner than promised."
    ),
    "catalogue_completion": text(
        "Points by steps for product sheets that are complete at the quarter’s end."
    ),
    "e_learning": text("Points for each course that a person completes."),
    "survey_response": text("Points for answering, never for the answer."),
    "actionable_insight": text(
        "Points for whoever shares something from the field that can be acted upon."
    ),
    "panel_participation": text("Points for taking part in a panel, whatever was said there."),
    "incident_gesture": text("A gesture proposed to a partner when an incident was settled."),
}


def offered(language: str) -> list[dict[str, Any]]:
    """Each template by its code, in the order in which they are offered."""
    say = translator(language)
    return [
        {
            "code": code,
            "label": (rule := _rule_of(code)).label.in_(language),
            "explained": say(explained),
            "award": rule.award.told.in_(language),
        }
        for code, explained in EXPLAINED.items()
    ]


def source_of(code: str) -> str:
    """A template's YAML."""
    return (TEMPLATES / "rules" / f"{code}.yaml").read_text(encoding="utf-8")


def _rule_of(code: str) -> Rule:
    return rulebook.read_kept(source_of(code), f"{code}.yaml")
