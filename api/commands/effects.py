"""Effects: what is owed to neighbours, what is parked and why, and another try by hand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.commands.rule_files import By, who
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

COLUMNS = (
    *("key", "kind", "state", "due_at", "tries", "why"),
    *("subject", "behind", "owed_at", "done_at"),
)
IN_TABLE = ("key", "state", "due_at", "tries", "why")
COUNTED = ("kind", "state", "n")


class Which(StrEnum):
    """Which effects are listed."""

    OPEN = "open"  # whatever isn't done
    PARKED = "parked"  # until somebody retries or drops them
    WAITING = "waiting"  # for their moment, a worker, or another try
    HELD_BACK = "held_back"  # behind an earlier one of their subject
    UNDER_WAY = "under_way"  # being carried out
    DONE = "done"
    DROPPED = "dropped"


Keys = Annotated[list[str] | None, typer.Argument(metavar="[KEY]...", help="As `list` tells it.")]
Kind = Annotated[
    str | None,
    typer.Option(metavar="KIND", help="Of this kind alone, such as mail.letter.", callback=filled),
]

app = typer.Typer(help="See what is owed to neighbours; retry or drop it.", no_args_is_help=True)


@app.command("list")
def list_(
    which: Annotated[Which, typer.Option("--state", help="Those that stand so.")] = Which.OPEN,
    kind: Kind = None,
    counts: Annotated[bool, typer.Option("--counts", help="How many of each kind, only.")] = False,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many rows.")] = 100,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List effects by the moment they are due, with what they wait for."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading

    with open_house(database) as house, reading(house.engine) as session:
        at = moment(now, house.settings)
        spoken = language or house.language
        if counts:
            print_rows(_counted(session, at, kind), COUNTED, form=form, language=spoken)
            return
        rows, more = _listed(session, at, which, kind, limit)
        print_rows(rows, COLUMNS, form=form, in_table=IN_TABLE, language=spoken)
    if more:
        say(f"There are more than {limit:,}: choose --kind or --state, or a higher --limit.")


@app.command()
def retry(
    keys: Keys = None,
    kind: Kind = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every parked one, of --kind if that is given.")
    ] = False,
    database: Database = None,
    now: Now = None,
) -> None:
    """Try parked effects again, at once; by KEY also those that wait for another try."""
    from api.wiring import moment, open_house
    from partner_cx import effects
    from partner_cx.database import transact
    from partner_cx.errors import Invalid

    if bool(keys) == (everything or kind is not None):
        raise Invalid(
            "Which effects to retry isn't clear.", remedy="Name keys, or --kind KIND, or --all."
        )
    with open_house(database) as house:
        at = moment(now, house.settings)
        count = transact(
            house.engine, lambda session: effects.retry(session, now=at, keys=keys, kind=kind)
        )
    say(f"{count:,} {_effects(count)} to be tried again.")


@app.command()
def drop(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="As `list` tells it.")],
    why: Annotated[str, typer.Option(metavar="TEXT", help="What is kept with them.")],
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Give effects up: they are never carried out, and those behind them go on."""
    from api.wiring import moment, open_house
    from partner_cx import effects
    from partner_cx.database import transact

    with open_house(database) as house:
        at = moment(now, house.settings)
        count = transact(
            house.engine,
            lambda session: effects.drop(session, keys, by=who(by), because=why, now=at),
        )
    say(f"{count:,} {_effects(count)} dropped.")


@app.command()
def prune(
    before: Annotated[
        str,
        typer.Option(
            metavar="DAY",
            help="What was settled before it goes, such as 2026-01-01.",
            callback=filled,
        ),
    ],
    database: Database = None,
    now: Now = None,
) -> None:
    """Delete what the schedule had done long ago; what was owed to neighbours stays."""
    from api.wiring import moment, open_house
    from integrations import pruning
    from partner_cx.database import transact

    with open_house(database) as house:
        at, day = moment(now, house.settings), moment(before, house.settings)
        count = transact(house.engine, lambda session: pruning.prune(session, before=day, now=at))
    say(f"{count:,} {_effects(count)} deleted.")


def _effects(count: int) -> str:
    return "effect is" if count == 1 else "effects are"


def _counted(session: Session, at: datetime, kind: str | None) -> list[Row]:
    from partner_cx import effects

    return [
        {"kind": name, "state": state, "n": count}
        for (name, state), count in effects.counted(session, now=at).items()
        if kind in (None, name)
    ]


def _listed(
    session: Session, at: datetime, which: Which, kind: str | None, limit: int
) -> tuple[list[Row], bool]:
    from partner_cx import effects
    from partner_cx.effects import OPEN_STATES, State

    states = OPEN_STATES if which is Which.OPEN else (State(which.value),)
    found = effects.listed(session, now=at, states=states, kind=kind, limit=limit + 1)
    rows: list[Row] = [
        {
            "key": each.key,
            "kind": each.kind,
            "state": each.state,
            "due_at": each.due_at,
            "tries": each.tries,
            "why": each.why or (f"behind {each.behind}" if each.behind else None),
            "subject": each.subject,
            "behind": each.behind,
            "owed_at": each.owed_at,
            "done_at": each.done_at,
        }
        for each in found[:limit]
    ]
    return rows, len(found) > limit
