"""Totals: what a period came to, signed, so that whoever keeps the paper can prove it later.

Before it stand the ledger, the rulebook and the closes; after it an auditor, who keeps the
document elsewhere and has it verified whenever he likes. Everything is told by the moment at which
it was recorded, never by the day it takes effect on: a later entry for an earlier day belongs to
the month in which it was made, and what was signed once stays true for ever.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from partner_cx.errors import Invalid
from partner_cx.periods import Period
from partner_cx.settings import Settings, kept_secret
from partner_cx.words import Words
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.rulebook import RuleVersion

FORM = "partner-cx totals 1"
_OWN = (AccountKind.BUDGET, AccountKind.RESERVED)  # told one by one; the others by their kind
_AT_ONCE = 5_000


@dataclass(frozen=True)
class Total:
    """A total that isn't what was signed."""

    where: str
    signed: str
    now: str
    sentence: Words


def signed(
    session: Session,
    period: Period,
    *,
    now: datetime,
    settings: Settings,
    key: Ed25519PrivateKey,
) -> str:
    """The period's totals as a document: JSON, with an Ed25519 signature over all the rest.

    Raises Invalid while the period isn't over: its totals could still change.
    """
    ends_at = period.ends_at(settings.zone)
    if now < ends_at:
        raise Invalid(
            f"{period} isn't over yet: its totals can still change.",
            remedy=f"Sign them from {ends_at.astimezone(settings.zone):%Y-%m-%d %H:%M} on.",
        )
    contents = {
        **_totals(session, period, settings.time_zone),
        "signed_at": _instant(now),
        "public_key": public_key(key),
    }
    signature = _encoded(key.sign(_canonical(contents)))
    document = {**contents, "signature": signature}
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def verified(session: Session, document: str, *, public_key: str) -> list[Total]:
    """Hold signed totals against what is recorded now: those that differ, none where all is well.

    public_key: of whoever is known to have signed; the one in the document proves nothing.
    Raises Invalid for what isn't such a document, or wasn't signed so.
    """
    contents = _opened(document, public_key)
    try:
        period = Period.parse(str(contents["period"]))
        again = _totals(session, period, ZoneInfo(str(contents["time_zone"])).key)
    except (KeyError, OSError, ValueError) as problem:
        raise Invalid(
            f"The document doesn't say which period it is about: {problem}.",
            remedy="Sign the totals again.",
        ) from None
    told = {name: contents.get(name) for name in again}
    return list(_differences(told, again, str(period)))


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The installation's own key, made once and kept in the data folder."""
    kept = kept_secret(settings, "totals-key", _new_key)
    try:
        return Ed25519PrivateKey.from_private_bytes(_decoded(kept))
    except ValueError:
        raise Invalid(
            f"The key in {settings.data_folder / 'totals-key'} can't be read.",
            remedy="Put it back from a backup; a new one verifies nothing that was signed before.",
        ) from None


def public_key(key: Ed25519PrivateKey) -> str:
    """What auditors verify with: 32 bytes in base64."""
    return _encoded(key.public_key().public_bytes_raw())


# --- Signing ------------------------------------------------------------------------------------


def _new_key() -> str:
    return _encoded(Ed25519PrivateKey.generate().private_bytes_raw())


def _opened(document: str, key: str) -> dict[str, Any]:
    """The contents, once the signature is known to be of this key."""
    try:
        contents = json.loads(document)
        signature = _decoded(contents.pop("signature"))
        assert contents["form"] == FORM
    except Exception:  # noqa: BLE001 - whatever was given instead
        raise Invalid(
            "This isn't a document of signed totals.", remedy="Give one that `totals sign` wrote."
        ) from None
    try:
        signer = Ed25519PublicKey.from_public_bytes(_decoded(key))
    except ValueError:
        raise Invalid(
            "The public key can't be read.", remedy="Give what `partner-cx totals key` prints."
        ) from None
    try:
        signer.verify(signature, _canonical(contents))
    except InvalidSignature:
        raise Invalid(
            "The signature isn't of this key, or the document was changed after it was signed.",
            remedy="Ask the signer for the document and the public key again.",
        ) from None
    opened: dict[str, Any] = contents
    return opened


def _canonical(contents: Mapping[str, Any]) -> bytes:
    plain = json.dumps(contents, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return plain.encode()


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text.strip(), validate=True)


# --- The totals ---------------------------------------------------------------------------------


def _totals(session: Session, period: Period, time_zone: str) -> dict[str, Any]:
    zone = ZoneInfo(time_zone)
    first = datetime.combine(period.first_day, datetime.min.time(), zone).astimezone(UTC)
    end = period.ends_at(zone)
    return {
        "form": FORM,
        "period": str(period),
        "time_zone": time_zone,
        "from": _instant(first),
        "until": _instant(end),
        "accounts": _accounts(session, first, end),
        "transfers": _transfers(session, first, end),
        "rules": {
            f"{version.code} {version.version}": _digest(
                *(version.digest, str(version.starts_on), _instant(version.published_at)),
                *(version.published_by, version.approved_by or "", version.why),
            )
            for version in session.scalars(
                sa.select(RuleVersion)
                .where(RuleVersion.published_at < end)
                .order_by(RuleVersion.code, RuleVersion.version)
            )
        },
        "closings": {
            closing.period: _digest(
                *(closing.digest, closing.partners_digest or "", closing.terms),
                *(_instant(closing.as_of), _instant(closing.closed_at), closing.closed_by),
                *(str(closing.last_import_id), str(closing.last_event_id)),
            )
            for closing in session.scalars(
                sa.select(Closing).where(Closing.closed_at < end).order_by(Closing.id)
            )
        },
    }


def _accounts(session: Session, first: datetime, end: datetime) -> dict[str, dict[str, int]]:
    """Opening balance, in, out and closing balance: of each budget, and of each other kind."""
    name = sa.case((Account.kind.in_(_OWN), Account.kind + " " + Account.owner), else_=Account.kind)
    during = Transfer.recorded_at >= first
    sums = (
        sa.select(
            name,
            _sum(~during, Entry.points),
            _sum(sa.and_(during, Entry.points > 0), Entry.points),
            _sum(sa.and_(during, Entry.points < 0), -Entry.points),
        )
        .select_from(Entry)
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .join(Account, Account.id == Entry.account_id)
        .where(Transfer.recorded_at < end)
        .group_by(name)
        .order_by(name)
    )
    return {
        account: {
            "opening": int(opening),
            "in": int(given),
            "out": int(taken),
            "closing": int(opening) + int(given) - int(taken),
        }
        for account, opening, given, taken in session.execute(sums)
    }


def _sum(which: sa.ColumnElement[bool], points: Any) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((which, points), else_=0)), 0)


def _transfers(session: Session, first: datetime, end: datetime) -> dict[str, Any]:
    """How many there were, and a chain over all there ever were up to the end.

    Each link holds the one before, so that a transfer that vanished, came in between or changed
    alters every link after it.
    """
    chain, before = hashlib.sha256(FORM.encode()).hexdigest(), ""
    count = count_before = 0
    for recorded_at, contents in _in_order(session, end):
        if recorded_at >= first and not before:
            before, count_before = chain, count
        chain = hashlib.sha256(f"{chain} {contents}".encode()).hexdigest()
        count += 1
    if not before:
        before, count_before = chain, count
    return {
        "before": {"count": count_before, "digest": before},
        "count": count - count_before,
        "digest": chain,
    }


def _in_order(session: Session, end: datetime) -> Iterator[tuple[datetime, str]]:
    wanted = (
        sa.select(Transfer)
        .with_only_columns(*Transfer.__table__.columns)
        .where(Transfer.recorded_at < end)
        .order_by(Transfer.recorded_at, Transfer.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row in session.execute(wanted):
        plain = [_instant(value) if isinstance(value, datetime) else str(value) for value in row]
        yield row.recorded_at, json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- What differs -------------------------------------------------------------------------------


def _differences(told: Any, now: Any, where: str) -> Iterator[Total]:
    if isinstance(told, dict) and isinstance(now, dict):
        for name in sorted(told.keys() | now.keys()):
            yield from _differences(told.get(name), now.get(name), f"{where} {name}")
    elif told != now:
        was, here = (_text(value) for value in (told, now))
        yield Total(
            where,
            was,
            here,
            Words(
                "{where}: {was} was signed, and it is {here} now.",
                "{where}\u202f: {was} fut signé, et c’est {here} à présent.",
            ).format(where=where, was=was, here=here),
        )


def _text(value: object) -> str:
    return "nothing" if value is None else str(value)
