"""Approving: somebody decides about a proposal, once for ever.

Before: `restating`, which proposes. After: the compensating entry, in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import journal
from partner_cx.database import lock
from partner_cx.errors import Conflict, Invalid, NotFound
from partner_cx.journal import Did
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.words import Words
from rewards import sentences
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.reading import Given
from rewards.restating.compensations import Carried, carried, compensate
from rewards.restating.proposals import SUPERSEDED, Proposal, ProposalOutcome
from rewards.rulebook import RuleVersion


def approve(
    session: Session, proposal_id: int, *, by: str, now: datetime, on: date | None = None
) -> ProposalOutcome:
    """Approve a proposal and post its compensation. Approving twice approves once.

    on: the day the entry takes effect; None is the day of `now`.
    Raises Conflict when it was refused or withdrawn, and when the budget can't pay what is to be
    given: then nothing has changed, and the proposal stays open. The caller commits.
    """
    proposal, outcome = _held(session, proposal_id)
    if outcome is not None and not outcome.approved:
        raise _settled_otherwise(outcome)
    if outcome is not None:
        return outcome
    with session.begin_nested():
        outcome = _settle(session, proposal, approved=True, by=by, why="", now=now)
        compensate(session, proposal, now=now, on=on or now.date())
    return outcome


def refuse(
    session: Session, proposal_id: int, *, by: str, why: str, now: datetime
) -> ProposalOutcome:
    """Refuse a proposal: what was given stays as it is. Refusing twice refuses once.

    Raises Conflict when it was approved or withdrawn. The caller commits.
    """
    Given.of(why, "why").line()
    if why.strip().lower() == SUPERSEDED:
        raise Invalid(f"“{why}” is what we say ourselves.", remedy="Say why you refuse it.")
    proposal, outcome = _held(session, proposal_id)
    if outcome is not None and (outcome.approved or outcome.withdrawn):
        raise _settled_otherwise(outcome)
    return outcome or _settle(session, proposal, approved=False, by=by, why=why, now=now)


def withdraw(session: Session, proposal: Proposal, *, by: str, now: datetime) -> None:
    """Take an open proposal back, openly: the facts have changed again."""
    _settle(session, proposal, approved=False, by=by, why=SUPERSEDED, now=now)


def hold_proposals(session: Session, closing_id: int, *, shared: bool = False) -> None:
    """Wait for whoever decides about a close's proposals, and hold off others until the commit.

    One lock for them all, since a database has room for a few thousand only, and a correction may
    open more. shared: beside others who decide, each about another proposal.
    """
    lock(session, f"proposals:{closing_id}", shared=shared)


def proposal_of(session: Session, proposal_id: int) -> Proposal:
    """Raises NotFound."""
    proposal = session.get(Proposal, proposal_id)
    if proposal is None:
        raise NotFound(
            f"There is no proposal {proposal_id}.",
            remedy="`partner-cx proposals list` shows those there are.",
        )
    return proposal


def told(session: Session, outcome: ProposalOutcome) -> Words:
    """What became of a proposal, as whoever decided about it reads it."""
    if not outcome.approved:
        return Words(
            "Proposal {number} is refused: nothing changes.",
            "La proposition {number} est refusée\u202f: rien ne change.",
        ).format(number=outcome.proposal_id)
    proposal = proposal_of(session, outcome.proposal_id)
    done = Words(
        "Proposal {number} is approved: {points} {done}.",
        "La proposition {number} est approuvée\u202f: {points}, {done}.",
    ).format(
        number=proposal.id,
        points=sentences.points(abs(proposal.points)),
        done=Words("added", "en plus") if proposal.points > 0 else Words("taken back", "repris"),
    )
    left = sum(each.points for each in carried(session) if each.proposal_id == proposal.id)
    if not left:
        return done
    rest = Words(
        "The wallet lacks {points}: they are taken from what comes in.",
        "Il manque {points} au compte\u202f: repris sur ce qui viendra.",
    ).format(points=sentences.points(left))
    return sentences.joined([done, rest])


_STATES = {
    "open": Words("open", "ouverte"),
    "approved": Words("approved", "approuvée"),
    "carried": Words("carried", "à solder"),
    "refused": Words("refused", "refusée"),
    "withdrawn": Words("withdrawn", "retirée"),
}


@dataclass(frozen=True)
class Listed:
    """A proposal with all that a list says of it.

    carried_points: what is still to be taken back of an approved one.
    """

    proposal: Proposal
    outcome: ProposalOutcome | None
    period: str
    version: RuleVersion
    partner_code: str
    carried_points: int

    @property
    def rule_code(self) -> str:
        return self.version.code

    @property
    def state(self) -> str:
        if self.outcome is None:
            return "open"
        if self.outcome.approved:
            return "carried" if self.carried_points else "approved"
        return "withdrawn" if self.outcome.withdrawn else "refused"

    @property
    def state_words(self) -> Words:
        return _STATES[self.state]


def proposals(
    session: Session,
    *,
    period: Period | None = None,
    open_only: bool = False,
    only: int | None = None,
) -> list[Listed]:
    """The proposals there are, the oldest first.

    open_only: those that somebody has to decide about, and those not collected yet.
    only: the one with this number. Raises NotFound for a number that none has.
    """
    wanted = (
        sa.select(Proposal, ProposalOutcome, Closing.period, RuleVersion, Partner.code)
        .outerjoin(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
        .join(DecisionRow, DecisionRow.id == Proposal.decision_id)
        .join(Closing, Closing.id == DecisionRow.closing_id)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .join(Partner, Partner.id == DecisionRow.partner_id)
        .order_by(Proposal.id)
    )
    if period is not None:
        wanted = wanted.where(Closing.period == str(period))
    if only is not None:
        wanted = wanted.where(Proposal.id == proposal_of(session, only).id)
    left = {each.proposal_id: each for each in carried(session)}
    listed = [
        Listed(proposal, outcome, of_period, version, partner, _points(left.get(proposal.id)))
        for proposal, outcome, of_period, version, partner in session.execute(wanted)
    ]
    return [each for each in listed if not open_only or each.state in ("open", "carried")]


def _points(left: Carried | None) -> int:
    return left.points if left else 0


def _held(session: Session, proposal_id: int) -> tuple[Proposal, ProposalOutcome | None]:
    """A proposal that nobody else decides about until the transaction ends."""
    proposal = proposal_of(session, proposal_id)
    closing = sa.select(Closing.id).join(DecisionRow, DecisionRow.closing_id == Closing.id)
    about = closing.where(DecisionRow.id == proposal.decision_id)
    hold_proposals(session, session.scalars(about).one(), shared=True)
    lock(session, f"proposal:{proposal_id}")
    return proposal, session.get(ProposalOutcome, proposal_id, populate_existing=True)


def _settle(
    session: Session, proposal: Proposal, *, approved: bool, by: str, why: str, now: datetime
) -> ProposalOutcome:
    outcome = ProposalOutcome(
        proposal_id=proposal.id, approved=approved, settled_at=now, settled_by=by, why=why
    )
    session.add(outcome)
    session.flush()
    if not outcome.withdrawn:
        did = Did.RESTATEMENT_APPROVED if approved else Did.RESTATEMENT_REFUSED
        details = {"points": proposal.points, "why": why}
        journal.note(session, by=by, did=did, about=proposal.key, now=now, details=details)
    return outcome


def _settled_otherwise(outcome: ProposalOutcome) -> Conflict:
    if outcome.withdrawn:
        return Conflict(
            f"Proposal {outcome.proposal_id} was withdrawn: the facts have changed since.",
            remedy="Restate the period again to see what is proposed now.",
        )
    what = "approved" if outcome.approved else "refused"
    return Conflict(
        f"Proposal {outcome.proposal_id} was {what} by {outcome.settled_by} on "
        f"{outcome.settled_at:%Y-%m-%d}.",
        remedy="That is final. What later facts call for is proposed anew.",
    )
