"""Events in files: taken once, and never told otherwise."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.operations.facts import ToldEvent
from partner_cx.operations.revisions import Revision
from tests.harness.intake import counts, partner, take


def panel(source_id: str = "P1", **cells: str | None) -> dict[str, str | None]:
    return {
        "source_id": source_id,
        "partner_code": "R1",
        "at": "2026-05-04T10:00:00Z",
        "kind": "panel_attended",
        "person_email": "ada@r1.example",
        "subject": "autumn",
        **cells,
    }


def test_the_same_event_again_changes_nothing(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    first, _ = take(engine, "events", panel(), panel("P2"))
    again, _ = take(engine, "events", panel(), panel("P3"))
    assert counts(first) == (2, 0, 0, 0)
    assert counts(again) == (1, 1, 0, 0)


def test_an_event_told_otherwise_is_refused_and_stays_as_it_was(engine: sa.Engine) -> None:
    take(engine, "partners", partner(), partner("R2"))
    take(engine, "events", panel(), panel("P2"))
    taken, problems = take(
        engine,
        "events",
        panel(partner_code="R2"),
        panel("P2"),
        panel("P3"),
        panel("P2", subject=None),
    )
    assert counts(taken) == (1, 1, 0, 2)
    told, twice = sorted(problems, key=lambda problem: problem.line)
    assert (told.line, told.column) == (2, "source_id")
    assert "can't be told otherwise" in told.reason.en
    assert twice.line == 5
    with Session(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Revision)) == 0
        subjects = session.scalars(sa.select(ToldEvent.subject)).all()
        assert subjects == ["autumn"] * 3


def test_a_file_without_the_person_says_nothing_of_it(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    take(engine, "events", panel())
    bare = {name: cell for name, cell in panel().items() if name not in ("person_email", "subject")}
    again, _ = take(engine, "events", bare)
    assert counts(again) == (0, 1, 0, 0)


def test_an_event_of_no_known_kind_is_refused(engine: sa.Engine) -> None:
    take(engine, "partners", partner())
    taken, problems = take(engine, "events", panel(kind="party"))
    assert counts(taken) == (0, 0, 0, 1)
    assert problems[0].column == "kind"
