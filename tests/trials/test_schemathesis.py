"""The whole API under generated requests: whatever is sent, it answers as its document says.

Schemathesis makes requests of what the document says, and of what it doesn't. Half of them are
given names that exist, so that they come further than the door. At full length it is twenty
thousand requests and more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from traceback import format_exception_only
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import make_app
from api.v1.document import document
from api.v1.rules import RULE_PLAIN, RULE_YAML
from partner_cx.kinds import KINDS
from partner_cx.network.scopes import Scope
from tests.harness.api_clients import PLENTY, a_token
from tests.harness.cast import a_closed_programme
from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.programme import NOW
from tests.harness.trials import FULL

EACH = 250 if FULL else 6  # requests for each operation, each as documented and otherwise
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
FACTS = "/api/v1/facts/{kind}"
# Names that exist, by parameter.
KNOWN: dict[str, list[Any]] = {
    "partner": ["D1", "R1", "R2"],
    "parent": ["D1"],
    "subject": ["R1", "network", "tier:gold"],
    "code": ["R1", "R2", "network_quality_bonus"],
    "rule": ["network_quality_bonus"],
    "period": ["2026Q2", "2026", "2026-05"],
    "person": ["remy@r2.example"],
    "email": ["remy@r2.example", "mia@brand.example"],
    "key": ["close:2026Q2:network_quality_bonus:R1", "fund:10000"],
    "version": [1],
    "odoo_id": [14],
    "after": ["WyJSMSJd", "WzFd", "WyJSMSIsIm90aWYiXQ"],
}
BODIES: dict[str, list[dict[str, Any]]] = {
    "/api/v1/rules/check": [{"yaml": RULE_YAML}, {"rule": RULE_PLAIN}],
    "/api/v1/drafts/{code}": [{"rule": RULE_PLAIN}, {"yaml": RULE_YAML, "read_digest": ""}],
    "/api/v1/backtests": [
        {"code": "network_quality_bonus", "first": "2026Q2", "last": "2026Q2", "lines": True},
        {"yaml": RULE_YAML, "first": "2026Q1", "last": "2026Q2", "budget_points": 100},
        {"rule": RULE_PLAIN, "first": "2026", "last": "2026", "against": "network_quality_bonus"},
    ],
    "/api/v1/odoo/links": [{"email": "mia@brand.example"}],
}
CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["R1", "D1", "2026-05-18", "2026-05-18T10:00:00Z", "10", "otif", "EUR", "x"]),
)


@dataclass
class Served:
    """The API over a programme, the tokens that may be shown, and how often it was asked."""

    schema: Any
    tokens: list[str | None]
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def asked(self) -> int:
        return sum(self.statuses.values())


@pytest.mark.parametrize("kind", EACH_KIND)
def test_whatever_is_sent_is_answered_as_documented(kind: str) -> None:
    wrong: list[str] = []
    with prepared_engine(kind, "closed programme", a_closed_programme) as engine:
        served = _serve(engine)
        for operation, mode in product(OPERATIONS, GenerationMode):
            try:
                _ask(served, operation, mode)
            except Exception as error:  # noqa: BLE001 - the others are asked nevertheless
                wrong.append("".join(format_exception_only(error)))
    told = ", ".join(f"{status}: {times}" for status, times in sorted(served.statuses.items()))
    print(f"{kind}: {served.asked:,} requests ({told})")
    assert not wrong, "\n\n".join(wrong)
    assert served.asked >= (10_000 if FULL else 250)


def _serve(engine: sa.Engine) -> Served:
    app = make_app(engine, PLENTY, clock=lambda: NOW)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    everything = a_token(engine, *Scope)
    limited = a_token(engine, Scope.READ, Scope.PEOPLE, partner="R2")
    return Served(schema, [everything, everything, everything, limited, None])


OPERATIONS = [(method, path) for path, methods in document()["paths"].items() for method in methods]


def _ask(served: Served, operation: tuple[str, str], mode: GenerationMode) -> None:
    """Make requests of one operation, and hold each answer against the document."""
    method, path = operation
    made = _cases(served.schema[path][method], mode)
    if made is None:
        return

    @settings(
        max_examples=EACH,
        deadline=None,
        database=None,
        derandomize=not FULL,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=made,
        token=st.sampled_from(served.tokens),
        key=st.none() | st.sampled_from(["a", "b"]),
    )
    def ask(case: schemathesis.Case, token: str | None, key: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key and path == FACTS:
            headers["Idempotency-Key"] = key
        answer = case.call(headers=headers)
        served.statuses[answer.status_code] = served.statuses.get(answer.status_code, 0) + 1
        case.validate_response(answer, checks=CHECKS)

    ask()


def _cases(operation: Any, mode: GenerationMode) -> st.SearchStrategy[Any] | None:
    """Requests of an operation; None where there is nothing that could be said otherwise."""
    if mode is GenerationMode.NEGATIVE and not (operation.query or operation.path_parameters):
        return None
    made = operation.as_strategy(generation_mode=mode)
    return st.tuples(made, st.data()).map(lambda drawn: _with_known(operation, *drawn))


def _with_known(operation: Any, case: Any, data: Any) -> Any:
    """Half of the requests name what there is."""
    if not data.draw(st.booleans()):
        return case
    for given_ in (case.query, case.path_parameters):
        for name in [name for name in given_ or {} if name in KNOWN]:
            given_[name] = data.draw(st.sampled_from(KNOWN[name]))
    if operation.path == FACTS and operation.method == "post":
        case.body = data.draw(_batches((case.path_parameters or {}).get("kind")))
    elif operation.path in BODIES and operation.method in ("post", "put"):
        case.body = data.draw(st.sampled_from(BODIES[operation.path]))
    return case


def _batches(kind: str | None) -> st.SearchStrategy[Any]:
    """Batches with the right columns, holding anything."""
    spec = KINDS.get(kind or "", KINDS["order-lines"])
    optional = (
        st.lists(st.sampled_from(spec.optional), unique=True) if spec.optional else st.just([])
    )
    return optional.flatmap(
        lambda names: st.fixed_dictionaries(
            {
                "source": st.sampled_from(["erp", "crm"]),
                "rows": st.lists(
                    st.fixed_dictionaries(dict.fromkeys((*spec.required, *names), CELLS)),
                    min_size=1,
                    max_size=4,
                ),
            }
        )
    )
