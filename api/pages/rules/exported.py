"""A back-test to take along: as tables for a sheet, or whole as JSON."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from api import exports
from api.catalogues import text
from api.render import translator
from partner_cx.errors import Invalid
from partner_cx.periods import Period
from rewards.backtest import BackTest, views

WHOLE = "json"
VIEWS = {
    "partners": views.partner_rows,
    "periods": views.period_rows,
    "changes": views.change_rows,
    "reach": views.reach_rows,
    "fairness": views.fairness_rows,
}
VIEW_NAMES = {
    "partners": text("by partner and period"),
    "periods": text("by period"),
    "changes": text("who gains and who loses"),
    "reach": text("who is within reach"),
    "fairness": text("fairness"),
}


def offers(show: str, form: str) -> bool:
    """Whether there is such a table, and in such a form."""
    return show in VIEWS and form in (WHOLE, *map(str, exports.FileFormat))


def no_such_export() -> Invalid:
    return Invalid(
        "There is no such export.",
        remedy=f"Choose from {', '.join(VIEWS)}.",
        french=f"Cet export n’existe pas. Choisissez parmi {', '.join(VIEWS)}.",
    )


def as_file(request: Request, test: BackTest | None, code: str, show: str, form: str) -> Response:
    """One table of a rule's back-test, or all of it. test: None where nothing could be tried."""
    if form == WHOLE:
        return JSONResponse(test.to_plain() if test else {})
    rows = list(VIEWS[show](test)) if test else []
    columns = list(rows[0]) if rows else []
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    return exports.table(request, columns, cells, f"{code}-{show}", exports.FileFormat(form))


def links(first: Period, last: Period, language: str) -> list[dict[str, str]]:
    """The ways to take the back-test of these periods along."""
    say = translator(language)
    span = {"from": str(first), "to": str(last)}
    tables = [
        {
            "label": f"CSV, {say(name)}",
            "href": f"?{urlencode({**span, 'show': show, 'format': 'csv'})}",
        }
        for show, name in VIEW_NAMES.items()
    ]
    return [*tables, {"label": "JSON", "href": f"?{urlencode({**span, 'format': WHOLE})}"}]


def _cell(value: object) -> exports.Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, int | Fraction | date) or value is None else str(value)
