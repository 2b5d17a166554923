"""The audit, and the monthly totals that are signed, to be held against the ledger later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Now, PeriodText
from api.printing import Format, Row, print_rows, say

if TYPE_CHECKING:
    from api.wiring import House

DIFFERENCES = ("kind", "count", "where", "expected", "found", "sentence", "remedy")
IN_TABLE = ("kind", "count", "sentence")


def audit(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Leave out computing the frozen figures from the facts."),
    ] = False,
    database: Database = None,
    now: Now = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Compute everything again and compare: facts, figures, decisions, entries, balances.

    Changes nothing. Exit status 1 when anything differs.
    """
    from api import migrations
    from api.wiring import moment, open_house
    from rewards.audit import audit as audited

    with open_house(database, any_schema=True) as house:
        _refuse_nowhere(house)
        migrations.refuse_unknown(house.engine)
        report = audited(
            house.engine,
            settings=house.settings,
            now=moment(now, house.settings),
            deep=not quick,
            schema=migrations.newest_revision(),
        )
    spoken = language or house.language
    rows: list[Row] = [
        {
            "kind": each.kind,
            "count": each.count,
            "where": each.where,
            "expected": each.expected,
            "found": each.found,
            "sentence": each.sentence.in_(spoken),
            "remedy": each.remedy.in_(spoken),
        }
        for each in report.differences
    ]
    if rows or form is not Format.TABLE:
        print_rows(rows, DIFFERENCES, form=form, in_table=IN_TABLE, language=spoken)
    for each in report.differences:
        say(f"{each.kind}: {each.remedy.in_(spoken)}")
    for unsure in report.unknown:
        say(f"{unsure.where}: {unsure.reason.in_(spoken)}")
    looked_at = ", ".join(f"{count:,} {what}" for what, count in report.checked.items() if count)
    say(f"Checked: {looked_at or 'nothing, for there is nothing yet'}.")
    if report.differences:
        raise typer.Exit(1)
    say("Nothing differs.")


def _refuse_nowhere(house: House) -> None:
    """Looking for a file that isn't there would make an empty one."""
    import sqlalchemy as sa

    from partner_cx.errors import NotFound

    address = sa.make_url(house.settings.database_url)
    if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
        raise NotFound(
            f"There is no database at {house.settings.database_shown}.",
            remedy="Name the one to audit: --database URL.",
        )


totals = typer.Typer(help="Monthly totals: signed, and held against the ledger later.")


@totals.command("sign")
def sign(
    period: PeriodText,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to write it.", show_default="stdout"),
    ] = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Write a period's totals, signed: what accounts held, what moved, which rules were there."""
    from api.wiring import moment, open_house
    from partner_cx.database import reading
    from partner_cx.periods import Period
    from rewards import totals as statements

    with open_house(database) as house, reading(house.engine) as session:
        document = statements.signed(
            session,
            Period.parse(period),
            now=moment(now, house.settings),
            settings=house.settings,
            key=statements.signing_key(house.settings),
        )
    if out is None:
        typer.echo(document, nl=False)
    else:
        out.write_text(document, encoding="utf-8")
        say(f"{out} holds the signed totals of {period}.")


@totals.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `totals sign` wrote.")],
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY", help="The signer's public key.", show_default="this installation's own"
        ),
    ] = None,
    database: Database = None,
    form: Form = Format.TABLE,
    language: In = None,
) -> None:
    """Hold signed totals against the ledger. Exit status 1 when anything differs."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from rewards import totals as statements

    written = _read(file)
    with open_house(database) as house, reading(house.engine) as session:
        public = key or statements.public_key(statements.signing_key(house.settings))
        found = statements.verified(session, written, public_key=public)
    spoken = language or house.language
    rows: list[Row] = [
        {"where": each.where, "expected": each.signed, "found": each.now} for each in found
    ]
    if rows or form is not Format.TABLE:
        print_rows(rows, ("where", "expected", "found"), form=form, language=spoken)
    if rows:
        say(f"{file}: {found[0].sentence.in_(spoken)}")
        raise typer.Exit(1)
    say(f"{file}: the signature holds, and every total is as it was signed.")


@totals.command("key")
def key() -> None:
    """Print the public key that auditors verify this installation's totals with."""
    from api.wiring import read_settings
    from rewards import totals as statements

    typer.echo(statements.public_key(statements.signing_key(read_settings())))


def _read(file: Path) -> str:
    from partner_cx.errors import Invalid

    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise Invalid(
            f"{file} can't be read: {problem}.", remedy="Name a file that `totals sign` wrote."
        ) from None
