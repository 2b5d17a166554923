"""Conditions that compare a KPI with another figure: its own past, or its peers'.

Better is the KPI's own direction: more OTIF, fewer disputes. “Improved” and “beats” mean strictly
better, so that standing still is never paid as progress; where a rule says by how much, exactly
that much is enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from partner_cx.measures.figures import Figure
from partner_cx.words import Words
from rewards import sentences
from rewards.conditions.condition import Condition, Finding, Verdict, named
from rewards.conditions.of_kpis import is_unclear, unknown, why_unclear
from rewards.conditions.thresholds import NOTHING, read_kpi, read_sample, read_step, value_to_plain
from rewards.evidence import Earlier, Evidence, Needs, PeerFigure, Peers
from rewards.reading import Given

MEMBERS_MIN = 5  # a smaller group's figure would give a competitor's away


@named("kpi_improved")
@dataclass(frozen=True)
class KpiImproved(Condition):
    """The KPI is better than in an earlier period.

    by: by how much at least, in the KPI's own unit; zero: by anything at all.
    n_min: how large both samples must be.
    """

    kpi: str
    since: Earlier
    by: Fraction = NOTHING
    n_min: int = 1

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("kpi", "since"), optional=("by", "n_min"))
        kpi = read_kpi(fields["kpi"])
        return cls(
            kpi, fields["since"].choice(Earlier), read_step(fields.get("by"), kpi),
            read_sample(fields),
        )  # fmt: skip

    def to_plain(self) -> object:
        return {"kpi": self.kpi, "since": self.since.value} | _rest(self.kpi, self.by, self.n_min)

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}), earlier=frozenset({(self.since, self.kpi)}))

    def judge(self, evidence: Evidence) -> Verdict:
        now = evidence.scorecard.figures.get(self.kpi)
        then = evidence.earlier.get((self.since, self.kpi))
        if now is None or then is None:
            return Verdict.UNKNOWN
        if is_unclear(now, self.n_min, NOTHING) or is_unclear(then, self.n_min, NOTHING):
            return Verdict.UNKNOWN
        return _better(self.kpi, now, then, self.by)

    def examine(self, evidence: Evidence) -> Finding:
        now, then = evidence[self.kpi], evidence.figure_of(self.since, self.kpi)
        verdict = self.judge(evidence)
        when = sentences.in_period(self.since.of(evidence.scorecard.period))
        if verdict is Verdict.UNKNOWN:
            if reason := why_unclear(now, self.n_min, NOTHING):
                return unknown(now, reason)
            if (self.since, self.kpi) not in evidence.earlier:
                return unknown(now, sentences.unknown_earlier(when, sentences.NOT_CLOSED))
            reason = why_unclear(then, self.n_min, NOTHING)
            assert reason is not None
            return unknown(now, sentences.unknown_earlier(when, reason))
        assert then.value is not None
        told = sentences.improved(now, then.value, when, self.by, met=verdict is Verdict.MET)
        return Finding(verdict, told, now, _wanted(self.kpi, then.value, self.by))


@named("kpi_beats")
@dataclass(frozen=True)
class KpiBeats(Condition):
    """The KPI is better than that of the partner's peers taken together.

    by: by how much at least, in the KPI's own unit; zero: by anything at all.
    n_min: how large the partner's own sample must be.
    """

    kpi: str
    peers: Peers
    by: Fraction = NOTHING
    n_min: int = 1

    @classmethod
    def read(cls, given: Given) -> Self:
        fields = given.fields(required=("kpi", "peers"), optional=("by", "n_min"))
        kpi = read_kpi(fields["kpi"])
        return cls(
            kpi, fields["peers"].choice(Peers), read_step(fields.get("by"), kpi),
            read_sample(fields),
        )  # fmt: skip

    def to_plain(self) -> object:
        return {"kpi": self.kpi, "peers": self.peers.value} | _rest(self.kpi, self.by, self.n_min)

    def needs(self) -> Needs:
        return Needs(figures=frozenset({self.kpi}), peers=frozenset({(self.peers, self.kpi)}))

    def judge(self, evidence: Evidence) -> Verdict:
        own = evidence.scorecard.figures.get(self.kpi)
        peers = evidence.peers.get((self.peers, self.kpi))
        if own is None or peers is None or peers.members < MEMBERS_MIN:
            return Verdict.UNKNOWN
        if is_unclear(own, self.n_min, NOTHING) or is_unclear(peers.figure, 1, NOTHING):
            return Verdict.UNKNOWN
        return _better(self.kpi, own, peers.figure, self.by)

    def examine(self, evidence: Evidence) -> Finding:
        own, verdict = evidence[self.kpi], self.judge(evidence)
        peers = evidence.peers.get((self.peers, self.kpi))
        if verdict is Verdict.UNKNOWN or peers is None or peers.figure.value is None:
            return unknown(own, self._why_unknown(own, peers))
        value = peers.figure.value
        told = sentences.beats(
            own, value, self.peers, peers.members, self.by, met=verdict is Verdict.MET
        )
        return Finding(verdict, told, own, _wanted(self.kpi, value, self.by))

    def _why_unknown(self, own: Figure, peers: PeerFigure | None) -> Words:
        if reason := why_unclear(own, self.n_min, NOTHING):
            return reason
        if peers is None:
            return sentences.no_peers(self.peers)
        if peers.members < MEMBERS_MIN:
            return sentences.too_few_peers(self.peers, peers.members, MEMBERS_MIN)
        reason = why_unclear(peers.figure, 1, NOTHING)
        assert reason is not None
        return sentences.unknown_peers(self.peers, reason)


def _better(kpi: str, one: Figure, other: Figure, by: Fraction) -> Verdict:
    """Whether one figure is better than another by enough, without making a fraction."""
    assert one.value is not None
    assert other.value is not None
    gain = one.value.numerator * other.value.denominator
    gain -= other.value.numerator * one.value.denominator
    if sentences.lower_is_better(kpi):
        gain = -gain
    if not by:
        return Verdict.MET if gain > 0 else Verdict.NOT_MET
    parts = one.value.denominator * other.value.denominator
    enough = gain * by.denominator >= by.numerator * parts
    return Verdict.MET if enough else Verdict.NOT_MET


def _wanted(kpi: str, other: Fraction, by: Fraction) -> Fraction:
    """What the figure had to come to."""
    return other - by if sentences.lower_is_better(kpi) else other + by


def _rest(kpi: str, by: Fraction, n_min: int) -> dict[str, object]:
    rest: dict[str, object] = {"by": value_to_plain(by, kpi)} if by else {}
    return rest | ({"n_min": n_min} if n_min != 1 else {})
