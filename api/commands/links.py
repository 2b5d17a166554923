"""Sign-in links, printed for whoever is to sign in, or mailed to them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Now

if TYPE_CHECKING:
    from api.wiring import House


def link(
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Of a person in the network.")],
    address: Annotated[
        str, typer.Option(metavar="URL", help="Where the pages are served.")
    ] = "http://127.0.0.1:8000",
    mail: Annotated[
        bool, typer.Option("--mail", help="Send it to them instead of printing it.")
    ] = False,
    database: Database = None,
    now: Now = None,
) -> None:
    """Print a fresh sign-in link, or mail it. It works once, for half an hour."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.network.sign_in_links import make_link

    with open_house(database) as house:
        at = moment(now, house.settings)
        if mail:
            _mail(house, email, at)
            return
        token = transact(house.engine, lambda session: make_link(session, email, now=at))
    typer.echo(f"{address.rstrip('/')}/sign-in/{token}")


def _mail(house: House, email: str, at: datetime) -> None:
    """Owe the letter; the worker makes the link when it sends it."""
    from api.printing import say
    from api.sign_in import letters
    from integrations.mail.connection import refuse_unset
    from partner_cx.database import transact
    from partner_cx.network.sign_in_links import person_called

    refuse_unset(house.settings)  # refused here, before anything is owed
    transact(
        house.engine,
        lambda session: letters.owe_to(session, person_called(session, email), now=at),
    )
    say(f"A link for {email} is on its way, as soon as a worker sends it.")
