"""A problems file can be mended and imported again with the mapping of its input."""

from __future__ import annotations

import contextlib
from pathlib import Path

import openpyxl
import pytest

from integrations.files import Mapping, ProblemsFile, read_facts
from partner_cx.operations.problems import Problem
from partner_cx.words import Words
from tests.harness.file_kinds import VISITS

UNKNOWN = Words("no partner has this code.", "aucun partenaire n’a ce code.")
IMPORT_IT = Words("Import the partner first.", "Importez d’abord le partenaire.")


def take(path: Path, mapping: Mapping | None = None, language: str = "en") -> Path | None:
    """Read a file as an import would, refusing the partner `?`; answer where problems went."""
    with (
        read_facts(path, kind=VISITS, mapping=mapping) as facts,
        ProblemsFile.beside(facts, language=language) as problems,
    ):
        for batch in facts:
            codes = batch.table["partner_code"].to_pylist()
            found = [
                Problem(int(line), "partner_code", code, UNKNOWN, IMPORT_IT)
                for line, code in zip(batch.lines, codes, strict=True)
                if code == "?"
            ]
            problems.add(batch.raw, batch.lines, found)
            problems.add_refused(batch.refused)
    return problems.path


def test_refused_rows_come_back_as_they_stood(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_bytes(
        "No;Client;Jour;Résultat\n1;P1;02/05/2026;ok\n"
        '2;?; 03/05/2026 ;"=1+1 ; ""é"""\n3;P1;04/05/2026\n'.encode("cp1252")
    )
    mapping = Mapping.read(_mapping(tmp_path))
    made = take(path, mapping, "fr")
    assert made == tmp_path / "visits.problems.csv"
    written = made.read_bytes().decode("cp1252").splitlines()
    unread = (
        "la ligne a trop peu de champs\xa0: 3 au lieu des 4 de l’en-tête. "
        "Mettez entre guillemets une valeur qui contient le séparateur."
    )
    unknown = (
        "partner_code («\xa0?\xa0»)\xa0: aucun partenaire n’a ce code. "
        "Importez d’abord le partenaire."
    )
    assert written == [
        "line;problem;No;Client;Jour;Résultat",
        f'3;{unknown};2;?; 03/05/2026 ;"=1+1 ; ""é"""',
        f"4;{unread};3;P1;04/05/2026",
    ]
    assert path.exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_mended_problems_file_is_imported_with_the_same_mapping(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("No;Client;Jour;Résultat\n1;?;02/05/2026;ok\n2;?;03/05/2026;ok\n", "cp1252")
    mapping = Mapping.read(_mapping(tmp_path))
    made = take(path, mapping)
    assert made
    made.write_bytes(made.read_bytes().replace(b";1;?", b";1;P1"))
    mended = made.read_bytes()
    with read_facts(made, kind=VISITS, mapping=mapping) as facts:
        assert facts.notes == []
        assert [row["partner_code"] for batch in facts for row in batch.table.to_pylist()] == [
            *("P1", "?")
        ]
    again = take(made, mapping)
    assert again == tmp_path / "visits.problems-2.csv"
    assert made.read_bytes() == mended
    lines = again.read_text("cp1252").splitlines()
    assert lines[0] == "line;problem;No;Client;Jour;Résultat"
    assert [line.split(";")[2] for line in lines[1:]] == ["2"]
    assert take(again, mapping) == tmp_path / "visits.problems-3.csv"


def test_a_sentence_is_written_in_the_signs_that_the_encoding_has(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("No;Client;Jour;Résultat\n1;?;02/05/2026;ok\n", "latin-1")
    toml = _mapping(tmp_path)
    toml.write_text(toml.read_text("utf-8").replace("cp1252", "latin-1"), "utf-8")
    made = take(path, Mapping.read(toml), "fr")
    assert made
    assert "partner_code (« ? ») : aucun partenaire n'a ce code." in made.read_text("latin-1")


def test_without_problems_no_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("source_id,partner_code,visited_on\n1,P1,2026-05-02\n")
    assert take(path) is None
    assert [each.name for each in tmp_path.iterdir()] == ["visits.csv"]


def test_the_next_run_replaces_the_problems_file(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("source_id,partner_code,visited_on\n1,?,2026-05-02\n2,?,2026-05-02\n")
    take(path)
    path.write_text("source_id,partner_code,visited_on\n3,?,2026-05-02\n")
    made = take(path)
    assert made
    assert len(made.read_text().splitlines()) == 2


def test_a_refused_import_leaves_no_problems_file(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text("source_id,partner_code,visited_on\n1,?,2026-05-02\n")
    problem = Problem(2, None, None, UNKNOWN, IMPORT_IT)
    with read_facts(path, kind=VISITS) as facts:
        (batch,) = facts
        problems = ProblemsFile.beside(facts)
        with contextlib.suppress(RuntimeError), problems:
            problems.add(batch.raw, batch.lines, [problem])
            raise RuntimeError("the intake failed")
    assert [each.name for each in tmp_path.iterdir()] == ["visits.csv"]


def test_where_the_folder_cannot_be_written_the_file_lands_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problems = ProblemsFile(tmp_path / "gone" / "visits.xlsx", None, ["source_id"])
    with read_facts(_workbook(tmp_path), kind=VISITS) as facts, problems:
        batch = next(iter(facts))
        problem = Problem(2, None, None, UNKNOWN, IMPORT_IT)
        problems.add(batch.raw, batch.lines, [problem])
    assert problems.path == tmp_path / "visits.problems.csv"


def test_a_workbooks_problems_are_a_csv_that_reads_the_same(tmp_path: Path) -> None:
    made = take(_workbook(tmp_path))
    assert made
    with read_facts(made, kind=VISITS) as facts:
        (batch,) = facts
    assert batch.table.to_pylist() == [
        {"source_id": "1", "partner_code": "?", "visited_on": "2026-05-02"}
    ]


def test_a_problem_says_line_column_value_reason_and_remedy() -> None:
    problem = Problem(7, "partner_code", "P" * 80, UNKNOWN, IMPORT_IT)
    assert problem.text("en") == (
        f"line 7, partner_code (“{'P' * 59}…”): no partner has this code. Import the partner first."
    )
    assert problem.text("fr").startswith("ligne 7, partner_code («\u202fPPP")


def _mapping(folder: Path) -> Path:
    path = folder / "visits.toml"
    path.write_text(
        '[read]\nencoding = "cp1252"\ndelimiter = ";"\n[dates]\nformat = "%d/%m/%Y"\n'
        '[columns]\nsource_id = "No"\npartner_code = "Client"\nvisited_on = "Jour"\n'
        'outcome = "Résultat"\n',
        encoding="utf-8",
    )
    return path


def _workbook(folder: Path) -> Path:
    book = openpyxl.Workbook()
    for row in (["source_id", "partner_code", "visited_on"], ["1", "?", "2026-05-02"]):
        book.worksheets[0].append(row)
    book.save(folder / "visits.xlsx")
    return folder / "visits.xlsx"
