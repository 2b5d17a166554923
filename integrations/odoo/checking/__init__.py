"""Checking an Odoo before it is relied on: what works, what is missing, and what that costs.

Nothing is written. What isn't there and what the service account may not is found by trying; what
record rules hide can't be seen, so a number of records that should be more than none is doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, cast

from integrations.odoo.checking.findings import Finding, State
from integrations.odoo.checking.writing_needs import written
from integrations.odoo.connection import Odoo, groups
from integrations.odoo.connection.errors import (
    NotAllowed,
    NotInstalled,
    OtherVersion,
    ProgramFault,
    RuleBroken,
)
from integrations.odoo.connection.groups import SALES, Group
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams import Stream, Watched
from integrations.odoo.sync.reading import STREAMS
from partner_cx.errors import Invalid, PartnerCXError

TRIED_WITH = range(18, 20)  # versions
CLOCKS_APART_MAX = timedelta(minutes=2)
KEY_ENDS_SOON = timedelta(days=30)
ALL = "what is read"
COUNTED_MAX = 1_000  # of millions of messages Odoo would look at each one
LOGINS = "res.users.log"
TAGS = "res.partner.category"  # which many an Odoo has none of
OWN_ALONE = ("sale.order", "crm.lead")  # of which sellers see their own, but for one group

# Refusals that say something of what was asked for; the others end the check.
OF_ONE_MODEL = (NotAllowed, NotInstalled, OtherVersion, ProgramFault, RuleBroken)

# Read beside what is watched; for the streams that have it.
READ_TOO: Mapping[str, tuple[str, ...]] = {
    "network": (TAGS,),
    "orders": ("product.product", "uom.uom"),
    "tickets": ("mail.message.subtype",),
}


def check(
    odoo: Odoo,
    mapping: OdooMapping,
    *,
    now: datetime,
    write_back: Iterable[str] = (),
    streams: Sequence[Stream] = STREAMS,
) -> list[Finding]:
    """Look at everything that is read from Odoo and written to it.

    write_back: what is switched on of the writing. Raises KeyRefused, NoSuchDatabase and
    NoAnswer: then there is nothing to look at.
    """
    account = _account(odoo)
    read = chain.from_iterable(_stream(odoo, mapping, stream, account) for stream in streams)
    return [
        *_connection(odoo),
        *_told_account(account),
        *_keys(odoo, account, now),
        *read,
        *written(odoo, mapping, set(write_back), account.email),
    ]


# --- Connection and account -----------------------------------------------------------------


def _connection(odoo: Odoo) -> Iterator[Finding]:
    called = ".".join(map(str, odoo.version))
    known = odoo.major in TRIED_WITH
    yield Finding(
        "connection",
        odoo.address,
        State.WELL if known else State.DOUBT,
        f"Odoo {called} over {odoo.protocol}",
        "" if known else "Partner CX is tried with Odoo 18 and 19. Look at a preview first.",
    )
    yield Finding("connection", "database", State.WELL, odoo.database or "the only one there")
    if (apart := odoo.clock_difference) is not None:
        yield _clock(apart)


def _clock(apart: timedelta) -> Finding:
    seconds = round(abs(apart).total_seconds())
    if abs(apart) <= CLOCKS_APART_MAX:
        return Finding("connection", "clock", State.WELL, f"{seconds} s apart from ours")
    way = "ahead of" if apart > timedelta() else "behind"
    return Finding(
        "connection",
        "clock",
        State.DOUBT,
        f"{seconds:,} s {way} ours",
        "Set both machines by a time server. Nothing is lost by it, as Odoo's records are read by "
        "its own clock; moments of logins and replies are as wrong as its clock is.",
    )


@dataclass(frozen=True)
class _Account:
    """The service account, as Odoo knows it."""

    id: int
    name: str
    login: str
    email: str
    is_portal: bool


def _account(odoo: Odoo) -> _Account:
    fields = ["name", "login", "email", "share"]
    (row,) = odoo.read("res.users", [odoo.user_id()], fields)
    return _Account(row["id"], row["name"], row["login"], row["email"] or "", bool(row["share"]))


def _told_account(account: _Account) -> Iterator[Finding]:
    shown = f"{account.name} ({account.login})"
    if account.is_portal:
        yield Finding(
            "account",
            "user",
            State.GAP,
            f"{shown} is a portal user",
            "Make the key as an internal user: a portal user sees its own company alone.",
        )
    else:
        yield Finding("account", "user", State.WELL, shown)
    if account.email:
        yield Finding("account", "e-mail", State.WELL, account.email)
    else:
        yield Finding("account", "e-mail", State.NOTE, "none, so it can't write notes")


def _keys(odoo: Odoo, account: _Account, now: datetime) -> Iterator[Finding]:
    """When the account's keys end, where Odoo tells: they do so without a word."""
    try:
        keys = odoo.search_read(
            "res.users.apikeys", [["user_id", "=", account.id]], ["name", "expiration_date"]
        )
    except OF_ONE_MODEL:
        return
    ends = sorted(key["expiration_date"] for key in keys if key["expiration_date"])
    if not ends or len(ends) < len(keys):  # one of them, which may be ours, never ends
        return
    told = f"the account's first key ends on {ends[0]} UTC"
    if ends[0] > (now + KEY_ENDS_SOON).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"):
        yield Finding("account", "key", State.NOTE, told)
    else:
        remedy = "If it is this one, make a new key before, and set PARTNER_CX_ODOO_KEY to it."
        yield Finding("account", "key", State.DOUBT, told, remedy)


# --- Reading --------------------------------------------------------------------------------


def _stream(
    odoo: Odoo, mapping: OdooMapping, stream: Stream, account: _Account
) -> Iterator[Finding]:
    costs = _costs(stream)
    try:
        watched = stream.watching(odoo, mapping)
    except (Invalid, *OF_ONE_MODEL) as refusal:
        told = _why(refusal)
        yield Finding(stream.name, ALL, State.GAP, told, refusal.remedy, costs)
        return
    if not watched:
        yield _nothing(odoo, mapping, stream, costs)
        return
    unit, *others = _models(stream, watched)
    first = _model(odoo, stream, unit, costs)
    yield first
    if first.state is State.GAP:
        return
    if unit.model in OWN_ALONE and _lacks(odoo, account, SALES):
        yield _own_alone(stream, unit.model, costs)
    for other in others:
        found = _model(odoo, stream, other, costs)
        if found.state is not State.DOUBT or first.state is State.WELL:
            yield found
    if stream.name == "portal" and all(each.model != LOGINS for each in others):
        yield _last_logins_alone(stream)


class _Complete:
    """An Odoo that has every app: what is left out there, the mapping leaves out."""

    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    def has(self, model: str) -> bool:
        return bool(model)

    def has_field(self, model: str, name: str) -> bool:
        return bool(model and name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._odoo, name)


def _nothing(odoo: Odoo, mapping: OdooMapping, stream: Stream, costs: tuple[str, ...]) -> Finding:
    """Why nothing is read for a stream: it isn't wanted, or it isn't there."""
    if not stream.watching(cast("Odoo", _Complete(odoo)), mapping):
        return Finding(stream.name, ALL, State.NOTE, "the mapping leaves it out")
    if instead := _instead(odoo, mapping, stream):
        return Finding(stream.name, ALL, State.NOTE, f"not installed; {instead} are read instead")
    return Finding(
        stream.name,
        ALL,
        State.GAP,
        "this Odoo doesn't have it",
        f"It comes with the apps {', '.join(stream.modules)}.",
        costs,
    )


def _instead(odoo: Odoo, mapping: OdooMapping, stream: Stream) -> str | None:
    """The stream that measures the same from elsewhere, as tasks do what Helpdesk's tickets do."""
    others = (each for each in STREAMS if each.kpis == stream.kpis and each.name != stream.name)
    return next((each.name for each in others if each.watching(odoo, mapping)), None)


def _models(stream: Stream, watched: Sequence[Watched]) -> list[Watched]:
    """What is read of each model, the unit's own first, each once."""
    too = [Watched(model) for model in READ_TOO.get(stream.name, ())]
    once = {each.model: each for each in reversed([*watched, *too])}
    return sorted(once.values(), key=lambda each: each.model != watched[0].model)


def _model(odoo: Odoo, stream: Stream, read: Watched, costs: tuple[str, ...]) -> Finding:
    try:
        seen = len(odoo.search(read.model, read.domain, limit=COUNTED_MAX, archived=True))
    except OF_ONE_MODEL as refusal:
        found = _why(refusal)
        return Finding(stream.name, read.model, State.GAP, found, refusal.remedy, costs)
    if seen:
        return Finding(stream.name, read.model, State.WELL, _records(seen))
    if read.model == TAGS:
        return Finding(stream.name, read.model, State.NOTE, "none, so no partner is told by a tag")
    return Finding(
        stream.name,
        read.model,
        State.DOUBT,
        "no records are seen",
        "If there are some, rules hide them from the account, which Odoo does without a word: "
        f"give it {groups.opening(read.model) or 'more rights'}.",
        costs,
    )


def _records(seen: int) -> str:
    if seen == COUNTED_MAX:
        return f"{seen:,} records and more"
    return f"{seen:,} records" if seen > 1 else "1 record"


def _why(refusal: PartnerCXError) -> str:
    match refusal:
        case NotInstalled():
            return "not installed"
        case NotAllowed():
            return f"the account may not read {refusal.model}"
        case _:
            return refusal.message


def _own_alone(stream: Stream, model: str, costs: tuple[str, ...]) -> Finding:
    return Finding(
        stream.name,
        f"all of {model}",
        State.DOUBT,
        "the account may see its own records alone",
        f"Give it the group {SALES}.",
        costs,
    )


def _last_logins_alone(stream: Stream) -> Finding:
    return Finding(
        stream.name,
        LOGINS,
        State.NOTE,
        "closed to the account, so each user's last login is looked at every time",
        f"Enough when Odoo is read every day. {groups.SETTINGS} would show every login, and "
        "everything else.",
    )


def _lacks(odoo: Odoo, account: _Account, group: Group) -> bool:
    """Whether the account isn't in a group; False where Odoo can't be asked."""
    if odoo.major < 18:  # asked otherwise there
        return False
    try:
        return not odoo.in_group(account.id, group.code)
    except OF_ONE_MODEL:
        return False


def _costs(stream: Stream) -> tuple[str, ...]:
    """What isn't measured without a stream; without the network, nothing is."""
    if stream.name == STREAMS[0].name:
        return tuple(dict.fromkeys(kpi for each in STREAMS for kpi in each.kpis))
    return stream.kpis
