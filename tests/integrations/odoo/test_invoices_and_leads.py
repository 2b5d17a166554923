"""What invoices and leads of Odoo tell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy.orm import Session

from integrations.odoo.streams import SOURCE, Reading, Told
from integrations.odoo.streams.invoices import (
    GOODWILL,
    NO_CURRENCY,
    OTHER_CURRENCY,
    InvoicesMapping,
    tell,
)
from integrations.odoo.streams.leads import LEADS, LeadsMapping
from integrations.odoo.streams.leads import tell as tell_leads
from partner_cx.settings import Settings
from tests.harness.intake import partner, take
from tests.harness.odoo_orders import USD, Everyone, Network, Row, moment


def move(number: int, amount: float = 1000.0, **otherwise: Any) -> Row:
    """A posted invoice of R1's contact in April, but for what is said otherwise."""
    return {
        "id": number,
        "move_type": "out_invoice",
        "state": "posted",
        "partner_id": [11, "A customer"],
        "invoice_date": "2026-04-16",
        "date": "2026-04-16",
        "amount_untaxed": amount,
        "amount_total": amount * 1.2,
        "currency_id": USD,
        "reversed_entry_id": False,
        **otherwise,
    }


def credit(number: int, amount: float, of: int | None, **otherwise: Any) -> Row:
    reverses = [of, "An invoice"] if of else False
    return move(number, amount, move_type="out_refund", reversed_entry_id=reverses, **otherwise)


class NothingKnown:
    def scalars(self, *_: object) -> list[str]:
        return []


def reading(network: Network, session: object = None, **mapping: Any) -> Reading:
    sections = {"invoices": InvoicesMapping(), "leads": LeadsMapping()} | mapping
    fake = SimpleNamespace(
        odoo=network,
        directory=Everyone(),
        mapping=SimpleNamespace(**sections),
        session=session or NothingKnown(),
        settings=Settings.read({}),
    )
    return cast("Reading", fake)


def told(*moves: Row, lines: list[Row] | None = None, **mapping: Any) -> Told:
    network = Network(models={"account.move": list(moves), "account.move.line": lines or []})
    return tell(reading(network, **mapping), [each["id"] for each in moves])


def values(told: Told) -> list[tuple[str | None, str | None]]:
    """value and credit of each invoice, in minor units."""
    rows = told.rows.get("invoices", ())
    return [(row["value_minor"], row["credited_minor"]) for row in rows]


def test_all_that_is_told_of_an_invoice() -> None:
    assert told(move(1)).rows == {
        "invoices": [
            {
                "source_id": "1",
                "partner_code": "R1",
                "on": "2026-04-16",
                "value_minor": "100000",
                "currency": "USD",
                "credited_minor": "0",
            }
        ]
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "0"),
        ([credit(2, 250.0, 1)], "25000"),
        ([credit(2, 250.0, 1), credit(3, 750.0, 1)], "100000"),
        ([credit(2, 250.0, 1, state="draft")], "0"),
        ([credit(2, 250.0, 1, state="cancel")], "0"),
        ([credit(2, 250.0, 9)], "0"),
        ([credit(2, 250.0, None)], "0"),
        ([credit(2, 0.1, 1), credit(3, 0.2, 1)], "30"),
    ],
    ids=["none", "part", "all", "draft", "cancelled", "another's", "goodwill", "no float"],
)
def test_what_is_credited_of_an_invoice(given: list[Row], expected: str) -> None:
    assert values(told(move(1), *given)) == [("100000", expected)]


def test_an_invoice_is_credited_in_its_own_currency() -> None:
    everything = told(move(1), credit(2, 250.0, 1, currency_id=[2, "EUR"]))
    assert values(everything) == [("100000", "0")]
    assert everything.notes == [OTHER_CURRENCY]


@pytest.mark.parametrize(
    ("currency", "amount", "expected"),
    [("JPY", 1000.0, "1000"), ("EUR", 19.99, "1999"), ("TND", 1.2345, "1234"), ("EUR", 0.015, "2")],
)
def test_values_are_whole_minor_units(currency: str, amount: float, expected: str) -> None:
    assert values(told(move(1, amount, currency_id=[1, currency]))) == [(expected, "0")]


def test_a_currency_nobody_knows_is_noted() -> None:
    everything = told(move(1, currency_id=[9, "Points"]))
    assert (everything.rows, everything.notes) == ({}, [NO_CURRENCY])


def test_the_value_may_be_with_taxes() -> None:
    everything = told(move(1), credit(2, 500.0, 1), invoices=InvoicesMapping(amount="total"))
    assert values(everything) == [("120000", "60000")]


@pytest.mark.parametrize(
    ("otherwise", "why"),
    [
        ({"state": "draft"}, "nothing is invoiced yet"),
        ({"state": "cancel"}, "it was none"),
        ({"move_type": "entry"}, "a payment"),
        ({"partner_id": [99, "Somebody"]}, "a customer outside the network"),
        ({"partner_id": False}, "nobody's"),
    ],
)
def test_what_is_no_invoice_of_a_partner(otherwise: dict[str, Any], why: str) -> None:
    assert told(move(1, **otherwise)).rows == {}, why


def test_goodwill_is_noted_where_a_partner_got_it() -> None:
    assert told(credit(2, 100.0, None)).notes == [GOODWILL]
    assert told(credit(2, 100.0, None, partner_id=[99, "Somebody"])).notes == []
    assert told(credit(2, 100.0, None, state="draft")).notes == []


def test_disputes_are_told_where_lines_are_marked_and_not_guessed_elsewhere() -> None:
    """Without a mark in Odoo, a share of 0 % would only mean that nobody asked."""
    lines = [
        {"id": number, "move_id": [1, "An invoice"], "display_type": kind, "x_disputed": disputed}
        for number, kind, disputed in (
            (1, "product", True),
            (2, "product", False),
            (3, "line_note", True),
        )
    ]
    marked = told(move(1), lines=lines, invoices=InvoicesMapping(disputed_field="x_disputed"))
    row = marked.rows["invoices"][0]
    assert (row["lines"], row["disputed_lines"]) == ("2", "1")
    assert "lines" not in told(move(1), lines=lines).rows["invoices"][0]


def test_an_invoice_that_is_a_draft_again_is_withdrawn(engine: Any) -> None:
    take(engine, "partners", partner("R1"))
    first = told(move(1), move(2)).rows["invoices"]
    take(engine, "invoices", *first, source=SOURCE)
    take(engine, "invoices", *first, source="files")
    network = Network(
        models={"account.move": [move(1, state="draft"), move(2), move(3, state="draft")]}
    )
    with Session(engine) as session:
        again = tell(reading(network, session), [1, 2, 3])
    assert again.withdrawn == {"invoices": ["1"]}
    assert again.rows["invoices"] == first[1:]


# --- Leads ----------------------------------------------------------------------------------------


def lead(**otherwise: Any) -> Row:
    """A lead made on 3 April and given to R1's contact that day."""
    return {
        "id": 1,
        "partner_assigned_id": [11, "A partner"],
        "date_partner_assign": "2026-04-03",
        "create_date": moment("04-03 10:00"),
        **otherwise,
    }


def quotation(made: str, dated: str | None = None, state: str = "sale") -> Row:
    return {
        "id": 1,
        "opportunity_id": [1, "A lead"],
        "create_date": moment(made),
        "date_order": moment(dated or made),
        "state": state,
    }


def quotes(lead: Row, *quotations: Row, **mapping: Any) -> list[tuple[str | None, str | None]]:
    models = {"crm.lead": [lead], "sale.order": list(quotations)}
    told = tell_leads(reading(Network(models=models), **mapping), [1])
    return [(row["requested_at"], row["quoted_at"]) for row in told.rows.get("quotes", ())]


@pytest.mark.parametrize(
    ("given", "made", "expected"),
    [
        ({}, [], ("2026-04-03T10:00:00+00:00", None)),
        ({"date_partner_assign": False}, [], ("2026-04-03T10:00:00+00:00", None)),
        ({"date_partner_assign": "2026-04-07"}, [], ("2026-04-06T22:00:00+00:00", None)),
        ({"date_partner_assign": "2026-01-07"}, [], ("2026-04-03T10:00:00+00:00", None)),
        (
            {},
            [quotation("05-06 09:00"), quotation("05-09 09:00")],
            ("2026-04-03T10:00:00+00:00", "2026-05-06T09:00:00+00:00"),
        ),
        (
            {},
            [quotation("05-06 09:00", dated="05-20 09:00")],
            ("2026-04-03T10:00:00+00:00", "2026-05-06T09:00:00+00:00"),
        ),
        (
            {"date_partner_assign": "2026-04-07"},
            [quotation("04-04 09:00"), quotation("04-10 09:00")],
            ("2026-04-06T22:00:00+00:00", "2026-04-10T09:00:00+00:00"),
        ),
        (
            {"active": False, "probability": 0.0},
            [],
            ("2026-04-03T10:00:00+00:00", None),
        ),
    ],
    ids=[
        "waiting",
        "no day of assignment",
        "given later: from that day's beginning in Paris",
        "a day before the lead itself",
        "the first quotation answers",
        "a confirmed one has a later date",
        "quoted to somebody else before",
        "lost, and was given all the same",
    ],
)
def test_a_lead_given_to_a_partner(
    given: dict[str, Any], made: list[Row], expected: tuple[str, str | None]
) -> None:
    assert quotes(lead(**given), *made) == [expected]


@pytest.mark.parametrize("assigned", [False, [99, "Somebody"]])
def test_a_lead_of_no_partner_tells_nothing(assigned: Any) -> None:
    assert quotes(lead(partner_assigned_id=assigned)) == []


def test_only_quotations_that_were_sent_may_count() -> None:
    made = [quotation("05-06 09:00", state="draft"), quotation("05-09 09:00", state="sent")]
    sent = quotes(lead(), *made, leads=LeadsMapping(quotations="sent"))
    assert sent == [("2026-04-03T10:00:00+00:00", "2026-05-09T09:00:00+00:00")]


def test_a_lead_taken_from_its_partner_is_withdrawn(engine: Any) -> None:
    take(engine, "partners", partner("R1"))
    network = Network(models={"crm.lead": [lead()], "sale.order": []})
    take(engine, "quotes", *tell_leads(reading(network), [1]).rows["quotes"], source=SOURCE)
    network.change("crm.lead", 1, partner_assigned_id=False, date_partner_assign=False)
    with Session(engine) as session:
        assert tell_leads(reading(network, session), [1]).withdrawn == {"quotes": ["1"]}


def test_where_leads_arent_given_to_partners_there_is_nothing_to_read() -> None:
    network = Network(models={"crm.lead": [{"id": 1, "name": "A lead"}]})
    assert LEADS.watching(cast("Any", network), cast("Any", None)) == ()
    network = Network(models={"crm.lead": [lead()], "sale.order": [{"id": 1}]})
    watched = LEADS.watching(cast("Any", network), cast("Any", None))
    assert [each.model for each in watched] == ["crm.lead"]
