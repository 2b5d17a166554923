"""A large programme on figures that are there already: many partners, fifty rules, quarters.

What the sections about rules measure starts where a quarter's figures are known; how they come
about is measured by `product`. Figures are drawn at random, the same in every run; each rule is
made so that about a tenth of the partners earn it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.database import transact
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Import, Source
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.deciding.candidates import candidates, freeze_partners, partners_digest
from rewards.frozen import Closing, digest, freeze
from rewards.rulebook import publish
from rewards.rules import Rule
from rewards.terms import terms_of

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
SETTINGS = Settings.read({})
BY = "bench@brand.example"
PARTNERS = 2_000  # at full size
RULES = 50
FIRST = Period.parse("2015Q1")
KPIS = (
    *("otif", "on_time", "in_full", "sla_response", "sla_resolution", "fcr", "ftfr"),
    *("portal_adoption", "catalogue_completion", "learning_completion", "otif_case", "otif_order"),
)
TIERS = ("bronze", "silver", "gold")
FUNDED_POINTS = 10**9


def a_large_programme(engine: sa.Engine, share: float) -> None:
    """Partners, rules in force since the first quarter, budgets that never run dry."""
    transact(engine, lambda session: _add_partners(session, round(PARTNERS * share)))
    transact(engine, _add_rules)


def quarter(number: int) -> Period:
    period = FIRST
    for _ in range(number):
        period = period.next()
    return period


def freeze_quarter(session: Session, period: Period) -> Closing:
    """A close that has frozen its figures and partners, and decided nothing yet."""
    everyone = candidates(session, period.last_day)
    bulk.write(session, ScorecardRow.__table__, _figures([each.code for each in everyone], period))
    closing = Closing(
        period=str(period),
        as_of=NOW,
        closed_at=NOW,
        closed_by=BY,
        terms=terms_of(SETTINGS),
        digest=digest(session, ScorecardRow, period),
        partners_digest=partners_digest(everyone),
    )
    session.add(closing)
    session.flush()
    freeze(session, period, closing.id)
    freeze_partners(session, everyone, closing.id)
    return closing


# --- The network --------------------------------------------------------------------------------


def _add_partners(session: Session, count: int) -> None:
    source = Source(code="bench")
    session.add(source)
    session.flush()
    told = Import(kind="partners", source=source.id, file_name="partners.csv", imported_at=NOW)
    session.add(told)
    session.flush()
    numbers = range(count)
    rows = {
        "code": [f"P{number:04}" for number in numbers],
        "name": [f"Partner {number}" for number in numbers],
        "kind": ["reseller" if number % 5 else "installer" for number in numbers],
        "tier": [TIERS[number % 3] for number in numbers],
        "region": [f"Region {number % 12}" for number in numbers],
        "country": ["FR" if number % 4 else "BE" for number in numbers],
        "import_id": [told.id] * count,
    }
    bulk.write(session, Partner.__table__, pa.table(rows))


def _figures(codes: list[str], period: Period) -> pa.Table:
    """Every KPI of every partner, and of the network, as a measurement keeps them."""
    draw = np.random.default_rng(period.first_day.toordinal())
    shape = (len(KPIS), len(codes))
    of = draw.integers(20, 500, shape)
    hits = draw.binomial(of, draw.beta(18, 2, shape))
    subjects = [*codes, "network"]
    columns: dict[str, Any] = {name: [] for name in ("kpi", "subject", "hits", "of")}
    for kpi, own_hits, own_of in zip(KPIS, hits, of, strict=True):
        columns["kpi"] += [kpi] * len(subjects)
        columns["subject"] += subjects
        columns["hits"] += [*own_hits.tolist(), int(own_hits.sum())]
        columns["of"] += [*own_of.tolist(), int(own_of.sum())]
    pairs = list(zip(columns["hits"], columns["of"], strict=True))
    count = len(pairs)
    columns |= {
        "period": [str(period)] * count,
        "level": ["network" if name == "network" else "partner" for name in columns["subject"]],
        "value": [_reduced(*pair) for pair in pairs],
        "n": columns["of"],
        "state": ["green" if 10 * hit >= 9 * total else "red" for hit, total in pairs],
        "target": ["9/10"] * count,
        "n_min": [5] * count,
        "coverage_min": ["0/1"] * count,
        "as_of": pa.array([NOW] * count, pa.timestamp("us", "UTC")),
        "definition_version": [1] * count,
    }
    return pa.table(columns)


def _reduced(hits: int, of: int) -> str:
    divisor = int(np.gcd(hits, of))
    return f"{hits // divisor}/{of // divisor}"


# --- The rules ----------------------------------------------------------------------------------


def _add_rules(session: Session) -> None:
    for number in range(RULES):
        rule = Rule.from_plain(_rule(number), f"rule {number}")
        publish(session, rule, by=BY, why="", now=NOW)
    why = Words("For the benchmark", "Pour la mesure")
    for budget in range(RULES // 5):
        fund(session, f"budget-{budget}", FUNDED_POINTS, key=f"fund:{budget}", why=why, now=NOW)


def _rule(number: int) -> dict[str, Any]:
    """One of fifty: ten kinds of conditions and awards, each on several KPIs."""
    kpi, other = KPIS[number % len(KPIS)], KPIS[(number + 5) % len(KPIS)]
    green, high = {"kpi_is_green": other}, _at_least(kpi, "98 %")
    conditions: list[dict[str, Any]] = [_at_least(kpi, "98 %")]
    award: dict[str, Any] = {"points": 100 + number}
    match number % 10:
        case 0 | 1:
            conditions = [green, _at_least(kpi, "96.7 %")]
        case 2:
            conditions = [{"all_of": [green, _at_least(kpi, "96.7 %")]}]
        case 3:
            conditions = [{"partner_in": "tier:gold"}, {"any_of": [high, _at_least(other, "95 %")]}]
        case 4:
            award = _per_unit(kpi)
        case 5:
            award = _steps(kpi)
        case 6:
            beats = {"kpi_beats": {"kpi": kpi, "peers": "network", "by": "7.7 %"}}
            conditions = [beats]
        case 7:
            conditions = [
                {"at_least_of": {"count": 2, "of": [high, _at_least(other, "95 %"), green]}}
            ]
        case _:
            pass
    return {
        "code": f"rule-{number:02}",
        "label": {"en": f"Bonus {number}", "fr": f"Prime {number}"},
        "source": "The benchmark.",
        "on": "close",
        "period": "quarter",
        "starts": str(FIRST),
        "conditions": conditions,
        "award": award,
        "budget": f"budget-{number // 5}",
    }


def _at_least(kpi: str, threshold: str) -> dict[str, Any]:
    return {"kpi_at_least": {"kpi": kpi, "threshold": threshold, "n_min": 10}}


def _per_unit(kpi: str) -> dict[str, Any]:
    return {"per_unit": {"kpi": kpi, "above": "95 %", "unit": "1 %", "points": 50, "cap": 200}}


def _steps(kpi: str) -> dict[str, Any]:
    steps = [{"reaches": "97 %", "points": 100}, {"reaches": "99 %", "points": 300}]
    return {"tiers": {"kpi": kpi, "steps": steps}}
