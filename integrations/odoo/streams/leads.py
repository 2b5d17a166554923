"""Leads given to partners, and how long they waited for a quotation, as Odoo's CRM tells it.

Odoo keeps the day on which a lead was assigned to its partner, not the moment: it counts from
that day's beginning, or from the lead's creation where that is later. The answer is the first
quotation made for the lead since then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING, ClassVar, Literal

from integrations.odoo.section import Section, said
from integrations.odoo.streams import Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.invoices import known_ids
from integrations.odoo.streams.whole import by_id, read_whole
from integrations.odoo.values import id_of, instant_of
from partner_cx.operations.facts import Quote

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

SENT = ("sent", "sale", "done")


@dataclass(frozen=True)
class LeadsMapping(Section):
    """What an installation decides of leads."""

    NAME: ClassVar[str] = "leads"
    ABOUT: ClassVar[str] = "Leads assigned to partners, for the time to quote."

    quotations: Literal["made", "sent"] = said(
        "made", "Which quotations answer a lead: every one made for it, or only those sent."
    )


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read leads, lost ones too, with their quotations, and tell those that a partner was given."""
    told = Told()
    leads = reading.odoo.read("crm.lead", list(ids), _LEAD)
    quotations = _quotations(reading, [lead["id"] for lead in leads if lead["partner_assigned_id"]])
    reading.directory.learn(id_of(lead["partner_assigned_id"]) for lead in leads)
    for lead in leads:
        code = reading.directory.partner_code(id_of(lead["partner_assigned_id"]))
        made = quotations.get(lead["id"], ())
        if code is not None:
            told.add("quotes", quote_row(lead, code, made, reading.settings.zone))
    still = {row["source_id"] for row in told.rows.get("quotes", ())}
    missing = [str(number) for number in ids if str(number) not in still]
    for source_id in known_ids(reading, Quote.__table__, missing):
        told.withdraw("quotes", source_id)
    return told


def quote_row(
    lead: Row, partner_code: str, quotations: Sequence[Row], zone: tzinfo
) -> dict[str, str | None]:
    """The row of a lead that a partner was given; without a quotation it waits still."""
    requested_at = _assigned_at(lead, zone)
    made = [moment for each in quotations if (moment := _made_at(each)) >= requested_at]
    return {
        "source_id": str(lead["id"]),
        "partner_code": partner_code,
        "requested_at": requested_at.isoformat(),
        "quoted_at": min(made).isoformat() if made else None,
    }


def _made_at(quotation: Row) -> datetime:
    """When it was entered, or its date where that is earlier: a confirmed one has a later date."""
    created_at, dated = instant_of(quotation["create_date"]), instant_of(quotation["date_order"])
    assert created_at is not None, "every record of Odoo has a moment of creation"
    return min(created_at, dated or created_at)


def _assigned_at(lead: Row, zone: tzinfo) -> datetime:
    created_at = instant_of(lead["create_date"])
    assert created_at is not None, "every record of Odoo has a moment of creation"
    if not lead["date_partner_assign"]:
        return created_at
    day = date.fromisoformat(lead["date_partner_assign"])
    return max(created_at, datetime.combine(day, time(), zone).astimezone(UTC))


def _quotations(reading: Reading, leads: Sequence[int]) -> Mapping[int, Sequence[Row]]:
    if not leads or not reading.odoo.has_field("sale.order", "opportunity_id"):
        return {}
    domain: list[tuple[str, str, object]] = [("opportunity_id", "in", list(leads))]
    if reading.mapping.leads.quotations == "sent":
        domain.append(("state", "in", list(SENT)))
    fields = ["opportunity_id", "create_date", "date_order"]
    return by_id(read_whole(reading.odoo, "sale.order", domain, fields), "opportunity_id")


def _watching(odoo: Odoo, _mapping: OdooMapping) -> tuple[Watched, ...]:
    """Nothing where leads aren't given to partners; no quotations where sales don't know leads."""
    if not odoo.has_field("crm.lead", "partner_assigned_id"):
        return ()
    leads = Watched("crm.lead")
    if not odoo.has_field("sale.order", "opportunity_id"):
        return (leads,)
    quotations = Watched(
        "sale.order", field="opportunity_id", domain=(("opportunity_id", "!=", False),)
    )
    return leads, quotations


_LEAD = ["partner_assigned_id", "date_partner_assign", "create_date"]

LEADS = Stream(
    name="leads",
    watched=_watching,
    tell=tell,
    identified={"quotes": "crm.lead"},
    of_partner="partner_assigned_id",
    kpis=("time_to_quote",),
    modules=("crm", "website_crm_partner_assign", "sale_crm"),
)
