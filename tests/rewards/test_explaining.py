"""Explaining: from a point back to the rows, and from a miss on to what was lacking."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from partner_cx.database import reading, transact
from partner_cx.errors import NotFound
from partner_cx.periods import Period, PeriodKind
from rewards import holds
from rewards.conditions import Verdict
from rewards.ledger import Entry, Transfer
from rewards.restating import restate
from rewards.restating.approving import approve
from rewards.rules import Audience, Limit
from rewards.statements import telling
from rewards.statements.explaining import explain
from rewards.statements.explanations import Explained, Explanation, Judged
from tests.harness.events import NOW as TOLD_AT
from tests.harness.events import a_course, in_force, tell
from tests.harness.events import a_rule as an_event_rule
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import (
    MANAGER,
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_programme,
    close_it,
    lines,
)

LATER = NOW + timedelta(days=10)
KEY = "close:2026Q2:network_quality_bonus:R1"


def asked(engine: sa.Engine, what: str, period: Period | None = None, rows: int = 20) -> Explained:
    with reading(engine) as session:
        return explain(session, what, period, settings=SETTINGS, rows=rows)


def only(explained: Explained) -> tuple[Explanation, Judged]:
    (explanation,) = explained.explanations
    assert explanation.judged is not None
    return explanation, explanation.judged


def test_an_entry_leads_back_to_the_rows(closed: sa.Engine) -> None:
    explanation, judged = only(asked(closed, KEY))
    (posted,) = explanation.posted
    assert (posted.key, posted.points, posted.account, posted.intact) == (KEY, 500, "wallet", True)
    assert (posted.on, posted.recorded_at) == (date(2026, 6, 30), NOW)
    assert (judged.verdict, judged.points, judged.agrees) == (Verdict.MET, 500, True)
    assert (judged.closed_at, judged.closed_by) == (NOW, MANAGER)
    published = judged.published
    assert (published.rule.version, published.by, published.why, published.intact) == (
        *(1, MANAGER, "Terms of 2026"),
        True,
    )
    otif, response, adoption = judged.reasons
    assert otif.figure is not None
    assert (otif.figure.hits, otif.figure.of, otif.counted.total, otif.behind.total) == (
        20,
        20,
        20,
        0,
    )
    assert otif.formula is not None
    assert otif.formula.en.startswith("Order lines received in full inside their window")
    assert [row.source_id for row in response.counted.rows] == ["T1"]
    assert adoption.figure is not None
    assert adoption.figure.as_of == NOW
    assert judged.way is None


def test_the_entrys_number_leads_to_the_same(closed: sa.Engine) -> None:
    explanation, _ = only(asked(closed, KEY))
    number = explanation.posted[0].entry
    for written in (str(number), f"#{number}"):
        assert asked(closed, written).explanations == (explanation,)


def test_who_missed_by_some_lines_reads_which_ones_and_how_many_were_lacking(
    closed: sa.Engine,
) -> None:
    explanation, judged = only(asked(closed, "R2"))
    assert (explanation.points, explanation.posted) == (0, ())
    otif = judged.reasons[0]
    assert [row.source_id for row in otif.behind.rows] == [
        *("R2-wrong-1", "R2-wrong-2", "R2-wrong-3")
    ]
    assert otif.counted.total == 17
    assert judged.way is not None
    assert [step.sentence.en for step in judged.way.steps] == ["OTIF at 95%: 2 more lines on time."]
    assert [step.sentence.fr for step in judged.way.steps] == [
        "OTIF à 95\u202f%\u202f: 2 lignes de plus."
    ]


def test_what_wasnt_judged_says_what_it_needs(closed: sa.Engine) -> None:
    _, judged = only(asked(closed, "R3", QUARTER))
    assert judged.way is not None
    assert [step.sentence.en for step in judged.way.steps] == [
        "OTIF needs 5 more lines to be judged.",
        "SLA first response needs 1 more ticket to be judged.",
        "Portal adoption at 60%: 1 more account active.",
    ]


def test_a_rule_for_others_says_for_whom_it_is(closed: sa.Engine) -> None:
    explained = asked(closed, "D1")
    assert explained.explanations == ()
    assert [telling.not_for(each).en for each in explained.not_for] == [
        (
            "Network quality bonus, version 1: Only partners of kind:installer or kind:reseller "
            "can earn it."
        )
    ]


def test_only_so_many_rows_are_named_as_are_asked_for(closed: sa.Engine) -> None:
    _, judged = only(asked(closed, "R2", rows=1))
    otif = judged.reasons[0]
    assert (len(otif.behind.rows), otif.behind.total) == (1, 3)
    assert (len(otif.counted.rows), otif.counted.total) == (1, 17)


@pytest.mark.parametrize(
    ("what", "period", "message"),
    [
        ("R22", None, "R22 is neither an entry nor a partner. Did you mean R"),
        ("R22", "2026Q2", "No partner has the code R22. Did you mean R"),
        (KEY.replace("R1", "R7"), None, f"Did you mean {KEY}"),
        ("999999999", None, "999999999 is neither an entry nor a partner."),
        ("9" * 30, None, "is neither an entry nor a partner."),
        ("²", None, "is neither an entry nor a partner."),
        ("nobody@shop.example", None, "Nobody is known by nobody@shop.example."),
        ("R2", "2026Q3", "Nothing was decided about R2 in 2026Q3. The last period that was closed"),
    ],
)
def test_what_isnt_there_is_refused_with_what_is_near(
    closed: sa.Engine, what: str, period: str | None, message: str
) -> None:
    with pytest.raises(NotFound) as refused:
        asked(closed, what, Period.parse(period) if period else None)
    assert message in f"{refused.value}"


def test_before_anything_is_closed_there_is_nothing_to_explain(network: sa.Engine) -> None:
    with pytest.raises(NotFound, match=r"about R1 yet\. Close a period first\."):
        asked(network, "R1")


def test_points_that_no_rule_gave_are_explained_by_the_ledger(closed: sa.Engine) -> None:
    (funding,) = asked(closed, "fund:10000").explanations
    assert funding.judged is None
    assert [(each.why.en, each.moved, each.intact) for each in funding.posted] == [
        ("For the second quarter", 10_000, True)
    ]


def test_without_a_period_the_last_closed_one_is_explained(network: sa.Engine) -> None:
    take(network, "order-lines", *lines("R1", 20, "2026-02-10"))
    a_programme(network, OTIF_BONUS)
    close_it(network)
    close_it(network, "2026Q1", now=LATER)
    assert asked(network, "R1").period == QUARTER
    _, judged = only(asked(network, "R1", Period.parse("2026Q1")))
    assert judged.period == Period.parse("2026Q1")


def test_a_partner_that_wasnt_one_yet_is_told_so(network: sa.Engine) -> None:
    a_programme(network, replace(OTIF_BONUS, audience=Audience()))
    take(network, "partners", partner("R9", joined_on="2026-07-02"))
    close_it(network)
    (other,) = asked(network, "R9").not_for
    assert other.why.en == "It wasn't a partner on the period's last day."


def test_what_was_earned_and_isnt_paid_says_what_it_waits_for(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS, points=0)
    close_it(network)
    explanation, judged = only(asked(network, "R1"))
    assert (explanation.posted, judged.points, judged.way) == ((), 500, None)
    assert judged.unpaid is not None
    assert judged.unpaid.en == (
        "Earned, and waiting until budget network-quality can pay everyone."
    )


def test_the_terms_of_a_rule_are_told_in_both_languages() -> None:
    rule = replace(
        OTIF_BONUS,
        limits=(Limit(PeriodKind.YEAR, 2_000, 4), Limit(PeriodKind.MONTH, times=1)),
        cool_down_days=30,
        hold_days=14,
        needs_approval=True,
    )
    terms = list(telling.terms(rule))
    assert [term.en for term in terms] == [
        "Worth 500 points, paid by budget network-quality.",
        "At most 2,000 points and 4 × per year.",
        "At most 1 × per month.",
        "At most once in 30 days.",
        "Held for 14 days before it can be spent.",
        "Somebody has to approve each award.",
    ]
    assert terms[1].fr == "Au plus 2\u202f000 points et 4 fois par an."


# --- Events, holds, persons and what was put right ----------------------------------------------


def test_an_award_on_an_event_leads_back_to_the_event(engine: sa.Engine) -> None:
    take(engine, "partners", partner("R1"))
    in_force(engine, an_event_rule(conditions="[{event_about: [F-GAS]}]"))
    tell(engine, a_course())
    tell(engine, a_course("C2", subject="SALES"))
    won, judged = only(asked(engine, "event:C1:course"))
    assert judged.event is not None
    assert (judged.event.key, judged.on, won.points) == ("C1", date(2026, 7, 10), 50)
    assert telling.taken(judged).en == (
        "Decided on event C1, recorded on 20 July 2026: met, 50 points."
    )
    _, missed = asked(engine, "R1", Period.parse("2026Q3")).explanations
    assert missed.judged is not None
    assert missed.judged.way is not None
    assert [step.sentence.en for step in missed.judged.way.steps] == [
        "Only what is about “F-GAS” earns it."
    ]
    assert not missed.judged.way.reachable


def test_a_persons_points_are_the_persons_and_not_the_partners(engine: sa.Engine) -> None:
    take(engine, "partners", partner("R1"))
    take(engine, "people", {"email": "ada@r1.example", "name": "Ada", "role": "rep"})
    in_force(engine, an_event_rule(award="{points: 50, to: person}"))
    tell(engine, a_course())
    explanation, _ = only(asked(engine, "ada@r1.example"))
    assert (explanation.subject, explanation.points) == ("ada@r1.example", 50)
    with pytest.raises(NotFound, match="Nothing was decided about R1"):
        asked(engine, "R1")


def test_a_held_award_shows_what_became_of_it(engine: sa.Engine) -> None:
    take(engine, "partners", partner("R1"))
    in_force(engine, an_event_rule(hold_days="14"))
    tell(engine, a_course())
    waiting, _ = only(asked(engine, "event:C1:course"))
    (held,) = waiting.posted
    assert (held.account, held.points, held.held_until) == ("pending", 50, date(2026, 7, 24))
    day = date(2026, 7, 24)
    transact(engine, lambda session: holds.release_due(session, on=day, now=TOLD_AT).points)
    released, _ = only(asked(engine, "release:event:C1:course"))
    award, release = released.posted
    assert (release.settles, release.account, release.moved) == (award.key, "wallet", 50)
    assert released.points == 50


def test_what_was_put_right_names_the_original_and_the_fact(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS)
    close_it(network)
    late = [{**line, "received_on": "2026-05-20"} for line in lines("R1", 20)[:2]]
    take(network, "order-lines", *late, now=LATER)
    found = restate(network, QUARTER, now=LATER, by=MANAGER, settings=SETTINGS)
    number = next(each.proposal_id for each in found.differences if each.proposal_id)
    transact(network, lambda s: approve(s, number, by="Lea", now=LATER).approved)
    explanation, judged = only(asked(network, "close:2026Q2:otif_bonus:R1"))
    original, correction = explanation.posted
    assert (original.points, correction.points, explanation.points) == (500, -500, 0)
    assert correction.corrects == original.key
    assert only(asked(network, correction.key))[0] == explanation
    (proposed,) = judged.proposals
    assert (proposed.approved, proposed.settled_by) == (True, "Lea")
    said = [sentence.en for sentence in telling.proposed(proposed)]
    assert "R1-2026-05-18-00" in said[1]
    assert said[-1] == "  Approved on 13 July 2026 by Lea."
    assert judged.points == 500  # as it was decided then


# --- Damage -------------------------------------------------------------------------------------


def test_an_entry_that_was_altered_is_told_so(network: sa.Engine) -> None:
    a_programme(network, OTIF_BONUS)
    close_it(network)
    with network.begin() as connection:
        _let_it_be_changed(connection, "transfers", "entries", "decisions")
        connection.execute(sa.update(Transfer).values(why_en="Because I say so"))
        connection.execute(sa.update(Entry).values(points=Entry.points * 2))
        connection.execute(sa.text("UPDATE decisions SET points = 700 WHERE points = 500"))
    explanation, judged = only(asked(network, "R1"))
    assert not explanation.posted[0].intact
    assert "ALTERED" in telling.posted(explanation.posted[0]).en
    assert not judged.agrees
    assert telling.disagrees(judged).en == (
        "Told again it comes to met, 500 points: run the audit."
    )


def _let_it_be_changed(connection: sa.Connection, *tables: str) -> None:
    """Take away what keeps rows from being changed, as somebody who owns the database could."""
    for table in tables:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            continue
        names = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t")
        for name in connection.scalars(names, {"t": table}).all():
            connection.execute(sa.text(f'DROP TRIGGER "{name}"'))
