"""Budgets: what a programme may give away, and what is left of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

app = typer.Typer(help="See what budgets hold, and fund them.", no_args_is_help=True)


@app.command("list")
def list_(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List the budgets with what each was given, has awarded and still holds."""
    import sqlalchemy as sa

    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.ledger import Account, AccountKind, Entry

    given = sa.func.coalesce(sa.func.sum(Entry.points).filter(Entry.points > 0), 0)
    with open_house(database) as house, reading(house.engine) as session:
        found = session.execute(
            sa.select(Account.owner, given, Account.balance_points)
            .outerjoin(Entry, Entry.account_id == Account.id)
            .where(Account.kind == AccountKind.BUDGET)
            .group_by(Account.id, Account.owner, Account.balance_points)
            .order_by(Account.owner)
        ).all()
    rows: list[Row] = [
        {"code": code, "given": int(total), "awarded": int(total) - left, "left": left}
        for code, total, left in found
    ]
    spoken = language or house.language
    print_rows(rows, ("code", "given", "awarded", "left"), form=form, language=spoken)


@app.command()
def fund(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The budget, as rules name it.")],
    points: Annotated[int, typer.Argument(metavar="POINTS", min=1, help="How many to give.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="What the points are for.")],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="The same key again gives nothing again.", callback=filled
        ),
    ] = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Give points to a budget. With a key it happens once, however often it is run."""
    from uuid import uuid4

    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.words import Words
    from rewards import budgets

    once = f"fund:{key or uuid4()}"

    def give(session: Session) -> int:
        said = Words(why, why)
        budgets.fund(session, code, points, key=once, why=said, now=at, effective_on=at.date())
        return budgets.points_left(session, code)

    with open_house(database) as house:
        at = moment(now, house.settings).astimezone(house.settings.zone)
        left = transact(house.engine, give)
    say(f"{code} holds {left:,} points.")
