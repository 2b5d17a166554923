"""Targets: which one holds, from when, and for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.measures.figures import Target
from partner_cx.measures.targets import DatedTarget, Targets, targets_of
from partner_cx.operations.imports import Import, Source
from partner_cx.periods import Period

Q2 = Period.parse("2026Q2")
SUBJECTS = pd.DataFrame(
    {
        "level": ["partner", "partner", "group", "network"],
        "subject": ["R1", "R2", "tier:gold", "network"],
        "partner_id": pd.array([1, 2, None, None], dtype="Int64"),
    }
)
MEMBERSHIPS = pd.DataFrame(
    {
        "group_code": ["kind:reseller", "kind:reseller", "tier:gold", "group:a", "group:b"],
        "partner_id": [1, 2, 1, 1, 1],
    }
)


def percent(value: int, group: str | None = None, kpi: str = "otif") -> Target:
    return Target(kpi=kpi, value=Fraction(value, 100), group=group)


def held(*targets: Target) -> dict[str, Fraction]:
    """The OTIF target of each subject that has one."""
    found = Targets(targets).held_by(SUBJECTS, MEMBERSHIPS)
    return {
        str(SUBJECTS["subject"][row["place"]]): targets[row["target"]].value
        for row in found[found["kpi"] == "otif"].to_dict("records")
    }


def test_the_networks_target_is_everyones() -> None:
    assert held(percent(95)) == dict.fromkeys(SUBJECTS["subject"], Fraction(95, 100))


def test_a_group_overrides_it_for_its_members_and_itself() -> None:
    assert held(percent(95), percent(98, "tier:gold")) == {
        "R1": Fraction(98, 100),
        "R2": Fraction(95, 100),
        "tier:gold": Fraction(98, 100),
        "network": Fraction(95, 100),
    }


def test_the_narrowest_group_wins_and_then_the_first_by_its_code() -> None:
    targets = [percent(90, "kind:reseller"), percent(98, "tier:gold")]
    assert held(*targets)["R1"] == Fraction(98, 100)
    assert held(*targets, percent(80, "group:b"), percent(70, "group:a"))["R1"] == Fraction(70, 100)


def test_without_any_target_nobody_is_held_to_one() -> None:
    assert held() == {}
    assert held(percent(90, "kind:reseller")) == {"R1": Fraction(9, 10), "R2": Fraction(9, 10)}
    assert held(percent(90, kpi="fcr")) == {}


@pytest.fixture
def dated(session: Session) -> Session:
    session.add(Source(id=1, code="test"))
    session.flush()
    session.add(
        Import(id=1, kind="targets", source=1, file_name="f", imported_at=datetime.now(UTC))
    )
    session.flush()
    for day, value in ((date(2025, 1, 1), 90), (date(2026, 4, 1), 95), (date(2026, 4, 2), 99)):
        session.execute(
            sa.insert(DatedTarget).values(
                kpi="otif",
                group_code="",
                starts_on=day,
                target=Fraction(value, 100),
                import_id=1,
            )
        )
    return session


def test_a_period_is_held_to_the_target_of_its_first_day(dated: Session) -> None:
    assert targets_of(dated, Q2).in_force == (percent(95),)
    assert targets_of(dated, Q2.previous()).in_force == (percent(90),)
    assert targets_of(dated, Q2.next()).in_force == (percent(99),)


def test_before_the_first_target_there_was_none(dated: Session) -> None:
    assert targets_of(dated, Period.parse("2024")).in_force == ()
