"""For the module in Odoo: what it shows of a partner, and links that sign its users in."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import quote

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from api.figures import figures_of, measured_periods
from api.pages.told import told
from api.request_scope import Clock, Reading, Writing, wiring
from api.v1.doorway import Doorway
from api.v1.holders import only_for
from api.v1.problems import documented
from api.v1.told import Instant
from integrations.odoo.state import OdooLink
from partner_cx.errors import Forbidden, NotFound
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.network.scopes import Scope
from partner_cx.network.sign_in_links import LINK_LASTS, make_link, person_called
from partner_cx.periods import PeriodKind
from rewards.ledger import Account, AccountKind, Entry, Transfer, wallet_of

router = APIRouter(
    prefix="/api/v1/odoo",
    tags=["odoo"],
    route_class=Doorway,
    dependencies=[Depends(only_for(Scope.ODOO))],
)

LINES = 10  # of the statement
SHOWN = ("otif", "sla_response", "portal_adoption", "pnps")
PARTNERS = "res.partner"

# Whom a system may sign in: a token that was lost opens neither settings nor partners' own pages.
SIGNED_IN = (Role.REP, Role.MANAGER)


class ShownFigure(BaseModel):
    """A figure as a person reads it."""

    kpi: str = Field(examples=["otif"])
    label: str = Field(examples=["OTIF"])
    value: str = Field(examples=["96.4%"])
    target: str | None = Field(examples=["95%"])
    state: str | None = Field(examples=["green"])
    state_told: str | None = Field(examples=["green"])


class ShownLine(BaseModel):
    """A line of a statement."""

    on: date = Field(examples=["2026-06-30"])
    points: int = Field(examples=[500])
    balance: int = Field(examples=[500])
    why: str = Field(examples=["Network quality bonus, Q2 2026: 500 points."])


class ShownPartner(BaseModel):
    """What there is to show of a partner."""

    code: str = Field(examples=["R1"])
    name: str = Field(examples=["Partner R1"])
    points: int = Field(examples=[500])
    pending: int = Field(examples=[0])
    period: str | None = Field(examples=["Q2 2026"])
    figures: list[ShownFigure]
    lines: list[ShownLine]
    address: str = Field(examples=["https://brand.example/partners/R1"])


class LinkAsked(BaseModel):
    """Whom to sign in. odoo_id: the partner whose page the person comes to."""

    model_config = ConfigDict(extra="forbid")

    email: str = Field(max_length=300, examples=["mia@brand.example"])
    odoo_id: int | None = Field(default=None, ge=1, lt=2**31, examples=[14])


class Link(BaseModel):
    """A link that signs somebody in, once."""

    address: str = Field(examples=["https://brand.example/sign-in/…"])
    expires_at: Instant


@router.get("/partners/{odoo_id}", responses=documented(404))
def partner(
    request: Request,
    session: Reading,
    odoo_id: Annotated[int, Path(ge=1, lt=2**31, examples=[14])],
    lang: Annotated[str, Query(max_length=10, examples=["fr_FR"])] = "en",
) -> ShownPartner:
    """What there is to show of the partner that a record of res.partner is.

    Texts are in the language that `lang` begins with, French or English.
    """
    found = _partner(session, odoo_id)
    language = "fr" if lang.startswith("fr") else "en"
    balances = _balances(session, found.code)
    period, figures = _figures(session, found.code, language)
    return ShownPartner(
        code=found.code,
        name=found.name,
        points=balances.get(AccountKind.WALLET, 0),
        pending=balances.get(AccountKind.PENDING, 0),
        period=period,
        figures=figures,
        lines=_lines(session, found.code, balances.get(AccountKind.WALLET, 0), language),
        address=f"{wiring(request).settings.base_url}{_page_of(found)}",
    )


@router.post("/links", responses=documented(404, body=True))
def link(request: Request, session: Writing, now: Clock, asked: LinkAsked) -> Link:
    """A link that signs one of the brand's people in, once, within half an hour."""
    person = person_called(session, asked.email)
    if person.role not in SIGNED_IN:
        raise Forbidden(
            f"Odoo may sign in reps and managers only, and {person.email} is neither.",
            remedy="Sign in by a link that is mailed to you.",
        )
    token = make_link(session, asked.email, now=now)
    to = _page_of(_partner(session, asked.odoo_id)) if asked.odoo_id else "/"
    address = f"{wiring(request).settings.base_url}/sign-in/{token}"
    return Link(
        address=address if to == "/" else f"{address}?to={quote(to, safe='')}",
        expires_at=now + LINK_LASTS,
    )


def _partner(session: Session, odoo_id: int) -> Partner:
    found = session.scalars(
        sa.select(Partner)
        .join(OdooLink, OdooLink.ours == Partner.code)
        .where(
            OdooLink.model == PARTNERS,
            OdooLink.odoo_id == odoo_id,
            OdooLink.gone_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NotFound(
            "This company isn't a partner of the network, or wasn't read from Odoo yet.",
            remedy="Look at what `partner-cx odoo sync --preview` says of it.",
        )
    return found


def _page_of(found: Partner) -> str:
    return f"/partners/{quote(found.code, safe='')}"


def _balances(session: Session, code: str) -> dict[str, int]:
    kept = sa.select(Account.kind, Account.balance_points).where(Account.owner == wallet_of(code))
    return {row.kind: row.balance_points for row in session.execute(kept)}


def _figures(session: Session, code: str, language: str) -> tuple[str | None, list[ShownFigure]]:
    """The figures of the last quarter that was measured, each with its state in words."""
    periods = [each.period for each in measured_periods(session)]
    quarters = [each for each in periods if each.kind is PeriodKind.QUARTER]
    if not quarters:
        return None, []
    period = quarters[0]
    figures = figures_of(session, period, "partner").get(code, {})
    shown = [told(figures[kpi], language) for kpi in SHOWN if kpi in figures]
    return period.label(language), [
        ShownFigure(
            kpi=each.kpi,
            label=each.label,
            value=each.value,
            target=each.target,
            state=each.state.code if each.state else None,
            state_told=each.state.word if each.state else None,
        )
        for each in shown
    ]


def _lines(session: Session, code: str, balance: int, language: str) -> list[ShownLine]:
    """The last lines of the statement, the newest first, each with the balance after it."""
    rows = session.execute(
        sa.select(Transfer, Entry.points)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.WALLET, Account.owner == wallet_of(code))
        .order_by(Entry.id.desc())
        .limit(LINES)
    )
    lines = []
    for transfer, points in rows:
        lines.append(
            ShownLine(
                on=transfer.effective_on,
                points=points,
                balance=balance,
                why=transfer.why_fr if language == "fr" else transfer.why_en,
            )
        )
        balance -= points
    return lines
