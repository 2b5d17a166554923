"""Tallies: whatever comes, in whatever order, a refresh ends where a rebuild from nothing would."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy.orm import Session

from partner_cx.database import Base, open_database, writing
from partner_cx.errors import Conflict
from partner_cx.measures import refreshing
from partner_cx.measures.families import Terms
from partner_cx.measures.tallies import MonthTally, Presence, Spread, Tally, replace_counts
from partner_cx.operations.marks import Mark, cells, write_marks
from partner_cx.settings import Settings
from tests.harness import databases

PARIS = ZoneInfo("Europe/Paris")
TABLES = (Tally, MonthTally, Spread, Presence)


def day(number: int) -> date:
    return date(2026, 1, 20) + timedelta(days=number)


def at(number: int, hour: int = 12) -> datetime:
    return datetime.combine(day(number), datetime.min.time(), PARIS).replace(hour=hour)


def contents(session: Session) -> dict[str, list[tuple[Any, ...]]]:
    return {
        model.__tablename__: sorted(
            map(tuple, session.execute(sa.select(*model.__table__.columns)).all())
        )
        for model in TABLES
    }


class Network:
    """Facts written by hand, with the marks that intake would leave."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._insert("sources", id=1, code="test")
        self.import_id = 0
        self.learn("partners", until=None)
        for number in (1, 2):
            self._insert(
                "partners",
                id=number,
                code=f"P{number}",
                name="A partner",
                kind="reseller",
                import_id=1,
            )

    def learn(self, kind: str, *, until: date | None) -> None:
        """Note a new import whose events reach to a day."""
        self.import_id += 1
        end = until and datetime.combine(until + timedelta(days=1), datetime.min.time(), UTC)
        self._insert(
            "imports",
            id=self.import_id,
            kind=kind,
            source=1,
            file_name="file.csv",
            imported_at=at(0),
            taken=1,
            unchanged=0,
            corrected=0,
            refused=0,
            events_until=end,
        )

    def take(self, table: str, family: str, days: tuple[str, ...], **fact: Any) -> None:
        """Take a fact in, or correct the one with the same id; mark where it is and was."""
        facts = Base.metadata.tables[table]
        former = (
            self.session.execute(sa.select(facts).where(facts.c.id == fact["id"]))
            .mappings()
            .one_or_none()
        )
        row = {"source": 1, "source_id": str(fact["id"]), "import_id": self.import_id} | fact
        if former is None:
            self._insert(table, **row)
            self._mark(family, days, row, corrected=False)
            return
        self._mark(family, days, former, corrected=True)
        self._mark_beside(table, former)
        self.session.execute(sa.update(facts).where(facts.c.id == fact["id"]).values(row))
        self._mark(family, days, row, corrected=True)

    def receive(self, number: int, line: int, on: date, quantity: int) -> None:
        lines, receipts = Base.metadata.tables["order_lines"], Base.metadata.tables["receipts"]
        cell = self.session.execute(
            sa.select(lines.c.window_end, lines.c.partner_id).where(lines.c.id == line)
        ).one_or_none()
        if cell is None:
            return
        former = self.session.execute(
            sa.select(lines.c.window_end, lines.c.partner_id)
            .join(receipts, receipts.c.order_line_id == lines.c.id)
            .where(receipts.c.id == number)
        ).one_or_none()
        self.session.execute(sa.delete(receipts).where(receipts.c.id == number))
        self._insert(
            "receipts",
            id=number,
            source=1,
            source_id=str(number),
            import_id=self.import_id,
            order_line_id=line,
            received_on=on,
            quantity=quantity,
        )
        for marked in (cell, former):
            if marked:
                self.mark("orders", *marked, whole_month=former is not None)

    def mark(self, family: str, on: date, partner_id: int, *, whole_month: bool = False) -> None:
        mark = self.session.get(Mark, (family, on, partner_id))
        if mark is None:
            self.session.add(
                Mark(family=family, day=on, partner_id=partner_id, whole_month=whole_month)
            )
        else:
            mark.whole_month |= whole_month
        self.session.flush()

    def _mark(self, family: str, days: tuple[str, ...], row: Any, *, corrected: bool) -> None:
        for column in days:
            if row.get(column):
                self.mark(family, row[column], row["partner_id"], whole_month=corrected)

    def _mark_beside(self, table: str, former: Any) -> None:
        """What a corrected fact leaves: its order's other lines, its asset's other visits."""
        facts = Base.metadata.tables[table]
        if table == "order_lines":
            beside, family, column = (
                facts.c.order_code == former["order_code"],
                "orders",
                "window_end",
            )
        elif table == "visits":
            beside, family, column = facts.c.asset == former["asset"], "visits", "visited_on"
        else:
            return
        for row in self.session.execute(sa.select(facts).where(beside)).mappings():
            self.mark(family, row[column], row["partner_id"], whole_month=True)

    def _insert(self, table: str, **row: Any) -> None:
        self.session.execute(sa.insert(Base.metadata.tables[table]).values(row))


# --- Any facts, any order -----------------------------------------------------------------------

some_day = st.integers(0, 45).map(day)
maybe_day = st.none() | some_day
partner_id = st.integers(1, 2)
few = st.integers(1, 6)


def instants(draw: st.DrawFn) -> datetime:
    return at(draw(st.integers(0, 45)), draw(st.integers(0, 23)))


@st.composite
def order_lines(draw: st.DrawFn) -> tuple[Any, ...]:
    received_on = draw(maybe_day)
    status = draw(
        st.sampled_from(["open", "done", "cancelled_by_customer", "cancelled_by_supplier"])
    )
    start, end = sorted([draw(some_day), draw(some_day)])
    fact = {
        "partner_id": draw(partner_id),
        "order_code": draw(st.sampled_from("AB")),
        "ordered": 10,
        "window_start": draw(st.sampled_from([None, start])),
        "window_end": end,
        "status": status,
        "cancelled_on": draw(maybe_day) if status.startswith("cancelled") else None,
        "received": None if received_on is None else draw(st.sampled_from([0, 5, 10])),
        "received_on": received_on,
    }
    events = (received_on, fact["cancelled_on"])
    until = max((event for event in events if isinstance(event, date)), default=None)
    return "order-lines", "order_lines", "orders", ("window_end",), fact, until


@st.composite
def receipts(draw: st.DrawFn) -> tuple[Any, ...]:
    on = draw(some_day)
    return "receipts", on, draw(few), draw(few), draw(st.sampled_from([1, 5, 10]))


TICKET_DAYS = ("opened_on", "replied_on", "resolved_on", "response_due_on", "resolution_due_on")


@st.composite
def tickets(draw: st.DrawFn) -> tuple[Any, ...]:
    opened, first, second = sorted(instants(draw) for _ in range(3))
    replied = draw(st.sampled_from([None, first]))
    resolved = draw(st.sampled_from([None, second]))
    due = draw(st.booleans())
    fact: dict[str, Any] = {
        "partner_id": draw(partner_id),
        "opened_at": opened,
        "first_reply_at": replied,
        "resolved_at": resolved,
        "reopened_count": draw(st.sampled_from([None, 0, 2])),
        "contacts": draw(st.sampled_from([None, 1, 2])),
        "response_target_minutes": 60 if due else None,
        "resolution_target_minutes": 600 if due else None,
        "response_due_at": opened + timedelta(hours=20) if due else None,
        "resolution_due_at": opened + timedelta(days=4) if due else None,
        "response_seconds": replied and int((replied - opened).total_seconds()) // 9,
        "resolution_seconds": resolved and int((resolved - opened).total_seconds()) // 9,
    }
    for on, of in zip(
        TICKET_DAYS,
        ("opened_at", "first_reply_at", "resolved_at", "response_due_at", "resolution_due_at"),
        strict=True,
    ):
        fact[on] = fact[of] and fact[of].date()
    until = max(fact[name] for name in TICKET_DAYS[:3] if fact[name])
    return "tickets", "tickets", "tickets", TICKET_DAYS, fact, until


@st.composite
def visits(draw: st.DrawFn) -> tuple[Any, ...]:
    fact = {
        "partner_id": draw(partner_id),
        "asset": draw(st.sampled_from("XY")),
        "visited_on": draw(some_day),
        "outcome": draw(st.sampled_from(["fixed", "not_fixed", "no_access"])),
    }
    return "visits", "visits", "visits", ("visited_on",), fact, fact["visited_on"]


@st.composite
def portal_events(draw: st.DrawFn) -> tuple[Any, ...]:
    moment = instants(draw)
    fact = {
        "partner_id": draw(partner_id),
        "at": moment,
        "on": moment.date(),
        "kind": draw(st.sampled_from(["login", "sheet_view"])),
        "person_email": draw(st.sampled_from([None, "a@example.org", "b@example.org"])),
        "internal": draw(st.booleans()),
    }
    return "portal-events", "portal_events", "portal", ("on",), fact, fact["on"]


@st.composite
def answers(draw: st.DrawFn) -> tuple[Any, ...]:
    moment = instants(draw)
    value = draw(st.sampled_from([None, 0, 1_000_000, 4_000_000]))
    fact = {
        "partner_id": draw(partner_id),
        "survey_code": "S",
        "question_code": draw(st.sampled_from(["nps", "csat", "ces", "dsi.product", "dsi.new"])),
        "answered_at": moment,
        "answered_on": moment.date(),
        "value": value,
        "dismissed": value is None,
    }
    return "answers", "answers", "answers", ("answered_on",), fact, fact["answered_on"]


@st.composite
def enrolments(draw: st.DrawFn) -> tuple[Any, ...]:
    enrolled, completed = sorted([draw(some_day), draw(some_day)])
    fact = {
        "partner_id": draw(partner_id),
        "person_email": "a@example.org",
        "course_code": "C",
        "enrolled_on": enrolled,
        "completed_on": draw(st.sampled_from([None, completed])),
    }
    until = fact["completed_on"] or enrolled
    return "learning", "enrolments", "learning", ("enrolled_on",), fact, until


@st.composite
def quotes(draw: st.DrawFn) -> tuple[Any, ...]:
    requested, quoted = sorted([instants(draw), instants(draw)])
    fact = {
        "partner_id": draw(partner_id),
        "requested_at": requested,
        "requested_on": requested.date(),
        "quoted_at": quoted,
        "quoted_on": quoted.date(),
    }
    return "quotes", "quotes", "quotes", ("requested_on", "quoted_on"), fact, fact["quoted_on"]


facts = st.one_of(
    order_lines(),
    order_lines(),
    receipts(),
    tickets(),
    visits(),
    portal_events(),
    answers(),
    enrolments(),
    quotes(),
)
refreshes = st.builds(at, st.integers(0, 60), st.integers(0, 23))
steps = st.lists(st.tuples(few, facts) | refreshes, min_size=1, max_size=14)


@pytest.fixture(scope="module", params=databases.KINDS)
def kept_engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """One database for all examples, each of which is rolled back."""
    with databases.fresh_database(request.param) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "CELLS_AT_FIRST", 6)
    monkeypatch.setattr(refreshing, "FACTS_AT_ONCE", 12)


@pytest.mark.usefixtures("small_portions")
@settings(
    max_examples=10,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(steps=steps, now=refreshes)
def test_refreshes_after_any_facts_equal_a_rebuild(
    kept_engine: sa.Engine, steps: list[Any], now: datetime
) -> None:
    with Session(kept_engine.execution_options(writes=True)) as session:
        network = Network(session)
        for step in [*steps, now]:
            if isinstance(step, datetime):
                refreshing.refresh(session, now=step, settings=Settings())
                continue
            number, fact = step
            if fact[0] == "receipts":
                kind, on, receipt, line, quantity = fact
                network.learn(kind, until=on)
                network.receive(receipt, line, on, quantity)
            else:
                kind, table, family, days, contents_, until = fact
                network.learn(kind, until=until)
                network.take(table, family, days, id=number, **contents_)
        refreshed = contents(session)
        assert session.scalar(sa.select(sa.func.count()).select_from(Mark)) == 0
        refreshing.rebuild(session, now=now, settings=Settings())
        assert refreshed == contents(session)
        session.rollback()


# --- One situation each -------------------------------------------------------------------------

LINE = {
    "partner_id": 1,
    "order_code": "A",
    "ordered": 10,
    "window_end": day(5),
    "status": "done",
    "received": 10,
    "received_on": day(5),
}


def take_line(network: Network, number: int = 1, **other: Any) -> None:
    network.take("order_lines", "orders", ("window_end",), id=number, **LINE | other)


def tallied(session: Session, kpi: str = "otif") -> dict[tuple[date, int], tuple[int, int]]:
    found = session.execute(
        sa.select(Tally.day, Tally.partner_id, Tally.hits, Tally.of).where(Tally.kpi == kpi)
    )
    return {(row.day, row.partner_id): (row.hits, row.of) for row in found}


LATER = at(40)


def refresh(session: Session, now: datetime = LATER, **choices: Any) -> None:
    refreshing.refresh(session, now=now, settings=Settings(**choices))


def test_a_line_counts_once_it_is_due_and_not_before(session: Session) -> None:
    take_line(Network(session))
    refresh(session, at(4, 23))
    assert tallied(session) == {}
    refresh(session, at(5, 0))
    assert tallied(session) == {(day(5), 1): (1, 1)}
    refresh(session, at(4, 23))
    assert tallied(session) == {}


def test_a_corrected_line_leaves_its_old_day_and_partner(session: Session) -> None:
    network = Network(session)
    take_line(network)
    refresh(session)
    take_line(network, partner_id=2, window_end=day(20), received_on=day(21))
    refresh(session)
    assert tallied(session) == {(day(20), 2): (0, 1)}
    months = session.execute(sa.select(MonthTally.month, MonthTally.hits, MonthTally.of))
    assert (date(2026, 2, 1), 0, 1) in set(map(tuple, months))


def test_what_a_file_tells_of_the_future_counts_once_it_has_come(session: Session) -> None:
    network = Network(session)
    network.learn("learning", until=day(20))
    enrolled = {"partner_id": 1, "person_email": "ann@example.org", "course_code": "C"}
    days = {"enrolled_on": day(1), "completed_on": day(20)}
    network.take("enrolments", "learning", ("enrolled_on",), id=1, **enrolled, **days)
    refresh(session, at(10))
    assert tallied(session, "learning_completion") == {(day(1), 1): (0, 1)}
    refresh(session, at(20))
    assert tallied(session, "learning_completion") == {(day(1), 1): (1, 1)}
    refresh(session, at(19))
    assert tallied(session, "learning_completion") == {(day(1), 1): (0, 1)}


def test_an_orders_last_line_on_another_day_decides_its_fate(session: Session) -> None:
    network = Network(session)
    take_line(network)
    refresh(session)
    assert tallied(session, "otif_order") == {(day(5), 1): (1, 1)}
    take_line(network, 2, window_end=day(9), received_on=day(30))
    refresh(session)
    assert tallied(session, "otif_order") == {(day(9), 1): (0, 1)}


def test_a_later_visit_to_the_asset_undoes_a_first_fix(session: Session) -> None:
    network = Network(session)
    first = {"partner_id": 1, "asset": "X", "visited_on": day(1), "outcome": "fixed"}
    network.take("visits", "visits", ("visited_on",), id=1, **first)
    refresh(session)
    assert tallied(session, "ftfr") == {(day(1), 1): (1, 1)}
    later = first | {"partner_id": 2, "visited_on": day(8)}
    network.take("visits", "visits", ("visited_on",), id=2, **later)
    refresh(session)
    assert tallied(session, "ftfr") == {(day(1), 1): (0, 1)}


def test_a_person_corrected_away_is_no_longer_seen_that_month(session: Session) -> None:
    network = Network(session)
    event = {
        "partner_id": 1,
        "at": at(1),
        "on": day(1),
        "kind": "login",
        "person_email": "ann@example.org",
        "internal": False,
    }
    network.take("portal_events", "portal", ("on",), id=1, **event)
    network.take(
        "portal_events",
        "portal",
        ("on",),
        id=2,
        **event | {"on": day(2), "person_email": "bo@example.org"},
    )
    refresh(session)
    assert set(session.scalars(sa.select(Presence.who))) == {"ann@example.org", "bo@example.org"}
    network.take("portal_events", "portal", ("on",), id=1, **event | {"internal": True})
    refresh(session)
    assert set(session.scalars(sa.select(Presence.who))) == {"bo@example.org"}


def test_a_changed_tolerance_leaves_no_old_tally(session: Session) -> None:
    take_line(Network(session), received=9)
    refresh(session)
    assert tallied(session) == {(day(5), 1): (0, 1)}
    refresh(session, otif_under_tolerance=Fraction(1, 10))
    assert tallied(session) == {(day(5), 1): (1, 1)}


def test_a_refresh_that_changes_nothing_writes_nothing(session: Session) -> None:
    network = Network(session)
    take_line(network)
    refresh(session)
    network.mark("orders", day(5), 1)
    done = refreshing.refresh(session, now=at(40), settings=Settings())
    assert done.cells["orders"] == 1
    assert tallied(session) == {(day(5), 1): (1, 1)}


@pytest.mark.usefixtures("small_portions")
def test_a_refresh_that_was_cut_off_goes_on_where_it_stopped(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        network = Network(session)
        for number in range(1, 30):
            take_line(network, number, order_code=str(number), window_end=day(number))
    calls = iter(range(3))

    def cut_off(*given: Any) -> None:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        replace_counts(*given)

    monkeypatch.setattr(refreshing, "replace_counts", cut_off)
    with pytest.raises(KeyboardInterrupt):
        refreshing.refresh(engine, now=at(40), settings=Settings())
    monkeypatch.undo()
    with Session(engine) as session:
        assert 0 < len(tallied(session)) < 29
    refreshing.refresh(engine, now=at(40), settings=Settings())
    with Session(engine) as session:
        assert len(tallied(session)) == 29
        refreshed = contents(session)
    refreshing.rebuild(engine, now=at(40), settings=Settings())
    with Session(engine) as session:
        assert contents(session) == refreshed


def test_two_refreshes_for_different_moments_dont_mix(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        take_line(Network(session))
    move_to = refreshing._move_to

    def overtaken(session: Session, terms: Any) -> None:
        move_to(session, terms)
        move_to(session, Terms.of(Settings(), at(3)))

    monkeypatch.setattr(refreshing, "_move_to", overtaken)
    with pytest.raises(Conflict, match="another moment"):
        refreshing.refresh(engine, now=at(40), settings=Settings())


def test_what_came_in_during_a_refresh_counts_when_its_day_comes(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(engine) as session:
        network = Network(session)
    move_to = refreshing._move_to

    def interrupted(session: Session, terms: Any) -> None:
        move_to(session, terms)
        network.session = session
        network.learn("learning", until=day(20))
        told = {"partner_id": 1, "person_email": "ann@example.org", "course_code": "C"}
        days = {"enrolled_on": day(1), "completed_on": day(20)}
        network.take("enrolments", "learning", ("enrolled_on",), id=1, **told, **days)

    monkeypatch.setattr(refreshing, "_move_to", interrupted)
    refreshing.refresh(engine, now=at(10), settings=Settings())
    monkeypatch.undo()
    refreshing.refresh(engine, now=at(20), settings=Settings())
    with Session(engine) as session:
        assert tallied(session, "learning_completion") == {(day(1), 1): (1, 1)}


def test_a_refresh_and_an_import_that_touch_the_same_days_both_come_through(
    engine: sa.Engine,
) -> None:
    """Each would have waited for the other's marks, and the database would have ended one."""
    with writing(engine) as session:
        network = Network(session)
        for number in (2, 1):  # the later day lies first in the table, and is found first
            take_line(network, number, order_code=str(number), window_end=day(number))
    refreshing_too = threading.Thread(
        target=refreshing.refresh, args=(engine,), kwargs={"now": at(40), "settings": Settings()}
    )
    with writing(engine) as importing:
        write_marks(importing, "orders", [cells([1], [day(1)])])
        refreshing_too.start()
        time.sleep(0.5)  # long enough to reach the marks
        write_marks(importing, "orders", [cells([1], [day(2)])], whole_month=True)
    refreshing_too.join()
    with Session(engine) as session:
        assert tallied(session) == {(day(1), 1): (0, 1), (day(2), 1): (0, 1)}
        assert session.scalars(sa.select(Mark)).all() == []
