"""Scorecards: figures of every partner, group and the network, held against targets."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.errors import Invalid
from partner_cx.measures.catalogue import CATALOGUE
from partner_cx.measures.figures import Figure, State, Target
from partner_cx.measures.measuring import measure
from partner_cx.measures.scorecards import ScorecardRow, scorecard_of, scorecards
from partner_cx.measures.tallies import MonthTally, Presence, Spread, Tally
from partner_cx.measures.targets import DatedTarget
from partner_cx.network.groups import GroupMember
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.operations.imports import Import, Source
from partner_cx.periods import Period
from partner_cx.settings import Settings

Q2 = Period.parse("2026Q2")
AFTER = datetime(2026, 7, 10, 9, tzinfo=UTC)
MAY = date(2026, 5, 1)


@pytest.fixture
def network(session: Session) -> Session:
    """A distributor D1 with two gold resellers, and R3, who left before the quarter."""
    session.add(Source(id=1, code="test"))
    session.flush()
    told_kinds = ("partners", "order-lines", "portal-events", "tickets", "catalogue-status")
    for number, kind in enumerate((*told_kinds, "invoices", "answers"), start=1):
        told = {"kind": kind, "source": 1, "file_name": "f", "imported_at": AFTER}
        session.add(Import(id=number, **told))
    session.flush()
    for row in (
        {"id": 1, "code": "D1", "kind": "distributor"},
        {"id": 2, "code": "R1", "kind": "reseller", "parent_id": 1, "tier": "gold"},
        {"id": 3, "code": "R2", "kind": "reseller", "parent_id": 1, "tier": "gold"},
        {"id": 4, "code": "R3", "kind": "reseller", "left_on": date(2026, 1, 31)},
    ):
        session.execute(sa.insert(Partner).values(name="A partner", import_id=1, **row))
    return session


def tally(session: Session, kpi: str, partner_id: int, hits: int, of: int, on: date = MAY) -> None:
    """Keep a day's tally and its month's."""
    sums = {"kpi": kpi, "partner_id": partner_id, "hits": hits, "of": of, "n": of or 1}
    session.execute(sa.insert(Tally).values(day=on, **sums))
    session.execute(sa.insert(MonthTally).values(month=on.replace(day=1), **sums))


def aim(session: Session, kpi: str, value: Fraction, group: str = "", **more: Any) -> None:
    session.execute(
        sa.insert(DatedTarget).values(
            kpi=kpi,
            target=value,
            group_code=group,
            starts_on=date(2026, 1, 1),
            import_id=1,
            **more,
        )
    )


def measured(
    session: Session, kpi: str, subject: str = "R1", level: str = "partner", now: datetime = AFTER
) -> Figure:
    measure(session, Q2, now=now, settings=Settings())
    return scorecard_of(session, Q2, subject, level)[kpi]


def test_groups_and_the_network_are_totals_and_never_means(network: Session) -> None:
    tally(network, "otif", 2, 18, 20)
    tally(network, "otif", 3, 0, 80)
    tally(network, "otif", 1, 50, 50)
    assert measured(network, "otif").value == Fraction(18, 20)
    assert measured(network, "otif", "tier:gold", "group").value == Fraction(18, 100)
    assert measured(network, "otif", "distributor:D1", "group").value == Fraction(68, 150)
    network_figure = measured(network, "otif", "network", "network")
    assert (network_figure.hits, network_figure.of, network_figure.n) == (68, 150, 150)


def test_every_subject_has_every_kpi_of_the_catalogue(network: Session) -> None:
    measure(network, Q2, now=AFTER, settings=Settings())
    cards = [*scorecards(network, Q2, "partner"), *scorecards(network, Q2, "network")]
    assert [card.subject for card in cards] == ["D1", "R1", "R2", "network"]
    assert all(card.figures.keys() == CATALOGUE.keys() for card in cards)


def test_a_partner_that_left_is_measured_while_its_facts_come_due(network: Session) -> None:
    tally(network, "otif", 4, 1, 2)
    assert measured(network, "otif", "R3").value == Fraction(1, 2)
    assert measured(network, "otif", "network", "network").value == Fraction(1, 2)


def test_who_left_on_the_first_day_is_lost_in_this_period(network: Session) -> None:
    left = sa.update(Partner).where(Partner.code == "R2").values(left_on=Q2.first_day)
    network.execute(left)
    assert measured(network, "churn", "network", "network").value == Fraction(1, 3)


def test_ninety_five_percent_exactly_is_green(network: Session) -> None:
    aim(network, "otif", Fraction(19, 20))
    for month, hits, of in ((4, 18, 20), (5, 20, 20), (6, 19, 20)):
        tally(network, "otif", 2, hits, of, date(2026, month, 15))
    assert measured(network, "otif").state is State.GREEN


def test_one_hit_short_is_red_and_says_so(network: Session) -> None:
    aim(network, "otif", Fraction(19, 20))
    tally(network, "otif", 2, 56, 60)
    figure = measured(network, "otif")
    assert (figure.state, figure.short) == (State.RED, 1)


def test_where_lower_is_better_less_is_green(network: Session) -> None:
    aim(network, "dispute_rate", Fraction(2, 100))
    tally(network, "dispute_rate", 2, 2, 100)
    assert measured(network, "dispute_rate").state is State.GREEN


def test_nothing_measured_is_no_data_and_neither_green_nor_red(network: Session) -> None:
    aim(network, "otif", Fraction(19, 20))
    figure = measured(network, "otif")
    assert (figure.value, figure.state) == (None, State.NO_DATA)


def test_too_small_a_sample_is_no_data(network: Session) -> None:
    aim(network, "otif", Fraction(19, 20), n_min=5)
    tally(network, "otif", 2, 4, 4)
    figure = measured(network, "otif")
    assert (figure.value, figure.state) == (Fraction(1), State.NO_DATA)


def test_too_little_coverage_is_no_data(network: Session) -> None:
    aim(network, "fcr", Fraction(1, 2), coverage_min=Fraction(3, 4))
    tally(network, "fcr", 2, 2, 2)
    tally(network, "fcr_known", 2, 2, 3)
    figure = measured(network, "fcr")
    assert (figure.coverage, figure.state) == (Fraction(2, 3), State.NO_DATA)


def test_a_source_not_heard_of_since_before_the_periods_end_grows_stale(network: Session) -> None:
    aim(network, "otif", Fraction(1, 2), stale_after_days=10)
    tally(network, "otif", 2, 2, 2)
    heard = sa.update(Import).where(Import.kind == "order-lines")
    network.execute(heard.values(imported_at=datetime(2026, 6, 20, tzinfo=UTC)))
    assert measured(network, "otif").state is State.STALE
    network.execute(heard.values(imported_at=datetime(2026, 7, 1, tzinfo=UTC)))
    later = AFTER + timedelta(days=300)  # the whole period has been heard of: it stays as it is
    assert measured(network, "otif", now=later).state is State.GREEN


def test_partners_told_anew_keep_no_portal_fresh(network: Session) -> None:
    aim(network, "portal_adoption", Fraction(1, 2), stale_after_days=10)
    before_the_end = datetime(2026, 6, 20, tzinfo=UTC)
    heard = sa.update(Import).where(Import.kind == "portal-events")
    network.execute(heard.values(imported_at=before_the_end))
    assert measured(network, "portal_adoption").state is State.STALE


def test_a_file_of_which_every_row_was_refused_tells_nothing(network: Session) -> None:
    aim(network, "portal_adoption", Fraction(1, 2))
    refused = sa.update(Import).where(Import.kind == "portal-events").values(refused=3)
    network.execute(refused)
    assert measured(network, "portal_adoption").state is State.NO_DATA
    network.execute(refused.values(unchanged=1))
    assert measured(network, "portal_adoption").state is State.RED


def test_a_figure_remembers_its_target(network: Session) -> None:
    aim(network, "otif", Fraction(19, 20), n_min=3)
    aim(network, "otif", Fraction(4, 5), "tier:gold", n_min=2)
    tally(network, "otif", 2, 9, 10)
    target = Target("otif", Fraction(4, 5), n_min=2, group="tier:gold")
    assert measured(network, "otif").target == target
    assert measured(network, "otif").state is State.GREEN
    assert measured(network, "otif", "network", "network").state is State.RED


def test_without_a_target_there_is_no_state(network: Session) -> None:
    tally(network, "otif", 2, 1, 1)
    assert measured(network, "otif").state is None


def test_the_backlog_runs_on_from_before_the_period(network: Session) -> None:
    tally(network, "tickets_opened", 2, 42, 0, date(2025, 3, 1))
    tally(network, "tickets_opened", 2, 10, 0, date(2026, 6, 1))
    tally(network, "tickets_resolved", 2, 12, 0, date(2026, 6, 2))
    tally(network, "tickets_opened", 2, 99, 0, date(2026, 7, 1))
    assert measured(network, "backlog").value == 40


def test_the_catalogue_is_as_complete_as_on_its_last_day(network: Session) -> None:
    tally(network, "catalogue_completion", 2, 1, 20, date(2026, 4, 2))
    tally(network, "catalogue_completion", 2, 18, 20, date(2026, 5, 2))
    tally(network, "catalogue_completion", 3, 12, 20, date(2026, 6, 2))
    assert measured(network, "catalogue_completion").value == Fraction(18, 20)
    figure = measured(network, "catalogue_completion", "network", "network")
    assert figure.value == Fraction(30, 40)


def test_who_viewed_nothing_viewed_zero_where_the_portal_spoke(network: Session) -> None:
    assert measured(network, "sheet_views").value is None
    tally(network, "sheet_views", 3, 7, 0)
    assert measured(network, "sheet_views").value == 0
    assert measured(network, "sheet_views", "network", "network").value == 7
    assert measured(network, "sheet_views", "kind:distributor", "group").value == 0


def test_people_seen_in_two_months_are_seen_once(network: Session) -> None:
    for email in ("ann@example.org", "bo@example.org"):
        person = {"email": email, "name": "A person", "role": "partner", "partner_id": 2}
        network.execute(sa.insert(Person).values(import_id=1, **person))
    for month in (4, 5):
        seen = {"kpi": "portal_depth", "partner_id": 2, "who": "ann@example.org"}
        network.execute(sa.insert(Presence).values(month=date(2026, month, 1), **seen))
    assert measured(network, "portal_depth").value == Fraction(1, 2)


def test_durations_come_with_their_median_and_p90(network: Session) -> None:
    for minutes in (5, 10, 12, 15, 20, 25, 30, 45, 60, 900):
        spread = {"kpi": "first_response", "day": MAY, "partner_id": 2}
        network.execute(sa.insert(Spread).values(value=60 * minutes, times=1, **spread))
    figure = measured(network, "first_response")
    assert figure.value == Fraction(1122, 10)
    assert figure.details == {"median": 22.5, "p90": 60.0}


def test_measuring_again_replaces_what_was_measured(network: Session) -> None:
    tally(network, "otif", 2, 1, 2)
    measured(network, "otif")
    before = network.scalar(sa.select(sa.func.count()).select_from(ScorecardRow))
    tally(network, "otif", 2, 1, 1, date(2026, 6, 1))
    assert measured(network, "otif").value == Fraction(2, 3)
    assert network.scalar(sa.select(sa.func.count()).select_from(ScorecardRow)) == before


def test_a_scorecard_knows_the_groups_of_its_partner(network: Session) -> None:
    member = {"group_code": "pilot", "partner_id": 2, "import_id": 1}
    network.execute(sa.insert(GroupMember).values(member))
    measured(network, "otif")
    card = scorecard_of(network, Q2, "R1", "partner")
    assert card.groups == {"kind:reseller", "tier:gold", "distributor:D1", "group:pilot"}


def test_a_period_that_hasnt_begun_is_refused(network: Session) -> None:
    with pytest.raises(Invalid, match="hasn't begun"):
        measure(network, Q2, now=datetime(2026, 3, 31, 21, tzinfo=UTC), settings=Settings())
    measure(network, Q2, now=datetime(2026, 3, 31, 22, tzinfo=UTC), settings=Settings())


def test_an_empty_network_has_no_scorecards(session: Session) -> None:
    measure(session, Q2, now=AFTER, settings=Settings())
    assert scorecards(session, Q2, "network") == []


def test_a_source_that_never_reported_says_nothing(network: Session) -> None:
    """Nobody used the portal, or nobody told us: only the first is 0 %."""
    assert measured(network, "portal_adoption").value == 0
    network.execute(sa.delete(Import).where(Import.kind == "portal-events"))
    figure = measured(network, "portal_adoption")
    assert (figure.value, figure.of, figure.n) == (None, 0, 0)
    assert measured(network, "referral_rate").value is None
    assert measured(network, "retention").value == 1
