"""Sign-in links by mail for whoever asks at the door: not too often, telling nobody who is known.

Known or not, the answer is the same and takes the same: the same is looked up, and something is
written either way.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy.orm import Session

from api.rates import LINKS_PER_ADDRESS, LINKS_PER_CLIENT, client_of, hit
from integrations.mail.sending import owed_letter
from partner_cx.effects import owe
from partner_cx.network.departures import has_departed
from partner_cx.network.people import Person
from partner_cx.network.sessions import digest_of
from partner_cx.network.sign_in_links import person_at
from partner_cx.rates import counting

NOBODY = 0  # the number of no person


def may_ask(request: Request, email: str) -> bool:
    """Count an asking for a link: whether it isn't too often, for the address and the client.

    Whoever asks too often uses up nobody's address any more.
    """
    if not hit(request, LINKS_PER_CLIENT, client_of(request)).allowed:
        return False
    return hit(request, LINKS_PER_ADDRESS, f"address {email.strip().lower()}").allowed


def owe_if_known(session: Session, email: str, *, now: datetime, to: str = "/") -> bool:
    """Owe a sign-in letter to the person of an address, if there is one; whether it was owed."""
    person = person_at(session, email)
    departed = has_departed(session, person.id if person else NOBODY)
    if person is None or departed:
        _write_as_much(session, email, now)
        return False
    owe_to(session, person, now=now, to=to)
    return True


def owe_to(session: Session, person: Person, *, now: datetime, to: str = "/") -> None:
    """Owe a sign-in letter. The link is made when it is sent. to: the page it leads to."""
    key = f"sign_in:{person.id}:{secrets.token_hex(8)}"  # each asking is a letter of its own
    about = {} if to == "/" else {"to": to}
    owe(session, owed_letter("sign_in_link", key, person_id=person.id, about=about), now=now)


def _write_as_much(session: Session, email: str, now: datetime) -> None:
    """Write a row for a stranger, too: a commit that has nothing to keep would be told by its time.

    It counts nothing that anybody reads, and is let go of with the other counts.
    """
    key = f"nobody:{digest_of(email)}"
    ends_at = now + timedelta(minutes=1)
    session.execute(counting(session.get_bind().dialect.name, key, 1, ends_at=ends_at))
