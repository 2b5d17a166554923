"""Rules are data: who can earn what, when, and under which conditions; `decide` applies one.

Before it stands a scorecard, after it a decision that says why; granting it is another matter.
A rule is written by a channel manager as YAML, kept as JSON, and never changed once published:
a change is a new version. Nothing here touches a database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

from partner_cx.errors import Invalid
from partner_cx.measures.figures import Scorecard
from partner_cx.network.names import PartnerKind
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
from rewards.reading import Given, read_yaml, write_yaml

POINTS_MAX = 10_000_000
VERSION_MAX = 1_000_000


class Occasion(StrEnum):
    """When a rule is decided."""

    CLOSE = "close"  # once per partner when a period is closed


class Level(StrEnum):
    """Whose figures a rule looks at. The award always goes to the partner."""

    PARTNER = "partner"  # the partner's own
    DISTRIBUTOR = "distributor"  # those of the distributor with all its resellers


@dataclass(frozen=True)
class Audience:
    """Whom a rule is for: one of each that is named; what isn't named doesn't matter."""

    kinds: tuple[PartnerKind, ...] = ()
    groups: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=(), optional=("kinds", "groups", "tiers", "countries"))
        return cls(
            kinds=tuple(item.choice(PartnerKind) for item in _items(fields.get("kinds"))),
            groups=tuple(item.group() for item in _items(fields.get("groups"))),
            tiers=tuple(item.text() for item in _items(fields.get("tiers"))),
            countries=tuple(item.text() for item in _items(fields.get("countries"))),
        )

    def to_plain(self) -> dict[str, list[str]]:
        named = {
            "kinds": [kind.value for kind in self.kinds],
            "groups": list(self.groups),
            "tiers": list(self.tiers),
            "countries": list(self.countries),
        }
        return {name: codes for name, codes in named.items() if codes}

    def includes(self, groups: Collection[str]) -> bool:
        """Whether a partner can earn the award.

        groups: all the partner belonged to in the period; what it is counts as one, such as
            `kind:reseller`, `tier:gold`, `country:FR`.
        """
        wanted = (
            [f"kind:{kind}" for kind in self.kinds],
            [f"tier:{tier}" for tier in self.tiers],
            [f"country:{country}" for country in self.countries],
            self.groups,
        )
        return all(not any_of or any(code in groups for code in any_of) for any_of in wanted)


@dataclass(frozen=True)
class Award:
    """What meeting every condition earns."""

    points: int  # 1 to 10,000,000

    @classmethod
    def read(cls, given: Given) -> Self:
        return cls(given.fields(required=("points",))["points"].whole_number(1, POINTS_MAX))

    def to_plain(self) -> dict[str, int]:
        return {"points": self.points}


@dataclass(frozen=True)
class Rule:
    """One version of a rule.

    source: why the rule exists: a decision, a contract, a programme's terms.
    starts, ends: the first and the last day it holds, both included; it is decided for periods
        that lie between them whole. ends: None while nobody knows.
    conditions: all of them must be met.
    budget: the code of the budget that pays.
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
            required=(
                *("code", "label", "source", "on", "period", "starts"),
                *("conditions", "award", "budget"),
            ),
            optional=("version", "ends", "for", "measured_on"),
        )
        starts = _read_days(fields["starts"])[0]
        ends = _read_days(fields["ends"])[1] if "ends" in fields else None
        if ends is not None and ends < starts:
            raise fields["ends"].refused(
                f"the rule ends on {ends}, before it starts on {starts}.", "Name a later day."
            )
        return cls(
            code=fields["code"].code(),
            version=fields["version"].whole_number(1, VERSION_MAX) if "version" in fields else 1,
            label=fields["label"].words(),
            source=fields["source"].text(),
            on=fields["on"].choice(Occasion),
            period=fields["period"].choice(PeriodKind),
            starts=starts,
            ends=ends,
            audience=Audience.read(fields["for"]) if "for" in fields else Audience(),
            measured_on=(
                fields["measured_on"].choice(Level) if "measured_on" in fields else Level.PARTNER
            ),
            conditions=tuple(read_condition(item) for item in fields["conditions"].items()),
            award=Award.read(fields["award"]),
            budget=fields["budget"].code(),
        )

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
        return plain | {
            "measured_on": self.measured_on.value,
            "conditions": [condition_to_plain(condition) for condition in self.conditions],
            "award": self.award.to_plain(),
            "budget": self.budget,
        }

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
        """Whether the rule is decided for this period."""
        return (
            period.kind is self.period
            and self.starts <= period.first_day
            and (self.ends is None or period.last_day <= self.ends)
        )


@dataclass(frozen=True)
class Decision:
    """What a rule comes to for one scorecard, with everything it rests on."""

    rule: Rule
    scorecard: Scorecard
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def points(self) -> int:
        """What it earns: nothing unless every condition is met."""
        return self.rule.award.points if self.verdict is Verdict.MET else 0

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that came to the verdict."""
        return tuple(finding for finding in self.findings if finding.verdict is self.verdict)

    @property
    def sentence(self) -> Words:
        """What the partner reads: the outcome, and the reasons for it."""
        period = self.scorecard.period
        telling = [finding.sentence for finding in self.reasons]
        outcome = {
            Verdict.MET: sentences.points(self.points),
            Verdict.NOT_MET: Words(en="no points", fr="pas de points"),
            Verdict.UNKNOWN: Words(en="left open", fr="en suspens"),
        }[self.verdict]
        return Words(
            en="{label}, {period}: {outcome}. {reasons}",
            fr="{label}, {period}\u202f: {outcome}. {reasons}",
        ).format(
            label=self.rule.label,
            period=Words(en=period.label("en"), fr=period.label("fr")),
            outcome=outcome,
            reasons=sentences.joined(telling),
        )


def decide(rule: Rule, scorecard: Scorecard) -> Decision:
    """Say whether a scorecard earns the rule's award, and why.

    One unmet condition settles the matter, whatever else is unknown; failing that, one unknown
    leaves the decision open, to be taken again when the figure comes in.
    """
    findings = tuple(condition.examine(scorecard) for condition in rule.conditions)
    verdict = all_met(finding.verdict for finding in findings)
    return Decision(rule, scorecard, verdict, findings)


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


def _items(given: Given | None) -> list[Given]:
    return given.items() if given else []
