"""The demo network: files that import as a user's own would, and a story that is in the data."""

from __future__ import annotations

import tomllib
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from api.demo.cast import BAD_CARRIER_REGION, CORRECTED, DECLINING, SHINING
from api.demo.network import DemoFile, make_network
from api.demo.verbatims import COMMENTS, HAPPY, UNHAPPY
from integrations.files.mapping import Mapping

UNTIL = date(2026, 11, 21)
LAST_FULL = "2026Q3"
BEFORE_THE_CARRIER, WITH_THE_CARRIER = ("2024Q4", "2025Q3"), ("2026Q1", "2026Q3")

# kind -> required columns | optional columns, as the formats have them
COLUMNS = {
    "partners": "code name kind|parent_code tier region country language joined_on left_on "
    "source_id",
    "people": "email name role|partner_code language",
    "groups": "group_code partner_code|label",
    "reps": "rep_email partner_code|visits",
    "calendars": "code time_zone days opens closes|holidays closed_on",
    "targets": "kpi target from|n_min coverage_min stale_after_days group",
    "order-lines": "source_id order_code partner_code ordered_qty window_end|window_start status "
    "cancelled_on product_code value currency received_qty received_on",
    "receipts": "source_id order_line_source_id received_on qty|",
    "tickets": "source_id partner_code opened_at|first_reply_at resolved_at reopened_count "
    "response_target_minutes resolution_target_minutes calendar paused contacts channel category",
    "visits": "source_id partner_code asset visited_on outcome|",
    "portal-events": "source_id partner_code at kind|person_email internal",
    "catalogue-status": "source_id partner_code on filled required|",
    "learning": "source_id partner_code person_email course_code enrolled_on|completed_on progress",
    "invoices": "source_id partner_code on value_minor currency|lines disputed_lines "
    "credited_minor",
    "answers": "source_id survey_code partner_code answered_at question_code|value text dismissed "
    "respondent",
    "referrals": "source_id partner_code on|referred_name",
    "quotes": "source_id partner_code requested_at|quoted_at",
}
# What happened; windows and closing days may lie ahead.
HAPPENED = (
    *("joined_on", "left_on", "received_on", "cancelled_on", "opened_at", "first_reply_at"),
    *("resolved_at", "visited_on", "at", "on", "enrolled_on", "completed_on", "answered_at"),
    *("requested_at", "quoted_at"),
)
ONE_AFTER_THE_OTHER = (
    ("partners", "joined_on", "left_on"),
    ("order-lines", "window_start", "window_end"),
    ("tickets", "opened_at", "first_reply_at"),
    ("tickets", "first_reply_at", "resolved_at"),
    ("learning", "enrolled_on", "completed_on"),
    ("quotes", "requested_at", "quoted_at"),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[DemoFile]:
    return make_network(tmp_path_factory.mktemp("network"), until=UNTIL)


@pytest.fixture(scope="module")
def tables(files: list[DemoFile]) -> dict[str, pd.DataFrame]:
    """Every file under our own column names, by its name without the ending."""
    return {file.path.stem: read(file) for file in files}


def read(file: DemoFile) -> pd.DataFrame:
    """Read a file of the demo as an import would, with its mapping; dates become dates."""
    table = _read_as_it_is(file)
    for column in table.columns.intersection([*HAPPENED, "window_start", "window_end"]):
        days = pd.to_datetime(table[column], format=_date_format(file))
        table[column] = days.dt.tz_localize(None) if days.dt.tz else days
    return table


def _read_as_it_is(file: DemoFile) -> pd.DataFrame:
    if file.path.suffix == ".parquet":
        return pd.read_parquet(file.path)
    if file.path.suffix == ".xlsx":
        return pd.read_excel(file.path, engine="openpyxl")
    if file.mapping_path is None:
        return pd.read_csv(file.path)
    mapping = tomllib.loads(file.mapping_path.read_text(encoding="utf-8"))
    how = mapping["read"]
    theirs = pd.read_csv(
        file.path, sep=how["delimiter"], decimal=how["decimal"], encoding=how["encoding"]
    )
    table = theirs.rename(columns={theirs: ours for ours, theirs in mapping["columns"].items()})
    for column, words in mapping.get("values", {}).items():
        table[column] = table[column].map(words)
    return table


def _date_format(file: DemoFile) -> str:
    return "ISO8601" if file.mapping_path is None else "%d/%m/%Y"


def otif(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Due lines with `kept` (on time, in full), slowly and obviously; with region and quarter."""
    lines, receipts = tables["order-lines"], tables["receipts"]
    short_form = lines[["source_id", "received_on", "received_qty"]].dropna()
    short_form = short_form.set_axis(["order_line_source_id", "received_on", "qty"], axis=1)
    came = pd.concat([short_form, receipts]).merge(
        lines[["source_id", "window_start", "window_end"]],
        left_on="order_line_source_id",
        right_on="source_id",
        suffixes=("_receipt", ""),
    )
    early, late = (
        came["received_on"] < came["window_start"],
        came["received_on"] > came["window_end"],
    )
    in_window = came[~early & ~late].groupby("source_id")["qty"].sum()
    due = lines[lines["window_end"] < pd.Timestamp(UNTIL)]
    due = due[due["status"] != "cancelled_by_customer"].copy()
    due["kept"] = due["source_id"].map(in_window).fillna(0) >= due["ordered_qty"]
    due["quarter"] = due["window_end"].dt.to_period("Q").astype(str)
    due["region"] = due["partner_code"].map(tables["partners"].set_index("code")["region"])
    return due


def test_the_same_seed_writes_the_same_bytes(files: list[DemoFile], tmp_path: Path) -> None:
    again = make_network(tmp_path, until=UNTIL)
    assert [file.path.name for file in again] == [file.path.name for file in files]
    for one, other in zip(files, again, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes(), one.path.name
        if one.mapping_path and other.mapping_path:
            assert one.mapping_path.read_bytes() == other.mapping_path.read_bytes()


def test_the_workbook_does_not_tell_when_it_was_written(files: list[DemoFile]) -> None:
    workbook = next(file.path for file in files if file.path.suffix == ".xlsx")
    with zipfile.ZipFile(workbook) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert str(date.today().year).encode() not in archive.read("docProps/core.xml")  # noqa: DTZ011


def test_another_seed_writes_other_facts_about_the_same_partners(
    files: list[DemoFile], tmp_path: Path
) -> None:
    others = {file.path.stem: file for file in make_network(tmp_path, until=UNTIL, seed=8)}
    ours = {file.path.stem: file for file in files}
    assert list(read(others["partners"])["code"]) == list(read(ours["partners"])["code"])
    assert others["order-lines"].path.read_bytes() != ours["order-lines"].path.read_bytes()


def test_every_file_has_the_columns_of_its_kind(
    files: list[DemoFile], tables: dict[str, pd.DataFrame]
) -> None:
    assert {file.kind for file in files} == set(COLUMNS)
    for file in files:
        required, _, optional = COLUMNS[file.kind].partition("|")
        has = set(tables[file.path.stem].columns)
        assert set(required.split()) <= has <= {*required.split(), *optional.split()}, file.kind


def test_the_mappings_are_understood(files: list[DemoFile]) -> None:
    foreign = {file.kind: Mapping.read(file.mapping_path) for file in files if file.mapping_path}
    assert foreign["receipts"].decimal == ","
    assert foreign["invoices"].encoding == "iso8859-1"
    assert all(mapping.formats("received_on") == ("%d/%m/%Y",) for mapping in foreign.values())
    assert all(mapping.delimiter == ";" for mapping in foreign.values())


def test_what_others_refer_to_comes_before_them(files: list[DemoFile]) -> None:
    order = [file.path.stem for file in files]
    assert order[0] == "partners"
    assert order.index("calendars") < order.index("tickets")
    assert order.index("order-lines") < order.index("receipts")
    assert order[-1] == "order-lines-corrections"


def test_a_source_id_is_unique_within_its_file(tables: dict[str, pd.DataFrame]) -> None:
    for name, table in tables.items():
        for key in table.columns.intersection(["source_id", "email", "code"]):
            assert table[key].is_unique, (name, key)


def test_everything_named_is_known(tables: dict[str, pd.DataFrame]) -> None:
    partners = set(tables["partners"]["code"])
    for name, table in tables.items():
        for column in table.columns.intersection(["partner_code", "parent_code"]):
            assert set(table[column].dropna()) <= partners, name
    people = set(tables["people"]["email"])
    assert set(tables["portal-events"]["person_email"]) <= people
    assert set(tables["learning"]["person_email"]) <= people
    assert all(email.endswith(".example") for email in people)
    assert set(tables["tickets"]["calendar"]) == set(tables["calendars"]["code"])
    assert set(tables["receipts"]["order_line_source_id"]) <= set(
        tables["order-lines"]["source_id"]
    )


def test_nothing_happened_before_the_stage_or_after_its_end(
    tables: dict[str, pd.DataFrame],
) -> None:
    for name, table in tables.items():
        for column in table.columns.intersection([*HAPPENED]):
            days = table[column].dropna()
            assert (days < pd.Timestamp(UNTIL)).all(), (name, column)
            if name != "partners":
                assert (days > pd.Timestamp("2024-09-15")).all(), (name, column)
    ahead = tables["order-lines"]["window_end"] >= pd.Timestamp(UNTIL)
    assert ahead.any()
    assert tables["order-lines"].loc[ahead, "window_end"].max() < pd.Timestamp("2026-12-31")


@pytest.mark.parametrize(("name", "first", "then"), ONE_AFTER_THE_OTHER)
def test_what_follows_does_not_come_first(
    tables: dict[str, pd.DataFrame], name: str, first: str, then: str
) -> None:
    known = tables[name][[first, then]].dropna()
    assert len(known)
    assert (known[first] <= known[then]).all()


def test_a_partner_orders_only_while_it_is_one(tables: dict[str, pd.DataFrame]) -> None:
    partners = tables["partners"].set_index("code")
    lines = tables["order-lines"].join(partners[["joined_on", "left_on"]], on="partner_code")
    assert (lines["window_end"] >= lines["joined_on"]).all()
    assert not (lines["window_end"] >= lines["left_on"]).any()
    assert partners["left_on"].notna().sum() >= 3
    assert (partners["joined_on"] > pd.Timestamp("2024-10-01")).sum() >= 5


def test_the_sizes_are_those_of_a_lively_network(tables: dict[str, pd.DataFrame]) -> None:
    expected = {"partners": 63, "order-lines": 30_000, "tickets": 4_000, "portal-events": 40_000}
    expected |= {"answers": 3_500}
    for name, about in expected.items():
        assert 0.85 * about <= len(tables[name]) <= 1.15 * about, (name, len(tables[name]))


def test_order_lines_end_in_every_way_a_line_can(tables: dict[str, pd.DataFrame]) -> None:
    lines, receipts = tables["order-lines"], tables["receipts"]
    assert set(lines["status"]) == {
        *("open", "done", "cancelled_by_customer", "cancelled_by_supplier")
    }
    assert (lines["received_qty"] > lines["ordered_qty"]).any()
    assert receipts["order_line_source_id"].duplicated().any()
    told_twice = set(receipts["order_line_source_id"]) & set(
        lines.loc[lines["received_on"].notna(), "source_id"]
    )
    assert not told_twice


def test_december_is_busier_than_august(tables: dict[str, pd.DataFrame]) -> None:
    months = tables["order-lines"]["window_end"].dt.month.value_counts()
    assert months[12] > 2 * months[8]


def test_the_bad_carrier_makes_one_region_late_and_no_other(
    tables: dict[str, pd.DataFrame],
) -> None:
    lines = otif(tables)
    there = lines["region"] == BAD_CARRIER_REGION
    before = lines["quarter"].between(*BEFORE_THE_CARRIER)
    after = lines["quarter"].between(*WITH_THE_CARRIER)
    assert lines[there & before]["kept"].mean() > 0.95
    assert lines[there & after]["kept"].mean() < 0.88
    assert lines[~there & after]["kept"].mean() > 0.95


def test_partners_of_the_bad_carriers_region_recommend_less(
    tables: dict[str, pd.DataFrame],
) -> None:
    answers = tables["answers"][lambda a: a["question_code"] == "pnps"]
    region = answers["partner_code"].map(tables["partners"].set_index("code")["region"])
    there = answers[region == BAD_CARRIER_REGION]
    late = there["answered_at"] >= pd.Timestamp("2026-01-01")
    assert there[late]["value"].mean() < there[~late]["value"].mean() - 1.5


def test_the_declining_partner_leaves_the_portal_and_orders_less(
    tables: dict[str, pd.DataFrame],
) -> None:
    events = tables["portal-events"]
    events = events[(events["partner_code"] == DECLINING) & ~events["internal"]]
    seen = events["at"].dt.to_period("Q").astype(str).value_counts()
    assert seen["2025Q1"] > 200
    assert seen.get("2026Q2", 0) < 20
    assert LAST_FULL not in seen
    orders = otif(tables)[lambda lines: lines["partner_code"] == DECLINING]
    by_quarter = orders["quarter"].value_counts()
    assert by_quarter[LAST_FULL] < 0.4 * by_quarter["2024Q4"]


def test_nobody_is_served_better_than_the_small_one_that_shines(
    tables: dict[str, pd.DataFrame],
) -> None:
    shares = otif(tables).groupby("partner_code")["kept"].agg(["mean", "size"])
    assert shares.loc[SHINING, "mean"] == 1
    assert (shares[shares["size"] >= 100]["mean"].drop(SHINING) < 1).all()
    assert shares["size"][SHINING] < shares["size"].median()
    score = tables["answers"][lambda a: a["question_code"] == "pnps"]
    assert score.groupby("partner_code")["value"].mean()[SHINING] > 9
    learned = tables["learning"][lambda table: table["partner_code"] == SHINING]
    assert learned["completed_on"].notna().mean() > 0.8


def test_most_misses_are_near_ones_and_every_quarter_has_winners_and_losers(
    tables: dict[str, pd.DataFrame],
) -> None:
    lines = otif(tables)
    by_quarter = lines[lines["quarter"] <= LAST_FULL].groupby(["quarter", "partner_code"])["kept"]
    judged = by_quarter.agg(["sum", "size"])[lambda shares: shares["size"] >= 10]
    won = judged["sum"] * 100 >= judged["size"] * 95
    won_per_quarter = won.groupby("quarter").mean()
    assert won_per_quarter.between(0.4, 0.85).all()
    lacking = -((judged["sum"] * 100 - judged["size"] * 95) // 100)[~won]
    assert (lacking <= 3).mean() > 0.5


def test_corrections_speak_of_lines_already_told_and_cost_one_partner_its_bonus(
    tables: dict[str, pd.DataFrame],
) -> None:
    corrected, told = tables["order-lines-corrections"], tables["order-lines"]
    before = told.set_index("source_id").loc[corrected["source_id"]].reset_index()
    moved = before["received_on"] != corrected["received_on"]
    assert (moved | (before["received_qty"] != corrected["received_qty"])).mean() > 0.7
    assert before["order_code"].equals(corrected["order_code"])
    known_then = _share(otif(tables))
    now = {**tables, "order-lines": _with_corrections(told, corrected)}
    assert known_then >= 0.97 > _share(otif(now))


def _with_corrections(told: pd.DataFrame, corrected: pd.DataFrame) -> pd.DataFrame:
    kept = told[~told["source_id"].isin(corrected["source_id"])]
    return pd.concat([kept, corrected])


def _share(lines: pd.DataFrame, quarter: str = LAST_FULL) -> float:
    theirs = (lines["partner_code"] == CORRECTED) & (lines["quarter"] == quarter)
    return float(lines[theirs]["kept"].mean())


def test_comments_are_in_both_languages_and_fit_their_scores(
    tables: dict[str, pd.DataFrame],
) -> None:
    said = tables["answers"].dropna(subset=["text"])
    assert said["text"].nunique() >= 60
    for language in ("fr", "en"):
        ours = {
            words
            for (_, _, spoken), several in COMMENTS.items()
            if spoken == language
            for words in several
        }
        assert said["text"].isin(ours).sum() > 50
    for mood, least, most in ((HAPPY, 9, 10), (UNHAPPY, 0, 6)):
        words = {
            text for (_, felt, _), several in COMMENTS.items() if felt == mood for text in several
        }
        scores = said[(said["question_code"] == "pnps") & said["text"].isin(words)]
        assert len(scores) > 5
        assert scores["value"].between(least, most).all()


def test_a_zero_is_an_answer_and_a_dismissed_question_has_none(
    tables: dict[str, pd.DataFrame],
) -> None:
    answers = tables["answers"]
    assert (answers["value"] == 0).sum() >= 5
    assert answers["dismissed"].sum() >= 50
    assert answers.loc[answers["dismissed"], "value"].isna().all()
    assert answers.loc[~answers["dismissed"], "value"].notna().all()


def test_tickets_pause_reopen_and_now_and_then_stay_unanswered(
    tables: dict[str, pd.DataFrame],
) -> None:
    tickets = tables["tickets"]
    assert tickets["paused"].notna().sum() > 100
    assert (tickets["reopened_count"] > 0).sum() > 50
    assert 5 < tickets["first_reply_at"].isna().sum() < 100
    assert len(tables["calendars"]) == 4


@pytest.mark.parametrize("until", [date(2026, 1, 1), date(2024, 2, 29), date(2025, 12, 31)])
def test_the_network_can_be_made_for_any_day(until: date, tmp_path: Path) -> None:
    files = {file.path.stem: file for file in make_network(tmp_path, until=until)}
    due = read(files["order-lines"])["window_end"]
    past = set(due[due < pd.Timestamp(until)].dt.to_period("Q"))
    running = pd.Timestamp(until).to_period("Q")
    assert {running - back for back in range(1, 9)} == past - {running}


@pytest.mark.parametrize("until", [date(2025, 5, 20), date(2027, 1, 4)])
def test_the_story_is_the_same_on_any_day(until: date, tmp_path: Path) -> None:
    tables = {file.path.stem: read(file) for file in make_network(tmp_path, until=until)}
    last_full = str(pd.Timestamp(until).to_period("Q") - 1)
    told, corrected = tables["order-lines"], tables["order-lines-corrections"]
    now = {**tables, "order-lines": _with_corrections(told, corrected)}
    then_lines, now_lines = otif(tables), otif(now)
    assert _share(then_lines, last_full) >= 0.97 > _share(now_lines, last_full)
    shining = then_lines[then_lines["partner_code"] == SHINING]
    full = shining[shining["quarter"] <= last_full]
    assert full["kept"].all()
    assert full["quarter"].value_counts().min() >= 10
