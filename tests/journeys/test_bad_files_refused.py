"""Files that can't be used at all: refused in words, with status 2, and nothing is changed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from integrations.files import Mapping
from tests.integrations.files.test_bad_files import BAD, GOOD, Bad, workbook
from tests.journeys.command_line import Answer, CommandLine

ABOUT_COLUMNS = {"a column missing", "two columns missing", "a Parquet without a column"}


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> CommandLine:
    """A programme with one partner and one visit, so that there is something to spoil."""
    office = CommandLine(database_url, tmp_path)
    assert office.take("partners", "code,name,kind\nP1,Partner One,installer") == (1, 0, 0)
    office.run("import", "visits", office.file("good.csv", GOOD), "--map", _mapping(office))
    return office


def test_every_bad_file_changes_nothing_and_is_answered_in_words(office: CommandLine) -> None:
    before = office.contents()
    for bad in BAD:
        path = _made(office, bad)
        answer = office.run("import", "visits", path, "--map", _mapping(office, bad.mapping))
        _assert_refused(answer, path)
        if bad.name not in ABOUT_COLUMNS:  # a real visit has more columns than the reader's tests
            assert [words for words in bad.words if words not in answer.err] == [], bad.name
        assert office.contents() == before, bad.name
    assert not list(office.folder.rglob("*.problems*"))


def test_refusals_are_the_same_from_a_process_of_its_own(office: CommandLine) -> None:
    path = office.file("visits.csv", GOOD.encode("utf-16-le"))
    before = office.contents()
    answer = office.run_apart("import", "visits", path)
    _assert_refused(answer, path)
    assert answer.err.startswith("partner-cx: ")
    assert 'encoding = "utf-16-le"' in answer.err
    assert office.contents() == before


@pytest.mark.parametrize(
    ("name", "toml", "words"),
    [
        ("no TOML", "[columns\n", "map.toml"),
        ("an unknown part", "[colums]\na = 'b'\n", "colums"),
        ("an unknown column of ours", "[columns]\nsource = 'source_id'\n", "source_id"),
        ("a column the file lacks", "[columns]\nsource_id = 'Nummer'\n", "Nummer"),
        ("an unknown encoding", "[read]\nencoding = 'utf-9'\n", "utf-9"),
        ("an unknown date format", "[dates]\nformat = '%Q'\n", "%Q"),
    ],
)
def test_a_bad_mapping_changes_nothing_and_is_answered_in_words(
    office: CommandLine, name: str, toml: str, words: str
) -> None:
    before = office.contents()
    path = office.file("visits.csv", GOOD)
    answer = office.run("import", "visits", path, "--map", office.file("map.toml", toml))
    assert (answer.status, answer.out) == (2, ""), name
    assert words in answer.err
    assert office.contents() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("import", "vists", "visits.csv"), "Did you mean visits?"),
        (("import", "visits"), "FILE"),
        (("import", "visits", "visits.csv", "--map", "no.toml"), "no.toml"),
        (("import", "visits", "visits.csv", "--now", "yesterday"), "isn't an instant"),
        (("import", "visits", "visits.csv", "--source", " "), "A source needs a name"),
        (("import", "visits", "visits.csv", "--source", "e\nrp"), "A source needs a name"),
        (("import", "visits", "visits.csv", "--format", "xml"), "--format"),
        (("imports", "visits", "visits.csv"), "imports"),
    ],
)
def test_a_mistyped_command_changes_nothing(
    office: CommandLine, arguments: tuple[str, ...], words: str
) -> None:
    before = office.contents()
    office.file("visits.csv", GOOD)
    answer = office.run(
        *(a.replace("visits.csv", f"{office.folder}/visits.csv") for a in arguments)
    )
    assert (answer.status, answer.out) == (2, "")
    assert words in answer.err
    assert office.contents() == before


def test_a_file_damaged_far_down_leaves_no_half(office: CommandLine) -> None:
    rows = "".join(f"W{n},P1,2026-05-02,fixed\n" for n in range(120_000))
    path = office.file("visits.csv", GOOD.encode() + rows.encode() + b"X1,P1,2026-05-02,\xff\n")
    before = office.contents()
    answer = office.run("import", "visits", path, "--map", _mapping(office))
    _assert_refused(answer, path)
    assert "line 120003" in answer.err
    assert office.contents() == before


def test_damage_met_when_thousands_of_rows_are_written_undoes_them(office: CommandLine) -> None:
    path = office.folder / "visits.parquet"
    count = 200_000
    table = pa.table(
        {
            "source_id": [f"W{n}" for n in range(count)],
            "partner_code": ["P1"] * count,
            "visited_on": ["2026-05-02"] * count,
            "outcome": ["fixed"] * count,
        }
    )
    pq.write_table(table, path, row_group_size=50_000, use_dictionary=False)
    last = pq.ParquetFile(path).metadata.row_group(3).column(0)
    data = bytearray(path.read_bytes())
    start = last.data_page_offset + 100
    data[start : start + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    before = office.contents()
    answer = office.run("import", "visits", path, "--map", _mapping(office))
    _assert_refused(answer, path)
    assert "damaged" in answer.err
    assert office.contents() == before


def test_a_file_is_known_by_its_contents_not_by_its_name(office: CommandLine) -> None:
    path = office.file("visits.csv", workbook())  # a workbook that somebody called .csv
    answer = office.run("import", "visits", path, "--map", _mapping(office), "--format", "json")
    assert (answer.status, answer.rows[0]["unchanged"]) == (0, 1)


def _made(office: CommandLine, bad: Bad) -> Path:
    """The bad file; each in a folder of its own, under the same name."""
    folder = office.folder / bad.name
    folder.mkdir()
    path = folder / "visits.csv"
    if isinstance(bad.contents, bytes):
        path.write_bytes(bad.contents)
    else:
        bad.contents(path)
    return path


def _assert_refused(answer: Answer, path: Path) -> None:
    assert (answer.status, answer.out) == (2, "")
    assert path.name in answer.err
    assert "Traceback" not in answer.err
    assert "Made a new database" not in answer.err


def _mapping(office: CommandLine, reading: Mapping | None = None) -> Path:
    """A mapping as a person writes it: how the file is read, and the asset it doesn't name."""
    how = reading or Mapping.none()
    said = {"delimiter": how.delimiter, "sheet": how.sheet, "header_row": how.header_row}
    lines = [f"{name} = {value!r}" for name, value in said.items() if value]
    return office.file(
        "map.toml", "\n".join(["[read]", *lines, "[columns]", "asset = { constant = 'A1' }", ""])
    )
