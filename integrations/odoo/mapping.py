"""The mapping: what of an Odoo is what of ours, one section per stream, with a default for each.

An installation writes down only what is otherwise with it. After any change the next sync reads
everything anew: what it says may bear on all of it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, cast

from integrations.odoo.section import Section, unknown_sections
from integrations.odoo.streams.invoices import InvoicesMapping
from integrations.odoo.streams.leads import LeadsMapping
from integrations.odoo.streams.learning import LearningMapping
from integrations.odoo.streams.network import PartnersMapping
from integrations.odoo.streams.orders import OrdersMapping
from integrations.odoo.streams.people import PeopleMapping
from integrations.odoo.streams.portal import PortalMapping
from integrations.odoo.streams.surveys import SurveysMapping
from integrations.odoo.streams.tickets import TicketsMapping
from integrations.odoo.writing_section import WritingMapping
from partner_cx.errors import Invalid


@dataclass(frozen=True)
class OdooMapping:
    """All sections. Each stream's is told by the stream itself."""

    partners: PartnersMapping = field(default_factory=PartnersMapping)
    people: PeopleMapping = field(default_factory=PeopleMapping)
    portal: PortalMapping = field(default_factory=PortalMapping)
    orders: OrdersMapping = field(default_factory=OrdersMapping)
    invoices: InvoicesMapping = field(default_factory=InvoicesMapping)
    tickets: TicketsMapping = field(default_factory=TicketsMapping)
    leads: LeadsMapping = field(default_factory=LeadsMapping)
    learning: LearningMapping = field(default_factory=LearningMapping)
    surveys: SurveysMapping = field(default_factory=SurveysMapping)
    writing: WritingMapping = field(default_factory=WritingMapping)

    @classmethod
    def read(cls, path: Path | None) -> Self:
        """Read a mapping file; without one, every default. Raises Invalid, naming the place."""
        if path is None:
            return cls()
        tables = _load(path)
        known = _sections(cls)
        unknown_sections(tables, known, path.name)
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise Invalid(f"{path.name}: [{name}] is a section of its own.")
        read: dict[str, Any] = {name: known[name].read(tables[name], path.name) for name in tables}
        return cls(**read)

    def sections(self) -> tuple[Section, ...]:
        return tuple(getattr(self, each.name) for each in dataclasses.fields(self))

    def written(self) -> str:
        """The whole mapping as a file, with what each key is for."""
        return "\n".join(section.written() for section in self.sections())

    def digest(self) -> str:
        """What changes as soon as the mapping says anything else of what is read."""
        reads = (section for section in self.sections() if section.READS)
        said = {section.NAME: dataclasses.asdict(section) for section in reads}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _sections(mapping: type[OdooMapping]) -> dict[str, type[Section]]:
    return {
        each.name: cast("type[Section]", each.default_factory)
        for each in dataclasses.fields(mapping)
    }


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Invalid(
            f"The mapping {path} can't be read: {error.strerror}.",
            remedy="Check the setting odoo_mapping, which names it.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"The mapping {path.name} isn't TOML: {error}.",
            remedy="`partner-cx odoo mapping` prints a whole one to begin with.",
        ) from None
