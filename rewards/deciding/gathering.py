"""Gathering: the evidence of everyone a rule is for, as it was known at one close.

Before it stand frozen scorecards, frozen partners and events; after it `rules.judge`, which says
what each comes to, and `rules.decide`, which says why. Nothing here depends on when it is asked:
gathered for the same close, the evidence is the same for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure, Scorecard
from partner_cx.measures.scorecards import NETWORK, FigureColumns, ScorecardRow
from partner_cx.network.names import PartnerKind
from partner_cx.periods import Period
from rewards.deciding.candidates import Candidate, candidates, frozen_candidates
from rewards.deciding.history import history
from rewards.deciding.kept import KeptFigures
from rewards.events import EventRow
from rewards.evidence import Earlier, Event, EventsAsked, Evidence, Needs, PeerFigure, Peers
from rewards.frozen import Closing, FrozenFigure, closing_of
from rewards.rules import Level, Rule

__all__ = [
    "Candidate",
    "Gathered",
    "candidates",
    "count_events",
    "frozen_candidates",
    "gather",
    "history",
    "is_for",
    "peer_group",
    "subject_of",
]

Figures = Mapping[str, Mapping[str, Figure]]  # by subject and KPI


@dataclass(frozen=True)
class Gathered:
    """The evidence about everyone in one period.

    own, by_group: the period's figures, of partners and of groups with the network.
    earlier: the same of earlier periods. members: how many candidates belong to each group.
    events: how many of each kind every partner had; None where none was ever told.
    """

    period: Period
    candidates: Sequence[Candidate]
    own: Figures
    by_group: Figures
    earlier: Mapping[Earlier, tuple[Figures, Figures]] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[EventsAsked, Mapping[int, int] | None] = field(default_factory=dict)

    def audience(self, rule: Rule) -> list[Candidate]:
        """Whom a rule is for. Only a distributor has a distributor's figures."""
        return [candidate for candidate in self.candidates if is_for(rule, candidate)]

    def evidence(self, rule: Rule, candidate: Candidate, event: Event | None = None) -> Evidence:
        """What a rule looks at for one candidate."""
        level, subject = subject_of(rule, candidate.code)
        figures = self.own if level == "partner" else self.by_group
        needs = rule.needs()
        return Evidence(
            scorecard=Scorecard(self.period, subject, figures.get(subject, {}), candidate.groups),
            on=self.period.last_day,
            joined_on=candidate.joined_on,
            earlier=self._earlier(needs, level, subject),
            peers=self._peers(needs, candidate),
            events={asked: self._count(asked, candidate) for asked in needs.events},
            event=event,
        )

    def _earlier(self, needs: Needs, level: str, subject: str) -> dict[tuple[Earlier, str], Figure]:
        found = {}
        for earlier, kpi in needs.earlier:
            of_partners, of_groups = self.earlier.get(earlier, ({}, {}))
            figures = of_partners if level == "partner" else of_groups
            if figure := figures.get(subject, {}).get(kpi):
                found[earlier, kpi] = figure
        return found

    def _peers(self, needs: Needs, candidate: Candidate) -> dict[tuple[Peers, str], PeerFigure]:
        found = {}
        for peers, kpi in needs.peers:
            group = peer_group(peers, candidate.groups)
            if group and (figure := self.by_group.get(group, {}).get(kpi)):
                found[peers, kpi] = PeerFigure(figure, self.members.get(group, 0))
        return found

    def _count(self, asked: EventsAsked, candidate: Candidate) -> int | None:
        counts = self.events.get(asked)
        return None if counts is None else counts.get(candidate.partner_id, 0)


def gather(
    session: Session,
    period: Period,
    rules: Iterable[Rule],
    *,
    closing: Closing | None,
    only: Collection[int] | None = None,
) -> Gathered:
    """Gather what rules look at in a period.

    closing: the period's own close, whose evidence is read as it was frozen; None: the figures
        measured last, and earlier periods from their close where they have one.
    only: the evidence of these partners alone; None: of all that were partners on the last day.
    """
    needs = Needs.of_all(rule.needs() for rule in rules)
    everyone = _everyone(session, closing, period, only)
    table = FrozenFigure if closing else ScorecardRow
    own, by_group = _figures(session, period, table, needs.figures | _kpis(needs.peers), everyone)
    return Gathered(
        period=period,
        candidates=everyone,
        own=own,
        by_group=by_group,
        earlier=_earlier(session, period, needs, closing, everyone),
        members=_members(session, closing, period, only, everyone) if needs.peers else {},
        events={
            asked: count_events(session, asked, period, closing, only) for asked in needs.events
        },
    )


def _everyone(
    session: Session, closing: Closing | None, period: Period, only: Collection[int] | None
) -> list[Candidate]:
    if closing:
        return frozen_candidates(session, closing.id, only)
    return candidates(session, period.last_day, only)


def is_for(rule: Rule, candidate: Candidate) -> bool:
    if rule.measured_on is Level.DISTRIBUTOR and candidate.kind != PartnerKind.DISTRIBUTOR:
        return False
    return rule.audience.includes(candidate.groups)


def subject_of(rule: Rule, partner_code: str) -> tuple[str, str]:
    """Whose figures a rule looks at for a partner: the level and the subject."""
    if rule.measured_on is Level.DISTRIBUTOR:
        return "group", f"distributor:{partner_code}"
    return "partner", partner_code


def peer_group(peers: Peers, belongs_to: Collection[str]) -> str | None:
    """The group that somebody is compared with: the first by name, if it belongs to several."""
    if peers is Peers.NETWORK:
        return NETWORK
    return min((code for code in belongs_to if code.startswith(f"{peers}:")), default=None)


def _kpis(asked: Iterable[tuple[object, str]]) -> frozenset[str]:
    return frozenset(kpi for _, kpi in asked)


def _figures(
    session: Session,
    period: Period,
    table: type[FigureColumns],
    kpis: Collection[str],
    everyone: Sequence[Candidate],
) -> tuple[Figures, Figures]:
    """The figures of partners, and those of groups and the network."""
    asked = table.kpi.in_(sorted(kpis))
    few = [table.subject.in_([each.code for each in everyone])] if len(everyone) <= 100 else []
    return (
        KeptFigures(session, period, ["partner"], asked, *few, table=table),
        KeptFigures(session, period, ["group", NETWORK], asked, table=table),
    )


def _earlier(
    session: Session,
    period: Period,
    needs: Needs,
    closing: Closing | None,
    everyone: Sequence[Candidate],
) -> dict[Earlier, tuple[Figures, Figures]]:
    """Figures of earlier periods; at a close only those that were closed by then."""
    found = {}
    for earlier in sorted({earlier for earlier, _ in needs.earlier}):
        before = earlier.of(period)
        closed = closing_of(session, before)
        if closing and (closed is None or closed.id > closing.id):
            continue
        kpis = {kpi for each, kpi in needs.earlier if each is earlier}
        table = FrozenFigure if closed else ScorecardRow
        found[earlier] = _figures(session, before, table, kpis, everyone)
    return found


def _members(
    session: Session,
    closing: Closing | None,
    period: Period,
    only: Collection[int] | None,
    asked: Sequence[Candidate],
) -> dict[str, int]:
    """How many belong to each group: of everyone, however few are asked about."""
    everyone = asked if only is None else _everyone(session, closing, period, None)
    counts = {NETWORK: len(everyone)}
    for candidate in everyone:
        for code in candidate.groups:
            counts[code] = counts.get(code, 0) + 1
    return counts


def count_events(
    session: Session,
    asked: EventsAsked,
    period: Period,
    closing: Closing | None,
    only: Collection[int] | None,
) -> dict[int, int] | None:
    """How many events every partner had, by its id; None where none was ever told."""
    last = period.last_day
    first = period.first_day if asked.days is None else last - timedelta(days=asked.days - 1)
    known = [EventRow.kind == asked.kind]
    if closing is not None:
        known.append(EventRow.id <= (closing.last_event_id or 0))
    if session.scalar(sa.select(EventRow.id).where(*known).limit(1)) is None:
        return None
    wanted = [*known, EventRow.on.between(first, last)]
    if asked.subject is not None:
        wanted.append(EventRow.subject == asked.subject)
    if only is not None:
        wanted.append(EventRow.partner_id.in_(sorted(only)))
    counted = sa.select(EventRow.partner_id, sa.func.count()).where(*wanted)
    found = session.execute(counted.group_by(EventRow.partner_id))
    return {partner_id: count for partner_id, count in found}  # noqa: C416  rows aren't tuples
