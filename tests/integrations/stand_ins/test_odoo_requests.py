"""What the stand-in Odoo answers, over both protocols, to what is asked of a real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from integrations.stand_ins.odoo import (
    ADMINISTRATOR,
    DATABASE,
    Fault,
    Kind,
    Made,
    Serving,
    StandIn,
    User,
    running,
)

CLERK = User(5, "clerk", "key-of-the-clerk", groups=frozenset({"base.group_user"}))
SELLER = User(
    6,
    "seller",
    "key-of-the-seller",
    groups=frozenset({"base.group_user", "sales_team.group_sale_salesman"}),
    rules={"sale.order": [["user_id", "=", 6]]},
)
NO_LIMIT = "psycopg2.errors.InvalidRowCountInLimitClause"
NOON = datetime(2026, 5, 4, 12, 0, 0, 250_000, tzinfo=UTC)


def rows(version: int) -> dict[str, Any]:
    unit = "product_uom" if version < 19 else "product_uom_id"
    return {
        "res.partner": [
            {"id": 7, "name": "Fjord", "is_company": True, "grade_id": [1, "Gold"], "email": "f@f"},
            {"id": 8, "name": "Ida", "parent_id": [7, "Fjord"], "phone": False},
            {"id": 9, "name": "Bakke", "is_company": True, "parent_id": [7, "Fjord"]},
            {"id": 10, "name": "Gone away", "active": False, "parent_id": [7, "Fjord"]},
        ],
        "res.partner.grade": [{"id": 1, "name": "Gold"}],
        "res.users": [{"id": 2, "login": "admin", "partner_id": [7, "Fjord"]}],
        "sale.order": [
            {
                "id": number,
                "name": f"S{number}",
                "partner_id": [8, "Fjord, Ida"],
                "state": state,
                "user_id": [6, "Seller"] if number == 3 else False,
                "date_order": f"2026-04-0{number} 08:00:00",
                "create_date": "2026-04-01 08:00:00",
                "write_date": f"2026-04-0{5 - number} 09:30:00",
            }
            for number, state in ((1, "sale"), (2, "cancel"), (3, "sale"))
        ],
        "sale.order.line": [
            {"id": 10 * order + place, "order_id": [order, f"S{order}"], "name": "A pump",
             "product_uom_qty": float(place), unit: [1, "Units"]}
            for order in (1, 2, 3) for place in (1, 2)
        ],
        "project.task": [{"id": 4, "name": "Broken", "write_date": "2026-04-01 08:00:00"}],
    }  # fmt: skip


class Asking:
    """Somebody who asks an Odoo by the protocol of its version, as `user`."""

    def __init__(self, stand_in: StandIn, address: str) -> None:
        self.stand_in = stand_in
        self.user: User = ADMINISTRATOR
        self.http = httpx.Client(base_url=address, timeout=5)

    def __call__(
        self, model: str, method: str, *by_position: Any, ids: Any = None, **named: Any
    ) -> Any:
        """The answer, or the name of the exception and what it says."""
        if self.stand_in.version >= 19:
            return self._json2(model, method, ids, named)
        args = [*([ids] if ids is not None else []), *by_position]
        return self._rpc(model, method, args, named)

    def _json2(self, model: str, method: str, ids: Any, named: dict[str, Any]) -> Any:
        body = named if ids is None else {"ids": ids, **named}
        answer = self.http.post(
            f"/json/2/{model}/{method}",
            json=body,
            headers={"Authorization": f"Bearer {self.user.key}", "X-Odoo-Database": DATABASE},
        )
        told = answer.json()
        return told if answer.status_code == 200 else (told["name"], told["message"])

    def _rpc(self, model: str, method: str, args: list[Any], named: dict[str, Any]) -> Any:
        login = [DATABASE, self.user.id, self.user.key]
        whole = [*login, model, method, args, named]
        body = {"service": "object", "method": "execute_kw", "args": whole}
        told = self.http.post("/jsonrpc", json={"id": 1, "params": body}).json()
        if "error" in told:
            return told["error"]["data"]["name"], told["error"]["data"]["message"]
        return told["result"]

    def found(self, model: str, *domain: Any, **named: Any) -> list[int]:
        named = {"order": "id", **named}
        told = self(model, "search_read", domain=list(domain), fields=["id"], **named)
        assert isinstance(told, list), told
        return [row["id"] for row in told]


@pytest.fixture(params=[18, 19])
def asking(request: pytest.FixtureRequest) -> Iterator[Asking]:
    stand_in = StandIn(
        request.param,
        rows(request.param),
        users=[ADMINISTRATOR, CLERK, SELLER],
        clock=lambda: NOON,
    )
    with running(stand_in) as address:
        asked = Asking(stand_in, address)
        yield asked
        asked.http.close()


@pytest.mark.parametrize(
    ("model", "domain", "expected"),
    [
        ("res.partner", [], [7, 8, 9]),
        ("res.partner", [["active", "in", [True, False]]], [7, 8, 9, 10]),
        ("res.partner", [["grade_id", "!=", False]], [7]),
        ("res.partner", [["grade_id", "=", False]], [8, 9]),
        ("res.partner", [["name", "ilike", "FJ"]], [7]),
        ("res.partner", [["name", "=like", "B%e"]], [9]),
        ("res.partner", [["id", "child_of", 7]], [7, 8, 9]),
        ("res.partner", [["parent_id.grade_id", "=", 1]], [8, 9]),
        ("res.partner", [["commercial_partner_id", "=", 7]], [7, 8]),
        ("res.partner", ["|", ["id", "=", 7], "&", ["id", ">", 7], ["name", "=", "Ida"]], [7, 8]),
        ("res.partner", ["!", ["id", "in", [7, 8]]], [9]),
        ("res.partner", [["parent_id", "not in", [99]]], [7, 8, 9]),
        ("res.partner", [["child_ids", "any", [["name", "=", "Ida"]]]], [7]),
        ("sale.order.line", [["order_id.state", "=", "sale"]], [11, 12, 31, 32]),
        ("sale.order.line", [["order_id", "in", [2, 3]], ["product_uom_qty", ">", 1]], [22, 32]),
        ("sale.order", [["partner_id", "child_of", 7], ["state", "!=", "cancel"]], [1, 3]),
        ("sale.order", [["partner_id", "ilike", "ida"]], [1, 2, 3]),
    ],
)
def test_a_domain_finds_what_odoo_would_find(
    asking: Asking, model: str, domain: list[Any], expected: list[int]
) -> None:
    assert asking.found(model, *domain) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (None, [3, 2, 1]),  # its own: the newest first
        ("id", [1, 2, 3]),
        ("write_date, id", [3, 2, 1]),
        ("state, id desc", [2, 3, 1]),
        ("user_id, id", [3, 1, 2]),  # what is empty comes last
        ("user_id desc, id", [1, 2, 3]),
    ],
)
def test_records_come_in_the_order_asked_for_or_the_models_own(
    asking: Asking, order: str | None, expected: list[int]
) -> None:
    named = {"order": order} if order else {}
    told = asking("sale.order", "search_read", domain=[], fields=["name"], **named)
    assert [row["id"] for row in told] == expected


def test_pages_by_id_end_with_an_empty_list(asking: Asking) -> None:
    pages, last = [], 0
    while page := asking.found("sale.order.line", ["id", ">", last], limit=4):
        pages.append(page)
        last = page[-1]
    assert pages == [[11, 12, 21, 22], [31, 32]]


def test_an_answer_has_names_with_ids_false_for_empty_and_whole_seconds(asking: Asking) -> None:
    ida, order = (
        asking("res.partner", "search_read", domain=[["id", "=", 8]],
               fields=["name", "parent_id", "phone", "child_ids", "partner_weight"]),
        asking("sale.order", "search_read", domain=[["id", "=", 1]],
               fields=["write_date", "partner_id", "amount_total", "order_line"]),
    )  # fmt: skip
    assert ida == [
        {"id": 8, "name": "Ida", "parent_id": [7, "Fjord"], "phone": False, "child_ids": [],
         "partner_weight": 0}
    ]  # fmt: skip
    assert order == [
        {"id": 1, "write_date": "2026-04-04 09:30:00", "partner_id": [8, "Fjord, Ida"],
         "amount_total": 0.0, "order_line": [11, 12]}
    ]  # fmt: skip


@pytest.mark.parametrize(("operator", "in_18", "in_19"), [(">", [1], []), (">=", [1], [1])])
def test_18_compares_fractions_of_a_second_and_19_whole_ones(
    asking: Asking, operator: str, in_18: list[int], in_19: list[int]
) -> None:
    found = asking.found("sale.order", ["write_date", operator, "2026-04-04 09:30:00"])
    assert found == (in_18 if asking.stand_in.version < 19 else in_19)


def test_what_is_created_and_written_is_dated_by_the_stand_ins_clock(asking: Asking) -> None:
    values = {"name": "New one", "create_date": "1999-01-01 00:00:00"}
    made = (
        asking("project.task", "create", vals_list=[values])
        if asking.stand_in.version >= 19
        else [asking("project.task", "create", values)]
    )
    row = asking.stand_in.row("project.task", made[0])
    assert row
    assert (row["create_date"], row["write_date"]) == ("2026-05-04 12:00:00",) * 2
    assert (row["state"], row["active"]) == ("01_in_progress", True)


def test_a_message_leaves_its_tickets_write_date_alone_and_its_text_is_no_html(
    asking: Asking,
) -> None:
    told = asking("project.task", "message_post", ids=[4], body="<b>Hm</b>",
                  message_type="comment", subtype_xmlid="mail.mt_note")  # fmt: skip
    message = told if asking.stand_in.version < 19 else told[0]
    posted = asking.stand_in.row("mail.message", message)
    ticket = asking.stand_in.row("project.task", 4)
    assert posted
    assert ticket
    assert posted["body"] == "<p>&lt;b&gt;Hm&lt;/b&gt;</p>"
    assert posted["subtype_id"] == [2, "Note"]
    assert ticket["message_ids"] == [message]
    assert ticket["write_date"] == "2026-04-01 08:00:00"


def test_an_activity_is_scheduled_and_its_document_comes_from_the_context(asking: Asking) -> None:
    values = {"res_id": 7, "summary": "Call", "date_deadline": "2026-05-05", "user_id": 2}
    context = {"default_res_model": "res.partner"}
    if asking.stand_in.version >= 19:
        refused = asking("mail.activity", "create", vals_list=[{**values, "res_model": "x"}])
        made = asking("mail.activity", "create", vals_list=[values], context=context)
        scheduled = asking("res.partner", "activity_schedule", ids=[7], summary="Write")
        assert scheduled == [2]
    else:
        refused = asking("mail.activity", "create", {**values, "res_model": "x"})
        made = [asking("mail.activity", "create", values, context=context)]
        scheduled = asking("res.partner", "activity_schedule", ids=[7], summary="Write")
        assert scheduled == "mail.activity(2,)"
    assert refused[0] == "odoo.exceptions.ValidationError"
    call = asking.stand_in.row("mail.activity", made[0])
    assert call
    assert (call["res_model"], call["res_name"], call["user_id"][0]) == ("res.partner", "Fjord", 2)


def test_a_done_activity_is_deleted_in_18_and_archived_in_19(asking: Asking) -> None:
    given = {"res_model": "res.partner", "res_model_id": 1, "res_id": 7}
    activity = asking.stand_in.add("mail.activity", given)
    asking("mail.activity", "action_feedback", ids=[activity])
    left = asking.stand_in.row("mail.activity", activity)
    if asking.stand_in.version < 19:
        assert left is None
    else:
        assert left
        assert (left["active"], left["date_done"]) == (False, "2026-05-04")


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "asked", "in_18", "in_19"),
    [
        ("an unknown model", ("helpdesk.ticket", "search_count", [], {"domain": []}),
         "odoo.exceptions.UserError", "werkzeug.exceptions.NotFound"),
        ("an unknown method", ("res.partner", "no_such", [7], {}),
         "builtins.AttributeError", "werkzeug.exceptions.NotFound"),
        ("a private method", ("res.partner", "_sql", [7], {}),
         "odoo.exceptions.AccessError", "odoo.exceptions.AccessError"),
        ("an unknown field", ("res.partner", "search_read", None, {"fields": ["nothing"]}),
         "builtins.ValueError", "builtins.ValueError"),
        ("an unknown field to find by", ("res.partner", "search_count", None,
         {"domain": [["nothing", "=", 1]]}), "builtins.ValueError", "builtins.ValueError"),
        ("an unknown argument", ("res.partner", "search_read", None, {"filter": []}),
         "builtins.TypeError", "builtins.TypeError"),
        ("a row that is gone", ("res.partner", "unlink", [999], {}),
         "odoo.exceptions.MissingError", "odoo.exceptions.MissingError"),
        ("a card that is gone", ("loyalty.card", "unlink", [999], {}),
         "odoo.exceptions.AccessError", "odoo.exceptions.AccessError"),
        ("a negative limit", ("res.partner", "search_read", None, {"domain": [], "limit": -1}),
         NO_LIMIT, NO_LIMIT),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_a_refusal_carries_the_name_odoo_gives_it(
    asking: Asking, what: str, asked: tuple[Any, ...], in_18: str, in_19: str
) -> None:
    model, method, ids, named = asked
    if asking.stand_in.version < 19 and method == "search_count" and ids == []:
        ids = None
    told = asking(model, method, ids=ids or None, **named)
    assert told[0] == (in_18 if asking.stand_in.version < 19 else in_19), what


def test_answers_are_dated_by_the_stand_ins_clock(asking: Asking) -> None:
    assert asking.http.get("/web/version").headers["date"] == "Mon, 04 May 2026 12:00:00 GMT"


def test_an_order_takes_its_lines_along_when_it_is_deleted(asking: Asking) -> None:
    assert asking("sale.order", "unlink", ids=[2]) is True
    assert asking.found("sale.order.line") == [11, 12, 31, 32]


def test_rows_that_are_gone_are_left_out_when_read(asking: Asking) -> None:
    assert asking("res.partner", "read", ids=[7, 999], fields=["name"]) == [
        {"id": 7, "name": "Fjord"}
    ]


def test_a_name_of_the_other_version_is_no_field(asking: Asking) -> None:
    other = "product_uom_id" if asking.stand_in.version < 19 else "product_uom"
    told = asking("sale.order.line", "search_count", domain=[[other, "=", 1]])
    assert told[0] == "builtins.ValueError"
    assert f"sale.order.line.{other}" in told[1]
    assert other not in asking("sale.order.line", "fields_get", attributes=["type"])


def test_rows_of_the_other_version_are_not_taken(asking: Asking) -> None:
    version = asking.stand_in.version
    with pytest.raises(ValueError, match="another version"):
        StandIn(version, rows(18 if version >= 19 else 19))


def test_who_has_no_group_for_a_model_is_refused_by_its_name(asking: Asking) -> None:
    asking.user = CLERK
    assert asking.found("res.partner") == [7, 8, 9]
    name, message = asking("account.move", "search_count", domain=[])
    assert name == "odoo.exceptions.AccessError"
    assert "'Journal Entry' (account.move)" in message
    assert asking("sale.order", "search_count", domain=[])[0] == "odoo.exceptions.AccessError"
    written = asking("project.task", "action_archive", ids=[4])
    assert written[0] == "odoo.exceptions.AccessError"


def test_a_record_rule_hides_rows_without_a_word(asking: Asking) -> None:
    asking.user = SELLER
    assert asking.found("sale.order") == [3]
    assert asking("sale.order", "read", ids=[1], fields=["name"])[0] == (
        "odoo.exceptions.AccessError"
    )


def test_a_login_is_noted_and_a_wrong_key_is_no_user(asking: Asking) -> None:
    def login(key: str) -> Any:
        params = {"service": "common", "method": "login", "args": [DATABASE, "admin", key]}
        return asking.http.post("/jsonrpc", json={"id": 1, "params": params}).json()["result"]

    assert login("wrong") is False
    assert login(ADMINISTRATOR.key) == 2
    (noted,) = asking.stand_in.rows("res.users.log")
    assert (noted["create_uid"], noted["create_date"]) == ([2, "Fjord"], "2026-05-04 12:00:00")


def test_requests_are_noted_without_their_keys(asking: Asking) -> None:
    asking.found("res.partner", ["id", ">", 8])
    (asked,) = asking.stand_in.asked("res.partner", "search_read")
    assert asked.arguments["domain"] == [["id", ">", 8]]
    assert asked.rows == 1
    assert ADMINISTRATOR.key not in repr(asking.stand_in.requests)


def test_only_19_answers_its_version_and_json_2_without_a_login(asking: Asking) -> None:
    told = asking.http.get("/web/version")
    over = asking.http.post("/json/2/res.partner/search_count", json={"domain": []})
    if asking.stand_in.version < 19:
        assert (told.status_code, over.status_code) == (404, 303)
    else:
        assert told.json()["version"] == "19.0"
        assert over.status_code == 401


# --- Faults --------------------------------------------------------------------------------------


def test_faults_strike_the_requests_they_are_meant_for(asking: Asking) -> None:
    asking.stand_in.fault(Kind.ACCESS, model="sale.order", after=1, times=2)
    told = [asking("sale.order", "search_count", domain=[]) for _ in range(4)]
    assert told[0] == told[3] == 3
    assert [each[0] for each in told[1:3]] == ["odoo.exceptions.AccessError"] * 2
    assert asking("res.partner", "search_count", domain=[]) == 3


@pytest.mark.parametrize(
    ("kind", "raised", "done"),
    [
        ("closed", httpx.RemoteProtocolError, False),
        ("lost", httpx.RemoteProtocolError, True),
        ("cut", httpx.RemoteProtocolError, True),
        ("slow", httpx.ReadTimeout, True),
    ],
)
def test_a_broken_line_leaves_a_write_done_or_not(
    asking: Asking, kind: str, raised: type[Exception], done: bool
) -> None:
    asking.stand_in.fault(kind, seconds=0.5)
    asking.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(raised):
        asking("project.task", "action_archive", ids=[4])
    ticket = asking.stand_in.row("project.task", 4)
    assert ticket
    assert ticket["active"] is not done


@pytest.mark.parametrize(
    ("kind", "status"), [("bad_gateway", 502), ("unavailable", 503), ("html", 200), ("half", 200)]
)
def test_what_comes_instead_of_an_answer_is_no_json(asking: Asking, kind: str, status: int) -> None:
    asking.stand_in.fault(kind, times=None)
    answer = asking.http.post(
        "/jsonrpc", json={"id": 1, "params": {"service": "common", "method": "version", "args": []}}
    )
    assert answer.status_code == status
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()


def test_an_odoo_that_is_down_refuses_connections_and_comes_back() -> None:
    serving = Serving(StandIn(19))
    serving.start()
    address = serving.address
    assert httpx.get(f"{address}/web/version").status_code == 200
    serving.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/web/version")
    serving.start()
    assert httpx.get(f"{address}/web/version").status_code == 200
    serving.stop()


def test_a_fault_counts_what_it_saw_and_hit() -> None:
    fault = Fault(Kind.SLOW, after=1, times=1, model="res.partner")
    struck = [fault.strikes(model, "read") for model in ("res.partner",) * 3 + ("sale.order",)]
    assert struck == [False, True, False, False]
    assert (fault.seen, fault.hit) == (3, 1)


# --- Rows that are made when they are asked for --------------------------------------------------


def made_orders(asked: list[int]) -> Made:
    def row(number: int) -> dict[str, Any]:
        asked.append(number)
        return {"id": number, "order_id": [(number + 1) // 2, "S"], "name": f"line {number}",
                "write_date": "2026-01-01 00:00:00"}  # fmt: skip

    return Made(
        1_000_000,
        row,
        by={"order_id": lambda order: (2 * order - 1, 2 * order)},
        written_until="2026-01-01 00:00:00",
        newest=1_000_000,
    )


def test_made_rows_are_only_made_where_they_are_asked_for() -> None:
    asked: list[int] = []
    stand_in = StandIn(19, {"sale.order.line": made_orders(asked)})
    with running(stand_in) as address:
        ask = Asking(stand_in, address)
        page = ask.found("sale.order.line", ["id", ">", 500_000], limit=3)
        of_orders = ask.found("sale.order.line", ["order_id", "in", [10, 400_000]])
        since = ask.found("sale.order.line", ["write_date", ">=", "2026-02-01 00:00:00"])
        newest = ask.found("sale.order.line", order="write_date desc, id desc", limit=1)
        ask.http.close()
    assert page == [500_001, 500_002, 500_003]
    assert of_orders == [19, 20, 799_999, 800_000]
    assert (since, newest) == ([], [1_000_000])
    assert len(asked) < 20


def test_a_made_row_that_is_changed_or_removed_is_its_own_from_then_on() -> None:
    stand_in = StandIn(19, {"sale.order.line": made_orders([])}, clock=lambda: NOON)
    stand_in.change("sale.order.line", 20, {"name": "changed"})
    stand_in.remove("sale.order.line", 19)
    with running(stand_in) as address:
        ask = Asking(stand_in, address)
        since = ask.found("sale.order.line", ["write_date", ">=", "2026-02-01 00:00:00"])
        of_order = ask.found("sale.order.line", ["order_id", "=", 10])
        ask.http.close()
    assert (since, of_order) == ([20], [20])
