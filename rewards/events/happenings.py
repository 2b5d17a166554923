"""Happenings: an event is told, once; rules on its kind are decided, and what they earn is paid.

Before it stand other systems, files and facts; after it the ledger. Everything happens in the
transaction that records the event, so that an event which is there was decided.

An award that its budget can't pay stays earned. `pay_waiting` pays it once the budget can, those
of earlier events first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock, lock_number
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.network import groups
from partner_cx.network.addresses import is_email
from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from partner_cx.prepared import Prepared, insert_new
from partner_cx.settings import Settings
from rewards import announcing
from rewards.conditions import Verdict
from rewards.decisions import DecisionRow
from rewards.events import EventRow, KnownEvent
from rewards.events.awards import Due, pay
from rewards.events.evidence import event_evidence, event_history
from rewards.frozen import Closing
from rewards.ledger import (
    Transfer,
)
from rewards.reading import TEXT_MAX, Given
from rewards.rulebook import RuleVersion
from rewards.rulebook.on_events import RULEBOOK_STAMP, rules_on
from rewards.rules import Recipient, Rule, judge

AT_ONCE = 500  # waiting awards posted in one go


_text = json.encoder.encode_basestring  # a text as JSON writes it, not only in ASCII


@dataclass(frozen=True)
class Happening:
    """Something that is told to have happened.

    key: made by whoever tells it, before the first attempt, and never used for anything else.
    person: the e-mail address of whoever did it; None where only the partner is known.
    subject: what it is about: a course, a survey, a panel, a report.
    """

    key: str
    kind: EventKind
    partner_code: str
    happened_at: datetime
    person: str | None = None
    subject: str | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over what happened: the same in every database."""
        moment = self.happened_at.astimezone(UTC).isoformat()
        told = (self.key, self.kind, self.partner_code, self.person, self.subject, moment)
        # A JSON list. Put together by hand it takes a third of the encoder's time.
        plain = ",".join(["null" if each is None else _text(each) for each in told])
        return hashlib.sha256(f"[{plain}]".encode()).hexdigest()

    def told(self) -> Happening:
        """The same, as it is kept. Raises Invalid for what can't be kept."""
        _refuse_other_than_a_line(self.key, "the key")
        for text, what in ((self.person, "the person"), (self.subject, "the subject")):
            if text is not None:
                _refuse_other_than_a_line(text, what)
        person = None if self.person is None else self.person.strip().lower()
        if person is not None and not is_email(person):
            raise Invalid(
                f"“{self.person}” isn't an e-mail address.", remedy="Write it as name@domain.com."
            )
        return self if person == self.person else replace(self, person=person)


def _refuse_other_than_a_line(text: object, what: str) -> None:
    is_line = isinstance(text, str) and text.isprintable() and not text.isspace()
    if not is_line or not 0 < len(str(text)) <= TEXT_MAX:
        Given.of(text, what).line()  # which says what is wrong


class Ruling(NamedTuple):
    """What a rule came to on an event.

    points: what it earns. paid: whether the budget could pay it, to spend or pending.
    """

    rule_code: str
    version: int
    verdict: Verdict
    points: int
    paid: bool


class Recorded(NamedTuple):
    """An event that is recorded. new: by this telling; the others found it there."""

    event_id: int
    new: bool
    rulings: tuple[Ruling, ...]

    @property
    def points(self) -> int:
        """What it earned, paid or not."""
        return sum(ruling.points for ruling in self.rulings)


def happened(
    session: Session, happening: Happening, *, now: datetime, settings: Settings
) -> Recorded:
    """Record that something happened, decide the rules on it, and award what they earn. Once.

    The same key with the same contents again changes nothing and returns what there is.
    Raises Conflict when the key stands for something else, NotFound for a partner nobody knows,
    Invalid for what is still to come. The caller commits.
    """
    told = happening.told()
    if told.happened_at > now:
        raise Invalid(
            f"{told.key} is told to happen at {told.happened_at.isoformat()}, which is still to "
            "come.",
            remedy="Tell it once it has happened.",
        )
    return tell(session, told, now=now, settings=settings)


def tell(session: Session, told: Happening, *, now: datetime, settings: Settings) -> Recorded:
    """As `happened`, for what is known to be well told."""
    _hold_partner(session, told.partner_code)
    partner = who_it_was(session, told.partner_code)
    kept = columns_of(told, partner, settings) | {
        "groups": sorted(groups.of_partner(session, partner)),
        "recorded_at": now,
    }
    rules = rules_for(session, partner, EventKind(told.kind), kept["on"], kept["groups"])
    if told.person and any(rule.award.to is Recipient.PERSON for _, rule in rules):
        lock(session, f"events:{told.person}")
    added = _INSERT_EVENT.one(session, kept)
    if added is None:
        return _as_recorded(session, told, kept["digest"])
    event = KnownEvent(added.id, *_what_is_known(kept))
    rulings = tuple(_decide(session, event, told.partner_code, rules, now))
    if rulings:
        announcing.event_decided(session, event.id, now=now)
    return Recorded(event.id, True, rulings)


def hold_events(session: Session) -> None:
    """Hold off everybody else's events until the commit: for many at once, and for a close."""
    lock(session, ALL_EVENTS)


def _hold_partner(session: Session, partner_code: str) -> None:
    """Hold off others' events of a partner until the commit, and wait for whoever holds all.

    So limits hold, and a partner's events are numbered in the order in which they are decided.
    """
    if session.get_bind().dialect.name == "postgresql":
        numbers = {"all": lock_number(ALL_EVENTS), "one": lock_number(f"events:{partner_code}")}
        _BOTH_LOCKS.rows(session, numbers)


ALL_EVENTS = "events"
_BOTH_LOCKS = Prepared(
    sa.text("SELECT pg_advisory_xact_lock_shared(2026, :all), pg_advisory_xact_lock(2026, :one)")
)


# --- Recording ----------------------------------------------------------------------------------

PARTNERS = sa.select(
    Partner.id,
    Partner.code,
    Partner.kind,
    Partner.tier,
    Partner.region,
    Partner.country,
    Partner.joined_on,
    Partner.left_on,
    sa.select(sa.func.max(Closing.id)).scalar_subquery().label("last_closing_id"),
)
_PARTNER = Prepared(
    PARTNERS.add_columns(*RULEBOOK_STAMP).where(Partner.code == sa.bindparam("code"))
)


def who_it_was(session: Session, partner_code: str) -> sa.Row[Any]:
    """The partner as it is now, with the last close there is."""
    found = _PARTNER.one(session, {"code": partner_code})
    if found is None:
        raise NotFound(
            f"No partner has the code {partner_code}.",
            remedy="Import the partner first, or mend the code.",
        )
    return found


def columns_of(told: Happening, partner: sa.Row[Any], settings: Settings) -> dict[str, Any]:
    """What is kept of an event, but for its partner's groups and the moment it is recorded."""
    return {
        "key": told.key,
        "digest": told.digest,
        "kind": told.kind.value,
        "partner_id": partner.id,
        "person_email": told.person,
        "subject": told.subject,
        "happened_at": told.happened_at,
        "on": told.happened_at.astimezone(settings.zone).date(),
        "joined_on": partner.joined_on,
        "last_closing_id": partner.last_closing_id,
    }


def rules_for(
    session: Session, partner: sa.Row[Any], kind: EventKind, on: date, belongs_to: Sequence[str]
) -> list[tuple[int, Rule]]:
    """The rules that decide an event: those in force on its day, for one who was a partner then."""
    if partner.joined_on and on < partner.joined_on:
        return []
    if partner.left_on and on >= partner.left_on:
        return []
    return [
        (version, rule)
        for version, rule in rules_on(session, partner, on, kind)
        if rule.audience.includes(belongs_to)
    ]


_what_is_known = itemgetter(*KnownEvent._fields[1:])
_COLUMNS = [column.name for column in EventRow.__table__.columns if column.name != "id"]
_INSERT_EVENT = Prepared(
    lambda dialect: insert_new(EventRow.__table__, dialect).returning(EventRow.__table__.c.id),
    given=_COLUMNS,
)


def _as_recorded(session: Session, told: Happening, digest: str) -> Recorded:
    event_id, kept = session.execute(
        sa.select(EventRow.id, EventRow.digest).where(EventRow.key == told.key)
    ).one()
    if kept != digest:
        raise Conflict(
            f"The key {told.key} already stands for another event.",
            remedy="Tell it with the same contents, or use a new key.",
        )
    decided = session.execute(
        sa.select(
            RuleVersion.code,
            RuleVersion.version,
            DecisionRow.verdict,
            DecisionRow.points,
            Transfer.id.is_not(None),
        )
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Transfer, Transfer.decision_id == DecisionRow.id)
        .where(DecisionRow.event_id == event_id)
        .order_by(RuleVersion.code)
    )
    rulings = (
        Ruling(code, version, Verdict(verdict), points, paid)
        for code, version, verdict, points, paid in decided
    )
    return Recorded(event_id, False, tuple(rulings))


# --- Deciding and paying ------------------------------------------------------------------------


def _decide(
    session: Session,
    event: KnownEvent,
    partner_code: str,
    rules: Sequence[tuple[int, Rule]],
    now: datetime,
) -> Iterator[Ruling]:
    # By budget, so that two events never wait for each other's.
    for version_id, rule in sorted(rules, key=lambda each: (each[1].budget, each[1].code)):
        evidence = event_evidence(session, event, rule, partner_code=partner_code)
        verdict, points = judge(rule, evidence, event_history(session, event, rule))
        decision = {
            "event_id": event.id,
            "rule_version_id": version_id,
            "partner_id": event.partner_id,
            "verdict": verdict.value,
            "points": points,
        }
        ((decision_id,),) = _INSERT_DECISION.rows(session, decision)
        due = Due(decision_id, points, rule, event, partner_code)
        paid = points > 0 and pay(session, due, now)
        yield Ruling(rule.code, rule.version, verdict, points, paid)


_INSERT_DECISION = Prepared(
    sa.insert(DecisionRow.__table__).returning(DecisionRow.__table__.c.id),
    given=("event_id", "rule_version_id", "partner_id", "verdict", "points"),
)
