"""The provider: the brand's own sign-in by OpenID Connect, asked who somebody is.

    away(…) ─► the provider's page ─► back with a code ─► email_of(…): who they are there

What it says counts only as the standard has it: an ID token signed by one of its published keys,
made for us, in force, and for the very errand that this browser was sent on. Its description is
read anew each time: keys change, and staff sign in twice a day. Nothing that is raised or logged
holds a code, a token or the secret.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from api.render import translator
from partner_cx.errors import Refused, Unreachable
from partner_cx.settings import Settings, is_this_machine

TIMEOUT_SECONDS = 10  # for each answer, whole
ANSWER_BYTES_MAX = 1_000_000
LEEWAY_SECONDS = 60  # between two clocks
SCOPE = "openid email profile"
# Those that a public key checks. With the others, or none, anybody could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
RETURN_PATH = "/sign-in/staff/return"


@dataclass(frozen=True)
class Errand:
    """What a browser is sent to the provider with, and must come back with.

    verifier: the secret half of the proof key (PKCE). to: the page to come to then.
    """

    state: str
    nonce: str
    verifier: str
    to: str


@dataclass(frozen=True)
class Provider:
    """A provider as it describes itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    auth_methods: tuple[str, ...]


def is_set_up(settings: Settings) -> bool:
    """Whether staff can sign in by a provider at all."""
    return bool(settings.oidc_issuer and settings.oidc_client_id)


def called(settings: Settings, language: str) -> str:
    """What a page calls it; empty where there is none."""
    if not is_set_up(settings):
        return ""
    say = translator(language)
    return settings.oidc_name or say("your work account")


def away(settings: Settings, to: str) -> tuple[str, Errand]:
    """Where to send a browser, and the errand that it must keep. Raises Unreachable and Refused."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    errand = Errand(state, nonce, verifier, to)
    with _client() as client:
        provider = _provider(client, settings)
    address, _ = _oauth(settings, provider).create_authorization_url(
        provider.authorization_endpoint,
        state=errand.state,
        nonce=errand.nonce,
        code_verifier=errand.verifier,
    )
    return str(address), errand


def email_of(settings: Settings, errand: Errand, code: str, *, now: datetime) -> str:
    """The address of whoever came back with a code, as the provider vouches for it.

    Raises Unreachable where trying again may help, Refused where what it says doesn't count.
    """
    with _client() as client:
        provider = _provider(client, settings)
        given = _tokens(client, settings, provider, code, errand.verifier)
        keys = _keys(_asked(client, "GET", provider.jwks_uri))
        claims: Mapping[str, Any] = _verified(given, keys, provider, settings, errand, now)
        if "email" not in claims and provider.userinfo_endpoint:
            claims = _told_besides(client, provider.userinfo_endpoint, given, claims)
    return _address(claims, settings)


# --- What it says of itself -----------------------------------------------------------------------


def _provider(client: httpx.Client, settings: Settings) -> Provider:
    named = settings.oidc_issuer or ""
    told = _asked(client, "GET", f"{named}/.well-known/openid-configuration")
    if str(told.get("issuer", "")).rstrip("/") != named:
        raise Refused("It says that it is another one than oidc_issuer names.")
    return Provider(
        issuer=str(told["issuer"]),
        authorization_endpoint=_endpoint(told, "authorization_endpoint"),
        token_endpoint=_endpoint(told, "token_endpoint"),
        jwks_uri=_endpoint(told, "jwks_uri"),
        userinfo_endpoint=(
            _endpoint(told, "userinfo_endpoint") if told.get("userinfo_endpoint") else None
        ),
        auth_methods=tuple(told.get("token_endpoint_auth_methods_supported") or ()),
    )


def _endpoint(told: Mapping[str, Any], name: str) -> str:
    """An address that it gives. One over which a token could be overheard doesn't count."""
    address = str(told.get(name) or "")
    with suppress(ValueError):
        parts = urlsplit(address)
        if parts.scheme == "https" or (
            parts.scheme == "http" and is_this_machine(parts.hostname or "")
        ):
            return address
    raise Refused(f"Its description names no sound {name}.")


def _oauth(settings: Settings, provider: Provider) -> OAuth2Client:
    method = "none"
    if settings.oidc_client_secret:
        basic = "client_secret_basic" in provider.auth_methods or not provider.auth_methods
        method = "client_secret_basic" if basic else "client_secret_post"
    return OAuth2Client(
        None,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        token_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=f"{settings.base_url}{RETURN_PATH}",
        code_challenge_method="S256",
    )


def _keys(told: Mapping[str, Any]) -> KeySet:
    """Its keys to check signatures with. Kinds that we don't know are passed over."""
    keys: list[Key] = []
    for each in told.get("keys") or ():
        with suppress(JoseError, ValueError, TypeError, KeyError, AttributeError):
            if each["kty"] in ("RSA", "EC") and each.get("use", "sig") == "sig":
                keys.append(import_key(each))
    if not keys:
        raise Refused("It publishes no key that signatures could be checked with.")
    return KeySet(keys)


# --- What it says of a person ---------------------------------------------------------------------


def _tokens(
    client: httpx.Client, settings: Settings, provider: Provider, code: str, verifier: str
) -> Mapping[str, Any]:
    oauth = _oauth(settings, provider)
    asked = prepare_token_request(
        "authorization_code", code=code, redirect_uri=oauth.redirect_uri, code_verifier=verifier
    )
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    address, headers, body = oauth.client_auth(oauth.token_endpoint_auth_method).prepare(
        "POST", provider.token_endpoint, headers, asked
    )
    given = _asked(client, "POST", address, headers=headers, content=body)
    if not isinstance(given.get("id_token"), str):
        raise Refused("It gave no ID token for the code.")
    return given


def _verified(
    given: Mapping[str, Any],
    keys: KeySet,
    provider: Provider,
    settings: Settings,
    errand: Errand,
    now: datetime,
) -> Mapping[str, Any]:
    """The ID token's claims, once everything about them holds."""
    ours = settings.oidc_client_id
    try:
        token = jwt.decode(given["id_token"], keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            token.claims,
            token.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": ours},
            },
            params={
                "nonce": errand.nonce,
                "client_id": ours,
                "access_token": given.get("access_token"),
            },
        )
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        why = f"Its ID token doesn't hold: {_named(error)}."
    else:
        return dict(claims)
    raise Refused(why)


def _named(error: Exception) -> str:
    """What is wrong with a token, without anything of the token."""
    claim = getattr(error, "claim", None)
    kind = getattr(error, "error", None) or type(error).__name__
    return f"{kind} ({claim})" if isinstance(claim, str) else str(kind)


def _told_besides(
    client: httpx.Client, address: str, given: Mapping[str, Any], claims: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The claims with what it tells besides of the same person: some give addresses only there."""
    headers = {"Authorization": f"Bearer {given.get('access_token', '')}"}
    told = _asked(client, "GET", address, headers=headers)
    if told.get("sub") != claims.get("sub"):
        raise Refused("It told of another person than it signed in.")
    return {**told, **claims}


def _address(claims: Mapping[str, Any], settings: Settings) -> str:
    email = claims.get("email")
    if not isinstance(email, str) or "@" not in email:
        raise Refused("It told no e-mail address.")
    # Some send the word rather than the value.
    verified = claims.get("email_verified") in (True, "true")
    if not verified and not settings.oidc_trust_email:
        raise Refused("It doesn't say that the e-mail address is verified.")
    return email.strip().lower()


# --- Asking ---------------------------------------------------------------------------------------


def _client() -> httpx.Client:
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)


def _asked(
    client: httpx.Client,
    method: str,
    address: str,
    *,
    headers: Mapping[str, str] | None = None,
    content: str | None = None,
) -> Mapping[str, Any]:
    """What it answers, an object of JSON. The cause of a failure is left out: it has the tokens."""
    told: Exception
    try:
        status, body = _answer(client, method, address, headers, content)
        read = json.loads(body)
    except httpx.TimeoutException:
        told = Unreachable(f"It didn't answer within {TIMEOUT_SECONDS} seconds.")
    except httpx.HTTPError as error:
        told = Unreachable(f"It can't be reached ({type(error).__name__}).")
    except (httpx.InvalidURL, ValueError, RecursionError):
        told = Unreachable("It didn't answer as it should.")
    else:
        if status == 200 and isinstance(read, dict):
            return read
        told = _refusal(status, read)
    raise told


def _answer(
    client: httpx.Client,
    method: str,
    address: str,
    headers: Mapping[str, str] | None,
    content: str | None,
) -> tuple[int, bytes]:
    until = monotonic() + TIMEOUT_SECONDS
    body = bytearray()
    with client.stream(method, address, headers=headers, content=content) as answer:
        if answer.status_code >= 500:
            raise httpx.RemoteProtocolError(f"{answer.status_code}")
        for piece in answer.iter_bytes():
            body += piece
            if len(body) > ANSWER_BYTES_MAX or monotonic() > until:
                raise httpx.ReadTimeout("It goes on and on.")
    return answer.status_code, bytes(body)


def _refusal(status: int, read: Any) -> Exception:
    error = read.get("error") if isinstance(read, dict) else None
    word = error if isinstance(error, str) and error.isascii() and error.isprintable() else ""
    if status == 429:
        return Unreachable("It asks us to come again later.")
    return Refused(f"It refused: {status} {word[:60]}".strip() + ".")
