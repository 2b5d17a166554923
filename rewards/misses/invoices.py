"""Invoices that were disputed or credited back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from partner_cx.measures.formulas.seam import as_day, days
from partner_cx.operations.facts import Invoice
from partner_cx.words import Words
from rewards.misses.rows import Asked, Miss, date_of, in_currency, miss, records
from rewards.sentences import day_text


def disputed(asked: Asked) -> Iterator[Miss]:
    for invoice in _invoices(asked):
        if invoice["lines"] is not None and invoice["disputed_lines"]:
            verdict = Words("{n} of {of} lines disputed", "{n} lignes contestées sur {of}")
            verdict = verdict.format(n=invoice["disputed_lines"], of=invoice["lines"])
            yield miss(invoice, "on", _invoice_text(invoice), verdict)


def credited(asked: Asked) -> Iterator[Miss]:
    for invoice in _invoices(asked):
        if invoice["currency"] == asked.settings.currency and invoice["credited_minor"]:
            verdict = Words("{n} of {of} credited", "{n} en avoir sur {of}").format(
                n=in_currency(invoice["credited_minor"], invoice["currency"]),
                of=in_currency(invoice["value_minor"], invoice["currency"]),
            )
            yield miss(invoice, "on", _invoice_text(invoice), verdict)


def _invoices(asked: Asked) -> Iterable[dict[str, Any]]:
    invoices = asked.facts(Invoice, "invoices", "on")
    return records(invoices[days(invoices["on"]) <= as_day(asked.as_of_day)])


def _invoice_text(invoice: dict[str, Any]) -> Words:
    return Words("Invoice {id}, {day}", "Facture {id}, {day}").format(
        id=invoice["source_id"], day=day_text(date_of(invoice["on"]))
    )
