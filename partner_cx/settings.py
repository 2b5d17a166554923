"""What an installation can decide for itself, and nothing it can mistype unnoticed.

Settings are read once, at the door, and handed in from there. An environment variable
`PARTNER_CX_TIME_ZONE` goes before the key `time_zone` of a TOML file, and that before the default.
A name that isn't a setting is refused: a misspelt setting would otherwise be a silent default.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from partner_cx.errors import Invalid
from partner_cx.measures.kpi import CXI_WEIGHTS, DSI_WEIGHTS
from partner_cx.periods import zone_named
from partner_cx.quantities import currency_code, parse_share

PREFIX = "PARTNER_CX_"
FILE_VARIABLE = "PARTNER_CX_SETTINGS"
NOT_OURS = ("PARTNER_CX_TEST_", "PARTNER_CX_TRIALS")  # what test runs are steered by
SECRET_LENGTH_MIN = 16
WRITE_BACKS = ("cards", "notes", "activities", "tickets")  # what may be written into Odoo
SECRETS = ("secret", "odoo_key", "mail_password", "bounce_password", "oidc_client_secret")


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where a user's programmes keep their data, by the custom of the system."""
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "partner-cx"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "partner-cx"
    custom = Path(environ.get("XDG_DATA_HOME", ""))
    return (custom if custom.is_absolute() else home / ".local" / "share") / "partner-cx"


def database_in(folder: Path) -> str:
    """The URL of the SQLite file in a data folder."""
    file = folder / "partner-cx.sqlite3"
    return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Invalid("a text is expected.")
    return value.strip()


def _one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise Invalid(f"“{value}” isn't one of {', '.join(choices)}.")
        return str(value)

    return read


def _whole_number(least: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        written = str(value).strip()
        if isinstance(value, bool) or not (written.isascii() and written.isdigit()):
            raise Invalid(f"“{value}” isn't a whole number.")
        if int(written) < least:
            raise Invalid(f"{written} is less than {least}.")
        return int(written)

    return read


def _yes_or_no(value: object) -> bool:
    told = {"true": True, "yes": True, "false": False, "no": False}
    answer = str(value).strip().lower()
    if answer not in told:
        raise Invalid(f"“{value}” is neither true nor false.")
    return told[answer]


def _share(value: object) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Invalid(f"“{value}” isn't a share; write it as 5 % or 0.05.")
    return parse_share(str(value))


def _share_or_none(value: object) -> Fraction | None:
    return None if str(value).strip().lower() in ("", "none") else _share(value)


def _weights(value: object) -> Mapping[str, int]:
    """Read `logistics=30, product=20`, or a table of the same in a file."""
    given = value if isinstance(value, dict) else _pairs(_text(value))
    weights = {str(name): _whole_number(0)(weight) for name, weight in given.items()}
    if not sum(weights.values()):
        raise Invalid("at least one weight must be above 0.")
    return weights


def _pairs(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise Invalid(f"“{text}” isn't a list of weights; write logistics=30, product=20.")
    return {name.strip(): weight.strip() for name, _, weight in pairs}


def _time_zone(value: object) -> str:
    return zone_named(_text(value)).key


def _currency(value: object) -> str:
    return currency_code(_text(value))


def _database_url(value: object) -> str:
    # What was given is never repeated: it may hold a password.
    try:
        backend = sa.make_url(_text(value)).get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        backend = ""
    if backend not in ("sqlite", "postgresql"):
        raise Invalid("a URL is expected: sqlite:///path/to/file or postgresql://user@host/name.")
    return _text(value)


def _secret(value: object) -> str:
    if not isinstance(value, str) or len(value) < SECRET_LENGTH_MIN:
        raise Invalid(f"a text of at least {SECRET_LENGTH_MIN} characters is expected.")
    return value


def _hidden(value: object) -> str:
    # What was given is never repeated.
    if not isinstance(value, str) or not value.strip():
        raise Invalid("a text is expected.")
    return value.strip()


def _web_address(value: object) -> str:
    """An address of a service, without a slash at its end. One that holds a password is refused."""
    given = _text(value)
    try:
        parts = urlsplit(given)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        sound, parts = False, urlsplit("")
    if not sound or parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid("an address is expected: https://name or http://name:port/path.")
    return given.rstrip("/")


def _issuer(value: object) -> str:
    """The address of an OpenID provider: over HTTPS, unless it is on this machine."""
    given = _web_address(value)
    parts = urlsplit(given)
    if parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
        raise Invalid("an address that begins with https:// is expected.")
    return given


def is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _some_of(*choices: str) -> Callable[[object], tuple[str, ...]]:
    """Read `cards, notes`, or a list of the same in a file; `none` is nothing."""

    def read(value: object) -> tuple[str, ...]:
        given = value if isinstance(value, list) else str(value).replace(",", " ").split()
        named = [str(name) for name in given if str(name) != "none"]
        for name in named:
            _one_of(*choices)(name)
        return tuple(dict.fromkeys(named))

    return read


def _timetable(value: object) -> Mapping[str, str]:
    """Read `odoo = every 15 minutes; close = off`, or a table of the same in a file."""
    if isinstance(value, dict):
        return {str(task): _text(when) for task, when in value.items()}
    pairs = [part.partition("=") for part in _text(value).split(";") if part.strip()]
    if not all(task.strip() and when.strip() for task, _, when in pairs):
        raise Invalid(f"“{value}” isn't a timetable; write sync = every 15 minutes; close = off.")
    return {task.strip(): when.strip() for task, _, when in pairs}


def _folder(value: object) -> Path:
    folder = Path(_text(value)).expanduser()
    if not folder.is_absolute():
        raise Invalid(f"“{folder}” must begin at the root, as /var/lib/partner-cx does.")
    return folder


# Each type names the function that reads it, from an environment's text or a file's value.
Amount: TypeAlias = Annotated[int, _whole_number(1)]
Share: TypeAlias = Annotated[Fraction, _share]
Weights: TypeAlias = Annotated[Mapping[str, int], _weights]


@dataclass(frozen=True, repr=False)
class Settings:
    """All settings. Shares are exact fractions; weights are relative, their sum is free."""

    data_folder: Annotated[Path, _folder] = field(
        default_factory=lambda: data_folder(os.environ),
    )
    database_url: Annotated[str, _database_url] = field(
        default_factory=lambda: database_in(data_folder(os.environ))
    )
    time_zone: Annotated[str, _time_zone] = "Europe/Paris"  # of the programme's days and periods
    currency: Annotated[str, _currency] = "EUR"
    language: Annotated[str, _one_of("fr", "en")] = "en"

    otif_under_tolerance: Share = Fraction(0)
    otif_over_tolerance: Annotated[Fraction | None, _share_or_none] = None  # no limit
    ftfr_window_days: Amount = 14
    dsi_weights: Weights = field(default_factory=lambda: dict(DSI_WEIGHTS))
    dsi_answers_min: Amount = 1  # for a factor to be present
    cxi_weights: Weights = field(default_factory=lambda: dict(CXI_WEIGHTS))

    restate_window_days: Annotated[int, _whole_number(0)] = 365  # after a close
    restate_min_points: Amount = 1  # smaller differences aren't proposed
    restate_take_back: Annotated[bool, _yes_or_no] = True

    base_url: Annotated[str, _web_address] = "http://127.0.0.1:8000"  # where people find the pages

    oidc_issuer: Annotated[str | None, _issuer] = None  # who signs the brand's staff in
    oidc_client_id: Annotated[str | None, _text] = None
    oidc_client_secret: Annotated[str | None, _hidden] = None
    oidc_name: Annotated[str | None, _text] = None  # what people call their account there
    oidc_trust_email: Annotated[bool, _yes_or_no] = False  # where it doesn't say it's verified

    api_calls_per_minute: Amount = 600  # of each token

    odoo_url: Annotated[str | None, _web_address] = None
    odoo_database: Annotated[str | None, _text] = None
    odoo_login: Annotated[str | None, _text] = None  # needed up to Odoo 18
    odoo_key: Annotated[str | None, _hidden] = None
    odoo_mapping: Annotated[Path | None, _folder] = None  # a TOML file
    odoo_timeout_seconds: Amount = 60
    odoo_page_rows: Amount = 200
    odoo_write_back: Annotated[Sequence[str], _some_of(*WRITE_BACKS)] = ()

    mail_host: Annotated[str | None, _text] = None
    mail_port: Amount = 587
    mail_security: Annotated[str, _one_of("starttls", "tls", "none")] = "starttls"
    mail_user: Annotated[str | None, _text] = None
    mail_password: Annotated[str | None, _hidden] = None
    mail_from: Annotated[str | None, _text] = None  # such as Partner CX <programme@brand.example>
    bounce_host: Annotated[str | None, _text] = None  # of an IMAP mailbox
    bounce_port: Amount = 993
    bounce_user: Annotated[str | None, _text] = None
    bounce_password: Annotated[str | None, _hidden] = None

    webhook_private_addresses: Annotated[bool, _yes_or_no] = False  # whether they may be told
    schedule: Annotated[Mapping[str, str], _timetable] = field(default_factory=dict)

    log_format: Annotated[str, _one_of("console", "json")] = "console"
    log_level: Annotated[str, _one_of("debug", "info", "warning", "error")] = "info"
    secret: Annotated[str | None, _secret] = None  # else see `signing_secret`

    @classmethod
    def read(cls, environ: Mapping[str, str], file: Path | str | None = None) -> Settings:
        """Read the environment and a TOML file, if one is named there or here.

        Raises Invalid for every mistake at once: unknown names, with the nearest known one, and
        values that can't be meant, with what is expected.
        """
        file = file or environ.get(FILE_VARIABLE) or None
        written = _from_file(Path(file)) if file else {}
        spoken = _from_environment(environ)
        mistakes = _unknown(written, "") + _unknown(spoken, PREFIX)
        read: dict[str, Any] = {"data_folder": data_folder(environ)}
        for name, reader in _readers().items():
            for given, shown in ((written, name), (spoken, PREFIX + name.upper())):
                if name in given:
                    try:
                        read[name] = reader(given[name])
                    except Invalid as refusal:
                        mistakes.append(f"{shown}: {refusal}")
        if mistakes:
            raise _refusal(mistakes)
        return cls(**{"database_url": database_in(read["data_folder"])} | read)

    def with_database(self, url: str) -> Settings:
        """The same settings over another database."""
        return replace(self, database_url=_database_url(url))

    @property
    def zone(self) -> ZoneInfo:
        return zone_named(self.time_zone)

    def __repr__(self) -> str:
        """All settings but those that open a door."""
        hidden = {name: "***" if getattr(self, name) else None for name in SECRETS}
        hidden["database_url"] = self.database_shown
        shown = {name: hidden.get(name, getattr(self, name)) for name in _readers()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def database_shown(self) -> str:
        """The database's URL without its password, fit for logs and messages."""
        url = sa.make_url(self.database_url)
        if "password" in url.query:
            url = url.update_query_dict({"password": "***"})
        return url.render_as_string(hide_password=True)


@cache
def _readers() -> dict[str, Callable[[object], Any]]:
    """Every setting's name, with the function that reads it."""
    annotated = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in annotated.items()}


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise Invalid(
            f"The settings file {file} can't be read: {error.strerror}.",
            remedy=f"Check {FILE_VARIABLE}, which names it.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(
            f"The settings file {file} isn't TOML: {error}.",
            remedy='Write lines such as time_zone = "Europe/Paris".',
        ) from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and not name.startswith(NOT_OURS) and name != FILE_VARIABLE
    }


def _unknown(given: Mapping[str, object], prefix: str) -> list[str]:
    known = _readers()
    mistakes = []
    for name in sorted(given.keys() - known.keys()):
        near = get_close_matches(name, known, n=1)
        shown = [prefix + (n.upper() if prefix else n) for n in (name, *near)]
        remedy = f"Did you mean {shown[1]}?" if near else f"There are: {', '.join(known)}."
        mistakes.append(f"{shown[0]} isn't a setting. {remedy}")
    return mistakes


def _refusal(mistakes: list[str]) -> Invalid:
    if len(mistakes) == 1:
        return Invalid(mistakes[0])
    return Invalid("\n".join([f"{len(mistakes)} settings can't be meant:", *mistakes]))


def made_data_folder(settings: Settings) -> Path:
    """The data folder, made when it isn't there yet, and closed to other users."""
    settings.data_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.data_folder


def signing_secret(settings: Settings) -> str:
    """The secret that links are signed with: the given one, or one made once and kept.

    Of several processes that start at once, one makes it and all read the same.
    """
    if settings.secret:
        return settings.secret
    return kept_secret(settings, "secret", lambda: secrets.token_urlsafe(48))


def kept_secret(settings: Settings, name: str, make: Callable[[], str]) -> str:
    """A secret of this installation, made once and kept in the data folder under this name."""
    kept = made_data_folder(settings) / name
    if not kept.exists():
        _write_once(kept, make())
    return kept.read_text("ascii")


def _write_once(file: Path, text: str) -> None:
    """Put a file in its place whole, readable by its owner alone, unless one is there."""
    handle, name = tempfile.mkstemp(dir=file.parent)  # made with the rights 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as draft:
            draft.write(text)
        os.link(name, file)
    except FileExistsError:
        pass  # another process was quicker: its secret holds
    finally:
        os.unlink(name)
