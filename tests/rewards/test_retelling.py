"""Retelling: a decision told again comes to what was decided, whatever was learned since."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from partner_cx.database import reading
from rewards.conditions import Verdict
from rewards.deciding.retelling import retell
from rewards.decisions import DecisionRow
from rewards.rules import Decision, Rule
from tests.harness.events import a_rule as an_event_rule
from tests.harness.events import in_force, on_day, tell
from tests.harness.intake import partner, take
from tests.harness.programme import (
    NOW,
    OTIF_BONUS,
    a_programme,
    close_it,
    lines,
    wrong_lines,
)
from tests.harness.situations import a_rule

LATER = NOW + timedelta(days=30)


def a_close_rule(code: str, **terms: str) -> Rule:
    return a_rule(code=code, **terms)


RULES = (
    a_close_rule("green"),
    a_close_rule("improved", conditions="[{kpi_improved: {kpi: otif, since: previous_period}}]"),
    a_close_rule("beats", conditions="[{kpi_beats: {kpi: otif, peers: network}}]"),
    a_close_rule("gold", conditions="[{partner_in: 'tier:gold'}, {partner_for: {months: 12}}]"),
    a_close_rule("told", conditions="[{events_at_least: {event: course_completed, count: 2}}]"),
    a_close_rule("scaled", award="{per_unit: {kpi: otif, above: 80 %, unit: 1 %, points: 7}}"),
    a_close_rule(
        "steps",
        conditions="[{kpi_at_least: {kpi: otif, threshold: 10 %}}]",
        award="{tiers: {kpi: otif, steps: [{reaches: 80 %, points: 5}]}}",
    ),
    a_close_rule("once", limits="[{per: year, times: 1}]"),
    a_close_rule("little", limits="[{per: year, points: 700}]"),
    a_close_rule("seldom", cool_down_days="200"),
    replace(OTIF_BONUS, code="whole"),
)


def told_again(engine: sa.Engine) -> dict[tuple[str, str, str], Decision]:
    """Every decision there is, by rule, partner and occasion; each comes to what was decided."""
    with reading(engine) as session:
        rows = session.scalars(sa.select(DecisionRow).order_by(DecisionRow.id)).all()
        decisions = retell(session, rows)
        for row in rows:
            decision = decisions[row.id]
            told = (decision.rule.code, decision.verdict, decision.points)
            assert told == (decision.rule.code, Verdict(row.verdict), row.points)
        return {
            (each.rule.code, each.scorecard.subject, str(each.evidence.on)): each
            for each in decisions.values()
        }


def test_every_decision_of_two_closes_is_told_as_it_was_taken(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R1", 20, "2026-02-10"), *lines("R2", 9, "2026-02-10"))
    a_programme(network, *RULES)
    in_force(network, an_event_rule())
    close_it(network, "2026Q1")
    tell(network, on_day("C1", "2026-05-10"), now=NOW)
    tell(network, on_day("C2", "2026-05-11"), now=NOW)
    close_it(network)
    decisions = told_again(network)
    assert len(decisions) == 2 * (10 * 4 + 3) + 2  # the last rule isn't for distributors
    assert decisions["told", "R1", "2026-06-30"].points == 500
    assert decisions["once", "R1", "2026-06-30"].limited is not None
    assert decisions["little", "R1", "2026-06-30"].points == 200
    assert decisions["seldom", "R1", "2026-06-30"].points == 0
    assert decisions["scaled", "R2", "2026-03-31"].verdict is Verdict.MET


def test_what_is_learned_later_tells_nothing_otherwise(network: sa.Engine) -> None:
    a_programme(network, *RULES)
    in_force(network, an_event_rule())
    tell(network, on_day("C1", "2026-05-10"), now=NOW)
    close_it(network)
    before = told_again(network)
    take(network, "order-lines", *lines("R3", 20), *wrong_lines("R1"), now=LATER)
    take(
        network,
        "partners",
        partner("R1", parent_code="D1", tier="silver", joined_on="2026-06-01"),
        partner("R2", parent_code="D1", tier="gold", left_on="2026-06-02"),
        now=LATER,
    )
    tell(network, on_day("C2", "2026-05-11"), now=LATER)
    a_programme(network, replace(RULES[0], ends=None, source="Terms, amended"), points=0)
    close_it(network, "2026-05", now=LATER)
    close_it(network, "2026Q1", now=LATER)
    after = told_again(network)
    assert {key: after[key].sentence for key in before} == {
        key: each.sentence for key, each in before.items()
    }


def test_events_are_told_on_what_was_known_when_they_were_told(network: sa.Engine) -> None:
    counting = an_event_rule(
        "third",
        conditions="[{events_at_least: {event: course_completed, count: 3, days: 30}}]",
        limits="",
    )
    personal = an_event_rule(
        "hers", award="{points: 50, to: person}", limits="[{per: year, times: 2}]"
    )
    quality = an_event_rule("quality", conditions="[{kpi_is_green: otif}]", limits="")
    in_force(network, counting, personal, quality)
    for day in (1, 2):
        tell(network, on_day(f"C{day}", f"2026-07-0{day}"))
    close_it(network)
    for day in (5, 6, 7):
        person = "bob@r1.example" if day == 7 else "ada@r1.example"
        tell(network, on_day(f"C{day}", f"2026-07-0{day}", person=person))
    decisions = told_again(network)

    def points(code: str) -> list[int]:
        return [each.points for (rule, _, _), each in sorted(decisions.items()) if rule == code]

    assert points("third") == [0, 0, 50, 50, 50]
    assert points("hers") == [50, 50, 0, 0, 50]
    assert points("quality") == [0, 0, 50, 50, 50]
    assert told_again(network) == decisions


def test_few_statements_tell_many_decisions(network: sa.Engine) -> None:
    many = [replace(RULES[0], code=f"rule{number}") for number in range(30)]
    a_programme(network, *many)
    close_it(network)
    asked: list[str] = []
    with Session(network) as session:
        rows = session.scalars(sa.select(DecisionRow)).all()
        sa.event.listen(network, "before_cursor_execute", lambda *args: asked.append(args[2]))
        assert len(retell(session, rows)) == len(rows) == 120
    assert len(asked) < 12


def test_nothing_to_tell_asks_nothing(engine: sa.Engine) -> None:
    with reading(engine) as session:
        assert retell(session, []) == {}
