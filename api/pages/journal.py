"""The journal: who did what and when, to be looked up and taken along."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from api import exports
from api.access import Viewer
from api.catalogues import text
from api.exports import FormatAsked
from api.paging import ROWS, PageAsked, of_page, offset
from api.render import page, translator
from api.request_scope import Language, Reading
from api.sign_in import SeesNetwork
from partner_cx.journal import Did, JournalLine
from partner_cx.network.people import Role
from partner_cx.words import COLON

router = APIRouter()

WORDS = {
    Did.RULE_ASKED: text("asked for a rule to be approved"),
    Did.RULE_SENT_BACK: text("sent a rule back"),
    Did.RULE_SAVED: text("saved a draft of a rule"),
    Did.RULE_APPROVED: text("approved a rule"),
    Did.RULE_PUBLISHED: text("published a rule"),
    Did.RULE_RETIRED: text("retired a rule"),
    Did.RULE_DROPPED: text("threw a draft away"),
    Did.BUDGET_FUNDED: text("funded a budget"),
    Did.PERIOD_CLOSED: text("closed a period"),
    Did.HOLD_APPROVED: text("approved an award"),
    Did.HOLD_REFUSED: text("refused an award"),
    Did.RESTATEMENT_APPROVED: text("approved a correction"),
    Did.RESTATEMENT_REFUSED: text("refused a correction"),
    Did.PERSON_CHANGED: text("changed a person"),
    Did.PERSON_ENDED: text("ended a person’s access"),
    Did.SESSIONS_ENDED: text("ended sessions"),
    Did.TOKEN_MADE: text("issued a token"),
    Did.TOKEN_ENDED: text("took a token back"),
    Did.FILE_TAKEN_IN: text("took a file in"),
    Did.MAPPING_SAVED: text("kept a mapping"),
    Did.EFFECT_RETRIED: text("had something sent again"),
    Did.EFFECT_DROPPED: text("gave something up"),
    Did.ENDPOINT_CHANGED: text("changed a webhook"),
    Did.ODOO_SYNCED: text("asked for a sync with Odoo"),
}
# What an act's details are called where a page tells them; others stand under their own names.
DETAILS = {
    "why": text("why"),
    "because": text("why"),
    "version": text("version"),
    "points": text("points"),
    "asked_by": text("asked by"),
}
_RULES = (Did.RULE_ASKED, Did.RULE_SENT_BACK, Did.RULE_APPROVED, Did.RULE_PUBLISHED)
_RULES_ENDED = (Did.RULE_RETIRED,)
# Where the thing is to be looked at.
PLACES = {
    **dict.fromkeys((*_RULES, *_RULES_ENDED), "/rules/{about}"),
    Did.BUDGET_FUNDED: "/budgets/{about}",
    Did.PERIOD_CLOSED: "/closes/{about}",
}
ADMINISTRATORS_PLACES = {
    Did.PERSON_CHANGED: "/admin/people?q={about}",
    Did.PERSON_ENDED: "/admin/people?q={about}",
    Did.SESSIONS_ENDED: "/admin/people?q={about}",
}
LONGEST = 200  # what a filter may hold
EXPORTED_MAX = 100_000
Filter = Annotated[str, Query(max_length=LONGEST)]


@router.get("/journal")
def journal(
    request: Request,
    session: Reading,
    language: Language,
    viewer: SeesNetwork,
    by: Filter = "",
    did: Filter = "",
    about: Filter = "",
    number: PageAsked = 1,
    form: FormatAsked = None,
) -> Response:
    """What people did, the latest first; filtered by who, what, and to what."""
    say = translator(language)
    chosen = _chosen(by.strip(), did, about.strip())
    lines = sa.select(JournalLine).where(*chosen).order_by(JournalLine.id.desc())
    if form:
        rows = [
            (each.at, each.by, each.did, each.about, _details(each, language))
            for each in session.scalars(lines.limit(EXPORTED_MAX))
        ]
        columns = [say("When"), say("Who"), say("What"), say("About"), say("Details")]
        return exports.table(request, columns, rows, "journal", form)
    total = session.scalar(sa.select(sa.func.count(JournalLine.id)).where(*chosen)) or 0
    found = session.scalars(lines.offset(offset(number)).limit(ROWS)).all()
    return page(
        request,
        "programme/journal.html",
        lines=[_line(each, viewer, language) for each in found],
        pages=of_page(request, found, total, number, language),
        kinds=[("", say("everything")), *((each.value, say(WORDS[each])) for each in Did)],
        asked={"by": by, "did": did, "about": about},
        exports=exports.links(request),
    )


def _chosen(by: str, did: str, about: str) -> list[sa.ColumnElement[bool]]:
    conditions = []
    if by:
        conditions.append(JournalLine.by.icontains(by, autoescape=True))
    if did in list(Did):
        conditions.append(JournalLine.did == did)
    if about:
        conditions.append(JournalLine.about.icontains(about, autoescape=True))
    return conditions


def _line(line: JournalLine, viewer: Viewer, language: str) -> dict[str, Any]:
    known = line.did in list(Did)
    return {
        "at": line.at,
        "by": line.by,
        "did": translator(language)(WORDS[Did(line.did)]) if known else line.did,
        "about": line.about,
        "href": _href(line, viewer),
        "details": _details(line, language),
    }


def _href(line: JournalLine, viewer: Viewer) -> str:
    places = PLACES | ADMINISTRATORS_PLACES if viewer.role is Role.ADMIN else PLACES
    return (
        places[Did(line.did)].format(about=quote(line.about, safe=""))
        if (line.did in places)
        else ""
    )


def _details(line: JournalLine, language: str) -> str:
    say, colon = translator(language), COLON.in_(language)
    told = {say(DETAILS[n]) if n in DETAILS else n: value for n, value in line.details.items()}
    return ", ".join(f"{name}{colon}{value}" for name, value in told.items() if value != "")
