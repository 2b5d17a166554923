"""Faults: what went wrong, as the network or Odoo says it, and what it means for those in charge.

Before: the two protocols, which raise `Fault`. After: everybody else, who sees only `errors`.
Odoo's faults are known by the name of its exception, not by the HTTP status: an unknown field is
a 500 there, and everything is a 200 over JSON-RPC. What Odoo says about a fault may repeat what
was sent to it, so it is shown for its business rules alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from integrations.odoo.connection import groups
from integrations.odoo.connection.errors import (
    Gone,
    KeyRefused,
    NoAnswer,
    NoSuchDatabase,
    NotAllowed,
    NotConfigured,
    NotInstalled,
    OtherVersion,
    ProgramFault,
    RuleBroken,
)
from partner_cx.errors import PartnerCXError

SENTENCE_MAX = 400  # of what Odoo says, repeated to people


@dataclass(frozen=True)
class Ask:
    """One call of a method, for either protocol.

    ids: of the records it is called on; None for a method of the model.
    by_position: the arguments that JSON-RPC gives by position, as their names differ there.
    writes: it may change something, so it is never simply sent again.
    """

    model: str
    method: str
    ids: tuple[int, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    by_position: tuple[str, ...] = ()
    writes: bool = True

    def __str__(self) -> str:
        return f"{self.model}.{self.method}"


VERSION = Ask("Odoo", "version", writes=False)  # asked without a login


@dataclass(frozen=True)
class Place:
    """Where we ask, as messages may show it."""

    address: str
    database: str | None
    login: str | None = None

    def __str__(self) -> str:
        return f"Odoo at {self.address}"


@dataclass(eq=False)
class Fault(Exception):
    """One thing that went wrong.

    name: of Odoo's exception (`odoo.exceptions.AccessError`), or one of ours (`timeout`, `page`).
    said: by Odoo or about it; for us alone. sent: whether the request may have reached Odoo.
    """

    name: str
    said: str = field(default="", repr=False)
    status: int = 200
    sent: bool = True
    wait: float | None = None

    @property
    def short_name(self) -> str:
        """`AccessError` of `odoo.exceptions.AccessError`."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Case:
    """A fault, with what was asked, and where."""

    fault: Fault
    ask: Ask
    place: Place


def explain(fault: Fault, ask: Ask, place: Place) -> PartnerCXError:
    """What a fault means, in one of the families of `errors`."""
    known = _MEANINGS.get(fault.name) or _MEANINGS.get(fault.short_name)
    return (known or _server_fault)(Case(fault, ask, place))


# --- What the network says ------------------------------------------------------------------


def _no_answer(what: str, remedy: str, *, soon: bool = True) -> Meaning:
    """Words for something that may be well later; a write's outcome goes with it."""

    def meaning(case: Case) -> NoAnswer:
        told = what.format(
            place=case.place, ask=case.ask, status=case.fault.status, said=case.fault.said
        )
        unknown = case.ask.writes and case.fault.sent
        if case.ask.writes:
            told += (
                f" Whether {case.ask} was carried out is unknown."
                if unknown
                else f" {case.ask} was not carried out."
            )
        return NoAnswer(
            told,
            remedy=remedy,
            maybe_done=unknown,
            soon=soon,
            slow=case.fault.name == "timeout",
            wait=case.fault.wait,
        )

    return meaning


def _elsewhere(case: Case) -> PartnerCXError:
    """A redirect: to HTTPS, to another address, or to a page where people sign in."""
    if "login" in case.fault.said:
        return NotConfigured(
            f"{case.place} sends {case.ask} to a page where people sign in.",
            remedy="Check PARTNER_CX_ODOO_URL, and that the proxy passes /json/2 and /jsonrpc.",
        )
    return NotConfigured(
        f"{case.place} has moved: it sends us on to {case.fault.said or 'another address'}.",
        remedy="Write the address that it leads to into PARTNER_CX_ODOO_URL.",
    )


def _page(case: Case) -> PartnerCXError:
    """An answer that isn't Odoo's, or not in the protocol."""
    if case.fault.status == 404 and "database" in case.fault.said.lower():
        return _no_database(case)
    if case.fault.status == 400:
        return _our_mistake(case)
    if case.fault.status in (401, 403, 404, 405, 407, 410, 413):
        return NotConfigured(
            f"{case.place} doesn't let {case.ask} through: something before it answers with status "
            f"{case.fault.status} and a page of its own.",
            remedy="Check PARTNER_CX_ODOO_URL, and that the proxy passes /json/2 and /jsonrpc.",
        )
    if case.fault.status == 200:
        return _STRANGE_PAGE(case)
    return {429: _CROWDED, 500: _BROKEN}.get(case.fault.status, _PROXY)(case)


_STRANGE_PAGE = _no_answer(
    "{place} answers with a page instead of data.",
    "It may be under maintenance. Open the address in a browser to see what it says.",
)
_CROWDED = _no_answer(
    "{place} gets too many requests (status {status}).",
    "Others may be asking much of it. If this goes on, read it less often: the setting schedule.",
)
_BROKEN = _no_answer(
    "{place} has a trouble of its own (status {status}), and no data.",
    "If this goes on, Odoo's log has the details.",
)
_PROXY = _no_answer(
    "{place} isn't there: what stands before it answers with status {status}.",
    "Check that Odoo runs; if this goes on, ask those who run it.",
)


# --- What Odoo says -------------------------------------------------------------------------


def _key(case: Case) -> KeyRefused:
    who = f" of {case.place.login}" if case.place.login else ""
    return KeyRefused(
        f"{case.place} refuses the API key{who}: it is wrong, revoked or has expired"
        + (", or the login isn't its user's." if case.place.login else "."),
        remedy="In Odoo, make a new one as the service user (My Profile, Account Security, "
        "New API Key), and set PARTNER_CX_ODOO_KEY to it.",
    )


def _no_database(case: Case) -> NoSuchDatabase:
    if case.place.database is None:
        message = f"{case.place} has several databases, or chooses none by itself."
    else:
        message = f"{case.place} has no database “{case.place.database}”."
    return NoSuchDatabase(
        message,
        remedy="Set PARTNER_CX_ODOO_DATABASE to the name that Odoo's page of databases shows.",
    )


def _database(case: Case) -> PartnerCXError:
    """PostgreSQL refused Odoo: our database doesn't exist, or its server has other troubles."""
    if case.place.database and re.search(
        rf"[\"«]\s?{re.escape(case.place.database)}\s?[\"»]", case.fault.said
    ):
        return _no_database(case)
    return _server_fault(case)


def _not_allowed(case: Case) -> PartnerCXError:
    if case.ask.method.startswith("_"):
        return _our_mistake(case)
    if of_field := re.search(r'the fields? "?([\w.]+)"? on', case.fault.said):
        return NotAllowed(
            f"{case.place} doesn't show the service account the field {of_field[1]} of "
            f"{case.ask.model}.",
            model=case.ask.model,
            group=None,
            remedy="Give it the group that Odoo asks for, or leave the field out of the mapping.",
        )
    group = groups.opening(case.ask.model, writes=case.ask.writes)
    who = f"service account {case.place.login}" if case.place.login else "service account"
    return NotAllowed(
        f"{case.place} doesn't let the {who} do {case.ask}.",
        model=case.ask.model,
        group=group.code if group else None,
        remedy=f"Give it the group {group} in Odoo's settings of users."
        if group
        else f"Give it a group that opens {case.ask.model}, in Odoo's settings of users.",
    )


def _gone(case: Case) -> Gone:
    ids = ", ".join(map(str, (case.ask.ids or ())[:5]))
    return Gone(
        f"{case.place} has no {case.ask.model} {ids} any more, or not all of them.".replace(
            "  ", " "
        ),
        remedy="The next sync finds what was deleted.",
    )


def _not_found(case: Case) -> PartnerCXError:
    if "method" in case.fault.said.lower():
        return _no_such_method(case)
    return _not_installed(case)


def _not_installed(case: Case) -> NotInstalled:
    app = groups.app_of(case.ask.model)
    return NotInstalled(
        f"{case.place} doesn't know {case.ask.model}.",
        model=case.ask.model,
        remedy=f"Install the app {app} if it is to be used."
        if app
        else "Install the app that brings it, if it is to be used.",
    )


def _no_such_method(case: Case) -> OtherVersion:
    return OtherVersion(
        f"{case.place} has no method {case.ask}.",
        remedy="Its version is another than the ones Partner CX was made for; see `odoo check`.",
    )


def _no_such_field(case: Case) -> OtherVersion:
    named = re.search(r"Invalid field (?:'([\w.]+)'|([\w.]+))", case.fault.said)
    which = (named[1] or named[2]) if named else case.fault.said.strip("'\"")
    field_shown = which.removeprefix(f"{case.ask.model}.") if re.fullmatch(r"[\w.]+", which) else ""
    return OtherVersion(
        f"{case.place} has no field {field_shown or 'that was asked for'} in {case.ask.model}.",
        remedy="Check the mapping. If it doesn't name the field, Odoo's version is another than "
        "the ones Partner CX was made for; see `odoo check`.",
    )


def _attribute(case: Case) -> PartnerCXError:
    if case.ask.method in case.fault.said:
        return _no_such_method(case)
    return _server_fault(case)


def _value(case: Case) -> PartnerCXError:
    if "Invalid field" in case.fault.said:
        return _no_such_field(case)
    return _our_mistake(case)


def _lookup(case: Case) -> PartnerCXError:
    """A KeyError: in a write, a field that isn't there; anywhere else, a fault of the server's."""
    if case.ask.writes:
        return _no_such_field(case)
    return _server_fault(case)


def _rule(case: Case) -> PartnerCXError:
    if case.ask.model in case.fault.said and (
        "doesn't exist" in case.fault.said or not case.ask.writes
    ):
        return _not_installed(case)  # as JSON-RPC says it
    said = " ".join(case.fault.said.split())[:SENTENCE_MAX]
    return RuleBroken(
        f"{case.place} refuses {case.ask}: {said or 'without a reason.'}",
        remedy="Put it right in Odoo, then let it be tried again.",
    )


def _our_mistake(case: Case) -> ProgramFault:
    why = case.fault.short_name if "." in case.fault.name else f"status {case.fault.status}"
    return ProgramFault(
        f"{case.place} doesn't understand how {case.ask} was asked ({why}).",
        remedy="This is a mistake of Partner CX, or an Odoo changed by modules of its own.",
    )


def _server_fault(case: Case) -> NoAnswer:
    """An error of Odoo's own. It undoes what the call began, so a write's outcome is known."""
    told = f"{case.place} failed at {case.ask} with an error of its own ({case.fault.name})."
    return NoAnswer(
        told + (" Nothing was written." if case.ask.writes else ""),
        remedy="If this goes on, Odoo's log has the details.",
        wait=case.fault.wait,
    )


Meaning = Callable[[Case], PartnerCXError]

_MEANINGS: Mapping[str, Meaning] = {
    "down": _no_answer(
        "{place} can't be reached: nobody answers there.",
        "Check that Odoo runs, and PARTNER_CX_ODOO_URL.",
    ),
    "unknown host": _no_answer(
        "{place} can't be reached: no machine of that name is known.",
        "Check PARTNER_CX_ODOO_URL and this machine's name server.",
    ),
    "tls": _no_answer(
        "{place} can't be spoken with safely: {said}.",
        "Check the address and Odoo's certificate. One of your own authority is trusted when "
        "SSL_CERT_FILE names the authority's certificate.",
        soon=False,
    ),
    "timeout": _no_answer(
        "{place} took too long for {ask}.",
        "If this goes on, raise PARTNER_CX_ODOO_TIMEOUT_SECONDS, lower "
        "PARTNER_CX_ODOO_PAGE_ROWS, or ask those who run Odoo why it is slow.",
    ),
    "broken off": _no_answer(
        "{place} broke off in the middle of {ask}.",
        "If this goes on, Odoo or the proxy before it stops requests: see their logs.",
    ),
    "half": _no_answer(
        "{place} answered {ask} with something that can't be read whole.",
        "If this goes on, look for a proxy that cuts or changes answers.",
    ),
    "elsewhere": _elsewhere,
    "page": _page,
    "odoolib.AuthenticationError": _key,
    "werkzeug.exceptions.Unauthorized": _key,
    "AccessDenied": _key,
    "SessionExpiredException": _key,
    "OperationalError": _database,
    "AccessError": _not_allowed,
    "MissingError": _gone,
    "werkzeug.exceptions.NotFound": _not_found,
    "builtins.AttributeError": _attribute,
    "builtins.ValueError": _value,
    "builtins.KeyError": _lookup,
    "builtins.TypeError": _our_mistake,
    "werkzeug.exceptions.UnprocessableEntity": _our_mistake,
    "werkzeug.exceptions.BadRequest": _our_mistake,
    "UserError": _rule,
    "ValidationError": _rule,
    "RedirectWarning": _rule,
}
