"""Back-test: what a rule would have done and cost in past periods, before anybody publishes it.

Before it stand evidence frozen at closes, or measured now where a period isn't closed, and a rule
or its published versions; after it a table, a page, or a manager who thinks again. It decides by
the same functions as a close, so that a published rule comes to exactly what the ledger holds.
Nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import Invalid
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.backtest import views
from rewards.backtest.changes import Change, compared
from rewards.backtest.fairness import Share, shares, sizes
from rewards.backtest.lines import Basis, Batch, Line, PeriodRun, period_run
from rewards.backtest.money import pay_as_the_ledger_could, pay_from, pay_without_end
from rewards.backtest.on_events import Won_by, event_batches
from rewards.backtest.reach import Within, within_reach
from rewards.budgets import report
from rewards.deciding.candidates import Candidate
from rewards.deciding.gathering import Gathered, gather
from rewards.deciding.history import history
from rewards.deciding.judging import RANKS, Judging
from rewards.decisions import DecisionRow
from rewards.frozen import Closing, closing_of
from rewards.rulebook import RuleVersion, in_force, versions
from rewards.rules import Occasion, Rule
from rewards.rules.limits import Won


@dataclass(frozen=True)
class BackTest:
    """What a rule comes to in some periods.

    rule: the one that was tried; of published versions the last one that decided anything.
    as_published: whether each period was decided by the version in force.
    budget_points: what its budget held at first; None: the budget of the ledger, or none at all.
    everyone: all partners of the last period. size_of: how many order lines were due to each.
    last: the evidence of the last period, None for a rule on events; won: what partners had won
        by then.
    against: the rule it is compared with, and what that one comes to.
    """

    rule: Rule
    as_published: bool
    periods: tuple[PeriodRun, ...]
    batches: tuple[Batch, ...]
    budget_points: int | None
    everyone: Sequence[Candidate]
    size_of: Mapping[str, int]
    last: Gathered | None
    won: Mapping[int, Sequence[Won]]
    against: BackTest | None = None

    @property
    def lines(self) -> Iterator[Line]:
        """A line per partner and period, or per event, in the order in which they are decided."""
        return (line for batch in self.batches for line in batch.lines)

    @property
    def points(self) -> int:
        return sum(run.points for run in self.periods)

    @property
    def cost(self) -> int:
        return sum(run.paid for run in self.periods)

    @cached_property
    def short(self) -> Batch | None:
        """The first close, or event, that the budget couldn't pay in full."""
        return next((batch for batch in self.batches if batch.unpaid), None)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        """Who would gain and who would lose against the other rule; nobody without one."""
        return compared(self.against.lines, self.lines) if self.against else ()

    @cached_property
    def reach(self) -> tuple[Within, ...]:
        """Who missed the last period by how little, the nearest first.

        Asked for first while the session is open: the evidence is read then.
        """
        return within_reach(self.rule, self.last, self.won) if self.last else ()

    @cached_property
    def fairness(self) -> tuple[Share, ...]:
        """What each tier, region, country and size could win, and did."""
        return shares(self.everyone, self.lines, self.size_of)

    @property
    def sentences(self) -> list[Words]:
        """What heads a table: the cost, whether the budget lasts, who gains and loses."""
        return views.told(self)

    def to_plain(self) -> dict[str, Any]:
        """Everything as data that a page can draw."""
        return views.to_plain(self)


def backtest(
    session: Session,
    rule: Rule,
    periods: Sequence[Period],
    *,
    now: datetime,
    settings: Settings,
    against: Rule | None = None,
    budget_points: int | None = None,
) -> BackTest:
    """Try one rule on periods, whatever its own dates, from what they were closed on.

    periods: of any length; each is cut into those of the rule's kind. What isn't closed has been
        measured beforehand.
    against: another rule, tried alike.
    budget_points: what there is to pay; None: what the rule's budget was ever funded, and without
        end where it never was.
    """

    together = [each for each in (rule, against) if each]
    gathered: dict[Period, Judging] = {}

    def tried(each: Rule, other: BackTest | None) -> BackTest:
        points = budget_points
        if points is None:
            points = report(session, each.budget).funded or None
        run = _Run(session, now, settings, lambda _period, _closing: each, None, together, gathered)
        run.decide(each, cut(periods, each.period))
        if points is None:
            pay_without_end(run.batches)
        else:
            pay_from(run.batches, points)
        return run.told(each, as_published=False, budget_points=points, against=other)

    return tried(rule, tried(against, None) if against else None)


def backtest_published(
    session: Session,
    code: str,
    periods: Sequence[Period],
    *,
    now: datetime,
    settings: Settings,
    against: Rule | None = None,
    budget_points: int | None = None,
) -> BackTest:
    """Try a published rule: each closed period by the version that was in force at its close.

    It comes to what the ledger holds. budget_points: None: paid as the rule's budget could at
    every close, with what it was given by then, less what other rules drew.
    """
    newest = versions(session, code)[-1].rule

    def choose(period: Period, closing: Closing | None) -> Rule | None:
        if closing is not None:
            return _version_at(session, code, closing)
        return next((rule for each, rule in in_force(session, period) if each.code == code), None)

    other = None
    if against is not None:
        other = backtest(
            session, against, periods, now=now, settings=settings, budget_points=budget_points
        )
    run = _Run(session, now, settings, choose, code)
    run.decide(newest, cut(periods, newest.period))
    if budget_points is None:
        pay_as_the_ledger_could(session, code, run.batches)
    else:
        pay_from(run.batches, budget_points)
    last = run.batches[-1].rule if run.batches else newest
    return run.told(last, as_published=True, budget_points=budget_points, against=other)


def cut(periods: Sequence[Period], kind: PeriodKind) -> list[Period]:
    """The periods of a kind that lie in others, in order, each once."""
    pieces: set[Period] = set()
    for period in periods:
        if period.kind.months < kind.months:
            raise Invalid(
                f"{period} is a {period.kind}; the rule is decided for each {kind}.",
                remedy=f"Name {kind}s, such as {Period.of(period.first_day, kind)}.",
            )
        piece = Period.of(period.first_day, kind)
        while piece.first_day < period.end_day:
            pieces.add(piece)
            piece = piece.next()
    return sorted(pieces)


@dataclass
class _Run:
    """One rule on its way through the periods.

    choose: which rule decides a period; None: none does.
    published: the code of a published rule, whose awards before the first period count towards its
        limits; None: a rule that nobody has won by yet.
    together: the rules that are tried on the same evidence; gathered: that evidence, kept.
    last, won_before_last: the evidence of the last period decided, and what was won by then.
    """

    session: Session
    now: datetime
    settings: Settings
    choose: Callable[[Period, Closing | None], Rule | None]
    published: str | None = None
    together: Sequence[Rule] = ()
    gathered: dict[Period, Judging] = field(default_factory=dict)
    periods: dict[Period, Closing | None] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    won: Won_by = field(default_factory=dict)
    last: Gathered | None = None
    won_before_last: dict[int, tuple[Won, ...]] = field(default_factory=dict)

    def decide(self, rule: Rule, periods: Sequence[Period]) -> None:
        """Decide every period, in the order in which they were closed; open ones come last."""
        self.periods = {period: closing_of(self.session, period) for period in periods}
        self.won = self._won_before()
        if rule.on is Occasion.CLOSE:
            for period, closing in self._in_order():
                if chosen := self.choose(period, closing):
                    self.batches.append(self._closed(chosen, period, closing))
        else:
            basis = {period: self._basis(period) for period in periods}
            found = event_batches(self.session, rule, basis, self.won, published=self.published)
            self.batches = list(found)

    def told(
        self,
        rule: Rule,
        *,
        as_published: bool,
        budget_points: int | None,
        against: BackTest | None,
    ) -> BackTest:
        """What it came to, once it is decided and paid."""
        cost = 0
        for line in (line for batch in self.batches for line in batch.lines):
            cost = line.running_cost = cost + line.paid
        return BackTest(
            rule=rule,
            as_published=as_published,
            periods=tuple(self._runs()),
            batches=tuple(self.batches),
            budget_points=budget_points,
            everyone=self.last.candidates if self.last else _everyone(self.batches),
            size_of=sizes(self.session, self.periods),
            last=self.last,
            won=self.won_before_last,
            against=against,
        )

    def _in_order(self) -> list[tuple[Period, Closing | None]]:
        closed = [(period, closing) for period, closing in self.periods.items() if closing]
        open_ = [(period, closing) for period, closing in self.periods.items() if not closing]
        return [*sorted(closed, key=lambda each: each[1].id), *open_]

    def _closed(self, rule: Rule, period: Period, closing: Closing | None) -> Batch:
        """Decide one period as its close does."""
        judging = self._judging(rule, period, closing)
        self.last = judging.gathered
        self.won_before_last = {
            key: tuple(won) for key, won in self.won.items() if isinstance(key, int)
        }
        judged, day = judging.judge(rule, self.won_before_last), period.last_day
        lines = [
            Line(period, day, candidate, RANKS[rank], points)
            for candidate, rank, points in zip(
                judged.candidates, judged.ranks.tolist(), judged.points.tolist(), strict=True
            )
        ]
        for line in lines:
            if line.points:
                of_partner = self.won.setdefault(line.candidate.partner_id, [])
                of_partner.append(Won(line.on, line.points))
        number = closing.id if closing else None
        return Batch(period, self._basis(period), rule, lines, closing_id=number)

    def _judging(self, rule: Rule, period: Period, closing: Closing | None) -> Judging:
        """The period's evidence, gathered once for all rules that are tried together."""
        if rule not in self.together:
            return Judging(gather(self.session, period, [rule], closing=closing))
        if period not in self.gathered:
            found = gather(self.session, period, self.together, closing=closing)
            self.gathered[period] = Judging(found)
        return self.gathered[period]

    def _won_before(self) -> Won_by:
        """What a published rule paid before the periods that are tried."""
        if self.published is None or not self.periods:
            return {}
        _, first = self._in_order()[0]
        before = history(self.session, self.published, before=first)
        return {
            partner_id: [each for each in won if not any(each.on in day for day in self.periods)]
            for partner_id, won in before.items()
        }

    def _basis(self, period: Period) -> Basis:
        if self.periods[period] is not None:
            return Basis.CLOSED
        over = self.now >= period.ends_at(self.settings.zone)
        return Basis.MEASURED if over else Basis.SO_FAR

    def _runs(self) -> Iterator[PeriodRun]:
        cost = 0
        for period in self.periods:
            of_period = [batch for batch in self.batches if batch.period == period]
            run = period_run(period, self._basis(period), of_period, cost)
            cost = run.running_cost
            yield run


def _everyone(batches: Sequence[Batch]) -> list[Candidate]:
    """All that any line is about, where nobody else is known."""
    found = {line.candidate.code: line.candidate for batch in batches for line in batch.lines}
    return [found[code] for code in sorted(found)]


def _version_at(session: Session, code: str, closing: Closing) -> Rule | None:
    """The version that decided a close; None where none did."""
    decided = sa.select(DecisionRow.rule_version_id).where(DecisionRow.closing_id == closing.id)
    version = session.scalar(
        sa.select(RuleVersion).where(RuleVersion.code == code, RuleVersion.id.in_(decided))
    )
    return version.rule if version else None
