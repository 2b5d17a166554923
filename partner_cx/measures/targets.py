"""Targets: what a KPI is held against, from a day on, for the network or for one group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from partner_cx.database import Base, Exact, Id, Text
from partner_cx.measures.figures import Target
from partner_cx.network.names import narrowness
from partner_cx.periods import Period


class DatedTarget(Base):
    """A target as it was set: it holds from a day on, until the next one of the same KPI and group.

    group_code: '' for the network as a whole; else the group whose members it overrides.
    """

    __tablename__ = "targets"
    __table_args__ = (
        sa.UniqueConstraint("kpi", "group_code", "starts_on"),
        sa.CheckConstraint("n_min >= 0", name="n_min"),
        sa.CheckConstraint("stale_after_days > 0", name="stale_after_days"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kpi: Mapped[str] = mapped_column(Text)
    group_code: Mapped[str] = mapped_column(Text, server_default="")
    starts_on: Mapped[date]
    target: Mapped[Fraction] = mapped_column(Exact)
    n_min: Mapped[int | None]
    coverage_min: Mapped[Fraction | None] = mapped_column(Exact)
    stale_after_days: Mapped[int | None]
    import_id: Mapped[int] = mapped_column(sa.ForeignKey("imports.id"))


@dataclass(frozen=True)
class Targets:
    """The targets in force, the network's and those that groups override."""

    in_force: tuple[Target, ...]

    def held_by(self, subjects: pd.DataFrame, memberships: pd.DataFrame) -> pd.DataFrame:
        """Say which target each subject is held against.

        subjects: level, subject, partner_id (of partners; NA of groups and the network).
        memberships: group_code, partner_id.
        Returns place (the row in `subjects`), kpi and target (its place in `in_force`). A partner
        in several groups with a target of their own is held against the narrowest group's; of two
        equally narrow ones the first by its code. A KPI without any target has no row.
        """
        places = subjects.assign(place=range(len(subjects)))
        partners = places[places["level"] == "partner"]
        of_groups = memberships.merge(partners[["partner_id", "place"]], on="partner_id")
        groups = places.loc[places["level"] == "group", ["subject", "place"]]
        of_groups = pd.concat(
            [of_groups[["group_code", "place"]], groups.rename(columns={"subject": "group_code"})]
        )
        everyone = places[["place"]].assign(group_code="")
        reach = pd.concat([of_groups, everyone], ignore_index=True)
        chosen = reach.merge(self._ranked(), on="group_code").sort_values(["place", "kpi", "rank"])
        return chosen.drop_duplicates(["place", "kpi"], keep="last")[["place", "kpi", "target"]]

    def _ranked(self) -> pd.DataFrame:
        """The targets from the widest to the narrowest: group_code, kpi, target, rank."""
        groups = sorted({target.group or "" for target in self.in_force}, reverse=True)
        groups.sort(key=lambda group: narrowness(group) if group else -1)
        rank = {group: place for place, group in enumerate(groups)}
        rows = [
            (target.group or "", target.kpi, place, rank[target.group or ""])
            for place, target in enumerate(self.in_force)
        ]
        return pd.DataFrame(rows, columns=["group_code", "kpi", "target", "rank"])


def targets_of(session: Session, period: Period) -> Targets:
    """The targets a period is held against: those in force on its first day.

    A target that begins later holds from the next period on. So nobody's aim moves while they
    run for it, and a year isn't held against what was only asked for in December.
    """
    dated = sa.select(DatedTarget).where(DatedTarget.starts_on <= period.first_day)
    latest = {
        (row.kpi, row.group_code): row
        for row in session.scalars(dated.order_by(DatedTarget.starts_on))
    }
    return Targets(tuple(_target(latest[key]) for key in sorted(latest)))


def _target(row: DatedTarget) -> Target:
    return Target(
        kpi=row.kpi,
        value=row.target,
        n_min=1 if row.n_min is None else row.n_min,
        coverage_min=row.coverage_min or Fraction(0),
        stale_after_days=row.stale_after_days,
        group=row.group_code or None,
    )
