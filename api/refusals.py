"""The one place where errors become answers: an exit status and a sentence, or an HTTP status.

Our own refusals already say what, why and what to do. What the world refuses (a locked database,
a file that can't be read) is put into the same form. Anything else is our own mistake, and stays
an exception. No message repeats a password.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from http import HTTPStatus

from partner_cx.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PartnerCXError,
    Refused,
    TooMany,
    Unreachable,
)
from partner_cx.words import Words

_STATUS: dict[type[PartnerCXError], HTTPStatus] = {
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    Forbidden: HTTPStatus.FORBIDDEN,
    Conflict: HTTPStatus.CONFLICT,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    Unreachable: HTTPStatus.BAD_GATEWAY,
    Refused: HTTPStatus.BAD_GATEWAY,
}
# What something that a database says means, what to do, and what readers of pages are told of it.
Meaning = tuple[str, str] | tuple[str, str, Words]
_BUSY = (
    "The database is busy: another program has been writing to it for too long.",
    "Wait until it is done and run this again.",
)
_ALL_LENT = (
    "The database is busy: every connection to it is in use.",
    "Wait a moment and try again.",
)
_NONE_LEFT = (
    "The database is busy: its server lets no more connections in.",
    "Wait a moment; if it happens often, raise its max_connections or run fewer processes.",
)
_RESTARTING = (
    "The database's server is stopping or starting.",
    "Wait a moment and try again; nothing has changed.",
)
_NO_CONNECTION_LEFT = ("sqlalchemy.exc", "TimeoutError")  # the pool's, when it lent them all
_NOT_WRITABLE = (
    "The database may not be written.",
    "Check who owns it, and its folder if a file.",
    Words(
        "At the moment everything can be read here, but nothing can be kept. Nothing was changed. "
        "Those who look after Partner CX have to let its database be written again.",
        "Pour le moment, tout peut être lu ici, mais rien ne peut être enregistré. Rien n’a été "
        "modifié. Les responsables de Partner CX doivent rouvrir l’écriture de la base de données.",
    ),
)
_DISK_FULL = (
    "The disk is full.",
    "Make room and run this again.",
    Words(
        "There is no room left: at the moment nothing can be kept, though it can be read. Nothing "
        "was changed. Those who look after Partner CX have to make room on its disk.",
        "Il n’y a plus de place : pour le moment, rien ne peut être enregistré, mais tout peut "
        "être lu. Rien n’a été modifié. Les responsables de Partner CX doivent libérer de l’espace "
        "sur son disque.",
    ),
)
_ANOTHER_VERSION = Words(
    "The service and its database are of different versions, as for a moment while a new one is "
    "put in place. Nothing was changed. Try again shortly; if it stays so, tell those who look "
    "after Partner CX.",
    "Le service et sa base de données sont de versions différentes, comme cela arrive un instant "
    "pendant une mise à jour. Rien n’a été modifié. Réessayez dans un instant ; si cela dure, "
    "prévenez les responsables de Partner CX.",
)
_DATABASE_SAYS: dict[str, Meaning] = {
    "unable to open database file": (
        "The database file can't be opened.",
        "Check that its folder exists and that you may write in it.",
    ),
    "database is locked": _BUSY,
    "deadlock detected": _BUSY,
    "could not serialize access": _BUSY,
    "readonly database": _NOT_WRITABLE,
    "read-only transaction": _NOT_WRITABLE,
    "too many connections": _NONE_LEFT,
    "too many clients": _NONE_LEFT,
    "remaining connection slots": _NONE_LEFT,
    "due to administrator command": _RESTARTING,
    "the database system is": _RESTARTING,  # starting up, shutting down, in recovery mode
    "permission denied": (
        "The user named in the database URL may not do this.",
        "Give it the rights to its tables, or name another.",
    ),
    "file is not a database": (
        "The file isn't an SQLite database.",
        "Check the path in the database URL.",
    ),
    "database disk image is malformed": (
        "The database file is damaged.",
        "Put its last backup in its place.",
    ),
    "disk is full": _DISK_FULL,
    "No space left on device": _DISK_FULL,
}
_DRIVERS = ("sqlite3", "psycopg")
_OUT_OF_OUR_HANDS = ("OperationalError", "InterfaceError")  # so called in every driver
_PASSWORDS = re.compile(r"(password\s*=\s*)\S+|(://[^:/@\s]+:)[^@\s]+(?=@)", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """What a person is told, and the HTTP status that goes with it.

    retry_after_seconds: when to come again, where that is known.
    french: the whole of it in French, where there is such a thing.
    told: to a page's readers, where they learn more than that it will pass.
    """

    status: HTTPStatus
    message: str
    remedy: str = ""
    retry_after_seconds: int | None = None
    french: str = ""
    told: Words | None = None

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    @property
    def headers(self) -> dict[str, str]:
        later = self.retry_after_seconds
        return {} if later is None else {"Retry-After": str(later)}


def explain(error: Exception) -> Refusal | None:
    """What to answer to an error; None when it is our own mistake."""
    if isinstance(error, PartnerCXError):
        status = next((s for kind, s in _STATUS.items() if isinstance(error, kind)), None)
        later = error.retry_after_seconds if isinstance(error, TooMany) else None
        return Refusal(
            status or HTTPStatus.BAD_REQUEST, error.message, error.remedy, later, error.french
        )
    if isinstance(error, OSError):
        full = error.errno == errno.ENOSPC
        return _unavailable(_DISK_FULL) if full else _explain_file(error)
    if (type(error).__module__, type(error).__name__) == _NO_CONNECTION_LEFT:
        return _unavailable(_ALL_LENT)
    drivers_own = getattr(error, "orig", None) or error  # SQLAlchemy's errors carry the driver's
    if type(drivers_own).__module__.partition(".")[0] in _DRIVERS:
        return _explain_database(drivers_own)
    return None


def _unavailable(meaning: Meaning) -> Refusal:
    message, remedy, *told = meaning
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, message, remedy, told=next(iter(told), None))


def another_version(error: PartnerCXError) -> Refusal:
    """What is answered while the database is of another version than the service over it."""
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE, error.message, error.remedy, told=_ANOTHER_VERSION
    )


def _explain_file(error: OSError) -> Refusal:
    what = f"{error.filename} can't be used" if error.filename else "The system refused"
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"{what}: {(error.strerror or str(error)).lower()}.",
        "Check the path, and that you may read and write there." if error.filename else "",
    )


def _explain_database(error: Exception) -> Refusal | None:
    if "cannot contain NUL" in str(error):  # PostgreSQL keeps none, and SQLite finds none
        return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "A text holds a NUL.", "Take it out.")
    # PostgreSQL tells the story of a failed connection in several lines; the first one has it.
    first = next(iter(str(error).strip().splitlines()), "no reason given").rstrip(". ")
    for sign, meaning in _DATABASE_SAYS.items():
        if sign in first:
            return _unavailable(meaning)
    if not _is_out_of_our_hands(error):
        return None
    return Refusal(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"The database refused: {_PASSWORDS.sub(_hide, first)}.",
        "Check the database URL and that its server runs; nothing has changed.",
    )


def _is_out_of_our_hands(error: Exception) -> bool:
    """Whether no statement of ours could have avoided it. SQLite calls wrong ones operational."""
    if getattr(error, "sqlite_errorname", None) == "SQLITE_ERROR":
        return False
    return any(kind.__name__ in _OUT_OF_OUR_HANDS for kind in type(error).__mro__)


def _hide(found: re.Match[str]) -> str:
    return f"{found[1] or found[2]}***"
