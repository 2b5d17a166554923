"""A late correction, from the file to the statement, on the command line.

The example of the KPI definitions: OTIF 96.4 % of 250 lines against 95 % earned the bonus; a file
that comes in later tells of four more lines that were late, which makes it 94.8 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from partner_cx.database import open_database, transact
from partner_cx.words import Words
from rewards.ledger import AccountKind, Move, account, post
from tests.harness.programme import NOW
from tests.journeys.command_line import Answer, CommandLine

RULE = """
code: on_time_bonus
label: {en: On-time bonus, fr: Prime de ponctualité}
source: The supply agreement, annex 2.
on: close
period: quarter
starts: 2026Q1
ends: 2027Q4
conditions:
  - kpi_is_green: otif
award:
  points: 500
budget: on-time
"""
LINES, LATE, LATE_IN_TRUTH = 250, 9, 13
JULY, AUGUST, SEPTEMBER = "2026-07-03T09:00", "2026-08-14T09:00", "2026-09-01T09:00"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    """A brand with one reseller, a target, a rule and a budget; its quarter is closed."""
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nR1,Lyon Thermique,reseller")
    office.take("targets", "kpi,target,from,n_min\notif,95 %,2026-01-01,5")
    office.take("order-lines", lines(range(LINES), LATE), "--source", "erp", "--now", JULY)
    rule = office.file("on_time_bonus.yaml", RULE)
    done(office.run("rules", "publish", rule, "--why", "Terms of 2026"))
    done(office.run("budgets", "fund", "on-time", "1000", "--why", "2026", "--key", "2026"))
    done(office.run("close", "2026Q2", "--now", JULY))
    return office


def lines(numbers: Iterable[int], late: int) -> str:
    """Lines due on 12 May, the first of them two days late."""
    head = "source_id,order_code,partner_code,ordered_qty,window_end,received_qty,received_on"
    rows = [
        f"{20000 + number},O{number},R1,10,2026-05-12,10,2026-05-{14 if number < late else 12}"
        for number in numbers
    ]
    return "\n".join([head, *rows])


def done(answer: Answer) -> Answer:
    assert answer.status == 0, answer.err
    return answer


def correct(office: CommandLine) -> None:
    """Tell in August that four more lines were late."""
    file = office.file("corrections.csv", lines(range(LATE, LATE_IN_TRUTH), LATE_IN_TRUTH))
    done(office.run("import", "order-lines", file, "--source", "erp", "--now", AUGUST))


def restated(office: CommandLine) -> list[dict[str, Any]]:
    return done(office.run("restate", "2026Q2", "--now", SEPTEMBER, "--format", "json")).rows


def entries(office: CommandLine) -> list[int]:
    rows = done(office.run("statement", "R1", "--format", "json")).rows
    return [row["points"] for row in rows if row["record"] == "entry"]


def test_a_late_correction_is_proposed_approved_and_stands_beside_the_original(
    office: CommandLine,
):
    assert entries(office) == [500]
    correct(office)
    rows = restated(office)
    [otif] = [row for row in rows if (row["subject"], row["kpi"]) == ("R1", "otif")]
    assert (otif["then_value"], otif["then_hits"], otif["then_state"]) == (0.964, 241, "green")
    assert (otif["value"], otif["hits"], otif["state"]) == (0.948, 237, "red")
    [decision] = [row for row in rows if row["record"] == "decision"]
    assert (decision["points"], decision["status"]) == (-500, "proposed")
    facts = [row for row in rows if row["record"] == "fact"]
    assert [fact["source_id"] for fact in facts] == ["20009", "20010", "20011", "20012"]
    assert facts[0]["why"] == (
        "Order line 20009 (erp): received on 14 May 2026 instead of 12 May 2026, "
        "told by corrections.csv on 14 August 2026."
    )
    assert entries(office) == [500]

    told = done(office.run("proposals", "approve", "1", "--by", "Lea", "--now", SEPTEMBER))
    assert "Proposal 1 is approved: 500 points taken back." in told.err
    assert entries(office) == [500, -500]
    story = done(office.run("statement", "R1")).out
    assert "OTIF 96.40%" in story
    assert "Known now: OTIF 94.80% (target 95%, 250 lines)" in story
    assert "told by corrections.csv on 14 August 2026" in story
    frozen = office.figures("2026Q2", "--partner", "R1")
    assert frozen["otif"]["value"] == 0.964

    second = restated(office)
    assert {row["record"] for row in second} == {"figure"}
    [listed] = done(office.run("proposals", "list", "--format", "json")).rows
    assert (listed["state"], listed["settled_by"]) == ("approved", "Lea")
    assert done(office.run("proposals", "list", "--open", "--format", "json")).rows == []


def test_a_refused_proposal_changes_nothing_and_does_not_come_back(office: CommandLine):
    correct(office)
    restated(office)
    done(office.run("proposals", "refuse", "1", "--why", "Our carrier's fault", "--by", "Lea"))
    [decision] = [row for row in restated(office) if row["record"] == "decision"]
    assert (decision["status"], decision["proposal"]) == ("told", None)
    assert entries(office) == [500]
    refused = office.run("proposals", "approve", "1")
    assert refused.status == 2
    assert "Proposal 1 was refused by Lea" in refused.err


def test_a_statement_says_what_is_still_to_be_taken_back(office: CommandLine):
    correct(office)
    restated(office)
    spend(office, 300)
    done(office.run("proposals", "approve", "1", "--now", SEPTEMBER))
    assert "Still to be taken back: 300 points" in done(office.run("statement", "R1")).out
    french = done(office.run("statement", "R1", "--language", "fr")).out
    assert "Encore à reprendre\u202f: 300 points" in french
    rows = done(office.run("statement", "R1", "--format", "json")).rows
    assert [row["balance"] for row in rows if row["record"] in ("balance", "carried")] == [0, -300]


def spend(office: CommandLine, points: int) -> None:
    """Redeem points, as a gift would."""
    engine = open_database(office.database_url)

    def work(session: Session) -> None:
        source, target = (
            account(session, kind, "partner:R1") for kind in (AccountKind.WALLET, AccountKind.SPENT)
        )
        day = date(2026, 8, 20)
        move, why = Move(source, target, points), Words("A gift", "Un cadeau")
        post(session, key="gift", why=why, moves=[move], effective_on=day, now=NOW)

    transact(engine, work)
    engine.dispose()


def test_a_policy_comes_from_the_environment(office: CommandLine):
    correct(office)
    for name, value, why in (
        ("WINDOW_DAYS", "30", "it could be put right until 2 August 2026"),
        ("MIN_POINTS", "501", "less than 501 points"),
        ("TAKE_BACK", "false", "points once given stay given"),
    ):
        told = office.run(
            *("restate", "2026Q2", "--now", SEPTEMBER, "--format", "json"),
            **{f"PARTNER_CX_RESTATE_{name}": value},
        )
        [decision] = [row for row in done(told).rows if row["record"] == "decision"]
        assert (decision["status"], decision["why"]) == ("told", f"not proposed: {why}")


def test_a_restatement_reads_well_in_both_languages(office: CommandLine):
    correct(office)
    english = done(office.run("restate", "2026Q2", "--now", SEPTEMBER))
    assert "[1] R1, On-time bonus, Q2 2026: 500 points proposed to be taken back." in english.out
    french = done(office.run("restate", "2026Q2", "--now", SEPTEMBER, "--language", "fr"))
    assert "reprise de 500 points proposée" in french.out
    assert "reçue le 14 mai 2026 au lieu du 12 mai 2026, selon corrections.csv" in french.out
    assert "propositions ouvertes\u202f: 1" in french.err
    shown = done(office.run("proposals", "show", "1", "--language", "fr")).out
    assert "rectification" in shown


def test_an_open_period_is_not_restated(office: CommandLine):
    answer = office.run("restate", "2026Q3", "--now", SEPTEMBER)
    assert answer.status == 2
    assert "2026Q3 isn't closed" in answer.err
