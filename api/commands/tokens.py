"""API tokens: issued, listed, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, filled
from api.commands.rule_files import By, who
from api.printing import Format, Row, print_rows, say
from partner_cx.network.scopes import Scope

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

LISTED = (
    *("token", "name", "scopes", "partner", "made_at", "by"),
    *("expires_at", "last_used_at", "ended_at"),
)

app = typer.Typer(help="Let other systems in, each with a token of its own.", no_args_is_help=True)


@app.command()
def issue(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the system that holds it.")],
    scopes: Annotated[list[Scope], typer.Option("--scope", help="What it is for; several.")],
    days: Annotated[
        int, typer.Option(metavar="N", min=0, max=3660, help="How long it lasts; 0: until ended.")
    ] = 365,
    partner: Annotated[
        str | None,
        typer.Option(
            metavar="CODE",
            help="The partner that it is limited to, with those below.",
            show_default="the network",
            callback=filled,
        ),
    ] = None,
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Make a token. It is printed once, and only its digest is kept."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.journal import Did, note
    from partner_cx.network.tokens import make_token

    with open_house(database) as house:
        at = moment(now, house.settings)
        lasts = timedelta(days=days) if days else None

        def make(session: Session) -> str:
            limited_to = _partner_id(session, partner) if partner else None
            token = make_token(
                session, name, scopes, by=who(by), now=at, lasts=lasts, partner_id=limited_to
            )
            details = {"scopes": sorted(set(scopes)), "partner": partner, "days": days or None}
            note(session, by=who(by), did=Did.TOKEN_MADE, about=name, details=details, now=at)
            return token

        token = transact(house.engine, make)
    say("The token, shown only now:")
    typer.echo(token)


@app.command("list")
def list_(database: Database = None, form: Form = Format.TABLE, language: In = None) -> None:
    """List the tokens there are and were, with when each was last used."""
    import sqlalchemy as sa

    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.network.partners import Partner
    from partner_cx.network.tokens import ApiToken

    tokens = (
        sa.select(ApiToken, Partner.code)
        .outerjoin(Partner, Partner.id == ApiToken.partner_id)
        .order_by(ApiToken.id)
    )
    with open_house(database) as house, reading(house.engine) as session:
        rows: list[Row] = [
            {
                "token": each.id,
                "name": each.name,
                "scopes": each.scopes,
                "partner": partner,
                "made_at": each.made_at,
                "by": each.made_by,
                "expires_at": each.expires_at,
                "last_used_at": each.last_used_at,
                "ended_at": each.ended_at,
            }
            for each, partner in session.execute(tokens)
        ]
        print_rows(rows, LISTED, form=form, language=language or house.language)


@app.command()
def end(
    token: Annotated[int, typer.Argument(metavar="TOKEN", help="Its number, see `list`.")],
    by: By = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Take a token back: from now on it opens nothing."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.journal import Did, note
    from partner_cx.network.tokens import end_token

    def take_back(session: Session) -> None:
        held = end_token(session, token, now=at)
        note(session, by=who(by), did=Did.TOKEN_ENDED, about=held.name, now=at)

    with open_house(database) as house:
        at = moment(now, house.settings)
        transact(house.engine, take_back)
    say(f"Token {token} opens nothing any more.")


def _partner_id(session: Session, code: str) -> int:
    import sqlalchemy as sa

    from partner_cx.errors import NotFound
    from partner_cx.network.partners import Partner

    found = session.scalar(sa.select(Partner.id).where(Partner.code == code))
    if found is None:
        raise NotFound(f"No partner has the code {code}.", remedy="Look it up among the partners.")
    return found
