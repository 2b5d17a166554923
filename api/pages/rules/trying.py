"""The back-test of a draft: what it would have done and cost, worked out when it is asked for.

It is also where a draft is published, and where a second person agrees to it: whoever does either
has the rule, what there is to say about it, and its past before their eyes. What was looked at is
known by the draft's digest, signed into the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.orm import Session

from api.access import Viewer
from api.catalogues import text
from api.charts import Bar, Point, bar_chart, line_chart
from api.pages.rules import exported
from api.pages.rules.checked import BEFORE_PUBLISHING, Checked, checked
from api.pages.rules.crumbs import crumbs
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import SeesNetwork
from partner_cx.network.partners import names_of
from partner_cx.periods import Period
from partner_cx.quantities import number_text, percent, points_text
from partner_cx.settings import Settings
from rewards import rulebook
from rewards.backtest import BackTest, backtest, views
from rewards.backtest.fairness import NO_LINES, SIZES, Share
from rewards.frozen import Closing
from rewards.lint import satisfaction
from rewards.rulebook import RuleDraft
from rewards.rulebook.drafts import draft_of
from rewards.rules import Rule
from rewards.rules.telling import PERIODS

router = APIRouter()

PERIODS_USUAL, PERIODS_MOST = 8, 40
SHOWN = 10  # of those who gain, who lose, and who are within reach; exports have them all
LOOKED_AT_SECONDS = 24 * 60 * 60
SAID = {
    "asked": text("Another manager is asked to agree. Until then nothing changes."),
    "sent-back": text("It is sent back, with your reason."),
    "again": text("Look at the back-test of this text first, then publish it."),
}
BY = {
    "tier": text("By tier"),
    "region": text("By region"),
    "country": text("By country"),
    "size": text("By size, in order lines"),
}
SIZE_NAMES = {
    SIZES[0]: text("smallest quarter"),
    SIZES[1]: text("second quarter"),
    SIZES[2]: text("third quarter"),
    SIZES[3]: text("largest quarter"),
    NO_LINES: text("no order lines"),
}


@dataclass(frozen=True)
class Choice:
    """The periods to try a rule on, of those that can be chosen."""

    all_: Sequence[Period]
    first: Period
    last: Period

    @property
    def periods(self) -> list[Period]:
        return [each for each in self.all_ if self.first <= each <= self.last][-PERIODS_MOST:]


@router.get("/rules/{code}/draft/backtest")
def try_out(
    request: Request,
    code: str,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    first: Annotated[str, Query(alias="from")] = "",
    last: Annotated[str, Query(alias="to")] = "",
    show: str = "partners",
    said: str = "",
    form: Annotated[str, Query(alias="format")] = "",
) -> Response:
    """The draft, tried on its last closed periods. format: csv, xlsx or json, to take along."""
    draft = draft_of(session, code)
    if form:
        return _export(request, session, draft, now, language, (first, last), show, form)
    notice = translator(language)(SAID[said]) if said in SAID else ""
    kind = "warning" if said == "again" else "done"
    return shown(
        request, session, draft, now, language, viewer, span=(first, last), said=(notice, kind)
    )


def shown(
    request: Request,
    session: Session,
    draft: RuleDraft,
    now: datetime,
    language: str,
    viewer: Viewer,
    *,
    span: tuple[str, str] = ("", ""),
    said: tuple[str, str] = ("", "done"),
    entered: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """The page of the back-test, with what can be done next."""
    rule, today = draft.rule, now.astimezone(wiring(request).settings.zone).date()
    choice, problem = _choice(session, rule, today, span, language)
    test = _tried(session, rule, choice, now, wiring(request).settings) if choice else None
    look = checked(session, rule, today, language, back=BEFORE_PUBLISHING)
    return page(
        request,
        "programme/rules/backtest.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problem else status,
        code=draft.code,
        draft=draft,
        label=rule.label.in_(language),
        checked=look,
        choice=_choices(choice, language) if choice else None,
        span_problem=problem,
        test=_told(session, test, language) if test else None,
        kind=PERIODS[rule.period].in_(language),
        exports=exported.links(choice.first, choice.last, language) if choice else [],
        needs_second=bool(satisfaction.concerns(rule)),
        asked_by_other=_asked_by_other(draft, viewer),
        manages=viewer.manages,
        seen=seen(request, draft, viewer),
        said=said,
        entered=entered or {"why": "", "no": ""},
        errors=errors or {},
        refused=_refused(look),
        crumbs=crumbs(
            request,
            language,
            translator(language)("Back-test"),
            code=draft.code,
            label=rule.label.in_(language),
            draft=True,
        ),
    )


# --- What was looked at -------------------------------------------------------------------------


def seen(request: Request, draft: RuleDraft, viewer: Viewer) -> str:
    """Signed: that somebody had the back-test of exactly this text before them."""
    return _signer(request).dumps([draft.code, draft.digest, viewer.person.email])


def digest_seen(request: Request, code: str, token: str, viewer: Viewer) -> str | None:
    """The digest of the text whose back-test was looked at; None where none was, lately."""
    try:
        told = _signer(request).loads(token, max_age=LOOKED_AT_SECONDS)
    except BadSignature:
        return None
    of, digest, by = told
    return digest if (of, by) == (code, viewer.person.email) else None


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(wiring(request).secret, salt="back-tested")


def _asked_by_other(draft: RuleDraft, viewer: Viewer) -> bool:
    asked_by = draft.asked_by
    return asked_by is not None and not rulebook.is_the_same_person(asked_by, viewer.person.email)


def _refused(look: Checked) -> bool:
    """Whether its own tests stand in the way."""
    return any(each["kind"] == "test_failed" for each in look.concerns)


# --- Periods ------------------------------------------------------------------------------------


def _choice(
    session: Session, rule: Rule, today: date, span: tuple[str, str], language: str
) -> tuple[Choice | None, str]:
    """The periods that were asked for, and what was wrong with that."""
    all_ = _periods(session, rule, today)
    if not all_:
        return None, ""
    usual = Choice(all_, all_[-PERIODS_USUAL:][0], all_[-1])
    known = {str(each): each for each in all_}
    first = known.get(span[0] or str(usual.first))
    last = known.get(span[1] or str(usual.last))
    if first and last and first <= last:
        return Choice(all_, first, last), ""
    say = translator(language)
    return usual, say("Choose two of these periods, the earlier one first.")


def _periods(session: Session, rule: Rule, today: date) -> list[Period]:
    """Those closed; on events those that are over, since events are kept as they were told."""
    if rule.on.event:
        found = [Period.of(today, rule.period).previous()]
        while len(found) < PERIODS_MOST // 2:
            found.append(found[-1].previous())
        return found[::-1]
    known = map(Period.parse, session.scalars(sa.select(Closing.period)))
    return sorted(each for each in known if each.kind is rule.period)


def _tried(
    session: Session, rule: Rule, choice: Choice, now: datetime, settings: Settings
) -> BackTest:
    """The draft, beside what is in force."""
    newest = rulebook.newest(session, rule.code)
    against = newest.rule if newest and newest.rule.period is rule.period else None
    return backtest(session, rule, choice.periods, now=now, settings=settings, against=against)


def _choices(choice: Choice, language: str) -> dict[str, Any]:
    options = [(str(each), each.label(language)) for each in reversed(choice.all_)]
    return {"options": options, "first": str(choice.first), "last": str(choice.last)}


# --- Telling ------------------------------------------------------------------------------------


def _told(session: Session, test: BackTest, language: str) -> dict[str, Any]:
    """Everything finished, for the template to print."""
    changes = [each for each in test.changes if each.difference]
    losers, winners = changes[:SHOWN], changes[::-1][:SHOWN]
    codes = [each.partner_code for each in (*losers, *winners)]
    reach = test.reach[:SHOWN]
    names = names_of(session, [*codes, *(each.candidate.code for each in reach)])

    def named(code: str) -> dict[str, str]:
        return {"name": names.get(code, code), "href": f"/partners/{quote(code, safe='')}"}

    return {
        "sentences": [each.in_(language) for each in test.sentences],
        "cost": _cost_chart(test, language),
        "running": _running_chart(test, language),
        "periods": [_period_row(row, language) for row in _period_rows(test)],
        "short": test.short is not None,
        "against": test.against.rule.version if test.against else None,
        "losers": [
            named(each.partner_code) | _change(each.before, each.after, language)
            for each in losers
            if each.difference < 0
        ],
        "winners": [
            named(each.partner_code) | _change(each.before, each.after, language)
            for each in winners
            if each.difference > 0
        ],
        "reach": [
            named(each.candidate.code) | {"way": each.sentence.in_(language)}
            for each in reach
            if each.way.reachable
        ],
        "fairness": list(_fairness(test.fairness, language)),
    }


def _cost_chart(test: BackTest, language: str) -> object:
    say = translator(language)
    bars = [
        Bar(run.period.label(language), Fraction(run.points), points_text(run.points, language))
        for run in test.periods
    ]
    return bar_chart(say("Points earned, by period"), bars, language=language)


def _running_chart(test: BackTest, language: str) -> object:
    """What was paid so far, against what the budget was ever given."""
    say = translator(language)
    points = [
        Point(
            run.period.label(language),
            Fraction(run.running_cost),
            number_text(run.running_cost, language),
        )
        for run in test.periods
    ]
    budget = test.budget_points
    return line_chart(
        say("Paid so far, against the budget"),
        points,
        target=None if budget is None else Fraction(budget),
        target_told="" if budget is None else number_text(budget, language),
        bound=say("Budget"),
        language=language,
    )


def _period_rows(test: BackTest) -> Iterator[dict[str, Any]]:
    for run, row in zip(test.periods, views.period_rows(test), strict=True):
        yield row | {"of": run.period}


def _period_row(row: Mapping[str, Any], language: str) -> dict[str, str]:
    counts = ("partners", "met", "not_met", "unknown", "points", "paid", "running_cost")
    left = row["left"]
    return {
        "label": row["of"].label(language),
        **{name: number_text(row[name], language) for name in counts},
        "left": number_text(left, language) if left is not None else "",
    }


def _change(before: int, after: int, language: str) -> dict[str, str]:
    difference = after - before
    return {
        "before": number_text(before, language),
        "after": number_text(after, language),
        "difference": f"{'+' if difference > 0 else ''}{number_text(difference, language)}",
    }


def _fairness(shares: Sequence[Share], language: str) -> Iterator[dict[str, Any]]:
    say = translator(language)
    for by, name in BY.items():
        rows = [each for each in shares if each.by == by]
        yield {
            "name": say(name),
            "rows": [
                {
                    "group": _group(each, language),
                    "members": number_text(each.members, language),
                    "could_win": number_text(each.could_win, language),
                    "won": number_text(each.won, language),
                    "points": number_text(each.points, language),
                    "share": percent(each.share, language, 0),
                    "small": each.small,
                }
                for each in rows
            ],
        }


def _group(share: Share, language: str) -> str:
    say = translator(language)
    if share.group is None:
        return say("none")
    return say(SIZE_NAMES[share.group]) if share.by == "size" else share.group


# --- To take along ------------------------------------------------------------------------------


def _export(
    request: Request,
    session: Session,
    draft: RuleDraft,
    now: datetime,
    language: str,
    span: tuple[str, str],
    show: str,
    form: str,
) -> Response:
    settings = wiring(request).settings
    rule, today = draft.rule, now.astimezone(settings.zone).date()
    choice, problem = _choice(session, rule, today, span, language)
    if problem or not exported.offers(show, form):
        raise exported.no_such_export()
    test = _tried(session, rule, choice, now, settings) if choice else None
    return exported.as_file(request, test, draft.code, show, form)
