"""Measuring: a period's figures, drawn from tallies and held against targets.

Before: tallies, which must hold for the moment of measuring (see `refreshing`). After: scorecards.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import Base
from partner_cx.errors import Invalid
from partner_cx.frames import read_frame
from partner_cx.measures import summing, tallies
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import State, Target
from partner_cx.measures.kpi import AddsUp, Direction, Weights
from partner_cx.measures.members import Network, Sums
from partner_cx.measures.scorecards import NETWORK, keep, plain_values
from partner_cx.measures.tallies import MonthTally, Presence, Spread, Tally
from partner_cx.measures.targets import targets_of
from partner_cx.network import groups
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.settings import Settings


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
    drawn = draw(session, period, who_there_is(session), now=now, settings=settings)
    figures, subjects = drawn.figures, drawn.subjects
    figures = _against_targets(session, period, figures, subjects, drawn.memberships)
    figures["state"] = states(session, period, figures, now=now, settings=settings)
    keep(session, period, figures, subjects, now)


@dataclass(frozen=True)
class Directory:
    """Who there is to be measured.

    partners: id, code, joined_on, left_on, by code. memberships: group_code, partner_id.
    invited: partner_id, who: the people who may use the portal.
    """

    partners: pd.DataFrame
    memberships: pd.DataFrame
    invited: pd.DataFrame


def who_there_is(session: Session) -> Directory:
    """The partners, groups and people as they are now."""
    return Directory(_partners(session), groups.memberships(session), _invited(session))


@dataclass(frozen=True)
class Drawn:
    """Everyone's figures, held against no target yet.

    figures: as `summing.figures` draws them; subject is a place in `subjects`.
    subjects: level, subject, partner_id (NA but for partners). memberships: of those partners.
    """

    figures: pd.DataFrame
    subjects: pd.DataFrame
    memberships: pd.DataFrame


def draw(
    session: Session, period: Period, who: Directory, *, now: datetime, settings: Settings
) -> Drawn:
    """Draw all figures of a period from the tallies, which must hold for `now`. Keeps nothing."""
    sums = _sums(session, period, CATALOGUE)
    partners = _active(who.partners, period, sums)
    memberships = who.memberships[who.memberships["partner_id"].isin(partners["id"])]
    subjects = _subjects(partners, memberships)
    members = _members(subjects, partners, memberships)
    network = Network(
        partners=partners[["id", "joined_on", "left_on"]], memberships=members, invited=who.invited
    )
    today = now.astimezone(settings.zone).date()
    drawn = _drawn(session, period, CATALOGUE, sums, network, today, settings)
    return Drawn(_silence_is_zero(drawn, subjects), subjects, memberships)


def of_partners(
    session: Session, period: Period, kpis: Collection[str], *, now: datetime, settings: Settings
) -> pd.DataFrame:
    """Some KPIs of every active partner, straight from the tallies, for whoever needs just those.

    Returns what `summing.figures` does, with partner codes as subjects. Nothing is kept.
    """
    today = now.astimezone(settings.zone).date()
    sums = _sums(session, period, kpis)
    partners = _active(_partners(session), period, sums)
    network = Network(
        partners=partners[["id", "joined_on", "left_on"]],
        memberships=pd.DataFrame({"subject": partners["code"], "partner_id": partners["id"]}),
        invited=_invited(session),
    )
    return _drawn(session, period, kpis, sums, network, today, settings)


def _drawn(
    session: Session,
    period: Period,
    kpis: Collection[str],
    sums: Sums,
    network: Network,
    today: date,
    settings: Settings,
) -> pd.DataFrame:
    """The figures of subjects, drawn from sums; none where the KPI's source never reported."""
    figures = summing.figures(
        kpis,
        sums,
        network,
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


def _partners(session: Session) -> pd.DataFrame:
    columns = (Partner.id, Partner.code, Partner.joined_on, Partner.left_on)
    return read_frame(session, sa.select(*columns).order_by(Partner.code))


def _active(partners: pd.DataFrame, period: Period, sums: Sums) -> pd.DataFrame:
    """The partners under contract at some time in the period, and those with facts in it.

    Facts may come due after a partner has left, and the network's figures count them.
    """
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


def states(
    session: Session, period: Period, figures: pd.DataFrame, *, now: datetime, settings: Settings
) -> list[State | None]:
    """How figures stand against the targets beside them (the column `target`)."""
    stale = _stale(session, period, figures, now, settings)
    columns = ["kpi", "target", "value_hits", "value_of", "n", "coverage_hits", "coverage_of"]
    rows = zip(*(plain_values(figures[name]) for name in columns), stale, strict=True)
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
