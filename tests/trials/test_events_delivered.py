"""Events delivered many times, out of order, by four processes at once: each pays once.

And limits hold, contradictions are refused, and a draw that is killed ends as if undisturbed.
A short form runs with the other tests; `PARTNER_CX_TRIALS=full` delivers and kills more.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database
from rewards.decisions import DecisionRow
from rewards.events import EventRow
from rewards.events.drawing import draw_events
from rewards.ledger import Transfer
from tests.harness.balanced import unbalanced
from tests.harness.databases import EACH_KIND, copied_database, fresh_database
from tests.harness.deliveries import deliver_at_once, die_drawing, draw_at_once
from tests.harness.events import NOW, a_rule, holds, in_force, on_day, tell
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.trials import FULL

EVENTS, KILLS = (200, 40) if FULL else (25, 6)
CODES = ("R1", "R2", "R3")
DRAWS = random.Random(2026)


@pytest.fixture
def partners(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", *(partner(code) for code in CODES))
    return engine


def some_events(count: int = EVENTS) -> list[Any]:
    return [
        on_day(f"C{number}", f"2026-07-{1 + number % 15:02}", partner_code=CODES[number % 3])
        for number in range(count)
    ]


def of(engine: sa.Engine, model: type) -> int:
    with Session(engine) as session:
        assert unbalanced(session) == []
        return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_an_event_told_ten_times_out_of_order_by_four_processes_pays_once(
    partners: sa.Engine, database_url: str
) -> None:
    in_force(partners, a_rule(limits=""))
    tellings = some_events() * 10
    DRAWS.shuffle(tellings)
    told = deliver_at_once(database_url, *(tellings[place::4] for place in range(4)))
    assert told.count("new") == EVENTS
    assert told.count("known") == 9 * EVENTS
    assert of(partners, EventRow) == of(partners, DecisionRow) == EVENTS
    assert sum(holds(partners, "wallet", f"partner:{code}") for code in CODES) == 50 * EVENTS
    again = deliver_at_once(database_url, some_events())
    assert again == ["known"] * EVENTS


def test_of_contradicting_tellings_one_stands_and_the_others_are_refused(
    partners: sa.Engine, database_url: str
) -> None:
    in_force(partners, a_rule(limits=""))
    told = deliver_at_once(
        database_url,
        *([replace(each, subject=f"S{place}") for each in some_events()] for place in range(4)),
    )
    assert (told.count("new"), told.count("refused")) == (EVENTS, 3 * EVENTS)
    assert of(partners, EventRow) == EVENTS
    assert sum(holds(partners, "wallet", f"partner:{code}") for code in CODES) == 50 * EVENTS


@pytest.mark.parametrize(
    ("terms", "points"),
    [
        ({"limits": "[{per: month, points: 120}]"}, 120),
        ({"limits": "[{per: year, times: 3}]"}, 150),
        ({"limits": "", "cool_down_days": "30"}, 50),
        ({"limits": "[{per: year, times: 2}]", "award": "{points: 50, to: person}"}, 100),
    ],
)
def test_limits_hold_though_four_processes_tell_at_once(
    partners: sa.Engine, database_url: str, terms: dict[str, str], points: int
) -> None:
    in_force(partners, a_rule(**terms))
    told = [replace(each, partner_code="R1") for each in some_events(24)]
    if "person" in terms.get("award", ""):
        told = some_events(24)  # one person, working for three partners
        owner = "person:ada@r1.example"
    else:
        owner = "partner:R1"
    deliver_at_once(database_url, *(told[place::4] for place in range(4)))
    assert holds(partners, "wallet", owner) == points
    with Session(partners) as session:
        won = session.scalar(sa.select(sa.func.sum(DecisionRow.points)))
    assert won == points


def test_a_budget_is_never_overdrawn_and_nothing_is_lost(
    partners: sa.Engine, database_url: str
) -> None:
    in_force(partners, a_rule(limits=""), points=330)
    told = some_events(24)
    deliver_at_once(database_url, *(told[place::4] for place in range(4)))
    assert holds(partners, "budget", "learning") == 30
    assert of(partners, DecisionRow) == 24
    tell(partners, on_day("late", "2026-07-15"))
    in_force(partners, a_rule("more", budget="learning"))
    assert draw_events(partners, now=NOW, settings=SETTINGS).points_late == 25 * 50 - 300


def enrolments(count: int) -> list[dict[str, str | None]]:
    return [
        {
            "source_id": f"L{number}",
            "partner_code": CODES[number % 3],
            "person_email": "ada@r1.example",
            "course_code": "F-GAS",
            "enrolled_on": "2026-05-01",
            "completed_on": f"2026-06-{1 + number % 28:02}",
        }
        for number in range(count)
    ]


def test_four_draws_at_once_draw_once(partners: sa.Engine, database_url: str) -> None:
    in_force(partners, a_rule(limits=""))
    take(partners, "learning", *enrolments(2 * EVENTS))
    assert draw_at_once(database_url, 4) == 2 * EVENTS
    assert sum(holds(partners, "wallet", f"partner:{code}") for code in CODES) == 100 * EVENTS


@pytest.mark.parametrize("kind", EACH_KIND)
def test_a_draw_killed_anywhere_and_run_again_ends_as_if_undisturbed(kind: str) -> None:
    with fresh_database(kind) as before:
        engine = open_database(before)
        take(engine, "partners", *(partner(code) for code in CODES))
        in_force(engine, a_rule(limits="[{per: year, points: 200}]"))
        take(engine, "learning", *enrolments(EVENTS))
        engine.dispose()
        with copied_database(before) as url:
            undisturbed = drawn(url)
        for _ in range(KILLS):
            with copied_database(before) as url:
                point = DRAWS.randint(1, 15 * EVENTS)
                while die_drawing(url, point):
                    point = 2 * point
                assert drawn(url) == undisturbed, f"killed at statement {point}"


def drawn(url: str) -> dict[str, Any]:
    """Draw, and tell what there is then."""
    engine = open_database(url)
    draw_events(engine, now=NOW, settings=SETTINGS)
    with Session(engine) as session:
        assert unbalanced(session) == []
        events = session.execute(sa.select(EventRow.key, EventRow.digest)).all()
        decisions = session.execute(sa.select(DecisionRow.event_id, DecisionRow.points)).all()
        transfers = session.execute(sa.select(Transfer.key, Transfer.digest)).all()
    engine.dispose()
    return {
        "events": sorted(map(tuple, events)),
        "points": sum(points for _, points in decisions),
        "decisions": len(decisions),
        "transfers": sorted(map(tuple, transfers)),
    }
