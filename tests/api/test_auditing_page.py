"""The page on auditing lists every kind of difference, as the audit tells it."""

from __future__ import annotations

from pathlib import Path

from rewards.audit.differences import KINDS

PAGE = Path(__file__).parents[2] / "docs/guide/auditing.md"


def test_the_page_lists_every_kind_in_the_order_of_the_audit():
    gap = {"where": "…", "expected": "…", "found": "…"}
    rows = [f"| `{name}` | {kind.sentence.en.format(**gap)} |" for name, kind in KINDS.items()]
    table = "\n".join(rows)
    assert table in PAGE.read_text("utf-8"), f"put these rows in:\n{table}"
