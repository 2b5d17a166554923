"""Rules: what is published, and drafts on their way. Publishing and approving is for people."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.request_scope import Clock, Reading, Writing, wiring
from api.v1.asking import Page, Sliced, Spoken
from api.v1.doorway import Doorway
from api.v1.holders import ReadsNetwork, WritesRules
from api.v1.problems import documented, wrong_value
from api.v1.told import Instant
from partner_cx.errors import NotFound
from partner_cx.periods import PeriodKind
from rewards import rulebook
from rewards.lint.checking import check
from rewards.lint.concern import Concern, Grade, Kind
from rewards.rulebook import RuleDraft
from rewards.rulebook.drafts import discard_draft, draft_of, save_draft
from rewards.rulebook.drafts import drafts as saved_drafts
from rewards.rulebook.standings import Standing, Status, standings
from rewards.rules import Occasion, Rule

router = APIRouter(prefix="/api/v1", tags=["rules"], route_class=Doorway)

YAML_MAX = 100_000
RULE_YAML = """code: otif_bonus
label: {en: OTIF bonus, fr: Prime OTIF}
source: Terms of 2026, section 4
on: close
period: quarter
starts: 2026-01-01
conditions:
  - kpi_is_green: otif
award: {points: 500}
budget: network-quality
"""
RULE_PLAIN = {
    "code": "otif_bonus",
    "label": {"en": "OTIF bonus", "fr": "Prime OTIF"},
    "source": "Terms of 2026, section 4",
    "on": "close",
    "period": "quarter",
    "starts": "2026-01-01",
    "conditions": [{"kpi_is_green": "otif"}],
    "award": {"points": 500},
    "budget": "network-quality",
}

Code = Annotated[str, Path(max_length=80, examples=["network_quality_bonus"])]


class RuleText(BaseModel):
    """A rule as somebody writes it: give one of the two."""

    model_config = ConfigDict(strict=True, extra="forbid")

    yaml: str | None = Field(
        default=None, max_length=YAML_MAX, description="As in a file.", examples=[RULE_YAML]
    )
    rule: dict[str, Any] | None = Field(
        default=None, description="The same fields as JSON.", examples=[RULE_PLAIN]
    )

    def read(self) -> Rule:
        """The rule. Raises Invalid with the place of whatever isn't one."""
        if (self.yaml is None) == (self.rule is None):
            raise wrong_value("body", "Where is the rule?", "Give `yaml` or `rule`.")
        if self.yaml is not None:
            return Rule.from_yaml(self.yaml, "yaml")
        return Rule.from_plain(_without_decimals(self.rule), "rule")


class DraftText(RuleText):
    """A rule to be kept as a draft."""

    read_digest: str | None = Field(
        default=None,
        max_length=64,
        description="The digest of the draft that was changed, empty where there was none; where "
        "another is kept by now, nothing is saved. Null: whatever is kept.",
        examples=[None],
    )


class ToldVersion(BaseModel):
    """A published version of a rule, and how it stands today. It never changes."""

    code: str = Field(examples=["network_quality_bonus"])
    version: int = Field(examples=[1])
    status: Status = Field(examples=["in_force"])
    label: str = Field(examples=["Network quality bonus"])
    on: Occasion = Field(examples=["close"])
    period: PeriodKind = Field(examples=["quarter"])
    starts: date = Field(examples=["2026-01-01"])
    ends: date | None = Field(examples=[None])
    until: date | None = Field(
        description="The last day it decides; null while nobody knows.", examples=[None]
    )
    award: str = Field(examples=["500 points"])
    points_max: int | None = Field(
        description="At most so many at once; null: without end.", examples=[500]
    )
    budget: str = Field(examples=["network-quality"])
    published_at: Instant
    published_by: str = Field(examples=["mia@brand.example"])
    approved_by: str | None = Field(examples=[None])
    why: str = Field(examples=["Terms of 2026"])
    digest: str = Field(description="SHA-256 of its contents.", examples=["5b1c…"])


class VersionText(ToldVersion):
    """A published version with its whole text."""

    yaml: str = Field(examples=[RULE_YAML])


class ToldDraft(BaseModel):
    """A rule that isn't in force."""

    code: str = Field(examples=["otif_bonus"])
    label: str = Field(examples=["OTIF bonus"])
    saved_at: Instant
    saved_by: str = Field(examples=["token:planner"])
    awaits_approval: bool = Field(
        description="Whether a second person was asked to agree.", examples=[False]
    )
    digest: str = Field(description="Of its contents.", examples=["5b1c…"])
    yaml: str = Field(examples=[RULE_YAML])


class ToldConcern(BaseModel):
    """What is likely to be wrong with a rule, and what to do about it."""

    kind: Kind = Field(examples=["no_tests"])
    grade: Grade = Field(examples=["note"])
    where: str = Field(description="The part of the rule.", examples=["tests"])
    sentence: str = Field(examples=["The rule has no tests."])
    remedy: str = Field(examples=["Say by a test what it is meant to do."])


class ToldCheck(BaseModel):
    """What there is to say of a rule before it is published."""

    code: str = Field(examples=["otif_bonus"])
    digest: str = Field(examples=["5b1c…"])
    can_be_published: bool = Field(examples=[True])
    needs_second_person: bool = Field(examples=[False])
    concerns: list[ToldConcern] = Field(description="The heaviest first.")


@router.get("/rules", responses=documented())
def rules(
    request: Request,
    session: Reading,
    now: Clock,
    _holder: ReadsNetwork,
    sliced: Sliced,
    language: Spoken,
    status: Annotated[Status | None, Query(description="Only those that stand so.")] = None,
) -> Page[ToldVersion]:
    """Every published version of every rule, by code and version."""
    told = [
        _version(each, language)
        for each in _published(request, session, now)
        if status is None or each.status is status
    ]
    return sliced.of(told, lambda each: (each.code, each.version), str, int)


@router.get("/rules/{code}", responses=documented(404))
def rule(
    request: Request,
    session: Reading,
    now: Clock,
    _holder: ReadsNetwork,
    sliced: Sliced,
    language: Spoken,
    code: Code,
) -> Page[ToldVersion]:
    """The versions of one rule."""
    told = [
        _version(each, language)
        for each in _published(request, session, now)
        if each.kept.code == code
    ]
    if not told:
        raise NotFound(f"No rule is called {code}.", remedy="`/rules` lists them.")
    return sliced.of(told, lambda each: (each.code, each.version), str, int)


@router.get("/rules/{code}/versions/{version}", responses=documented(404))
def version(
    request: Request,
    session: Reading,
    now: Clock,
    _holder: ReadsNetwork,
    language: Spoken,
    code: Code,
    version: Annotated[int, Path(ge=1, le=1_000_000, examples=[1])],
) -> VersionText:
    """One version with its text."""
    for each in _published(request, session, now):
        if (each.kept.code, each.rule.version) == (code, version):
            told = _version(each, language)
            return VersionText(**told.model_dump(), yaml=each.kept.contents)
    raise NotFound(f"{code} has no version {version}.", remedy="`/rules` lists them.")


@router.post("/rules/check", responses=documented(body=True))
def check_rule(
    request: Request,
    session: Reading,
    now: Clock,
    _holder: WritesRules,
    language: Spoken,
    text: RuleText,
) -> ToldCheck:
    """Hold a rule against the programme and its past. Changes nothing."""
    read = text.read()
    today = now.astimezone(wiring(request).settings.zone).date()
    concerns = check(session, read, on=today)
    grades = {concern.grade for concern in concerns}
    return ToldCheck(
        code=read.code,
        digest=read.digest,
        can_be_published=Grade.REFUSED not in grades,
        needs_second_person=Grade.SECOND_APPROVER in grades,
        concerns=[_concern(each, language) for each in concerns],
    )


@router.get("/drafts", responses=documented())
def drafts(
    session: Reading, _holder: WritesRules, sliced: Sliced, language: Spoken
) -> Page[ToldDraft]:
    """The drafts, by code."""
    told = [_draft(each, language) for each in saved_drafts(session)]
    return sliced.of(told, lambda each: (each.code,), str)


@router.get("/drafts/{code}", responses=documented(404))
def draft(session: Reading, _holder: WritesRules, language: Spoken, code: Code) -> ToldDraft:
    """One draft."""
    return _draft(draft_of(session, code), language)


@router.put("/drafts/{code}", responses=documented(404, 409, body=True))
def put_draft(
    holder: WritesRules,  # first: that its token was used is noted in a transaction of its own
    session: Writing,
    now: Clock,
    language: Spoken,
    code: Code,
    text: DraftText,
) -> ToldDraft:
    """Keep a rule as the draft of its code. People publish it."""
    read = text.read()
    if read.code != code:
        raise wrong_value("body", f"The rule is called {read.code}, not {code}.", "Name it alike.")
    kept = save_draft(session, read, by=holder.actor, now=now, read=text.read_digest)
    return _draft(kept, language)


@router.delete("/drafts/{code}", status_code=HTTPStatus.NO_CONTENT, responses=documented(404, 409))
def delete_draft(holder: WritesRules, session: Writing, now: Clock, code: Code) -> Response:
    """Throw a draft away. What is published stays."""
    draft_of(session, code)
    discard_draft(session, code, by=holder.actor, now=now)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _published(request: Request, session: Reading, now: Clock) -> list[Standing]:
    today = now.astimezone(wiring(request).settings.zone).date()
    found = standings(session, today)
    return [each for each in found if not isinstance(each.kept, RuleDraft)]


def _version(standing: Standing, language: str) -> ToldVersion:
    kept, read = standing.kept, standing.rule
    assert isinstance(kept, rulebook.RuleVersion), "drafts have a room of their own"
    return ToldVersion(
        code=kept.code,
        version=kept.version,
        status=standing.status,
        label=read.label.in_(language),
        on=read.on,
        period=read.period,
        starts=read.starts,
        ends=read.ends,
        until=standing.until,
        award=read.award.told.in_(language),
        points_max=read.award.points_max,
        budget=read.budget,
        published_at=kept.published_at,
        published_by=kept.published_by,
        approved_by=kept.approved_by,
        why=kept.why,
        digest=kept.digest,
    )


def _draft(kept: RuleDraft, language: str) -> ToldDraft:
    return ToldDraft(
        code=kept.code,
        label=kept.rule.label.in_(language),
        saved_at=kept.saved_at,
        saved_by=kept.saved_by,
        awaits_approval=kept.asked_by is not None,
        digest=kept.digest,
        yaml=kept.contents,
    )


def _concern(concern: Concern, language: str) -> ToldConcern:
    return ToldConcern(
        kind=concern.kind,
        grade=concern.grade,
        where=concern.where,
        sentence=concern.sentence.in_(language),
        remedy=concern.remedy.in_(language),
    )


def _without_decimals(plain: Any) -> Any:
    """Plain data with numbers as rules write them: 96.4 is a text there."""
    if isinstance(plain, Decimal):
        return f"{plain:f}"
    if isinstance(plain, dict):
        return {name: _without_decimals(each) for name, each in plain.items()}
    return [_without_decimals(each) for each in plain] if isinstance(plain, list) else plain
