"""Restatements: what later facts call for, proposed; approved or refused by a manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Request, Response
from sqlalchemy.orm import Session

from api.access import Viewer
from api.addresses import see_other
from api.catalogues import text
from api.paging import PageAsked, paged
from api.render import page, translator
from api.request_scope import Clock, Language, Reading, Writing, wiring
from api.sign_in import Manages, SeesNetwork
from partner_cx.database import transact
from partner_cx.network.partners import names_of
from partner_cx.periods import Period
from partner_cx.quantities import number_text
from rewards.restating.approving import Listed, approve, proposals, refuse
from rewards.statements.known_rules import known_rules

router = APIRouter()

SAID = {
    "approved": text("Approved: the correction stands on the statement, beside the original."),
    "refused": text("Refused: what was given stays as it is."),
}
STATES = {"open": "amber", "carried": "amber", "approved": "green", "refused": "", "withdrawn": ""}
Number = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("/restatements")
def proposed(
    request: Request,
    session: Reading,
    language: Language,
    _viewer: SeesNetwork,
    period: str = "",
    number: PageAsked = 1,
) -> Response:
    """The corrections that were proposed, those to decide about first."""
    chosen = Period.parse(period) if period else None
    found = proposals(session, period=chosen)
    found.sort(key=lambda each: (each.state != "open", -each.proposal.id))
    some = paged(request, found, number, language)
    names = names_of(session, [each.partner_code for each in some.rows])
    labels = _labels(session, some.rows, language)
    return page(
        request,
        "programme/closing/restatements.html",
        period=chosen.label(language) if chosen else "",
        proposals=[_listed(each, names, labels, language) for each in some.rows],
        pages=some,
    )


@router.get("/restatements/{proposal_id}")
def proposal(
    request: Request,
    proposal_id: Number,
    session: Reading,
    language: Language,
    viewer: SeesNetwork,
    said: str = "",
) -> Response:
    """One correction: what was decided, what changed since, and what would put it right."""
    told = translator(language)(SAID[said]) if said in SAID else ""
    return _one(request, session, proposal_id, language, viewer, said=told)


@router.post("/restatements/{proposal_id}/approve")
def say_yes(request: Request, proposal_id: Number, now: Clock, viewer: Manages) -> Response:
    """Post the correction, once however often it is asked; again where it lost a race."""
    house, by = wiring(request), viewer.person.email
    today = now.astimezone(house.settings.zone).date()

    def work(session: Session) -> None:
        approve(session, proposal_id, by=by, now=now, on=today)

    transact(house.engine, work)
    return see_other(request, f"/restatements/{proposal_id}?said=approved")


@router.post("/restatements/{proposal_id}/refuse")
def say_no(
    request: Request,
    proposal_id: Number,
    session: Writing,
    now: Clock,
    language: Language,
    viewer: Manages,
    why: Annotated[str, Form()] = "",
) -> Response:
    """Leave what was given as it is, and say why."""
    if not why.strip():
        say = translator(language)
        wrong = say("Say why it is refused.")
        return _one(request, session, proposal_id, language, viewer, error=wrong)
    refuse(session, proposal_id, by=viewer.person.email, why=why.strip(), now=now)
    return see_other(request, f"/restatements/{proposal_id}?said=refused")


def _one(
    request: Request,
    session: Session,
    proposal_id: int,
    language: str,
    viewer: Viewer,
    *,
    said: str = "",
    error: str = "",
) -> Response:
    [found] = proposals(session, only=proposal_id)
    names = names_of(session, [found.partner_code])
    return page(
        request,
        "programme/closing/restatement.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        each=_listed(found, names, _labels(session, [found], language), language),
        facts=_facts(found, language),
        outcome=found.outcome,
        manages=viewer.manages,
        said=said,
        error=error,
    )


def _labels(session: Session, listed: Sequence[Listed], language: str) -> dict[int, str]:
    """The rules' names, by the number of the version."""
    rules = known_rules(session, {each.version.id: each.version.digest for each in listed})
    return {number: rule.label.in_(language) for number, rule in rules.items()}


def _listed(
    each: Listed, names: Mapping[str, str], labels: Mapping[int, str], language: str
) -> dict[str, Any]:
    points = each.proposal.points
    return {
        "id": each.proposal.id,
        "href": f"/restatements/{each.proposal.id}",
        "period": Period.parse(each.period).label(language),
        "close_href": f"/closes/{each.period}",
        "rule": each.rule_code,
        "rule_label": labels[each.version.id],
        "partner": names.get(each.partner_code, each.partner_code),
        "statement_href": f"/statements/{quote(each.partner_code, safe='')}",
        "points": f"{'+' if points > 0 else ''}{number_text(points, language)}",
        "carried": number_text(each.carried_points, language) if each.carried_points else "",
        "state": each.state,
        "word": each.state_words.in_(language),
        "kind": STATES[each.state],
        "why": each.proposal.why.in_(language),
        "proposed_at": each.proposal.proposed_at,
        "proposed_by": each.proposal.proposed_by,
    }


def _facts(each: Listed, language: str) -> list[str]:
    return [fact["sentence"][language] for fact in each.proposal.changes["facts"]]
