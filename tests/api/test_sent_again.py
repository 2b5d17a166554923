"""Sent again, what was cut off between its two transactions comes to its end.

Facts are taken in by one, and events drawn from them by the next ones. Whoever was given no answer
sends the same again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from api.v1 import facts
from integrations.files import handing_in
from integrations.files.uploads import Upload
from partner_cx.database import reading, transact
from partner_cx.network.scopes import Scope
from partner_cx.operations.imports import Import
from rewards.events import EventRow
from tests.harness.administering import administrator, filled_in
from tests.harness.api_clients import API, a_system
from tests.harness.cast import the_cast
from tests.harness.intake import partner, take
from tests.harness.programme import NOW

TAKEN = {
    "source_id": "E1",
    "partner_code": "R2",
    "person_email": "remy@r2.example",
    "course_code": "F-GAS",
    "enrolled_on": "2026-05-04",
    "completed_on": "2026-05-18",
}


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


class CutOff(BaseException):
    """The process is no more."""


def cut_off(patching: pytest.MonkeyPatch, room: Any, ask: Callable[[], object]) -> None:
    """Ask, and be cut off before events are drawn."""

    def die(*_: object, **__: object) -> None:
        raise CutOff

    with patching.context() as until_then:
        until_then.setattr(room, "draw_events", die)
        with pytest.raises(CutOff):
            ask()


def happened(engine: sa.Engine) -> tuple[int, int]:
    """How many imports of courses there were, and how many events were drawn."""
    with reading(engine) as session:
        imports = sa.select(sa.func.count()).where(Import.kind == "learning")
        events = sa.select(sa.func.count()).select_from(EventRow)
        return session.scalar(imports) or 0, session.scalar(events) or 0


def test_facts_sent_again_under_their_key_become_events(
    network: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    erp = a_system(network, Scope.FACTS)

    def send() -> Any:
        body = {"source": "erp", "rows": [TAKEN]}
        return erp.post(f"{API}/facts/learning", json=body, headers={"Idempotency-Key": "k"})

    cut_off(monkeypatch, facts, send)
    assert happened(network) == (1, 0)
    assert send().headers["idempotent-replay"] == "true"
    assert happened(network) == (1, 1)


def test_a_file_taken_in_again_becomes_events(network: sa.Engine, monkeypatch: pytest.MonkeyPatch):
    ada = administrator(network)

    def hand_in(session: Session) -> int:
        upload = Upload(
            name="courses.csv",
            content=f"{','.join(TAKEN)}\n{','.join(TAKEN.values())}\n".encode(),
            kind="learning",
            mapping="",
            made_by="ada",
            made_at=NOW,
        )
        session.add(upload)
        session.flush()
        return upload.id

    path = f"/admin/uploads/{transact(network, hand_in)}/take"
    cut_off(monkeypatch, handing_in, lambda: filled_in(ada, path))
    assert happened(network) == (1, 0)
    assert filled_in(ada, path).status_code == 303
    assert happened(network) == (1, 1)
