"""Invoices, with what was credited of them, as Odoo's accounting tells it.

A posted customer invoice of a partner is an invoice; the posted credit notes that reverse it are
its credit. A credit note that reverses none, given out of goodwill, belongs to no invoice and
isn't counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import sqlalchemy as sa

from integrations.odoo.section import Section, said
from integrations.odoo.streams import SOURCE, Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.whole import by_id, read_whole
from integrations.odoo.values import currency_of, id_of, minor_of
from partner_cx.operations.facts import Invoice
from partner_cx.operations.imports import Source

GOODWILL = (
    "Some credit notes reverse no invoice, as those of goodwill: they belong to no invoice's "
    "credit rate and aren't counted."
)
OTHER_CURRENCY = (
    "Some credit notes are in another currency than their invoice; they aren't counted."
)
NO_CURRENCY = "Some invoices are in a currency without an ISO code; they aren't counted."


@dataclass(frozen=True)
class InvoicesMapping(Section):
    """What an installation decides of invoices."""

    NAME: ClassVar[str] = "invoices"
    ABOUT: ClassVar[str] = "Invoices and credit notes, for the credit and dispute rates."

    amount: Literal["untaxed", "total"] = said("untaxed", "Which amount is the invoice's value.")
    disputed_field: str | None = said(
        None,
        "A yes-or-no field of invoice lines (account.move.line) that marks a dispute. Odoo has "
        "none of its own; without one, lines aren't told and no dispute rate is measured.",
    )


@dataclass(frozen=True)
class Billed:
    """An invoice with what hangs on it. partner_code: None is a customer outside the network.

    credit_notes: the posted ones that reverse it. lines: its product lines; None when nobody
    asked for them.
    """

    row: Row
    partner_code: str | None
    credit_notes: Sequence[Row] = ()
    lines: Sequence[Row] | None = None


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read invoices with their credit notes, and tell them."""
    told = Told()
    for billed in _read(reading, ids, told):
        row = invoice_row(billed, reading.mapping.invoices, told)
        if row is not None:
            told.add("invoices", row)
    _withdraw_the_rest(reading, ids, told)
    return told


def invoice_row(
    billed: Billed, mapping: InvoicesMapping, told: Told
) -> dict[str, str | None] | None:
    """The row of an invoice; None when it is no invoice of a partner, or not yet or no more."""
    invoice, day = billed.row, billed.row["invoice_date"] or billed.row["date"]
    if billed.partner_code is None or invoice["state"] != "posted" or not day:
        return None
    currency = currency_of(invoice["currency_id"])
    if currency is None:
        _noted(told, NO_CURRENCY)
        return None
    amount = f"amount_{mapping.amount}"
    row: dict[str, str | None] = {
        "source_id": str(invoice["id"]),
        "partner_code": billed.partner_code,
        "on": day,
        "value_minor": str(minor_of(invoice[amount], currency)),
        "currency": currency,
        "credited_minor": str(_credited(billed, amount, currency, told)),
    }
    if billed.lines is not None and mapping.disputed_field:
        row["lines"] = str(len(billed.lines))
        row["disputed_lines"] = str(
            sum(bool(line[mapping.disputed_field]) for line in billed.lines)
        )
    return row


def _credited(billed: Billed, amount: str, currency: str, told: Told) -> int:
    credited = 0
    for note in billed.credit_notes:
        if currency_of(note["currency_id"]) == currency:
            credited += minor_of(note[amount], currency)
        else:
            _noted(told, OTHER_CURRENCY)
    return credited


def _noted(told: Told, note: str) -> None:
    if note not in told.notes:
        told.notes.append(note)


def _withdraw_the_rest(reading: Reading, ids: Sequence[int], told: Told) -> None:
    """Withdraw what we know of these invoices that is none any more: a draft again, cancelled."""
    still = {row["source_id"] for row in told.rows.get("invoices", ())}
    missing = [str(number) for number in ids if str(number) not in still]
    for source_id in known_ids(reading, Invoice.__table__, missing):
        told.withdraw("invoices", source_id)


def known_ids(reading: Reading, table: sa.Table, source_ids: Sequence[str]) -> list[str]:
    """Which of these facts of Odoo we have."""
    if not source_ids:
        return []
    known = (
        sa.select(table.c.source_id)
        .join(Source, Source.id == table.c.source)
        .where(Source.code == SOURCE, table.c.source_id.in_(source_ids))
        .order_by(table.c.id)
    )
    return list(reading.session.scalars(known))


def _read(reading: Reading, ids: Sequence[int], told: Told) -> Iterable[Billed]:
    odoo, directory = reading.odoo, reading.directory
    moves = odoo.read("account.move", list(ids), _INVOICE)
    invoices = [move for move in moves if move["move_type"] == "out_invoice"]
    directory.learn(id_of(move["partner_id"]) for move in moves)
    of_partner = {row["id"]: directory.partner_code(id_of(row["partner_id"])) for row in moves}
    if any(_is_goodwill(move) and of_partner[move["id"]] for move in moves):
        _noted(told, GOODWILL)
    posted = [row["id"] for row in invoices if row["state"] == "posted" and of_partner[row["id"]]]
    credit_notes = _credit_notes(reading, posted)
    lines = _lines(reading, posted)
    return [
        Billed(
            row,
            of_partner[row["id"]],
            credit_notes.get(row["id"], ()),
            None if lines is None else lines.get(row["id"], ()),
        )
        for row in invoices
    ]


def _is_goodwill(move: Row) -> bool:
    return bool(
        move["move_type"] == "out_refund"
        and move["state"] == "posted"
        and not move["reversed_entry_id"]
    )


def _credit_notes(reading: Reading, invoices: Sequence[int]) -> Mapping[int, list[Row]]:
    if not invoices:
        return {}
    domain = [
        ("reversed_entry_id", "in", list(invoices)),
        ("move_type", "=", "out_refund"),
        ("state", "=", "posted"),
    ]
    return by_id(read_whole(reading.odoo, "account.move", domain, _CREDIT), "reversed_entry_id")


def _lines(reading: Reading, invoices: Sequence[int]) -> Mapping[int, list[Row]] | None:
    disputed = reading.mapping.invoices.disputed_field
    if disputed is None:
        return None
    domain = [("move_id", "in", list(invoices)), ("display_type", "=", "product")]
    fields = ["move_id", disputed]
    rows = read_whole(reading.odoo, "account.move.line", domain, fields) if invoices else []
    return by_id(rows, "move_id")


_CREDIT = ["reversed_entry_id", "amount_untaxed", "amount_total", "currency_id"]
_INVOICE = [*_CREDIT, "move_type", "state", "partner_id", "invoice_date", "date"]
_CUSTOMERS = (("move_type", "in", ["out_invoice", "out_refund"]),)

INVOICES = Stream(
    name="invoices",
    watched=(
        Watched("account.move", domain=_CUSTOMERS),  # credit notes too, to find goodwill
        Watched(
            "account.move",
            field="reversed_entry_id",
            domain=(("move_type", "=", "out_refund"), ("reversed_entry_id", "!=", False)),
        ),
    ),
    tell=tell,
    identified={"invoices": "account.move"},
    kpis=("credit_rate", "dispute_rate"),
    modules=("account",),
)
