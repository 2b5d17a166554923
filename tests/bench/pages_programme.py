"""A programme to look at: 2,000 partners, eight closed quarters, one that runs, a ledger, people.

Figures are drawn at random, the same for the same quarter; everything after them (freezing,
deciding, awarding, posting, signing in) is done by the program itself. The quarters are the last
ones before today, since the service that is measured goes by the real clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx import bulk
from partner_cx.database import open_database, transact
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.kpi import Direction, Kpi, Unit
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.network.sessions import OpenedBy, open_session
from partner_cx.operations.imports import Import, Source
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.awards import award_all
from rewards.budgets import budget, fund
from rewards.deciding import decide_all
from rewards.deciding.candidates import candidates, freeze_partners, partners_digest
from rewards.frozen import Closing, digest, freeze
from rewards.ledger import AccountKind, Entry, Move, Posting, accounts, post_many, wallet_of
from rewards.rulebook import publish
from rewards.rules import Rule
from rewards.terms import terms_of
from tests.bench.product import fresh_database
from tests.bench.report import Bench

RULES = Path(__file__).parents[2] / "templates" / "rules"
FOR_EVERYONE = ("network_quality_bonus", "fast_first_response")  # distributors, too
PARTNERS = 2_000  # at full size
DISTRIBUTORS_PER_PARTNER = 20
BELOW = 15  # resellers of each distributor; the others have none above them
ENTRIES = 100_000  # at full size: rows of `entries`, two of each posting
QUARTERS = 8
BY, APPROVED_BY = "bench@brand.example", "second@brand.example"
WHY = Words("For a report from the field", "Pour un rapport du terrain")
FUNDED_POINTS = 10**9
AT_ONCE = 10_000
SETTINGS = Settings.read({})


@dataclass(frozen=True)
class Programme:
    """The database, who has signed in there (session tokens), and the quarter closed last."""

    url: str
    distributors: tuple[str, ...]
    managers: tuple[str, ...]
    closed: Period


def a_programme(bench: Bench, database: str) -> Programme:
    url, now = fresh_database(bench, database, "pages"), datetime.now(UTC)
    engine = open_database(url)
    running = Period.of(now.astimezone(SETTINGS.zone).date(), PeriodKind.QUARTER)
    closed = _before(running)
    transact(engine, lambda session: _add_network(session, round(PARTNERS * bench.share), now))
    transact(engine, lambda session: _add_rules(session, closed[0], now))
    for period in closed:
        transact(engine, partial(_close, period=period))
    transact(engine, lambda session: _measure(session, running, now))
    transact(engine, lambda session: _add_entries(session, round(ENTRIES * bench.share), now))
    distributors, managers = (
        transact(engine, lambda session, role=role: tuple(_sign_in(session, role, now)))
        for role in ("partner", "manager")
    )
    if database == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    engine.dispose()
    return Programme(url, distributors, managers, closed[-1])


def _before(running: Period) -> list[Period]:
    periods = [running.previous()]
    while len(periods) < QUARTERS:
        periods.append(periods[-1].previous())
    return periods[::-1]


# --- The network ----------------------------------------------------------------------------------


def _add_network(session: Session, count: int, now: datetime) -> None:
    source = Source(code="bench")
    session.add(source)
    session.flush()
    told = Import(kind="partners", source=source.id, file_name="partners.csv", imported_at=now)
    session.add(told)
    session.flush()
    top = max(count // DISTRIBUTORS_PER_PARTNER, 1)
    bulk.write(session, Partner.__table__, _partners(range(top), "distributor", told.id, []))
    found = session.scalars(sa.select(Partner.id).order_by(Partner.code))
    parents = [number for number in found for _ in range(BELOW)]
    bulk.write(
        session, Partner.__table__, _partners(range(top, count), "reseller", told.id, parents)
    )
    for partner in session.scalars(sa.select(Partner).where(Partner.kind == "distributor")).all():
        _add_person(session, f"owner@{partner.code.lower()}.example", "partner", told, partner.id)
    for number in range(20):
        _add_person(session, f"manager{number}@brand.example", "manager", told)


def _partners(numbers: range, kind: str, import_id: int, parents: list[int]) -> pa.Table:
    above = [*parents, *[None] * len(numbers)][: len(numbers)]
    return pa.table(
        {
            "code": [f"P{number:04}" for number in numbers],
            "name": [f"Partner {number}" for number in numbers],
            "kind": [kind] * len(numbers),
            "parent_id": pa.array(above, pa.int64()),
            "tier": [("bronze", "silver", "gold")[number % 3] for number in numbers],
            "region": [f"Region {number % 12}" for number in numbers],
            "country": ["FR" if number % 4 else "BE" for number in numbers],
            "joined_on": [date(2020, 1, 1)] * len(numbers),
            "import_id": [import_id] * len(numbers),
        }
    )


def _add_person(
    session: Session, email: str, role: str, told: Import, partner_id: int | None = None
) -> None:
    session.add(
        Person(email=email, name="A Person", role=role, partner_id=partner_id, import_id=told.id)
    )


def _sign_in(session: Session, role: str, now: datetime) -> Iterator[str]:
    for number in session.scalars(sa.select(Person.id).where(Person.role == role)).all():
        yield open_session(session, number, opened_by=OpenedBy.LINK, now=now)


# --- Rules, and what they come to -----------------------------------------------------------------


def _add_rules(session: Session, first: Period, now: datetime) -> None:
    """Those that come with the program, in force since the first quarter and without an end."""
    for file in sorted(RULES.glob("*.yaml")):
        plain = Rule.from_yaml(file.read_text(encoding="utf-8"), file.name).to_plain()
        plain |= {"starts": first.first_day.isoformat()}
        left_out = {"ends", "tests", *(["for"] if plain["code"] in FOR_EVERYONE else [])}
        plain = {name: value for name, value in plain.items() if name not in left_out}
        rule = Rule.from_plain(plain, file.name)
        publish(session, rule, by=BY, why="", now=now, approved_by=APPROVED_BY)
        fund(session, rule.budget, FUNDED_POINTS, key=f"fund:{rule.code}", why=WHY, now=now)


def _close(session: Session, period: Period) -> None:
    """Freeze a quarter's figures and partners, decide and pay, a few days after its end."""
    now = _after(period)
    _measure(session, period, now)
    everyone = candidates(session, period.last_day)
    closing = Closing(
        period=str(period),
        as_of=now,
        closed_at=now,
        closed_by=BY,
        terms=terms_of(SETTINGS),
        digest=digest(session, ScorecardRow, period),
        partners_digest=partners_digest(everyone),
    )
    session.add(closing)
    session.flush()
    freeze(session, period, closing.id)
    freeze_partners(session, everyone, closing.id)
    decided = decide_all(session, closing=closing, period=period)
    award_all(session, closing=closing, period=period, now=now, today=now.date(), decided=decided)


def _after(period: Period) -> datetime:
    day = period.last_day + timedelta(days=4)
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC)


def _add_entries(session: Session, wanted: int, now: datetime) -> None:
    """Fill the ledger up: the distributors get three times what the others do."""
    lacking = wanted - (session.scalar(sa.select(sa.func.count(Entry.id))) or 0)
    assert lacking >= 0, "the closes alone came to more entries than wanted"
    found = session.execute(
        sa.select(Partner.code, Partner.id, Partner.kind).order_by(Partner.code)
    ).all()
    numbers = {wallet_of(row.code): row.id for row in found}
    wallets = accounts(session, AccountKind.WALLET, numbers)
    often = [wallet_of(row.code) for row in found if row.kind == "distributor"]
    turns = [*wallets, *often, *often]
    source, today = budget(session, "field-insights"), now.date()
    gifts = [
        Posting(
            key=f"report:{number}",
            why=WHY,
            moves=(Move(source, wallets[turns[number % len(turns)]], 20),),
            effective_on=today - timedelta(days=number % 700),
        )
        for number in range(lacking // 2)
    ]
    for first in range(0, len(gifts), AT_ONCE):
        post_many(session, gifts[first : first + AT_ONCE], now=now)


# --- Figures --------------------------------------------------------------------------------------


def _measure(session: Session, period: Period, now: datetime) -> None:
    """Every KPI of every partner, every group, and the network, as a measurement keeps them."""
    codes = session.scalars(sa.select(Partner.code).order_by(Partner.code)).all()
    belonging = sorted(set(groups.memberships(session)["group_code"]))
    subjects = [
        *(("partner", code) for code in codes),
        *(("group", code) for code in belonging),
        ("network", "network"),
    ]
    draw = np.random.default_rng(period.first_day.toordinal())
    tables = [_figures(kpi, subjects, period, now, draw) for kpi in CATALOGUE.values()]
    bulk.write(session, ScorecardRow.__table__, pa.concat_tables(tables))


def _figures(
    kpi: Kpi, subjects: list[tuple[str, str]], period: Period, now: datetime, draw: Any
) -> pa.Table:
    count = len(subjects)
    of = draw.integers(20, 500, count)
    if kpi.unit is Unit.SHARE:
        hits = draw.binomial(of, draw.beta(18, 2, count) if _higher(kpi) else draw.beta(1, 30))
        values = [f"{hit}/{all_}" for hit, all_ in zip(*_reduced(hits, of), strict=True)]
        target, reached = ("9/10", hits * 10 >= of * 9) if _higher(kpi) else ("1/20", None)
        reached = hits * 20 <= of if reached is None else reached
        counts = {"hits": pa.array(hits.tolist()), "of": pa.array(of.tolist())}
    else:
        drawn = draw.integers(20, 90, count)
        values, target = [f"{value}/1" for value in drawn], "60/1"
        reached = drawn >= 60 if _higher(kpi) else drawn <= 60
        counts = {name: pa.nulls(count, pa.int64()) for name in ("hits", "of")}
    return pa.table(
        {
            "period": [str(period)] * count,
            "level": [level for level, _ in subjects],
            "subject": [subject for _, subject in subjects],
            "kpi": [kpi.code] * count,
            "value": values,
            **counts,
            "n": of.tolist(),
            "state": np.where(reached, "green", "red").tolist(),
            "target": [target] * count,
            "n_min": [5] * count,
            "coverage_min": ["0/1"] * count,
            "as_of": pa.array([now] * count, pa.timestamp("us", "UTC")),
            "definition_version": [1] * count,
        }
    )


def _higher(kpi: Kpi) -> bool:
    return kpi.direction is Direction.HIGHER


def _reduced(hits: Any, of: Any) -> tuple[Any, Any]:
    divisor = np.gcd(hits, of)
    return hits // divisor, of // divisor
