"""Told: how figures, points and moments are written for programs. No number is ever a float.

A share comes with the two counts that it is made of; a value is a decimal number in a text, with
the exact fraction beside it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer

from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State, Target
from partner_cx.quantities import round_half_even

DECIMALS = 6

Instant = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.astimezone(UTC).isoformat().replace("+00:00", "Z")),
    Field(json_schema_extra={"format": "date-time"}, examples=["2026-07-03T09:00:00Z"]),
]
Decimals = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["0.944"])]
PeriodCode = Annotated[str, Field(examples=["2026Q2"])]


class ToldTarget(BaseModel):
    """What a figure is held against."""

    value: Decimals = Field(examples=["0.95"])
    n_min: int = Field(description="The smallest sample that tells anything.", examples=[5])
    coverage_min: Decimals
    stale_after_days: int | None = Field(examples=[7])
    group: str | None = Field(
        description="For whom it holds; null: everybody.", examples=["tier:gold"]
    )


class ToldFigure(BaseModel):
    """A KPI's value with all that is needed to trust it."""

    kpi: str = Field(examples=["otif"])
    unit: str = Field(description="See `/kpis`; a share is a part of one.", examples=["share"])
    value: Decimals | None = Field(
        description="Rounded to six decimals, half to even; null: nothing was measured.",
        examples=["0.85"],
    )
    exact: str | None = Field(description="The value as a fraction.", examples=["17/20"])
    hits: int | None = Field(
        description="What the value is made of; parts of a unit where `/kpis` says so by `scale`.",
        examples=[17],
    )
    of: int | None = Field(examples=[20])
    n: int = Field(description="The sample size.", examples=[20])
    coverage: Decimals | None = Field(
        description="The share of what should have been there that was.", examples=["1"]
    )
    low: Decimals | None = Field(description="The 95 % interval.", examples=["0.64"])
    high: Decimals | None = Field(examples=["0.948"])
    state: State | None = Field(
        description="`no_data` is neither green nor red; null where no target holds.",
        examples=["red"],
    )
    target: ToldTarget | None
    short: int | None = Field(
        description="How many more hits would have reached the target.", examples=[2]
    )
    as_of: Instant | None
    definition_version: int = Field(examples=[1])
    details: dict[str, Decimals | None] = Field(
        description="Further figures of the same KPI, by name.", examples=[{"median": "42.5"}]
    )


def figure(found: Figure) -> ToldFigure:
    """A figure as programs read it."""
    return ToldFigure(
        kpi=found.kpi,
        unit=CATALOGUE[found.kpi].unit if found.kpi in CATALOGUE else "score",
        value=decimals(found.value),
        exact=fraction(found.value),
        hits=found.hits,
        of=found.of,
        n=found.n,
        coverage=decimals(found.coverage),
        low=decimals(found.low),
        high=decimals(found.high),
        state=found.state,
        target=_target(found.target) if found.target else None,
        short=found.short,
        as_of=found.as_of,
        definition_version=found.definition_version,
        details={name: decimals(value) for name, value in found.details.items()},
    )


def decimals(value: Fraction | float | int | None) -> str | None:
    """A number as a text: `0.944`, without idle zeros."""
    return None if value is None else _decimals(value)


def fraction(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _decimals(value: Fraction | float | int) -> str:
    text = f"{round_half_even(Fraction(value), DECIMALS):f}"
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if plain == "-0" else plain


def _target(target: Target) -> ToldTarget:
    return ToldTarget(
        value=_decimals(target.value),
        n_min=target.n_min,
        coverage_min=_decimals(target.coverage_min),
        stale_after_days=target.stale_after_days,
        group=target.group,
    )
