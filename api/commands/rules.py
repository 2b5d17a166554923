"""Rules: looked at, checked, and led into force."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import backtest, publishing
from api.commands.options import Database, Form, In, Now, filled
from api.commands.rule_files import Code, FileOrCode, is_file, kept_rule, outline, read_rule
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from api.wiring import House
    from partner_cx.periods import Period
    from rewards.lint.concern import Concern
    from rewards.rulebook.standings import Standing
    from rewards.rules import Rule

RULES = (
    *("code", "version", "status", "label", "on", "period", "starts", "ends", "until", "points"),
    *("award", "budget", "published_at", "published_by", "approved_by", "why"),
)
RULES_IN_TABLE = (
    *("code", "version", "status", "label", "on", "starts", "until", "award", "budget"),
)
DRAFTS = ("code", "label", "award", "saved_at", "saved_by", "asked_at", "asked_by", "why")
CONCERNS = ("rule", "grade", "finding", "where", "sentence", "remedy")
WIDTH = 100  # of what is told in sentences

app = typer.Typer(help="Look at rules, check them, and lead them into force.", no_args_is_help=True)
First = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PERIOD",
        help="Look at the closed periods from this one on.",
        show_default="the last eight",
        callback=filled,
    ),
]
Last = Annotated[
    str | None,
    typer.Option("--to", metavar="PERIOD", help="The last one to look at.", callback=filled),
]


@app.command("list")
def list_(
    database: Database = None, form: Form = Format.TABLE, language: In = None, now: Now = None
) -> None:
    """List every published version of every rule and every draft, and how each stands today."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading
    from rewards.rulebook.standings import standings

    with open_house(database) as house, reading(house.engine) as session:
        today = moment(now, house.settings).astimezone(house.settings.zone).date()
        spoken = language or house.language
        rows = [_row(standing, spoken) for standing in standings(session, today)]
    print_rows(rows, RULES, form=form, in_table=RULES_IN_TABLE, language=spoken)


@app.command()
def drafts(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List the drafts, and which of them wait for a second person."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.rulebook.drafts import drafts as saved

    with open_house(database) as house, reading(house.engine) as session:
        spoken = language or house.language
        rows: list[Row] = [
            {
                "code": draft.code,
                "label": draft.rule.label.in_(spoken),
                "award": draft.rule.award.told.in_(spoken),
                **{name: getattr(draft, name) for name in DRAFTS[3:]},
            }
            for draft in saved(session)
        ]
    print_rows(rows, DRAFTS, form=form, language=spoken)


@app.command()
def show(
    code: Code,
    version: Annotated[
        int | None, typer.Option(help="An earlier version.", show_default="the newest")
    ] = None,
    draft: Annotated[bool, typer.Option("--draft", help="The draft, as last saved.")] = False,
    database: Database = None,
) -> None:
    """Print a rule as YAML, as it was published or last saved."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.errors import NotFound
    from rewards.rulebook import versions
    from rewards.rulebook.drafts import draft_of

    if draft and version is not None:
        raise typer.BadParameter("A draft has no version yet. Name one of them.")
    with open_house(database) as house, reading(house.engine) as session:
        if draft:
            typer.echo(draft_of(session, code).contents, nl=False)
            return
        by_number = {known.version: known for known in versions(session, code)}
        if version is not None and version not in by_number:
            raise NotFound(
                f"{code} has no version {version}.",
                remedy=f"There are: {', '.join(map(str, by_number))}.",
            )
        typer.echo(by_number[version or max(by_number)].contents, nl=False)


@app.command()
def check(
    given: FileOrCode,
    first: First = None,
    last: Last = None,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
    now: Now = None,
) -> None:
    """Say what is likely to be wrong with a rule, and what to do about it. Changes nothing.

    It is held against the programme as it is and against the periods closed last. Exit status: 0
    nothing but notes, 1 with warnings, 2 when it can't be published like this.
    """
    from api.wiring import moment, open_house

    rule = read_rule(Path(given)) if is_file(given) else None
    with open_house(database, any_schema=rule is not None) as house:
        at = moment(now, house.settings).astimezone(house.settings.zone).date()
        if rule is None:
            rule, called, concerns = _of_kept(house, given, first, last, at)
        else:
            called = f"{Path(given).name} is a rule: {rule.code}, "
            concerns = _of_file(house, rule, first, last, at)
        spoken = language or house.language
    say(f"{called}{outline(rule)}.")
    _print(rule, concerns, form, spoken)
    raise typer.Exit(_exit_status(concerns))


app.command()(backtest.backtest)
app.command()(publishing.add)
app.command()(publishing.publish)
app.command()(publishing.approve)
app.command()(publishing.retire)
app.command()(publishing.discard)


# --- Checking -----------------------------------------------------------------------------------


def _of_kept(
    house: House, code: str, first: str | None, last: str | None, on: date
) -> tuple[Rule, str, list[Concern]]:
    """What there is to say about a draft, or else the newest version, and what it is called."""
    from partner_cx.database import reading
    from rewards.lint.checking import check as look_over

    with reading(house.engine) as session:
        rule, called = kept_rule(session, code)
        concerns = look_over(session, rule, on=on, **_span(rule, first, last))
        return rule, f"{called}: ", concerns


def _of_file(
    house: House, rule: Rule, first: str | None, last: str | None, on: date
) -> list[Concern]:
    """What there is to say about a rule that may have no programme to be held against."""
    from api import migrations
    from partner_cx.database import reading
    from rewards.lint.checking import check as look_over
    from rewards.lint.checking import check_alone

    span = _span(rule, first, last)
    if _is_nowhere(house):
        return check_alone(rule, on=on)
    migrations.require_current(house.engine)
    with reading(house.engine) as session:
        return look_over(session, rule, on=on, **span)


def _is_nowhere(house: House) -> bool:
    """Whether there is no programme at all; looking doesn't make a database of it."""
    import sqlalchemy as sa

    from api.wiring import is_empty

    address = sa.make_url(house.settings.database_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        return True
    return is_empty(house.engine)


def _span(rule: Rule, first: str | None, last: str | None) -> dict[str, Period | None]:
    from partner_cx.errors import Invalid
    from partner_cx.periods import Period

    span = {
        name: None if text is None else Period.parse(text)
        for name, text in (("first", first), ("last", last))
    }
    for period in span.values():
        if period is not None and period.kind is not rule.period:
            raise Invalid(
                f"{period} is a {period.kind}, and {rule.code} is decided by the {rule.period}.",
                remedy=f"Name a {rule.period}, such as {Period.of(period.first_day, rule.period)}.",
            )
    if span["first"] and span["last"]:
        Period.span(span["first"], span["last"])  # refuses a last one before the first
    return span


def _exit_status(concerns: Sequence[Concern]) -> int:
    from rewards.lint.checking import heaviest
    from rewards.lint.concern import Grade

    return {None: 0, Grade.NOTE: 0, Grade.REFUSED: 2}.get(heaviest(concerns), 1)


def _print(rule: Rule, concerns: Sequence[Concern], form: Format, language: str) -> None:
    if form is not Format.TABLE:
        rows: list[Row] = [
            {
                "rule": rule.code,
                "grade": concern.grade.value,
                "finding": concern.kind.value,
                "where": concern.where,
                "sentence": concern.sentence.in_(language),
                "remedy": concern.remedy.in_(language),
            }
            for concern in concerns
        ]
        print_rows(rows, CONCERNS, form=form)
        return
    for concern in concerns:
        typer.echo(f"{_told(concern, language)}\n")
    say(_tally(concerns, language))


def _told(concern: Concern, language: str) -> str:
    """A concern for a person: what it is, where, what is the matter, what to do."""
    head = f"{_GRADES[concern.grade][language == 'fr']} {concern.kind}"
    if concern.where:
        head += f" ({concern.where})"
    sentence, remedy = concern.sentence.in_(language), concern.remedy.in_(language)
    return "\n".join((head, _wrapped(sentence, "  "), _wrapped(remedy, "  → ", "    ")))


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest or first, break_on_hyphens=False
    )


_GRADES = {
    "refused": ("refused:", "refusé\u202f:"),
    "second_approver": ("second person needed:", "seconde personne requise\u202f:"),
    "warning": ("warning:", "avertissement\u202f:"),
    "note": ("note:", "remarque\u202f:"),
}


def _tally(concerns: Sequence[Concern], language: str) -> str:
    """`2 warnings, 1 note.`"""
    from rewards.lint.concern import Grade

    notes = sum(concern.grade is Grade.NOTE for concern in concerns)
    warnings = len(concerns) - notes
    if not concerns:
        return "Nothing to remark." if language != "fr" else "Rien à signaler."
    words = ("warning", "note") if language != "fr" else ("avertissement", "remarque")
    counted = zip((warnings, notes), words, strict=True)
    told = ", ".join(f"{n} {word}{'s' if n > 1 else ''}" for n, word in counted if n)
    return f"{told}."


# --- Listing ------------------------------------------------------------------------------------


def _row(standing: Standing, language: str) -> Row:
    kept, rule = standing.kept, standing.rule
    return {
        "code": kept.code,
        "version": getattr(kept, "version", None),
        "status": Shown(standing.status.value, _status(standing, language)),
        "label": rule.label.in_(language),
        "on": Shown(rule.on.value, _occasion(rule, language)),
        "period": rule.period.value,
        "starts": rule.starts,
        "ends": rule.ends,
        "until": standing.until,
        "points": rule.award.points_max,
        "award": rule.award.told.in_(language),
        "budget": rule.budget,
        "published_at": getattr(kept, "published_at", None),
        "published_by": getattr(kept, "published_by", None),
        "approved_by": getattr(kept, "approved_by", None),
        "why": kept.why,
    }


_STATUSES = {
    "draft": ("draft", "brouillon"),
    "awaiting_approval": ("awaiting approval", "à approuver"),
    "coming": ("coming", "à venir"),
    "in_force": ("in force", "en vigueur"),
    "superseded": ("superseded", "remplacée"),
    "ended": ("ended", "terminée"),
    "retired": ("retired", "retirée"),
}
_CLOSES = {
    "month": ("month's close", "clôture du mois"),
    "quarter": ("quarter's close", "clôture du trimestre"),
    "year": ("year's close", "clôture de l’année"),
}


def _status(standing: Standing, language: str) -> str:
    return _STATUSES[standing.status.value][language == "fr"]


def _occasion(rule: Rule, language: str) -> str:
    from rewards.sentences.things import events

    if kind := rule.on.event:
        return events(kind).one.in_(language)
    return _CLOSES[rule.period.value][language == "fr"]
