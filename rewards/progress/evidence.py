"""What is known today about one partner and the rules for it, in a few statements.

The same evidence as `gathering` finds for everyone before a close, for one partner alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure, Scorecard
from partner_cx.measures.scorecards import NETWORK, ScorecardRow, figure_of
from partner_cx.network.partners import Partner
from partner_cx.periods import Period
from partner_cx.prepared import Prepared, among, spread
from rewards.deciding.gathering import peer_group, subject_of
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.evidence import EventsAsked, Evidence, Needs, PeerFigure
from rewards.frozen import Closing, FrozenFigure
from rewards.progress.running import Running
from rewards.rulebook import RuleVersion
from rewards.rules import Rule
from rewards.rules.limits import Won, looks_back_to

FIGURES_REMEMBERED = 4_000  # of each kind of rules in force, of some kilobyte each

Key = tuple[Period, str]  # a period and whose figures


@dataclass(frozen=True)
class Known:
    """What is known of one partner.

    figures: by period and subject, then by KPI. members: how many partners a group has.
    events: how many there were in a period; None: the network has never told of such.
    history: what each rule has come to, by its code.
    """

    partner: Partner
    groups: frozenset[str]
    figures: Mapping[Key, Mapping[str, Figure]] = field(default_factory=dict)
    members: Mapping[str, int] = field(default_factory=dict)
    events: Mapping[tuple[EventsAsked, Period], int | None] = field(default_factory=dict)
    history: Mapping[str, Sequence[Won]] = field(default_factory=dict)

    def evidence(self, running: Running) -> Evidence:
        """What a close of the running period would look at, were it today."""
        rule, period, needs = running.rule, running.period, running.rule.needs()
        _, subject = subject_of(rule, self.partner.code)
        own = self.figures.get((period, subject), {})
        return Evidence(
            scorecard=Scorecard(period, subject, own, self.groups),
            on=period.last_day,
            joined_on=self.partner.joined_on,
            earlier={
                (earlier, kpi): then[kpi]
                for earlier, kpi in needs.earlier
                if kpi in (then := self.figures.get((earlier.of(period), subject), {}))
            },
            peers=self._peers(needs, period),
            events={asked: self.events.get((asked, period)) for asked in needs.events},
        )

    def won(self, rule: Rule) -> Sequence[Won]:
        return self.history.get(rule.code, ())

    def _peers(self, needs: Needs, period: Period) -> dict[Any, PeerFigure]:
        found = {}
        for peers, kpi in needs.peers:
            group = peer_group(peers, self.groups)
            figures = self.figures.get((period, group or ""), {})
            if group and kpi in figures:
                found[peers, kpi] = PeerFigure(figures[kpi], self.members.get(group, 0))
        return found


def known_now(
    session: Session,
    partner: Partner,
    groups: frozenset[str],
    running: Sequence[Running],
    today: date,
) -> Known:
    at_closes = [each for each in running if not each.rule.on.event]
    return Known(
        partner,
        groups,
        _figures(session, partner, groups, at_closes),
        _members(session, groups, at_closes),
        _events(session, partner.id, at_closes),
        _history(session, partner.id, running, today),
    )


# --- Figures --------------------------------------------------------------------------------------


def _figures(
    session: Session, partner: Partner, groups: frozenset[str], running: Iterable[Running]
) -> dict[Key, dict[str, Figure]]:
    """Of the running periods as measured last; of earlier ones as frozen, where they are closed."""
    now: set[tuple[Period, str, str]] = set()
    before: set[tuple[Period, str, str]] = set()
    kpis: set[str] = set()
    for each in running:
        needs = each.rule.needs()
        level, subject = subject_of(each.rule, partner.code)
        if needs.figures:
            now.add((each.period, level, subject))
        for earlier, _ in needs.earlier:
            before.add((earlier.of(each.period), level, subject))
        for peers, _ in needs.peers:
            group = peer_group(peers, groups)
            if group:
                now.add((each.period, NETWORK if group == NETWORK else "group", group))
        kpis |= needs.figures | {kpi for _, kpi in (*needs.earlier, *needs.peers)}
    found = _read(session, ScorecardRow, now | before, kpis)
    return found | _read(session, FrozenFigure, before, kpis)


def _read(
    session: Session,
    table: type[ScorecardRow | FrozenFigure],
    wanted: Collection[tuple[Period, str, str]],
    kpis: Collection[str],
) -> dict[Key, dict[str, Figure]]:
    found: dict[Key, dict[str, Figure]] = defaultdict(dict)
    if not wanted:
        return found
    periods = {str(period): period for period, _, _ in wanted}
    lists: dict[str, Collection[str]] = {
        "period": periods,
        "level": {level for _, level, _ in wanted},
        "subject": {subject for _, _, subject in wanted},
        "kpi": kpis,
    }
    asked: dict[str, str] = {}
    for name, some in lists.items():
        asked |= spread(name, some)
    reading = _reading(table, *map(len, lists.values()))
    for said, level, subject, figure in reading.rows(session, asked):
        period = periods[said]
        if (period, level, subject) in wanted:
            found[period, subject][figure.kpi] = figure
    return found


@lru_cache(maxsize=8)
def _reading(
    table: type[ScorecardRow | FrozenFigure], periods: int, levels: int, subjects: int, kpis: int
) -> Prepared:
    """Figures of some periods and subjects. The numbers: how many of each are asked for."""
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    asked = sa.select(*columns).where(
        among(table.period, "period", periods),
        among(table.level, "level", levels),
        among(table.subject, "subject", subjects),
        among(table.kpi, "kpi", kpis),
    )
    return Prepared(
        asked,
        into=lambda row: (row.period, row.level, row.subject, figure_of(row)),
        remembered=FIGURES_REMEMBERED,
    )


def _members(
    session: Session, groups: frozenset[str], running: Iterable[Running]
) -> dict[str, int]:
    """How many partners each group of peers has, on the last day of the longest period."""
    asked = sorted(
        {
            (group, each.period.last_day)
            for each in running
            for peers, _ in each.rule.needs().peers
            if (group := peer_group(peers, groups))
        }
    )
    if not asked:
        return {}
    counts = [
        sa.select(sa.func.count(Partner.id))
        .where(
            sa.or_(Partner.joined_on.is_(None), Partner.joined_on <= day),
            sa.or_(Partner.left_on.is_(None), Partner.left_on > day),
            *_belonging(group),
        )
        .scalar_subquery()
        for group, day in asked
    ]
    row = session.execute(sa.select(*counts)).one()
    return {group: count for (group, _), count in zip(asked, row, strict=True)}


def _belonging(group: str) -> list[sa.ColumnElement[bool]]:
    if group == NETWORK:
        return []
    name, _, value = group.partition(":")
    return [getattr(Partner, name) == value]


# --- Events and what was won ----------------------------------------------------------------------


def _events(
    session: Session, partner_id: int, running: Iterable[Running]
) -> dict[tuple[EventsAsked, Period], int | None]:
    asked = sorted(
        {(asked, each.period) for each in running for asked in each.rule.needs().events}, key=str
    )
    if not asked:
        return {}
    columns = [column for each in asked for column in _counting(partner_id, *each)]
    row = session.execute(sa.select(*columns)).one()
    return {
        each: int(row[place * 2 + 1]) if row[place * 2] else None
        for place, each in enumerate(asked)
    }


def _counting(
    partner_id: int, asked: EventsAsked, period: Period
) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Whether the network ever told of such events, and how many the partner had."""
    last = period.last_day
    first = period.first_day if asked.days is None else last - timedelta(days=asked.days - 1)
    counted = sa.select(sa.func.count(EventRow.id)).where(
        EventRow.partner_id == partner_id,
        EventRow.kind == asked.kind,
        EventRow.on.between(first, last),
    )
    if asked.subject is not None:
        counted = counted.where(EventRow.subject == asked.subject)
    ever = sa.select(EventRow.id).where(EventRow.kind == asked.kind)
    return sa.exists(ever), counted.scalar_subquery()


def _history(
    session: Session, partner_id: int, running: Iterable[Running], today: date
) -> dict[str, list[Won]]:
    """What the rules have come to, as far back as their limits look, in one statement."""
    since = {
        each.rule.code: min(
            each.period.first_day,
            looks_back_to(each.rule.limits, each.rule.cool_down_days, today),
        )
        for each in running
        if each.rule.on.event or each.rule.limits or each.rule.cool_down_days
    }
    if not since:
        return {}
    asked = {"partner_id": partner_id, "first": min(since.values())} | spread("code", since)
    found = _won(len(since)).rows(session, asked)
    won: dict[str, list[Won]] = defaultdict(list)
    for row in found:
        day = row.on if row.period is None else Period.parse(row.period).last_day
        won[row.code].append(Won(day, row.points))
    return won


@lru_cache
def _won(rules: int) -> Prepared:
    """rules: how many are asked for."""
    return Prepared(
        sa.select(RuleVersion.code, DecisionRow.points, Closing.period, EventRow.on)
        .join(RuleVersion, RuleVersion.id == DecisionRow.rule_version_id)
        .outerjoin(Closing, Closing.id == DecisionRow.closing_id)
        .outerjoin(EventRow, EventRow.id == DecisionRow.event_id)
        .where(
            DecisionRow.partner_id == sa.bindparam("partner_id"),
            DecisionRow.points > 0,
            among(RuleVersion.code, "code", rules),
            sa.or_(EventRow.on.is_(None), EventRow.on >= sa.bindparam("first", type_=sa.Date)),
        )
    )
