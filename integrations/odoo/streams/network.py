"""The stream `network`: the companies that are partners, with their people, as `partners`,
`people` and `reps`.

A unit is a company. It is told with the partners above it, so that whoever is named as above is
there, and a distributor is one as soon as somebody stands below. What a company is called with us
is decided once, and remembered with its id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.odoo.directory import language_of
from integrations.odoo.section import Section, said
from integrations.odoo.state import OdooLink
from integrations.odoo.streams import Linked, Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.people import tell_contacts, tell_salespeople
from integrations.odoo.streams.whole import read_whole
from integrations.odoo.values import id_of, local_day, name_of, text_of
from partner_cx.errors import Invalid
from partner_cx.network.names import PartnerKind

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

COMPANY = "res.partner"
TAG = "res.partner.category"
TAG_LEVELS = 5  # of tags below one another
AT_ONCE = 500  # values in one statement

TAKEN = "{name} (res.partner {id}) has the reference {ref} of another company; its code is {code}."


@dataclass(frozen=True)
class PartnersMapping(Section):
    """Which companies are partners, and what of them is what."""

    NAME: ClassVar[str] = "partners"
    ABOUT: ClassVar[str] = "Which companies are partners of the network, and what they are."

    which: Literal["graded", "category", "domain"] = said(
        "graded", "Which companies are partners: those with a grade, with a tag, or of a domain."
    )
    category: str | None = said(None, 'The tag, for which = "category"; tags below it count too.')
    domain: tuple[Any, ...] = said(
        (), 'The domain, for which = "domain", such as [["customer_rank", ">", 0]].'
    )
    code: Literal["ref", "id"] = said(
        "ref",
        "What a partner is called with us: its reference, or where it has none odoo-14 by its "
        "number; or the number always. A partner keeps the code it came in with.",
    )
    kinds: Mapping[str, str] = said(
        {
            "Distributor": "distributor",
            "Reseller": "reseller",
            "Installer": "installer",
            "Agency": "agency",
        },
        "Tags that say what a partner is. Without one it is a distributor when other partners "
        "stand below it, else a reseller.",
    )
    supplier_tag: str | None = said(
        "Supplied by",
        "The tag below which a tag names the partner above, for those that have no company above.",
    )
    assigned_above: bool = said(
        False, "Whether “Implemented by” names the partner above, when nothing else does."
    )
    region: Literal["state", "team", "none"] = said(
        "state", "What a partner's region is: its state, its sales team, or nothing."
    )
    joined_on: Literal["partnership or creation", "partnership"] = said(
        "partnership or creation",
        "When a partner joined: the day of its partnership, else the day its record was made, or "
        "else not known, which is always.",
    )

    def __post_init__(self) -> None:
        kinds = [kind.value for kind in PartnerKind]
        if wrong := sorted(set(self.kinds.values()) - set(kinds)):
            raise Invalid(
                f"[partners] kinds: “{wrong[0]}” isn't a kind of partner.",
                remedy=f"There are {', '.join(kinds)}.",
            )
        if self.which == "category" and not self.category:
            raise Invalid('[partners] which is "category": write down which category.')
        if self.which == "domain" and not self.domain:
            raise Invalid('[partners] which is "domain": write down the domain.')

    def companies(self) -> tuple[Any, ...]:
        """The domain of the companies that are partners."""
        if self.which == "category":
            return _tagged(self.category)
        return self.domain if self.which == "domain" else _GRADED


_GRADED = (("grade_id", "!=", False), ("is_company", "=", True))


def _tagged(name: str | None) -> tuple[Any, ...]:
    """The domain of whoever has a tag, or one below it.

    By its name as it is: `child_of` with a text means whatever has the text in its name.
    """
    above = ("category_id" + ".parent_id" * level for level in range(TAG_LEVELS))
    return ("|",) * (TAG_LEVELS - 1) + tuple((f"{tag}.name", "=", name) for tag in above)


def watched(odoo: Odoo, mapping: OdooMapping) -> tuple[Watched, ...]:
    """Companies first; then whoever belongs to one, and the users made of them."""
    if mapping.partners.which == "graded" and not odoo.has_field(COMPANY, "grade_id"):
        raise Invalid(
            "This Odoo has no grades, by which partners are known.",
            remedy="Install its app for partnerships, or say in the mapping which companies are "
            "partners: [partners] which.",
        )
    return (
        Watched(COMPANY, domain=mapping.partners.companies()),
        Watched(COMPANY, field="commercial_partner_id"),
        Watched(
            "res.users",
            field="partner_id",
            domain=(("share", "=", True),),
            through="res.partner.commercial_partner_id",
        ),
    )


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Tell companies, the partners above them, and their people."""
    told = Told()
    companies = _Companies(reading)
    companies.read(ids)
    companies.climb()
    codes = _codes(reading, companies, told)
    for row in companies.told():
        _tell_company(reading, companies, row, codes, told)
    there = {
        number: codes[number] for number in companies.chosen if companies.rows[number]["active"]
    }
    asked = {number: code for number, code in there.items() if number in set(ids)}
    tell_contacts(reading, asked, told)
    tell_salespeople(
        reading, {code: companies.rows[number] for number, code in asked.items()}, told
    )
    return told


@dataclass
class _Companies:
    """Companies as they were read, and what is known of them.

    rows: by id. chosen: those that are partners. links: what we knew of them.
    tags: by id, their names and the tags above them. above: the partner above each.
    """

    reading: Reading
    rows: dict[int, Row] = field(default_factory=dict)
    chosen: set[int] = field(default_factory=set)
    links: dict[int, OdooLink] = field(default_factory=dict)
    tags: dict[int, Row] = field(default_factory=dict)
    above: dict[int, int] = field(default_factory=dict)

    def read(self, ids: Iterable[int]) -> list[Row]:
        """Read companies that weren't read yet."""
        odoo = self.reading.odoo
        new = sorted(set(ids) - self.rows.keys())
        if not new:
            return []
        fields = _fields(odoo, self.reading.mapping.partners)
        rows: list[Row] = [*odoo.read(COMPANY, new, fields)]
        self.rows |= {row["id"]: row for row in rows}
        domain = [("id", "in", new), *self.reading.mapping.partners.companies()]
        self.chosen |= set(odoo.search(COMPANY, domain, archived=True))
        self.chosen &= self.rows.keys()
        self.links |= _links(self.reading.session, new)
        self._read_tags({tag for row in rows for tag in row["category_id"]})
        return rows

    def climb(self) -> None:
        """Find the partner above each, reading companies and tags on the way."""
        todo = sorted(self.chosen)
        while todo:
            self._read_above(todo)
            found = {number: self._above(number) for number in todo}
            self.above |= {number: above for number, above in found.items() if above}
            # Whoever was found on the way is a partner too, with somebody above it.
            todo = sorted({above for above in self.above.values() if above not in self.above})
            todo = [number for number in todo if number not in found and number in self.chosen]

    def told(self) -> Iterator[Row]:
        """The companies to tell: partners, and those that were."""
        for number in sorted(self.rows):
            if number in self.chosen or number in self.links:
                yield self.rows[number]

    def tag_names(self, row: Row) -> list[str]:
        return [self.tags[tag]["name"] for tag in row["category_id"] if tag in self.tags]

    @cached_property
    def suppliers(self) -> set[int | None]:
        """The partners below which others stand."""
        domain = self.reading.mapping.partners.companies()
        below = [("parent_id", "in", sorted(self.chosen)), *domain]
        rows = read_whole(self.reading.odoo, COMPANY, below, ["parent_id"])
        found: set[int | None] = {id_of(row["parent_id"]) for row in rows}
        return found | set(self.above.values()) | set(self._named_by_tags())

    def _read_above(self, numbers: Iterable[int]) -> None:
        """Read what stands above companies, whether a partner or not, up to the top."""
        mapping = self.reading.mapping.partners
        rows = [self.rows[number] for number in numbers]
        while rows:
            above = {id_of(row["parent_id"]) for row in rows}
            if mapping.assigned_above:
                above |= {id_of(row.get("assigned_partner_id")) for row in rows}
            names = [name for row in rows for name in self._supplier_names(row)]
            if names:
                domain = [("name", "in", sorted(set(names))), *mapping.companies()]
                above |= set(self.reading.odoo.search(COMPANY, domain, archived=True))
            rows = self.read(number for number in above if number)

    def _above(self, number: int) -> int | None:
        """The nearest partner above a company."""
        mapping = self.reading.mapping.partners
        row = self.rows[number]
        seen = {number}
        parent = id_of(row["parent_id"])
        while parent is not None and parent not in seen and parent in self.rows:
            if parent in self.chosen:
                return parent
            seen.add(parent)
            parent = id_of(self.rows[parent]["parent_id"])
        for name in self._supplier_names(row):
            for other in sorted(self.chosen - {number}):
                if self.rows[other]["name"] == name:
                    return other
        assigned = id_of(row.get("assigned_partner_id")) if mapping.assigned_above else None
        return assigned if assigned in self.chosen and assigned != number else None

    def _supplier_names(self, row: Row) -> Iterator[str]:
        """The names of the tags that say who supplies a company."""
        wanted = self.reading.mapping.partners.supplier_tag
        for tag in row["category_id"]:
            above = id_of(self.tags[tag]["parent_id"]) if tag in self.tags else None
            if above in self.tags and self.tags[above]["name"] == wanted:
                yield self.tags[tag]["name"]

    def _named_by_tags(self) -> Iterator[int]:
        """The partners that a tag of somebody names as the supplier."""
        mapping, odoo = self.reading.mapping.partners, self.reading.odoo
        if not mapping.supplier_tag:
            return
        by_name = {self.rows[number]["name"]: number for number in self.chosen}
        named = [("parent_id.name", "=", mapping.supplier_tag), ("name", "in", sorted(by_name))]
        tags = {row["id"]: row["name"] for row in odoo.search_read(TAG, named, ["name"])}
        if not tags:
            return
        tagged = [("category_id", "in", sorted(tags)), *mapping.companies()]
        for row in read_whole(odoo, COMPANY, tagged, ["category_id"]):
            yield from (by_name[tags[tag]] for tag in row["category_id"] if tag in tags)

    def _read_tags(self, ids: set[int]) -> None:
        """Read tags, and the tags above them."""
        while new := sorted(ids - self.tags.keys()):
            rows = self.reading.odoo.read(TAG, new, ["name", "parent_id"])
            self.tags |= {row["id"]: row for row in rows}
            ids = {above for row in rows if (above := id_of(row["parent_id"]))}


def _fields(odoo: Odoo, mapping: PartnersMapping) -> list[str]:
    """What is read of a company, as far as this Odoo has it."""
    wanted = [
        *("name", "ref", "active", "is_company", "parent_id", "category_id", "grade_id"),
        *("country_id", "lang", "user_id", "date_partnership", "create_date", "write_date"),
    ]
    wanted += {"state": ["state_id"], "team": ["team_id"], "none": []}[mapping.region]
    wanted += ["assigned_partner_id"] if mapping.assigned_above else []
    return [name for name in wanted if odoo.has_field(COMPANY, name)]


def _links(session: Session, ids: Sequence[int]) -> dict[int, OdooLink]:
    """What we know of companies; of those alone whose code is a partner's."""
    links: dict[int, OdooLink] = {}
    for start in range(0, len(ids), AT_ONCE):
        known = sa.select(OdooLink).where(
            OdooLink.model == COMPANY, OdooLink.odoo_id.in_(ids[start : start + AT_ONCE])
        )
        for link in session.scalars(known):
            if (link.seen or {}).get("is") == "partner":
                links[link.odoo_id] = link
    return links


# --- Codes ---


def _codes(reading: Reading, companies: _Companies, told: Told) -> dict[int, str]:
    """What each company is called with us: as before, else by its reference, else its number."""
    codes = {number: link.ours for number, link in companies.links.items()}
    new = [number for number in sorted(companies.chosen) if number not in codes]
    refs = {number: _ref(reading.mapping.partners, companies.rows[number]) for number in new}
    taken = _taken(reading.session, [ref for ref in refs.values() if ref])
    taken |= set(codes.values())
    for number in new:
        ref, code = refs[number], refs[number] or f"odoo-{number}"
        if ref in taken:
            code = f"odoo-{number}"
            name = companies.rows[number]["name"]
            told.notes.append(TAKEN.format(name=name, id=number, ref=ref, code=code))
        codes[number] = code
        taken.add(code)
    return codes


def _ref(mapping: PartnersMapping, row: Row) -> str | None:
    return text_of(row["ref"]) if mapping.code == "ref" else None


def _taken(session: Session, codes: Sequence[str]) -> set[str]:
    """The codes under which other companies of Odoo, that are still there, are known."""
    taken: set[str] = set()
    for start in range(0, len(codes), AT_ONCE):
        taken |= set(
            session.scalars(
                sa.select(OdooLink.ours).where(
                    OdooLink.model == COMPANY,
                    OdooLink.ours.in_(codes[start : start + AT_ONCE]),
                    OdooLink.gone_at.is_(None),
                )
            )
        )
    return taken


# --- Rows ---


def _tell_company(
    reading: Reading, companies: _Companies, row: Row, codes: Mapping[int, str], told: Told
) -> None:
    number = row["id"]
    link = companies.links.get(number)
    seen = dict(link.seen or {}) if link else {}
    is_partner = number in companies.chosen
    tier = name_of(row.get("grade_id")) if is_partner else seen.get("tier")
    joined_on = _joined_on(reading, row)
    left_on = None
    if not (is_partner and row["active"]):
        left_on = seen.get("left_on") or _day(reading, row["write_date"])
        left_on = max(left_on, joined_on or left_on)
    above = companies.above.get(number)
    told.add(
        "partners",
        {
            "code": codes[number],
            "name": text_of(row["name"]) or codes[number],
            "kind": _kind(companies, row),
            "parent_code": codes.get(above) if above else None,
            "tier": tier,
            "region": _region(row),
            "country": reading.directory.country(id_of(row["country_id"])),
            "language": language_of(row["lang"]),
            "joined_on": joined_on,
            "left_on": left_on,
            "source_id": str(number),
        },
    )
    seen = {"is": "partner", "tier": tier, "left_on": left_on}
    told.linked.append(Linked(COMPANY, number, codes[number], seen))
    if link is None or link.gone_at is not None:
        told.moved.append(number)


def _kind(companies: _Companies, row: Row) -> str:
    kinds = {
        name.casefold(): kind for name, kind in companies.reading.mapping.partners.kinds.items()
    }
    for name in companies.tag_names(row):
        if kind := kinds.get(name.casefold()):
            return kind
    supplies = row["id"] in companies.suppliers
    return (PartnerKind.DISTRIBUTOR if supplies else PartnerKind.RESELLER).value


def _region(row: Row) -> str | None:
    named = name_of(row.get("state_id") or row.get("team_id"))
    # A state's name has its country's code behind it: Brittany (FR).
    return named.rpartition(" (")[0] or named if named and named.endswith(")") else named


def _joined_on(reading: Reading, row: Row) -> str | None:
    if joined := row.get("date_partnership"):
        return str(joined)
    if reading.mapping.partners.joined_on == "partnership":
        return None
    return _day(reading, row["create_date"])


def _day(reading: Reading, moment: str) -> str:
    day = local_day(moment, reading.settings.zone)
    assert day is not None, "every record has its moments"
    return day.isoformat()


NETWORK = Stream(
    name="network",
    watched=watched,
    tell=tell,
    of_partner=None,
    by_itself=True,
    kpis=("portal_adoption", "retention", "churn"),
    modules=("partnership",),
)
