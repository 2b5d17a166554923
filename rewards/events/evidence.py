"""What a rule looks at when it is decided on an event, as it was known when the event was told.

Before it stand the events and the frozen scorecards; after it `rules.judge`, which decides, and
`rules.decide`, which tells the decision again. Nothing here depends on when it is asked: what was
recorded or closed after the event isn't looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from datetime import timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Figure, Scorecard
from partner_cx.measures.scorecards import NETWORK, figure_of
from partner_cx.network.partners import Partner
from partner_cx.operations.event_kinds import EventKind
from partner_cx.periods import Period, PeriodKind
from partner_cx.prepared import Prepared
from rewards.deciding.gathering import peer_group
from rewards.decisions import DecisionRow
from rewards.events import AnyEvent, EventRow
from rewards.evidence import Earlier, Event, EventsAsked, Evidence, Needs, PeerFigure, Peers
from rewards.frozen import Closing, FrozenFigure, FrozenPartner
from rewards.rulebook import RuleVersion
from rewards.rules import Recipient, Rule
from rewards.rules.limits import Won, looks_back_to


def event_evidence(
    session: Session, event: AnyEvent, rule: Rule, *, partner_code: str | None = None
) -> Evidence:
    """The evidence about an event's partner, as it was known when the event was told.

    Its scorecard is that of the last period of the rule's kind that was over before the event's day
    and closed by then; without figures where there is none. The event counts itself among those
    of its kind.
    partner_code: None looks it up.
    """
    needs = rule.needs()
    code = partner_code or session.scalars(_CODE, {"partner_id": event.partner_id}).one()
    groups = frozenset(event.groups)
    closed = _closed(session, event) if needs.figures or needs.earlier or needs.peers else {}
    period = _last_closed(closed, event, rule.period)
    figures = _figures(session, period, code, needs.figures) if period in closed else {}
    return Evidence(
        scorecard=Scorecard(period, code, figures, groups),
        on=event.on,
        joined_on=event.joined_on,
        earlier=_earlier(session, period, code, needs, closed),
        peers=_peers(session, period, groups, needs, closed),
        events={asked: _count(session, event, asked, rule.period) for asked in needs.events},
        event=Event(EventKind(event.kind), event.subject, event.person_email),
    )


def event_history(session: Session, event: AnyEvent, rule: Rule) -> list[Won]:
    """What the rule had already earned whoever gets its award, by closes and events before this.

    Of the events, those that its limits look at.
    """
    if not rule.limits and not rule.cool_down_days:
        return []
    asked = {
        "code": rule.code,
        "event": event.id,
        "closing": event.last_closing_id or 0,
        "since": looks_back_to(rule.limits, rule.cool_down_days, event.on),
    }
    if rule.award.to is Recipient.PERSON:
        if event.person_email is None:
            return []
        found = _BY_PERSON.rows(session, asked | {"person": event.person_email})
    else:
        found = _BY_PARTNER.rows(session, asked | {"partner": event.partner_id})
    return found


def _won() -> sa.Select[*tuple[Any, ...]]:
    """What a rule in any of its versions came to before an event, as `history` counts it."""
    decision, version = DecisionRow.__table__.c, RuleVersion.__table__.c
    closing, event = Closing.__table__.c, EventRow.__table__.c
    return (
        sa.select(decision.points, closing.period, event.on)
        .join_from(
            DecisionRow.__table__, RuleVersion.__table__, version.id == decision.rule_version_id
        )
        .outerjoin(Closing.__table__, closing.id == decision.closing_id)
        .outerjoin(EventRow.__table__, event.id == decision.event_id)
        .where(
            version.code == sa.bindparam("code"),
            decision.points > 0,
            sa.or_(
                closing.id <= sa.bindparam("closing"),
                sa.and_(event.id < sa.bindparam("event"), event.on >= sa.bindparam("since")),
            ),
        )
    )


def _as_won(row: Any) -> Won:
    return Won(row.on if row.period is None else _parsed(row.period).last_day, row.points)


_BY_PARTNER = Prepared(
    _won().where(DecisionRow.__table__.c.partner_id == sa.bindparam("partner")), into=_as_won
)
_BY_PERSON = Prepared(
    _won().where(EventRow.__table__.c.person_email == sa.bindparam("person")), into=_as_won
)
_CODE = sa.select(Partner.code).where(Partner.id == sa.bindparam("partner_id"))


def _closed(session: Session, event: AnyEvent) -> Mapping[Period, int]:
    """The periods that were closed when the event was told, with the ids of their closes.

    Read once in a process: what was closed by then never changes.
    """
    if event.last_closing_id is None:
        return {}
    known = _known.setdefault(session.get_bind().engine.pool, {})
    if event.last_closing_id not in known:
        found = session.execute(_CLOSED, {"last": event.last_closing_id})
        known[event.last_closing_id] = {_parsed(period): number for period, number in found}
    return known[event.last_closing_id]


# By the database's connection pool: a process may serve several databases.
_known: MutableMapping[sa.Pool, dict[int, dict[Period, int]]] = WeakKeyDictionary()
_CLOSED = sa.select(Closing.__table__.c.period, Closing.__table__.c.id).where(
    Closing.__table__.c.id <= sa.bindparam("last")
)
_parsed = lru_cache(maxsize=1_000)(Period.parse)


def _last_closed(closed: Collection[Period], event: AnyEvent, kind: PeriodKind) -> Period:
    """The last closed period before the event's day; the one just before it if there is none."""
    over = [each for each in closed if each.kind is kind and each.last_day < event.on]
    if over:
        return max(over, key=lambda each: each.first_day)
    return Period.of(event.on, kind).previous()


def _figures(
    session: Session, period: Period, subject: str, kpis: Collection[str]
) -> Mapping[str, Figure]:
    if not kpis:
        return {}
    return _frozen(session, period, "partner", subject, kpis)


def _frozen(
    session: Session, period: Period, level: str, subject: str, kpis: Collection[str]
) -> Mapping[str, Figure]:
    asked = {"period": str(period), "level": level, "subject": subject}
    named = {f"kpi_{number}": kpi for number, kpi in enumerate(sorted(kpis))}
    found = _frozen_of(len(named)).rows(session, asked | named)
    return {figure.kpi: figure for figure in found}


@lru_cache(maxsize=100)
def _frozen_of(kpis: int) -> Prepared:
    """The statement that asks for so many KPIs of a subject."""
    kept = FrozenFigure.__table__.c
    return Prepared(
        sa.select(FrozenFigure.__table__).where(
            kept.period == sa.bindparam("period"),
            kept.level == sa.bindparam("level"),
            kept.subject == sa.bindparam("subject"),
            kept.kpi.in_([sa.bindparam(f"kpi_{number}") for number in range(kpis)]),
        ),
        into=figure_of,
    )


def _earlier(
    session: Session, period: Period, code: str, needs: Needs, closed: Mapping[Period, int]
) -> dict[tuple[Earlier, str], Figure]:
    found = {}
    for earlier, kpi in sorted(needs.earlier):
        before = earlier.of(period)
        figures = _frozen(session, before, "partner", code, [kpi]) if before in closed else {}
        if kpi in figures:
            found[earlier, kpi] = figures[kpi]
    return found


def _peers(
    session: Session,
    period: Period,
    groups: frozenset[str],
    needs: Needs,
    closed: Mapping[Period, int],
) -> dict[tuple[Peers, str], PeerFigure]:
    found = {}
    for peers, kpi in sorted(needs.peers):
        group = peer_group(peers, groups)
        if group is None or period not in closed:
            continue
        level = NETWORK if group == NETWORK else "group"
        figures = _frozen(session, period, level, group, [kpi])
        if kpi in figures:
            members = _count_members(session, closed[period], group)
            found[peers, kpi] = PeerFigure(figures[kpi], members)
    return found


def _count_members(session: Session, closing_id: int, group: str) -> int:
    """How many partners a group had at a close."""
    belongings = sa.select(FrozenPartner.groups).where(FrozenPartner.closing_id == closing_id)
    return sum(group == NETWORK or group in belongs for belongs in session.scalars(belongings))


def _count(session: Session, event: AnyEvent, asked: EventsAsked, kind: PeriodKind) -> int | None:
    """How many such events the partner had by then; None where nobody had ever told of one."""
    period = Period.of(event.on, kind)
    first, last = period.first_day, period.last_day
    if asked.days is not None:
        first, last = event.on - timedelta(days=asked.days - 1), event.on
    values = {
        "partner": event.partner_id,
        "kind": asked.kind.value,
        "first": first,
        "last": last,
        "event": event.id,
        "subject": asked.subject,
    }
    counting = _COUNT if asked.subject is None else _COUNT_ABOUT
    if asked.subject is None:
        del values["subject"]
    ((count,),) = counting.rows(session, values)
    if count or asked.kind == event.kind:
        return count
    ever = sa.select(EventRow.id).where(EventRow.kind == asked.kind, EventRow.id <= event.id)
    return None if session.scalar(ever.limit(1)) is None else 0


_TOLD = EventRow.__table__.c
_COUNTED = sa.select(sa.func.count(_TOLD.id)).where(
    _TOLD.partner_id == sa.bindparam("partner"),
    _TOLD.kind == sa.bindparam("kind"),
    _TOLD.on.between(sa.bindparam("first"), sa.bindparam("last")),
    _TOLD.id <= sa.bindparam("event"),
)
_COUNT = Prepared(_COUNTED)
_COUNT_ABOUT = Prepared(_COUNTED.where(_TOLD.subject == sa.bindparam("subject")))
