"""Closes: what was closed, what can be, and the guided page that leads from data to awards."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import Translator, text
from api.pages.closing import preview
from api.pages.closing.progress import told as told_work
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Manages, SeesNetwork
from integrations.asked import Work, ask
from partner_cx.errors import Invalid, NotFound
from partner_cx.periods import Period
from partner_cx.quantities import number_text, points_text
from rewards.closes import Close, closes, running, to_close
from rewards.frozen import closing_of

router = APIRouter()

SAID = {
    Work.MEASURE: text("The period is being measured anew."),
    Work.CLOSE: text("The close is under way."),
    Work.RESTATE: text("The period is being compared with what is known now."),
}
AGREED = "yes"


@router.get("/closes")
def overview(
    request: Request, session: Reading, now: Clock, language: Language, _viewer: SeesNetwork
) -> Response:
    """Every close, and above them what can be closed now."""
    today = now.astimezone(wiring(request).settings.zone).date()
    say = translator(language)
    return page(
        request,
        "programme/closing/closes.html",
        due=[_due(each, language) for each in to_close(session, today)],
        running=[_runs(each, say) for each in running(today).values()],
        closed=[_closed(each, say) for each in closes(session)],
    )


@router.get("/closes/{period}")
def guide(
    request: Request,
    period: str,
    session: Reading,
    now: Clock,
    language: Language,
    viewer: SeesNetwork,
    said: str = "",
) -> Response:
    """Where a period stands on its way to being closed, and what became of it then."""
    chosen = Period.parse(period)
    return _guide(request, session, chosen, now, language, said=said, manages=viewer.manages)


@router.post("/closes/{period}")
def close(
    request: Request,
    period: str,
    session: Writing,
    now: Clock,
    language: Language,
    viewer: Manages,
    agreed: Annotated[str, Form()] = "",
) -> Response:
    """Ask for a period's close, once it is over and whoever asks has said that they mean it."""
    chosen = Period.parse(period)
    if _is_over(request, chosen, now) and agreed != AGREED and not closing_of(session, chosen):
        say = translator(language)
        wrong = say("Say that you mean it: a close can’t be taken back.")
        return _guide(request, session, chosen, now, language, manages=True, error=wrong)
    return _ask(request, session, Work.CLOSE, chosen, viewer.person.email, now)


@router.post("/closes/{period}/measure")
def measure(
    request: Request, period: str, session: Writing, now: Clock, viewer: Manages
) -> Response:
    """Ask for the period's figures as far as is known now."""
    chosen = Period.parse(period)
    if closing_of(session, chosen):
        raise Invalid(
            f"{chosen} is closed: its figures no longer change.",
            french=f"{chosen} est clôturée\u202f: ses chiffres ne changent plus.",
        )
    return _ask(request, session, Work.MEASURE, chosen, viewer.person.email, now)


@router.post("/closes/{period}/restate")
def restate(
    request: Request, period: str, session: Writing, now: Clock, viewer: Manages
) -> Response:
    """Ask for a closed period to be compared with what is known now."""
    chosen = Period.parse(period)
    if not closing_of(session, chosen):
        raise Invalid(
            f"{chosen} isn't closed: nothing was decided that could be restated.",
            french=f"{chosen} n’est pas clôturée\u202f: rien n’y est décidé "
            "qui puisse être corrigé.",
        )
    return _ask(request, session, Work.RESTATE, chosen, viewer.person.email, now)


def _ask(
    request: Request, session: Session, work: Work, period: Period, by: str, now: Any
) -> Response:
    if not _is_over(request, period, now) and work is Work.CLOSE:
        raise Invalid(
            f"{period} isn't over yet.",
            remedy=f"It can be closed from {period.end_day:%Y-%m-%d} on.",
            french=f"{period} n’est pas encore terminée\u202f: "
            f"la clôture est possible à partir du {period.end_day:%d/%m/%Y}.",
        )
    ask(session, work, period, by=by, now=now)
    return see_other(request, f"/closes/{period}?said={work}")


def _is_over(request: Request, period: Period, now: Any) -> bool:
    return now >= period.ends_at(wiring(request).settings.zone)


# --- What the pages print -------------------------------------------------------------------------


def _guide(
    request: Request,
    session: Session,
    period: Period,
    now: Any,
    language: str,
    *,
    manages: bool,
    said: str = "",
    error: str = "",
) -> Response:
    settings = wiring(request).settings
    closing = closing_of(session, period)
    is_over = now >= period.ends_at(settings.zone)
    if period.first_day > now.astimezone(settings.zone).date():
        raise NotFound(f"{period} hasn't begun yet.")
    say = translator(language)
    works = told_work(session, period, now=now, language=language)
    readiness = preview.readiness(session, period, settings=settings, language=language)
    drawn = None
    if closing is None and readiness["as_of"]:
        drawn = preview.drawn(session, period, now=now, settings=settings, language=language)
    return page(
        request,
        "programme/closing/close.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        period=period.label(language),
        code=str(period),
        closing=closing,
        is_over=is_over,
        ends_on=period.end_day,
        manages=manages,
        steps=_steps(say, bool(readiness["as_of"]), is_over, closing is not None),
        works=works,
        readiness=readiness,
        preview=drawn,
        outcomes=preview.outcomes(session, closing, language) if closing else None,
        said=say(SAID[Work(said)]) if said in list(Work) else "",
        error=error,
    )


def _steps(say: Translator, measured: bool, is_over: bool, closed: bool) -> list[dict[str, str]]:
    """The way from data to awards, with how far it has been gone."""
    stage = 4 if closed else 2 if measured and is_over else 1 if measured else 0
    names = (say("Data"), say("Preview"), say("Close"), say("Awards"))
    anchors = ("#data", "#preview", "#close", "#awards")
    there = (True, measured or closed, not closed, closed)
    return [
        {
            "label": name,
            "state": "done" if place < stage else "current" if place == stage else "to come",
            "href": anchor if shown else "",
        }
        for place, (name, anchor, shown) in enumerate(zip(names, anchors, there, strict=True))
    ]


def _due(period: Period, language: str) -> dict[str, str]:
    return {"label": period.label(language), "href": f"/closes/{period}"}


def _runs(period: Period, say: Translator) -> dict[str, Any]:
    return {
        "label": period.label(say.language),
        "href": f"/closes/{period}",
        "ends_on": period.last_day,
    }


def _closed(close: Close, say: Translator) -> dict[str, Any]:
    return {
        "label": close.period.label(say.language),
        "href": f"/closes/{close.period}",
        "closed_at": close.closed_at,
        "closed_by": close.closed_by,
        "met": number_text(close.met, say.language),
        "points": number_text(close.points, say.language),
        "unpaid": points_text(close.points - close.paid, say.language)
        if close.points > close.paid
        else "",
    }
