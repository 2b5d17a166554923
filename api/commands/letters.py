"""Letters: look at each before anybody gets it, try the mail server, and see who gets none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import Database, Form, In, Language, Now, filled
from api.printing import Format, print_rows, say

if TYPE_CHECKING:
    from api.wiring import House
    from integrations.mail.letters import Letter, Reader
    from integrations.mail.message import Rendered
    from integrations.mail.written import Written
    from partner_cx.errors import NotFound
    from partner_cx.settings import Settings

COLUMNS = ("letter", "topic", "what")
STOPPED = ("email", "topic", "since", "through", "why")

Name = Annotated[str, typer.Argument(metavar="LETTER", help="As `letters list` names it.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", callback=filled)]

app = typer.Typer(
    help="Look at letters, try the mail server, see who gets none.", no_args_is_help=True
)


@app.command("list")
def list_(form: Form = Format.TABLE, language: In = None) -> None:
    """List every letter there is, with the topic under which it is stopped."""
    from api.wiring import read_settings
    from integrations.mail.letters import LETTERS

    spoken = language.value if language else read_settings().language
    rows = [
        {"letter": each.name, "topic": each.topic, "what": each.what.in_(spoken)}
        for each in LETTERS.values()
    ]
    print_rows(rows, COLUMNS, form=form, language=spoken)


@app.command()
def show(
    letter: Name,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FOLDER", help="Write LETTER.html, .txt and .eml there."),
    ] = None,
    person: Annotated[
        str | None,
        typer.Option(metavar="EMAIL", help="As this person would get it now.", callback=filled),
    ] = None,
    language: In = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Show a letter as text, or write it to files; with invented contents unless --person says."""
    from api.wiring import moment, open_house, read_settings
    from integrations.mail.previewing import invented_reader, letter_named

    chosen = letter_named(letter)
    if person is None:
        settings = read_settings(database)
        reader = invented_reader(settings, language.value if language else settings.language)
        at = moment(now, settings)
        made = _framed(chosen, chosen.preview(settings), reader, settings)
    else:
        with open_house(database) as house:
            settings, at = house.settings, moment(now, house.settings)
            reader, made = _for_a_person(house, chosen, person, language, at)
    if to is None:
        typer.echo(f"{made.subject}\n\n{made.text}", nl=False)
    else:
        _write(to, chosen, made, reader, settings, at)


@app.command("send-test")
def send_test(
    address: Address,
    letter: Annotated[
        str, typer.Option(metavar="LETTER", help="Which, with invented contents.")
    ] = "points_earned",
    language: In = None,
) -> None:
    """Send a letter with invented contents at once, to see that the mail server takes it."""
    from dataclasses import replace

    from api.wiring import moment, read_settings
    from integrations.mail import sending
    from integrations.mail.previewing import invented_reader, letter_named

    settings = read_settings()
    chosen = letter_named(letter)
    reader = replace(
        invented_reader(settings, language.value if language else settings.language),
        email=address.strip().lower(),
        name="",
    )
    named = sending.send_test(chosen, reader, settings=settings, now=moment(None, settings))
    say(f"The mail server took the letter to {reader.email}, {named}.")


@app.command()
def stopped(form: Form = Format.TABLE, database: Database = None) -> None:
    """List addresses that get some letters no more, or none as they come back."""
    from api.wiring import open_house
    from partner_cx.database import reading
    from partner_cx.network import letter_choices

    with open_house(database) as house, reading(house.engine) as session:
        rows = [
            {
                "email": each.email,
                "topic": each.topic or "all",
                "since": each.since,
                "through": each.through,
                "why": each.why,
            }
            for each in letter_choices.stopped(session)
        ]
    print_rows(rows, STOPPED, form=form, language=house.language)


@app.command()
def allow(
    address: Address,
    topic: Annotated[
        str | None,
        typer.Option(metavar="TOPIC", help="That the person asked for again.", callback=filled),
    ] = None,
    database: Database = None,
    now: Now = None,
) -> None:
    """Send an address letters again after they came back, or those of a topic it had stopped."""
    from api.wiring import moment, open_house
    from partner_cx.database import transact
    from partner_cx.network import letter_choices

    with open_house(database) as house:
        at = moment(now, house.settings)
        transact(
            house.engine,
            lambda session: letter_choices.allow(
                session, address, topic=topic, through="command", now=at
            ),
        )
    say(f"{address.strip().lower()} gets {'such' if topic else 'its'} letters again.")


# --- Pieces ---------------------------------------------------------------------------------------


def _framed(letter: Letter, written: Written, reader: Reader, settings: Settings) -> Rendered:
    from integrations.mail.sending import framed

    return framed(written, letter, reader, settings)


def _for_a_person(
    house: House, letter: Letter, email: str, language: Language | None, at: datetime
) -> tuple[Reader, Rendered]:
    """A letter as a person would get it, of what is on record. What it makes is undone again."""
    from integrations.mail.letters import Desk
    from integrations.mail.readers import reader_at
    from partner_cx.database import reading
    from partner_cx.network.sign_in_links import person_called

    with reading(house.engine) as session:
        person_called(session, email)
        said = language.value if language else None
        reader = reader_at(session, email, house.settings, language=said)
        if letter.newest is None:
            return reader, _framed(letter, letter.preview(house.settings), reader, house.settings)
        desk = Desk(session, house.settings, reader, at)
        about = letter.newest(desk)
        written = None if about is None else letter.write(desk, about)
    if written is None:
        raise _nothing_to_say(letter, email)
    return reader, _framed(letter, written, reader, house.settings)


def _nothing_to_say(letter: Letter, email: str) -> NotFound:
    from partner_cx.errors import NotFound

    return NotFound(
        f"There is nothing to write to {email} about in {letter.name} yet.",
        remedy="Leave --person out to see it with invented contents.",
    )


def _write(
    folder: Path, letter: Letter, made: Rendered, reader: Reader, settings: Settings, at: datetime
) -> None:
    """Write the three files, and say where."""
    from dataclasses import replace

    from integrations.mail.sending import mail
    from partner_cx.errors import Invalid

    if settings.mail_from is None:
        settings = replace(settings, mail_from="Partner CX <programme@brand.example>")
    whole = mail(made, reader, key=f"shown:{letter.name}", settings=settings, now=at)
    files = {".html": made.html.encode(), ".txt": made.text.encode(), ".eml": whole.as_bytes()}
    stem = f"{letter.name}.{made.language}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for ending, contents in files.items():
            (folder / f"{stem}{ending}").write_bytes(contents)
    except OSError as error:
        raise Invalid(
            f"{folder} can't be written to: {error.strerror}.", remedy="Name another folder."
        ) from None
    say(f"Wrote {folder / stem}, as .html, .txt and .eml.")
