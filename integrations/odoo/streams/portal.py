"""The stream `portal`: logins of the partners' people, as `portal-events`.

Odoo keeps each login until its daily clean-up, then only the last of each user. So they are read
often and kept with us. Where the account may not read `res.users.log`, the last login of each user
is looked at every time, which tells at most one new login of each. Both name a login by its user
and its second, so that the one and the other say the same event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from integrations.odoo.connection.errors import NotAllowed, NotInstalled
from integrations.odoo.directory import address_of
from integrations.odoo.section import Section, said
from integrations.odoo.streams import Reading, Row, Stream, Told, Watched
from integrations.odoo.values import id_of, instant_text

if TYPE_CHECKING:
    from integrations.odoo.connection import Odoo
    from integrations.odoo.mapping import OdooMapping

USER = "res.users"
LOG = "res.users.log"
PORTAL_USERS = (("share", "=", True),)  # staff and the accounts of other programs are out


@dataclass(frozen=True)
class PortalMapping(Section):
    """Whether logins are read."""

    NAME: ClassVar[str] = "portal"
    ABOUT: ClassVar[str] = "Logins of portal users."

    logins: bool = said(True, "Whether logins are read; false where partners use another portal.")


def watched(odoo: Odoo, mapping: OdooMapping) -> tuple[Watched, ...]:
    """New logins name their users, where they can be read; else every user is asked each time."""
    if not mapping.portal.logins:
        return ()
    if may_read_logins(odoo):
        log = Watched(LOG, field="create_uid", since="create_date")
        return (Watched(USER, domain=PORTAL_USERS), log)
    return (Watched(USER, domain=PORTAL_USERS, since=""),)


def may_read_logins(odoo: Odoo) -> bool:
    """Whether the account may read each login; else it sees the last of each user alone."""
    try:
        odoo.search(LOG, [], limit=1)
    except (NotAllowed, NotInstalled):
        return False
    return True


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Tell the logins of users."""
    told = Told()
    domain = [("id", "in", list(ids)), *PORTAL_USERS]
    users = {
        row["id"]: row
        for row in reading.odoo.search_read(
            USER, domain, ["login", "partner_id", "login_date"], archived=True
        )
    }
    reading.directory.learn(id_of(row["partner_id"]) for row in users.values())
    for number, at in sorted(set(_logins(reading, users))):
        _tell_login(reading, users[number], at, told)
    return told


def _logins(reading: Reading, users: Mapping[int, Row]) -> Iterator[tuple[int, str]]:
    """Users and the moments of their logins, as Odoo writes them."""
    for number, row in users.items():
        if row["login_date"]:
            yield number, row["login_date"]
    if not users or not may_read_logins(reading.odoo):
        return
    domain = [("create_uid", "in", sorted(users))]
    size = reading.settings.odoo_page_rows
    for page in reading.odoo.pages(LOG, domain, ["create_uid", "create_date"], size=size):
        for row in page:
            if row["create_date"]:
                yield row["create_uid"][0], row["create_date"]


def _tell_login(reading: Reading, user: Row, at: str, told: Told) -> None:
    person = id_of(user["partner_id"])
    code = reading.directory.partner_code(person)
    if code is None:
        return
    moment = instant_text(at)
    told.add(
        "portal-events",
        {
            "source_id": f"login:{user['id']}:{moment}",
            "partner_code": code,
            "at": moment,
            "kind": "login",
            "person_email": reading.directory.email(person) or address_of(user["login"]),
        },
    )


PORTAL = Stream(
    name="portal",
    watched=watched,
    tell=tell,
    kpis=("portal_adoption", "portal_depth"),
    modules=("portal",),
)
