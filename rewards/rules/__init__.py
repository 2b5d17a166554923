"""Rules are data: who can earn what, when, and under which conditions; `decide` applies one.

Before it stands evidence, after it a decision that says why; granting it is another matter.
A rule is written by a channel manager as YAML, kept as YAML in one form, and never changed once
published: a change is a new version. Nothing here touches a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Self, TypeVar

from partner_cx.errors import Invalid
from partner_cx.measures.figures import Scorecard
from partner_cx.periods import Period, PeriodKind
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions import (
    Condition,
    Finding,
    Verdict,
    all_met,
    condition_to_plain,
    read_condition,
)
from rewards.evidence import Evidence, Needs
from rewards.reading import Fields, Given, read_yaml, some_items, write_yaml
from rewards.rules.audience import Audience, Level
from rewards.rules.limits import DAYS_MAX, Limit, Won, applied, left_of
from rewards.rules.occasions import Occasion
from rewards.rules.scales import (
    POINTS_MAX,
    Award,
    FixedPoints,
    PointsPerUnit,
    Recipient,
    Step,
    TieredPoints,
    read_award,
)
from rewards.rules.situations import RuleTest

__all__ = [
    "POINTS_MAX",
    "Audience",
    "Award",
    "Decision",
    "FixedPoints",
    "Level",
    "Limit",
    "Occasion",
    "PointsPerUnit",
    "Recipient",
    "Rule",
    "RuleTest",
    "Shortage",
    "Step",
    "TieredPoints",
    "decide",
    "is_for_nobody",
    "judge",
]

VERSION_MAX = 1_000_000
LIMITS_MAX = 10
TESTS_MAX = 100


class Shortage(StrEnum):
    """What happens when the budget can't pay every award of a close."""

    REFUSE_WHOLE = "refuse_whole"  # nobody is paid until the budget can pay everyone
    FIRST_COME = "first_come"  # whole awards while it lasts; at a close, in an order drawn by lot
    PRO_RATA = "pro_rata"  # everyone gets the same share of the award, once and for all


@dataclass(frozen=True)
class Rule:
    """One version of a rule.

    source: why the rule exists: a decision, a contract, a programme's terms.
    starts, ends: the first and the last day it holds, both included; it is decided for periods
        that lie between them whole. ends: None while nobody knows.
    period: the periods it is decided for; on an event, those of the figures it looks at.
    conditions: all of them must be met. On an event there may be none: that it happened is enough.
    budget: the code of the budget that pays.
    limits: all of them hold; the tightest counts.
    cool_down_days: how far apart two awards lie at least.
    hold_days: how long an award waits before it can be spent; 0: not at all.
    needs_approval: whether somebody must say yes to each award.
    """

    code: str
    version: int
    label: Words
    source: str
    on: Occasion
    period: PeriodKind
    starts: date
    ends: date | None
    audience: Audience
    measured_on: Level
    conditions: tuple[Condition, ...]
    award: Award
    budget: str
    limits: tuple[Limit, ...] = ()
    cool_down_days: int = 0
    hold_days: int = 0
    needs_approval: bool = False
    when_short: Shortage = Shortage.REFUSE_WHOLE
    tests: tuple[RuleTest, ...] = ()

    def __hash__(self) -> int:
        return hash((self.code, self.version))  # to hash all of its contents takes far longer

    @classmethod
    def from_yaml(cls, text: str, origin: str) -> Self:
        """Read a rule as a person wrote it.

        origin: what messages call the text, usually the file's name.
        Raises Invalid with line and column for whatever isn't exactly a rule.
        """
        return cls.read(read_yaml(text, origin))

    @classmethod
    def from_plain(cls, plain: object, origin: str) -> Self:
        """Read a rule as `to_plain` wrote it."""
        return cls.read(Given.of(plain, origin))

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(
            required=("code", "label", "source", "on", "starts", "award", "budget"),
            optional=(
                *("version", "period", "ends", "for", "measured_on", "conditions"),
                *("limits", "cool_down_days", "hold_days", "needs_approval", "when_short", "tests"),
            ),
        )
        rule = cls(
            code=fields["code"].code(),
            version=_number(fields, "version", 1, VERSION_MAX, default=1),
            label=fields["label"].words(),
            source=fields["source"].text(),
            on=fields["on"].choice(Occasion),
            period=_choice(fields, "period", PeriodKind, PeriodKind.QUARTER),
            starts=_read_days(fields["starts"])[0],
            ends=_read_days(fields["ends"])[1] if "ends" in fields else None,
            audience=Audience.read(fields["for"]) if "for" in fields else Audience(),
            measured_on=_choice(fields, "measured_on", Level, Level.PARTNER),
            conditions=tuple(read_condition(item) for item in some_items(fields.get("conditions"))),
            award=read_award(fields["award"]),
            budget=fields["budget"].code(),
            limits=tuple(Limit.read(item) for item in _several(fields, "limits", LIMITS_MAX)),
            cool_down_days=_number(fields, "cool_down_days", 0, DAYS_MAX),
            hold_days=_number(fields, "hold_days", 0, DAYS_MAX),
            needs_approval="needs_approval" in fields and fields["needs_approval"].yes_or_no(),
            when_short=_choice(fields, "when_short", Shortage, Shortage.REFUSE_WHOLE),
            tests=tuple(RuleTest.read(item) for item in _several(fields, "tests", TESTS_MAX)),
        )
        _check(rule, given, fields)
        return rule

    def to_plain(self) -> dict[str, Any]:
        """The rule as plain data, in the order in which people read it."""
        plain: dict[str, Any] = {
            "code": self.code,
            "version": self.version,
            "label": {"en": self.label.en, "fr": self.label.fr},
            "source": self.source,
            "on": self.on.value,
            "period": self.period.value,
            "starts": self.starts.isoformat(),
        }
        if self.ends is not None:
            plain["ends"] = self.ends.isoformat()
        if audience := self.audience.to_plain():
            plain["for"] = audience
        plain["measured_on"] = self.measured_on.value
        if self.conditions:
            plain["conditions"] = [condition_to_plain(condition) for condition in self.conditions]
        plain |= {
            "award": self.award.to_plain(),
            "budget": self.budget,
        }
        return plain | self._terms_to_plain()

    def _terms_to_plain(self) -> dict[str, Any]:
        """What is written only where it differs, so that rules of before keep their digest."""
        plain: dict[str, Any] = {
            "limits": [limit.to_plain() for limit in self.limits],
            "cool_down_days": self.cool_down_days,
            "hold_days": self.hold_days,
            "needs_approval": self.needs_approval,
            "when_short": (
                "" if self.when_short is Shortage.REFUSE_WHOLE else self.when_short.value
            ),
            "tests": [test.to_plain() for test in self.tests],
        }
        return {name: value for name, value in plain.items() if value}

    def to_yaml(self) -> str:
        """The rule as `from_yaml` reads it back to the same; comments are not kept."""
        return write_yaml(self.to_plain())

    @property
    def digest(self) -> str:
        """SHA-256 over the contents: equal for equal rules, however they were written."""
        contents = json.dumps(
            self.to_plain(), sort_keys=True, ensure_ascii=False, separators=(",", ":")
        )
        return hashlib.sha256(contents.encode()).hexdigest()

    def holds_in(self, period: Period) -> bool:
        """Whether the rule is decided when this period is closed."""
        return (
            self.on is Occasion.CLOSE
            and period.kind is self.period
            and self.starts <= period.first_day
            and (self.ends is None or period.last_day <= self.ends)
        )

    def held_until(self, day: date) -> date | None:
        """The first day on which an award of this day may be spent; None: it isn't held."""
        return day + timedelta(days=self.hold_days) if self.hold_days else None

    def holds_on(self, day: date) -> bool:
        """Whether an event of this day can be rewarded."""
        in_time = self.starts <= day and (self.ends is None or day <= self.ends)
        return self.on is not Occasion.CLOSE and in_time

    def needs(self) -> Needs:
        """What evidence it looks at."""
        return self._needs

    @cached_property
    def _needs(self) -> Needs:  # asked for once per partner, so it is worked out once
        asked = Needs.of_all(condition.needs() for condition in self.conditions)
        return asked | self.award.needs()


@dataclass(frozen=True)
class Decision:
    """What a rule comes to on some evidence, with everything it rests on.

    findings: one per condition; then the award's, where the conditions are met and it rests on a
        figure.
    earned: what it earns before limits; points: what is left of it.
    limited: which limit cut it; None where none did.
    """

    rule: Rule
    evidence: Evidence
    verdict: Verdict
    findings: tuple[Finding, ...]
    earned: int
    points: int
    limited: Words | None = None

    @property
    def scorecard(self) -> Scorecard:
        return self.evidence.scorecard

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that came to the verdict."""
        return tuple(finding for finding in self.findings if finding.verdict is self.verdict)

    @property
    def sentence(self) -> Words:
        """What the partner reads: the outcome, and the reasons for it."""
        telling = [finding.sentence for finding in self.reasons]
        if self.limited:
            telling.append(self.limited)
        return sentences.joined([self.short_sentence, *telling])

    @property
    def short_sentence(self) -> Words:
        """The outcome alone: the same for all with whom a rule deals alike on one day."""
        return Words(
            "{label}, {occasion}: {outcome}.", "{label}, {occasion}\u202f: {outcome}."
        ).format(label=self.rule.label, occasion=self._occasion, outcome=self._outcome)

    @property
    def _occasion(self) -> Words:
        if kind := self.rule.on.event:
            return sentences.on_event(kind, self.evidence.on)
        period = self.scorecard.period
        return Words(en=period.label("en"), fr=period.label("fr"))

    @property
    def _outcome(self) -> Words:
        if self.verdict is Verdict.UNKNOWN:
            return sentences.LEFT_OPEN
        if self.points == 0:
            return sentences.NO_POINTS
        return sentences.points(self.points)


def judge(rule: Rule, evidence: Evidence, history: Iterable[Won] = ()) -> tuple[Verdict, int]:
    """The verdict and the points of `decide`, without the reasons: for a hundred thousand."""
    verdict = Verdict.MET
    for condition in rule.conditions:
        found = condition.judge(evidence)
        if found is Verdict.NOT_MET:
            return found, 0
        if found is Verdict.UNKNOWN:
            verdict = found
    if verdict is not Verdict.MET:
        return verdict, 0
    earned = rule.award.worth(evidence)
    if earned is None or is_for_nobody(rule, evidence):
        return Verdict.UNKNOWN, 0
    if earned == 0:
        return Verdict.NOT_MET, 0
    return verdict, left_of(rule.limits, rule.cool_down_days, evidence.on, earned, history)


def decide(rule: Rule, evidence: Evidence, history: Iterable[Won] = ()) -> Decision:
    """Say whether the evidence earns the rule's award, how much, and why.

    One unmet condition settles the matter, whatever else is unknown; failing that, one unknown
    leaves the decision open, to be taken again when the figure comes in. The same holds of the
    figure that an award is measured by.

    history: what the rule has already awarded the recipient.
    """
    findings = tuple(condition.examine(evidence) for condition in rule.conditions)
    verdict = all_met(finding.verdict for finding in findings)
    if verdict is not Verdict.MET:
        return Decision(rule, evidence, verdict, findings, earned=0, points=0)
    if is_for_nobody(rule, evidence):
        nobody = Finding(Verdict.UNKNOWN, sentences.NOBODY_TO_AWARD)
        return Decision(rule, evidence, Verdict.UNKNOWN, (*findings, nobody), earned=0, points=0)
    award = rule.award.earned(evidence)
    if award.finding:
        findings = (*findings, award.finding)
    if not award.points:
        verdict = Verdict.UNKNOWN if award.points is None else Verdict.NOT_MET
        return Decision(rule, evidence, verdict, findings, earned=0, points=0)
    limited = applied(rule.limits, rule.cool_down_days, evidence.on, award.points, history)
    return Decision(
        rule, evidence, verdict, findings, award.points, limited.points, limited.sentence
    )


def is_for_nobody(rule: Rule, evidence: Evidence) -> bool:
    """Whether the award goes to the person of an event that nobody is known to have done."""
    if rule.award.to is not Recipient.PERSON:
        return False
    return evidence.event is None or evidence.event.person is None


def _check(rule: Rule, given: Given, fields: Fields) -> None:
    """Refuse what makes no sense together."""
    if rule.ends is not None and rule.ends < rule.starts:
        raise fields["ends"].refused(
            f"the rule ends on {rule.ends}, before it starts on {rule.starts}.",
            "Name a later day.",
        )
    if rule.on is Occasion.CLOSE:
        _check_on_close(rule, given, fields)
    else:
        _check_on_event(rule, fields)


def _check_on_close(rule: Rule, given: Given, fields: Fields) -> None:
    if "period" not in fields:
        raise given.refused(
            "the field “period” is missing.", "Add a line “period: …”: month, quarter or year."
        )
    if rule.award.to is Recipient.PERSON:
        raise fields["award"].refused(
            "a close knows partners and no persons.",
            "Take “to” out, or let the rule be decided on an event.",
        )
    if "conditions" not in fields:
        raise given.refused(
            "the field “conditions” is missing.",
            "Say what a period must come to, as in “- kpi_is_green: otif”.",
        )
    for condition, item in zip(rule.conditions, fields["conditions"].items(), strict=True):
        for inner in condition.inside():
            if inner.event_only:
                raise item.refused(
                    f"“{inner.name}” asks about an event, and a close is none.",
                    "Take it out, or let the rule be decided on an event.",
                )


def _check_on_event(rule: Rule, fields: Fields) -> None:
    if rule.measured_on is Level.DISTRIBUTOR:
        raise fields["measured_on"].refused(
            "an event is a partner's own, and so are the figures it is decided by.",
            "Take “measured_on” out, or let the rule be decided on a close.",
        )
    if rule.when_short is Shortage.PRO_RATA:
        raise fields["when_short"].refused(
            "events are paid one by one as they come, so there is nobody to share with.",
            "Take “when_short” out: an award that the budget can't pay whole is refused.",
        )


def _number(fields: Fields, name: str, lowest: int, highest: int, *, default: int = 0) -> int:
    return fields[name].whole_number(lowest, highest) if name in fields else default


Chosen = TypeVar("Chosen", bound=StrEnum)


def _choice(fields: Fields, name: str, choices: type[Chosen], default: Chosen) -> Chosen:
    return fields[name].choice(choices) if name in fields else default


def _several(fields: Fields, name: str, most: int) -> list[Given]:
    items = some_items(fields.get(name))
    if len(items) > most:
        raise fields[name].refused(f"{len(items)} are too many.", f"Keep to {most}.")
    return items


def _read_days(given: Given) -> tuple[date, date]:
    """The first and last day of `2026-04-01`, `2026-04`, `2026Q2` or `2026`."""
    written = str(given.value)
    try:
        period = Period.parse(written)
        return period.first_day, period.last_day
    except Invalid:
        pass
    try:
        day = date.fromisoformat(written) if len(written) == 10 else None
    except ValueError:
        day = None
    if day is None:
        raise given.refused(
            f"{given.shown} is neither a day nor a period.", "Write 2026-04-01, or 2026Q2."
        )
    return day, day
