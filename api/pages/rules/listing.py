"""The list of rules: how each stands, for whom, what it is worth, what pays, what it gave last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api.access import Viewer
from api.catalogues import text
from api.paging import PageAsked, paged
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import SeesNetwork
from partner_cx.quantities import number_text, percent, points_text
from rewards.budgets import BudgetReport, reports
from rewards.rulebook import RuleDraft
from rewards.rulebook.outcomes import Outcome, last_outcomes
from rewards.rulebook.standings import Standing, Status, standings
from rewards.rules.telling import audience_told, when_told

router = APIRouter()

STATUSES = {
    Status.DRAFT: text("draft"),
    Status.AWAITING_APPROVAL: text("waiting for approval"),
    Status.IN_FORCE: text("in force"),
    Status.COMING: text("coming"),
    Status.ENDED: text("ended"),
    Status.RETIRED: text("retired"),
    Status.SUPERSEDED: text("superseded"),
}
COLOURS = {
    Status.IN_FORCE: "green",
    Status.AWAITING_APPROVAL: "amber",
    Status.COMING: "amber",
}
SAID = {"discarded": text("The draft is gone.")}
# Which standing speaks for a rule with several versions: the first of these that there is.
_SPEAKS = (Status.IN_FORCE, Status.COMING, Status.ENDED, Status.RETIRED, Status.SUPERSEDED)
_TIGHT, _GONE = Fraction(80, 100), Fraction(95, 100)


@dataclass(frozen=True)
class Meter:
    """How full a budget is. share: in percent, for the picture; state: its colour."""

    told: str
    share: int
    state: str


@router.get("/rules")
def rules(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    state: str = "",
    budget: str = "",
    number: PageAsked = 1,
    said: str = "",
) -> Response:
    """Every rule. state, budget: only those that stand so, or that it pays."""
    say = translator(language)
    today = now.astimezone(wiring(request).settings.zone).date()
    found = standings(session, today)
    all_lines = _lines(session, found, today, language)
    lines = [
        each
        for each in all_lines
        if state in ("", *each["states"]) and budget in ("", each["budget"])
    ]
    return page(
        request,
        "programme/rules/list.html",
        lines=paged(request, lines, number, language),
        found=len(lines),
        total=len(all_lines),
        waiting=_waiting(found, viewer, language),
        states=[("", say("any")), *((each.value, say(name)) for each, name in STATUSES.items())],
        budgets=[("", say("any")), *((b, b) for b in sorted({e["budget"] for e in all_lines}))],
        state=state,
        budget=budget,
        manages=viewer.manages,
        said=say(SAID[said]) if said in SAID else "",
    )


def meter(report: BudgetReport | None, language: str) -> Meter | None:
    """How much of a budget is used, reserved points included; None where it was never funded."""
    if report is None or not report.funded:
        return None
    share = Fraction(report.used, report.funded)
    say = translator(language)
    told = say("{used} of {funded} used ({share})")
    if report.reserved:
        told = say("{used} of {funded} used ({share}), {reserved} of it reserved")
    return Meter(
        told.format(
            used=number_text(report.used, language),
            funded=points_text(report.funded, language),
            share=percent(share, language, 0),
            reserved=number_text(report.reserved, language),
        ),
        int(share * 100),
        "red" if share >= _GONE else "amber" if share >= _TIGHT else "green",
    )


def outcome_told(outcome: Outcome | None, language: str) -> str:
    """`Q3 2026: 19 awards, 9,500 points`."""
    if outcome is None:
        return ""
    say = translator(language)
    return say("{period}: {awards}, {points}").format(
        period=outcome.period.label(language),
        awards=say.many("{count} award", "{count} awards", outcome.won),
        points=points_text(outcome.points, language),
    )


def _lines(
    session: Session, found: Sequence[Standing], today: date, language: str
) -> list[dict[str, Any]]:
    """A line for each rule, by code."""
    budgets = {each.code: each for each in reports(session)}
    last = last_outcomes(session, today)
    return [
        _line(list(of_code), budgets, last.get(code), language)
        for code, of_code in groupby(found, key=lambda each: each.kept.code)
    ]


def _line(
    found: Sequence[Standing],
    budgets: Mapping[str, BudgetReport],
    last: Outcome | None,
    language: str,
) -> dict[str, Any]:
    shown = speaker(found)
    rule, kept = shown.rule, shown.kept
    drafts = [each for each in found if isinstance(each.kept, RuleDraft)]
    states = dict.fromkeys(each.status for each in (shown, *drafts))
    return {
        "code": kept.code,
        "href": f"/rules/{kept.code}",
        "label": rule.label.in_(language),
        "version": None if isinstance(kept, RuleDraft) else kept.version,
        "states": [each.value for each in states],
        "badges": badges(states, language),
        "when": when_told(rule).in_(language),
        "audience": audience_told(rule).in_(language),
        "award": rule.award.told.in_(language),
        "budget": rule.budget,
        "meter": meter(budgets.get(rule.budget), language),
        "last": outcome_told(last, language),
    }


def badges(states: Iterable[Status], language: str) -> list[tuple[str, str]]:
    """How a rule stands, in words and colours."""
    say = translator(language)
    return [(say(STATUSES[each]), COLOURS.get(each, "")) for each in states]


def speaker(found: Sequence[Standing]) -> Standing:
    """The version that speaks for a rule; its draft where nothing is published."""
    for status in _SPEAKS:
        of_status = [each for each in found if each.status is status]
        if of_status:
            return of_status[-1]
    return found[-1]


def _waiting(found: Sequence[Standing], viewer: Viewer, language: str) -> list[dict[str, str]]:
    """The drafts that wait for whoever looks: somebody else asked."""
    if not viewer.manages:
        return []
    return [
        {
            "label": each.rule.label.in_(language),
            "by": draft.asked_by,
            "why": draft.why,
            "href": f"/rules/{draft.code}/draft/backtest",
        }
        for each in found
        if isinstance(draft := each.kept, RuleDraft)
        and draft.asked_by
        and draft.asked_by.casefold() != viewer.person.email.casefold()
    ]
