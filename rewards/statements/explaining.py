"""Explaining: the whole chain from points to the rows behind them, and the nearest way to more.

Before it stand the ledger, retold decisions and the facts as they were known; after it the command
and whoever has to answer a partner's question. An explanation is about one decision, with every
entry that belongs to it, or about one entry that no rule gave.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import NotFound
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.spelling import occurs
from partner_cx.words import Words
from rewards.conditions import Verdict
from rewards.deciding.retelling import retell
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.frozen import Closing, FrozenPartner, closing_of
from rewards.ledger import Account, Entry, Transfer
from rewards.ledger.owners import Owner, not_found, owner_of, person_owner
from rewards.ledger.posted import Posted, posted
from rewards.misses import ROWS_SHOWN
from rewards.restating.proposals import Proposal, ProposalOutcome
from rewards.rulebook import RuleVersion
from rewards.rules import Audience, Decision, Rule
from rewards.sentences import ways
from rewards.statements import telling
from rewards.statements.explanations import (
    Explained,
    Explanation,
    Judged,
    NotFor,
    Proposed,
    Published,
    Reason,
    ToldEvent,
)
from rewards.statements.nearest import nearest
from rewards.statements.recorded import Taken, decided, is_shared_out, moved, taken, transfers_about
from rewards.statements.shortfalls import RowsBehind, leaves

KEYS_LOOKED_THROUGH = 500  # for those that are spelt alike


def explain(
    session: Session,
    asked: str,
    period: Period | None = None,
    *,
    settings: Settings,
    rows: int = ROWS_SHOWN,
) -> Explained:
    """Explain what was typed: an entry, by its key or number, or a partner or person in a period.

    period: of a partner, None is the last one that was closed. rows: at most so many behind each
        figure. Raises NotFound, naming those that are spelt alike.
    """
    is_partner = session.scalar(sa.select(Partner.id).where(Partner.code == asked)) is not None
    if is_partner or period is not None:
        owner = owner_of(session, asked)
        return explain_owner(session, owner, period, settings=settings, rows=rows)
    found = _transfer_asked(session, asked)
    if found is not None:
        return explain_transfer(session, found, settings=settings, rows=rows)
    if "@" in asked:
        person = person_owner(session, asked)
        return explain_owner(session, person, period, settings=settings, rows=rows)
    raise _unknown(session, asked)


def explain_owner(
    session: Session,
    owner: Owner,
    period: Period | None = None,
    *,
    settings: Settings,
    rows: int = ROWS_SHOWN,
) -> Explained:
    """Explain all that was decided about a partner or person in a period, earned or not.

    period: of a partner, None is the last one that was closed. Raises NotFound where nothing was
    decided in it.
    """
    if period is None and owner.partner_id is not None:
        period = _last_closed(session)
    chain = _Chain(session, RowsBehind(session, settings, rows))
    about = [each for each in decided(session, owner) if period is None or each.on in period]
    others = [
        each.transfer
        for each in moved(session, owner.wallet)
        if each.decision_id is None
        and each.transfer.proposal_id is None
        and (period is None or each.transfer.effective_on in period)
    ]
    not_for = tuple(_not_for(session, owner, period)) if period else ()
    if not about and not others and not not_for:
        raise _nothing_decided(session, owner, period)
    told = chain.about(about) + [
        _given(session, transfer, owner, settings.zone) for transfer in others
    ]
    return Explained(tuple(sorted(told, key=_day)), period, not_for)


def explain_entry(
    session: Session, owner: Owner, key: str, *, settings: Settings, rows: int = ROWS_SHOWN
) -> Explanation:
    """Explain one entry of an owner's wallet, or of what is held for it.

    Raises NotFound for a key that is nobody's, and for one that is somebody else's.
    """
    own = (
        sa.select(Transfer)
        .join(Entry, Entry.transfer_id == Transfer.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Transfer.key == key, Account.owner == owner.wallet)
    )
    transfer = session.scalars(own.limit(1)).first() if occurs(key) else None
    if transfer is None:
        raise NotFound("There is no such entry on this statement.", remedy="Choose one from it.")
    decision_id = _decision_behind(session, transfer)
    if decision_id is None:
        return _given(session, transfer, owner, settings.zone)
    chain = _Chain(session, RowsBehind(session, settings, rows))
    return chain.about(taken(session, [decision_id]).values())[0]


def explain_decision(
    session: Session, owner: Owner, number: int, *, settings: Settings, rows: int = ROWS_SHOWN
) -> Explanation:
    """Explain one decision about a partner, whether it brought anything or not.

    Raises NotFound for one that isn't about it, or brought points to a person alone.
    """
    found = taken(session, [number]).get(number) if 0 < number < 2**63 else None
    if found is None or found.row.partner_id != owner.partner_id:
        raise _no_decision()
    chain = _Chain(session, RowsBehind(session, settings, rows))
    explanation = chain.about([found])[0]
    assert explanation.judged, "it is about a decision"
    if found.recipient(explanation.judged.decision.rule) is not None:
        raise _no_decision()
    return explanation


def _no_decision() -> NotFound:
    return NotFound("There is no such decision on this statement.", remedy="Choose one from it.")


def _day(explanation: Explanation) -> date:
    return explanation.judged.on if explanation.judged else explanation.posted[0].on


# --- What is asked about --------------------------------------------------------------------------


def _transfer_asked(session: Session, asked: str) -> Transfer | None:
    found = session.scalar(sa.select(Transfer).where(Transfer.key == asked))
    number = asked.removeprefix("#")
    if found is not None or not (number.isascii() and number.isdigit() and len(number) < 19):
        return found
    entry = session.get(Entry, int(number))
    return session.get(Transfer, entry.transfer_id) if entry else None


def _unknown(session: Session, asked: str) -> NotFound:
    alike = sa.select(Transfer.key).where(Transfer.key.startswith(_stem(asked), autoescape=True))
    known = [*session.scalars(alike.limit(KEYS_LOOKED_THROUGH)), *session.scalars(_CODES)]
    return not_found(f"{asked} is neither an entry nor a partner.", asked, known)


_CODES = sa.select(Partner.code)


def _stem(key: str) -> str:
    """What stands before the last colon: keys that share it are of the same close or source."""
    return key.rpartition(":")[0] or key


def _last_closed(session: Session) -> Period | None:
    """The period that ended last among those closed; of two, the shorter one."""
    closed = [Period.parse(text) for text in session.scalars(sa.select(Closing.period))]
    return max(closed, key=lambda each: (each.last_day, each.first_day), default=None)


def _nothing_decided(session: Session, owner: Owner, period: Period | None) -> NotFound:
    if period is None:
        return NotFound(
            f"Nothing was decided about {owner.subject} yet.", remedy="Close a period first."
        )
    last = _last_closed(session)
    return NotFound(
        f"Nothing was decided about {owner.subject} in {period}.",
        remedy=f"The last period that was closed is {last}." if last else "Close a period first.",
    )


def explain_transfer(
    session: Session, transfer: Transfer, *, settings: Settings, rows: int = ROWS_SHOWN
) -> Explained:
    """Explain what moved between accounts, whosever they are."""
    decision_id = _decision_behind(session, transfer)
    if decision_id is None:
        return Explained((_given(session, transfer, None, settings.zone),))
    chain = _Chain(session, RowsBehind(session, settings, rows))
    return Explained(tuple(chain.about(taken(session, [decision_id]).values())))


def _decision_behind(session: Session, transfer: Transfer | None) -> int | None:
    """The decision that a transfer goes back to, by way of what it settles or corrects."""
    while transfer is not None:
        if transfer.decision_id is not None:
            return transfer.decision_id
        if transfer.proposal_id is not None:
            return session.get_one(Proposal, transfer.proposal_id).decision_id
        before = transfer.settles_id or transfer.corrects_id
        transfer = session.get(Transfer, before) if before else None
    return None


def _given(
    session: Session, transfer: Transfer, owner: Owner | None, zone: ZoneInfo
) -> Explanation:
    """Points that no rule gave: the ledger's own reason is all there is."""
    entries = tuple(posted(session, [transfer], owner.wallet if owner else None, zone))
    wallet = owner.wallet if owner else entries[0].owner
    subject = wallet.partition(":")[2] if ":" in wallet else wallet
    return Explanation(subject, owner.name if owner else subject, None, entries)


# --- The chain ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Chain:
    """Follows decisions back to the rows, and forward to the entries."""

    session: Session
    behind: RowsBehind

    @property
    def zone(self) -> ZoneInfo:
        """In whose days moments are told."""
        return self.behind.settings.zone

    def about(self, about: Iterable[Taken]) -> list[Explanation]:
        asked = list(about)
        decisions = retell(self.session, [each.row for each in asked])
        transfers = transfers_about(self.session, [each.row.id for each in asked])
        return [
            self._explained(each, decisions[each.row.id], transfers[each.row.id]) for each in asked
        ]

    def _explained(
        self, each: Taken, decision: Decision, transfers: Sequence[Transfer]
    ) -> Explanation:
        partner = self.session.get_one(Partner, each.row.partner_id)
        entries = tuple(posted(self.session, transfers, None, self.zone))
        person = each.recipient(decision.rule)
        judged = Judged(
            on=each.on,
            period=each.period,
            verdict=Verdict(each.row.verdict),
            points=each.row.points,
            decision=decision,
            agrees=(decision.verdict, decision.points) == (each.row.verdict, each.row.points),
            published=self._published(each.row),
            reasons=tuple(self._reasons(decision, each.row.partner_id)),
            event=_told_event(each.event, self.zone) if each.event else None,
            proposals=tuple(self._proposals(each.row)),
            unpaid=self._unpaid(each.row, decision, entries),
            way=nearest(decision),
            **self._close(each, decision),
        )
        return Explanation(person or partner.code, person or partner.name, judged, entries)

    def _unpaid(
        self, row: DecisionRow, decision: Decision, entries: Sequence[Posted]
    ) -> Words | None:
        if entries or not row.points:
            return None
        return telling.unpaid(decision.rule, shared_out=is_shared_out(self.session, row))

    def _published(self, row: DecisionRow) -> Published:
        version = self.session.get_one(RuleVersion, row.rule_version_id)
        return Published(
            version.rule,
            version.published_at.astimezone(self.zone),
            version.published_by,
            version.approved_by,
            version.why,
            intact=version.rule.digest == version.digest,
        )

    def _close(self, each: Taken, decision: Decision) -> dict[str, Any]:
        """The close whose figures were looked at."""
        closing = each.closing
        if closing is None and decision.rule.needs().figures:
            closing = closing_of(self.session, decision.scorecard.period)
        return {
            "closed_at": closing.closed_at.astimezone(self.zone) if closing else None,
            "closed_by": closing.closed_by if closing else None,
        }

    def _reasons(self, decision: Decision, partner_id: int) -> Iterator[Reason]:
        for leaf in leaves(decision.findings):
            yield Reason(
                leaf.verdict,
                leaf.sentence,
                self._locally(leaf.figure),
                CATALOGUE[leaf.kpi].formula if leaf.kpi and leaf.kpi in CATALOGUE else None,
                self.behind.misses(decision, leaf, partner_id),
                self.behind.kept(decision, leaf, partner_id),
            )

    def _locally(self, figure: Figure | None) -> Figure | None:
        if figure is None or figure.as_of is None:
            return figure
        return replace(figure, as_of=figure.as_of.astimezone(self.zone))

    def _proposals(self, row: DecisionRow) -> Iterator[Proposed]:
        found = self.session.execute(
            sa.select(Proposal, ProposalOutcome)
            .outerjoin(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
            .where(Proposal.decision_id == row.id)
            .order_by(Proposal.id)
        )
        for proposal, outcome in found:
            yield _proposed(proposal, outcome, self.zone)


def _told_event(event: EventRow, zone: ZoneInfo) -> ToldEvent:
    recorded_at = event.recorded_at.astimezone(zone)
    return ToldEvent(event.key, event.kind, event.subject, event.person_email, recorded_at)


def _proposed(proposal: Proposal, outcome: ProposalOutcome | None, zone: ZoneInfo) -> Proposed:
    told = Proposed(
        proposal.id,
        proposal.points,
        Words(proposal.why_en, proposal.why_fr),
        proposal.proposed_at.astimezone(zone),
        proposal.proposed_by,
        proposal.changes,
    )
    if outcome is None:
        return told
    return replace(
        told,
        approved=outcome.approved,
        settled_at=outcome.settled_at.astimezone(zone),
        settled_by=outcome.settled_by,
        settled_why=outcome.why,
    )


# --- Rules that were for others -------------------------------------------------------------------


def _not_for(session: Session, owner: Owner, period: Period) -> Iterator[NotFor]:
    """The rules that were decided at the period's close, and not for this partner."""
    closing = closing_of(session, period)
    if closing is None or owner.partner_id is None:
        return
    of_close = sa.select(DecisionRow.rule_version_id).where(DecisionRow.closing_id == closing.id)
    own = of_close.where(DecisionRow.partner_id == owner.partner_id)
    versions = session.scalars(
        sa.select(RuleVersion)
        .where(RuleVersion.id.in_(of_close), RuleVersion.id.not_in(own))
        .order_by(RuleVersion.code)
    ).all()
    kept = session.get(FrozenPartner, (closing.id, owner.partner_id))
    for version in versions:
        rule = version.rule
        yield NotFor(rule, _whom_it_is_for(rule, frozenset(kept.groups) if kept else None))


def _whom_it_is_for(rule: Rule, belongs_to: frozenset[str] | None) -> Words:
    if belongs_to is None:
        return Words(
            "It wasn't a partner on the period's last day.",
            "Ce n’était pas un partenaire le dernier jour de la période.",
        )
    for wanted in _groups_wanted(rule.audience):
        if wanted and not belongs_to.intersection(wanted):
            return ways.only_for(sorted(wanted))
    return ways.only_for(["kind:distributor"])


def _groups_wanted(audience: Audience) -> Iterator[Sequence[str]]:
    """One of each has to be belonged to."""
    yield [f"kind:{kind}" for kind in audience.kinds]
    yield [f"tier:{tier}" for tier in audience.tiers]
    yield [f"country:{country}" for country in audience.countries]
    yield audience.groups
