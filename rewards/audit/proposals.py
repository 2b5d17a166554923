"""Proposals: each is what was proposed, and its compensation what was approved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from partner_cx.network.partners import Partner
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.audit.rules import Readable
from rewards.decisions import DecisionRow
from rewards.frozen import Closing
from rewards.ledger import Account, AccountKind, Entry, Transfer, wallet_of
from rewards.restating.proposals import Proposal, ProposalOutcome
from rewards.rulebook import RuleVersion


def proposals(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Every proposal with all that carries it out."""
    for stretch in inspection.ranges(Proposal.id):
        rows = inspection.session.execute(_PROPOSED.where(stretch)).all()
        for _, lines in groupby(rows, key=lambda row: row.Proposal.id):
            inspection.saw("proposals")
            yield from _proposal(inspection, list(lines), rules)


_ORIGINAL = aliased(Transfer)
_PROPOSED = (
    sa.select(
        Proposal,
        ProposalOutcome.approved,
        ProposalOutcome.settled_at,
        DecisionRow.rule_version_id,
        RuleVersion.code.label("rule_code"),
        Closing.period,
        Partner.code.label("partner_code"),
        _ORIGINAL.id.label("original_id"),
        _ORIGINAL.key.label("original_key"),
        Transfer.id,
        Transfer.key,
        Transfer.corrects_id,
        Account.kind,
        Account.owner,
        Entry.points,
    )
    .outerjoin(ProposalOutcome, ProposalOutcome.proposal_id == Proposal.id)
    .outerjoin(DecisionRow, DecisionRow.id == Proposal.decision_id)
    .outerjoin(Partner, Partner.id == DecisionRow.partner_id)
    .outerjoin(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
    .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
    .outerjoin(_ORIGINAL, _ORIGINAL.decision_id == DecisionRow.id)
    .outerjoin(Transfer, Transfer.proposal_id == Proposal.id)
    .outerjoin(Entry, Entry.transfer_id == Transfer.id)
    .outerjoin(Account, Account.id == Entry.account_id)
    .order_by(Proposal.id, Transfer.id, Entry.points)
)


def _proposal(inspection: Inspection, lines: Sequence[Any], rules: Readable) -> Iterator[Found]:
    first = lines[0]
    proposal = first.Proposal
    if proposal.contents_digest != proposal.digest:
        yield Found("proposal_altered", proposal.key, proposal.digest, proposal.contents_digest)
    about = _about(first)
    if not proposal.key.startswith(about):
        yield Found("proposal_altered", proposal.key, about, proposal.key)
    carried_out = [line for line in lines if line.key is not None]
    if carried_out and not first.approved:
        yield Found("compensation_unapproved", carried_out[0].key)
    elif first.approved and not carried_out and _could_be(inspection, first):
        yield Found("proposal_unpaid", proposal.key, proposal.points)
    for line in carried_out:
        due = _corrected(first, line)
        if line.corrects_id != due:
            yield Found(
                "correction_astray", line.key, first.original_key or "nothing", line.corrects_id
            )
            break
    yield from _moved(first, carried_out, rules)


def _could_be(inspection: Inspection, row: Any) -> bool:
    """Whether it could be carried out: a wallet that holds nothing yet has nothing taken."""
    if row.Proposal.points > 0:
        return True
    held = (
        sa.select(sa.func.sum(Entry.points))
        .join(Transfer, Transfer.id == Entry.transfer_id)
        .join(Account, Account.id == Entry.account_id)
        .where(
            Account.kind == AccountKind.WALLET,
            Account.owner == wallet_of(row.partner_code or ""),
            Transfer.recorded_at < row.settled_at,
        )
    )
    return int(inspection.session.scalar(held) or 0) > 0


def _about(row: Any) -> str:
    """How the key of a proposal about this decision begins."""
    codes = [quote(code or "", safe="") for code in (row.rule_code, row.partner_code)]
    return ":".join(["restate", row.period or "", *codes, ""])


def _corrected(first: Any, line: Any) -> int | None:
    """The award that a compensation stands beside: none where it was paid only afterwards."""
    original: int | None = first.original_id
    return original if original is not None and original < line.id else None


def _moved(first: Any, carried_out: Sequence[Any], rules: Readable) -> Iterator[Found]:
    """A gift is whole; what is taken back may come in parts, and never to more than approved."""
    proposal = first.Proposal
    own = f"{wallet_of(first.partner_code)}" if first.partner_code else "nobody"
    points = sum(
        line.points or 0
        for line in carried_out
        if line.owner == own and line.kind in (AccountKind.WALLET, AccountKind.PENDING)
    )
    within = proposal.points <= points <= 0 if proposal.points < 0 else points == proposal.points
    if carried_out and not within:
        yield Found("compensation_amount", carried_out[0].key, proposal.points, points)
    if first.rule_version_id in rules:
        budget = rules[first.rule_version_id][1].budget
        for line in carried_out:
            if line.owner != own and (line.kind, line.owner) != (AccountKind.BUDGET, budget):
                yield Found(
                    "award_budget", line.key, f"budget {budget}", f"{line.kind} {line.owner}"
                )


def corrections(inspection: Inspection) -> Iterator[Found]:
    """Transfers that call themselves a correction without a proposal behind them."""
    alone = sa.select(Transfer.key, _ORIGINAL.key).outerjoin(
        _ORIGINAL, _ORIGINAL.id == Transfer.corrects_id
    )
    alone = alone.where(Transfer.corrects_id.is_not(None), Transfer.proposal_id.is_(None))
    for key, corrected in inspection.stream(alone.order_by(Transfer.id)):
        yield Found("correction_astray", key, "nothing without a proposal", corrected or "nothing")
