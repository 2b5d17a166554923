"""Webhooks: which systems are told of what, their secrets, and what was sent and answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now
from api.commands.rule_files import By, who
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LISTED = ("endpoint", "url", "events", "waiting", "parked", "made_at", "by", "ended_at")
SENT = (
    *("sent_at", "endpoint", "event", "status", "milliseconds", "problem"),
    *("message_id", "answer", "key"),
)
SENT_IN_TABLE = ("sent_at", "endpoint", "event", "message_id", "status", "problem")
TYPES = ("event", "meaning")

Endpoint = Annotated[int, typer.Argument(metavar="ENDPOINT", help="Its number, see `list`.")]

app = typer.Typer(help="Tell other systems what happens.", no_args_is_help=True)


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are to go.")],
    events: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="EVENT", help="Of this type; several; default: all."),
    ] = None,
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Tell a system from now on. Prints the secret its messages are signed with, once."""
    from api.wiring import moment, open_house
    from integrations.webhooks import adding
    from integrations.webhooks.addresses import sound_url
    from integrations.webhooks.event_types import known_events
    from partner_cx.database import transact

    with open_house(database) as house:
        at, settings = moment(now, house.settings), house.settings
        wanted = known_events(events or [])
        address = sound_url(url, private=settings.webhook_private_addresses)

        def make(session: Session) -> tuple[int, str]:
            made = adding.add(session, address, wanted, by=who(by), settings=settings, now=at)
            return made.id, made.secret

        number, secret = transact(house.engine, make)
    say(f"Endpoint {number} is told from now on. Its secret, shown only now:")
    typer.echo(secret)


@app.command("list")
def list_(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List the endpoints, with how many messages each is still owed."""
    import sqlalchemy as sa

    from api.wiring import open_house
    from integrations.webhooks.endpoints import WebhookEndpoint
    from integrations.webhooks.messages import waiting
    from partner_cx.database import reading

    with open_house(database) as house, reading(house.engine) as session:
        found = session.scalars(sa.select(WebhookEndpoint).order_by(WebhookEndpoint.id)).all()
        owed = waiting(session, [each.id for each in found])
        rows: list[Row] = [
            {
                "endpoint": each.id,
                "url": each.url,
                "events": " ".join(each.events) or None,
                "waiting": owed[each.id][0],
                "parked": owed[each.id][1],
                "made_at": each.made_at,
                "by": each.made_by,
                "ended_at": each.ended_at,
            }
            for each in found
        ]
        print_rows(rows, LISTED, form=form, language=language or house.language)


@app.command("events")
def events_(form: Form = Format.TABLE, language: In = None) -> None:
    """List what an endpoint can be told of."""
    from integrations.webhooks.event_types import EVENT_TYPES

    spoken = language or "en"
    rows: list[Row] = [
        {"event": name, "meaning": meaning.in_(spoken)} for name, meaning in EVENT_TYPES.items()
    ]
    print_rows(rows, TYPES, form=form, language=spoken)


@app.command()
def rotate(
    endpoint: Endpoint,
    keep_hours: Annotated[
        int, typer.Option(metavar="N", min=0, max=720, help="How long the old secret still signs.")
    ] = 24,
    database: Database = None,
    now: Now = None,
) -> None:
    """Make a new secret, and let the old one end. Prints the new one, once."""
    from api.wiring import moment, open_house
    from integrations.webhooks import adding
    from partner_cx.database import transact

    with open_house(database) as house:
        at, settings = moment(now, house.settings), house.settings
        keep = timedelta(hours=keep_hours)

        def change(session: Session) -> str:
            return adding.rotate(session, endpoint, keep=keep, settings=settings, now=at)

        secret = transact(house.engine, change)
    ends = f"for {keep_hours} more hours" if keep_hours else "no longer"
    say(f"The former secret of endpoint {endpoint} signs {ends}. The new one, shown only now:")
    typer.echo(secret)


@app.command()
def end(endpoint: Endpoint, database: Database = None, now: Now = None) -> None:
    """Tell a system nothing any more, not even what it was still owed."""
    from api.wiring import moment, open_house
    from integrations.webhooks import endpoints
    from partner_cx.database import transact

    with open_house(database) as house:
        at = moment(now, house.settings)
        transact(house.engine, lambda session: endpoints.end(session, endpoint, now=at).id)
    say(f"Endpoint {endpoint} is told nothing any more.")


@app.command("test")
def try_(endpoint: Endpoint, database: Database = None, now: Now = None) -> None:
    """Owe an endpoint a `ping`, to try the way. The worker sends it."""
    from api.wiring import moment, open_house
    from integrations.webhooks.messages import ping
    from partner_cx.database import transact

    with open_house(database) as house:
        at = moment(now, house.settings)
        key = transact(house.engine, lambda session: ping(session, endpoint, now=at))
    say(f"{key} is owed. See what is answered with `partner-cx webhooks sent`.")


@app.command()
def replay(
    endpoint: Endpoint,
    since: Annotated[
        str, typer.Option(metavar="INSTANT", help="What was owed from then on, as --now reads it.")
    ],
    database: Database = None,
    now: Now = None,
) -> None:
    """Owe an endpoint again what it was sent since a moment, under the same message ids."""
    from api.wiring import moment, open_house
    from integrations.webhooks import messages
    from partner_cx.database import transact

    with open_house(database) as house:
        at, first = moment(now, house.settings), moment(since, house.settings)
        count = transact(
            house.engine,
            lambda session: messages.replay(session, endpoint, since=first, now=at),
        )
    say(f"{count:,} {'message is' if count == 1 else 'messages are'} owed again.")


@app.command()
def sent(
    endpoint: Annotated[
        int | None, typer.Option(metavar="ENDPOINT", help="To this endpoint alone.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many rows.")] = 100,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """List what was sent and what was answered, the newest first."""
    import sqlalchemy as sa

    from api.wiring import open_house
    from integrations.webhooks.endpoints import WebhookAttempt
    from partner_cx.database import reading
    from partner_cx.effects import Effect

    with open_house(database) as house, reading(house.engine) as session:
        wanted = sa.select(WebhookAttempt, Effect.key).join(
            Effect, Effect.id == WebhookAttempt.effect_id
        )
        if endpoint is not None:
            wanted = wanted.where(WebhookAttempt.endpoint_id == endpoint)
        rows: list[Row] = [
            {
                "sent_at": attempt.sent_at,
                "endpoint": attempt.endpoint_id,
                "event": attempt.event,
                "status": attempt.status,
                "milliseconds": attempt.milliseconds,
                "problem": attempt.problem,
                "message_id": attempt.message_id,
                "answer": attempt.answer,
                "key": key,
            }
            for attempt, key in session.execute(
                wanted.order_by(WebhookAttempt.id.desc()).limit(limit)
            )
        ]
        print_rows(
            rows, SENT, form=form, in_table=SENT_IN_TABLE, language=language or house.language
        )
