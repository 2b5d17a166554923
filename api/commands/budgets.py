"""Budgets: what a programme may give away, what is left of it, and what it may have to pay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.commands.rule_files import By, who
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from fractions import Fraction

    from sqlalchemy.orm import Session

    from partner_cx.words import Words
    from rewards.ledger import Account

T = TypeVar("T")


class View(StrEnum):
    """What of a budget is printed."""

    POINTS = "points"  # where its points are, and what may still come
    RULES = "rules"  # which rules drew on it
    RESERVATIONS = "reservations"  # what is set aside


LISTED = ("code", "given", "awarded", "left", "reserved", "committed")
COLUMNS = {
    View.POINTS: (
        *("code", "given", "spent", "committed", "reserved", "left", "used"),
        *("open_awards", "expected", "p95", "chance_short"),
    ),
    View.RULES: ("rule", "n", "points"),
    View.RESERVATIONS: ("key", "points", "why", "reserved_at"),
}
ALERTS = ("budget", "level", "used_points", "given", "raised_at", "sentence")

app = typer.Typer(help="See what budgets hold, fund them, and reserve.", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="CODE", help="The budget, as rules name it.")]
Points = Annotated[int, typer.Argument(metavar="POINTS", min=1, help="How many.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The reservation's key.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="What for.")]


@app.command("list")
def list_(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List the budgets with what each was given, has awarded and still holds."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.budgets import reports

    with open_house(database) as house, reading(house.engine) as session:
        rows: list[Row] = [
            {
                "code": told.code,
                "given": told.funded,
                "awarded": told.spent + told.committed,
                "left": told.left,
                "reserved": told.reserved,
                "committed": told.committed,
            }
            for told in reports(session)
        ]
    print_rows(rows, LISTED, form=form, language=language or house.language)


@app.command()
def show(
    code: Code,
    view: Annotated[View, typer.Option("--show", help="What to print.")] = View.POINTS,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Show where a budget's points are, and what the rules in force may still ask of it."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading

    with open_house(database) as house, reading(house.engine) as session:
        spoken = language or house.language
        _refuse_unknown(session, code)
        at = moment(now, house.settings).astimezone(house.settings.zone)
        told: dict[View, Callable[[], list[Row]]] = {
            View.POINTS: lambda: [_points_row(session, code, at, spoken)],
            View.RULES: lambda: _rule_rows(session, code),
            View.RESERVATIONS: lambda: _reservation_rows(session, code, spoken),
        }
        rows = told[view]()
    print_rows(rows, COLUMNS[view], form=form, language=spoken)


@app.command()
def fund(
    code: Code,
    points: Annotated[int, typer.Argument(metavar="POINTS", min=1, help="How many to give.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="What the points are for.")],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="The same key again gives nothing again.", callback=filled
        ),
    ] = None,
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Give points to a budget. With a key it happens once, however often it is run."""
    from uuid import uuid4

    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.words import Words
    from rewards import budgets

    once, name, said = f"fund:{key or uuid4()}", who(by), Words(why, why)

    def give(session: Session) -> int:
        day = at.date()
        budgets.fund(session, code, points, key=once, why=said, by=name, now=at, effective_on=day)
        return budgets.points_left(session, code)

    with open_house(database) as house:
        at = moment(now, house.settings).astimezone(house.settings.zone)
        left = transact(house.engine, give)
    say(f"{code} holds {left:,} points.")


@app.command()
def reserve(
    code: Code,
    points: Points,
    key: Annotated[
        str, typer.Option(metavar="KEY", help="The same key again reserves nothing again.")
    ],
    why: Why,
    database: Database = None,
    now: Now = None,
) -> None:
    """Set points of a budget aside: all of them, or none."""
    from rewards import budgets
    from rewards.budgets import reservations

    def work(session: Session, why: Words, at: datetime) -> int:
        reservations.reserve(session, code, points, key=key, why=why, now=at)
        return budgets.points_left(session, code)

    left = _acted(work, why, database, now)
    say(f"{points:,} points of {code} are reserved under {key}; it holds {left:,} more.")


@app.command()
def release(key: Key, why: Why, database: Database = None, now: Now = None) -> None:
    """Give what was reserved back to its budget."""
    from rewards.budgets import reservations

    def work(session: Session, why: Words, at: datetime) -> None:
        reservations.release(session, key, why=why, now=at)

    _acted(work, why, database, now)
    say(f"The reservation {key} is released.")


@app.command()
def settle(
    key: Key,
    to: Annotated[
        str, typer.Option(metavar="PARTNER|EMAIL", help="Who gets the points.", callback=filled)
    ],
    why: Why,
    points: Annotated[
        int | None,
        typer.Option(min=1, help="How many; the rest goes back.", show_default="all of them"),
    ] = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Pay what was reserved to a partner or a person; what isn't needed goes back."""
    from rewards.budgets import reservations

    def work(session: Session, why: Words, at: datetime) -> None:
        target = _wallet(session, to)
        reservations.settle(session, key, target, points=points, why=why, now=at)

    _acted(work, why, database, now)
    say(f"The reservation {key} is settled.")


@app.command()
def alerts(
    code: Annotated[str | None, typer.Argument(metavar="[CODE]", help="This budget alone.")] = None,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List when budgets came to half, four fifths and all of their use, the newest first."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards import budgets

    with open_house(database) as house, reading(house.engine) as session:
        spoken = language or house.language
        rows: list[Row] = [
            {
                "budget": alert.budget_code,
                "level": alert.level,
                "used_points": alert.used_points,
                "given": alert.funded_points,
                "raised_at": alert.raised_at,
                "sentence": alert.sentence.in_(spoken),
            }
            for alert in budgets.alerts(session, code)
        ]
    print_rows(rows, ALERTS, form=form, language=spoken)


def _acted(
    work: Callable[[Session, Words, datetime], T], why: str, database: str | None, now: str | None
) -> T:
    """Do something in a transaction of its own, for a reason, in the programme's time."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.words import Words

    with open_house(database) as house:
        at = moment(now, house.settings).astimezone(house.settings.zone)
        return transact(house.engine, lambda session: work(session, Words(why, why), at))


def _refuse_unknown(session: Session, code: str) -> None:
    from partner_cx.errors import NotFound
    from rewards.budgets import reports

    known = [told.code for told in reports(session)]
    if code not in known:
        raise NotFound(
            f"No budget is called {code}.",
            remedy=f"There are: {', '.join(known) or 'none yet; fund one'}.",
        )


def _points_row(session: Session, code: str, at: datetime, language: str) -> Row:
    from rewards.budgets import report
    from rewards.budgets.outlook import outlook

    told, ahead = report(session, code), outlook(session, code, at.date())
    return {
        "code": told.code,
        "given": told.funded,
        "spent": told.spent,
        "committed": told.committed,
        "reserved": told.reserved,
        "left": told.left,
        "used": _share(told.used_share, language),
        "open_awards": ahead.open_awards,
        "expected": round(ahead.expected),
        "p95": ahead.likely_most,
        "chance_short": _share(ahead.chance_short, language),
    }


def _rule_rows(session: Session, code: str) -> list[Row]:
    from rewards.budgets.outlook import drawn_by_rules

    return [
        {"rule": rule, "n": awards, "points": points}
        for rule, awards, points in drawn_by_rules(session, code)
    ]


def _reservation_rows(session: Session, code: str, language: str) -> list[Row]:
    from rewards.budgets.reservations import reservations

    return [
        {
            "key": each.key,
            "points": each.points,
            "why": each.why.in_(language),
            "reserved_at": each.reserved_at,
        }
        for each in reservations(session, code)
    ]


def _share(share: Fraction | None, language: str) -> Shown | None:
    from partner_cx.quantities import percent

    return None if share is None else Shown(share, percent(share, language))


def _wallet(session: Session, to: str) -> Account:
    from rewards.ledger import AccountKind, account
    from rewards.ledger.owners import owner_of

    owner = owner_of(session, to)
    return account(session, AccountKind.WALLET, owner.wallet, owner.partner_id)
