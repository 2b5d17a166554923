"""The facts: every frozen figure computed again, from the facts as they were known at its close.

The tables are put back as they were, measured, and compared with what was frozen, from the newest
close to the oldest, all in one transaction that is always undone. So the first close costs a
rebuild of all tallies, and each earlier one what changed since. Nobody else can write meanwhile on
SQLite; on PostgreSQL imports and refreshes wait.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.frames import read_frame
from partner_cx.kinds import KINDS
from partner_cx.measures import measuring, refreshing
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.operations.hindsight import put_back
from partner_cx.periods import Period
from partner_cx.settings import Settings
from rewards.audit.differences import Findings, Found
from rewards.audit.inspecting import Inspection
from rewards.deciding.candidates import Candidate, candidates, frozen_candidates
from rewards.frozen import Closing, FrozenFigure
from rewards.terms import under_terms

_KEY = ["level", "subject", "kpi"]
_COMPARED = [
    *("value", "hits", "of", "n", "coverage", "low", "high", "state", "target", "n_min"),
    *("coverage_min", "stale_after_days", "target_group", "definition_version", "details"),
]
_LAST_DIGIT = 2e-6  # of an interval's bounds: machines differ there


def recomputed(engine: sa.Engine, inspection: Inspection, findings: Findings) -> None:
    """Compare the frozen figures and partners of all closes with what the facts give."""
    with Session(engine.execution_options(writes=True)) as session:
        try:
            _go_back(session, inspection, findings)
        except Exception as problem:  # noqa: BLE001 - a close that can't even be read
            findings.take([Found("unreadable", "facts", "", _told_of(problem))])
        finally:
            session.rollback()


def _go_back(session: Session, inspection: Inspection, findings: Findings) -> None:
    newest_first = sa.select(Closing).order_by(
        sa.func.coalesce(Closing.last_import_id, 0).desc(), Closing.id.desc()
    )
    closings = [_Close.of(closing) for closing in session.scalars(newest_first)]
    rebuilt = False
    for close in closings:
        settings = _terms(inspection, close)
        if settings is None:
            continue
        try:
            with session.begin_nested():
                _measure(session, close, settings, rebuilt=rebuilt)
                found = list(_compared(session, inspection, close))
        except Exception as problem:  # noqa: BLE001 - a row that can't be read is what it found
            where = f"facts of {close.period}"
            findings.take([Found("unreadable", where, "", _told_of(problem))])
            continue
        rebuilt = True
        findings.take(found)


def _told_of(problem: Exception) -> str:
    return f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"


class _Close:
    """A close, as plain values: the session forgets rows when facts are put back."""

    def __init__(self, closing: Closing) -> None:
        self.id = closing.id
        self.period = closing.period
        self.as_of = closing.as_of
        self.known_until = closing.last_import_id or 0
        self.terms = closing.terms
        self.has_partners = closing.partners_digest is not None

    @classmethod
    def of(cls, closing: Closing) -> _Close:
        return cls(closing)


def _terms(inspection: Inspection, close: _Close) -> Settings | None:
    try:
        Period.parse(close.period)
        return under_terms(inspection.settings, close.terms)
    except Exception:  # noqa: BLE001 - whatever an intruder wrote there
        inspection.cannot_tell(
            f"figures of {close.period}",
            "The terms of its close can't be read, so nothing can be computed by them.",
            "Les termes de sa clôture sont illisibles\u202f: rien ne peut être recalculé d’après "
            "eux.",
        )
        return None


def _measure(session: Session, close: _Close, settings: Settings, *, rebuilt: bool) -> None:
    put_back(session, KINDS.values(), known_until=close.known_until)
    again = refreshing.refresh if rebuilt else refreshing.rebuild
    again(session, now=close.as_of, settings=settings)
    measuring.measure(session, Period.parse(close.period), now=close.as_of, settings=settings)


def _compared(session: Session, inspection: Inspection, close: _Close) -> Iterator[Found]:
    yield from _figures(session, inspection, close)
    if close.has_partners:
        yield from _partners(session, inspection, close)


def _figures(session: Session, inspection: Inspection, close: _Close) -> Iterator[Found]:
    frozen = _frame(session, FrozenFigure, FrozenFigure.closing_id == close.id)
    again = _frame(session, ScorecardRow, ScorecardRow.period == close.period)
    frozen = frozen[_of_today(frozen, inspection, close)]
    again = again[again["kpi"].isin(frozen["kpi"].unique())]
    inspection.saw("figures computed again", len(frozen))
    both = frozen.merge(again, on=_KEY, how="outer", suffixes=("", "_again"), indicator="side")
    for row in both[_differ(both)].sort_values(_KEY).to_dict("records"):
        where = f"{close.period} {row['subject']} {row['kpi']}"
        yield Found("figure_differs", where, *_told(row))


def _frame(session: Session, table: Any, which: sa.ColumnElement[bool]) -> pd.DataFrame:
    columns = [getattr(table, name) for name in (*_KEY, *_COMPARED)]
    return read_frame(session, sa.select(*columns).where(which))


def _of_today(frozen: pd.DataFrame, inspection: Inspection, close: _Close) -> pd.Series:
    """Which figures have a definition that this program still computes by."""
    versions = {code: kpi.version for code, kpi in CATALOGUE.items()}
    known = frozen["kpi"].map(versions) == frozen["definition_version"]
    for kpi in sorted(frozen.loc[~known, "kpi"].unique()):
        inspection.cannot_tell(
            f"{close.period} {kpi}",
            "It was computed by another version of its definition than this program's.",
            "Il fut calculé selon une autre version de sa définition que celle de ce programme.",
        )
    return known


def _differ(both: pd.DataFrame) -> pd.Series:
    differ = both["side"] != "both"
    for name in _COMPARED:
        was, again = both[name], both[f"{name}_again"]
        same = (was == again).fillna(False).astype(bool) | (was.isna() & again.isna())
        if name in ("low", "high"):
            same |= ((was - again).abs() <= _LAST_DIGIT).fillna(False)
        differ |= ~same
    return differ


def _told(row: Mapping[Any, Any]) -> tuple[str, str]:
    """What the facts give, and what was frozen: the figure, or the column that differs."""
    if row["side"] == "left_only":
        return "nothing", _figure_text(row, "")
    if row["side"] == "right_only":
        return _figure_text(row, "_again"), "nothing"
    again, was = _figure_text(row, "_again"), _figure_text(row, "")
    if again != was:
        return again, was
    names = [name for name in _COMPARED if not _same(row[name], row[f"{name}_again"])]
    return (
        ", ".join(f"{name} {row[f'{name}_again']}" for name in names),
        ", ".join(f"{name} {row[name]}" for name in names),
    )


def _same(was: object, again: object) -> bool:
    return was == again or (_is_missing(was) and _is_missing(again))


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def _figure_text(row: Mapping[Any, Any], suffix: str) -> str:
    value, of, state = (row[f"{name}{suffix}"] for name in ("value", "n", "state"))
    shown = "no value" if _is_missing(value) else str(value)
    return f"{shown} of n = {of}" + ("" if _is_missing(state) else f", {state}")


def _partners(session: Session, inspection: Inspection, close: _Close) -> Iterator[Found]:
    then = {each.code: each for each in candidates(session, Period.parse(close.period).last_day)}
    frozen = {each.code: each for each in frozen_candidates(session, close.id)}
    inspection.saw("partners computed again", len(frozen))
    for code in sorted(then.keys() | frozen.keys()):
        if then.get(code) != frozen.get(code):
            yield Found(
                "partner_differs",
                f"{close.period} {code}",
                _partner_text(then.get(code)),
                _partner_text(frozen.get(code)),
            )


def _partner_text(candidate: Candidate | None) -> str:
    if candidate is None:
        return "no partner"
    joined = candidate.joined_on or "always"
    return f"{candidate.kind}, joined {joined}, in {', '.join(sorted(candidate.groups)) or 'none'}"
