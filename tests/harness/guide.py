"""What the tests read in the guide: its blocks, and its tables made from what they describe.

`python -m tests.harness.guide` prints the tables, to be pasted into the pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from partner_cx.kinds import KINDS
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Kpi
from partner_cx.operations.intake import Kind

# A fenced block: the file it stands for, where one is named above it, its language and its text.
BLOCK = re.compile(r"(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

KPIS_HEAD = "| code | name | unit | better | what it is |\n| --- | --- | --- | --- | --- |\n"
FORMATS_HEAD = "| kind | columns (optional in brackets) |\n| --- | --- |\n"


def kpis_table(kpis: Iterable[Kpi]) -> str:
    """One row per KPI, in the catalogue's order."""
    return "".join(
        f"| `{kpi.code}` | {kpi.label.en} | {kpi.unit} | {kpi.direction} | {kpi.formula.en} |\n"
        for kpi in kpis
    )


def formats_table(kinds: Iterable[Kind]) -> str:
    """One row per kind of fact, with its columns in the order in which they are declared."""
    return "".join(
        f"| `{kind.name}` | "
        + ", ".join(f.name if f.required else f"[{f.name}]" for f in kind.fields)
        + " |\n"
        for kind in kinds
    )


if __name__ == "__main__":
    print(KPIS_HEAD + kpis_table(CATALOGUE.values()))
    print(FORMATS_HEAD + formats_table(KINDS.values()))
