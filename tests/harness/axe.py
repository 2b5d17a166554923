"""What axe-core has against a page, by the rules of WCAG 2.2 AA and by good practice."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

RULES = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22a",
    "wcag22aa",
    "best-practice",
]


def violations(page: Page) -> list[str]:
    """What is wrong with the page as it stands now: `rule: target: why`, best none at all."""
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']}: {_target(node)}: {_why(node, rule)}"
        for rule in found
        for node in rule["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth > {root}.clientWidth"))


def _target(node: dict[str, Any]) -> str:
    return " ".join(str(each) for each in node["target"])


def _why(node: dict[str, Any], rule: dict[str, Any]) -> str:
    """What fails at this place; the rule's own words where axe says no more."""
    checks = [*node["any"], *node["all"], *node["none"]]
    return "; ".join(check["message"] for check in checks) or str(rule["help"])
