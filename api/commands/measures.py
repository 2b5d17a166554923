"""Measures: scorecards computed and printed, and the catalogue of KPIs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, PeriodText, filled
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from partner_cx.measures.figures import Figure
    from partner_cx.periods import Period

FIGURES = (
    *("period", "level", "subject", "partner", "kpi", "value", "hits", "of", "n", "coverage"),
    *("low", "high", "state", "target", "as_of", "definition_version"),
)
FIGURES_IN_TABLE = (
    *("period", "level", "subject", "kpi", "value", "hits", "of", "n", "coverage"),
    *("low", "high", "state", "target"),
)
DEFINITIONS = ("code", "label", "unit", "better", "version", "definition", "source")


class Level(StrEnum):
    """Whose figures are printed."""

    PARTNER = "partner"  # every partner's own
    GROUP = "group"  # tiers, regions, countries, distributors and your own groups
    NETWORK = "network"  # all partners together


def measure(period: PeriodText, database: Database = None, now: Now = None) -> None:
    """Compute the scorecards of a period from all that is known."""
    from api.measuring import measure_period
    from api.wiring import moment, open_house
    from partner_cx.periods import Period

    chosen = Period.parse(period)
    with open_house(database) as house:
        measure_period(house, chosen, now=moment(now, house.settings))
    say(f"{chosen} is measured.")


def scorecard(
    period: PeriodText,
    partner: Annotated[
        str | None, typer.Option(metavar="CODE", help="One partner's own.", callback=filled)
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="One group's: tier:gold, country:FR, …", callback=filled),
    ] = None,
    kpi: Annotated[
        str | None, typer.Option(metavar="CODE", help="One KPI only.", callback=filled)
    ] = None,
    level: Annotated[
        Level | None, typer.Option(help="Whose figures.", show_default="network")
    ] = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Print the figures of a period: as frozen when it is closed, otherwise as of now."""
    from api.measuring import figures_asked, measure_period
    from api.wiring import moment, open_house
    from partner_cx.database import reading
    from partner_cx.periods import Period
    from partner_cx.words import Words

    chosen = Period.parse(period)
    with open_house(database) as house:
        spoken = language or house.language
        asked = figures_asked(partner=partner, group=group, level=level, kpi=kpi)
        closed = measure_period(house, chosen, now=moment(now, house.settings))
        if closed:
            frozen = Words(
                "{period} is closed: these are its figures as frozen on {day}.",
                "{period} est clôturé\u202f: voici ses chiffres tels que figés le {day}.",
            ).format(period=chosen, day=closed.astimezone(house.settings.zone).date())
            say(frozen.in_(spoken))
        with reading(house.engine) as session:
            rows = [
                _row(chosen, asked.level, subject, figure, spoken)
                for subject, figure in asked.find(session, chosen)
            ]
    print_rows(rows, FIGURES, form=form, in_table=FIGURES_IN_TABLE, language=spoken)


def kpis(form: Form = Format.TABLE, language: In = None) -> None:
    """List the catalogue: every KPI with its unit and definition."""
    from partner_cx.measures.catalogue import CATALOGUE

    spoken = language or "en"
    rows = [
        {
            "code": kpi.code,
            "label": kpi.label.in_(spoken),
            "unit": kpi.unit.value,
            "better": kpi.direction.value,
            "version": kpi.version,
            "definition": kpi.formula.in_(spoken),
            "source": kpi.source,
        }
        for kpi in CATALOGUE.values()
    ]
    print_rows(rows, DEFINITIONS, form=form, language=spoken)


def _row(period: Period, level: str, subject: str, figure: Figure, language: str) -> Row:
    from api import telling
    from api.headings import state_word

    low, high = (
        Shown(end, telling.interval_end(figure, end, language)) for end in (figure.low, figure.high)
    )
    hits, of = telling.sums(figure)
    return {
        "period": str(period),
        "level": level,
        "subject": subject,
        "partner": subject if level == Level.PARTNER else None,
        "kpi": figure.kpi,
        "value": Shown(figure.value, telling.value(figure, language)),
        "hits": hits,
        "of": of,
        "n": figure.n,
        "coverage": Shown(figure.coverage, telling.share(figure.coverage, language)),
        "low": low,
        "high": high,
        "state": Shown(figure.state.value, state_word(figure.state.value, language))
        if figure.state
        else None,
        "target": Shown(
            figure.target.value if figure.target else None, telling.target(figure, language)
        ),
        "as_of": figure.as_of,
        "definition_version": figure.definition_version,
    }
