"""The one place where errors become answers: an exit status and a sentence, or an HTTP status.

Our own refusals already say what, why and what to do. What the world refuses (a locked database,
a file that can't be read) is put into the same form. Anything else is our own mistake, and stays
an exception. No message repeats a password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from partner_cx.errors import Conflict, Forbidden, Invalid, NotFound, PartnerCXError

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

_STATUS: dict[type[PartnerCXError], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
}
# What a database says, what that means, and what to do about it.
_DATABASE_SAYS = (
    (
        "unable to open database file",
        "The database file can't be opened.",
        "Check that its folder exists and that you may write in it.",
    ),
    (
        "database is locked",
        "The database is busy: another program has been writing to it for too long.",
        "Wait until it is done and run this again.",
    ),
    (
        "readonly database",
        "The database file may not be written.",
        "Check who owns it and its folder.",
    ),
    (
        "file is not a database",
        "The file isn't an SQLite database.",
        "Check the path in the database URL.",
    ),
    ("disk is full", "The disk is full.", "Make room and run this again."),
    ("No space left on device", "The disk is full.", "Make room and run this again."),
)
_PASSWORDS = re.compile(r"(password\s*=\s*)\S+|(://[^:/@\s]+:)[^@\s]+(?=@)", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """What a person is told, and the HTTP status that goes with it."""

    status: HTTPStatus
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


def explain(error: Exception) -> Refusal | None:
    """What to answer to an error; None when it is our own mistake."""
    if isinstance(error, PartnerCXError):
        status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), None)
        return Refusal(status or HTTPStatus.BAD_REQUEST, error.message, error.remedy)
    if isinstance(error, OSError):
        return _explain_file(error)
    if type(error).__module__.startswith("sqlalchemy."):
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - `--help` needs no database

        return _explain_database(error) if isinstance(error, DBAPIError) else None
    return None


def _explain_file(error: OSError) -> Refusal:
    what = f"{error.filename} can't be used" if error.filename else "The system refused"
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{what}: {(error.strerror or str(error)).lower()}.",
        "Check the path, and that you may read and write there." if error.filename else "",
    )


def _explain_database(error: DBAPIError) -> Refusal:
    said = str(error.orig)
    for sign, message, remedy in _DATABASE_SAYS:
        if sign in said:
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, remedy)
    # PostgreSQL tells the story of a failed connection in several lines; the first one has it.
    first = next(iter(said.strip().splitlines()), "no reason given").rstrip(". ")
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The database refused: {_PASSWORDS.sub(_hide, first)}.",
        "Nothing has changed. Mend the value it names; if it names none, see that its server runs.",
    )


def _hide(found: re.Match[str]) -> str:
    return f"{found[1] or found[2]}***"
