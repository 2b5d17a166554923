"""What a close rests on and would come to, and what it came to, finished for the page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from api.pages.network.alerts import KIND_NAMES
from api.pages.told import SIGNS, told_standing
from api.render import translator
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import State
from partner_cx.periods import Period
from partner_cx.quantities import number_text, points_text
from partner_cx.settings import Settings
from rewards import budgets
from rewards.backtest import backtest_published
from rewards.conditions import Verdict
from rewards.deciding import Tally, tallies
from rewards.frozen import Closing
from rewards.readiness import Heard, Judged, heard, judged, kpis_of
from rewards.rulebook import in_force


def readiness(
    session: Session, period: Period, *, settings: Settings, language: str
) -> dict[str, Any]:
    """The facts that the rules of a period rest on, and how partners stand on their KPIs.

    as_of: None where the period was never measured.
    """
    kpis = kpis_of([rule for _, rule in in_force(session, period)])
    ends_at = period.ends_at(settings.zone)
    stands = judged(session, period, kpis)
    return {
        "facts": [_heard(each, ends_at, language) for each in heard(session, kpis)],
        "kpis": [_judged(each, language) for each in stands],
        "as_of": min((each.as_of for each in stands), default=None),
        "rules": len(kpis),
    }


def _heard(each: Heard, ends_at: datetime, language: str) -> dict[str, Any]:
    say = translator(language)
    return {
        "kind": say(KIND_NAMES[each.kind]) if each.kind in KIND_NAMES else each.kind,
        "heard_at": each.heard_at,
        "until": each.events_until,
        "reaches": each.reaches(ends_at),
        "kpis": [CATALOGUE[kpi].label.in_(language) for kpi in each.kpis],
    }


def _judged(each: Judged, language: str) -> dict[str, Any]:
    return {
        "kpi": each.kpi,
        "label": CATALOGUE[each.kpi].label.in_(language),
        "states": [
            {
                "code": state.value,
                "sign": SIGNS[state],
                "told": told_standing(state, each.states[state], language),
            }
            for state in State
            if state in each.states
        ],
        "without": number_text(each.states[None], language) if None in each.states else "",
    }


def drawn(
    session: Session, period: Period, *, now: datetime, settings: Settings, language: str
) -> list[dict[str, Any]]:
    """What each rule in force would come to if the period were closed on the figures it has."""
    return [
        _drawn(session, rule.code, period, now, settings, language)
        for _, rule in in_force(session, period)
    ]


def _drawn(
    session: Session, code: str, period: Period, now: datetime, settings: Settings, language: str
) -> dict[str, Any]:
    test = backtest_published(session, code, [period], now=now, settings=settings)
    [run] = test.periods
    left = budgets.points_left(session, test.rule.budget)
    return {
        "label": test.rule.label.in_(language),
        "href": f"/rules/{code}",
        "audience": number_text(run.audience, language),
        **_verdicts(run.verdicts, language),
        "points": number_text(run.points, language),
        "budget": test.rule.budget,
        "left": points_text(left, language),
        "short": points_text(run.points - left, language) if run.points > left else "",
    }


def _verdicts(verdicts: dict[Verdict, int], language: str) -> dict[str, str]:
    told = {"met": Verdict.MET, "not_met": Verdict.NOT_MET, "unknown": Verdict.UNKNOWN}
    return {name: number_text(verdicts.get(each, 0), language) for name, each in told.items()}


def outcomes(session: Session, closing: Closing, language: str) -> list[dict[str, Any]]:
    """What every rule came to at a close, and what of it was paid since."""
    return [_outcome(each, language) for each in tallies(session, closing)]


def _outcome(tally: Tally, language: str) -> dict[str, Any]:
    unpaid = tally.points_earned - tally.points_paid
    return {
        "label": tally.rule.label.in_(language),
        "href": f"/rules/{tally.rule.code}",
        "version": tally.rule.version,
        "met": number_text(tally.met, language),
        "not_met": number_text(tally.not_met, language),
        "unknown": number_text(tally.unknown, language),
        "points": number_text(tally.points_earned, language),
        "budget": tally.rule.budget,
        "unpaid": points_text(unpaid, language) if unpaid else "",
    }
