"""Asking Partner CX: two questions over HTTP, and its answers or refusals. Nothing of Odoo here."""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

ANSWER_WITHIN = 4  # seconds: a form waits for it
ANSWER_MOST = 1_000_000  # bytes


class Unanswered(Exception):
    """Partner CX didn't answer, or says no: its words are for the user."""


def partner_shown(address, token, odoo_id, lang):
    """What Partner CX shows of a partner, as a dict; None for one that isn't of the network."""
    query = urllib.parse.urlencode({"lang": lang or "en"})
    return _asked(address, token, f"partners/{odoo_id:d}?{query}")


def sign_in_link(address, token, login, odoo_id=None):
    """The address that signs a user in, once, for a short while."""
    told = {"email": login}
    if odoo_id:
        told["odoo_id"] = odoo_id
    link = _asked(address, token, "links", told)
    if link is None:
        raise Unanswered(f"Partner CX knows nobody with the address {login}.")
    return link["address"]


def _asked(address, token, what, told=None):
    if not (address and token):
        raise Unanswered("Partner CX isn't connected: fill its settings.")
    if urllib.parse.urlsplit(address).scheme not in ("http", "https"):
        raise Unanswered("The address of Partner CX must begin with https://.")
    request = urllib.request.Request(
        f"{address.rstrip('/')}/api/v1/odoo/{what}",
        data=None if told is None else json.dumps(told).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
    )
    try:
        with _opener().open(request, timeout=ANSWER_WITHIN) as answer:
            found = json.loads(answer.read(ANSWER_MOST))
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404:
                return None
            raise Unanswered(_refusal(error)) from None
    except (OSError, ValueError, http.client.HTTPException):
        found = None
    if not (isinstance(found, dict) and "address" in found):  # it is in both answers
        raise Unanswered("Partner CX doesn't answer at present.")
    return found


def _refusal(error):
    if error.code == 401:
        return "Partner CX doesn't take the token: issue another."
    try:
        return str(json.loads(error.read(ANSWER_MOST))["detail"])
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return f"Partner CX answered {error.code}."


class _StayThere(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token elsewhere: it isn't followed."""

    def redirect_request(self, *_args, **_named):
        return None


def _opener():
    return urllib.request.build_opener(_StayThere)
