"""Order lines and orders that weren't delivered as promised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from partner_cx.measures.formulas import orders
from partner_cx.measures.formulas.seam import as_day, days, whole
from partner_cx.operations.facts import OrderLine, Receipt
from partner_cx.operations.hindsight import Among
from partner_cx.words import Words
from rewards.misses.rows import Asked, Miss, date_of, days_long, miss, quantity_text, records
from rewards.sentences import day_text


def not_in_window_or_full(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["otif"]], _line_verdict)


def short_in_window(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    short = whole(judged["received_in_window"]) < whole(judged["ordered"])
    return _lines(judged[short], _line_verdict)


def late_or_early(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["on_time"]], _timing)


def incomplete(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["in_full"]], partial(_part_received, of="received"))


def in_window_and_full(asked: Asked) -> Iterator[Miss]:
    """The lines that were kept, by the same judgement."""
    judged = _due_lines(asked)
    return _kept(judged[judged["otif"]], "received in full in the window", "reçu complet à temps")


def on_time(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _kept(judged[judged["on_time"]], "received in the window", "reçu dans le créneau")


def in_full(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _kept(judged[judged["in_full"]], "received in full", "reçu complet")


def _kept(kept: pd.DataFrame, en: str, fr: str) -> Iterator[Miss]:
    for line in records(kept):
        yield miss(line, "window_end", _line_text(line), Words(en, fr))


def _lines(missed: pd.DataFrame, verdict: Callable[[dict[str, Any]], Words]) -> Iterator[Miss]:
    for line in records(missed):
        told = verdict(line) if line["received"] else NOTHING_RECEIVED
        if line["cancelled"]:
            told = Words("cancelled by the supplier", "annulé par le fournisseur")
        yield miss(line, "window_end", _line_text(line), told)


def _due_lines(asked: Asked) -> pd.DataFrame:
    return asked.once("due lines", _read_due_lines)


def _read_due_lines(asked: Asked) -> pd.DataFrame:
    return _judged_lines(asked, asked.facts(OrderLine, "order-lines", "window_end"))


def broken_orders(asked: Asked) -> Iterator[Miss]:
    """Orders by their last due line, which may draw in lines that are due outside the period."""
    lines = asked.facts(OrderLine, "order-lines", "window_end")
    codes = Among("order_code", set(lines["order_code"].tolist()))
    siblings = asked.among(OrderLine, "order-lines", codes)
    judged = _judged_lines(asked, siblings[siblings["partner_id"].isin(asked.partners)])
    for _, due in judged.groupby(["partner_id", "order_code"]):
        code, day = str(due["order_code"].iloc[0]), due["window_end"].max().date()
        missed = due[~due["otif"]]
        if len(missed) and day in asked.period:
            verdict = Words(
                "{n} of its {of} due lines missed ({lines})",
                "{n} de ses {of} lignes échues manquées ({lines})",
            ).format(n=len(missed), of=len(due), lines=", ".join(sorted(missed["source_id"])))
            order = Words("Order {code}", "Commande {code}").format(code=code)
            since = (bool(due["corrected_since"].any()), bool(due["withdrawn_since"].all()))
            yield Miss(code, day, order, verdict, *since)


def _judged_lines(asked: Asked, lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that were due, judged as they were counted, with when goods came."""
    receipts = asked.among(Receipt, "receipts", Among("order_line_id", set(lines["id"].tolist())))
    stated = lines.loc[lines["received_on"].notna(), ["id", "received_on", "received"]]
    stated = stated.set_axis(["order_line_id", "received_on", "quantity"], axis="columns")
    columns = list(stated.columns)
    receipts = pd.concat([receipts[columns], stated], ignore_index=True)
    lines = lines.drop(columns=["received", "received_on"])
    judged = orders.judged(
        lines,
        receipts,
        as_of_day=asked.as_of_day,
        under=asked.settings.otif_under_tolerance,
        over=asked.settings.otif_over_tolerance,
    )
    so_far = receipts[days(receipts["received_on"]) <= as_day(asked.as_of_day)]
    came = so_far.groupby("order_line_id")["received_on"].agg(first_on="min", last_on="max")
    judged = judged.merge(came, how="left", left_on="id", right_index=True)
    cancelled = judged["status"] == "cancelled_by_supplier"
    cancelled &= ~(days(judged["cancelled_on"]) > as_day(asked.as_of_day))
    return judged.assign(arrived=judged["last_on"].notna(), cancelled=cancelled)


NOTHING_RECEIVED = Words("nothing received", "rien reçu")


def _line_text(line: dict[str, Any]) -> Words:
    window = Words("due {end}", "attendu le {end}").format(
        end=day_text(date_of(line["window_end"]))
    )
    if line["window_start"] is not None and line["window_start"] < line["window_end"]:
        window = Words("due {start} to {end}", "attendu du {start} au {end}").format(
            start=day_text(date_of(line["window_start"])), end=day_text(date_of(line["window_end"]))
        )
    return Words(
        "Order {order}, line {line}, {ordered} ordered, {window}",
        "Commande {order}, ligne {line}, {ordered} commandés, {window}",
    ).format(
        order=line["order_code"],
        line=line["source_id"],
        ordered=quantity_text(line["ordered"]),
        window=window,
    )


def _line_verdict(line: dict[str, Any]) -> Words:
    if not line["received_in_window"]:
        return _timing(line)
    if line["received_in_window"] < line["ordered"]:
        return _part_received(line, of="received_in_window")
    return Words(
        "{came} received for {ordered} ordered, more than is accepted",
        "{came} reçus pour {ordered} commandés, plus qu’il n’est admis",
    ).format(came=quantity_text(line["received_in_window"]), ordered=quantity_text(line["ordered"]))


def _part_received(line: dict[str, Any], *, of: str) -> Words:
    where = Words("", "")
    if of == "received_in_window":
        where = Words(" in the window", " dans le créneau")
    return Words("{came} of {ordered} received{where}", "{came} sur {ordered} reçus{where}").format(
        came=quantity_text(line[of]), ordered=quantity_text(line["ordered"]), where=where
    )


def _timing(line: dict[str, Any]) -> Words:
    """By how much goods that came outside the window missed it."""
    late = (line["last_on"] - line["window_end"]).days
    if late > 0:
        return Words("received {time} late", "reçu avec {time} de retard").format(
            time=days_long(late)
        )
    early = (line["window_start"] - line["first_on"]).days
    return Words("arrived {time} before the window", "arrivé {time} avant le créneau").format(
        time=days_long(early)
    )
