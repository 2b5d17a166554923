"""Known now: the figures of a closed period that come out differently with what was learned since.

Before: the frozen scorecards, and facts that came in later. After: `restating`, which decides
again.

Only later knowledge makes a difference. The period is measured at the moment of its close and under
its terms, for the partners and groups of then, and its figures are held against the targets that
were frozen with it. For that the tallies are moved to that moment within a savepoint, and back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.frames import read_frame
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.directories import directory_known
from partner_cx.measures.figures import Figure, State, Target
from partner_cx.measures.scorecards import plain_values
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from partner_cx.settings import Settings
from rewards.frozen import Closing, FrozenFigure, frozen_figures
from rewards.terms import under_terms


@dataclass(frozen=True)
class Changed:
    """A figure that comes out differently: as it was frozen, and as it is known now.

    then: without a value where the subject had no such figure.
    """

    level: str
    subject: str
    kpi: str
    then: Figure
    now: Figure


@dataclass(frozen=True)
class Known:
    """What is known now of a closed period.

    changed: by level, subject and KPI. memberships: who belonged to which group at the close:
        group_code, partner_id.
    last_import_id: up to which import facts are known.
    redefined: the KPIs that are defined otherwise today, and can't be compared.
    """

    changed: tuple[Changed, ...]
    memberships: pd.DataFrame
    last_import_id: int
    redefined: tuple[str, ...]


def known_now(session: Session, closing: Closing, period: Period, settings: Settings) -> Known:
    """Compare a closed period's figures with what is known now. Changes nothing."""
    then = under_terms(settings, closing.terms)
    who = directory_known(session, closing.last_import_id or 0)
    frozen = _frozen(session, closing)
    last_day = closing.as_of.astimezone(then.zone).date()
    with refreshing.tallies_of(session, now=closing.as_of, settings=then, until=last_day):
        drawn = measuring.draw(session, period, who, now=closing.as_of, settings=then)
        both = _side_by_side(frozen, drawn)
        both["state"] = measuring.states(session, period, both, now=closing.as_of, settings=then)
    redefined = both["definition_version"] != both["kpi"].map(_version)
    told = both["definition_version"].notna()
    differs = _differs(both) & ~(redefined & told)
    return Known(
        changed=tuple(_changed(session, closing, period, both[differs])),
        memberships=who.memberships,
        last_import_id=session.scalar(sa.select(sa.func.max(Import.id))) or 0,
        redefined=tuple(sorted(set(both.loc[redefined & told, "kpi"]))),
    )


_SAME = ("value", "hits", "of", "n", "coverage", "state")
_TARGET = ("target", "n_min", "coverage_min", "stale_after_days", "target_group")
_WHOSE = ["level", "subject", "kpi"]


def _frozen(session: Session, closing: Closing) -> pd.DataFrame:
    columns = [getattr(FrozenFigure, name) for name in (*_WHOSE, *_SAME, *_TARGET)]
    wanted = sa.select(*columns, FrozenFigure.definition_version)
    frozen = read_frame(session, wanted.where(FrozenFigure.closing_id == closing.id))
    frozen = frozen.rename(columns={name: f"{name}_then" for name in _SAME})
    frozen["target"] = pd.Series(_targets(frozen), index=frozen.index, dtype=object)
    return frozen.drop(columns=list(_TARGET[1:]))


def _targets(frozen: pd.DataFrame) -> list[Target | None]:
    """The targets that figures were held against, each made once."""
    made: dict[tuple[Any, ...], Target | None] = {}
    rows = list(zip(*(plain_values(frozen[name]) for name in ("kpi", *_TARGET)), strict=True))
    for kpi, value, n_min, coverage_min, stale_after_days, group in set(rows):
        key = (kpi, value, n_min, coverage_min, stale_after_days, group)
        made[key] = value and Target(
            kpi, Fraction(value), n_min, Fraction(coverage_min or 0), stale_after_days, group
        )
    return [made[row] for row in rows]


def _side_by_side(frozen: pd.DataFrame, drawn: measuring.Drawn) -> pd.DataFrame:
    place = drawn.figures["subject"].to_numpy()
    now = drawn.figures.assign(
        level=drawn.subjects["level"].to_numpy()[place],
        subject=drawn.subjects["subject"].to_numpy()[place],
    )
    now["value"] = _quotients(now["value_hits"], now["value_of"])
    now["coverage"] = _quotients(now["coverage_hits"], now["coverage_of"])
    both = frozen.merge(now, on=_WHOSE, how="outer")
    both["target"] = both["target"].astype(object).where(both["target"].notna(), None)
    return both.reset_index(drop=True)


def _quotients(hits: pd.Series, of: pd.Series) -> list[str | None]:
    pairs = zip(plain_values(hits), plain_values(of), strict=True)
    return [_written(Fraction(*pair)) if pair[1] else None for pair in pairs]


def _written(number: Fraction) -> str:
    return f"{number.numerator}/{number.denominator}"


def _version(kpi: str) -> int:
    return CATALOGUE[kpi].version if kpi in CATALOGUE else 0


def _differs(both: pd.DataFrame) -> pd.Series:
    """Which rows say something else than was frozen."""
    differs = np.zeros(len(both), dtype=bool)
    for name in _SAME:
        then, now = plain_values(both[f"{name}_then"]), plain_values(both[name])
        usual = State.NO_DATA if name == "state" else 0 if name == "n" else None
        differs |= [
            (one if one is not None else usual) != (other if other is not None else usual)
            for one, other in zip(then, now, strict=True)
        ]
    return pd.Series(differs, index=both.index)


def _changed(
    session: Session, closing: Closing, period: Period, rows: pd.DataFrame
) -> Sequence[Changed]:
    then = {}
    for level in sorted(set(rows["level"])):
        of_level = rows[rows["level"] == level]
        then[level] = frozen_figures(
            session, period, level, kpis=set(of_level["kpi"]), subjects=_few(of_level)
        )
    found = []
    for row in rows.to_dict("records"):
        level, subject, kpi = row["level"], row["subject"], row["kpi"]
        before = then[level].get(subject, {}).get(kpi, Figure(kpi, None, state=State.NO_DATA))
        found.append(Changed(level, subject, kpi, before, _figure(row, closing)))
    return found


def _few(rows: pd.DataFrame) -> set[str] | None:
    subjects = set(rows["subject"])
    return subjects if len(subjects) <= 500 else None


def _figure(row: Mapping[Any, Any], closing: Closing) -> Figure:
    """What is known now, in the shape in which it would have been frozen."""
    held: dict[str, Any] = {
        name: None if _is_nothing(value) else value for name, value in row.items()
    }
    return Figure(
        kpi=held["kpi"],
        value=Fraction(held["value"]) if held["value"] else None,
        hits=_whole(held["hits"]),
        of=_whole(held["of"]),
        n=_whole(held["n"]) or 0,
        coverage=Fraction(held["coverage"]) if held["coverage"] else None,
        low=_rounded(held["low"]),
        high=_rounded(held["high"]),
        state=held["state"] and State(held["state"]),
        target=held["target"],
        as_of=closing.as_of,
        definition_version=_version(held["kpi"]),
        details=held["details"] or {},
    )


_DECIMALS = 6  # of an interval's ends, as frozen ones have


def _rounded(end: float | None) -> float | None:
    return None if end is None else round(end, _DECIMALS)


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)


def _is_nothing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value
