"""Scorecards: the figures of partners, groups and the network, per period.

`scorecards` holds what is known now, replaced by each measurement. A close copies a period's
rows to `frozen_scorecards` (see rewards.closings), which never change.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx import bulk
from partner_cx.database import Base, Exact, Instant, Text
from partner_cx.errors import Invalid
from partner_cx.frames import read_frame
from partner_cx.measures import summing, tallies
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, Scorecard, State, Target
from partner_cx.measures.kpi import AddsUp, Direction, Weights
from partner_cx.measures.members import Network, Sums
from partner_cx.measures.tallies import MonthTally, Presence, Spread, Tally
from partner_cx.measures.targets import targets_of
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.settings import Settings

Big = sa.BigInteger


class FigureColumns:
    """A Figure as a row; see measures.figures for what each column means."""

    period: Mapped[str] = mapped_column(Text, primary_key=True)
    level: Mapped[str] = mapped_column(Text, primary_key=True)  # partner, group, network
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    kpi: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Fraction | None] = mapped_column(Exact)
    hits: Mapped[int | None] = mapped_column(Big)
    of: Mapped[int | None] = mapped_column(Big)
    n: Mapped[int] = mapped_column(Big)
    coverage: Mapped[Fraction | None] = mapped_column(Exact)
    low: Mapped[float | None]
    high: Mapped[float | None]
    state: Mapped[str | None] = mapped_column(Text)
    target: Mapped[Fraction | None] = mapped_column(Exact)
    n_min: Mapped[int | None]
    coverage_min: Mapped[Fraction | None] = mapped_column(Exact)
    stale_after_days: Mapped[int | None]
    target_group: Mapped[str | None] = mapped_column(Text)
    as_of: Mapped[datetime] = mapped_column(Instant)
    definition_version: Mapped[int]
    details: Mapped[str | None] = mapped_column(Text)  # JSON, further figures by name


class ScorecardRow(FigureColumns, Base):
    """One figure as known at the last measurement of its period."""

    __tablename__ = "scorecards"
    __table_args__ = {"sqlite_with_rowid": False}


# --- Measuring ----------------------------------------------------------------------------------

NETWORK = "network"


def measure(session: Session, period: Period, *, now: datetime, settings: Settings) -> None:
    """Compute all figures of a period and keep them instead of its former ones.

    Every partner that was active in the period, every group and the network get every KPI of the
    catalogue. The tallies must hold for `now`: see `refreshing`. Raises Invalid for a period that
    hasn't begun.
    """
    today = now.astimezone(settings.zone).date()
    if today < period.first_day:
        raise Invalid(
            f"{period} hasn't begun: there is nothing to measure yet.",
            remedy=f"Measure it from {period.first_day} on.",
        )
    sums = _sums(session, period, CATALOGUE)
    partners = _active(session, period, sums)
    memberships = groups.memberships(session)
    memberships = memberships[memberships["partner_id"].isin(partners["id"])]
    subjects = _subjects(partners, memberships)
    members = _members(subjects, partners, memberships)
    drawn = _drawn(session, period, CATALOGUE, sums, partners, members, today, settings)
    figures = _silence_is_zero(drawn, subjects)
    figures = _against_targets(session, period, figures, subjects, memberships)
    figures["state"] = _states(figures, _stale(session, period, figures, now, settings))
    _keep(session, period, figures, subjects, now)


def of_partners(
    session: Session, period: Period, kpis: Collection[str], *, now: datetime, settings: Settings
) -> pd.DataFrame:
    """Some KPIs of every active partner, straight from the tallies, for whoever needs just those.

    Returns what `summing.figures` does, with partner codes as subjects. Nothing is kept.
    """
    today = now.astimezone(settings.zone).date()
    sums = _sums(session, period, kpis)
    partners = _active(session, period, sums)
    members = pd.DataFrame({"subject": partners["code"], "partner_id": partners["id"]})
    return _drawn(session, period, kpis, sums, partners, members, today, settings)


def _drawn(
    session: Session,
    period: Period,
    kpis: Collection[str],
    sums: Sums,
    partners: pd.DataFrame,
    members: pd.DataFrame,
    today: date,
    settings: Settings,
) -> pd.DataFrame:
    """The figures of subjects, drawn from sums; none where the KPI's source never reported."""
    figures = summing.figures(
        kpis,
        sums,
        Network(
            partners=partners[["id", "joined_on", "left_on"]],
            memberships=members,
            invited=_invited(session),
        ),
        period,
        as_of_day=today,
        weights=Weights(
            dsi=settings.dsi_weights, cxi=settings.cxi_weights, answers_min=settings.dsi_answers_min
        ),
    )
    silent = figures["kpi"].isin(_unreported(session, kpis))
    figures.loc[silent, ["value_hits", "value_of"]] = None
    figures.loc[silent, ["low", "high"]] = np.nan
    figures.loc[silent, ["hits", "of", "n"]] = 0
    return figures


def _unreported(session: Session, kpis: Collection[str]) -> list[str]:
    """The KPIs none of whose facts were ever imported: a portal we know nothing of isn't unused."""
    reported = _last_heard(session).keys()
    told_by = {kpi: set(CATALOGUE[kpi].facts) - _DIRECTORY for kpi in kpis}
    return [kpi for kpi, facts in told_by.items() if facts and facts.isdisjoint(reported)]


_DIRECTORY = {"partners", "people"}  # who there is; it says nothing of what they did


def _last_heard(session: Session) -> dict[str, datetime]:
    """When each kind of facts was last told. A file of which no row was good told nothing."""
    told = sa.or_(Import.refused == 0, Import.taken + Import.unchanged + Import.corrected > 0)
    newest = sa.select(Import.kind, sa.func.max(Import.imported_at)).where(told)
    return dict(session.execute(newest.group_by(Import.kind)).all())


def _sums(session: Session, period: Period, kpis: Collection[str]) -> Sums:
    """What some KPIs' tallies come to: from months where days add up, else from days."""
    latest, running = (summing.codes_that(how) for how in (AddsUp.LATEST, AddsUp.RUNNING))
    wanted = _codes(session, MonthTally, kpis)
    months = [code for code in wanted if code not in latest]
    days = _within(session, Tally, Tally.day, period, [c for c in latest if c in wanted])
    last_day = days.groupby(["kpi", "partner_id"])["day"].transform("max")
    counts = [
        _added_up(session, MonthTally.month, months, period.first_day, period.end_day),
        days[days["day"] == last_day].drop(columns="day"),
    ]
    presences = _codes(session, Presence, kpis)
    seen = _within(session, Presence, Presence.month, period, presences).drop(columns="month")
    before = [code for code in running if code in wanted]
    return Sums(
        counts=pd.concat(counts, ignore_index=True),
        spreads=_spreads(session, period, _codes(session, Spread, kpis)),
        presences=seen.drop_duplicates(ignore_index=True),
        before=_added_up(session, MonthTally.month, before, date.min, period.first_day),
    )


def _codes(session: Session, model: type[Base], kpis: Collection[str]) -> list[str]:
    """The codes kept in a table that some KPIs are drawn from."""
    patterns = {
        pattern
        for kpi in kpis
        for pattern in (*CATALOGUE[kpi].tallies, CATALOGUE[kpi].coverage)
        if pattern
    }
    return [
        code
        for code in tallies.codes(session, model)
        if any(fnmatchcase(code, pattern) for pattern in patterns)
    ]


def _added_up(
    session: Session, month: Any, codes: Sequence[str], first: date, end: date
) -> pd.DataFrame:
    """Months added up per code and partner: kpi, partner_id, hits, of, n."""
    added = (
        sa.type_coerce(sa.func.sum(column), sa.BigInteger).label(column.key)
        for column in (MonthTally.hits, MonthTally.of, MonthTally.n)
    )
    statement = (
        sa.select(MonthTally.kpi, MonthTally.partner_id, *added)
        .where(MonthTally.kpi.in_(codes), month >= first, month < end)
        .group_by(MonthTally.kpi, MonthTally.partner_id)
    )
    return read_frame(session, statement)


def _within(
    session: Session, model: type[Base], day: Any, period: Period, codes: Sequence[str]
) -> pd.DataFrame:
    """The rows of some codes within a period, all columns."""
    columns = model.__table__.columns
    statement = sa.select(*columns).where(
        columns["kpi"].in_(codes), day >= period.first_day, day < period.end_day
    )
    return read_frame(session, statement)


def _spreads(session: Session, period: Period, codes: Sequence[str]) -> pd.DataFrame:
    keys = (Spread.kpi, Spread.partner_id, Spread.value)
    times = sa.type_coerce(sa.func.sum(Spread.times), sa.BigInteger).label("times")
    statement = (
        sa.select(*keys, times)
        .where(
            Spread.kpi.in_(codes),
            Spread.day >= period.first_day,
            Spread.day < period.end_day,
        )
        .group_by(*keys)
    )
    return read_frame(session, statement)


# --- Who is measured ----------------------------------------------------------------------------


def _active(session: Session, period: Period, sums: Sums) -> pd.DataFrame:
    """The partners under contract at some time in the period, and those with facts in it.

    Facts may come due after a partner has left, and the network's figures count them.
    """
    partners = read_frame(
        session,
        sa.select(Partner.id, Partner.code, Partner.joined_on, Partner.left_on).order_by(
            Partner.code
        ),
    )
    first, end = pd.Timestamp(period.first_day), pd.Timestamp(period.end_day)
    # Who left on the very first day was there the day before, and churned in this period.
    there = ~(partners["joined_on"] >= end) & ~(partners["left_on"] < first)
    told = partners["id"].isin(sums.counts["partner_id"]) | partners["id"].isin(
        sums.spreads["partner_id"]
    )
    return partners[there | told].reset_index(drop=True)


def _subjects(partners: pd.DataFrame, memberships: pd.DataFrame) -> pd.DataFrame:
    """Everyone who gets a scorecard: level, subject, partner_id (NA but for partners)."""
    of_partners = pd.DataFrame(
        {"level": "partner", "subject": partners["code"], "partner_id": partners["id"]}
    )
    of_groups = pd.DataFrame({"subject": memberships["group_code"].unique()}).assign(level="group")
    network = pd.DataFrame({"level": ["network"], "subject": [NETWORK]})
    subjects = pd.concat([of_partners, of_groups, network], ignore_index=True)
    return subjects.astype({"partner_id": "Int64"})


def _members(
    subjects: pd.DataFrame, partners: pd.DataFrame, memberships: pd.DataFrame
) -> pd.DataFrame:
    """From which partners each subject's figures are drawn: subject (its place), partner_id."""
    place = subjects[["level", "subject"]].assign(place=subjects.index)
    of_groups = memberships.merge(
        place[place["level"] == "group"], left_on="group_code", right_on="subject"
    )
    everyone = partners["id"].to_numpy()
    return pd.DataFrame(
        {
            "subject": np.concatenate(
                [
                    np.arange(len(partners)),
                    of_groups["place"].to_numpy(),
                    np.full(len(partners), len(subjects) - 1),
                ]
            ),
            "partner_id": np.concatenate([everyone, of_groups["partner_id"].to_numpy(), everyone]),
        }
    )


def _invited(session: Session) -> pd.DataFrame:
    invited = sa.select(Person.partner_id, Person.email.label("who")).where(
        Person.role == Role.PARTNER
    )
    return read_frame(session, invited)


def _silence_is_zero(figures: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """Where the network's portal spoke in the period, who didn't use it viewed nothing: 0."""
    network = figures[figures["subject"] == len(subjects) - 1].set_index("kpi")["n"]
    counted = [kpi for kpi in _PORTAL_COUNTS if kpi in network.index and (network[kpi] or 0) > 0]
    silent = figures["kpi"].isin(counted) & figures["value_of"].isna()
    figures.loc[silent, ["value_hits", "value_of", "hits"]] = (0, 1, 0)
    return figures


_PORTAL_COUNTS = ("sheet_views", "media_downloads")


# --- Against targets ----------------------------------------------------------------------------


def _against_targets(
    session: Session,
    period: Period,
    figures: pd.DataFrame,
    subjects: pd.DataFrame,
    memberships: pd.DataFrame,
) -> pd.DataFrame:
    """Put beside each figure the Target it is held against, or None."""
    targets = targets_of(session, period)
    held = targets.held_by(subjects, memberships).rename(columns={"place": "subject"})
    figures = figures.merge(held, on=["subject", "kpi"], how="left")
    places = figures["target"].fillna(-1).astype("int64")
    choices = np.array([*targets.in_force, None], dtype=object)
    figures["target"] = choices[places.to_numpy()]
    return figures


def _stale(
    session: Session, period: Period, figures: pd.DataFrame, now: datetime, settings: Settings
) -> list[bool]:
    """Whether a figure's source was last heard of before the period's end, and too long ago."""
    heard = _last_heard(session)
    told_by = {
        kpi.code: set(kpi.facts) - _DIRECTORY or set(kpi.facts) for kpi in CATALOGUE.values()
    }
    last = {
        kpi: max((heard[kind] for kind in kinds if kind in heard), default=None)
        for kpi, kinds in told_by.items()
    }
    end = period.ends_at(settings.zone)

    def too_old(kpi: str, target: Target | None) -> bool:
        at = last[kpi]
        if target is None or target.stale_after_days is None or at is None or at >= end:
            return False
        return now - at > timedelta(days=target.stale_after_days)

    return [too_old(*row) for row in zip(figures["kpi"], figures["target"], strict=True)]


def _states(figures: pd.DataFrame, stale: Sequence[bool]) -> list[str | None]:
    columns = ["kpi", "target", "value_hits", "value_of", "n", "coverage_hits", "coverage_of"]
    rows = zip(*(_plain(figures[name]) for name in columns), stale, strict=True)
    return [_state(*row) for row in rows]


def _state(
    kpi: str,
    target: Target | None,
    hits: int | None,
    of: int | None,
    n: int | None,
    covered: int | None,
    coverable: int | None,
    stale: bool,
) -> State | None:
    """How a figure stands. Compared in whole numbers, multiplied crosswise: 19/20 is 95 %."""
    if target is None:
        return None if of and hits is not None else State.NO_DATA
    if stale:
        return State.STALE
    if not of or hits is None or (n or 0) < target.n_min:
        return State.NO_DATA
    if coverable and Fraction(covered or 0, coverable) < target.coverage_min:
        return State.NO_DATA
    above = hits * target.value.denominator - target.value.numerator * of
    reached = above >= 0 if CATALOGUE[kpi].direction is Direction.HIGHER else above <= 0
    return State.GREEN if reached else State.RED


# --- Keeping ------------------------------------------------------------------------------------


def _keep(
    session: Session, period: Period, figures: pd.DataFrame, subjects: pd.DataFrame, now: datetime
) -> None:
    place = figures["subject"].to_numpy()
    targets = figures["target"].tolist()
    versions = {code: kpi.version for code, kpi in CATALOGUE.items()}
    columns: dict[str, Any] = {
        "period": pa.repeat(pa.scalar(str(period)), len(figures)),
        "level": subjects["level"].to_numpy()[place],
        "subject": subjects["subject"].to_numpy()[place],
        "kpi": figures["kpi"],
        "value": _quotients(figures["value_hits"], figures["value_of"]),
        "hits": pa.array(_plain(figures["hits"]), pa.int64()),
        "of": pa.array(_plain(figures["of"]), pa.int64()),
        "n": figures["n"].fillna(0).astype("int64"),
        "coverage": _quotients(figures["coverage_hits"], figures["coverage_of"]),
        "low": figures["low"].round(_DECIMALS),
        "high": figures["high"].round(_DECIMALS),
        "state": pa.array(_plain(figures["state"]), pa.string()),
        "target": pa.array([_written(t and t.value) for t in targets], pa.string()),
        "n_min": pa.array([t and t.n_min for t in targets], pa.int64()),
        "coverage_min": pa.array([_written(t and t.coverage_min) for t in targets], pa.string()),
        "stale_after_days": pa.array([t and t.stale_after_days for t in targets], pa.int64()),
        "target_group": pa.array([t and t.group for t in targets], pa.string()),
        "as_of": pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), len(figures)),
        "definition_version": figures["kpi"].map(versions).astype("int64"),
        "details": pa.array(map(_details, figures["details"]), pa.string()),
    }
    arrays = {name: pa.array(column, from_pandas=True) for name, column in columns.items()}
    rows = pa.table(arrays).sort_by([(name, "ascending") for name in ("level", "subject", "kpi")])
    session.execute(sa.delete(ScorecardRow).where(ScorecardRow.period == str(period)))
    bulk.write(session, ScorecardRow.__tablename__, rows)


_DECIMALS = 6  # of floats: an interval's last digits differ between machines


def _quotients(hits: pd.Series, of: pd.Series) -> pa.Array:
    pairs = zip(_plain(hits), _plain(of), strict=True)
    return pa.array([_reduced(*pair) if pair[1] else None for pair in pairs], pa.string())


def _reduced(hits: int, of: int) -> str:
    divisor = math.gcd(hits, of)
    return f"{hits // divisor}/{of // divisor}"


def _written(share: Fraction | None) -> str | None:
    return None if share is None else f"{share.numerator}/{share.denominator}"


def _details(details: Mapping[str, float | int | None]) -> str | None:
    if not details:
        return None
    rounded = {
        name: round(value, _DECIMALS) if isinstance(value, float) else value
        for name, value in details.items()
    }
    return json.dumps(rounded, sort_keys=True)


def _plain(column: pd.Series) -> list[Any]:
    """A column as Python's own values, None where there is none."""
    exact = column.astype(object)
    return exact.where(exact.notna(), None).tolist()


# --- Reading ------------------------------------------------------------------------------------


def scorecards(
    session: Session, period: Period, level: str, *, table: type[FigureColumns] = ScorecardRow
) -> list[Scorecard]:
    """The kept scorecards of a period on a level (partner, group or network), by subject.

    table: `ScorecardRow` for what is known now, or the frozen ones.
    """
    return _read(session, table, period, level)


def scorecard_of(
    session: Session,
    period: Period,
    subject: str,
    level: str,
    *,
    table: type[FigureColumns] = ScorecardRow,
) -> Scorecard:
    """One subject's kept scorecard; without figures when it wasn't measured in the period."""
    found = _read(session, table, period, level, table.subject == subject)
    return found[0] if found else Scorecard(period, subject, {})


def kept_figures(
    session: Session,
    period: Period,
    level: str,
    *conditions: sa.ColumnElement[bool],
    table: type[FigureColumns] = ScorecardRow,
) -> dict[str, dict[str, Figure]]:
    """The kept figures of a period on a level, by subject and KPI.

    conditions: on the table's columns, where only some figures are wanted.
    """
    columns = [getattr(table, column.name) for column in ScorecardRow.__table__.columns]
    wanted = (
        sa.select(*columns)
        .where(table.period == str(period), table.level == level, *conditions)
        .order_by(table.subject, table.kpi)
    )
    figures: dict[str, dict[str, Figure]] = {}
    for row in session.execute(wanted):
        figures.setdefault(row.subject, {})[row.kpi] = _figure(row)
    return figures


def _read(
    session: Session,
    table: type[FigureColumns],
    period: Period,
    level: str,
    *conditions: sa.ColumnElement[bool],
) -> list[Scorecard]:
    figures = kept_figures(session, period, level, *conditions, table=table)
    belongs = _groups_of(session) if level == "partner" and figures else {}
    return [
        Scorecard(period, subject, of_subject, belongs.get(subject, frozenset()))
        for subject, of_subject in figures.items()
    ]


def _figure(row: Any) -> Figure:
    return Figure(
        kpi=row.kpi,
        value=row.value,
        hits=row.hits,
        of=row.of,
        n=row.n,
        coverage=row.coverage,
        low=row.low,
        high=row.high,
        state=None if row.state is None else State(row.state),
        target=None if row.target is None else _target(row),
        as_of=row.as_of,
        definition_version=row.definition_version,
        details=json.loads(row.details) if row.details else {},
    )


def _target(row: Any) -> Target:
    return Target(
        kpi=row.kpi,
        value=row.target,
        n_min=row.n_min,
        coverage_min=row.coverage_min,
        stale_after_days=row.stale_after_days,
        group=row.target_group,
    )


def _groups_of(session: Session) -> dict[str, frozenset[str]]:
    """The groups of each partner, by its code."""
    codes = read_frame(session, sa.select(Partner.id.label("partner_id"), Partner.code))
    belonging = groups.memberships(session).merge(codes, on="partner_id").groupby("code")
    return {str(code): frozenset(group_codes) for code, group_codes in belonging["group_code"]}
