"""Holds: awards that wait for their day or for somebody's yes, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.commands.rule_files import By, who
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rewards.holds import Held, Released

LISTED = ("key", "wallet", "points", "on", "held_until", "needs_approval", "due", "budget", "why")
LISTED_IN_TABLE = ("wallet", "points", "held_until", "needs_approval", "due", "key")

Key = Annotated[str, typer.Argument(metavar="KEY", help="The award's, as `holds list` tells it.")]

app = typer.Typer(help="Release, approve or refuse awards that wait.", no_args_is_help=True)


@app.command("list")
def list_(
    wallet: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER",
            help="Of one wallet only: partner:CODE or person:EMAIL.",
            callback=filled,
        ),
    ] = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List the awards that wait, by the day on which they may be released."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading
    from rewards import holds

    with open_house(database) as house, reading(house.engine) as session:
        today = moment(now, house.settings).astimezone(house.settings.zone).date()
        spoken = language or house.language
        rows: list[Row] = [
            {
                "key": each.key,
                "wallet": each.owner,
                "points": each.points,
                "on": each.on,
                "held_until": each.held_until,
                "needs_approval": each.needs_approval,
                "due": each.is_due(today),
                "budget": each.budget,
                "why": each.why.in_(spoken),
            }
            for each in holds.pending(session, wallet)
        ]
    print_rows(rows, LISTED, form=form, in_table=LISTED_IN_TABLE, language=spoken)


@app.command()
def release(database: Database = None, now: Now = None) -> None:
    """Release every award whose hold has ended and that needs nobody's yes."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards import holds

    def work(session: Session) -> Released:
        today = at.astimezone(house.settings.zone).date()
        return holds.release_due(session, on=today, now=at)

    with open_house(database) as house:
        at = moment(now, house.settings)
        released = transact(house.engine, work)
    say(f"{released.awards:,} awards released, {released.points:,} points.")


@app.command()
def approve(
    key: Key,
    why: Annotated[str, typer.Option(metavar="TEXT", help="What the winner reads with it.")] = "",
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Say yes to an award that waits for it. Once."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards import holds

    def work(session: Session) -> Held:
        at = moment(now, house.settings)
        return holds.approve(session, key, by=who(by), why=why, now=at, settings=house.settings)

    with open_house(database) as house:
        held = transact(house.engine, work)
    say(f"{held.points:,} points approved: they are in the wallet of {held.owner}.")


@app.command()
def refuse(
    key: Key,
    why: Annotated[
        str, typer.Option(metavar="TEXT", help="What the winner reads on the statement.")
    ],
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Take an award that waits back into its budget, and say why. Once."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards import holds

    def work(session: Session) -> Held:
        at = moment(now, house.settings)
        return holds.refuse(session, key, by=who(by), why=why, now=at, settings=house.settings)

    with open_house(database) as house:
        held = transact(house.engine, work)
    say(f"{held.points:,} points refused: they are back in budget {held.budget}.")
