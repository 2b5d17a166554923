"""The start: where each role begins."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.addresses import see_other
from api.sign_in import SignedIn
from partner_cx.network.people import Role

router = APIRouter()

STARTS = {
    Role.REP: "/field",
    Role.PARTNER: "/home",
    Role.MANAGER: "/network",
    Role.ADMIN: "/admin",
}


@router.get("/")
def start(request: Request, viewer: SignedIn) -> Response:
    """Where each role begins."""
    return see_other(request, STARTS[viewer.role])
