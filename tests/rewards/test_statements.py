"""Statements: every point and every missing point explains itself, down to the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading, transact
from partner_cx.errors import NotFound
from partner_cx.network.names import PartnerKind
from partner_cx.periods import Period
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards.budgets import budget
from rewards.conditions import KpiIsGreen, Verdict
from rewards.frozen import Closing, FrozenFigure
from rewards.ledger import AccountKind, Move, account, post, wallet_of_person
from rewards.ledger.owners import owner_of
from rewards.misses import Asked, Misses, rows_kept, rows_missed
from rewards.rules import Audience, Level
from rewards.statements import Statement, Unearned, statement
from tests.harness.intake import SETTINGS, order_line, partner, take, take_out
from tests.harness.programme import (
    BONUS,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    lines,
    wrong_lines,
)


def statement_of(engine: sa.Engine, subject: str, period: Period | None = None) -> Statement:
    with reading(engine) as session:
        return statement(session, owner_of(session, subject), settings=SETTINGS, period=period)


def missed(engine: sa.Engine, subject: str) -> Unearned:
    (only,) = statement_of(engine, subject).unearned
    return only


def told(misses: Misses, language: str) -> list[str]:
    return [miss.sentence.in_(language) for miss in misses.rows]


def test_a_partners_code_may_look_like_an_address(engine: sa.Engine) -> None:
    take(engine, "partners", partner("shop@lyon"))
    found = statement_of(engine, "shop@lyon")
    assert (found.balance, found.lines) == (0, ())


def test_a_point_says_which_rule_gave_it_on_which_figures(closed: sa.Engine) -> None:
    found = statement_of(closed, "R1")
    (line,) = found.lines
    assert (found.balance, line.points, line.balance) == (500, 500, 500)
    assert line.key == "close:2026Q2:network_quality_bonus:R1"
    assert line.rule is not None
    assert (line.rule.code, line.rule.version, line.period) == (BONUS.code, 1, QUARTER)
    assert [(f.kpi, f.hits, f.of, f.n) for f in line.figures] == [
        ("otif", 20, 20, 20),
        ("sla_response", 1, 1, 1),
        ("portal_adoption", 1, 1, 1),
    ]
    assert line.why.en == (
        "Network quality bonus, Q2 2026: 500 points. OTIF 100.00% (target 95%, 20 lines): reached. "
        "SLA first response 100.00% (target 90%, 1 ticket): reached. "
        "Portal adoption 100.00% (target 60%, 1 account): reached."
    )
    assert found.unearned == ()


def test_a_missed_bonus_is_explained_down_to_the_rows_in_both_languages(closed: sa.Engine) -> None:
    unearned = missed(closed, "R2")
    (shortfall,) = unearned.shortfalls
    assert (unearned.verdict, unearned.points, shortfall.short) == (Verdict.NOT_MET, 500, 2)
    assert unearned.sentence.en == (
        "Network quality bonus, Q2 2026: no points. OTIF 85.00% (target 95%, 20 lines): "
        "10 pt short, 2 more lines on time would have reached it."
    )
    assert shortfall.misses.heading == Words("3 lines:", "3 lignes\u202f:")
    assert told(shortfall.misses, "en") == [
        "Order O-R2-wrong, line R2-wrong-1, 10 ordered, due 18 May 2026: received 2 days late",
        (
            "Order O-R2-wrong, line R2-wrong-2, 50 ordered, due 18 May 2026: "
            "48 of 50 received in the window"
        ),
        "Order O-R2-wrong, line R2-wrong-3, 10 ordered, due 18 May 2026: nothing received",
    ]
    assert told(shortfall.misses, "fr") == [
        (
            "Commande O-R2-wrong, ligne R2-wrong-1, 10 commandés, attendu le 18 mai 2026\u202f: "
            "reçu avec 2 jours de retard"
        ),
        (
            "Commande O-R2-wrong, ligne R2-wrong-2, 50 commandés, attendu le 18 mai 2026\u202f: "
            "48 sur 50 reçus dans le créneau"
        ),
        (
            "Commande O-R2-wrong, ligne R2-wrong-3, 10 commandés, attendu le 18 mai 2026\u202f: "
            "rien reçu"
        ),
    ]


def test_what_cant_be_judged_is_said_and_blames_nobody(closed: sa.Engine) -> None:
    otif, _, _ = missed(closed, "R3").shortfalls  # nor were there tickets
    assert otif.verdict is Verdict.UNKNOWN
    assert otif.sentence.en == "OTIF can't be judged: no data."
    assert otif.misses == Misses()


def test_an_account_nobody_used_is_named(closed: sa.Engine) -> None:
    _, _, adoption = missed(closed, "R3").shortfalls
    assert told(adoption.misses, "en") == [
        "Account R3, Partner R3: only the brand's own staff used the portal"
    ]
    assert adoption.misses.heading.fr == "1 compte\u202f:"


def test_points_that_wait_for_a_budget_are_shown_as_earned(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS, points=0)
    close_it(network)
    unearned = missed(network, "R1")
    assert (unearned.verdict, unearned.points, unearned.shortfalls) == (Verdict.MET, 500, ())
    assert unearned.sentence.en.endswith(
        "Earned, and waiting until budget network-quality can pay everyone."
    )


def test_rows_are_told_as_they_were_known_at_the_close(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS)
    close_it(network)
    late = wrong_lines("R2")
    repaired = {**late[2], "received_qty": "10", "received_on": "2026-05-18"}
    moved = {**late[0], "window_end": "2026-07-20", "received_on": "2026-05-20"}
    take(network, "order-lines", repaired, moved, now=NOW + timedelta(days=2))
    never_seen = order_line("new", partner_code="R2", window_end="2026-05-19", received_on=None)
    take(network, "order-lines", {**never_seen, "received_qty": None})
    take(
        network,
        "receipts",
        {
            "source_id": "X1",
            "order_line_source_id": "R2-wrong-2",
            "received_on": "2026-05-18",
            "qty": "2",
        },
    )
    (shortfall,) = missed(network, "R2").shortfalls
    assert [(miss.source_id, miss.corrected_since) for miss in shortfall.misses.rows] == [
        ("R2-wrong-1", True),
        ("R2-wrong-2", False),
        ("R2-wrong-3", True),
    ]
    assert told(shortfall.misses, "en")[2].endswith("nothing received (corrected since)")
    assert shortfall.figure.hits == 17


def test_rows_withdrawn_since_are_told_with_their_goods(network: sa.Engine) -> None:
    receipt = {
        "source_id": "X1",
        "order_line_source_id": "R2-wrong-3",
        "received_on": "2026-05-25",
        "qty": "10",
    }
    take(network, "receipts", receipt)
    a_programme(network, OTIF_BONUS)
    close_it(network)
    take_out(network, "order-lines", "R2-wrong-1", "R2-wrong-3", now=NOW + timedelta(days=2))
    take(network, "order-lines", wrong_lines("R2")[0], now=NOW + timedelta(days=3))
    (shortfall,) = missed(network, "R2").shortfalls
    assert [each.rpartition(": ")[2] for each in told(shortfall.misses, "en")] == [
        "received 2 days late (corrected since)",
        "48 of 50 received in the window",
        "received 7 days late (withdrawn since)",
    ]


def test_receipts_corrected_since_are_told_as_they_were_too(network: sa.Engine) -> None:
    receipt = {
        "source_id": "X1",
        "order_line_source_id": "R2-wrong-3",
        "received_on": "2026-05-25",
        "qty": "10",
    }
    take(network, "receipts", receipt)
    a_programme(network, OTIF_BONUS)
    close_it(network)
    take(network, "receipts", {**receipt, "received_on": "2026-05-18"}, now=NOW + timedelta(days=2))
    (shortfall,) = missed(network, "R2").shortfalls
    assert told(shortfall.misses, "en")[2].endswith("received 7 days late")


@pytest.mark.parametrize(
    "since",
    [
        {"otif_under_tolerance": Fraction(1, 10)},
        {"ftfr_window_days": 3},
        {"currency": "USD"},
        {"time_zone": "Pacific/Honolulu"},
    ],
    ids=str,
)
def test_settings_that_changed_since_change_no_row(
    network: sa.Engine, since: dict[str, Any]
) -> None:
    _facts_of_every_kind(network)
    enrolment = {"partner_code": "R2", "course_code": "C1", "enrolled_on": "2026-05-06"}
    person = {"source_id": "L3", "person_email": "c@r2.example"}
    take(network, "learning", {**enrolment, **person, "completed_on": f"{NOW:%Y-%m-%d}"})
    kpis = ("otif", "ftfr", "credit_rate", "learning_completion")
    take(
        network,
        "targets",
        *({"kpi": kpi, "target": target, "from": "2026-01-01"} for kpi, target in STRICT.items()),
    )
    a_programme(network, replace(OTIF_BONUS, conditions=tuple(map(KpiIsGreen, kpis))))
    close_it(network)
    with reading(network) as session:
        before = statement(session, owner_of(session, "R2"), settings=SETTINGS)
        after = statement(session, owner_of(session, "R2"), settings=replace(SETTINGS, **since))
    assert after == before
    assert [shortfall.misses.total for shortfall in before.unearned[0].shortfalls] == [3, 2, 1, 1]


STRICT = {"ftfr": "99 %", "credit_rate": "0 %", "learning_completion": "99 %"}


def test_partners_are_told_as_they_were_known_at_the_close(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, conditions=(KpiIsGreen("portal_adoption"),)))
    close_it(network)
    left = partner("R3", name="Renamed", parent_code="D1", tier="gold", left_on="2026-04-05")
    take(network, "partners", left, now=NOW + timedelta(days=2))
    (shortfall,) = missed(network, "R3").shortfalls
    assert (shortfall.figure.hits, shortfall.figure.of) == (0, 1)
    assert told(shortfall.misses, "en") == [
        "Account R3, Partner R3: only the brand's own staff used the portal"
    ]


def test_a_distributors_rows_are_of_those_below_it_at_the_close(network: sa.Engine) -> None:
    take(network, "partners", partner("D2", kind="distributor", parent_code="D1"))
    take(network, "partners", partner("R2", parent_code="D2", tier="gold"))  # once corrected before
    a_programme(network, CHIEF)
    close_it(network)
    later = NOW + timedelta(days=2)
    take(network, "partners", partner("D9", kind="distributor"), now=later)
    take(network, "partners", partner("R2", parent_code="D9", tier="gold"), now=later)
    take(network, "partners", partner("R9", parent_code="D1", tier="gold"), now=later)
    for distributor in ("D1", "D2"):
        (shortfall,) = missed(network, distributor).shortfalls
        assert shortfall.figure.of is not None
        assert shortfall.figure.hits is not None
        assert shortfall.figure.of - shortfall.figure.hits == shortfall.misses.total == 3


CHIEF = replace(
    OTIF_BONUS,
    measured_on=Level.DISTRIBUTOR,
    audience=Audience(kinds=(PartnerKind.DISTRIBUTOR,)),
)


def test_a_distributors_miss_shows_the_rows_of_all_below_it(network: sa.Engine) -> None:
    a_programme(network, CHIEF)
    close_it(network)
    (shortfall,) = missed(network, "D1").shortfalls
    assert (shortfall.figure.hits, shortfall.figure.of) == (37, 40)
    assert shortfall.misses.total == 3


def test_many_rows_are_counted_and_the_first_ones_shown(network: sa.Engine) -> None:
    late = [{**line, "received_on": "2026-06-01"} for line in lines("R3", 30)]
    take(network, "order-lines", *late)
    a_programme(network, OTIF_BONUS)
    close_it(network)
    (shortfall,) = missed(network, "R3").shortfalls
    assert (shortfall.misses.total, len(shortfall.misses.rows)) == (30, 20)
    assert shortfall.misses.heading.en == "30 lines, of which 20 are shown:"


def test_a_period_shows_its_own_lines_and_the_whole_balance(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R1", 20, "2026-02-10"))
    a_programme(network, OTIF_BONUS)
    close_it(network, "2026Q1")
    close_it(network)
    found = statement_of(network, "R1", QUARTER)
    assert [(line.period, line.balance) for line in found.lines] == [(QUARTER, 1_000)]
    assert found.balance == 1_000
    everything = statement_of(network, "R1")
    assert [str(line.period) for line in everything.lines] == ["2026Q1", "2026Q2"]
    assert [str(each.period) for each in statement_of(network, "R2", QUARTER).unearned] == [
        "2026Q2"
    ]


def test_a_person_has_a_statement_too(engine: sa.Engine) -> None:
    take(engine, "people", {"email": "ana@shop.example", "name": "Ana", "role": "rep"})
    a_programme(engine)

    def give(session: Session) -> int:
        wallet = account(session, AccountKind.WALLET, wallet_of_person("ana@shop.example"))
        return post(
            session,
            key="insight:1",
            why=Words("Your insight was used.", "Votre idée a servi."),
            moves=[Move(budget(session, BONUS.budget), wallet, 50)],
            effective_on=NOW.date(),
            now=NOW,
        ).id

    transact(engine, give)
    found = statement_of(engine, "Ana@Shop.example")
    assert (found.name, found.balance, found.lines[0].rule) == ("Ana", 50, None)


def test_a_stranger_is_answered_with_those_spelt_alike(closed: sa.Engine) -> None:
    with pytest.raises(NotFound, match=r"No partner has the code R11. Did you mean R1"):
        statement_of(closed, "R11")
    with pytest.raises(NotFound, match="Nobody is known by"):
        statement_of(closed, "nobody@shop.example")


def test_there_are_as_many_rows_as_the_figure_has_misses(network: sa.Engine) -> None:
    """For every KPI whose misses are rows, on facts of every kind."""
    _facts_of_every_kind(network)
    close_it(network)
    with reading(network) as session:
        asked = asked_as_closed(session, "R2")
        figures = session.scalars(
            sa.select(FrozenFigure).where(
                FrozenFigure.subject == "R2", FrozenFigure.kpi.in_(AS_MANY)
            )
        )
        for figure in figures:
            found = rows_missed(asked, figure.kpi)
            assert figure.hits is not None
            assert figure.of is not None
            assert (figure.kpi, found.total) == (figure.kpi, figure.of - figure.hits)
            assert [(figure.kpi, miss.verdict.en) for miss in found.rows] == [
                (figure.kpi, verdict) for verdict in AS_MANY[figure.kpi]
            ]


def test_there_are_as_many_kept_rows_as_the_figure_has_hits(network: sa.Engine) -> None:
    _facts_of_every_kind(network)
    close_it(network)
    kept = ("otif", "on_time", "in_full", "sla_response", "sla_resolution")
    with reading(network) as session:
        asked = asked_as_closed(session, "R2")
        figures = session.scalars(
            sa.select(FrozenFigure).where(
                FrozenFigure.subject == "R2", FrozenFigure.kpi.in_(AS_MANY)
            )
        )
        for figure in figures:
            expected = figure.hits if figure.kpi in kept else 0
            assert (figure.kpi, rows_kept(asked, figure.kpi).total) == (figure.kpi, expected)
        (ticket,) = rows_kept(asked, "sla_resolution", limit=1).rows
    assert ticket.verdict.en == "resolved after 1 h, promised in 2 h"


AS_MANY = {
    "otif": ["received 2 days late", "48 of 50 received in the window", "nothing received"],
    "otif_order": ["3 of its 3 due lines missed (R2-wrong-1, R2-wrong-2, R2-wrong-3)"],
    "on_time": ["received 2 days late", "nothing received"],
    "in_full": ["48 of 50 received", "nothing received"],
    "sla_response": ["answered after 1 h 30 min, promised in 1 h"],
    "sla_resolution": [
        "not resolved, promised in 2 h",
        "resolved after 3 h 5 s, promised in 2 h",
    ],
    "fcr": ["took 3 contacts", "reopened 2 ×"],
    "ftfr": ["another visit within 14 days", "a part was missing"],
    "learning_completion": ["not completed"],
    "portal_adoption": [],
}


def _facts_of_every_kind(engine: sa.Engine) -> None:
    ticket = {
        "partner_code": "R2",
        "opened_at": "2026-05-05T08:00:00Z",
        "first_reply_at": "2026-05-05T08:10:00Z",
        "resolved_at": "2026-05-05T09:00:00Z",
        "response_target_minutes": "60",
        "resolution_target_minutes": "120",
        "contacts": "1",
        "reopened_count": "0",
    }
    take(
        engine,
        "tickets",
        {**ticket, "source_id": "T3"},
        {
            **ticket,
            "source_id": "T4",
            "first_reply_at": "2026-05-05T09:30:00Z",
            "resolved_at": None,
        },
        {**ticket, "source_id": "T5", "resolved_at": "2026-05-05T11:00:05Z", "contacts": "3"},
        {**ticket, "source_id": "T6", "reopened_count": "2"},
        {**ticket, "source_id": "T7", "contacts": None},
    )
    visit = {"partner_code": "R2", "outcome": "fixed"}
    take(
        engine,
        "visits",
        {**visit, "source_id": "V1", "asset": "A", "visited_on": "2026-05-02"},
        {**visit, "source_id": "V2", "asset": "A", "visited_on": "2026-05-12"},
        {**visit, "source_id": "V3", "asset": "B", "visited_on": "2026-05-05"},
        {**visit, "source_id": "V4", "asset": "C", "visited_on": "2026-05-06"}
        | {"outcome": "part_missing"},
    )
    enrolment = {"partner_code": "R2", "course_code": "C1", "enrolled_on": "2026-05-05"}
    take(
        engine,
        "learning",
        {**enrolment, "source_id": "L1", "person_email": "a@r2.example"}
        | {"completed_on": "2026-06-01"},
        {**enrolment, "source_id": "L2", "person_email": "b@r2.example", "completed_on": None},
    )
    invoice = {"partner_code": "R2", "on": "2026-05-05", "currency": "EUR", "value_minor": "100000"}
    take(
        engine,
        "invoices",
        {**invoice, "source_id": "I1", "lines": "40", "disputed_lines": "3", "credited_minor": "0"},
        {**invoice, "source_id": "I2", "lines": "9", "disputed_lines": None}
        | {"credited_minor": "1250"},
    )
    status = {"partner_code": "R2", "required": "20"}
    take(
        engine,
        "catalogue-status",
        {**status, "source_id": "S1", "on": "2026-05-05", "filled": "3"},
        {**status, "source_id": "S2", "on": "2026-06-05", "filled": "12"},
        {**status, "source_id": "S3", "on": "2026-06-05", "filled": "20"},
    )


# KPI, the rows of R2 as a manager reads them
IN_WORDS = {
    "dispute_rate": ["Invoice I1, 5 May 2026: 3 of 40 lines disputed"],
    "credit_rate": ["Invoice I2, 5 May 2026: €12.50 of €1,000.00 credited"],
    "catalogue_completion": ["Catalogue S2, 5 June 2026: 12 of 20 fields filled"],
    "learning_completion": ["b@r2.example, course C1, enrolled 5 May 2026: not completed"],
    "nps": [],
}


def test_what_isnt_counted_in_rows_is_told_by_the_rows_that_weighed(network: sa.Engine) -> None:
    _facts_of_every_kind(network)
    with reading(network) as session:
        for kpi, expected in IN_WORDS.items():
            assert told(rows_missed(asked_now(session, "R2"), kpi), "en") == expected


def test_early_late_and_too_much_are_told_apart(network: sa.Engine) -> None:
    window = {"partner_code": "R3", "window_start": "2026-04-09", "window_end": "2026-04-10"}
    take(
        network,
        "order-lines",
        order_line("early", **window, received_on="2026-04-08"),
        order_line("gone", **window, status="cancelled_by_supplier", received_qty=None)
        | {"received_on": None},
        order_line("late", **window, received_on="2026-04-13", ordered_qty="2.5"),
        order_line("much", **window, received_qty="12"),
    )
    generous = replace(SETTINGS, otif_over_tolerance=Fraction(1, 10))
    with reading(network) as session:
        found = rows_missed(asked_now(session, "R3", generous), "otif")
    assert [miss.verdict.en for miss in found.rows] == [
        "arrived 1 day before the window",
        "cancelled by the supplier",
        "received 3 days late",
        "12 received for 10 ordered, more than is accepted",
    ]
    assert found.rows[2].what.en == (
        "Order O1, line late, 2.5 ordered, due 9 April 2026 to 10 April 2026"
    )


def asked_now(session: Session, code: str, settings: Settings = SETTINGS) -> Asked:
    """What a partner's rows are asked by, on everything that was imported."""
    return Asked(session, (_partner_id(session, code),), QUARTER, NOW, 1_000, settings)


def asked_as_closed(session: Session, code: str) -> Asked:
    """The same as it was known at the close."""
    closing = session.scalars(sa.select(Closing)).one()
    known_until = closing.last_import_id or 0
    return replace(asked_now(session, code), as_of=closing.as_of, known_until=known_until)


def _partner_id(session: Session, code: str) -> int:
    found = session.scalar(sa.text("SELECT id FROM partners WHERE code = :code"), {"code": code})
    assert found is not None
    return int(found)
