"""Addresses: where the links in letters lead."""

from __future__ import annotations

from urllib.parse import quote

from integrations.mail.identity import stop_token
from partner_cx.settings import Settings, signing_secret


def start(settings: Settings) -> str:
    return f"{settings.base_url}/"


def sign_in(settings: Settings, token: str, to: str = "/") -> str:
    """A sign-in link. to: the page that the person comes to then."""
    link = f"{settings.base_url}/sign-in/{quote(token, safe='')}"
    return link if to == "/" else f"{link}?to={quote(to, safe='')}"


def statement(settings: Settings, partner_code: str) -> str:
    return f"{settings.base_url}/partners/{quote(partner_code, safe='')}"


def own_page(settings: Settings) -> str:
    return f"{settings.base_url}/me"


def network(settings: Settings) -> str:
    return f"{settings.base_url}/network"


def stop(settings: Settings, email: str, topic: str) -> str:
    """Where letters of a topic are stopped. It shows who has the letter, so nobody signs in."""
    token = stop_token(email, topic, secret=signing_secret(settings))
    return f"{settings.base_url}/letters/stop/{token}"
