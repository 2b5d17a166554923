"""A mapping file says what is otherwise, and nothing that isn't understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integrations.odoo.mapping import OdooMapping
from partner_cx.errors import Invalid


def read(folder: Path, text: str) -> OdooMapping:
    file = folder / "odoo.toml"
    file.write_text(text, encoding="utf-8")
    return OdooMapping.read(file)


def test_what_is_written_holds_and_the_rest_stays_as_usual(tmp_path: Path) -> None:
    mapping = read(
        tmp_path,
        """
        [partners]
        which = "domain"
        domain = ["|", ["customer_rank", ">", 0], ["country_id.code", "=", "FR"]]
        [people]
        salespeople = false
        """,
    )

    assert mapping.partners.companies() == (
        "|",
        ("customer_rank", ">", 0),
        ("country_id.code", "=", "FR"),
    )
    assert not mapping.people.salespeople
    assert mapping.people.contacts == "email"
    assert mapping.portal == OdooMapping().portal


def test_a_printed_mapping_reads_as_what_it_was(tmp_path: Path) -> None:
    assert read(tmp_path, OdooMapping().written()) == OdooMapping()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[partner]", r"partner isn't known. Did you mean partners\?"),
        ("[partners]\nkind = 1", r"\[partners\] kind isn't known. Did you mean kinds\?"),
        ('[partners]\nwhich = "grade"', r'which expects one of "graded".*did you mean graded\?'),
        ('[partners]\nkinds = { "A" = "shop" }', "“shop” isn't a kind of partner"),
        ('[partners]\nwhich = "category"', "write down which category"),
        ("[partners]\ndomain = [1]", "expects a domain as Odoo has it"),
        ('[partners]\ndomain = [["name", "likes", "A"]]', "expects a domain as Odoo has it"),
        ('[partners]\ndomain = ["&", ["name", "=", "A"]]', "expects a domain as Odoo has it"),
        ('[partners]\ndomain = ["!"]', "expects a domain as Odoo has it"),
        ("[people]\nsalespeople = 1", "expects true or false"),
        ("people = 1", "is a section of its own"),
        ("[people", "isn't TOML"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_nearest_known_word(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "domain",
    [
        '[["customer_rank", ">", 0], ["country_id.code", "in", ["FR", "BE"]]]',
        '["|", ["name", "=", "A"], "!", ["name", "ilike", "B"], ["active", "=", true]]',
        '[["active", "=", true], "&", "|", ["a", "=", 1], ["b", "=", 2], ["c", "=", 3]]',
    ],
)
def test_a_domain_is_taken_as_odoo_has_it(tmp_path: Path, domain: str) -> None:
    mapping = read(tmp_path, f'[partners]\nwhich = "domain"\ndomain = {domain}')
    assert len(mapping.partners.domain) == len(json.loads(domain))


def test_a_mapping_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="can't be read"):
        OdooMapping.read(tmp_path / "none.toml")


def test_any_change_of_a_mapping_changes_its_digest(tmp_path: Path) -> None:
    usual = OdooMapping().digest()
    assert read(tmp_path, "[portal]\nlogins = true").digest() == usual
    assert read(tmp_path, "[portal]\nlogins = false").digest() != usual
