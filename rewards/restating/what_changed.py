"""What changed: the facts and events behind a decision that would come out differently.

Before: the figures that changed, and the revisions of facts. After: proposals, which name them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.kinds import KINDS
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.operations.changes import Change, Changes, facts_changed
from partner_cx.periods import Period
from rewards.deciding.gathering import Candidate
from rewards.events import EventRow
from rewards.evidence import Needs
from rewards.frozen import Closing
from rewards.restating.changed_facts import EVENTS
from rewards.restating.known_now import Changed, Known

Asked = tuple[Needs, Candidate, tuple[Changed, ...]]


@dataclass(frozen=True)
class WhatChanged:
    """The facts of a closed period that were learned or corrected since."""

    session: Session
    closing: Closing
    period: Period
    known: Known

    def behind(
        self, asked: Mapping[int, Asked], partner_ids: Mapping[str, int]
    ) -> dict[int, Changes]:
        """The facts behind the changed figures and events of decisions, by the decision's id.

        partner_ids: by code.
        """
        wanted = {
            number: {
                (kind, partner)
                for each in changed
                for kind in _kinds(each.kpi)
                for partner in self._drawn_from(each, partner_ids)
            }
            for number, (_, _, changed) in asked.items()
        }
        found = self._facts({pair for pairs in wanted.values() for pair in pairs})
        return {
            number: sum(
                (found[pair] for pair in sorted(pairs) if pair in found),
                self._events(*asked[number][:2]),
            )
            for number, pairs in wanted.items()
        }

    def _drawn_from(self, changed: Changed, partner_ids: Mapping[str, int]) -> Collection[int]:
        """The partners whose facts a figure is drawn from."""
        if changed.level == "partner":
            number = partner_ids.get(changed.subject)
            return [] if number is None else [number]
        if changed.level == "group":
            return self._members.get(changed.subject, ())
        return partner_ids.values()

    @cached_property
    def _members(self) -> dict[str, list[int]]:
        members: dict[str, list[int]] = defaultdict(list)
        memberships = self.known.memberships
        for group, partner in zip(
            memberships["group_code"], memberships["partner_id"], strict=True
        ):
            members[str(group)].append(int(partner))
        return members

    def _facts(self, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Changes]:
        by_kind: dict[str, set[int]] = defaultdict(set)
        for kind, partner in wanted:
            by_kind[kind].add(partner)
        return {
            (kind, partner): changes
            for kind, partners in sorted(by_kind.items())
            for partner, changes in facts_changed(
                self.session,
                KINDS[kind],
                partners=partners,
                first=self.period.first_day,
                last=self.period.last_day,
                since=self.closing.last_import_id or 0,
            ).items()
        }

    def _events(self, needs: Needs, candidate: Candidate) -> Changes:
        """The events that a rule counts and that were recorded after the close."""
        if not needs.events:
            return Changes()
        last = self.period.last_day
        longest = max((asked.days or 1 for asked in needs.events), default=1)
        first = min(self.period.first_day, last - timedelta(days=longest - 1))
        late = sa.select(EventRow).where(
            EventRow.partner_id == candidate.partner_id,
            EventRow.kind.in_({asked.kind.value for asked in needs.events}),
            EventRow.id > (self.closing.last_event_id or 0),
            EventRow.on.between(first, last),
        )
        found = tuple(_told(row) for row in self.session.scalars(late.order_by(EventRow.id)))
        return Changes() + Changes(len(found), found)


def _kinds(kpi: str) -> Iterable[str]:
    """The kinds of facts behind a KPI; not the directory, which is as it was."""
    facts = CATALOGUE[kpi].facts if kpi in CATALOGUE else ()
    return [kind for kind in facts if kind in KINDS and KINDS[kind].family]


def _told(row: EventRow) -> Change:
    return Change(
        kind=EVENTS,
        source=row.kind,
        source_id=row.key,
        then=None,
        now={"on": row.on.isoformat(), "subject": row.subject},
        file_name="",
        told_at=row.recorded_at,
        import_id=0,
    )
