"""The menu: where each role goes, in the order in which they go there."""

from __future__ import annotations

from dataclasses import dataclass

from api.access import Viewer
from api.catalogues import text
from partner_cx.network.people import Role


@dataclass(frozen=True)
class Place:
    """An entry of the menu. under: what the addresses of its pages begin with."""

    name: str
    path: str
    under: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        return any(path == each or path.startswith(f"{each}/") for each in (self.path, *self.under))


_MEASURED = Place(text("What is measured"), "/kpis")

MENUS: dict[Role, tuple[Place, ...]] = {
    Role.PARTNER: (
        Place(text("Home"), "/home", ("/partners",)),
        Place(text("Statement"), "/statement", ("/statements",)),
        Place(text("Figures"), "/figures"),
        _MEASURED,
    ),
    Role.REP: (
        Place(text("Home"), "/field", ("/partners", "/statements", "/figures")),
        _MEASURED,
    ),
    Role.MANAGER: (
        Place(text("Network"), "/network", ("/groups",)),
        Place(text("Partners"), "/partners", ("/statements", "/figures")),
        Place(text("Rules"), "/rules"),
        Place(text("Budgets"), "/budgets"),
        Place(text("Closing"), "/closes", ("/restatements", "/holds")),
        Place(text("Journal"), "/journal"),
        _MEASURED,
    ),
    Role.ADMIN: (
        Place(text("Health"), "/admin"),
        Place(text("People"), "/admin/people"),
        Place(text("Tokens"), "/admin/tokens"),
        Place(text("Sources"), "/admin/sources", ("/admin/uploads",)),
        Place(text("Odoo"), "/admin/odoo"),
        Place(text("Effects"), "/admin/effects"),
        Place(text("Letters"), "/admin/letters"),
        Place(text("Webhooks"), "/admin/webhooks"),
        Place(text("Network"), "/network", ("/groups", "/partners", "/statements", "/figures")),
        Place(text("Journal"), "/journal"),
    ),
}


def places(viewer: Viewer | None, path: str) -> list[tuple[Place, bool]]:
    """The menu of whoever is looking, each entry with whether they are there."""
    menu = MENUS[viewer.role] if viewer else ()
    holding = [each for each in menu if each.holds(path)]
    here = max(holding, key=lambda each: len(each.path), default=None)
    return [(each, each is here) for each in menu]
