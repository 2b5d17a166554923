"""The worker: carries out what is owed outside, at least once, and settles each effect once.

Before: effects, written by whatever made them owed. After: neighbours, told under the effect's key.
Any number of workers share one database; each takes a few effects at a time under a lease that it
keeps alive while it works. A worker that is killed leaves its leases behind: when they run out
another takes them over.
"""

from __future__ import annotations

import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import chain, repeat
from threading import Event

import structlog
from sqlalchemy.exc import DBAPIError

from integrations import leasing
from integrations.beating import beating
from integrations.carrying import Due, Handler, Hands, Later
from integrations.handlers import HANDLERS, LONGEST, patience_with
from integrations.leasing import ANYTHING, Lane, Leased, Notes
from integrations.outcomes import (
    Done,
    Outcome,
    Parked,
    broken_off,
    is_passing,
    outcome_of,
    unknown_kind,
    way_of,
)
from partner_cx.errors import PartnerCXError

LEASE = timedelta(minutes=2)
AT_ONCE = 40  # effects under one lease: what a killed worker keeps others from meanwhile
# Workers that may end with an effect in their hands, or waiting there, before it is put off.
ENDS_MAX = 10
# Between tries to write down an outcome while the database is away.
FIRST_WAITS_SECONDS = (0.25, 0.5, 1.0, 2.0)
WAIT_SECONDS = 4.0

log = structlog.get_logger()


def carry_out_due(
    hands: Hands, *, limit: int | None = None, handlers: Mapping[str, Handler] | None = None
) -> int:
    """Carry out what is due until nothing is, or `limit` effects; how many were begun."""
    return Worker(hands, handlers=HANDLERS if handlers is None else handlers).run_dry(limit)


def own_name() -> str:
    """A name that no other worker has or will have."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass
class Worker:
    """One that carries effects out, one after the other.

    lane: which kinds it takes. lasting: how long a lease holds without a heart-beat.
    stopping: set, it finishes the effect at hand, gives the others back and returns.
    on_hanging: called, from another thread, when an effect takes longer than anybody would wait.
    """

    hands: Hands
    handlers: Mapping[str, Handler] = field(default_factory=lambda: HANDLERS)
    lane: Lane = ANYTHING
    lasting: timedelta = LEASE
    at_once: int = AT_ONCE
    name: str = field(default_factory=own_name)
    stopping: Event = field(default_factory=Event)
    on_hanging: Callable[[], None] = lambda: None

    def run_dry(self, limit: int | None = None) -> int:
        """Carry out what is due until nothing is, or it is told to stop."""
        begun = 0
        while not self.stopping.is_set() and (limit is None or begun < limit):
            room = self.at_once if limit is None else min(self.at_once, limit - begun)
            some = self._lease(room)
            if not some:
                break
            begun += self._carry_out_all(some)
        return begun

    def _lease(self, limit: int) -> list[Leased]:
        return leasing.lease(
            self.hands.engine,
            by=self.name,
            now=self.hands.clock(),
            lasting=self.lasting,
            limit=limit,
            lane=self.lane,
        )

    def _carry_out_all(self, leased: list[Leased]) -> int:
        """Carry out what was leased, in turn, and note what came of each at once."""
        waiting = list(leased)
        ids = [each.due.id for each in leased]
        with (
            beating(
                self.hands,
                ids,
                by=self.name,
                lasting=self.lasting,
                longest=LONGEST,
                on_hanging=self.on_hanging,
            ) as heart,
            closing(Notes(self.hands.engine, self.name)) as notes,
        ):
            while waiting and not (self.stopping.is_set() or heart.is_still):
                each = waiting.pop(0)
                heart.begin(each.due)
                self._note(notes, each.due, self._carry_out(each))
        if waiting:
            left = [each.due.id for each in waiting]
            leasing.give_back(self.hands.engine, left, by=self.name)
        return len(leased) - len(waiting)

    def _carry_out(self, leased: Leased) -> Outcome:
        due, now = leased.due, self.hands.clock()
        if leased.taken_over and due.tries > ENDS_MAX:
            return broken_off(due, leased.last_error, now, draw=random.random)
        if due.kind not in self.handlers:
            return unknown_kind(due, now, draw=random.random)
        try:
            return Done(self.handlers[due.kind](due, self.hands))
        except Exception as error:  # noqa: BLE001 - the edge: whatever it was, it is noted
            return self._failed(error, due)

    def _failed(self, error: Exception, due: Due) -> Outcome:
        patience = patience_with(due.kind)
        outcome = outcome_of(error, due, self.hands.clock(), patience=patience, draw=random.random)
        if not isinstance(error, PartnerCXError | Later):
            log.error(
                "an effect failed",
                kind=due.kind,
                key=due.key,
                error=type(error).__name__,
                way=way_of(error),
            )
        elif isinstance(outcome, Parked):
            log.warning("an effect is parked", kind=due.kind, key=due.key)
        return outcome

    def _note(self, notes: Notes, due: Due, outcome: Outcome) -> None:
        """Write the outcome down, also where the database is away for as long as a lease holds.

        Nothing else could be done meanwhile, and what isn't noted is carried out again.
        """
        until = time.monotonic() + self.lasting.total_seconds()
        waits = chain(FIRST_WAITS_SECONDS, repeat(WAIT_SECONDS))
        while True:
            try:
                if not notes.note(due, outcome, self.hands.clock()):
                    log.warning("an effect was taken over", kind=due.kind, key=due.key)
                return
            except DBAPIError as error:
                if not is_passing(error) or time.monotonic() >= until:
                    raise
                time.sleep(next(waits))
