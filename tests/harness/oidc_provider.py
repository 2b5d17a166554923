"""An OpenID provider on this machine: real HTTP, real keys, and faults as told.

Whoever is sent to it is signed in at once as `email`, without being asked for anything.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.harness.programme import NOW

CLIENT_ID, CLIENT_SECRET = "partner-cx", "a secret between the two of them"
KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
SECOND_KEY = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
ANOTHER_KEY = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})  # under the same name


@dataclass
class Provider:
    """What it says of whom, and how it fails.

    claims: put over those of the ID token; None leaves one out. described: likewise over its
    description. signs: with its `first` or `second` key, with `another` that isn't published, with
    `none`, or with its public key taken for a shared secret (`hs256`). statuses: what a path
    answers instead. bodies: likewise, its contents. slow_seconds: before each answer at a path.
    """

    address: str
    email: str = "mia@brand.example"
    now: datetime = NOW
    claims: dict[str, Any] = field(default_factory=dict)
    described: dict[str, Any] = field(default_factory=dict)
    told_besides: dict[str, Any] = field(default_factory=dict)
    signs: str = "first"
    error: str = ""
    statuses: dict[str, int] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    slow_seconds: dict[str, float] = field(default_factory=dict)
    errands: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    def description(self) -> dict[str, Any]:
        told = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
        } | self.described
        return {name: value for name, value in told.items() if value is not None}

    def keys(self) -> dict[str, Any]:
        public = [each.as_dict(private=False) for each in (KEY, SECOND_KEY)]
        return {"keys": [{"kty": "OKP", "crv": "of tomorrow"}, *public]}

    def id_token(self, nonce: str) -> str:
        at = int(self.now.timestamp())
        claims = {
            "iss": self.address,
            "sub": "248289761001",
            "aud": CLIENT_ID,
            "iat": at,
            "exp": at + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        match self.signs:
            case "second":
                return jwt.encode({"alg": "ES256", "kid": "second"}, claims, SECOND_KEY, ["ES256"])
            case "another":
                return jwt.encode({"alg": "RS256", "kid": "first"}, claims, ANOTHER_KEY)
            case "none":
                head, body = _part({"alg": "none", "kid": "first"}), _part(claims)
                return f"{head}.{body}."
            case "hs256":
                told = f"{_part({'alg': 'HS256', 'kid': 'first'})}.{_part(claims)}"
                signed = hmac.digest(KEY.as_pem(private=False), told.encode(), "sha256")
                return f"{told}.{_encoded(signed)}"
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, KEY)

    def authorize(self, asked: dict[str, str]) -> str:
        """Where a browser is sent back to."""
        back = {"state": asked["state"]}
        if self.error:
            back["error"] = self.error
        else:
            code = secrets.token_urlsafe(16)
            self.errands[code] = asked
            back["code"] = code
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def exchange(self, authorization: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """The tokens for a code: once, to who was sent for it, with the proof."""
        login = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        by_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if authorization != f"Basic {login}" and not by_form:
            return 401, {"error": "invalid_client"}
        errand = self.errands.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if (
            errand is None
            or form.get("redirect_uri") != errand["redirect_uri"]
            or errand["code_challenge_method"] != "S256"
            or errand["code_challenge"] != _encoded(proof)
        ):
            return 400, {"error": "invalid_grant"}
        token = {"access_token": "an access token", "token_type": "Bearer", "expires_in": 300}
        return 200, token | {"id_token": self.id_token(errand["nonce"])}

    def sign_in(self, away: str) -> str:
        """Follow a browser there: the path and query that it comes back with."""
        back = httpx.get(away, timeout=5)
        assert back.status_code == 302, back.text
        parts = urlsplit(back.headers["location"])
        return f"{parts.path}?{parts.query}"


def _part(contents: dict[str, Any]) -> str:
    return _encoded(json.dumps(contents).encode())


def _encoded(contents: bytes) -> str:
    return base64.urlsafe_b64encode(contents).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, body: str) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(f"{parts.path} {body}".strip())
        time.sleep(self.provider.slow_seconds.get(parts.path, 0))
        form = {name: values[0] for name, values in parse_qs(parts.query or body).items()}
        match parts.path:
            case "/.well-known/openid-configuration":
                self._tell(200, self.provider.description())
            case "/authorize":
                self._tell(302, {}, location=self.provider.authorize(form))
            case "/token":
                given = self.headers.get("Authorization", "")
                self._tell(*self.provider.exchange(given, form))
            case "/keys":
                self._tell(200, self.provider.keys())
            case "/userinfo":
                self._tell(200, {"sub": "248289761001"} | self.provider.told_besides)
            case _:
                self._tell(404, {})

    def _tell(self, status: int, contents: dict[str, Any], *, location: str = "") -> None:
        path = urlsplit(self.path).path
        body = self.provider.bodies.get(path, json.dumps(contents).encode())
        self.send_response(self.provider.statuses.get(path, status))
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_given: object) -> None:
        """It keeps no log: tests look at `asked`."""


@contextmanager
def oidc_provider() -> Iterator[Provider]:
    """A provider, served until the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    provider = Provider(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = type("Handler", (_Handler,), {"provider": provider})
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
