"""Invoices of what was delivered, credit notes with and without an invoice, payments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.playing.stage import Moment, Stage, day


class Invoicing:
    """Invoices and credit notes by their ids, lines of an order by their place, from 1."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._unit = "product_uom" if stage.version < 19 else "product_uom_id"
        self._numbers = {"INV": 0, "RINV": 0}

    def invoice(self, order: int, *, at: Moment, partner: int | None = None) -> int:
        """Invoice what was delivered and isn't invoiced; services as they were ordered."""
        said = self._stage.row("sale.order", order)
        invoice = self._document(
            "out_invoice",
            partner or said["partner_invoice_id"],
            at,
            ref=said["client_order_ref"],
            invoice_origin=said["name"],
        )
        total = 0.0
        lines = self._stage.stand_in.tables["sale.order.line"].pointing_to("order_id", order)
        for line in lines:
            total += self._invoice_line(invoice, line, at)
        self._totals(invoice, total, at)
        known = said.get("invoice_ids", [])
        self._stage.change(
            "sale.order", order, at, invoice_status="invoiced", invoice_ids=[*known, invoice]
        )
        return invoice

    def credit(
        self,
        invoice: int,
        *,
        at: Moment,
        quantities: Mapping[int, float] | None = None,
        why: str = "",
        draft: bool = False,
    ) -> int:
        """A credit note for an invoice: all of it, or some quantity of some lines, by place."""
        said = self._stage.row("account.move", invoice)
        number = said["name"]
        note = self._document(
            "out_refund",
            said["partner_id"],
            at,
            draft=draft,
            ref=f"Reversal of: {number}, {why}" if why else f"Reversal of: {number}",
            invoice_origin=said["invoice_origin"],
            reversed_entry_id=invoice,
        )
        table = self._stage.stand_in.tables["account.move.line"]
        total = 0.0
        for place, line in enumerate(list(table.pointing_to("move_id", invoice)), start=1):
            row = self._stage.row("account.move.line", line)
            count = (quantities or {}).get(place, 0.0) if quantities else row["quantity"]
            if count:
                total += self._line(note, row, count, at)
        self._totals(note, total, at)
        if not draft:
            paid = "reversed" if total == said["amount_total"] else "partial"
            left = said["amount_residual"] - total
            self._stage.change(
                "account.move", invoice, at, payment_state=paid, amount_residual=left
            )
        return note

    def goodwill(self, partner: int, amount: float, *, at: Moment, why: str) -> int:
        """A credit note without an invoice."""
        note = self._document("out_refund", partner, at, ref=why)
        self._line(note, {"name": why, "price_unit": amount}, 1.0, at)
        self._totals(note, amount, at)
        return note

    def pay(self, invoice: int, *, at: Moment) -> int:
        """A payment, which is an entry of its own. Answers it."""
        said = self._stage.row("account.move", invoice)
        self._stage.change("account.move", invoice, at, payment_state="paid", amount_residual=0.0)
        return self._stage.add(
            "account.move",
            at,
            name=f"PBNK/{day(at)[:4]}/{invoice:05}",
            move_type="entry",
            state="posted",
            date=day(at),
            partner_id=said["partner_id"],
            ref=said["name"],
        )

    def _document(
        self, kind: str, partner: int, at: Moment, *, draft: bool = False, **values: Any
    ) -> int:
        return self._stage.add(
            "account.move",
            at,
            name=False if draft else self._number(kind, at),
            move_type=kind,
            state="draft" if draft else "posted",
            partner_id=partner,
            invoice_date=day(at),
            invoice_date_due=day(at),
            date=day(at),
            invoice_user_id=2,
            **values,
        )

    def _number(self, kind: str, at: Moment) -> str:
        series = "INV" if kind == "out_invoice" else "RINV"
        self._numbers[series] += 1
        return f"{series}/{day(at)[:4]}/{self._numbers[series]:05}"

    def _invoice_line(self, invoice: int, line: int, at: Moment) -> float:
        row = self._stage.row("sale.order.line", line)
        service = row.get("qty_delivered_method") == "manual"
        count = row["product_uom_qty"] if service else row.get("qty_delivered", 0.0)
        count -= row.get("qty_invoiced", 0.0)
        if not row.get("product_id") or count <= 0:
            return 0.0
        said = {
            "name": row["name"],
            "product_id": row["product_id"],
            "product_uom_id": row[self._unit],
            "price_unit": row["price_unit"],
            "sale_line_ids": [line],
        }
        invoiced = row.get("qty_invoiced", 0.0) + count
        self._stage.change("sale.order.line", line, at, qty_invoiced=invoiced, qty_to_invoice=0.0)
        return self._line(invoice, said, count, at)

    def _line(self, document: int, said: Row, count: float, at: Moment) -> float:
        amount = float(count * said["price_unit"])
        copied = ("name", "product_id", "product_uom_id", "price_unit", "sale_line_ids")
        values = {name: said[name] for name in copied if name in said}
        self._stage.add(
            "account.move.line",
            at,
            move_id=document,
            quantity=float(count),
            price_subtotal=amount,
            price_total=amount,
            **values,
        )
        return amount

    def _totals(self, document: int, total: float, at: Moment) -> None:
        kind = self._stage.row("account.move", document)["move_type"]
        signed = -total if kind == "out_refund" else total
        self._stage.change(
            "account.move",
            document,
            at,
            amount_untaxed=total,
            amount_total=total,
            amount_residual=total,
            amount_untaxed_signed=signed,
            amount_total_signed=signed,
        )
