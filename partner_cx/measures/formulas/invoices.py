"""Invoices: how much of them is disputed, how much is credited back?"""

from __future__ import annotations

from datetime import date

import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, known, together


def counts(invoices: pd.DataFrame, *, as_of_day: date, currency: str) -> pd.DataFrame:
    """Count `dispute_rate` and `credit_rate`, each with its `_known`, on the invoice's day.

    invoices: partner_id, on, value_minor, currency, lines, disputed_lines, credited_minor. One
        whose lines nobody counted says nothing of disputes; a missing disputed or credited is 0.
    currency: the programme's; values in others aren't added to it, and lower the coverage.
    dispute_rate: n are invoice lines. credit_rate: minor units, n are invoices.
    """
    invoices = invoices[days(invoices["on"]) <= as_day(as_of_day)]
    has_lines = known(invoices["lines"]).notna()
    in_currency = invoices["currency"] == currency
    told, ours = invoices[has_lines], invoices[in_currency]
    lines, disputed = known(told["lines"]), known(told["disputed_lines"]).fillna(0)
    credited = known(ours["credited_minor"]).fillna(0)
    return together(
        [
            count("dispute_rate", told, day="on", hits=disputed, of=lines, n=lines),
            count("dispute_rate_known", invoices, day="on", hits=has_lines, of=1),
            count("credit_rate", ours, day="on", hits=credited, of=ours["value_minor"]),
            count("credit_rate_known", invoices, day="on", hits=in_currency, of=1),
        ]
    )
