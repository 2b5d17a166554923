"""Rules as people name them to a command: a YAML file, or the code of one that is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import filled

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rewards.rules import Rule

File = Annotated[Path, typer.Argument(metavar="FILE", help="A rule as YAML.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="The rule's code.")]
FileOrCode = Annotated[
    str, typer.Argument(metavar="FILE|CODE", help="A rule as YAML, or the code of one.")
]
By = Annotated[
    str | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Who acts, such as an e-mail address.",
        show_default="you, as the system knows you",
        callback=filled,
    ),
]


def is_file(given: str) -> bool:
    """Whether a file is meant: there is one, or it is written like one."""
    path = Path(given)
    written_so = path.suffix.lower() in (".yaml", ".yml") or "/" in given or "\\" in given
    return written_so or (path.exists() and not path.is_dir())


def read_rule(file: Path) -> Rule:
    """Read a rule's file. Raises Invalid for whatever isn't one, with the place."""
    from partner_cx.errors import Invalid, NotFound
    from rewards.reading import BYTES_MAX
    from rewards.rules import Rule

    if not file.exists():
        raise NotFound(f"There is no file {file}.", remedy="Check its path.")
    if file.is_dir():
        raise Invalid(f"{file} is a folder.", remedy="Name the rule's file in it.")
    with file.open("rb") as opened:
        written = opened.read(BYTES_MAX + 1)  # however large it is, and however long it goes on
    if len(written) > BYTES_MAX:
        raise Invalid(
            f"{file.name}: larger than {BYTES_MAX // 1000} kB.",
            remedy="A rule fits on a page: check that this is the right file.",
        )
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = written.count(b"\n", 0, error.start) + 1
        raise Invalid(
            f"{file.name}, line {line}: this isn't UTF-8 text.",
            remedy="Save the file as UTF-8; editors and spreadsheets call it so.",
        ) from None
    return Rule.from_yaml(text, file.name)


def kept_rule(session: Session, code: str) -> tuple[Rule, str]:
    """The rule of a code, and what it is called: its draft, or else its newest version."""
    from rewards.rulebook import RuleDraft, versions

    if draft := session.get(RuleDraft, code):
        return draft.rule, f"The draft of {code}"
    newest = versions(session, code)[-1]
    return newest.rule, f"{code}, version {newest.version}"


def who(by: str | None) -> str:
    """Who acts, as the rulebook remembers it."""
    from api.wiring import actor
    from rewards.reading import Given

    return actor() if by is None else Given.of(by, "--by").line()


def outline(rule: Rule) -> str:
    """`500 points per quarter`, `50 points per report accepted`."""
    from rewards.sentences.things import events

    per = events(rule.on.event).one.en if rule.on.event else rule.period.value
    return f"{rule.award.told.en} per {per}"
