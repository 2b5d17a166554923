"""Rules: looked at, checked as a file, and put in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from rewards.rulebook import RuleVersion
    from rewards.rules import Rule

RULES = (
    *("code", "version", "label", "period", "starts", "ends", "points", "budget"),
    *("published_at", "published_by", "why"),
)
RULES_IN_TABLE = ("code", "version", "label", "period", "starts", "ends", "points", "budget", "why")

app = typer.Typer(help="Look at rules, check them and put them in force.", no_args_is_help=True)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A rule as YAML.")]


@app.command("list")
def list_(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List every published version of every rule."""
    import sqlalchemy as sa

    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.rulebook import RuleVersion

    with open_house(database) as house, reading(house.engine) as session:
        published = session.scalars(
            sa.select(RuleVersion).order_by(RuleVersion.code, RuleVersion.version)
        )
        rows = [_row(version, language or house.language) for version in published]
    print_rows(
        rows,
        RULES,
        form=form,
        in_table=RULES_IN_TABLE,
        language=language or house.language,
    )


@app.command()
def show(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The rule's code.")],
    version: Annotated[
        int | None, typer.Option(help="An earlier version.", show_default="the newest")
    ] = None,
    database: Database = None,
) -> None:
    """Print a rule as YAML, as it was published."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.errors import NotFound
    from rewards.rulebook import versions

    with open_house(database) as house, reading(house.engine) as session:
        by_number = {known.version: known for known in versions(session, code)}
        if version is not None and version not in by_number:
            raise NotFound(
                f"{code} has no version {version}.",
                remedy=f"There are: {', '.join(map(str, by_number))}.",
            )
        typer.echo(by_number[version or max(by_number)].contents, nl=False)


@app.command()
def check(file: File) -> None:
    """Read a rule file and say what is wrong with it, if anything. Changes nothing."""
    rule = _read(file)
    say(f"{file.name} is a rule: {rule.code}, {rule.award.points:,} points per {rule.period}.")


@app.command()
def publish(
    file: File,
    why: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What the change is for.", callback=filled),
    ] = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Put a rule in force as its next version. What is in force already stays as it is."""
    from api.wiring import actor, moment, open_house
    from partner_cx.database import transact
    from rewards import rulebook

    rule, reason = _read(file), why or ""
    with open_house(database) as house:
        at = moment(now, house.settings)
        version, newly = transact(
            house.engine,
            lambda session: _told(
                rulebook.publish(session, rule, by=actor(), why=reason, now=at), reason, at
            ),
        )
    said = "is in force" if newly else "was in force already"
    say(f"{rule.code}, version {version}, {said}.")


def _told(published: RuleVersion, why: str, at: object) -> tuple[int, bool]:
    return published.version, published.published_at == at and published.why == why


def _read(file: Path) -> Rule:
    from partner_cx.errors import Invalid
    from rewards.rules import Rule

    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{file.name} isn't UTF-8 text.", remedy="Save it as UTF-8.") from None
    return Rule.from_yaml(text, file.name)


def _row(version: RuleVersion, language: str) -> Row:
    rule = version.rule
    return {
        "code": version.code,
        "version": version.version,
        "label": rule.label.in_(language),
        "period": rule.period.value,
        "starts": rule.starts,
        "ends": rule.ends,
        "points": rule.award.points,
        "budget": rule.budget,
        "published_at": version.published_at,
        "published_by": version.published_by,
        "why": version.why,
    }
