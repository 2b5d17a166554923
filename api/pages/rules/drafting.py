"""Writing a rule: a form that reads as a sentence, its YAML beside it, both the same draft.

Whatever is entered comes back as it was until it is saved. Two managers may write one draft: who
saves over another is told so first, and nothing of either is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlalchemy.orm import Session

from api.addresses import see_other
from api.catalogues import text
from api.pages.rules import form, templates
from api.pages.rules.checked import checked
from api.pages.rules.choices import choices, field_name
from api.pages.rules.crumbs import crumbs
from api.pages.rules.entered import ROWS, Entered, changed, entered
from api.pages.rules.form import Problem
from api.pages.rules.mistakes import told, where
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Manages
from partner_cx.database import transact
from partner_cx.errors import NotFound
from rewards import rulebook
from rewards.reading import Misread
from rewards.rulebook import RuleDraft
from rewards.rulebook.drafts import Overtaken, discard_draft, save_draft, sent_back
from rewards.rules import Rule

router = APIRouter()

RESERVED = ("new", "check")  # addresses of pages
FIELDS_MAX = 5_000
SAID = {
    "saved": text("The draft is saved. It decides nothing until it is published."),
}


async def _sent(request: Request) -> Sequence[tuple[str, object]]:
    return (await request.form(max_fields=FIELDS_MAX)).multi_items()


Sent = Annotated[Sequence[tuple[str, object]], Depends(_sent)]
View = Annotated[str, Query(alias="as")]


@dataclass(frozen=True)
class Work:
    """A rule as somebody is writing it.

    code: of the rule that is changed; empty while it is new.
    given, source: what the form or the YAML view holds; the other one is None.
    read: the digest of the draft it began from; empty where there was none.
    """

    code: str
    given: Entered | None = None
    source: str | None = None
    read: str = ""

    @property
    def path(self) -> str:
        return f"/rules/{self.code}/draft" if self.code else "/rules/new"

    def rule(self) -> tuple[Rule | None, list[Problem]]:
        """The rule that was written, or what is in its way."""
        if self.given is not None:
            return form.read(self.given)
        try:
            return Rule.from_yaml(self.source or "", "yaml"), []
        except Misread as misread:
            return None, [Problem("yaml", misread)]

    def as_yaml(self, rule: Rule) -> Work:
        return replace(self, given=None, source=rule.to_yaml())

    def as_form(self, rule: Rule) -> Work:
        """In the form, where it holds the rule exactly."""
        if not form.fits(rule):
            return self.as_yaml(rule)
        return replace(self, given=form.taken_apart(rule), source=None)


# --- Pages --------------------------------------------------------------------------------------


@router.get("/rules/new")
def new(
    request: Request,
    session: Reading,
    now: Clock,
    language: Language,
    _viewer: Manages,
    template: str = "",
    view: View = "",
) -> Response:
    """A new rule: from a template, or from nothing."""
    if not template:
        return page(request, "programme/rules/new.html", templates=templates.offered(language))
    work = _from_template(template, now)
    rule, _ = work.rule()
    if rule and view != "yaml":
        work = work.as_form(rule)
    return _draft_page(request, session, work, now, language, in_form=view != "yaml")


@router.post("/rules/new")
def write_new(
    request: Request, session: Reading, sent: Sent, now: Clock, language: Language, viewer: Manages
) -> Response:
    return _act(request, session, _work("", sent), _asked(sent), viewer.person.email, now, language)


@router.get("/rules/{code}/draft")
def draft(
    request: Request,
    code: str,
    session: Reading,
    now: Clock,
    language: Language,
    _viewer: Manages,
    view: View = "",
    said: str = "",
) -> Response:
    """The draft of a rule; where there is none, its newest version, to be changed."""
    kept = session.get(RuleDraft, code)
    rule = kept.rule if kept else rulebook.versions(session, code)[-1].rule
    work = Work(code, read=kept.digest if kept else "")
    work = work.as_yaml(rule) if view == "yaml" else work.as_form(rule)
    return _draft_page(
        request,
        session,
        work,
        now,
        language,
        in_form=view != "yaml",
        kept=kept,
        said=SAID.get(said),
    )


@router.post("/rules/{code}/draft")
def write(
    request: Request,
    code: str,
    session: Reading,
    sent: Sent,
    now: Clock,
    language: Language,
    viewer: Manages,
) -> Response:
    work = _work(code, sent)
    return _act(request, session, work, _asked(sent), viewer.person.email, now, language)


@router.post("/rules/check")
def check(
    request: Request, session: Reading, sent: Sent, now: Clock, language: Language, _viewer: Manages
) -> Response:
    """What is being typed, as it will be read: the panel alone."""
    fields = dict(sent)
    work = _work(str(fields.get("of", "")), sent)
    rule, problems = work.rule()
    return page(
        request,
        "programme/rules/checked.html",
        checked=_checked(session, rule, now, request, language) if rule else None,
        problems=_problems(problems, language),
    )


@router.post("/rules/{code}/draft/discard")
def discard(
    request: Request, code: str, session: Writing, sent: Sent, now: Clock, viewer: Manages
) -> Response:
    """Throw the draft away that was on the page."""
    read = str(dict(sent).get("read", ""))
    try:
        discard_draft(session, code, by=viewer.person.email, now=now, read=read)
    except Overtaken:
        return see_other(request, f"/rules/{code}?said=overtaken")
    left = rulebook.newest(session, code)
    return see_other(request, f"/rules/{code}?said=discarded" if left else "/rules?said=discarded")


# --- What a button does -------------------------------------------------------------------------


def _work(code: str, sent: Sequence[tuple[str, object]]) -> Work:
    fields = dict(sent)
    source = fields.get("yaml")
    read = str(fields.get("read", ""))
    if isinstance(source, str):
        return Work(code, source=source.replace("\r\n", "\n"), read=read)
    given = entered(sent)
    if code:
        given["code"] = code
    return Work(code, given=given, read=read)


def _asked(sent: Sequence[tuple[str, object]]) -> str:
    return str(dict(sent).get("do", "save"))


def _act(
    request: Request,
    session: Session,
    work: Work,
    asked: str,
    by: str,
    now: datetime,
    language: str,
) -> Response:
    """Do what the button says. What is entered comes back, unless it was saved."""
    if work.given is not None and asked != "save":
        if (more := changed(work.given, asked)) is not None:
            return _draft_page(request, session, replace(work, given=more), now, language)
        if asked == "scale":
            return _draft_page(request, session, work, now, language)
    rule, problems = work.rule()
    if rule is None:
        return _draft_page(request, session, work, now, language, problems=problems, judged=True)
    if asked == "yaml":
        return _draft_page(request, session, work.as_yaml(rule), now, language)
    if asked == "form":
        return _draft_page(request, session, work.as_form(rule), now, language, in_form=True)
    if asked == "check":
        return _draft_page(request, session, work, now, language)
    if taken := _taken(session, work, rule):
        return _draft_page(request, session, work, now, language, problems=[taken], judged=True)
    return _save(request, session, work, rule, by, now, language)


def _save(
    request: Request,
    session: Session,
    work: Work,
    rule: Rule,
    by: str,
    now: datetime,
    language: str,
) -> Response:
    def keep(writing: Session) -> str | None:
        save_draft(writing, rule, by=by, now=now, read=work.read)
        return None

    try:
        transact(wiring(request).engine, keep)
    except Overtaken as overtaken:
        session.rollback()  # what was read before is out of date
        work = replace(work, code=rule.code, read=overtaken.digest or "")
        return _draft_page(
            request, session, work, now, language, overtaken=overtaken, status=HTTPStatus.CONFLICT
        )
    view = "&as=yaml" if work.source is not None else ""
    return see_other(request, f"/rules/{rule.code}/draft?said=saved{view}")


def _taken(session: Session, work: Work, rule: Rule) -> Problem | None:
    """Why a rule can't have its code."""
    field = "code" if work.given is not None else "yaml"
    if rule.code in RESERVED:
        return Problem(field, Misread(field, "this code names a page here.", "Choose another."))
    if work.code and rule.code != work.code:
        reason = f"the code names the rule, and stays “{work.code}”."
        return Problem(field, Misread(field, reason, "Write it again, or begin a new rule."))
    kept = session.get(RuleDraft, rule.code)
    if work.code or (kept and rulebook.are_alike(rule, kept.rule)):
        return None
    if kept or rulebook.newest(session, rule.code):
        reason = f"there is a rule “{rule.code}” already."
        return Problem(field, Misread(field, reason, "Choose another code, or change that rule."))
    return None


# --- Printing -----------------------------------------------------------------------------------


def _draft_page(
    request: Request,
    session: Session,
    work: Work,
    now: datetime,
    language: str,
    *,
    in_form: bool = False,
    judged: bool = False,
    problems: Sequence[Problem] = (),
    kept: RuleDraft | None = None,
    overtaken: Overtaken | None = None,
    said: str | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """in_form: whether the form was asked for. judged: whether problems are in the way."""
    say = translator(language)
    rule, found = work.rule()
    problems = problems or found
    errors = _problems(problems, language) if judged else []
    no = sent_back(session, kept) if kept else None
    return page(
        request,
        "programme/rules/draft.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if judged else status,
        title=rule.label.in_(language) if rule else say("Write a rule"),
        code=work.code,
        work=work,
        given=_forgiving(work.given or {}),
        errors=[(each["field"], each["told"]) for each in errors],
        error_at=Lenient({each["field"]: each["error"] for each in reversed(errors)}),
        choices=choices(session, language) if work.given is not None else {},
        exotic=in_form and work.source is not None,
        checked=_checked(session, rule, now, request, language) if rule else None,
        problems=_problems(problems, language),
        overtaken=overtaken,
        kept=kept,
        sent_back=no,
        said=say(said) if said else "",
        crumbs=crumbs(
            request,
            language,
            say("Draft") if work.code else say("Write a rule"),
            code=work.code,
            label=rule.label.in_(language) if rule else "",
        ),
    )


def _checked(
    session: Session, rule: Rule, now: datetime, request: Request, language: str
) -> object:
    today = now.astimezone(wiring(request).settings.zone).date()
    return checked(session, rule, today, language)


class Lenient(dict[str, Any]):
    """A field that nothing was entered in is empty, where the template prints it."""

    def __missing__(self, _name: str) -> str:
        return ""


def _forgiving(row: Entered) -> Lenient:
    return Lenient(
        {
            name: [_forgiving(each) for each in value] if name in ROWS else value
            for name, value in row.items()
        }
    )


def _problems(problems: Sequence[Problem], language: str) -> list[dict[str, str]]:
    """Each with its field: told alone beside it, and with its field's name on top."""
    say = translator(language)
    colon = say("{field}: {error}")
    shown = []
    for each in problems:
        line = where(each.misread, language)
        error = told(each.misread, language)
        name = line if line and each.field == "yaml" else field_name(each.field, language)
        if line and each.field != "yaml":
            name = f"{name}, {line}"
        shown.append(
            {
                "field": each.field,
                "error": colon.format(field=_capital(line), error=error) if line else error,
                "told": colon.format(field=_capital(name), error=error),
            }
        )
    return shown


def _capital(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]}"


def _from_template(code: str, now: datetime) -> Work:
    """A template as it is written, or an empty form."""
    if code in templates.EXPLAINED:
        return Work("", source=templates.source_of(code))
    if code != "empty":
        raise NotFound(
            f"There is no template “{code}”.",
            remedy=f"There are: {', '.join(templates.EXPLAINED)}.",
        )
    begins = {"on": "close", "period": "quarter", "to": "partner", "scale": "points"}
    usual = {"measured_on": "partner", "when_short": "refuse_whole", "starts": f"{now.year + 1}Q1"}
    return Work("", given={**begins, **usual, "c": [{"what": "kpi_is_green"}]})
