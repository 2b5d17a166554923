"""Rates: how often somebody may do something in a while, counted for all processes together.

Counts are kept by the library `limits`, in a storage of ours: a table on PostgreSQL, where several
processes serve, and this process's memory on SQLite, where one does. A count is for a stretch of
the clock and its key names which one, so that one statement counts and nothing has to be reset.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from fastapi import Request
from limits.storage import MemoryStorage, Storage

from api.request_scope import wiring
from partner_cx.errors import TooMany
from partner_cx.network.tokens import ApiToken
from partner_cx.rates import RateCount, counting, pruning

HOUR = 60 * 60


@dataclass(frozen=True)
class Rate:
    """How often one may: `amount` times in each stretch of so many seconds by the clock."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True)
class Allowance:
    """What is left. remaining: how often more, until `resets_at`."""

    allowed: bool
    limit: int
    remaining: int
    resets_at: datetime

    def headers(self, now: datetime) -> dict[str, str]:
        """What an answer says of it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.seconds_left(now)),
        }

    def seconds_left(self, now: datetime) -> int:
        """Until it begins anew: at least one, as who comes back at once would be refused again."""
        return max(1, -int((now - self.resets_at).total_seconds() // 1))


LINKS_PER_ADDRESS = Rate("link-address", 5, HOUR)
LINKS_PER_CLIENT = Rate("link-client", 20, HOUR)
WRONG_LINKS = Rate("wrong-link", 100, 10 * 60)  # that no longer work, or never did
STAFF_SIGN_INS = Rate("staff", 60, 10 * 60)
EXPORTS = Rate("export", 120, HOUR)
UPLOADS = Rate("upload", 60, HOUR)


def hit(request: Request, rate: Rate, who: str) -> Allowance:
    """Count one more of somebody's, refused ones too. who: a person, a token, a network address.

    In a transaction of its own: what is refused counts as well.
    """
    now = wiring(request).clock()
    key, resets_at = _key(request, rate, who, now)
    count = counts(request).incr(key, _seconds(resets_at, now))
    return _allowance(rate, count, resets_at)


def peek(request: Request, rate: Rate, who: str) -> Allowance:
    """What is left to somebody, without counting; `allowed`: whether one more is."""
    key, resets_at = _key(request, rate, who, wiring(request).clock())
    return _allowance(rate, counts(request).get(key) + 1, resets_at)


def refuse_if_over(request: Request, rate: Rate, who: str) -> Allowance:
    """Count one more of somebody's, and raise TooMany where that is too often."""
    allowance = hit(request, rate, who)
    if not allowance.allowed:
        raise too_many(request, allowance)
    return allowance


def too_many(request: Request, allowance: Allowance) -> TooMany:
    seconds = allowance.seconds_left(wiring(request).clock())
    return TooMany(
        f"That was too often: {allowance.limit} times is the most in this while.",
        remedy=f"Try again in {_in_words(seconds)}.",
        retry_after_seconds=seconds,
    )


def api_allowance(request: Request, token: ApiToken) -> Allowance:
    """Count a call of a token's, and raise TooMany where that is too often.

    `request.state.allowance` holds the headers that tell what is left, on any answer.
    """
    house = wiring(request)
    rate = Rate("api", house.settings.api_calls_per_minute, 60)
    allowance = hit(request, rate, f"token {token.id}")
    request.state.allowance = allowance.headers(house.clock())
    if not allowance.allowed:
        raise too_many(request, allowance)
    return allowance


def count_download(request: Request) -> None:
    """Count a file that whoever has signed in takes along. Raises TooMany."""
    _count_of_viewer(request, EXPORTS)


def count_upload(request: Request) -> None:
    """Count a file that whoever has signed in hands in. Raises TooMany."""
    _count_of_viewer(request, UPLOADS)


def _count_of_viewer(request: Request, rate: Rate) -> None:
    viewer = getattr(request.state, "viewer", None)
    if viewer is not None:
        refuse_if_over(request, rate, f"person {viewer.person.id}")


def client_of(request: Request) -> str:
    """The network address of who asks, as whoever they are is known by before they sign in.

    Of a newer address the network that it is in: whoever has one has as many as they like.
    """
    host = request.client.host if request.client else ""
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        return f"client {host}"
    if number.version == 6 and number.ipv4_mapped:
        return f"client {number.ipv4_mapped}"
    if number.version == 6:
        return f"client {ipaddress.ip_network((int(number), 64), strict=False)}"
    return f"client {number}"


# --- Counts ---------------------------------------------------------------------------------------


class TableCounts(Storage):
    """Counts in the table that all processes share, each in one statement of its own."""

    STORAGE_SCHEME = None

    def __init__(self, engine: sa.Engine, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        return sa.exc.DBAPIError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        now = self.clock()
        ends_at = datetime.fromtimestamp(now.timestamp() + expiry, UTC)
        statement = counting(self.engine.dialect.name, key, amount, ends_at=ends_at)
        with self.engine.connect() as connection:
            count = int(connection.execute(statement).scalar_one())
            if count == amount:  # a row came, so let those go that nobody needs any more
                connection.execute(pruning(now))
        return count

    def get(self, key: str) -> int:
        return int(self._ask(sa.select(RateCount.count).where(RateCount.key == key)) or 0)

    def get_expiry(self, key: str) -> float:
        ends_at = self._ask(sa.select(RateCount.ends_at).where(RateCount.key == key))
        return ends_at.timestamp() if ends_at else self.clock().timestamp()

    def check(self) -> bool:
        return self._ask(sa.select(sa.literal(1))) == 1

    def reset(self) -> int | None:
        with self.engine.connect() as connection:
            return connection.execute(sa.delete(RateCount)).rowcount

    def clear(self, key: str) -> None:
        with self.engine.connect() as connection:
            connection.execute(sa.delete(RateCount).where(RateCount.key == key))

    def _ask(self, statement: sa.Executable) -> Any:
        with self.engine.connect() as connection:
            return connection.execute(statement).scalar()


def counts_over(engine: sa.Engine, clock: Callable[[], datetime]) -> Storage:
    """Where counts are kept for a database: in it, or in memory where one process serves."""
    return TableCounts(engine, clock) if engine.dialect.name == "postgresql" else MemoryStorage()


def counts(request: Request) -> Storage:
    """The counts of this service, made when the first is asked for."""
    house = wiring(request)
    state = request.app.state
    if not hasattr(state, "counts"):
        with _making:
            if not hasattr(state, "counts"):
                state.counts = counts_over(house.engine, house.clock)
    return state.counts


_making = threading.Lock()


def _key(request: Request, rate: Rate, who: str, now: datetime) -> tuple[str, datetime]:
    """What a count is kept under, which tells no name or address, and when it ends."""
    stretch = int(now.timestamp()) // rate.seconds
    digest = hmac.new(wiring(request).secret.encode(), who.encode(), hashlib.sha256).hexdigest()
    resets_at = datetime.fromtimestamp((stretch + 1) * rate.seconds, UTC)
    return f"{rate.name}:{stretch}:{digest[:32]}", resets_at


def _seconds(resets_at: datetime, now: datetime) -> int:
    return max(1, round((resets_at - now).total_seconds()))


def _allowance(rate: Rate, count: int, resets_at: datetime) -> Allowance:
    left = max(0, rate.amount - count)
    return Allowance(count <= rate.amount, rate.amount, left, resets_at)


def _in_words(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if seconds <= 90:
        return f"{seconds} seconds"
    return f"{minutes} minutes"
