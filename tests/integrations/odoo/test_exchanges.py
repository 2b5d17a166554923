"""What Odoo answers, and what is made of it, in both protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integrations.odoo.connection import Odoo
from integrations.odoo.connection.errors import (
    Gone,
    KeyRefused,
    NoAnswer,
    NoSuchDatabase,
    NotAllowed,
    NotInstalled,
    OtherVersion,
    ProgramFault,
    RuleBroken,
)
from partner_cx.errors import Refused, Unreachable
from tests.harness.odoo_replay import DATABASE, Asked, Fails, Page, Reply, Scripted, scripted_odoo

BOTH = pytest.mark.parametrize("version", [18, 19])
ROW = {"id": 4, "name": "Maison Verte", "phone": False}


def always(reply: Reply) -> Callable[[Asked], Reply]:
    return lambda asked: None if asked.method == "login" else reply


def read(odoo: Odoo) -> Any:
    return odoo.search_read("res.partner", [["ref", "=", "MV-4"]], ["name"], limit=5)


def count(odoo: Odoo) -> Any:
    return odoo.count("helpdesk.ticket")


def write(odoo: Odoo) -> Any:
    odoo.write("res.partner", [4], {"comment": "a private remark"})


def create(odoo: Odoo) -> Any:
    return odoo.create("crm.lead", [{"name": "a private remark"}])


# --- What is asked, and what comes back -----------------------------------------------------


@BOTH
def test_rows_are_asked_for_by_name_in_one_call_and_in_english(version: int):
    script = Scripted(version, always([ROW]))
    with scripted_odoo(script) as odoo:
        assert read(odoo) == [ROW]
    asked = script.asked[-1]
    assert str(asked) == "res.partner.search_read"
    assert asked.placed == []
    assert asked.named == {
        "domain": [["ref", "=", "MV-4"]],
        "fields": ["name"],
        "order": "id",
        "limit": 5,
        "context": {"lang": "en_US"},
    }


@BOTH
def test_hidden_records_come_along_when_they_are_asked_for(version: int):
    script = Scripted(version, always([]))
    with scripted_odoo(script) as odoo:
        assert odoo.search_read("res.users", [], [], archived=True) == []
    assert script.asked[-1].named["context"]["active_test"] is False
    assert script.asked[-1].named["fields"] == ["id"]  # none would be all of them


@BOTH
def test_a_single_row_is_a_list_too_and_a_missing_one_is_left_out(version: int):
    script = Scripted(version, always([ROW]))
    with scripted_odoo(script) as odoo:
        assert odoo.read("res.partner", [4, 999], ["name", "phone"]) == [ROW]
    asked = script.asked[-1]
    assert (asked.named.get("ids") or asked.placed[0]) == [4, 999]


@BOTH
def test_many_ids_are_read_in_several_calls(version: int):
    def rows(asked: Asked) -> Reply:
        if asked.method == "login":
            return None
        return [{"id": number} for number in asked.named.get("ids") or asked.placed[0]]

    script = Scripted(version, rows)
    with scripted_odoo(script) as odoo:
        assert len(odoo.read("res.partner", range(1, 1_202), ["name"])) == 1_201
    assert script.called().count("res.partner.read") == 3


@BOTH
def test_pages_go_on_after_the_last_id_until_one_is_empty(version: int):
    numbers = [2, 3, 5, 8, 13]

    def rows(asked: Asked) -> Reply:
        if asked.method == "login":
            return None
        (_, _, after), *_ = asked.named["domain"]
        return [{"id": each} for each in numbers if each > after][: asked.named["limit"]]

    with scripted_odoo(Scripted(version, rows)) as odoo:
        pages = odoo.pages("sale.order", [["state", "=", "sale"]], ["name"], size=2, after=2)
        assert [[row["id"] for row in page] for page in pages] == [[3, 5], [8, 13]]


@BOTH
def test_ids_and_counts_are_numbers(version: int):
    answers = {"search": [4, 9], "search_count": 2, "login": None}
    with scripted_odoo(Scripted(version, lambda asked: answers[asked.method])) as odoo:
        assert odoo.search("res.partner", [["active", "=", True]]) == [4, 9]
        assert odoo.count("res.partner", [["active", "=", True]]) == 2


@BOTH
def test_fields_are_asked_for_once(version: int):
    script = Scripted(version, always({"name": {"type": "char"}}))
    with scripted_odoo(script) as odoo:
        assert odoo.has_field("res.partner", "name")
        assert not odoo.has_field("res.partner", "mobile")
        assert odoo.has("res.partner")
    assert script.called().count("res.partner.fields_get") == 1


@pytest.mark.parametrize(("version", "returned"), [(18, 31), (18, [31]), (19, [31])])
def test_what_was_made_is_a_list_of_ids(version: int, returned: Any):
    script = Scripted(version, always(returned))
    with scripted_odoo(script) as odoo:
        context = {"default_res_model": "res.partner"}
        assert odoo.create("mail.activity", [{"summary": "Call"}], context=context) == [31]
        assert odoo.post_note("res.partner", 4, "<p>Hello</p>") == 31
    made, noted = script.asked[-2:]
    if version == 18:  # where the names of arguments differ from model to model
        assert made.placed == [[{"summary": "Call"}]]
        assert noted.placed == [[4]]
    else:
        assert made.named["vals_list"] == [{"summary": "Call"}]
        assert noted.named["ids"] == [4]
    assert made.named["context"] == {"lang": "en_US", "default_res_model": "res.partner"}
    assert noted.named["subtype_xmlid"] == "mail.mt_note"
    assert noted.named["body_is_html"] is True


@BOTH
def test_values_are_written_with_ids_and_never_without(version: int):
    script = Scripted(version, always(True))
    with scripted_odoo(script) as odoo:
        odoo.write("loyalty.card", [1], {"points": 345})
        odoo.unlink("loyalty.card", [1])
        asked = len(script.asked)
        for without in (lambda: odoo.write("loyalty.card", [], {}), lambda: odoo.unlink("a.b", [])):
            with pytest.raises(AssertionError):
                without()
        assert odoo.create("loyalty.card", []) == []
    assert len(script.asked) == asked  # Odoo would have said yes, and done nothing


@pytest.mark.parametrize(
    ("version", "returned", "ids"),
    [(18, "mail.activity(7,)", [7]), (18, "mail.activity(7, 8)", [7, 8]), (19, [7], [7])],
)
def test_records_returned_by_a_method_are_their_ids(version: int, returned: Any, ids: list[int]):
    with scripted_odoo(Scripted(version, always(returned))) as odoo:
        assert odoo.call("res.partner", "activity_schedule", ids=[4], summary="Call") == ids


@pytest.mark.parametrize("version", [17, 18, 19])
def test_rights_are_asked_for_as_the_version_knows_them(version: int):
    script = Scripted(version, always(True))
    with scripted_odoo(script) as odoo:
        assert odoo.may("loyalty.card", "write")
    methods = {17: "check_access_rights", 18: "has_access", 19: "has_access"}
    assert script.asked[-1].method == methods[version]


def test_the_older_protocol_logs_in_once_as_each_login_is_a_row_in_odoo():
    script = Scripted(18, always([ROW]))
    with scripted_odoo(script) as odoo:
        for _ in range(3):
            read(odoo)
        assert odoo.user_id() == 7
    assert script.called().count("res.users.login") == 1


def test_the_newer_protocol_tells_who_we_are_without_a_login():
    with scripted_odoo(Scripted(19, always({"uid": 7, "lang": "fr_FR"}))) as odoo:
        assert odoo.user_id() == 7


@BOTH
def test_calls_share_a_connection(version: int):
    script = Scripted(version, always([ROW]))
    with scripted_odoo(script) as odoo:
        for _ in range(5):
            read(odoo)
    assert len({asked.connection for asked in script.asked}) == 1


# --- What Odoo refuses ----------------------------------------------------------------------

_ACCESS = "You are not allowed to access 'Order' records.\n\nContact whoever runs this."
_FIELD = "Invalid field 'mobile' on 'res.partner'"
_LEAF = "Invalid field res.partner.mobile in leaf ('mobile', '=', 1)"
_NO_DATABASE = f'connection to server failed: FATAL:  database "{DATABASE}" does not exist\n'
_EXISTS = "the model 'helpdesk.ticket' does not exist"
_OBJECT = "Object helpdesk.ticket doesn't exist"
_METHOD = "The method 'res.partner.search_read' does not exist"
_RULE = "A lead needs a customer.\n"

REFUSALS = [
    # version, what is done, what Odoo raises, what we make of it, words in it
    (18, read, Fails("odoo.exceptions.AccessDenied"), KeyRefused, "revoked"),
    (19, read, Fails("werkzeug.exceptions.Unauthorized", "Invalid apikey"), KeyRefused, "revoked"),
    (19, read, Fails("odoo.exceptions.AccessDenied"), KeyRefused, "PARTNER_CX_ODOO_KEY"),
    (18, read, Fails("psycopg2.OperationalError", _NO_DATABASE), NoSuchDatabase, "“brand”"),
    (18, read, Fails("odoo.exceptions.AccessError", _ACCESS), NotAllowed, "base.group_user"),
    (19, read, Fails("odoo.exceptions.AccessError", _ACCESS), NotAllowed, "res.partner"),
    (18, create, Fails("odoo.exceptions.AccessError", _ACCESS), NotAllowed, "sales_team.group"),
    (19, write, Fails("odoo.exceptions.MissingError"), Gone, "res.partner 4"),
    (18, write, Fails("odoo.exceptions.MissingError"), Gone, "res.partner 4"),
    (18, count, Fails("odoo.exceptions.UserError", _OBJECT), NotInstalled, "Helpdesk"),
    (19, count, Fails("werkzeug.exceptions.NotFound", _EXISTS), NotInstalled, "Helpdesk"),
    (18, read, Fails("builtins.AttributeError", _METHOD), OtherVersion, "no method"),
    (19, read, Fails("werkzeug.exceptions.NotFound", _METHOD), OtherVersion, "no method"),
    (18, read, Fails("builtins.ValueError", _FIELD), OtherVersion, "mobile in res.partner"),
    (19, read, Fails("builtins.ValueError", _FIELD), OtherVersion, "mobile in res.partner"),
    (18, read, Fails("builtins.ValueError", _LEAF), OtherVersion, "mobile in res.partner"),
    (18, write, Fails("builtins.ValueError", _FIELD), OtherVersion, "mobile in res.partner"),
    (19, write, Fails("builtins.KeyError", "'mobile'"), OtherVersion, "mobile in res.partner"),
    (18, read, Fails("builtins.TypeError", "unexpected keyword"), ProgramFault, "TypeError"),
    (19, read, Fails("builtins.TypeError", "unexpected keyword"), ProgramFault, "TypeError"),
    (19, read, Fails("werkzeug.exceptions.UnprocessableEntity"), ProgramFault, "Unprocess"),
    (19, read, Fails("werkzeug.exceptions.BadRequest"), ProgramFault, "BadRequest"),
    (18, write, Fails("builtins.ValueError", "Wrong value for kind: 'x'"), ProgramFault, "Value"),
    (18, create, Fails("odoo.exceptions.ValidationError", _RULE), RuleBroken, "needs a customer"),
    (19, create, Fails("odoo.exceptions.UserError", _RULE), RuleBroken, "needs a customer"),
    (18, read, Page("Invalid JSON data", 400), ProgramFault, "400"),
    (19, read, Page("<p>No database is selected</p>", 404), NoSuchDatabase, "“brand”"),
]


@pytest.mark.parametrize(
    ("version", "act", "reply", "refusal", "words"),
    REFUSALS,
    ids=[f"{each[0]}-{each[1].__name__}-{n}" for n, each in enumerate(REFUSALS)],
)
def test_a_refusal_is_known_by_its_exception(
    version: int,
    act: Callable[[Odoo], Any],
    reply: Reply,
    refusal: type[Refused],
    words: str,
):
    script = Scripted(version, always(reply))
    with scripted_odoo(script) as odoo, pytest.raises(refusal) as refused:
        act(odoo)
    assert words in str(refused.value)
    assert refused.value.remedy
    assert len([each for each in script.called() if not each.endswith(".login")]) == 1
    assert "private remark" not in str(refused.value)


@pytest.mark.parametrize("reply", [False, Fails("odoo.exceptions.AccessDenied")])
def test_a_login_that_fails_is_a_refused_key(reply: Reply):
    script = Scripted(18, lambda _: reply)
    with scripted_odoo(script) as odoo, pytest.raises(KeyRefused) as no:
        read(odoo)
    assert "partner-cx@brand.example" in str(no.value)


@BOTH
def test_a_field_of_a_closed_group_is_named(version: int):
    said = 'You do not have enough rights to access the field "stage_id" on Project (project.x).'
    refused = Fails("odoo.exceptions.AccessError", said)
    script = Scripted(version, always(refused))
    with scripted_odoo(script) as odoo, pytest.raises(NotAllowed, match="the field stage_id of"):
        read(odoo)


@BOTH
@pytest.mark.parametrize(("there", "refusal"), [([], Gone), ([4], NotAllowed)])
def test_deleting_what_is_gone_is_not_taken_for_a_missing_right(
    version: int, there: list[int], refusal: type[Refused]
):
    def answer(asked: Asked) -> Reply:
        replies = {"unlink": Fails("odoo.exceptions.AccessError"), "search": there}
        return replies.get(asked.method)

    with scripted_odoo(Scripted(version, answer)) as odoo, pytest.raises(refusal):
        odoo.unlink("loyalty.card", [4])


@BOTH
def test_a_fault_of_the_servers_own_is_tried_again_for_reads_alone(version: int):
    script = Scripted(version, always(Fails("psycopg2.errors.DiskFull", "no space on a-host")))
    with scripted_odoo(script) as odoo:
        with pytest.raises(NoAnswer) as failed:
            read(odoo)
        assert script.called().count("res.partner.search_read") == 3
        with pytest.raises(NoAnswer) as undone:
            write(odoo)
        assert script.called().count("res.partner.write") == 1
    assert "DiskFull" in str(failed.value)
    assert "a-host" not in str(failed.value)
    assert "Nothing was written" in str(undone.value)
    assert not undone.value.maybe_done


@pytest.mark.parametrize("said", ["FATAL: too many clients", 'FATAL: database "brandy" is away'])
def test_a_database_that_is_down_for_a_moment_is_not_taken_for_a_wrong_name(said: str):
    reply = Fails("psycopg2.OperationalError", said)
    with scripted_odoo(Scripted(18, always(reply))) as odoo, pytest.raises(Unreachable):
        read(odoo)
