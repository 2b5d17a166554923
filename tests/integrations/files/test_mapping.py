"""A mapping file says what an export means; what it doesn't mean is refused, with a guess."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.files import Mapping, read_facts
from integrations.files.mapping import Constant, Template, Theirs
from partner_cx.errors import Invalid
from tests.harness.file_kinds import VISITS


def mapping(folder: Path, text: str) -> Mapping:
    path = folder / "export.toml"
    path.write_text(text, encoding="utf-8")
    return Mapping.read(path)


def test_a_mapping_says_where_each_column_comes_from(tmp_path: Path) -> None:
    read = mapping(
        tmp_path,
        r"""
        [read]
        delimiter = "\t"
        encoding = "latin-1"
        decimal = ","
        header_row = 3
        [columns]
        source_id = {template = "{PO / SO #}-{ID}"}
        visited_on = "Date of visit"
        outcome = {constant = "fixed"}
        [dates]
        format = ["%d-%b-%y", "%d/%m/%Y"]
        [dates.visited_on]
        format = "%Y%m%d"
        [values.outcome]
        Done = "fixed"
        "" = "no_access"
        """,
    )
    assert (read.delimiter, read.encoding, read.decimal, read.header_row) == (
        *("\t", "iso8859-1", ",", 3),
    )
    assert read.columns == {
        "source_id": Template("{PO / SO #}-{ID}"),
        "visited_on": Theirs("Date of visit"),
        "outcome": Constant("fixed"),
    }
    assert read.formats("visited_on") == ("%Y%m%d",)
    assert read.formats("anything_else") == ("%d-%b-%y", "%d/%m/%Y")
    assert read.values["outcome"] == {"Done": "fixed", "": "no_access"}


def test_without_a_mapping_iso_and_points_are_meant() -> None:
    none = Mapping.none()
    assert none.formats("visited_on") == ()
    assert none.decimal == "."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[column]\n", "a section “column” that isn't known. Did you mean columns?"),
        ('[read]\ndelimeter = ";"\n', "“delimeter” in [read] that isn't known. Did you mean delim"),
        ('[read]\ndelimiter = ";;"\n', "[read] delimiter is one sign"),
        ('[read]\nencoding = "utf8mb4"\n', "“utf8mb4”, which isn't known"),
        ('[read]\nencoding = "zip"\n', "“zip”, which isn't known"),
        ('[read]\ndecimal = "comma"\n', '[read] decimal is "." or ","'),
        ('[read]\ndecimal = ","\nthousands = ","\n', "other than decimal"),
        ("[read]\nheader_row = 0\n", "[read] header_row is the number of a line"),
        ("[read]\nsheet = 1\n", "[read] sheet is a text"),
        ("[columns]\nsource_id = 3\n", '[columns] source_id is "Their column"'),
        ('[columns]\nsource_id = {const = "x"}\n', "“const” in [columns] source_id"),
        ('[columns]\nsource_id = {template = "{A}-{"}\n', "places are whole"),
        ('[columns]\nsource_id = {template = "A"}\n', "places are whole"),
        ('[columns]\nsource_id = {template = "{A}", constant = "b"}\n', "[columns] source_id is"),
        ('[dates]\nformats = "%d"\n', "“formats” in [dates] that isn't known. Did you mean format"),
        ('[dates]\nformat = "%d-%b-%Q"\n', "holds “%Q”"),
        ('[dates]\nformat = "%d-%b"\n', "doesn't hold a day, a month and a year"),
        ("[values]\noutcome = 3\n", "[values.outcome] holds lines"),
        ("[columns]\nsource id = 3\n", "isn't TOML"),
        ("values = 3\n", "[values] is a section of its own"),
    ],
)
def test_what_a_mapping_cannot_mean_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        mapping(tmp_path, text)
    assert words in str(refusal.value)
    assert refusal.value.remedy


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="There is no mapping file"):
        Mapping.read(tmp_path / "export.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[columns]\nsource_id = "Visit no"\n',
            "column “Visit no”, which visits.csv doesn't have. Its columns are: “Visit nr”, “",
        ),
        (
            '[columns]\nsource_id = {template = "{Visit nr}-{Clients}"}\n',
            "comes from the column “Clients”",
        ),
        (
            '[columns]\nvisit_on = "Client"\n',
            "“visit_on”, which isn't a column of visits. Did you mean visited_on?",
        ),
        ("[values.result]\na = 'b'\n", "“result”, which isn't a column of visits"),
        ("[dates.day]\nformat = '%d/%m/%y'\n", "“day”, which isn't a column of visits"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("Visit nr,Client,visited_on\n1,P,2026-05-02\n")
    with pytest.raises(Invalid) as refusal:
        read_facts(path, kind=VISITS, mapping=mapping(tmp_path, text))
    assert words in str(refusal.value)
