"""The start: where each role begins."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.addresses import see_other
from api.pages.partner.naming import address_of
from api.request_scope import Reading
from api.sign_in import SignedIn
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role

router = APIRouter()


@router.get("/")
def start(request: Request, session: Reading, viewer: SignedIn) -> Response:
    """Where each role begins."""
    if viewer.sees_network:
        return see_other(request, "/network")
    partner = session.get(Partner, viewer.person.partner_id or 0)
    if viewer.person.role == Role.PARTNER and partner:
        return see_other(request, address_of(partner))
    return see_other(request, "/me")
