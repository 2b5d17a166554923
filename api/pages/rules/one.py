"""A rule's own page: what it says, who put it in force and why, what it came to, what is next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.orm import Session

from api.access import Viewer
from api.addresses import see_other
from api.catalogues import text
from api.pages.rules.checked import checked, told_rule
from api.pages.rules.choices import FIELD_NAMES
from api.pages.rules.crumbs import crumbs
from api.pages.rules.listing import badges, meter, speaker
from api.pages.rules.mistakes import told
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import Manages, SeesNetwork
from partner_cx.database import transact
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.periods import Period
from partner_cx.quantities import number_text, points_text
from rewards import rulebook
from rewards.budgets import report
from rewards.reading import Given, Misread
from rewards.rulebook import RuleDraft, RuleVersion
from rewards.rulebook.differences import changed_fields, changed_lines
from rewards.rulebook.outcomes import Outcome, outcomes
from rewards.rulebook.retirements import retire
from rewards.rulebook.standings import Standing, Status, standings_of
from rewards.rules import Rule

router = APIRouter()

SAID = {
    "published": text("It is published. Closed periods keep what decided them."),
    "approved": text("You agreed, and it is published."),
    "already": text("It said the same already: nothing has changed."),
    "retired": text("It is retired. What it has decided stays decided."),
    "discarded": text("The draft is gone. What is published stays."),
    "overtaken": text(
        "Somebody changed the draft meanwhile, so nothing was done. Look at it again."
    ),
}
PART_NAMES = {
    "label": text("name"),
    "source": text("why it exists"),
    "on": text("when it is decided"),
    "period": text("period"),
    "starts": text("first day"),
    "ends": text("last day"),
    "for": text("for whom"),
    "measured_on": text("whose figures"),
    "conditions": text("conditions"),
    "award": text("award"),
    "budget": text("budget"),
    "limits": text("limits"),
    "cool_down_days": text("days apart"),
    "hold_days": text("days held"),
    "needs_approval": text("approval of each award"),
    "when_short": text("what happens when the budget falls short"),
    "tests": text("tests"),
}
_RETIRABLE = (Status.IN_FORCE, Status.COMING)
_DAYS = range(1970, 2200)  # years


async def _form(request: Request) -> dict[str, str]:
    sent = (await request.form()).multi_items()
    return {name: value for name, value in sent if isinstance(value, str)}


Form = Annotated[dict[str, str], Depends(_form)]


@router.get("/rules/{code}")
def rule(
    request: Request,
    code: str,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    said: str = "",
) -> Response:
    notice = translator(language)(SAID[said]) if said in SAID else ""
    return _page(request, session, code, now, language, viewer, said=notice)


@router.post("/rules/{code}/retire")
def take_out(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Take a rule out of force from a day on, with a reason."""
    by = viewer.person.email

    def work(writing: Session) -> None:
        from_day = _first_day(form.get("from", ""))
        why = Given(form.get("why", "").strip() or None, "why", "why")
        if why.value is None:
            raise why.refused("there is nothing in it.", "Fill it in.")
        retire(writing, code, from_day, by=by, why=why.line(), now=now)

    try:
        transact(wiring(request).engine, work)
    except (Misread, Conflict) as refusal:
        shown = _retiring(refusal, form, language)
        status = HTTPStatus.CONFLICT if isinstance(refusal, Conflict) else None
        return _page(
            request, session, code, now, language, viewer, retiring=shown,
            status=status or HTTPStatus.UNPROCESSABLE_ENTITY,
        )  # fmt: skip
    return see_other(request, f"/rules/{code}?said=retired")


@router.get("/rules/{code}/yaml")
def as_yaml(
    request: Request, code: str, session: Reading, language: Language, _viewer: SeesNetwork,
    download: bool = False,
) -> Response:  # fmt: skip
    """The newest version as YAML, or else the draft."""
    newest = rulebook.newest(session, code)
    kept = newest or session.get(RuleDraft, code)
    if kept is None:
        raise _unknown(code)
    return _source(request, code, kept, language, download=download, number=None)


@router.get("/rules/{code}/versions/{number}")
def version(
    request: Request, code: str, number: str, session: Reading, language: Language,
    _viewer: SeesNetwork, download: bool = False,
) -> Response:  # fmt: skip
    """One version, and what is different from the one before."""
    known = {str(each.version): each for each in rulebook.versions(session, code)}
    if number not in known:
        raise NotFound(f"{code} has no version {number}.", remedy=f"There are: {', '.join(known)}.")
    before = known.get(str(int(number) - 1))
    return _source(
        request, code, known[number], language, download=download, number=int(number), before=before
    )


def _source(
    request: Request,
    code: str,
    kept: RuleVersion | RuleDraft,
    language: str,
    *,
    download: bool,
    number: int | None,
    before: RuleVersion | None = None,
) -> Response:
    if download:
        name = f"{code}.yaml" if number is None else f"{code}-{number}.yaml"
        headers = {"Content-Disposition": f'attachment; filename="{name.replace(":", "-")}"'}
        return PlainTextResponse(kept.contents, headers=headers)
    return page(
        request,
        "programme/rules/source.html",
        code=code,
        label=kept.rule.label.in_(language),
        kept=kept,
        version=None if isinstance(kept, RuleDraft) else kept.version,
        contents=kept.contents,
        told=told_rule(kept.rule, language),
        lines=changed_lines(before.rule, kept.rule) if before else [],
        before=before.version if before else None,
        crumbs=crumbs(request, language, "YAML", code=code, label=kept.rule.label.in_(language)),
    )


def _page(
    request: Request,
    session: Session,
    code: str,
    now: datetime,
    language: str,
    viewer: Viewer,
    *,
    said: str = "",
    retiring: dict[str, Any] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    today = now.astimezone(wiring(request).settings.zone).date()
    found = standings_of(session, code, today)
    if not found:
        raise _unknown(code)
    shown = speaker(found)
    kept = shown.kept
    draft = next((each.kept for each in found if isinstance(each.kept, RuleDraft)), None)
    look = checked(session, shown.rule, today, language)
    return page(
        request,
        "programme/rules/rule.html",
        status=status,
        code=code,
        label=shown.rule.label.in_(language),
        rule=shown.rule,
        version=None if isinstance(kept, RuleDraft) else kept,
        badges=badges(dict.fromkeys(each.status for each in found[-2:]), language)
        if draft
        else badges([shown.status], language),
        until=shown.until,
        checked=look,
        meter=meter(report(session, shown.rule.budget), language),
        outcomes=[_outcome(each, shown.rule, language) for each in outcomes(session, code)],
        versions=_versions(found, language),
        draft=draft,
        manages=viewer.manages,
        retirable=viewer.manages and any(each.status in _RETIRABLE for each in found),
        retiring=retiring or {"from": "", "why": "", "errors": [], "at": {}},
        retired=_retirement(session, shown),
        said=said,
        crumbs=crumbs(request, language, shown.rule.label.in_(language)),
    )


def _retirement(session: Session, shown: Standing) -> object:
    if isinstance(shown.kept, RuleDraft):
        return None
    return rulebook.retirement_of(session, shown.kept)


def _versions(found: Sequence[Standing], language: str) -> list[dict[str, Any]]:
    """The versions, the newest first, each with what it changed."""
    say = translator(language)
    published = [each for each in found if isinstance(each.kept, RuleVersion)]
    befores: list[Rule | None] = [None, *(each.rule for each in published)]
    lines = []
    for standing, before in zip(published, befores, strict=False):
        kept = standing.kept
        assert isinstance(kept, RuleVersion)
        names = changed_fields(before, standing.rule) if before else []
        lines.append(
            {
                "version": kept.version,
                "badge": badges([standing.status], language)[0],
                "starts": kept.starts_on,
                "until": standing.until,
                "by": kept.published_by,
                "at": kept.published_at,
                "approved_by": kept.approved_by,
                "why": kept.why,
                "changed": ", ".join(
                    say(PART_NAMES.get(name, FIELD_NAMES["what"])) for name in names
                ),
            }
        )
    return lines[::-1]


def _outcome(outcome: Outcome, rule: Rule, language: str) -> dict[str, Any]:
    on_close = rule.on.event is None
    return {
        "period": outcome.period.label(language),
        "href": f"/partners?period={outcome.period}" if on_close else "",
        "version": outcome.version,
        "decided": number_text(outcome.decided, language),
        "won": number_text(outcome.won, language),
        "met": number_text(outcome.met, language),
        "not_met": number_text(outcome.not_met, language),
        "open": number_text(outcome.open, language),
        "points": points_text(outcome.points, language),
    }


def _retiring(refusal: Misread | Conflict, form: dict[str, str], language: str) -> dict[str, Any]:
    """The form as it was filled in, with what is in its way."""
    say = translator(language)
    if isinstance(refusal, Misread):
        field, error = refusal.place, told(refusal, language)
    else:
        field = "from"
        error = say(
            "It has decided something from that day on already, or is retired. Name a later day."
        )
    return {
        "from": form.get("from", ""),
        "why": form.get("why", ""),
        "errors": [(field, error)],
        "at": {field: error},
    }


def _first_day(written: str) -> date:
    """The day itself, or the first one of a period."""
    given = Given(written, "from", "from")
    try:
        return Period.parse(written).first_day
    except Invalid:
        pass
    try:
        day = date.fromisoformat(written if len(written) == 10 else "")
    except ValueError:
        day = None
    if day is None or day.year not in _DAYS:
        raise given.refused(
            f"{given.shown} is neither a day nor a period.", "Write 2026-04-01, or 2026Q2."
        )
    return day


def _unknown(code: str) -> NotFound:
    return NotFound(f"No rule is called {code}.", remedy="The list of rules names them all.")
