"""What a reader of the network's pages chooses: a period, a KPI."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from api.figures import Measured, measured_periods
from api.pages.definitions import FAMILY_NAMES
from api.render import translator
from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Family, Kpi
from partner_cx.periods import Period, PeriodKind

NOT_MEASURED = "There are no figures for this period."
PERIODS_SHOWN = 12
FIRST_LOOK = "otif"  # what is looked at where no KPI is named


@dataclass(frozen=True)
class Chosen:
    """The period that is looked at, among those that were measured, the latest first."""

    measured: Measured
    periods: Sequence[Measured]

    @property
    def period(self) -> Period:
        return self.measured.period

    @property
    def before(self) -> Measured | None:
        """The period before, if it was measured."""
        return self.back(self.period.previous())

    def back(self, period: Period) -> Measured | None:
        return next((each for each in self.periods if each.period == period), None)


def choose(session: Session, code: str | None) -> Chosen | None:
    """The period of a code, or the one a reader most likely came for; None: there is none yet.

    Raises Invalid for what is no period, NotFound for one without figures.
    """
    wanted = Period.parse(code) if code else None
    periods = measured_periods(session)
    if not periods:
        return None
    found = next((each for each in periods if each.period == (wanted or latest(periods))), None)
    if found is None:
        raise NotFound(NOT_MEASURED)
    return Chosen(found, periods)


def latest(periods: Sequence[Measured]) -> Period:
    """The latest closed quarter; failing that, whatever was measured last."""
    quarters = [each for each in periods if each.period.kind is PeriodKind.QUARTER]
    closed = [each for each in quarters if each.closed]
    return (closed or quarters or list(periods))[0].period


def period_links(chosen: Chosen, pattern: str, language: str) -> list[dict[str, Any]]:
    """Links to the same page for other periods, the latest first. pattern: holds `{period}`."""
    shown = [
        each
        for kind in dict.fromkeys((chosen.period.kind, PeriodKind.QUARTER, PeriodKind.YEAR))
        for each in [each for each in chosen.periods if each.period.kind is kind][:PERIODS_SHOWN]
    ]
    return [
        {
            "label": each.period.label(language),
            "href": pattern.replace("{period}", str(each.period)),
            "current": each.period == chosen.period,
            "open": not each.closed,
        }
        for each in shown
    ]


def asked_kpi(code: str) -> Kpi:
    """The KPI of a code. Raises NotFound for one there isn't."""
    if code not in CATALOGUE:
        raise NotFound("There is no such KPI.", remedy="The page on what is measured has them all.")
    return CATALOGUE[code]


def kpi_options(kpis: Collection[str], language: str) -> list[dict[str, Any]]:
    """KPIs to choose from, by family, for the macro `choice`."""
    say = translator(language)
    by_family = {
        family: [
            (kpi.code, kpi.label.in_(language))
            for kpi in CATALOGUE.values()
            if kpi.family is family and kpi.code in kpis
        ]
        for family in Family
    }
    return [
        {"label": say(FAMILY_NAMES[family]), "options": options}
        for family, options in by_family.items()
        if options
    ]


def place(path: str, **asked: object) -> str:
    """An address of ours with what is asked for; what is empty is left out."""
    query = urlencode({name: str(value) for name, value in asked.items() if value})
    return f"{path}?{query}" if query else path
