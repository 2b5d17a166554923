"""Rules led into force: drafts, a second person where one is needed, retirement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.commands.options import Database, Now, filled
from api.commands.rule_files import By, Code, File, FileOrCode, is_file, outline, read_rule, who
from api.printing import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from rewards.rulebook.drafts import Submitted
    from rewards.rules import Rule

Done = TypeVar("Done")
Why = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="What the change is for.", callback=filled),
]


def add(file: File, by: By = None, database: Database = None, now: Now = None) -> None:
    """Keep a rule as a draft, to be tried and changed. It decides nothing yet."""
    from rewards.rulebook.drafts import save_draft

    rule, name = read_rule(file), who(by)
    _transact(database, now, lambda session, at: save_draft(session, rule, by=name, now=at))
    say(
        f"{rule.code} is kept as a draft: {outline(rule)}. "
        f"Next: partner-cx rules check {rule.code}."
    )


def publish(
    given: FileOrCode,
    why: Why = None,
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Put a rule in force as its next version, from a file or from its draft.

    What is in force already stays as it is. A rule that needs a second person waits for one as a
    draft; the exit status is then 1.
    """
    from rewards.rulebook.drafts import draft_of, submit

    rule, name = (read_rule(Path(given)) if is_file(given) else None), who(by)

    def work(session: Session, at: datetime) -> tuple[str, int]:
        wanted = rule or draft_of(session, given).rule
        submitted = submit(session, wanted, by=name, why=why or "", now=at)
        return _became(session, wanted, submitted, at.date())

    said, exit_status = _transact(database, now, work)
    say(said)
    raise typer.Exit(exit_status)


def approve(code: Code, by: By = None, database: Database = None, now: Now = None) -> None:
    """Agree, as a second person, to a draft that waits for one. It is then in force.

    Read it first: partner-cx rules show CODE --draft.
    """
    from rewards.rulebook import drafts

    name = who(by)

    def work(session: Session, at: datetime) -> str:
        version = drafts.approve(session, code, by=name, now=at)
        told = _in_force(session, version.rule, version.version, version.starts_on, at.date())
        return f"{told} {version.published_by} asked, {name} agreed."

    say(_transact(database, now, work))


def retire(
    code: Code,
    from_day: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="DAY|PERIOD",
            help="Periods that begin and events that happen from then on are no longer decided.",
        ),
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="What it is taken out of force for.")],
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Take a rule out of force from a day on. What it has decided stays decided."""
    from rewards.rulebook import retirements

    name, day = who(by), _first_day(from_day)
    _transact(
        database,
        now,
        lambda session, at: retirements.retire(session, code, day, by=name, why=why, now=at),
    )
    say(f"{code} decides nothing any more from {day} on.")


def discard(code: Code, by: By = None, database: Database = None, now: Now = None) -> None:
    """Throw a draft away. What is published stays."""
    from rewards.rulebook.drafts import discard_draft

    name = who(by)
    _transact(database, now, lambda session, at: discard_draft(session, code, by=name, now=at))
    say(f"The draft of {code} is gone.")


def _transact(
    database: str | None, now: str | None, work: Callable[[Session, datetime], Done]
) -> Done:
    """Do something to the rulebook in one transaction, at the moment that is named."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact

    with open_house(database) as house:
        at = moment(now, house.settings).astimezone(house.settings.zone)
        return transact(house.engine, lambda session: work(session, at))


def _became(session: Session, rule: Rule, submitted: Submitted, today: date) -> tuple[str, int]:
    """What became of a rule somebody wanted to publish, and the exit status."""
    from rewards.lint import satisfaction

    version, draft = submitted.version, submitted.draft
    if version is not None and submitted.already:
        return f"{rule.code}, version {version.version}, was in force already.", 0
    if version is not None:
        return _in_force(session, version.rule, version.version, version.starts_on, today), 0
    assert draft is not None
    reason = satisfaction.concerns(rule)[0].sentence.en
    asked = f"{draft.asked_by} asked for it" if submitted.already else "It is kept as a draft"
    said = (
        f"{rule.code} isn't in force yet: another person must agree to it. {reason} {asked}. "
        f"Next, let another person run: partner-cx rules approve {rule.code} --by NAME."
    )
    return said, 1


def _in_force(session: Session, rule: Rule, version: int, starts_on: date, today: date) -> str:
    from rewards.rulebook.retirements import closed_from

    said = f"{rule.code}, version {version}, is in force."
    if starts_on > today:
        said = f"{rule.code}, version {version}, is published, and decides from {starts_on} on."
    if closed := closed_from(session, rule):
        keep = "is closed and keeps" if len(closed) == 1 else "are closed and keep"
        said += f" {', '.join(map(str, closed))} {keep} what decided {_them(len(closed))}."
    return said


def _them(count: int) -> str:
    return "it" if count == 1 else "them"


def _first_day(text: str) -> date:
    """The day itself, or the first one of a period."""
    from datetime import date

    from partner_cx.errors import Invalid
    from partner_cx.periods import Period

    try:
        return Period.parse(text).first_day
    except Invalid:
        pass
    try:
        day = date.fromisoformat(text if len(text) == 10 else "")
    except ValueError:
        day = None
    if day is None or not 1970 <= day.year < 2200:
        raise Invalid(
            f"“{text}” is neither a day nor a period.", remedy="Write 2026-07-01, or 2026Q3."
        )
    return day
