"""The mapping's section on what is written; `writing` itself stands above the mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from integrations.odoo.section import Section, said


@dataclass(frozen=True)
class WritingMapping(Section):
    """What an installation decides of what is written into its Odoo."""

    NAME: ClassVar[str] = "writing"
    ABOUT: ClassVar[str] = (
        "Where things are written. Which are at all, the setting odoo_write_back says."
    )
    READS: ClassVar[bool] = False

    programme: str = said(
        "Partner CX", "The loyalty programme that the partners' cards belong to, by name."
    )
    make_programme: bool = said(True, "Whether it is made when there is none of that name.")
    salesperson: str | None = said(
        None, "Who is told of companies that no salesperson looks after, by login."
    )
    project: str | None = said(
        None, "The project in which tickets are raised; without it the first of those for tickets."
    )
    team: str | None = said(
        None, "The helpdesk team that gets them, where there is Helpdesk; without it the first."
    )
