"""Closes: what was frozen is still what was frozen, and each knew what it could know."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sqlalchemy as sa

from partner_cx.errors import PartnerCXError
from partner_cx.operations.imports import Import
from partner_cx.periods import Period
from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection
from rewards.deciding.candidates import frozen_candidates, partners_digest
from rewards.events import EventRow
from rewards.frozen import Closing, FrozenFigure, FrozenPartner, digest
from rewards.terms import under_terms


def closings(inspection: Inspection) -> Iterator[Found]:
    digests = False
    for closing in _all(inspection):
        inspection.saw("closes")
        problem = _unreadable(inspection, closing)
        if problem:
            yield Found("closing_unreadable", closing.period, "", problem)
            continue
        yield from _figures(inspection, closing)
        if digests and closing.partners_digest is None:
            yield Found("partners_altered", closing.period, "a digest", "none")
        digests |= closing.partners_digest is not None
        yield from _partners(inspection, closing)
    yield from _order(inspection)


def _all(inspection: Inspection) -> list[Closing]:
    return list(inspection.session.scalars(sa.select(Closing).order_by(Closing.id)))


def _unreadable(inspection: Inspection, closing: Closing) -> str:
    try:
        Period.parse(closing.period)
        if not isinstance(json.loads(closing.terms), dict):
            return "its terms are no object"
        under_terms(inspection.settings, closing.terms)
    except PartnerCXError as problem:
        return problem.message
    except Exception as problem:  # noqa: BLE001 - whatever an intruder wrote there
        return f"its terms: {problem}"
    return ""


def _figures(inspection: Inspection, closing: Closing) -> Iterator[Found]:
    """The frozen figures against the digest, under their own close and of its own moment."""
    session = inspection.session
    misplaced = sa.select(FrozenFigure.period).where(
        FrozenFigure.closing_id == closing.id, FrozenFigure.period != closing.period
    )
    for period in session.scalars(misplaced.distinct().order_by(FrozenFigure.period)):
        yield Found("scorecards_misplaced", closing.period, closing.period, period)
    astray = sa.select(Closing.period).join_from(
        FrozenFigure, Closing, Closing.id == FrozenFigure.closing_id
    )
    astray = astray.where(FrozenFigure.period == closing.period, Closing.id != closing.id)
    for period in session.scalars(astray.distinct().order_by(Closing.period)):
        yield Found("scorecards_misplaced", period, period, closing.period)
    due = digest(session, FrozenFigure, Period.parse(closing.period))
    if due != closing.digest:
        yield Found("scorecards_altered", closing.period, closing.digest, due)
    moments = sa.select(FrozenFigure.as_of).where(FrozenFigure.closing_id == closing.id).distinct()
    for moment in (closing.closed_at, *session.scalars(moments)):
        if moment != closing.as_of:
            yield Found("closing_misdated", closing.period, moment, closing.as_of)
    count = sa.select(sa.func.count()).where(FrozenFigure.closing_id == closing.id)
    inspection.saw("frozen figures", session.scalar(count) or 0)


def _partners(inspection: Inspection, closing: Closing) -> Iterator[Found]:
    if closing.partners_digest is None:
        inspection.cannot_tell(
            f"partners of {closing.period}",
            "It was closed before partners were frozen with a digest.",
            "Cette période fut clôturée avant que les partenaires ne soient figés avec empreinte.",
        )
        return
    session = inspection.session
    due = partners_digest(frozen_candidates(session, closing.id))
    if due != closing.partners_digest:
        yield Found("partners_altered", closing.period, closing.partners_digest, due)
    count = sa.select(sa.func.count()).where(FrozenPartner.closing_id == closing.id)
    inspection.saw("frozen partners", session.scalar(count) or 0)


def _order(inspection: Inspection) -> Iterator[Found]:
    """A later close knows at least what an earlier one knew, and none knows what never was."""
    session = inspection.session
    for name, table in (("import", Import), ("event", EventRow)):
        newest = session.scalar(sa.select(sa.func.max(table.id))) or 0
        column = Closing.last_import_id if name == "import" else Closing.last_event_id
        known = 0
        for period, last in session.execute(sa.select(Closing.period, column).order_by(Closing.id)):
            if last is None:
                continue
            if last > newest:
                yield Found(
                    "closing_out_of_order", period, f"{name}s up to {newest}", f"{name} {last}"
                )
            elif last < known:
                yield Found(
                    "closing_out_of_order", period, f"{name}s from {known}", f"{name} {last}"
                )
            known = max(known, last)
