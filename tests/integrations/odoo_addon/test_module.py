"""The module in Odoo, by what can be known of it without one: its files, and what its code does.

Its Python runs here over a few lines that stand in for Odoo's framework, and asks the real service.
"""

from __future__ import annotations

import ast
import importlib
import re
import socket
import sys
import threading
import types
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn

from api.app import make_app
from integrations.odoo.state import OdooLink
from partner_cx.database import transact
from partner_cx.network.scopes import Scope
from partner_cx.network.tokens import make_token
from tests.harness.cast import closed_programme
from tests.harness.intake import SETTINGS
from tests.harness.programme import NOW

MODULE = Path(__file__).parents[3] / "integrations/odoo_addon/partner_cx"
MANIFEST = ast.literal_eval((MODULE / "__manifest__.py").read_text(encoding="utf-8"))
XML = sorted(MODULE.rglob("*.xml"))
PYTHON = sorted(MODULE.rglob("*.py"))
# Fields and attributes that Odoo 17 and 19 took out of views, and elements it renamed.
GONE_FROM_VIEWS = {"attrs", "states"}
RENAMED_ELEMENTS = {"tree": "list"}
# Fields of a record that have another name in 18 than in 19: a file for both can't name them.
NAMES_THAT_DIFFER = {"groups_id", "group_ids", "category_id", "privilege_id"}


# --- Its files ----------------------------------------------------------------------------------


def test_the_manifest_says_what_odoo_asks_of_it() -> None:
    assert MANIFEST["license"] == "LGPL-3"
    assert MANIFEST["installable"] is True
    assert {"name", "version", "summary", "depends", "data"} <= set(MANIFEST)
    assert "Version 3" in (MODULE / "LICENSE").read_text(encoding="utf-8")[:200]


def test_every_data_file_is_there_and_named() -> None:
    named = {MODULE / name for name in MANIFEST["data"]}
    assert named == set(XML)


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_its_python_compiles(path: Path) -> None:
    compile(path.read_text(encoding="utf-8"), str(path), "exec")


@pytest.mark.parametrize("path", XML, ids=lambda path: path.name)
def test_its_views_say_nothing_that_one_of_the_two_odoos_refuses(path: Path) -> None:
    for element in ET.parse(path).iter():
        assert not GONE_FROM_VIEWS & set(element.attrib), element.attrib
        assert element.tag not in RENAMED_ELEMENTS, element.tag
        if element.tag == "field":
            assert element.get("name") not in NAMES_THAT_DIFFER, element.attrib


def test_a_view_names_fields_and_methods_that_its_model_has() -> None:
    partner = (MODULE / "models/res_partner.py").read_text(encoding="utf-8")
    settings = (MODULE / "models/res_config_settings.py").read_text(encoding="utf-8")
    ours = set(re.findall(r"^    (partner_cx_\w+) = fields\.", partner + settings, re.MULTILINE))
    methods = set(re.findall(r"def (action_\w+)", partner))
    for path in XML:
        root = ET.parse(path).getroot()
        for arch in root.iterfind(".//field[@name='arch']"):
            named = {each.get("name") for each in arch.iter("field")} - {"arch"}
            spoken = " ".join(each.get("invisible", "") for each in arch.iter())
            assert named <= ours, path.name
            assert set(re.findall(r"partner_cx_\w+", spoken)) <= ours
            assert {each.get("name") for each in arch.iter("button")} <= methods


def test_every_id_it_refers_to_is_its_own_or_of_a_module_it_depends_on() -> None:
    own = {e.get("id") for path in XML for e in ET.parse(path).getroot()}
    known = {"base", *MANIFEST["depends"]}
    for path in XML:
        text = path.read_text(encoding="utf-8")
        referred = re.findall(r"(?:ref=|groups=|parent=|action=|ref\()[\"']([\w.]+)[\"']", text)
        for name in referred:
            module, _, rest = name.rpartition(".")
            assert module in known or (module in ("", "partner_cx") and rest in own), name


def test_every_text_is_there_in_french() -> None:
    po = (MODULE / "i18n/fr.po").read_text(encoding="utf-8")
    told = dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', po, re.MULTILINE))
    texts = set()
    for path in XML:
        for element in ET.parse(path).iter():
            texts |= {said for name in ("string", "help") if (said := element.get(name))}
            if element.tag == "span" and (inside := (element.text or "").strip()):
                texts.add(inside)
    for path in MODULE.glob("models/*.py"):
        source = path.read_text(encoding="utf-8")
        texts |= set(re.findall(r'_\("([^"]+)"\)', source))
        texts |= set(re.findall(r'fields\.\w+\(\s*"([^"]+)"', source))
    missing = {text for text in texts if text not in told} - {"Partner CX", "pNPS"}
    assert missing == set()


def test_it_holds_no_rules_and_keeps_nothing() -> None:
    partner = (MODULE / "models/res_partner.py").read_text(encoding="utf-8")
    assert "store=True" not in partner
    assert not list(MODULE.rglob("*.csv")), "a model of its own would need rights"


# --- Its code, over the real service ------------------------------------------------------------


class Framework(types.ModuleType):
    """What of Odoo's framework the module uses: as little as its lines need to run."""

    def __init__(self) -> None:
        super().__init__("odoo")
        self._ = lambda text: text
        self.fields = types.SimpleNamespace(Boolean=_field, Char=_field, Html=_field)
        self.models = types.SimpleNamespace(Model=object, TransientModel=object)


def _field(*_args: Any, **_named: Any) -> None:
    return None


class UserError(Exception):
    """As Odoo's: what the user reads."""


@pytest.fixture(scope="module")
def module() -> Iterator[types.ModuleType]:
    """The module, imported as Odoo imports it: under `odoo.addons`."""
    exceptions = types.ModuleType("odoo.exceptions")
    exceptions.UserError = UserError  # type: ignore[attr-defined]
    there = {"odoo": Framework(), "odoo.exceptions": exceptions}
    before = dict(sys.modules)
    sys.modules.update(there)
    try:
        yield importlib.import_module("integrations.odoo_addon.partner_cx.models.res_partner")
    finally:
        for name in set(sys.modules) - set(before):
            if name.startswith(("odoo", "integrations.odoo_addon")):
                del sys.modules[name]


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[str, str]]:
    """The service over a closed programme, which Odoo knows R1 of as 14: its address, a token."""
    with closed_programme("sqlite") as engine:
        link = OdooLink(model="res.partner", odoo_id=14, ours="R1")
        transact(engine, lambda session: session.add(link))
        token = transact(engine, _token)
        app = make_app(engine, SETTINGS, clock=lambda: NOW)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", token
        server.should_exit = True
        thread.join()


def _token(session: sa.orm.Session) -> str:
    return make_token(session, "odoo", [Scope.ODOO], by="ada", now=NOW, lasts=None)


class Records:
    """Some records of res.partner, with what the module asks of them."""

    def __init__(self, ids: list[int], parameters: dict[str, str], **user: Any) -> None:
        self.ids = ids
        self.env = _Env(parameters, user)

    def __iter__(self) -> Iterator[Any]:
        yield from [self] if len(self.ids) == 1 else [_one(self, number) for number in self.ids]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def id(self) -> int:
        return self.ids[0]

    @property
    def commercial_partner_id(self) -> Any:
        return self

    def ensure_one(self) -> None:
        assert len(self) == 1


class _Env(dict[str, Any]):
    def __init__(self, parameters: dict[str, str], user: dict[str, Any]) -> None:
        super().__init__()
        self.lang = user.get("lang", "en_US")
        member = user.get("member", True)
        self.user = types.SimpleNamespace(
            login=user.get("login", "mia@brand.example"),
            email=user.get("email", "mia@brand.example"),
            has_group=lambda _name: member,
        )
        read = types.SimpleNamespace(get_param=parameters.get)
        self["ir.config_parameter"] = types.SimpleNamespace(sudo=lambda: read)


def _one(records: Records, number: int) -> Any:
    return type(records)([number], {}, lang="en_US")


def partner(module: types.ModuleType, service: tuple[str, str], *ids: int, **more: Any) -> Any:
    address, token = service
    kind = type("Partner", (module.ResPartner, Records), {})
    connected = {"partner_cx.address": address, "partner_cx.token": token}
    return kind(list(ids) or [14], connected | more.pop("parameters", {}), **more)


def test_a_form_shows_points_states_and_entries(
    module: types.ModuleType, service: tuple[str, str]
) -> None:
    shown = partner(module, service)
    shown._compute_partner_cx()
    assert (shown.partner_cx_known, shown.partner_cx_points) == (True, "500")
    assert "reached" in shown.partner_cx_states
    assert "<td>+500</td><td>500</td>" in shown.partner_cx_lines
    assert not shown.partner_cx_note


def test_a_form_shows_it_in_french(module: types.ModuleType, service: tuple[str, str]) -> None:
    shown = partner(module, service, lang="fr_FR")
    shown._compute_partner_cx()
    assert "atteint" in shown.partner_cx_states


def test_a_company_of_no_network_shows_nothing(
    module: types.ModuleType, service: tuple[str, str]
) -> None:
    shown = partner(module, service, 99)
    shown._compute_partner_cx()
    assert (shown.partner_cx_known, shown.partner_cx_note) == (False, False)


def test_a_list_of_companies_asks_nothing(
    module: types.ModuleType, service: tuple[str, str]
) -> None:
    nowhere = {"partner_cx.address": "http://127.0.0.1:9"}
    shown = partner(module, service, 14, 15, parameters=nowhere)
    shown._compute_partner_cx()


@pytest.mark.parametrize(
    ("parameters", "note"),
    [
        ({"partner_cx.address": "http://127.0.0.1:9"}, "doesn't answer at present"),
        ({"partner_cx.token": "pcx_wrong"}, "doesn't take the token"),
        ({"partner_cx.token": ""}, "fill its settings"),
        ({"partner_cx.address": "file:///etc"}, "must begin with https"),
        ({"partner_cx.address": "http://127.0.0.1:9/a b"}, "doesn't answer at present"),
        ({"partner_cx.token": "pcx_é–\n"}, "doesn't answer at present"),
    ],
)
def test_a_form_opens_all_the_same_and_says_what_is_wrong(
    module: types.ModuleType, service: tuple[str, str], parameters: dict[str, str], note: str
) -> None:
    shown = partner(module, service, parameters=parameters)
    shown._compute_partner_cx()
    assert note in shown.partner_cx_note
    assert shown.partner_cx_known is False


@pytest.mark.parametrize(
    "said", [b"", b"hello", b"HTTP/1.1 200 OK\r\n\r\n[]", b"HTTP/1.1 200 OK\r\n\r\n{}"]
)
def test_a_form_opens_whatever_is_at_the_address(
    module: types.ModuleType, service: tuple[str, str], said: bytes
) -> None:
    with saying(said) as address:
        shown = partner(module, service, parameters={"partner_cx.address": address})
        shown._compute_partner_cx()
        assert "doesn't answer at present" in shown.partner_cx_note
    with saying(said) as address, pytest.raises(UserError, match="doesn't answer at present"):
        partner(
            module, service, parameters={"partner_cx.address": address}
        ).action_partner_cx_open()


@contextmanager
def saying(said: bytes) -> Iterator[str]:
    """A machine that says this to one who asks; its address."""

    def answer(listening: socket.socket) -> None:
        with listening.accept()[0] as asking:
            asking.recv(65_536)
            asking.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def test_nobody_signs_in_as_another_by_changing_their_own_address(
    module: types.ModuleType, service: tuple[str, str]
) -> None:
    """An Odoo user may change their e-mail address, but not their login."""
    with pytest.raises(UserError, match="knows nobody"):
        partner(
            module, service, email="mia@brand.example", login="rudi@brand.example"
        ).action_partner_cx_home()


@pytest.mark.parametrize("name", ["groups_id", "group_ids"])  # in 18, and in 19
def test_the_menu_is_for_those_with_the_right_not_for_those_who_may_change_companies(
    module: types.ModuleType, name: str
) -> None:
    addon = sys.modules["integrations.odoo_addon.partner_cx"]
    action = type("Action", (dict,), {"_fields": {name: None}})()
    records = {"partner_cx.action_home": action, "partner_cx.group_user": "the group"}
    getattr(addon, MANIFEST["post_init_hook"])(types.SimpleNamespace(ref=records.__getitem__))
    assert action == {name: "the group"}


def test_a_button_signs_a_manager_in_at_the_partners_page(
    module: types.ModuleType, service: tuple[str, str]
) -> None:
    action = partner(module, service).action_partner_cx_open()
    assert action["type"] == "ir.actions.act_url"
    assert re.search(r"/sign-in/[\w-]{43}\?to=%2Fpartners%2FR1$", action["url"])
    home = partner(module, service).action_partner_cx_home()
    assert re.search(r"/sign-in/[\w-]{43}$", home["url"])


@pytest.mark.parametrize(
    ("user", "told"),
    [
        ({"login": "ada@brand.example"}, "reps and managers only"),
        ({"login": "stranger@brand.example"}, "knows nobody"),
        ({"login": "admin"}, "knows nobody"),
        ({"member": False}, "Ask for the right"),
    ],
)
def test_who_may_not_come_in_reads_why(
    module: types.ModuleType, service: tuple[str, str], user: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        partner(module, service, **user).action_partner_cx_home()


def test_what_partner_cx_says_is_shown_and_not_run(module: types.ModuleType) -> None:
    lines = [{"on": "2026-07-01", "why": "<script>alert(1)</script>", "points": 1, "balance": 1}]
    shown = module.ResPartner._partner_cx_lines_table(module.ResPartner(), {"lines": lines})
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
