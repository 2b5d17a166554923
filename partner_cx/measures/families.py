"""Families: the KPIs that are tallied together, and the facts that bear on their cells.

A cell is a partner's day. Before: the fact tables, and the temporary table `cells` with the cells
to tally. After: the formulas, whose counts, spreads and presences `tallies` keeps.

Every query starts at `cells` and finds facts through an index (CROSS JOIN keeps SQLite to that
order), so that the price of a day is the facts of that day, however many there are in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from fractions import Fraction
from functools import partial

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from partner_cx.feedback.answers import Answer
from partner_cx.frames import read_frame
from partner_cx.measures.formulas import (
    invoices,
    learning,
    orders,
    perception,
    portal,
    relationship,
    tickets,
    visits,
)
from partner_cx.measures.formulas.seam import COUNTS, PRESENCES, SPREADS
from partner_cx.network.partners import Partner
from partner_cx.operations.facts import (
    CatalogueStatus,
    Enrolment,
    Invoice,
    OrderLine,
    PortalEvent,
    Quote,
    Receipt,
    Referral,
    Ticket,
    Visit,
)
from partner_cx.settings import Settings

Facts = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Terms:
    """What tallies rest on besides facts: the moment they hold for, and the programme's choices."""

    as_of: datetime
    zone: tzinfo
    under: Fraction
    over: Fraction | None
    follow_up_days: int
    currency: str

    @classmethod
    def of(cls, settings: Settings, now: datetime) -> Terms:
        return cls(
            as_of=now,
            zone=settings.zone,
            under=settings.otif_under_tolerance,
            over=settings.otif_over_tolerance,
            follow_up_days=settings.ftfr_window_days,
            currency=settings.currency,
        )

    @property
    def today(self) -> date:
        return self.day_of(self.as_of)

    def day_of(self, instant: datetime) -> date:
        """The calendar day in the programme's time zone."""
        return instant.astimezone(self.zone).date()


def _empty(shape: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(columns=list(shape)).astype(dict(shape))


@dataclass(frozen=True)
class Tallied:
    """What formulas made of some facts: the seam's three frames."""

    counts: pd.DataFrame = field(default_factory=partial(_empty, COUNTS))
    spreads: pd.DataFrame = field(default_factory=partial(_empty, SPREADS))
    presences: pd.DataFrame = field(default_factory=partial(_empty, PRESENCES))


@dataclass(frozen=True)
class Family:
    """KPIs that are tallied together, and the facts they are made from.

    codes: the tally codes it owns; `dsi.*` is every code that begins with `dsi.`.
    kinds: the kinds of files its facts come from.
    table, days: the facts, and the columns each of which lays a fact in a cell.
    events: the days on which something became known, with the instant behind each day if there
        is one. What lies after `as_of` isn't known yet.
    due: the days on which time alone changes what a fact means, likewise.
    read: reads the facts that bear on `cells`.
    measure: runs the formulas on them.
    linked: where facts of several cells are judged together (an order's lines, an asset's
        visits), the frame and day by which a cell leads to the others.
    """

    name: str
    codes: tuple[str, ...]
    kinds: tuple[str, ...]
    table: str
    days: tuple[str, ...]
    events: Mapping[str, str | None]
    read: Callable[[Session], Facts]
    measure: Callable[[Facts, Terms], Tallied]
    due: Mapping[str, str | None] = field(default_factory=dict)
    matures: bool = False  # a fact falls due only when follow-ups can no longer come
    linked: tuple[str, str] | None = None

    @property
    def to_the_instant(self) -> bool:
        """Whether its events are known from an instant on, rather than from their day on."""
        return any(self.events.values())

    def owns(self, code: str) -> bool:
        return any(
            code == own or (own.endswith("*") and code.startswith(own[:-1])) for own in self.codes
        )


def everything(family: Family) -> Iterator[str]:
    """SQL for the cells of every fact: day, partner_id."""
    for day in family.days:
        yield f'SELECT "{day}" AS day, partner_id FROM {family.table} WHERE "{day}" IS NOT NULL'


def falling_due(family: Family) -> Iterator[str]:
    """SQL for the cells whose facts fall due after :first up to :last (or their instants)."""
    for day, at in family.due.items():
        yield _per_partner(family.table, day, _in_between(day, at))


def becoming_known(family: Family) -> Iterator[str]:
    """SQL for the cells of facts with an event after :first up to :last (or their instants)."""
    for event, at in family.events.items():
        for day in family.days:
            if at or event in family.days:
                found = _per_partner(family.table, event, _in_between(event, at), cell=day)
            else:  # no index leads there; it happens when files bring the future
                found = (
                    f'SELECT facts."{day}" AS day, facts.partner_id FROM {family.table} facts '
                    f"WHERE {_in_between(event, at)}"
                )
            yield f'{found} AND facts."{day}" IS NOT NULL'
    if family.name == "orders":  # a receipt lies in its line's cell
        yield (
            "SELECT facts.window_end AS day, facts.partner_id "
            "FROM receipts CROSS JOIN order_lines facts WHERE receipts.received_on > :first "
            "AND receipts.received_on <= :last AND facts.id = receipts.order_line_id"
        )


def _per_partner(table: str, day: str, condition: str, *, cell: str = "") -> str:
    """Find facts of a few days by each partner's index, never by reading all there are."""
    return (
        f'SELECT facts."{cell or day}" AS day, facts.partner_id '
        f"FROM {Partner.__tablename__} CROSS JOIN {table} facts "
        f'WHERE facts.partner_id = partners.id AND facts."{day}" BETWEEN :first AND :last '
        f"AND {condition}"
    )


def _in_between(day: str, at: str | None) -> str:
    if at:  # both ends: a promise falls due at its instant, a reply is known from it
        return f"facts.{at} >= :earlier AND facts.{at} <= :later"
    return f'facts."{day}" > :first AND facts."{day}" <= :last'


# --- Orders -------------------------------------------------------------------------------------

_LINE = "id partner_id order_code ordered window_start window_end status cancelled_on"
_RECEIPT = "id order_line_id received_on quantity"
_LINES = (
    "FROM cells CROSS JOIN order_lines facts "
    "WHERE facts.partner_id = cells.partner_id AND facts.window_end = cells.day"
)
_RECEIPTS = (
    "FROM cells CROSS JOIN order_lines line CROSS JOIN receipts facts "
    "WHERE line.partner_id = cells.partner_id AND line.window_end = cells.day "
    "AND facts.order_line_id = line.id"
)
# The lines of the same orders that fall due on other days. They are few, and decide which of an
# order's lines is its last, and its fate.
_SIBLINGS = (
    "(SELECT sibling.id FROM cells CROSS JOIN order_lines line CROSS JOIN order_lines sibling "
    "WHERE line.partner_id = cells.partner_id AND line.window_end = cells.day "
    "AND sibling.partner_id = line.partner_id AND sibling.order_code = line.order_code "
    "AND sibling.window_end <> line.window_end)"
)
_SIBLING_LINES = f"FROM order_lines facts WHERE facts.id IN {_SIBLINGS}"
_SIBLING_RECEIPTS = f"FROM receipts facts WHERE facts.order_line_id IN {_SIBLINGS}"


def _read_orders(session: Session) -> Facts:
    columns = f"{_LINE} received received_on"
    lines = _read(session, OrderLine, columns, _LINES)
    receipts = _read(session, Receipt, _RECEIPT, _RECEIPTS)
    siblings = _read(session, OrderLine, columns, _SIBLING_LINES)
    if len(siblings):
        more = _read(session, Receipt, _RECEIPT, _SIBLING_RECEIPTS)
        lines = pd.concat([lines, siblings]).drop_duplicates("id")
        receipts = pd.concat([receipts, more]).drop_duplicates("id")
    stated = lines.loc[lines["received_on"].notna(), ["id", "received_on", "received"]]
    stated = stated.set_axis(["order_line_id", "received_on", "quantity"], axis="columns")
    return {
        "lines": lines,
        "receipts": pd.concat([receipts.drop(columns="id"), stated], ignore_index=True),
    }


def _measure_orders(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(
        counts=orders.counts(
            facts["lines"],
            facts["receipts"],
            as_of_day=terms.today,
            under=terms.under,
            over=terms.over,
        )
    )


# --- Tickets ------------------------------------------------------------------------------------

_TICKET_DAYS = ("opened_on", "replied_on", "resolved_on", "response_due_on", "resolution_due_on")
_TICKET = (
    "id partner_id opened_at first_reply_at resolved_at reopened_count response_target_minutes "
    "resolution_target_minutes contacts response_due_at resolution_due_at response_seconds "
    f"resolution_seconds {' '.join(_TICKET_DAYS)}"
)
_TICKETS_BY_DAY = " UNION ".join(
    f"SELECT ticket.id FROM cells CROSS JOIN tickets ticket "
    f"WHERE ticket.partner_id = cells.partner_id AND ticket.{day} = cells.day"
    for day in _TICKET_DAYS
)
_TICKETS = f"FROM tickets facts WHERE facts.id IN ({_TICKETS_BY_DAY})"


def _read_tickets(session: Session) -> Facts:
    return {"tickets": _read(session, Ticket, _TICKET, _TICKETS)}


def _measure_tickets(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(
        counts=tickets.counts(facts["tickets"], as_of=terms.as_of),
        spreads=tickets.spreads(facts["tickets"], as_of=terms.as_of),
    )


# --- Visits -------------------------------------------------------------------------------------

_VISITS = (
    "FROM visits facts WHERE facts.asset IN (SELECT visit.asset FROM cells CROSS JOIN visits visit "
    "WHERE visit.partner_id = cells.partner_id AND visit.visited_on = cells.day)"
)


def _read_visits(session: Session) -> Facts:
    return {"visits": _read(session, Visit, "id partner_id asset visited_on outcome", _VISITS)}


def _measure_visits(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(
        counts=visits.counts(
            facts["visits"], as_of_day=terms.today, follow_up_days=terms.follow_up_days
        )
    )


# --- The others: a fact lies in one cell, and nothing else bears on it --------------------------


def _reader(model: type[DeclarativeBase], columns: str, day: str) -> Callable[[Session], Facts]:
    source = (
        f"FROM cells CROSS JOIN {model.__tablename__} facts "
        f'WHERE facts.partner_id = cells.partner_id AND facts."{day}" = cells.day'
    )
    return lambda session: {model.__tablename__: _read(session, model, columns, source)}


_EVENT = "partner_id on kind person_email internal"
_STATUS = "partner_id on filled required"


def _measure_portal(facts: Facts, terms: Terms) -> Tallied:
    events = facts["portal_events"]
    return Tallied(
        counts=portal.counts(events, _nothing(_STATUS), as_of_day=terms.today),
        presences=portal.presences(events, as_of_day=terms.today),
    )


def _measure_catalogue(facts: Facts, terms: Terms) -> Tallied:
    statuses = facts["catalogue_statuses"]
    return Tallied(counts=portal.counts(_nothing(_EVENT), statuses, as_of_day=terms.today))


def _measure_learning(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(counts=learning.counts(facts["enrolments"], as_of_day=terms.today))


def _measure_invoices(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(
        counts=invoices.counts(facts["invoices"], as_of_day=terms.today, currency=terms.currency)
    )


def _measure_answers(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(
        counts=perception.counts(facts["answers"], as_of_day=terms.today),
        spreads=perception.spreads(facts["answers"], as_of_day=terms.today),
    )


def _measure_referrals(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(counts=relationship.counts(facts["referrals"], as_of_day=terms.today))


def _measure_quotes(facts: Facts, terms: Terms) -> Tallied:
    return Tallied(spreads=relationship.spreads(facts["quotes"], as_of=terms.as_of))


def _nothing(columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=columns.split())


def _read(
    session: Session, model: type[DeclarativeBase], columns: str, source: str
) -> pd.DataFrame:
    table = model.__table__
    names = columns.split()
    listed = ", ".join(f'facts."{name}"' for name in names)
    statement = sa.text(f"SELECT {listed} {source}")
    return read_frame(session, statement.columns(*(table.c[name] for name in names)))


FAMILIES = (
    Family(
        "orders",
        codes=("otif", "on_time", "in_full", "otif_case", "otif_order"),
        kinds=("order-lines", "receipts"),
        table="order_lines",
        days=("window_end",),
        due={"window_end": None},
        events={"received_on": None, "cancelled_on": None},
        linked=("lines", "window_end"),
        read=_read_orders,
        measure=_measure_orders,
    ),
    Family(
        "tickets",
        codes=(
            *("sla_response", "sla_resolution", "fcr", "fcr_known"),
            *("tickets_opened", "tickets_resolved", "tickets_reopened"),
            *("first_response", "resolution"),
        ),
        kinds=("tickets",),
        table="tickets",
        days=_TICKET_DAYS,
        due={"response_due_on": "response_due_at", "resolution_due_on": "resolution_due_at"},
        events={
            "opened_on": "opened_at",
            "replied_on": "first_reply_at",
            "resolved_on": "resolved_at",
        },
        read=_read_tickets,
        measure=_measure_tickets,
    ),
    Family(
        "visits",
        codes=("ftfr",),
        kinds=("visits",),
        table="visits",
        days=("visited_on",),
        due={"visited_on": None},
        matures=True,
        events={"visited_on": None},
        linked=("visits", "visited_on"),
        read=_read_visits,
        measure=_measure_visits,
    ),
    Family(
        "portal",
        codes=("portal_sessions", "sheet_views", "media_downloads", "portal_depth"),
        kinds=("portal-events",),
        table="portal_events",
        days=("on",),
        events={"on": None},
        read=_reader(PortalEvent, _EVENT, "on"),
        measure=_measure_portal,
    ),
    Family(
        "catalogue",
        codes=("catalogue_completion",),
        kinds=("catalogue-status",),
        table="catalogue_statuses",
        days=("on",),
        events={"on": None},
        read=_reader(CatalogueStatus, _STATUS, "on"),
        measure=_measure_catalogue,
    ),
    Family(
        "learning",
        codes=("learning_completion",),
        kinds=("learning",),
        table="enrolments",
        days=("enrolled_on",),
        events={"enrolled_on": None, "completed_on": None},
        read=_reader(Enrolment, "partner_id enrolled_on completed_on", "enrolled_on"),
        measure=_measure_learning,
    ),
    Family(
        "invoices",
        codes=("dispute_rate", "dispute_rate_known", "credit_rate", "credit_rate_known"),
        kinds=("invoices",),
        table="invoices",
        days=("on",),
        events={"on": None},
        read=_reader(
            Invoice,
            "partner_id on value_minor currency lines disputed_lines credited_minor",
            "on",
        ),
        measure=_measure_invoices,
    ),
    Family(
        "answers",
        codes=(
            *("nps", "nps_promoters", "nps_detractors"),
            *("pnps", "pnps_promoters", "pnps_detractors", "pnps_score"),
            *("csat", "csat10", "ces", "ces5", "dsi.*", "cxi.*"),
        ),
        kinds=("answers",),
        table="answers",
        days=("answered_on",),
        events={"answered_on": None},
        read=_reader(
            Answer,
            "partner_id answered_on question_code value dismissed respondent",
            "answered_on",
        ),
        measure=_measure_answers,
    ),
    Family(
        "referrals",
        codes=("referrals",),
        kinds=("referrals",),
        table="referrals",
        days=("on",),
        events={"on": None},
        read=_reader(Referral, "partner_id on", "on"),
        measure=_measure_referrals,
    ),
    Family(
        "quotes",
        codes=("time_to_quote",),
        kinds=("quotes",),
        table="quotes",
        days=("quoted_on",),
        events={"quoted_on": "quoted_at"},
        read=_reader(
            Quote, "partner_id requested_at requested_on quoted_at quoted_on", "quoted_on"
        ),
        measure=_measure_quotes,
    ),
)
