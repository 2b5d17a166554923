"""A partner's statement: every point that came in or went out, what is held, what was missed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote_plus

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from api import exports
from api.access import visible_partner
from api.addresses import see_other
from api.exports import FileFormat, FormatAsked
from api.pages.partner.explained import explained_words
from api.pages.partner.rows import day_told, elsewhere, head, own_partner, owner, signed, today
from api.pages.told import told, told_state
from api.pages.viewing import Looking, View
from api.paging import ROWS, PageNumber, offset, same_page, ways
from api.render import page, translator
from api.request_scope import wiring
from partner_cx.errors import NotFound
from partner_cx.measures.figures import State
from partner_cx.network.partners import Partner
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text, points_text
from rewards.conditions import Verdict
from rewards.restating.compensations import carried
from rewards.rules import Decision, Recipient, Rule
from rewards.statements import Held
from rewards.statements.explaining import explain_decision, explain_entry
from rewards.statements.listing import (
    Listed,
    MissedEvent,
    Purse,
    Shown,
    entries,
    held,
    missed_events,
    purse,
    rules_met,
)
from rewards.statements.missed import Close, Missed, closes_missed, missed_at
from rewards.statements.shortfalls import figures_of

router = APIRouter()

QUARTERS_OFFERED = 24
DECISIONS_KEPT = 5_000


class Asked(BaseModel):
    """What of a statement somebody wants to see, as the address has it.

    page, held, events: which page of each list. closed: the close whose misses are shown.
    entry, decision: what is opened, by the entry's key or the decision's number.
    """

    period: str = ""
    rule: str = ""
    page: PageNumber = 1
    held: PageNumber = 1
    events: PageNumber = 1
    closed: str = ""
    entry: str = ""
    decision: Annotated[int | None, Query(ge=1, lt=2**63)] = None

    @property
    def shown(self) -> Shown:
        return Shown(Period.parse(self.period) if self.period else None, self.rule or None)


AskedFor = Annotated[Asked, Query()]


@router.get("/statement")
def own_statement(
    view: Looking,
    asked: AskedFor,
    format: FormatAsked = None,  # noqa: A002 - the word in the address
) -> Response:
    partner = own_partner(view.session, view.viewer)
    if partner is None:
        return see_other(view.request, elsewhere(view.viewer))
    return _statement(view, partner, asked, format)


@router.get("/statements/{code:path}")  # a code may hold a slash
def statement(
    view: Looking,
    code: str,
    asked: AskedFor,
    format: FormatAsked = None,  # noqa: A002 - the word in the address
) -> Response:
    """A partner's statement; one entry of it, opened; or all of it as a file."""
    return _statement(view, visible_partner(view.session, view.viewer, code), asked, format)


def _statement(view: View, partner: Partner, asked: Asked, format: FileFormat | None) -> Response:  # noqa: A002
    if asked.entry or asked.decision:
        return _opened(view, partner, asked)
    rules = rules_met(view.session, partner.id)
    if asked.rule and asked.rule not in {rule.code for rule in rules.values()}:
        raise NotFound(
            "There is no such rule on this statement.", remedy="Choose one from the statement."
        )
    if format:
        return _file(view, partner, asked, format)
    own, shown = owner(partner), asked.shown
    has = purse(view.session, own)
    return page(
        view.request,
        "partner/statement.html",
        **head(view.request, view.viewer, partner, "statement"),
        **_worth(view, partner, has),
        **_filters(view, rules, asked, has),
        **_entries(view, partner, asked, shown),
        **_held(view, partner, asked, shown),
        **_missed(view, partner, rules, asked, shown),
        **_missed_events(view, partner, rules, asked, shown),
        exports=exports.links(view.request),
    )


def _opened(view: View, partner: Partner, asked: Asked) -> Response:
    settings = wiring(view.request).settings
    own = owner(partner)
    if asked.decision:
        explained = explain_decision(
            view.session, own, asked.decision, settings=settings, rows=ROWS
        )
    else:
        explained = explain_entry(view.session, own, asked.entry, settings=settings, rows=ROWS)
    back = same_page(view.request, entry=None, decision=None)
    return page(
        view.request,
        "partner/explained.html",
        **head(view.request, view.viewer, partner, "statement"),
        back_href="" if back == "?" else back,
        **explained_words(explained, view.language),
    )


def _file(view: View, partner: Partner, asked: Asked, format: FileFormat) -> Response:  # noqa: A002
    """Every entry under the filters, for a spreadsheet."""
    say = translator(view.language)
    found = entries(view.session, owner(partner), asked.shown, limit=None)
    columns = [
        say("Day"), say("Reason"), say("Rule"), say("Period"),
        say("Points"), say("Balance"), say("Entry"),
    ]  # fmt: skip
    rows = [
        [
            each.on,
            each.why.in_(view.language),
            each.rule.label.in_(view.language) if each.rule else None,
            str(each.period) if each.period else None,
            each.points,
            each.balance,
            each.key,
        ]
        for each in found.rows
    ]
    return exports.table(view.request, columns, rows, f"statement-{partner.code}", format)


# --- The parts of the page ------------------------------------------------------------------------


def _worth(view: View, partner: Partner, has: Purse) -> dict[str, Any]:
    owing = sum(each.points for each in carried(view.session, [partner.id]))
    return {
        "balance": number_text(has.balance, view.language),
        "pending": points_text(has.pending, view.language) if has.pending else "",
        "carried": points_text(owing, view.language) if owing else "",
    }


def _filters(view: View, rules: Mapping[int, Rule], asked: Asked, has: Purse) -> dict[str, Any]:
    """The choices of the filters: every quarter with an entry, every rule that ever decided."""
    last = Period.of(today(view.request, view.now), PeriodKind.QUARTER)
    first = Period.of(has.since, PeriodKind.QUARTER) if has.since else last
    quarters = Period.span(min(first, last), last)[-QUARTERS_OFFERED:][::-1]
    periods = [(str(each), each.label(view.language)) for each in quarters]
    if asked.period and asked.shown.period not in quarters:
        chosen = Period.parse(asked.period)
        periods.insert(0, (asked.period, chosen.label(view.language)))
    labels = {
        rule.code: rule.label.in_(view.language)
        for rule in rules.values()
        if rule.award.to is not Recipient.PERSON
    }
    say = translator(view.language)
    return {
        "chosen": {"period": asked.period, "rule": asked.rule},
        "is_filtered": bool(asked.period or asked.rule),
        "period_choices": [("", say("All periods")), *periods],
        "rule_choices": [
            ("", say("All rules")),
            *sorted(labels.items(), key=lambda each: each[1].casefold()),
        ],
    }


def _entries(view: View, partner: Partner, asked: Asked, shown: Shown) -> dict[str, Any]:
    found = entries(view.session, owner(partner), shown, limit=ROWS, offset=offset(asked.page))
    opened = same_page(view.request, entry="")
    return {
        "entries": [
            _entry(each, view.language, f"{opened}{quote_plus(each.key)}") for each in found.rows
        ],
        "entries_pager": ways(view.request, asked.page, found.total, view.language),
    }


def _entry(line: Listed, language: str, href: str) -> dict[str, Any]:
    say = translator(language)
    notes = []
    if line.corrects:
        notes.append(
            say("Corrects the entry of {day}; that one stays.").format(
                day=day_told(line.corrects, language)
            )
        )
    if line.held_since:
        notes.append(say("Held since {day}.").format(day=day_told(line.held_since, language)))
    return {
        "on": day_told(line.on, language),
        "why": line.why.in_(language),
        "notes": notes,
        "points": signed(line.points, language),
        "is_gain": line.points > 0,
        "balance": number_text(line.balance, language),
        "href": href,
    }


def _held(view: View, partner: Partner, asked: Asked, shown: Shown) -> dict[str, Any]:
    found = held(view.session, owner(partner), shown, limit=ROWS, offset=offset(asked.held))
    cards = [_held_card(view, each) for each in found.rows]
    return {
        "waiting": [each for each in cards if each["waits"]],
        "taken_back": [each for each in cards if not each["waits"]],
        "held_pager": ways(
            view.request, asked.held, found.total, view.language, name="held", anchor="pending"
        ),
    }


def _held_card(view: View, each: Held) -> dict[str, Any]:
    return {
        "on": day_told(each.on, view.language),
        "points": number_text(each.points, view.language),
        "waits": each.waits,
        "sentence": each.sentence.in_(view.language),
        "why": each.why.in_(view.language),
        "href": same_page(view.request, entry=each.key),
    }


# --- What was missed ------------------------------------------------------------------------------


def _missed(
    view: View, partner: Partner, rules: Mapping[int, Rule], asked: Asked, shown: Shown
) -> dict[str, Any]:
    """What was missed at one close, the latest unless another is asked for."""
    closes = closes_missed(view.session, partner.id, rules, shown)
    close = _chosen(closes, asked.closed)
    if close is None:
        return {"missed": [], "missed_at": "", "missed_on": None, "closes": []}
    found = missed_at(view.session, partner, close, rules, shown, kept=_told_before(view))
    return {
        "missed": [_miss(view, each) for each in found],
        "missed_at": close.period.label(view.language),
        "missed_on": close.closed_at,
        "closes": [
            {
                "label": each.period.label(view.language),
                "href": same_page(view.request, "missed", closed=each.period, page=None),
                "current": each == close,
            }
            for each in _near(closes, close)
        ],
    }


def _told_before(view: View) -> dict[int, Decision]:
    """The decisions that this process told before, a few thousand at most."""
    state = view.request.app.state
    if not hasattr(state, "decisions_told") or len(state.decisions_told) > DECISIONS_KEPT:
        state.decisions_told = {}
    kept: dict[int, Decision] = state.decisions_told
    return kept


def _chosen(closes: Sequence[Close], asked: str) -> Close | None:
    """The close that is asked for; one at which nothing was missed has nothing to show."""
    if not asked:
        return closes[0] if closes else None
    period = Period.parse(asked)
    return next((each for each in closes if each.period == period), None)


CLOSES_OFFERED = 8


def _near(closes: Sequence[Close], chosen: Close) -> Sequence[Close]:
    """A few closes around the one shown: with ten years of them, not all."""
    place = closes.index(chosen)
    first = max(0, min(place - CLOSES_OFFERED // 2, len(closes) - CLOSES_OFFERED))
    return closes[first : first + CLOSES_OFFERED]


_VERDICTS = {Verdict.NOT_MET: State.RED, Verdict.UNKNOWN: State.NO_DATA}


def _miss(view: View, each: Missed) -> dict[str, Any]:
    language = view.language
    return {
        "title": each.rule.label.in_(language),
        "worth": each.rule.award.told.in_(language),
        "state": told_state(_VERDICTS.get(each.verdict), language),
        "sentence": each.sentence.in_(language),
        "figures": [told(figure, language) for figure in figures_of(each.decision)],
        "href": same_page(view.request, decision=each.number),
    }


def _missed_events(
    view: View, partner: Partner, rules: Mapping[int, Rule], asked: Asked, shown: Shown
) -> dict[str, Any]:
    found = missed_events(
        view.session, partner.id, rules, shown, limit=ROWS, offset=offset(asked.events)
    )
    return {
        "events": [_event(view, each) for each in found.rows],
        "events_pager": ways(
            view.request, asked.events, found.total, view.language, name="events", anchor="events"
        ),
    }


def _event(view: View, each: MissedEvent) -> dict[str, Any]:
    say = translator(view.language)
    why = {
        Verdict.NOT_MET: say("conditions not met"),
        Verdict.UNKNOWN: say("left open: a figure is missing"),
        Verdict.MET: say("earned, not paid yet") if each.points else say("limit reached"),
    }
    return {
        "on": day_told(each.on, view.language),
        "title": each.rule.label.in_(view.language),
        "subject": each.subject or "",
        "why": why[Verdict(each.verdict)],
        "href": same_page(view.request, decision=each.number),
    }
