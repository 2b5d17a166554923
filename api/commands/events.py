"""Events: what people did, once each, told one by one or found among the facts, and rewarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.printing import Format, Row, print_rows, say
from partner_cx.operations.event_kinds import EventKind

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from rewards.events.drawing import Drawn
    from rewards.events.happenings import Recorded

LISTED = (
    *("key", "kind", "partner", "person", "subject", "happened_at", "recorded_at"),
    *("points", "waiting"),
)
LISTED_IN_TABLE = ("kind", "partner", "subject", "happened_at", "points", "waiting", "key")
RULINGS = ("rule", "version", "verdict", "points", "paid")

app = typer.Typer(help="Tell what happened, and see what it earned.", no_args_is_help=True)


@app.command("list")
def list_(
    partner: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of one partner only.", callback=filled)
    ] = None,
    kind: Annotated[EventKind | None, typer.Option(help="Of one kind only.")] = None,
    last: Annotated[int, typer.Option(metavar="N", min=1, help="How many at most.")] = 100,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List the events told last, the newest first, with what each earned."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards.events.log import log

    with open_house(database) as house, reading(house.engine) as session:
        found = log(session, partner_code=partner, kind=kind, last=last)
    rows: list[Row] = [
        {
            "key": each.key,
            "kind": each.kind.value,
            "partner": each.partner_code,
            "person": each.person,
            "subject": each.subject,
            "happened_at": each.happened_at,
            "recorded_at": each.recorded_at,
            "points": each.points,
            "waiting": each.waiting,
        }
        for each in found
    ]
    spoken = language or house.language
    print_rows(rows, LISTED, form=form, in_table=LISTED_IN_TABLE, language=spoken)


@app.command()
def tell(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="Names this event for ever: again is once.")
    ],
    kind: Annotated[EventKind, typer.Argument(metavar="KIND", help="What happened.")],
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="The partner's code.")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT", help="When it happened.", show_default="now", callback=filled
        ),
    ] = None,
    person: Annotated[
        str | None, typer.Option(metavar="EMAIL", help="Who did it.", callback=filled)
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What it is about: a course, a survey.", callback=filled),
    ] = None,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Tell that something happened. Rules on it are decided, and what it earns is paid, once."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards.events.happenings import Happening, happened

    def record(session: Session) -> Recorded:
        return happened(session, happening, now=known_at, settings=house.settings)

    with open_house(database) as house:
        known_at = moment(now, house.settings)
        happened_at = moment(at, house.settings) if at else known_at
        happening = Happening(key, kind, partner, happened_at, person, subject)
        recorded = transact(house.engine, record)
    rows: list[Row] = [
        {
            "rule": ruling.rule_code,
            "version": ruling.version,
            "verdict": ruling.verdict.value,
            "points": ruling.points,
            "paid": ruling.paid,
        }
        for ruling in recorded.rulings
    ]
    print_rows(rows, RULINGS, form=form, language=language or house.language)
    if not recorded.new:
        say(f"{key} was told before: nothing changed.")
    if any(ruling.points and not ruling.paid for ruling in recorded.rulings):
        say("A budget can't pay it yet. Fund it, then run: partner-cx events pay.")
        raise typer.Exit(1)


@app.command()
def draw(database: Database = None, now: Now = None) -> None:
    """Find the events among the facts that came in; an import does so by itself."""
    from api.wiring import moment, open_house
    from rewards.events.drawing import draw_events

    with open_house(database) as house:
        drawn = draw_events(house.engine, now=moment(now, house.settings), settings=house.settings)
    tell_drawn(drawn)


@app.command()
def pay(database: Database = None, now: Now = None) -> None:
    """Pay what events earned and no budget could pay, those of earlier events first."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from rewards.events.awards import pay_waiting

    with open_house(database) as house:
        at = moment(now, house.settings)
        paid = transact(house.engine, lambda session: pay_waiting(session, now=at))
    say(f"{paid:,} points paid.")


def tell_drawn(drawn: Drawn) -> None:
    """What a draw came to."""
    say(f"{drawn.events:,} new events, which earned {drawn.points:,} points.")
    if drawn.points_late:
        say(f"{drawn.points_late:,} points paid for earlier events.")
