"""The partners below one, with how they stand: printed once as long as it says the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from markupsafe import Markup
from sqlalchemy.orm import Session

from api import telling
from api.kept import Kept
from api.pages.partner.naming import about, address_of, statement_of
from api.pages.told import told_state
from api.pages.viewing import View
from api.paging import ROWS, Ways, offset, ways
from api.render import fragment
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.network.people import Role
from partner_cx.periods import Period
from partner_cx.prepared import Prepared, among, spread
from partner_cx.quantities import number_text
from rewards.frozen import FrozenFigure
from rewards.progress.around import Supplied, last_closed, supplied

QUALITY = ("otif", "sla_response", "portal_adoption")  # what is told of each
TABLES_KEPT = 200  # of up to a hundred kilobytes each, with what they say

_printed = Kept[Markup](TABLES_KEPT)


@dataclass(frozen=True)
class Below:
    """The table, and the ways on to the others where they are many."""

    table: Markup
    pager: Ways


def below(view: View, partner_id: int, quarter: Period, number: int) -> Below | None:
    """The partners below, with their states in the running quarter, or else at the last close.

    A rep is shown those that it visits. number: which page of them. None: there are none.
    """
    rep_id = view.viewer.person.id if view.viewer.role is Role.REP else None
    found = supplied(view.session, partner_id, limit=ROWS, offset=offset(number), rep_id=rep_id)
    if not found:
        return None
    period, figures = _states(view.session, quarter, [each.code for each in found])
    says = (view.request.scope.get("root_path", ""), view.language, period, *found, *figures)
    table = _printed.get(says, lambda: _print(view, period, found, figures))
    return Below(table, ways(view.request, number, found[0].total, view.language, anchor="below"))


def _states(
    session: Session, quarter: Period, codes: Sequence[str]
) -> tuple[Period, Sequence[Any]]:
    figures = _figures(session, quarter, codes, ScorecardRow)
    if not figures and (closed := last_closed(session)):
        return closed, _figures(session, closed, codes, FrozenFigure)
    return quarter, figures


def _figures(
    session: Session,
    period: Period,
    codes: Sequence[str],
    table: type[ScorecardRow | FrozenFigure],
) -> Sequence[Any]:
    asked = {"period": str(period)} | spread("code", codes)
    return _in_short_of(table, len(codes)).rows(session, asked)


@lru_cache
def _in_short_of(table: type[ScorecardRow | FrozenFigure], codes: int) -> Prepared:
    """codes: how many are asked for."""
    value = sa.type_coerce(table.value, sa.Text).label("value")
    return Prepared(
        sa.select(table.subject, table.kpi, value, table.state)
        .where(
            table.period == sa.bindparam("period"),
            table.level == "partner",
            among(table.subject, "code", codes),
            sa.or_(*(table.kpi == code for code in QUALITY)),
        )
        .order_by(table.subject, table.kpi)
    )


def _print(view: View, period: Period, found: Iterable[Supplied], figures: Iterable[Any]) -> Markup:
    known = {(each.subject, each.kpi): _figure(each) for each in figures}
    nothing = {code: Figure(code, None, state=State.NO_DATA) for code in QUALITY}
    return fragment(
        view.request,
        "partner/below.html",
        period=period.label(view.language),
        headings=[CATALOGUE[code].label.in_(view.language) for code in QUALITY],
        rows=[
            {
                "name": each.name,
                "about": about(each, view.language),
                "href": address_of(each),
                "figures": [
                    _in_short(known.get((each.code, code), nothing[code]), view.language)
                    for code in QUALITY
                ],
                "balance": number_text(each.balance, view.language),
                "statement_href": statement_of(each),
            }
            for each in found
        ],
    )


def _figure(row: Any) -> Figure:
    return Figure(
        row.kpi,
        None if row.value is None else Fraction(row.value),
        state=None if row.state is None else State(row.state),
    )


def _in_short(figure: Figure, language: str) -> dict[str, Any]:
    return {
        "label": CATALOGUE[figure.kpi].label.in_(language),
        "value": telling.value(figure, language),
        "state": told_state(figure.state, language),
    }
