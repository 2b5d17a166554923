"""Drafts: rules on their way into the rulebook, and the second person that some of them need.

Before it stands whoever writes rules; after it the rulebook. A draft is saved and changed at will.
Publishing one that needs a second person asks for it: the draft waits until somebody else has
read it and agrees. What is changed after asking must be asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import lock
from partner_cx.errors import Conflict, Forbidden, NotFound
from partner_cx.journal import Did, JournalLine, note
from rewards import rulebook
from rewards.lint import satisfaction
from rewards.reading import Given
from rewards.rulebook import RuleDraft, RuleVersion
from rewards.rules import Rule


@dataclass(frozen=True)
class Submitted:
    """What became of a rule that somebody wanted to publish.

    version: as which it is published; None while a second person has to agree.
    already: whether it was published before, or asked for.
    draft: what waits for the second person.
    """

    version: RuleVersion | None
    draft: RuleDraft | None
    already: bool


class Overtaken(Conflict):
    """The draft isn't the one that was read: somebody saved another meanwhile.

    saved_by, saved_at, digest: of the draft as it is now; None where it is gone.
    """

    def __init__(self, code: str, draft: RuleDraft | None) -> None:
        said = f"{draft.saved_by} saved it meanwhile." if draft else "It is gone: it was published."
        super().__init__(
            f"The draft of {code} isn't the one you read. {said}",
            remedy="Read it as it is now, then decide again.",
        )
        self.saved_by = draft.saved_by if draft else None
        self.saved_at = draft.saved_at if draft else None
        self.digest = draft.digest if draft else None


def save_draft(
    session: Session, rule: Rule, *, by: str, now: datetime, read: str | None = None
) -> RuleDraft:
    """Keep a rule that isn't ready; it takes the place of the draft of the same code.

    read: the digest of the draft that was changed, empty where there was none; where another is
        kept by now, Overtaken. None: whatever is kept.

    What was asked for goes on being asked for only while the contents stay the same. The caller
    commits.
    """
    lock(session, f"rule:{rule.code}")
    kept = session.get(RuleDraft, rule.code, populate_existing=True)
    if kept and rulebook.are_alike(rule, kept.rule):
        return kept
    if read is not None and read != (kept.digest if kept else ""):
        raise Overtaken(rule.code, kept)
    draft = kept or RuleDraft(code=rule.code)
    draft.contents = rule.to_yaml()
    draft.saved_by, draft.saved_at = by, now
    draft.asked_by = draft.asked_at = None
    draft.why = ""
    session.add(draft)
    note(session, by=by, did=Did.RULE_SAVED, about=rule.code, now=now)
    session.flush()
    return draft


def drafts(session: Session) -> list[RuleDraft]:
    """Every draft, by code."""
    return list(session.scalars(sa.select(RuleDraft).order_by(RuleDraft.code)))


def draft_of(session: Session, code: str) -> RuleDraft:
    """The draft of a rule; NotFound where there is none."""
    draft = session.get(RuleDraft, code, populate_existing=True)
    if draft is None:
        codes = ", ".join(each.code for each in drafts(session))
        raise NotFound(
            f"There is no draft of {code}.",
            remedy=f"There are drafts of: {codes}." if codes else "There are no drafts.",
        )
    return draft


def discard_draft(
    session: Session, code: str, *, by: str, now: datetime, read: str | None = None
) -> None:
    """Throw a draft away. What is published stays. The caller commits. read: as in `approve`."""
    lock(session, f"rule:{code}")
    session.delete(_as_read(draft_of(session, code), read))
    note(session, by=by, did=Did.RULE_DROPPED, about=code, now=now)
    session.flush()


def submit(session: Session, rule: Rule, *, by: str, why: str, now: datetime) -> Submitted:
    """Publish a rule, or ask for the second person that it needs.

    Raises Invalid when one of the rule's own tests fails. The caller commits.
    """
    lock(session, f"rule:{rule.code}")
    if same := rulebook.already(session, rule):
        _drop_draft_of(session, rule)
        return Submitted(same, None, already=True)
    rulebook.refuse_failing(rule)
    if satisfaction.concerns(rule):
        return _ask(session, rule, by=by, why=why, now=now)
    version = rulebook.publish(session, rule, by=by, why=why, now=now)
    _drop_draft_of(session, rule)
    return Submitted(version, None, already=False)


def submit_draft(
    session: Session, code: str, *, read: str, by: str, why: str, now: datetime
) -> Submitted:
    """Publish a draft, or ask for the second person that it needs, as `submit` does.

    read: the digest of the draft that was read; Overtaken where another is kept by now.
    """
    lock(session, f"rule:{code}")
    return submit(session, _as_read(_kept(session, code), read).rule, by=by, why=why, now=now)


def approve(
    session: Session, code: str, *, by: str, now: datetime, read: str | None = None
) -> RuleVersion:
    """Agree to a draft that asks, as another person than who asked; it is published.

    read: the digest of the draft that was read; Overtaken where another is kept by now.

    The draft is read, tested and judged again, as it stands now. Raises NotFound without a draft,
    Conflict for one that doesn't ask, Forbidden for who asked. The caller commits.
    """
    lock(session, f"rule:{code}")
    draft = _asking(_as_read(draft_of(session, code), read))
    assert draft.asked_by is not None
    if rulebook.is_the_same_person(draft.asked_by, by):
        raise Forbidden(
            f"{draft.asked_by} asked to publish {code}, and somebody else must agree to it.",
            remedy=f"Let another person run: partner-cx rules approve {code} --by NAME.",
        )
    version = rulebook.publish(
        session, draft.rule, by=draft.asked_by, why=draft.why, now=now, approved_by=by
    )
    session.delete(draft)
    details = {"version": version.version, "asked_by": draft.asked_by}
    note(session, by=by, did=Did.RULE_APPROVED, about=code, now=now, details=details)
    session.flush()
    return version


def send_back(
    session: Session, code: str, *, by: str, why: str, now: datetime, read: str | None = None
) -> RuleDraft:
    """Say no to a draft that asks, and why: it stays a draft and asks no longer.

    why: a text on one line. read: as in `approve`. Whoever asked may take it back so, too. The
    caller commits.
    """
    Given.of(why, "why").line()
    lock(session, f"rule:{code}")
    draft = _asking(_as_read(draft_of(session, code), read))
    details = {"why": why, "asked_by": draft.asked_by, "digest": draft.digest}
    note(session, by=by, did=Did.RULE_SENT_BACK, about=code, now=now, details=details)
    draft.asked_by = draft.asked_at = None
    draft.why = ""
    session.flush()
    return draft


def sent_back(session: Session, draft: RuleDraft) -> JournalLine | None:
    """Who said no to exactly this text, if anybody did, and why: the last one."""
    if draft.asked_by is not None:
        return None
    last = session.scalar(
        sa.select(JournalLine)
        .where(JournalLine.about == draft.code, JournalLine.did == Did.RULE_SENT_BACK)
        .order_by(JournalLine.id.desc())
        .limit(1)
    )
    return last if last and last.details.get("digest") == draft.digest else None


def _kept(session: Session, code: str) -> RuleDraft:
    """The draft, once it is locked; Overtaken where it is gone."""
    kept = session.get(RuleDraft, code, populate_existing=True)
    if kept is None:
        raise Overtaken(code, None)
    return kept


def _as_read(draft: RuleDraft, read: str | None) -> RuleDraft:
    if read is not None and read != draft.digest:
        raise Overtaken(draft.code, draft)
    return draft


def _asking(draft: RuleDraft) -> RuleDraft:
    if draft.asked_by is None:
        raise Conflict(
            f"The draft of {draft.code} doesn't ask for anything.",
            remedy=f"Ask with: partner-cx rules publish {draft.code} --why TEXT.",
        )
    return draft


def _ask(session: Session, rule: Rule, *, by: str, why: str, now: datetime) -> Submitted:
    if why:
        Given.of(why, "why").line()
    draft = save_draft(session, rule, by=by, now=now)
    if draft.asked_by is not None:
        return Submitted(None, draft, already=True)
    draft.asked_by, draft.asked_at, draft.why = by, now, why
    note(session, by=by, did=Did.RULE_ASKED, about=rule.code, now=now, details={"why": why})
    session.flush()
    return Submitted(None, draft, already=False)


def _drop_draft_of(session: Session, rule: Rule) -> None:
    """A draft that says what is published now has served; one that says something else stays."""
    draft = session.get(RuleDraft, rule.code)
    if draft and rulebook.are_alike(rule, draft.rule):
        session.delete(draft)
        session.flush()
