"""Closings: a period is frozen, decided and paid once, whoever closes it and however often."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact, writing
from partner_cx.errors import Invalid
from partner_cx.network.names import PartnerKind
from partner_cx.network.partners import Partner
from partner_cx.operations.imports import Import
from partner_cx.periods import PeriodKind
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.conditions import KpiIsGreen
from rewards.decisions import DecisionRow
from rewards.frozen import Closing, FrozenFigure, digest
from rewards.ledger import Account
from rewards.rules import Audience, FixedPoints, Level
from rewards.rules.limits import Limit
from tests.harness.audited import audited
from tests.harness.databases import KINDS, fresh_database
from tests.harness.intake import partner, take
from tests.harness.programme import (
    BONUS,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_network,
    a_programme,
    close_it,
    ledger,
    lines,
)


def wallets(engine: sa.Engine) -> dict[str, int]:
    with Session(engine) as session:
        held = sa.select(Account.owner, Account.balance_points).where(Account.kind == "wallet")
        return {owner: points for owner, points in session.execute(held)}  # noqa: C416


def test_a_close_freezes_decides_and_pays(network: sa.Engine) -> None:
    a_programme(network)
    closed = close_it(network)
    (outcome,) = closed.outcomes
    assert (outcome.met, outcome.not_met, outcome.unknown) == (1, 2, 0)
    assert (closed.already, closed.points_awarded, closed.points_unfunded) == (False, 500, 0)
    assert wallets(network) == {"partner:R1": 500}
    assert closed.sentences[1].en == (
        "Network quality bonus, version 1: 1 met it, 2 didn't, 0 undecided; 500 points awarded."
    )
    assert [sentence.fr for sentence in closed.sentences] == [
        "T2 2026 est clôturé\u202f: 9 tableaux de bord figés.",
        (
            "Prime qualité du réseau, version 1\u202f: atteint par 1, manqué par 2, "
            "sans verdict pour 0\u202f; total attribué\u202f: 500 points."
        ),
    ]
    key, _, effective_on = ledger(network)["transfers"][0]
    assert (key, effective_on) == ("close:2026Q2:network_quality_bonus:R1", date(2026, 6, 30))


def test_closing_again_changes_nothing(network: sa.Engine) -> None:
    a_programme(network)
    first = close_it(network)
    before = ledger(network)
    again = close_it(network, now=NOW + timedelta(days=90))
    assert again.already
    assert again.outcomes[0].points_new == 0
    assert again.scorecards == first.scorecards
    assert ledger(network) == before
    assert again.sentences[0] == Words("Q2 2026 was closed already.", "T2 2026 est déjà clôturé.")


def test_facts_that_come_later_change_nothing_that_was_closed(network: sa.Engine) -> None:
    a_programme(network)
    close_it(network)
    before = ledger(network)
    take(network, "order-lines", *lines("R3", 20))
    close_it(network, now=NOW + timedelta(days=1))
    assert ledger(network) == before


def test_a_period_that_lasts_is_not_closed_and_says_until_when(engine: sa.Engine) -> None:
    with pytest.raises(Invalid, match=r"2026Q2 isn't over yet. Close it from 2026-07-01 00:00 on"):
        close_it(engine, now=datetime(2026, 6, 30, 21, 59, tzinfo=UTC))


def test_the_period_is_over_at_midnight_in_the_programmes_time_zone(engine: sa.Engine) -> None:
    assert close_it(engine, now=datetime(2026, 6, 30, 22, 0, tzinfo=UTC)).outcomes == ()


def test_a_budget_that_cant_pay_everyone_pays_no_one_until_it_is_funded(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R3", 20))
    a_programme(network, OTIF_BONUS, points=900)
    closed = close_it(network)
    (outcome,) = closed.outcomes
    assert (outcome.met, outcome.points_awarded, outcome.points_unfunded) == (2, 0, 1_000)
    assert outcome.points_missing == 100
    assert "budget network-quality holds 900. Add 100 points" in closed.sentences[1].en
    assert wallets(network).get("partner:R1", 0) == 0

    why = Words("More", "Encore")
    transact(
        network, lambda session: fund(session, BONUS.budget, 99, key="f2", why=why, now=NOW).id
    )
    assert close_it(network).points_unfunded == 1_000
    transact(network, lambda session: fund(session, BONUS.budget, 1, key="f3", why=why, now=NOW).id)
    again = close_it(network)
    assert again.already
    assert (again.points_awarded, again.points_unfunded) == (1_000, 0)
    assert wallets(network) == {"partner:R1": 500, "partner:R3": 500}
    paid = ledger(network)
    close_it(network)
    assert ledger(network) == paid


def test_of_two_rules_on_one_budget_each_is_paid_whole_or_not(network: sa.Engine) -> None:
    dear = replace(OTIF_BONUS, code="a_dear_one", award=FixedPoints(800))
    a_programme(network, dear, OTIF_BONUS, points=700)
    closed = close_it(network)
    paid = {outcome.rule.code: outcome.points_awarded for outcome in closed.outcomes}
    assert paid == {"a_dear_one": 0, "otif_bonus": 500}
    assert wallets(network) == {"partner:R1": 500}


def test_codes_that_hold_a_colon_are_paid_apart(network: sa.Engine) -> None:
    take(network, "partners", partner("c"), partner("b:c"))
    take(network, "order-lines", *lines("c", 20), *lines("b:c", 20))
    a_programme(network, replace(OTIF_BONUS, code="a"), replace(OTIF_BONUS, code="a:b"))
    close_it(network)
    assert wallets(network) == {"partner:R1": 1000, "partner:b:c": 1000, "partner:c": 1000}


def test_two_closes_at_once_award_once(network: sa.Engine) -> None:
    a_programme(network)
    together = threading.Barrier(3)
    outcomes: list[bool] = []

    def go(minutes: int) -> None:
        together.wait()
        outcomes.append(close_it(network, now=NOW + timedelta(minutes=minutes)).already)

    threads = [threading.Thread(target=go, args=(minutes,)) for minutes in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True, True]
    assert wallets(network) == {"partner:R1": 500}
    assert len(ledger(network)["transfers"]) == 2  # the funding and the award


def test_closes_of_several_periods_at_once_count_what_the_others_awarded(
    network: sa.Engine,
) -> None:
    once_a_year = replace(
        OTIF_BONUS, period=PeriodKind.MONTH, limits=(Limit(PeriodKind.YEAR, times=1),)
    )
    a_programme(network, once_a_year)
    take(network, "order-lines", *lines("R1", 20, "2026-04-15"), *lines("R1", 20, "2026-06-15"))
    months = ["2026-04", "2026-05", "2026-06"]
    together = threading.Barrier(len(months))

    def go(month: str) -> None:
        together.wait()
        close_it(network, month)

    threads = [threading.Thread(target=go, args=(month,)) for month in months]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wallets(network) == {"partner:R1": 500}
    assert not audited(network).differences


def test_a_close_waits_for_an_import_under_way_and_knows_what_it_told(network: sa.Engine) -> None:
    under_way, ids = threading.Event(), []

    def slow_import() -> None:
        with writing(network) as session:
            source = session.scalars(sa.select(Import.source)).first()
            record = Import(
                kind="visits", source=source, file_name="late.csv", imported_at=NOW, refused=0
            )
            session.add(record)
            session.flush()
            ids.append(record.id)
            under_way.set()
            time.sleep(0.5)

    importing = threading.Thread(target=slow_import)
    importing.start()
    under_way.wait()
    close_it(network)
    importing.join()
    with Session(network) as session:
        assert session.scalars(sa.select(Closing.last_import_id)).one() == ids[0]


def test_months_quarters_and_years_close_in_any_order(network: sa.Engine) -> None:
    monthly = replace(OTIF_BONUS, code="monthly", period=PeriodKind.MONTH, award=FixedPoints(10))
    yearly = replace(OTIF_BONUS, code="yearly", period=PeriodKind.YEAR, award=FixedPoints(1_000))
    a_programme(network, OTIF_BONUS, monthly, yearly)
    later = datetime(2027, 1, 2, 9, 0, tzinfo=UTC)
    for period in ("2026", "2026-05", "2026Q2", "2026-04", "2026Q1"):
        close_it(network, period, now=later)
    keys = [key for key, _, _ in ledger(network)["transfers"]]
    assert keys == [
        "close:2026-05:monthly:R1",
        "close:2026:yearly:R1",
        "close:2026Q2:otif_bonus:R1",
        "fund:10000",
    ]


def test_a_rule_on_the_distributor_looks_at_all_below_it_and_pays_it_alone(
    network: sa.Engine,
) -> None:
    chief = replace(
        OTIF_BONUS,
        code="chief",
        measured_on=Level.DISTRIBUTOR,
        audience=Audience(kinds=(PartnerKind.DISTRIBUTOR,)),
    )
    a_programme(network, chief)
    (outcome,) = close_it(network).outcomes
    assert (outcome.met, outcome.not_met, outcome.unknown) == (0, 1, 0)
    with Session(network) as session:
        (code,) = session.scalars(sa.select(Partner.code).join(DecisionRow))
    assert code == "D1"


def test_whoever_left_or_isnt_meant_is_not_decided(network: sa.Engine) -> None:
    take(
        network,
        "partners",
        partner("R4", left_on="2026-05-01"),
        partner("R5", joined_on="2026-07-01"),
        partner("I1", kind="installer", tier="gold"),
    )
    gold = replace(OTIF_BONUS, audience=Audience(tiers=("gold",), kinds=(PartnerKind.RESELLER,)))
    a_programme(network, gold)
    close_it(network)
    with Session(network) as session:
        decided = session.scalars(sa.select(Partner.code).join(DecisionRow)).all()
    assert sorted(decided) == ["R1", "R2", "R3"]


def test_figures_are_frozen_as_they_were_measured_and_their_digest_proves_it(
    network: sa.Engine,
) -> None:
    close_it(network)
    with Session(network) as session:
        closing = session.scalars(sa.select(Closing)).one()
        assert digest(session, FrozenFigure, QUARTER) == closing.digest
        assert closing.last_import_id == session.scalar(sa.text("SELECT max(id) FROM imports"))
        otif = session.scalars(
            sa.select(FrozenFigure).where(FrozenFigure.subject == "R2", FrozenFigure.kpi == "otif")
        ).one()
        assert (otif.hits, otif.of, otif.state) == (17, 20, "red")


def test_both_databases_freeze_the_same_figures() -> None:
    """One digest for both: whoever moves from one to the other can still prove the past."""
    digests = set()
    for kind in KINDS:
        with fresh_database(kind) as url:
            engine = open_database(url)
            a_network(engine)
            close_it(engine)
            digests.update(ledger(engine)["figures"])
            engine.dispose()
    assert len(digests) == 1


def test_the_database_refuses_to_change_what_was_closed(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS, points=0)
    close_it(network)
    for model in (Closing, FrozenFigure, DecisionRow):
        column = next(iter(model.__table__.columns))
        for change in (sa.delete(model), sa.update(model).values({column.name: column})):
            with Session(network) as session, pytest.raises(sa.exc.DatabaseError, match="append"):
                session.execute(change)


def test_a_rule_none_of_whose_budget_was_ever_funded_leaves_its_awards_waiting(
    network: sa.Engine,
) -> None:
    a_programme(network, replace(OTIF_BONUS, conditions=(KpiIsGreen("otif"),)), points=0)
    assert close_it(network).points_unfunded == 500
