"""The rows behind a miss: the very order lines, tickets or visits that kept a figure down.

Before: facts as they were known at the close, judged by the same formulas that were counted.
After: statements, which show a partner what went wrong, line by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Session

from partner_cx.measures.formulas import orders, relationship, tickets, visits
from partner_cx.measures.formulas.seam import as_day, days, instants, known, whole
from partner_cx.network.partners import Partner
from partner_cx.operations.facts import (
    CatalogueStatus,
    Enrolment,
    Invoice,
    OrderLine,
    PortalEvent,
    Receipt,
    Ticket,
    Visit,
)
from partner_cx.operations.hindsight import Among, Between, facts_known
from partner_cx.periods import Period
from partner_cx.quantities import MICRO, money_text, number_text
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.sentences import day_text

ROWS_SHOWN = 20


@dataclass(frozen=True)
class Miss:
    """One row that was counted and missed.

    source_id: by which the row can be found in the file or system it came from.
    day: the day on which it counts.
    what, verdict: the row, and what was wrong with it.
    corrected_since: whether a later import says otherwise; what stands here was known then.
    """

    source_id: str
    day: date
    what: Words
    verdict: Words
    corrected_since: bool = False

    @property
    def sentence(self) -> Words:
        since = Words("", "")
        if self.corrected_since:
            since = Words(" (corrected since)", " (corrigé depuis)")
        return Words("{what}: {verdict}{since}", "{what}\u202f: {verdict}{since}").format(
            what=self.what, verdict=self.verdict, since=since
        )


@dataclass(frozen=True)
class Misses:
    """Rows that missed: how many there are, and the first of them by day.

    called: what the rows are, one and many.
    """

    total: int = 0
    rows: tuple[Miss, ...] = ()
    called: tuple[Words, Words] = (Words("row", "ligne"), Words("rows", "lignes"))

    @property
    def heading(self) -> Words:
        """What stands above the rows: `3 lines:`, or how many of them are shown."""
        one, many = self.called
        told = Words(
            "{n} {things}, of which {shown} are shown:", "{n} {things}, dont {shown} ici\u202f:"
        )
        if self.total == len(self.rows):
            told = Words("{n} {things}:", "{n} {things}\u202f:")
        return told.format(
            n=Words(number_text(self.total, "en"), number_text(self.total, "fr")),
            things=one if self.total == 1 else many,
            shown=len(self.rows),
        )


@dataclass(frozen=True)
class Asked:
    """What is asked about: some partners' KPI in a period, as it was known then.

    as_of: the moment the figure holds for. known_until: the last import it rests on.
    """

    session: Session
    partners: tuple[int, ...]
    period: Period
    as_of: datetime
    known_until: int
    settings: Settings

    @property
    def as_of_day(self) -> date:
        return self.as_of.astimezone(self.settings.zone).date()

    def facts(self, model: type[DeclarativeBase], kind: str, day: str = "") -> pd.DataFrame:
        """The partners' facts of a kind, those with their `day` in the period if one is named."""
        return self.among(model, kind, Among("partner_id", self.partners), day)

    def among(
        self, model: type[DeclarativeBase], kind: str, among: Among, day: str = ""
    ) -> pd.DataFrame:
        first, last = self.period.first_day, self.period.last_day
        between = [Between(day, first, last)] if day else []
        return facts_known(
            self.session, model, kind, among=among, between=between, known_until=self.known_until
        )

    def in_period(self, column: pd.Series) -> pd.Series:
        first, last = as_day(self.period.first_day), as_day(self.period.last_day)
        return days(column).between(first, last)


def rows_behind(
    session: Session,
    partners: Sequence[int],
    kpi: str,
    period: Period,
    *,
    as_of: datetime,
    known_until: int,
    settings: Settings,
    limit: int = ROWS_SHOWN,
) -> Misses:
    """The rows that kept a KPI of some partners from being better.

    They are the rows that were counted and missed, so that there are as many as `of` less `hits`;
    where less is better, those that were hit. A KPI that isn't made of hits has none to show.
    """
    if kpi not in _TOLD:
        return Misses()
    asked = Asked(session, tuple(partners), period, as_of, known_until, settings)
    called, tell = _TOLD[kpi]
    found = sorted(tell(asked), key=lambda miss: (miss.day, miss.source_id))
    return Misses(len(found), tuple(found[:limit]), called)


# --- Orders -------------------------------------------------------------------------------------


def _not_in_window_or_full(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["otif"]], _line_verdict)


def _short_in_window(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    short = whole(judged["received_in_window"]) < whole(judged["ordered"])
    return _lines(judged[short], _line_verdict)


def _late_or_early(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["on_time"]], _timing)


def _incomplete(asked: Asked) -> Iterator[Miss]:
    judged = _due_lines(asked)
    return _lines(judged[~judged["in_full"]], partial(_part_received, of="received"))


def _lines(missed: pd.DataFrame, verdict: Callable[[dict[str, Any]], Words]) -> Iterator[Miss]:
    for line in _records(missed):
        told = verdict(line) if line["received"] else NOTHING_RECEIVED
        if line["cancelled"]:
            told = Words("cancelled by the supplier", "annulé par le fournisseur")
        yield _miss(line, "window_end", _line_text(line), told)


def _due_lines(asked: Asked) -> pd.DataFrame:
    return _judged_lines(asked, asked.facts(OrderLine, "order-lines", "window_end"))


def _orders(asked: Asked) -> Iterator[Miss]:
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
            yield Miss(code, day, order, verdict, bool(due["corrected_since"].any()))


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
    window = Words("due {end}", "attendu le {end}").format(end=day_text(_date(line["window_end"])))
    if line["window_start"] is not None and line["window_start"] < line["window_end"]:
        window = Words("due {start} to {end}", "attendu du {start} au {end}").format(
            start=day_text(_date(line["window_start"])), end=day_text(_date(line["window_end"]))
        )
    return Words(
        "Order {order}, line {line}, {ordered} ordered, {window}",
        "Commande {order}, ligne {line}, {ordered} commandés, {window}",
    ).format(
        order=line["order_code"],
        line=line["source_id"],
        ordered=_quantity(line["ordered"]),
        window=window,
    )


def _line_verdict(line: dict[str, Any]) -> Words:
    if not line["received_in_window"]:
        return _timing(line)
    if line["received_in_window"] < line["ordered"]:
        return _part_received(line, of="received_in_window")
    return Words(
        "{came} received for {ordered} ordered, more than is accepted",
        "{came} reçus pour {ordered} commandés, plus qu'il n'est admis",
    ).format(came=_quantity(line["received_in_window"]), ordered=_quantity(line["ordered"]))


def _part_received(line: dict[str, Any], *, of: str) -> Words:
    where = Words("", "")
    if of == "received_in_window":
        where = Words(" in the window", " dans le créneau")
    return Words("{came} of {ordered} received{where}", "{came} sur {ordered} reçus{where}").format(
        came=_quantity(line[of]), ordered=_quantity(line["ordered"]), where=where
    )


def _timing(line: dict[str, Any]) -> Words:
    """By how much goods that came outside the window missed it."""
    late = (line["last_on"] - line["window_end"]).days
    if late > 0:
        return Words("received {time} late", "reçu avec {time} de retard").format(time=_days(late))
    early = (line["window_start"] - line["first_on"]).days
    return Words("arrived {time} before the window", "arrivé {time} avant le créneau").format(
        time=_days(early)
    )


# --- Tickets ------------------------------------------------------------------------------------


def _slow_responses(asked: Asked) -> Iterator[Miss]:
    due = asked.facts(Ticket, "tickets", "response_due_on")
    judged = tickets.responses(due, as_of=asked.as_of)
    late = Words(
        "answered after {took}, promised in {target}", "répondu en {took}, promis en {target}"
    )
    never = Words("not answered, promised in {target}", "sans réponse, promise en {target}")
    return _slow(asked, judged, "response", "first_reply_at", late, never)


def _slow_resolutions(asked: Asked) -> Iterator[Miss]:
    due = asked.facts(Ticket, "tickets", "resolution_due_on")
    judged = tickets.resolutions(due, as_of=asked.as_of)
    late = Words(
        "resolved after {took}, promised in {target}", "résolu en {took}, promis en {target}"
    )
    never = Words("not resolved, promised in {target}", "non résolu, promis en {target}")
    return _slow(asked, judged, "resolution", "resolved_at", late, never)


def _slow(
    asked: Asked, judged: pd.DataFrame, promise: str, done_at: str, late: Words, never: Words
) -> Iterator[Miss]:
    for ticket in _records(judged[~judged["kept"]]):
        done = ticket[done_at] is not None and ticket[done_at] <= asked.as_of
        verdict = (late if done else never).format(
            took=_duration(ticket[f"{promise}_seconds"] or 0),
            target=_duration(ticket[f"{promise}_target_minutes"] * 60),
        )
        yield _miss(ticket, "day", _ticket_text(ticket), verdict)


def _not_at_first_contact(asked: Asked) -> Iterator[Miss]:
    resolved = asked.facts(Ticket, "tickets", "resolved_on")
    resolved = resolved[
        (instants(resolved["resolved_at"]) <= asked.as_of) & known(resolved["contacts"]).notna()
    ]
    reopened = known(resolved["reopened_count"]).fillna(0)
    for ticket in _records(resolved[(known(resolved["contacts"]) != 1) | (reopened > 0)]):
        if ticket["reopened_count"]:
            verdict = Words("reopened {n} ×", "rouvert {n} fois")
            verdict = verdict.format(n=ticket["reopened_count"])
        else:
            verdict = Words("took {n} contacts", "a demandé {n} contacts")
            verdict = verdict.format(n=ticket["contacts"])
        yield _miss(ticket, "resolved_on", _ticket_text(ticket), verdict)


def _ticket_text(ticket: dict[str, Any]) -> Words:
    return Words("Ticket {id}, opened {day}", "Ticket {id}, ouvert le {day}").format(
        id=ticket["source_id"], day=day_text(_date(ticket["opened_on"]))
    )


# --- Visits -------------------------------------------------------------------------------------

_OUTCOMES = {
    "part_missing": Words("a part was missing", "il manquait une pièce"),
    "not_fixed": Words("not fixed", "non réparé"),
}


def _not_fixed_at_first(asked: Asked) -> Iterator[Miss]:
    """First visits are told from follow-ups by all visits to an asset, whoever made them."""
    own = asked.facts(Visit, "visits", "visited_on")
    everyones = asked.among(Visit, "visits", Among("asset", set(own["asset"].tolist())))
    window = asked.settings.ftfr_window_days
    cases = visits.first_visits(everyones, as_of_day=asked.as_of_day, follow_up_days=window)
    ours = cases["partner_id"].isin(asked.partners) & asked.in_period(cases["visited_on"])
    followed_up = Words("another visit within {days}", "une autre visite sous {days}")
    for visit in _records(cases[ours & ~cases["fixed_first_time"]]):
        what = Words("First visit to {asset}, {day}", "Première visite à {asset}, {day}").format(
            asset=visit["asset"], day=day_text(_date(visit["visited_on"]))
        )
        verdict = _OUTCOMES.get(visit["outcome"]) or followed_up.format(days=_days(window))
        yield _miss(visit, "visited_on", what, verdict)


# --- Invoices -----------------------------------------------------------------------------------


def _disputed(asked: Asked) -> Iterator[Miss]:
    for invoice in _invoices(asked):
        if invoice["lines"] is not None and invoice["disputed_lines"]:
            verdict = Words("{n} of {of} lines disputed", "{n} lignes contestées sur {of}")
            verdict = verdict.format(n=invoice["disputed_lines"], of=invoice["lines"])
            yield _miss(invoice, "on", _invoice_text(invoice), verdict)


def _credited(asked: Asked) -> Iterator[Miss]:
    for invoice in _invoices(asked):
        if invoice["currency"] == asked.settings.currency and invoice["credited_minor"]:
            verdict = Words("{n} of {of} credited", "{n} en avoir sur {of}").format(
                n=_money(invoice["credited_minor"], invoice["currency"]),
                of=_money(invoice["value_minor"], invoice["currency"]),
            )
            yield _miss(invoice, "on", _invoice_text(invoice), verdict)


def _invoices(asked: Asked) -> Iterable[dict[str, Any]]:
    invoices = asked.facts(Invoice, "invoices", "on")
    return _records(invoices[days(invoices["on"]) <= as_day(asked.as_of_day)])


def _invoice_text(invoice: dict[str, Any]) -> Words:
    return Words("Invoice {id}, {day}", "Facture {id}, {day}").format(
        id=invoice["source_id"], day=day_text(_date(invoice["on"]))
    )


# --- Adoption -----------------------------------------------------------------------------------


def _unfilled(asked: Asked) -> Iterator[Miss]:
    """Of each partner's last day with a status in the period, all statuses that have gaps."""
    statuses = asked.facts(CatalogueStatus, "catalogue-status", "on")
    statuses = statuses[days(statuses["on"]) <= as_day(asked.as_of_day)]
    latest = statuses[statuses["on"] == statuses.groupby("partner_id")["on"].transform("max")]
    for status in _records(latest[whole(latest["filled"]) < whole(latest["required"])]):
        what = Words("Catalogue {id}, {day}", "Catalogue {id}, {day}").format(
            id=status["source_id"], day=day_text(_date(status["on"]))
        )
        verdict = Words("{n} of {of} fields filled", "{n} champs remplis sur {of}")
        yield _miss(status, "on", what, verdict.format(n=status["filled"], of=status["required"]))


def _uncompleted(asked: Asked) -> Iterator[Miss]:
    enrolments = asked.facts(Enrolment, "learning", "enrolled_on")
    today = as_day(asked.as_of_day)
    enrolled = enrolments[days(enrolments["enrolled_on"]) <= today]
    for enrolment in _records(enrolled[~(days(enrolled["completed_on"]) <= today)]):
        what = Words(
            "{person}, course {course}, enrolled {day}",
            "{person}, formation {course}, inscription le {day}",
        ).format(
            person=enrolment["person_email"],
            course=enrolment["course_code"],
            day=day_text(_date(enrolment["enrolled_on"])),
        )
        yield _miss(enrolment, "enrolled_on", what, Words("not completed", "non terminée"))


def _unseen(asked: Asked) -> Iterator[Miss]:
    """The accounts that counted and weren't seen on the portal."""
    partners = asked.session.execute(
        sa.select(Partner.id, Partner.code, Partner.name, Partner.joined_on, Partner.left_on).where(
            Partner.id.in_(asked.partners)
        )
    ).mappings()
    accounts = pd.DataFrame(
        [dict(row) for row in partners], columns=["id", "code", "name", "joined_on", "left_on"]
    )
    stand = relationship.standing(accounts, asked.period, as_of_day=asked.as_of_day)
    events = asked.facts(PortalEvent, "portal-events", "on")
    events = events[days(events["on"]) <= as_day(asked.as_of_day)]
    internal = events["internal"].astype("bool")
    came, staff = set(events.loc[~internal, "partner_id"]), set(events.loc[internal, "partner_id"])
    for account in accounts[stand["eligible"].to_numpy()].to_dict("records"):
        if account["id"] not in came:
            verdict = Words("nobody used the portal", "personne n'a utilisé le portail")
            if account["id"] in staff:
                verdict = Words(
                    "only the brand's own staff used the portal",
                    "seul le personnel de la marque a utilisé le portail",
                )
            name = Words("Account {code}, {name}", "Compte {code}, {name}")
            what = name.format(code=account["code"], name=account["name"])
            yield Miss(account["code"], asked.period.last_day, what, verdict)


def _called(en: str, fr: str) -> tuple[Words, Words]:
    return Words(en, fr), Words(f"{en}s", f"{fr}s")


_LINES, _TICKETS = _called("line", "ligne"), _called("ticket", "ticket")
_INVOICES = _called("invoice", "facture")
_FIRST_VISITS = (
    Words("first visit", "première visite"),
    Words("first visits", "premières visites"),
)

_TOLD: dict[str, tuple[tuple[Words, Words], Callable[[Asked], Iterable[Miss]]]] = {
    "otif": (_LINES, _not_in_window_or_full),
    "otif_case": (_LINES, _short_in_window),
    "otif_order": (_called("order", "commande"), _orders),
    "on_time": (_LINES, _late_or_early),
    "in_full": (_LINES, _incomplete),
    "sla_response": (_TICKETS, _slow_responses),
    "sla_resolution": (_TICKETS, _slow_resolutions),
    "fcr": (_TICKETS, _not_at_first_contact),
    "ftfr": (_FIRST_VISITS, _not_fixed_at_first),
    "dispute_rate": (_INVOICES, _disputed),
    "credit_rate": (_INVOICES, _credited),
    "catalogue_completion": (_called("catalogue", "catalogue"), _unfilled),
    "learning_completion": (_called("enrolment", "inscription"), _uncompleted),
    "portal_adoption": (_called("account", "compte"), _unseen),
}


# --- How rows are told --------------------------------------------------------------------------


def _records(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows as plain values, None where there is nothing."""
    for row in frame.to_dict("records"):
        yield {str(name): None if _is_nothing(value) else value for name, value in row.items()}


def _is_nothing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _miss(row: dict[str, Any], day: str, what: Words, verdict: Words) -> Miss:
    return Miss(row["source_id"], _date(row[day]), what, verdict, bool(row["corrected_since"]))


def _date(day: pd.Timestamp) -> date:
    return day.date()


def _quantity(micro: int) -> Words:
    """Micro-units as people write quantities, without the zeros at the end."""
    units, rest = divmod(micro, MICRO)
    decimals = len(f"{rest:06d}".rstrip("0"))
    number = Fraction(micro, MICRO) if rest else units
    return Words(number_text(number, "en", decimals), number_text(number, "fr", decimals))


def _money(minor: int, currency: str) -> Words:
    return Words(money_text(minor, currency, "en"), money_text(minor, currency, "fr"))


def _days(count: int) -> Words:
    s = "" if count == 1 else "s"
    return Words(f"{count} day{s}", f"{count} jour{s}")


def _duration(seconds: int) -> Words:
    """`1 h 15 min`; to the second only where there are some."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (rest, "s")]
    told = " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
    return Words(told, told)
