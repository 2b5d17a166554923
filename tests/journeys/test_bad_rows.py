"""Rows with something wrong: each is set aside with its place, its reason and what to do about it.

One file per kind of fact, as they come: two good rows, and one bad row of every sort between them.
The good ones are taken with status 1, the others stand in the problems file; mended there and
imported again, all are in with status 0.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest

from tests.journeys.command_line import Answer, CommandLine


@dataclass(frozen=True)
class Bad:
    """What is wrong with a row, the cells that make it so, and how it is answered.

    mended: cells the mended row has besides those of a good one.
    """

    name: str
    cells: Mapping[str, str]
    column: str
    words: str
    mended: Mapping[str, str] = field(default_factory=dict)


DAY = "not a day such as 2026-05-31"
MOMENT = "not a moment such as"
ABOVE_ZERO = "not a quantity above zero, up to 1,000,000,000 with six decimals"
NO_PARTNER = "No partner has this code. Import the partner first"
TARGET = "not a number the KPI can reach. Write a share as 0.95 or 95 %"

GOOD: dict[str, dict[str, str]] = {
    "partners": {"code": "N1", "name": "Nord", "kind": "reseller", "parent_code": "P1",
                 "language": "fr", "joined_on": "2025-01-01", "left_on": ""},
    "people": {"email": "ann@nord.example", "name": "Ann", "role": "rep", "partner_code": "",
               "language": "en"},
    "order-lines": {"source_id": "L1", "order_code": "O1", "partner_code": "P1",
                    "ordered_qty": "10", "window_start": "2026-04-09", "window_end": "2026-04-10",
                    "status": "done", "value": "12.50", "currency": "EUR",
                    "received_qty": "10", "received_on": "2026-04-10"},
    "receipts": {"source_id": "R1", "order_line_source_id": "KNOWN", "received_on": "2026-04-10",
                 "qty": "4"},
    "calendars": {"code": "C1", "time_zone": "Europe/Paris", "days": "mon-fri", "opens": "09:00",
                  "closes": "18:00", "holidays": "FR", "closed_on": ""},
    "tickets": {"source_id": "T1", "partner_code": "P1", "opened_at": "2026-06-08T10:00",
                "first_reply_at": "2026-06-08T10:30", "resolved_at": "2026-06-09T10:00",
                "reopened_count": "0", "response_target_minutes": "60",
                "resolution_target_minutes": "", "calendar": "OFFICE", "paused": ""},
    "visits": {"source_id": "V1", "partner_code": "P1", "asset": "A1", "visited_on": "2026-05-02",
               "outcome": "fixed"},
    "portal-events": {"source_id": "E1", "partner_code": "P1", "at": "2026-05-02T10:00:00+02:00",
                      "kind": "login", "person_email": "ann@nord.example", "internal": "no"},
    "catalogue-status": {"source_id": "S1", "partner_code": "P1", "on": "2026-05-02",
                         "filled": "18", "required": "20"},
    "learning": {"source_id": "F1", "partner_code": "P1", "person_email": "ann@nord.example",
                 "course_code": "C1", "enrolled_on": "2026-05-01", "completed_on": "2026-05-09",
                 "progress": "1"},
    "invoices": {"source_id": "I1", "partner_code": "P1", "on": "2026-05-02",
                 "value_minor": "10000", "currency": "EUR", "lines": "10", "disputed_lines": "1",
                 "credited_minor": "0"},
    "answers": {"source_id": "A1", "survey_code": "Q2", "partner_code": "P1",
                "answered_at": "2026-05-02T10:00", "question_code": "nps", "value": "0",
                "text": "", "dismissed": "no"},
    "targets": {"kpi": "otif", "target": "95 %", "from": "2026-01-01", "n_min": "5",
                "coverage_min": "", "stale_after_days": ""},
}  # fmt: skip

BAD: dict[str, list[Bad]] = {
    "partners": [
        Bad("a kind that isn't one", {"kind": "dealer"}, "kind", "not one of distributor"),
        Bad("a partner above that nobody knows", {"parent_code": "P99"}, "parent_code",
            "No partner has this code. Add the partner above"),
        Bad("a partner above itself", {"code": "SELF", "parent_code": "SELF"}, "parent_code",
            "can't stand above itself", {"code": "SELF"}),
        Bad("a circle of partners, one half", {"code": "X", "parent_code": "Y"}, "parent_code",
            "lead back to it. Break the circle", {"code": "X"}),
        Bad("a circle of partners, the other", {"code": "Y", "parent_code": "X"}, "parent_code",
            "lead back to it. Break the circle", {"code": "Y"}),
        Bad("left before it joined", {"joined_on": "2026-01-01", "left_on": "2025-12-31"},
            "left_on", "left before it joined"),
        Bad("a language we don't speak", {"language": "de"}, "language", "not one of fr, en"),
        Bad("no name", {"name": ""}, "name", "cell is empty; it needs a text"),
        Bad("a code of dots, lost in an address", {"code": ".."}, "code", "nothing but dots",
            {"code": "DOTS"}),
        Bad("a code of 30,000 characters", {"code": "9" * 30_000}, "code",
            "not a text of up to 200 characters"),
    ],
    "people": [
        Bad("no e-mail address", {"email": "ann at nord"}, "email", "not an e-mail address"),
        Bad("two addresses in one", {"email": "a@b.example;c@d.example"}, "email",
            "not an e-mail address"),
        Bad("a role that isn't one", {"role": "boss"}, "role", "not one of rep, partner"),
        Bad("a partner's person without partner", {"role": "partner"}, "partner_code",
            "A person with the role partner needs one"),
        Bad("a stranger's person", {"role": "partner", "partner_code": "P99"}, "partner_code",
            NO_PARTNER),
        Bad("no name", {"name": "  "}, "name", "cell is empty"),
    ],
    "order-lines": [
        Bad("an impossible date", {"window_end": "2026-13-05"}, "window_end", DAY),
        Bad("30 February", {"window_end": "2026-02-30"}, "window_end", DAY),
        Bad("a date nobody explained", {"window_end": "05/04/2026"}, "window_end", DAY),
        Bad("the year 2206", {"window_end": "2206-04-10"}, "window_end", DAY),
        Bad("no date", {"window_end": ""}, "window_end", "cell is empty; it needs a day"),
        Bad("a negative quantity", {"ordered_qty": "-10"}, "ordered_qty", ABOVE_ZERO),
        Bad("nothing ordered", {"ordered_qty": "0"}, "ordered_qty", ABOVE_ZERO),
        Bad("seven decimals", {"ordered_qty": "1.0000001"}, "ordered_qty", ABOVE_ZERO),
        Bad("text in a number", {"ordered_qty": "ten"}, "ordered_qty", ABOVE_ZERO),
        Bad("a comma nobody explained", {"ordered_qty": "1,5"}, "ordered_qty", ABOVE_ZERO),
        Bad("not a number at all", {"ordered_qty": "NaN"}, "ordered_qty", ABOVE_ZERO),
        Bad("without end", {"ordered_qty": "1e99"}, "ordered_qty", ABOVE_ZERO),
        Bad("beyond the most", {"ordered_qty": "1000000000.1"}, "ordered_qty", ABOVE_ZERO),
        Bad("a partner nobody knows", {"partner_code": "P99"}, "partner_code", NO_PARTNER),
        Bad("a status that isn't one", {"status": "lost"}, "status", "not one of open, done"),
        Bad("a window turned round", {"window_start": "2026-04-11"}, "window_start",
            "The window starts after it ends"),
        Bad("half a receipt", {"received_on": ""}, "received_qty",
            "A receipt needs both its quantity and its day"),
        Bad("less than nothing received", {"received_qty": "-1"}, "received_qty",
            "not a quantity of zero or more"),
        Bad("a currency that is none", {"currency": "EURO"}, "currency", "not an ISO currency"),
        Bad("a bell in the order's code", {"order_code": "O\a1"}, "order_code", "not a text"),
        Bad("a code of 30,000 characters", {"source_id": "9" * 30_000}, "source_id",
            "not a text of up to 200 characters"),
        Bad("no id", {"source_id": ""}, "source_id", "cell is empty"),
        Bad("an id twice, telling otherwise", {"source_id": "L1", "ordered_qty": "11"},
            "source_id", "An earlier row of this file has the same id and other contents",
            {"source_id": "L1-bis"}),
    ],
    "receipts": [
        Bad("of a line nobody knows", {"order_line_source_id": "L99"}, "order_line_source_id",
            "No order line has this source_id. Import the order lines first"),
        Bad("on a day that isn't one", {"received_on": "2026-04-31"}, "received_on", DAY),
        Bad("less than nothing", {"qty": "-4"}, "qty", "not a quantity of zero or more"),
    ],
    "calendars": [
        Bad("an unknown time zone", {"time_zone": "Europe/Pari"}, "", "Europe/Pari"),
        Bad("closing before it opens", {"closes": "08:00"}, "", "08:00"),
        Bad("days that are none", {"days": "lun-ven"}, "", "lun-ven"),
        Bad("an hour that is none", {"opens": "9h"}, "", "9h"),
        Bad("a country without holidays", {"holidays": "ZZ"}, "", "ZZ"),
        Bad("a closing day that is none", {"closed_on": "2026-02-30"}, "", "2026-02-30"),
    ],
    "tickets": [
        Bad("a reply before the opening", {"first_reply_at": "2026-06-08T09:59"},
            "first_reply_at", "The first reply is earlier than the ticket"),
        Bad("resolved before the opening", {"resolved_at": "2026-06-07T10:00"}, "resolved_at",
            "The resolution is earlier than the ticket"),
        Bad("garbage pauses", {"paused": "lunch"}, "paused",
            "These pauses can't be understood. Write start/end;start/end"),
        Bad("a pause turned round", {"paused": "2026-06-09T09:00/2026-06-08T14:00"}, "paused",
            "These pauses can't be understood"),
        Bad("a calendar nobody knows", {"calendar": "NIGHT"}, "calendar",
            "No calendar has this code. Import the calendar first"),
        Bad("a moment the spring clock change skips", {"opened_at": "2026-03-29T02:30"},
            "opened_at", MOMENT),
        Bad("a quarter past twenty-five", {"opened_at": "2026-06-08T25:15"}, "opened_at", MOMENT),
        Bad("a target of no time", {"response_target_minutes": "0"}, "response_target_minutes",
            "not a whole number from 1"),
        Bad("a target that never comes",
            {"calendar": "RARELY", "resolution_target_minutes": "1000000"}, "opened_at",
            "clocks would run beyond the years we reckon with. Look for a mistyped year"),
        Bad("half a reopening", {"reopened_count": "0.5"}, "reopened_count",
            "not a whole number from 0"),
    ],
    "visits": [
        Bad("an outcome that isn't one", {"outcome": "repaired"}, "outcome", "not one of fixed"),
        Bad("no asset", {"asset": ""}, "asset", "cell is empty"),
    ],
    "portal-events": [
        Bad("a kind that isn't one", {"kind": "logout"}, "kind", "not one of login"),
        Bad("perhaps internal", {"internal": "maybe"}, "internal", "not true or false"),
        Bad("a moment that is none", {"at": "this morning"}, "at", MOMENT),
    ],
    "catalogue-status": [
        Bad("more filled than required", {"filled": "21"}, "filled",
            "More fields are filled than required"),
        Bad("less than nothing filled", {"filled": "-1"}, "filled", "not a whole number from 0"),
    ],
    "learning": [
        Bad("completed before the enrolment", {"completed_on": "2026-04-30"}, "completed_on",
            "The course was completed before the enrolment"),
        Bad("nobody's", {"person_email": ""}, "person_email", "cell is empty"),
    ],
    "invoices": [
        Bad("more disputed than lines", {"disputed_lines": "11"}, "disputed_lines",
            "More lines are disputed than the invoice has"),
        Bad("cents of a cent", {"value_minor": "10000.5"}, "value_minor", "not a whole number"),
        Bad("a currency that is none", {"currency": "XYZ"}, "currency", "not an ISO currency"),
    ],
    "answers": [
        Bad("a score outside its scale", {"value": "11"}, "value",
            "A nps score lies between 0 and 10"),
        Bad("a score below its scale", {"value": "-1"}, "value",
            "A nps score lies between 0 and 10"),
        Bad("half a score", {"value": "8.5"}, "value", "A nps score lies between 0 and 10"),
        Bad("a 0 where 1 is the least", {"question_code": "csat"}, "value",
            "A csat score lies between 1 and 5"),
        Bad("words for a score", {"value": "good"}, "value", "not a number such as 9 or 72.5"),
        Bad("neither yes nor no", {"dismissed": "later"}, "dismissed", "not true or false"),
    ],
    "targets": [
        Bad("a KPI nobody knows", {"kpi": "otiff"}, "kpi", "No KPI has this code. The codes are"),
        Bad("more than all", {"target": "250 %"}, "target", TARGET, {"from": "2026-02-01"}),
        Bad("less than nothing", {"target": "-5 %"}, "target", TARGET, {"from": "2026-03-01"}),
        Bad("no number", {"target": "high"}, "target", TARGET, {"from": "2026-04-01"}),
        Bad("beyond the scale", {"kpi": "nps", "target": "500"}, "target", TARGET,
            {"from": "2026-05-01"}),
        Bad("a number beyond numbers", {"kpi": "nps", "target": "1e999999"}, "target", TARGET,
            {"from": "2026-06-01"}),
        Bad("less than no minutes", {"kpi": "first_response", "target": "-5"}, "target", TARGET,
            {"from": "2026-07-01"}),
        Bad("an average share of cases", {"n_min": "4.5"}, "n_min", "not a whole number from 0",
            {"from": "2026-08-01"}),
        Bad("a coverage of more than all", {"coverage_min": "170 %"}, "coverage_min", TARGET,
            {"from": "2026-09-01"}),
    ],
}  # fmt: skip
KEYS = {"partners": "code", "people": "email", "calendars": "code", "targets": "from"}


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    """A programme with a partner, a calendar and an order line that others may name."""
    office = CommandLine(database_url, tmp_path)
    office.take("partners", "code,name,kind\nP1,Partner One,distributor")
    office.take("calendars", """
        code   | time_zone    | days    | opens | closes
        OFFICE | Europe/Paris | mon-fri | 09:00 | 18:00
        RARELY | Europe/Paris | sat     | 22:00 | 23:00
    """)  # fmt: skip
    office.take("order-lines", """
        source_id | order_code | partner_code | ordered_qty | window_end
        KNOWN     | O0         | P1           | 10          | 2026-04-10
    """)  # fmt: skip
    return office


def test_there_are_many_kinds_of_bad_rows() -> None:
    assert sum(len(bad) for bad in BAD.values()) >= 80


@pytest.mark.parametrize("kind", BAD)
def test_bad_rows_are_told_set_aside_mended_and_taken(office: CommandLine, kind: str) -> None:
    bad = BAD[kind]
    rows = [
        _good(kind, 0),
        *(_bad(kind, each, n) for n, each in enumerate(bad, 1)),
        _good(kind, 99),
    ]
    path = _written(office.folder / f"{kind}.csv", rows)

    first = office.run("import", kind, path, "--format", "json")
    assert first.status == 1
    assert _counts(first) == (2, 0, 0, len(bad))

    told = _problems(office.folder / f"{kind}.problems.csv")
    for line, each in enumerate(bad, start=3):
        said = told[str(line)]["problem"]
        assert said.startswith(each.column), each.name
        assert each.words in said, each.name
        assert f"line {line}, {said}" in first.err or len(bad) > 20, each.name
    assert _as_written(told.values()) == rows[1:-1]

    mended = [{**row, **_mended(kind, each, n)} for n, (each, row) in
              enumerate(zip(bad, told.values(), strict=True), 1)]  # fmt: skip
    again = office.run(
        "import", kind, _written(office.folder / f"{kind}.problems.csv", mended), "--format", "json"
    )
    assert (again.status, _counts(again)) == (0, (len(bad), 0, 0, 0)), again.err

    complete = office.run("import", kind, path, "--format", "json")
    assert complete.status == 1  # the first file is as bad as ever, and brings nothing new
    assert _counts(complete) == (0, 2, 0, len(bad))


def test_messages_and_problems_are_told_in_french_too(office: CommandLine) -> None:
    path = _written(office.folder / "visits.csv", [{**_good("visits", 1), "partner_code": "P99"}])
    answer = office.run("import", "visits", path, "--language", "fr")
    told = "ligne 2, partner_code («\u202fP99\u202f»)\u202f: Aucun partenaire n’a ce code."
    assert told in answer.err
    assert (
        "Importez d’abord le partenaire"
        in _problems(path.with_suffix(".problems.csv"))["2"]["problem"]
    )


def test_a_ragged_row_is_set_aside_with_all_its_fields(office: CommandLine) -> None:
    path = office.file(
        "visits.csv",
        "source_id,partner_code,asset,visited_on,outcome\n"
        "V1,P1,A1,2026-05-02,fixed\n"
        "V2,P1,A2, the red one,2026-05-02,fixed\n"
        "V3,P1,A3,2026-05-02\n",
    )
    first = office.run("import", "visits", path, "--format", "json")
    assert (first.status, _counts(first)) == (1, (1, 0, 0, 2))
    assert "line 3, the row has too many fields: 6 where the header has 5." in first.err
    assert "line 4, the row has too few fields: 4 where the header has 5." in first.err
    problems = path.with_suffix(".problems.csv")
    problems.write_text(
        problems.read_text()
        .replace("A2, the red one", '"A2, the red one"')
        .replace("A3,2026-05-02", "A3,2026-05-02,fixed")
    )
    again = office.run("import", "visits", problems, "--format", "json")
    assert (again.status, _counts(again)) == (0, (2, 0, 0, 0)), again.err


def test_a_file_of_which_no_row_could_be_read_tells_nothing(office: CommandLine) -> None:
    ragged = "source_id,partner_code,asset,visited_on,outcome\nV1,P1\nV2,P1,A1,2026-05-02\n"
    first = office.run("import", "visits", office.file("visits.csv", ragged), "--format", "json")
    assert (first.status, _counts(first)) == (1, (0, 0, 0, 2))
    kept = office.contents()["imports"][-1]
    assert (kept["kind"], kept["taken"], kept["refused"]) == ("visits", 0, 2)


def test_a_row_that_couldnt_be_read_counts_as_refused_beside_others(office: CommandLine) -> None:
    rows = "V1,P1,A1,2026-05-02,fixed\nV2,P1\nV3,P99,A1,2026-05-02,fixed\n"
    header = "source_id,partner_code,asset,visited_on,outcome\n"
    path = office.file("visits.csv", header + rows)
    first = office.run("import", "visits", path, "--format", "json")
    assert (first.status, _counts(first)) == (1, (1, 0, 0, 2))
    kept = office.contents()["imports"][-1]
    assert (kept["kind"], kept["taken"], kept["refused"]) == ("visits", 1, 2)


def test_a_formula_never_calculated_is_set_aside(office: CommandLine) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["source_id", "partner_code", "asset", "visited_on", "outcome"],
        ["V1", "P1", "A1", "2026-05-02", "fixed"],
        ["V2", "P1", "A1", "=TODAY()", "fixed"],
        ["V3", "P1", "A1", "2026-05-04", "fixed"],
    ):
        sheet.append(row)
    path = office.folder / "visits.xlsx"
    book.save(path)
    first = office.run("import", "visits", path, "--format", "json")
    assert (first.status, _counts(first)) == (1, (2, 0, 0, 1))
    assert "line 3, visited_on: the formula has never been calculated" in first.err
    problems = path.with_suffix(".problems.csv")
    rows = [{**row, "visited_on": "2026-05-03"} for row in _problems(problems).values()]
    assert [row["source_id"] for row in rows] == ["V2"]
    _written(problems, rows)
    again = office.run("import", "visits", problems, "--format", "json")
    assert (again.status, _counts(again)) == (0, (1, 0, 0, 0)), again.err


def test_tickets_of_two_centuries_run_their_clocks_apart(office: CommandLine) -> None:
    assert office.take("tickets", """
        source_id | partner_code | opened_at        | response_target_minutes | calendar
        OLD       | P1           | 1970-01-02T10:00 | 60                      | OFFICE
        FUTURE    | P1           | 2099-01-02T10:00 | 60                      | OFFICE
        NOW       | P1           | 2026-06-08T17:30 | 60                      | OFFICE
    """) == (3, 0, 0)  # fmt: skip
    due = {row["source_id"]: row["response_due_on"] for row in office.contents()["tickets"]}
    assert {name: str(day) for name, day in due.items()} == {
        "OLD": "1970-01-02", "FUTURE": "2099-01-02", "NOW": "2026-06-09",
    }  # fmt: skip


def test_a_dismissed_question_has_no_answer_whatever_its_cell_holds(office: CommandLine) -> None:
    assert office.take("answers", """
        source_id | survey_code | partner_code | answered_at | question_code | value | dismissed
        A1        | Q2          | P1           | 2026-05-02  | nps           | 0     | no
        A2        | Q2          | P1           | 2026-05-02  | nps           | 9     | yes
    """) == (2, 0, 0)  # fmt: skip
    nps = office.figures("2026Q2", "--kpi", "nps", "--now", "2026-07-01")["nps"]
    assert (nps["value"], nps["hits"], nps["of"], nps["n"]) == (-100, -1, 1, 1)


def test_a_row_said_twice_alike_is_one(office: CommandLine) -> None:
    rows = [_good("order-lines", 1), _good("order-lines", 1)]
    path = _written(office.folder / "order-lines.csv", rows)
    answer = office.run("import", "order-lines", path, "--format", "json")
    assert (answer.status, _counts(answer)) == (0, (1, 1, 0, 0))


def test_whole_numbers_may_be_written_as_other_programs_do(office: CommandLine) -> None:
    plain = {**_good("invoices", 1), "value_minor": "1200.0", "lines": "12.00"}
    path = _written(office.folder / "invoices.csv", [plain])
    assert office.run("import", "invoices", path).status == 0
    grouped = {**_good("invoices", 2), "value_minor": "1.200,0", "lines": "12"}
    path = _written(office.folder / "invoices.csv", [grouped])
    mapping = office.file("map.toml", "[read]\ndecimal = ','\nthousands = '.'\n")
    assert office.run("import", "invoices", path, "--map", mapping).status == 0
    written = office.contents()["invoices"]
    assert [row["value_minor"] for row in written] == [1200, 1200]


def test_money_is_kept_in_its_currency_s_smallest_unit(office: CommandLine) -> None:
    lines = [("EUR", "12.5"), ("JPY", "1250"), ("TND", "1.250"), ("UGX", "1250"), ("HUF", "12.5")]
    rows = [{**_good("order-lines", n), "currency": currency, "value": value}
            for n, (currency, value) in enumerate(lines, 1)]  # fmt: skip
    path = _written(office.folder / "order-lines.csv", rows)
    assert office.run("import", "order-lines", path).status == 0
    kept = {row["currency"]: row["value_minor"] for row in office.contents()["order_lines"]}
    assert kept.pop(None) is None  # the line without a value has no currency
    assert kept == dict.fromkeys([currency for currency, _ in lines], 1250)


# --- Rows -----------------------------------------------------------------------------------------


def _key(kind: str) -> str:
    return KEYS.get(kind, "source_id")


def _own_key(kind: str, number: int) -> dict[str, str]:
    """What makes a row one of its own: an id, a code, an address, a day."""
    if kind == "targets":
        return {"from": f"2025-01-{number % 28 + 1:02}"}
    return {_key(kind): f"{number}-{GOOD[kind][_key(kind)]}" if number else GOOD[kind][_key(kind)]}


def _good(kind: str, number: int) -> dict[str, str]:
    return {**GOOD[kind], **_own_key(kind, number)}


def _bad(kind: str, bad: Bad, number: int) -> dict[str, str]:
    return {**_good(kind, number), **bad.cells}


def _mended(kind: str, bad: Bad, number: int) -> dict[str, str]:
    return {**_good(kind, number), **bad.mended}


def _written(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _problems(path: Path) -> dict[str, dict[str, str]]:
    """A problems file by its lines."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {row["line"]: row for row in csv.DictReader(file)}


def _as_written(rows: object) -> list[dict[str, str]]:
    return [{name: value for name, value in row.items() if name not in ("line", "problem")}
            for row in rows]  # type: ignore[attr-defined]  # fmt: skip


def _counts(answer: Answer) -> tuple[int, ...]:
    row = answer.rows[0]
    return tuple(row[name] for name in ("taken", "unchanged", "corrected", "refused"))
