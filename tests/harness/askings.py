"""Every address that is only read, with who of the cast may read it, by the guide's table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.harness.access_table import ROLES, ApiRow, PageRow, address, rows
from tests.harness.cast import CAST

# Who asks, and about which partner.
WHO = {
    None: "R2",
    "rep": "R2",
    "reseller": "R2",
    "distributor": "D1",
    "manager": "R1",
    "admin": "R1",
}
ROLE = {"reseller": "partner", "distributor": "partner"}
# What some addresses are asked beside: filters and files.
ASKED = {
    "/admin/effects/one": ("key=letter:0",),
    "/admin/effects": ("show=parked", "show=done"),
    "/admin/sources": ("show=imports",),
    "/figures": ("kpi=otif&period=2026Q2",),
    "/figures/{code:path}": ("kpi=otif&period=2026Q2",),
    "/statement": ("period=2026Q2",),
    "/partners": ("period=2026Q2", "period=2026Q2&kpi=otif", "kpi=otif&format=csv"),
    "/groups": ("period=2026Q2&kpi=otif&by=tier",),
    "/rules/new": ("template=network_quality_bonus",),
    "/rules/{code}/draft": ("as=yaml",),
    "/api/v1/partners/by-code": ("code=R1",),
    "/api/v1/people/by-email": (f"email={CAST['rep']}",),
    "/api/v1/scorecards": ("period=2026Q2",),
    "/api/v1/balances": ("partner=R1",),
    "/api/v1/statements": ("partner=R1",),
    "/api/v1/explanations": ("partner=R1&period=2026Q2",),
    "/api/v1/entries/by-key": ("key=close:2026Q2:network_quality_bonus:R1",),
}
# Of these, nothing is told without naming what one wants.
ASKS_FOR_MORE = {
    "/admin/effects/one",
    "/api/v1/partners/by-code",
    "/api/v1/people/by-email",
    "/api/v1/scorecards",
    "/api/v1/statements",
    "/api/v1/explanations",
    "/api/v1/entries/by-key",
}
# What is told of one thing that isn't here, or of no programme at all.
LEFT_OUT = {
    *("/sign-in/staff", "/sign-in/staff/return", "/letters/stop/{token}"),
    *("/api/v1/odoo/partners/{odoo_id}", "/metrics"),
}


@dataclass(frozen=True)
class Asking:
    """An address, opened by somebody of the cast or by a token (who: `api`)."""

    who: str | None
    path: str

    def __str__(self) -> str:
        return f"{self.who or 'a stranger'} at {self.path}"


def askings() -> Iterator[Asking]:
    for row in rows():
        if row.method == "GET" and row.path not in LEFT_OUT:
            for who in ["api"] if isinstance(row, ApiRow) else [*WHO]:
                if isinstance(row, ApiRow) or _may(row, who):
                    yield from _with_queries(who, row.path, WHO.get(who, "R1"))


def _may(row: PageRow, who: str | None) -> bool:
    return row.answers[ROLES.index(ROLE.get(who or "", who))] in ("yes", "own", "visited")


def _with_queries(who: str | None, route: str, code: str) -> Iterator[Asking]:
    path = address(route, code)
    if route not in ASKS_FOR_MORE:
        yield Asking(who, path)
    for query in ASKED.get(route, ()):
        yield Asking(who, f"{path}?{query}")
