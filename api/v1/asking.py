"""Asking: what many resources are asked alike: a language, a page of a list, a period, a KPI.

A list is read in the order of its keys, and a page begins behind the last key of the one before:
what is added meanwhile neither repeats nor hides anything.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from pydantic import BaseModel, Field

from api.addresses import address, path_of
from api.request_scope import LANGUAGES, wiring
from api.v1.problems import nearest, wrong_value
from partner_cx.errors import Invalid
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.periods import Period

LIMIT, LIMIT_MAX = 50, 200
NUMBER_MAX = 2**63 - 1  # what a database counts to

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(
        description="Where the list goes on; null at its end.",
        examples=["/api/v1/partners?after=WyJSMSJd&limit=50"],
    )
    last: str | None = Field(
        description="Give it as `after` to ask later for what came since; null: nothing is here.",
        examples=["WyJSMSJd"],
    )


@dataclass(frozen=True)
class Slice:
    """Which part of a list is asked for. after: the key of the last one of the page before."""

    request: Request
    response: Response
    after: str | None
    limit: int

    def begins_behind(self, *kinds: type) -> tuple[Any, ...] | None:
        """The key of the page before's last one; None at the beginning.

        kinds: of its parts. Raises for a cursor that isn't one of ours.
        """
        if self.after is None:
            return None
        key = _read_cursor(self.after)
        fits = len(key) == len(kinds) and all(
            type(part) is kind for part, kind in zip(key, kinds, strict=True)
        )
        if not fits or any(type(part) is int and abs(part) > NUMBER_MAX for part in key):
            raise _not_a_cursor()
        return tuple(key)

    def page(
        self, rows: Sequence[Any], told: Callable[[Any], T], key: Callable[[Any], tuple[Any, ...]]
    ) -> Page[T]:
        """A page of the rows, of which there is one more than fit if the list goes on."""
        shown = rows[: self.limit]
        last = _cursor(key(shown[-1])) if shown else self.after
        next_ = self._address(last) if last and len(rows) > self.limit else None
        if next_:
            self.response.headers["Link"] = f'<{next_}>; rel="next"'
        return Page(items=[told(row) for row in shown], next=next_, last=last)

    @property
    def one_more(self) -> int:
        """How many rows to read, to know whether the list goes on."""
        return self.limit + 1

    def of(
        self, everything: Sequence[T], key: Callable[[T], tuple[Any, ...]], *kinds: type
    ) -> Page[T]:
        """A page of a short list that is at hand whole, in the order of its keys."""
        behind = self.begins_behind(*kinds)
        rows = [each for each in everything if behind is None or key(each) > behind]
        return self.page(rows, lambda each: each, key)

    def _address(self, after: str) -> str:
        asked = dict(self.request.query_params) | {"after": after, "limit": str(self.limit)}
        return f"{address(self.request, path_of(self.request))}?{urlencode(asked)}"


def _slice(
    request: Request,
    response: Response,
    after: Annotated[
        str | None, Query(max_length=1_000, description="Where a page begins: see `next`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many at most.")] = LIMIT,
) -> Slice:
    return Slice(request, response, after, limit)


def _spoken(
    request: Request,
    response: Response,
    lang: Annotated[
        Literal["en", "fr"] | None,
        Query(description="The language of texts; else `Accept-Language` says it."),
    ] = None,
) -> str:
    language = lang or _preferred(request) or wiring(request).settings.language
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return language


def _preferred(request: Request) -> str | None:
    """The language that a client would rather have, by its header's order of preference."""
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "").split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower()[:2]
        if language in LANGUAGES:
            wanted.append((_weight(weight), language))
    return max(wanted, key=lambda each: each[0], default=(0.0, None))[1]


def _weight(told: str) -> float:
    try:
        return float(told.strip().removeprefix("q="))
    except ValueError:
        return 1.0


Spoken = Annotated[str, Depends(_spoken)]
Sliced = Annotated[Slice, Depends(_slice)]


def _a_period(text: str, field: str) -> Period:
    try:
        return Period.parse(text)
    except Invalid as error:
        raise wrong_value(field, error.message, error.remedy) from None


PERIOD_FORM = r"^(19|20|21)[0-9]{2}(Q[1-4]|-(0[1-9]|1[0-2]))?$"
PeriodText = Annotated[
    str,
    Query(pattern=PERIOD_FORM, description="`2026`, `2026Q2` or `2026-05`.", examples=["2026Q2"]),
]


def _period(period: PeriodText) -> Period:
    return _a_period(period, "query.period")


def _period_or_none(period: PeriodText | None = None) -> Period | None:
    return None if period is None else _a_period(period, "query.period")


def _kpi(
    kpi: Annotated[
        str | None,
        Query(
            max_length=80,
            description="The code of a KPI.",
            examples=["otif"],
            json_schema_extra={"enum": [*sorted(CATALOGUE), None]},
        ),
    ] = None,
) -> str | None:
    if kpi is not None and kpi not in CATALOGUE:
        raise wrong_value("query.kpi", "There is no such KPI.", nearest(kpi, CATALOGUE))
    return kpi


AskedPeriod = Annotated[Period, Depends(_period)]
AskedPeriodOrNone = Annotated[Period | None, Depends(_period_or_none)]
AskedKpi = Annotated[str | None, Depends(_kpi)]
PartnerCode = Annotated[
    str | None,
    Query(max_length=200, alias="partner", description="The code of a partner.", examples=["R1"]),
]


def _cursor(key: tuple[Any, ...]) -> str:
    told = json.dumps(key, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> list[Any]:
    try:
        key = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        json.dumps(key).encode().decode()
        str(key).encode()  # half of a surrogate pair is no text
    except (binascii.Error, ValueError, RecursionError):
        raise _not_a_cursor() from None
    if not isinstance(key, list) or "\0" in "".join(map(str, key)):
        raise _not_a_cursor()
    return key


def _not_a_cursor() -> Exception:
    return wrong_value(
        "query.after", "This isn't where a page begins.", "Take what `next` says, unchanged."
    )
