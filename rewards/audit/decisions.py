"""Decisions taken again, from the frozen evidence, by the rules that were in force then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from partner_cx.network.partners import Partner
from partner_cx.operations.revisions import Revision
from partner_cx.periods import Period
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.audit.rules import Readable
from rewards.deciding.gathering import Gathered, gather
from rewards.deciding.history import history
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events.evidence import event_evidence, event_history
from rewards.frozen import Closing
from rewards.rulebook import RuleRetirement, RuleVersion
from rewards.rules import Occasion, Rule, judge


def told(verdict: str, points: int) -> str:
    return f"{verdict}, {points} points"


# --- At closes ----------------------------------------------------------------------------------


def at_closes(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Every rule of every close again, for everyone it was for."""
    for closing in inspection.session.scalars(sa.select(Closing).order_by(Closing.id)).all():
        yield from _at_close(inspection, closing, rules)


def _at_close(inspection: Inspection, closing: Closing, rules: Readable) -> Iterator[Found]:
    session, period = inspection.session, Period.parse(closing.period)
    present = set(
        session.scalars(
            sa.select(DecisionRow.rule_version_id).where(DecisionRow.closing_id == closing.id)
        ).unique()
    )
    by_version = dict(_due(inspection, closing, period, rules))
    for number in sorted(present & rules.keys()):
        yield from _swapped(closing, rules[number], period, by_version)
    again = {
        number: rules[number] for number in (present | set(by_version.values())) & rules.keys()
    }
    gathered = gather(session, period, [rule for _, rule in again.values()], closing=closing)
    for number in sorted(again, key=lambda each: rules[each][0].code):
        yield from _decided_again(inspection, closing, number, again[number][1], gathered)


def _due(
    inspection: Inspection, closing: Closing, period: Period, rules: Readable
) -> Iterator[tuple[str, int]]:
    """The versions that were in force for certain, by code: published before the close began.

    When clocks say that a version is younger than the close, nothing is certain: the moment of
    a close can be chosen, and an earlier one decided by what was published by then.
    """
    newest: dict[str, tuple[RuleVersion, Rule]] = {}
    for version, rule in rules.values():  # in order of their versions
        if version.starts_on <= period.first_day and version.published_at < closing.closed_at:
            newest[version.code] = (version, rule)
    retired = sa.select(RuleRetirement.code, sa.func.max(RuleRetirement.version)).where(
        RuleRetirement.from_day <= period.first_day
    )
    found = inspection.session.execute(retired.group_by(RuleRetirement.code))
    last_retired = {code: version for code, version in found}  # noqa: C416 - rows aren't pairs
    for code, (version, rule) in newest.items():
        if rule.holds_in(period) and version.version > last_retired.get(code, 0):
            yield code, version.id


def _swapped(
    closing: Closing,
    used: tuple[RuleVersion, Rule],
    period: Period,
    due: Mapping[str, int],
) -> Iterator[Found]:
    version, rule = used
    where = f"{closing.period} {version.code}"
    if version.id == due.get(version.code):
        return
    if not rule.holds_in(period) or version.starts_on > period.first_day:
        yield Found("rule_version_swapped", where, "none", version.version)
    elif version.code in due and version.published_at != closing.closed_at:
        yield Found("rule_version_swapped", where, "another", version.version)


def _decided_again(
    inspection: Inspection, closing: Closing, number: int, rule: Rule, gathered: Gathered
) -> Iterator[Found]:
    session = inspection.session
    limited = rule.limits or rule.cool_down_days
    won = history(session, rule.code, before=closing) if limited else {}
    rows = sa.select(
        DecisionRow.partner_id, Partner.code, DecisionRow.verdict, DecisionRow.points
    ).join(Partner, Partner.id == DecisionRow.partner_id)
    rows = rows.where(DecisionRow.closing_id == closing.id, DecisionRow.rule_version_id == number)
    kept = {row.partner_id: row for row in session.execute(rows)}
    for candidate in gathered.audience(rule):
        evidence = gathered.evidence(rule, candidate)
        verdict, points = judge(rule, evidence, won.get(candidate.partner_id, ()))
        where = f"{closing.period} {rule.code} {candidate.code}"
        row = kept.pop(candidate.partner_id, None)
        inspection.saw("decisions")
        was = row and (row.verdict, row.points)
        yield from _compared(where, was, (verdict.value, points), limited=bool(limited))
    if closing.partners_digest is not None:
        for row in sorted(kept.values(), key=lambda each: each.code):
            yield Found("decision_extra", f"{closing.period} {rule.code} {row.code}")


def _compared(
    where: str, kept: tuple[str, int] | None, again: tuple[str, int], *, limited: bool
) -> Iterator[Found]:
    if kept is None:
        yield Found("decision_missing", where, told(*again))
    elif limited and kept[0] == again[0] and kept[1] > again[1]:
        yield Found("limit_exceeded", where, f"{again[1]} points", f"{kept[1]} points")
    elif kept != again:
        yield Found("decision_altered", where, told(*again), told(*kept))


# --- On events ----------------------------------------------------------------------------------


def on_events(inspection: Inspection, rules: Readable) -> Iterator[Found]:
    """Every event's decisions again, as they were known when it was told."""
    deciding = _Deciding.of(inspection, rules)
    for stretch in inspection.ranges(EventRow.id):
        events = inspection.session.scalars(
            sa.select(EventRow).where(stretch).order_by(EventRow.id)
        ).all()
        rows = inspection.session.scalars(
            sa.select(DecisionRow)
            .join(EventRow, EventRow.id == DecisionRow.event_id)
            .where(stretch)
            .order_by(DecisionRow.id)
        )
        kept: dict[int, list[DecisionRow]] = {}
        for row in rows:
            kept.setdefault(row.event_id or 0, []).append(row)
        for event in events:
            inspection.saw("events")
            yield from _on_event(inspection, event, kept.get(event.id, ()), rules, deciding)


def _on_event(
    inspection: Inspection,
    event: EventRow,
    rows: Sequence[DecisionRow],
    rules: Readable,
    deciding: _Deciding,
) -> Iterator[Found]:
    due = dict(deciding.due(event))
    for row in rows:
        if row.rule_version_id not in rules:
            continue  # the version can't be read, which is told elsewhere
        version, rule = rules[row.rule_version_id]
        where = f"{event.key} {rule.code}"
        inspection.saw("decisions")
        in_force = due.pop(version.code, version.id)
        if row.partner_id != event.partner_id or rule.on.value != event.kind:
            yield Found("decision_extra", where)
            continue
        if not rule.holds_on(event.on) or (
            in_force != version.id and version.published_at != event.recorded_at
        ):
            yield Found("rule_version_swapped", where, "another", version.version)
        evidence = event_evidence(inspection.session, event, rule)
        again = judge(rule, evidence, event_history(inspection.session, event, rule))
        yield from _compared(
            where,
            (row.verdict, row.points),
            (again[0].value, again[1]),
            limited=bool(rule.limits or rule.cool_down_days),
        )
    for code, number in sorted(due.items()):
        evidence = event_evidence(inspection.session, event, rules[number][1])
        verdict, points = judge(
            rules[number][1],
            evidence,
            event_history(inspection.session, event, rules[number][1]),
        )
        yield Found("decision_missing", f"{event.key} {code}", told(verdict.value, points))


@dataclass(frozen=True)
class _Deciding:
    """Which versions decided events for certain.

    retirements: code, version and first day of each. leavers: partners that had left, at some
    time or other, with the earliest day: on an event after it the program decided nothing.
    """

    versions: Sequence[tuple[RuleVersion, Rule]]
    retirements: Sequence[RuleRetirement]
    leavers: Mapping[int, str]

    @classmethod
    def of(cls, inspection: Inspection, rules: Readable) -> _Deciding:
        session = inspection.session
        left = sa.select(Partner.id, Partner.left_on).where(Partner.left_on.is_not(None))
        leavers = {number: str(day) for number, day in session.execute(left)}
        formerly = sa.select(Revision.fact_id, Revision.contents).where(Revision.kind == "partners")
        for number, contents in inspection.stream(formerly):
            if (day := contents.get("left_on")) is not None:
                leavers[number] = min(str(day), leavers.get(number, str(day)))
        return cls(
            [each for each in rules.values() if each[1].on is not Occasion.CLOSE],
            session.scalars(sa.select(RuleRetirement)).all(),
            leavers,
        )

    def due(self, event: EventRow) -> Iterator[tuple[str, int]]:
        if event.joined_on and event.on < event.joined_on:
            return
        if event.partner_id in self.leavers and str(event.on) >= self.leavers[event.partner_id]:
            return
        newest: dict[str, tuple[RuleVersion, Rule]] = {}
        for version, rule in self.versions:
            if version.starts_on <= event.on and version.published_at < event.recorded_at:
                newest[version.code] = (version, rule)
        for code, (version, rule) in newest.items():
            retired = any(
                each.code == code and each.version >= version.version and each.from_day <= event.on
                for each in self.retirements
            )
            holds = rule.holds_on(event.on) and rule.on.value == event.kind
            if holds and not retired and rule.audience.includes(event.groups):
                yield code, version.id
