"""Alerts: what a reader should know before trusting the scorecard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.catalogues import text
from api.pages.network.choosing import place
from api.render import translator
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State
from partner_cx.operations.imports import Import
from partner_cx.periods import Period

SILENT = timedelta(days=14)  # a source of which nothing was heard for longer is named
KIND_NAMES = {
    "order-lines": text("Order lines"),
    "receipts": text("Receipts"),
    "tickets": text("Tickets"),
    "visits": text("Visits"),
    "portal-events": text("Portal events"),
    "catalogue-status": text("Catalogue statuses"),
    "learning": text("Courses followed"),
    "invoices": text("Invoices"),
    "answers": text("Answers"),
    "referrals": text("Referrals"),
    "quotes": text("Quotes"),
}


@dataclass(frozen=True)
class Alert:
    """A sentence, and where it leads."""

    said: str
    href: str
    link: str


@dataclass(frozen=True)
class Heard:
    """A kind of facts and when it was told last."""

    name: str
    at: datetime
    silent: bool


def alerts(figures: Sequence[Figure], period: Period, language: str) -> list[Alert]:
    """The KPIs with a target that are out of date, and those with nothing to judge by."""
    return [*_about(figures, State.STALE, period, language),
            *_about(figures, State.NO_DATA, period, language)]  # fmt: skip


def _about(
    figures: Sequence[Figure], state: State, period: Period, language: str
) -> Iterator[Alert]:
    say = translator(language)
    for figure in figures:
        if figure.target is None or figure.state is not state:
            continue
        sentence = {
            State.STALE: text("{kpi} is out of date: its source has been silent for too long."),
            State.NO_DATA: text("{kpi} can’t be judged: there are too few cases."),
        }[state]
        yield Alert(
            said=say(sentence).format(kpi=CATALOGUE[figure.kpi].label.in_(language)),
            href=place("/partners", kpi=figure.kpi, period=period),
            link=say("See its partners"),
        )


def heard(session: Session, language: str, *, now: datetime) -> list[Heard]:
    """When each kind of facts was told last, the longest silent first."""
    say = translator(language)
    found = session.execute(_NEWEST)
    return [Heard(say(KIND_NAMES[kind]), at, now - at > SILENT) for kind, at in found]


_NEWEST = (  # made once: to put it together takes longer than the database does to answer it
    sa.select(Import.kind, sa.func.max(Import.imported_at).label("at"))
    .where(
        sa.or_(Import.refused == 0, Import.taken + Import.unchanged + Import.corrected > 0),
        Import.kind.in_(KIND_NAMES),
    )
    .group_by(Import.kind)
    .order_by("at")
)
