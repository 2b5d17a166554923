"""Publishing a draft, and the second person's yes or no: acts on exactly the text that was read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from api.access import Viewer
from api.addresses import see_other
from api.catalogues import text
from api.pages.rules.mistakes import told
from api.pages.rules.one import Form
from api.pages.rules.trying import digest_seen, shown
from api.render import translator
from api.request_scope import Clock, Language, Reading, wiring
from api.sign_in import Manages
from partner_cx.database import transact
from partner_cx.errors import Conflict, Forbidden, Invalid, NotFound, PartnerCXError
from rewards import rulebook
from rewards.reading import Given, Misread
from rewards.rulebook import RuleDraft
from rewards.rulebook.drafts import Overtaken, approve, send_back, submit_draft

router = APIRouter()

Done = TypeVar("Done")

OVERTAKEN = text("Somebody changed the draft after you opened this page. This is how it is now.")
REFUSALS: dict[type[PartnerCXError], str] = {
    Overtaken: OVERTAKEN,
    Forbidden: text("You asked for it yourself, so somebody else must agree to it."),
    Conflict: text("It doesn’t ask for anything any more: somebody was here before you."),
    Invalid: text("It doesn’t do what its own tests say, so it can’t be published."),
}


@router.post("/rules/{code}/draft/publish")
def publish(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Put the draft in force, or ask for the second person that it needs."""
    digest = digest_seen(request, code, form.get("seen", ""), viewer)
    if digest is None:
        return see_other(request, f"/rules/{code}/draft/backtest?said=again")

    def work(writing: Session) -> str:
        why = _reason(form, "why")
        done = submit_draft(writing, code, read=digest, by=viewer.person.email, why=why, now=now)
        if done.version is None:
            return f"/rules/{code}/draft/backtest?said=asked"
        return f"/rules/{code}?said={'already' if done.already else 'published'}"

    return _done(request, session, code, form, now, language, viewer, work)


@router.post("/rules/{code}/draft/approve")
def agree(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Agree, as a second person, to the text that was read; it is published."""

    def work(writing: Session) -> str:
        approve(writing, code, by=viewer.person.email, now=now, read=form.get("read", ""))
        return f"/rules/{code}?said=approved"

    return _done(request, session, code, form, now, language, viewer, work)


@router.post("/rules/{code}/draft/send-back")
def disagree(
    request: Request,
    code: str,
    session: Reading,
    form: Form,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    """Say no, and why. Whoever asked may take it back so."""

    def work(writing: Session) -> str:
        why = _reason(form, "no")
        send_back(
            writing, code, by=viewer.person.email, why=why, now=now, read=form.get("read", "")
        )
        return f"/rules/{code}/draft/backtest?said=sent-back"

    return _done(request, session, code, form, now, language, viewer, work)


def _done(
    request: Request,
    session: Session,
    code: str,
    form: dict[str, str],
    now: datetime,
    language: str,
    viewer: Viewer,
    work: Callable[[Session], str],
) -> Response:
    """On to where the act leads; refused, the page again, with why."""
    try:
        return see_other(request, transact(wiring(request).engine, work))
    except (NotFound, Overtaken, Forbidden, Conflict, Invalid) as refusal:
        session.rollback()  # what was read before is out of date
        draft = session.get(RuleDraft, code)
        if draft is None:  # published or thrown away meanwhile
            left = rulebook.newest(session, code)
            where = f"/rules/{code}?said=overtaken" if left else "/rules?said=discarded"
            return see_other(request, where)
        errors = {refusal.place: told(refusal, language)} if isinstance(refusal, Misread) else {}
        said = "" if errors else translator(language)(_why(refusal))
        return shown(
            request, session, draft, now, language, viewer, said=(said, "problem"),
            entered={"why": form.get("why", ""), "no": form.get("no", "")}, errors=errors,
            status=_STATUS.get(type(refusal), HTTPStatus.CONFLICT),
        )  # fmt: skip


_STATUS = {
    Misread: HTTPStatus.UNPROCESSABLE_ENTITY,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Forbidden: HTTPStatus.FORBIDDEN,
}


def _why(refusal: PartnerCXError) -> str:
    return next(said for kind, said in REFUSALS.items() if isinstance(refusal, kind))


def _reason(form: dict[str, str], field: str) -> str:
    """A reason on one line; refused without one."""
    given = Given(form.get(field, "").strip() or None, field, field)
    if given.value is None:
        raise given.refused("there is nothing in it.", "Fill it in.")
    return given.line()
