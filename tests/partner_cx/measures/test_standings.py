"""Standings: which part of its group a figure lies in, and nothing of groups that are too small."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.scorecards import ScorecardRow
from partner_cx.measures.standings import Band, places
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Import, Source
from partner_cx.periods import Period

Q2 = Period.parse("2026Q2")
NOW = datetime(2026, 7, 10, 9, tzinfo=UTC)


def figures(session: Session, kpi: str, *values: str | None) -> None:
    """Resellers R1, R2 … with a figure each, and a distributor whose own is better than all."""
    session.add(Source(id=1, code="test"))
    session.flush()
    session.add(Import(id=1, kind="partners", source=1, file_name="f", imported_at=NOW))
    session.flush()
    everyone = [*enumerate(values, start=1), (99, "100/1")]
    for number, value in everyone:
        kind = "distributor" if number == 99 else "reseller"
        told = {"code": f"R{number}", "name": "A partner", "kind": kind, "import_id": 1}
        session.execute(sa.insert(Partner).values(id=number, **told))
        session.execute(
            sa.text(
                "INSERT INTO scorecards (period, level, subject, kpi, value, n, as_of, "
                "definition_version) VALUES ('2026Q2', 'partner', :subject, :kpi, :value, 9, "
                ":as_of, 1)"
            ).bindparams(sa.bindparam("as_of", NOW, ScorecardRow.as_of.type)),
            {"subject": f"R{number}", "kpi": kpi, "value": value},
        )


def band(session: Session, number: int) -> tuple[Band, int] | None:
    place = next(iter(places(session, session.get_one(Partner, number), Q2).values()), None)
    return None if place is None else (place.band, place.members)


def test_the_best_and_the_last_quarter_and_the_median(session: Session):
    figures(session, "otif", "99/100", "19/20", "9/10", "4/5", "1/2")
    found = [band(session, number) for number in range(1, 6)]
    assert found == [
        (Band.TOP, 5), (Band.TOP, 5), (Band.MIDDLE, 5), (Band.BOTTOM, 5), (Band.BOTTOM, 5),
    ]  # fmt: skip


def test_where_less_is_better_the_lowest_is_on_top(session: Session):
    figures(session, "dispute_rate", *(f"{number}/100" for number in range(1, 9)))
    assert band(session, 1) == (Band.TOP, 8)
    assert band(session, 4) == (Band.ABOVE, 8)
    assert band(session, 5) == (Band.BELOW, 8)
    assert band(session, 8) == (Band.BOTTOM, 8)


def test_all_who_share_the_median_are_at_it(session: Session):
    figures(session, "otif", "1/1", "1/1", "1/1", "1/1", "1/2")
    assert band(session, 1) == (Band.MIDDLE, 5)


@pytest.mark.parametrize("values", [["1/1"] * 4, ["1/1"] * 4 + [None]])
def test_of_fewer_than_five_figures_nothing_is_told(session: Session, values: list[str | None]):
    figures(session, "otif", *values)
    assert band(session, 1) is None


def test_large_counts_are_compared_without_a_word_too_many(session: Session):
    figures(session, "otif_case", *(f"{10**15 + number}/{10**15 + 7}" for number in range(5)))
    assert band(session, 5) == (Band.TOP, 5)
