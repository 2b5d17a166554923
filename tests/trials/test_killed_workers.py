"""Workers killed at random: each effect is carried out under its key, settled once, none is lost.

A short form runs with the other tests; `PARTNER_CX_TRIALS=full` carries out 10,000.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.worker import AT_ONCE
from partner_cx.database import open_database, transact
from partner_cx.effects import Effect, owe_all
from tests.harness.databases import fresh_database
from tests.harness.killed_workers import received, work_and_kill
from tests.harness.owed import note
from tests.harness.trials import FULL

EFFECTS, KILLS_EACH = (10_000, 15) if FULL else (600, 2)  # of each worker, on average
SUBJECTS = 400  # of every second effect: few enough that many wait behind others

MACHINES = [
    pytest.param("postgresql", 4, id="four workers on PostgreSQL", marks=pytest.mark.postgresql),
    pytest.param("sqlite", 1, id="one worker on SQLite", marks=pytest.mark.sqlite),
]


@pytest.mark.parametrize(("kind", "workers"), MACHINES)
def test_effects_of_killed_workers_are_all_carried_out_and_settled_once(
    kind: str, workers: int, tmp_path: Path
) -> None:
    kills = KILLS_EACH * workers
    keys = [f"note:{number:05}" for number in range(EFFECTS)]
    owed = [
        note(key, f"R{number % SUBJECTS}" if number % 2 else None)
        for number, key in enumerate(keys)
    ]
    with fresh_database(kind) as url:
        engine = open_database(url)
        transact(engine, lambda session: owe_all(session, owed, now=datetime.now(UTC)))
        count_settlings(engine)
        told = work_and_kill(url, tmp_path, workers=workers, kills=kills, draw=random.Random(2026))
        with Session(engine) as session:
            effects = session.scalars(sa.select(Effect)).all()
            settled = session.execute(
                sa.text("SELECT effect_id, count(*) FROM settlings GROUP BY 1")
            )
            times = [count for _, count in settled]
        engine.dispose()
    assert sorted(told) == keys  # none lost, none under another key
    assert all(each.done_at and not each.parked_at and not each.leased_by for each in effects)
    assert times == [1] * EFFECTS
    again = sum(told.values()) - EFFECTS
    assert again <= kills, "more was repeated than the one effect that each killed worker had"
    assert told == received(tmp_path)
    # Whoever held effects and was killed left that in their tries.
    taken_up = sum(each.tries for each in effects)
    assert EFFECTS + max(again, FULL) <= taken_up <= EFFECTS + kills * AT_ONCE


def count_settlings(engine: sa.Engine) -> None:
    """Have the database itself write down each time an effect becomes done."""
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE settlings (effect_id BIGINT)"))
        if engine.dialect.name == "sqlite":
            connection.execute(
                sa.text(
                    "CREATE TRIGGER settled AFTER UPDATE OF done_at ON effects "
                    "WHEN NEW.done_at IS NOT NULL "
                    "BEGIN INSERT INTO settlings VALUES (NEW.id); END"
                )
            )
            return
        connection.execute(
            sa.text(
                "CREATE FUNCTION note_settling() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "INSERT INTO settlings VALUES (NEW.id); RETURN NEW; END $$"
            )
        )
        connection.execute(
            sa.text(
                "CREATE TRIGGER settled AFTER UPDATE OF done_at ON effects FOR EACH ROW "
                "WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION note_settling()"
            )
        )
