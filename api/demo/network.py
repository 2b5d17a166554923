"""The demo network: two years of an invented network, as the files its neighbours would send.

    cast ─► story ─┬─► trade ───┐
                   ├─► support ─┼─► paper ─► files ─► import, as for a user's own
                   ├─► use ─────┤
                   └─► voices ──┘   (verbatims: what they write)

What the network tells, and whom to look at, stands in `docs/guide/demo.md`.
"""

from __future__ import annotations

import zlib
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from api.demo import support, trade, use, voices
from api.demo.cast import (
    BRAND_DOMAIN,
    GROUP_MEMBERS,
    GROUPS,
    HEADQUARTERS,
    MEMBERS,
    Contact,
    contacts,
    rep_of,
)
from api.demo.paper import DemoFile, ForeignExport, Shelf
from api.demo.story import Stage, partner_days, tell

__all__ = ["DemoFile", "make_network"]

_FROM_THE_ACCOUNTS = ForeignExport(
    encoding="latin-1",
    columns={
        "source_id": "N° pièce",
        "partner_code": "Code client",
        "on": "Date de facture",
        "value_minor": "Montant HT (centimes)",
        "currency": "Devise",
        "lines": "Nb lignes",
        "disputed_lines": "Lignes contestées",
        "credited_minor": "Avoirs (centimes)",
    },
    values={"currency": {"Euro": "EUR", "Franc suisse": "CHF"}},
)

_FROM_THE_WAREHOUSE = ForeignExport(
    decimal=",",
    columns={
        "source_id": "N° réception",
        "order_line_source_id": "Ligne de commande",
        "received_on": "Reçu le",
        "qty": "Quantité",
    },
)

# kpi, target, fewest cases to judge by, group it holds for
_TARGETS = (
    ("otif", "0.95", "10", ""),
    ("otif", "0.97", "10", "tier:gold"),
    ("sla_response", "0.90", "3", ""),
    ("sla_resolution", "0.85", "3", ""),
    ("portal_adoption", "0.60", "", ""),
    ("pnps", "30", "", ""),
    ("nps", "40", "5", ""),
    ("csat", "0.80", "5", ""),
    ("ces", "5", "5", ""),
    ("dsi", "70", "", ""),
    ("cxi", "70", "", ""),
    ("ftfr", "0.85", "5", ""),
    ("catalogue_completion", "0.80", "", ""),
    ("learning_completion", "0.60", "", ""),
    ("dispute_rate", "0.025", "10", ""),
    ("credit_rate", "0.012", "", ""),
)


def make_network(folder: Path, *, until: date, seed: int = 7) -> list[DemoFile]:
    """Write the demo's files into a folder and name them in the order they are to be imported.

    The story covers eight full quarters, the last of them finished before `until`, and the
    running one. Nothing in it happened on `until` or later, but orders are promised for the
    weeks after it. The corrections come last: imported after closing, they differ from what was
    known then. The same `until` and seed give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shelf = Shelf(folder)
    stage = Stage.up_to(until)
    dice = partial(_dice, seed)
    people = contacts(dice("people"))
    days = network_days(until, seed=seed)
    script = tell(stage, days, dice("story"))
    lines, receipts = trade.order_lines(script, stage, dice("order-lines"))
    bills = trade.invoices(lines, script, stage, dice("invoices"))
    events = use.portal_events(script, people, stage, dice("portal-events"))
    return [
        shelf.csv("partners", _partners(days), source="crm"),
        shelf.csv("people", _people(people), source="crm"),
        shelf.csv("groups", _groups(), source="crm"),
        shelf.csv("reps", _reps(), source="crm"),
        shelf.csv("calendars", support.calendars(stage), source="desk"),
        shelf.csv("targets", _targets(stage), source="programme"),
        shelf.csv("order-lines", lines, source="erp"),
        shelf.foreign_csv("receipts", receipts, _FROM_THE_WAREHOUSE, source="erp"),
        shelf.csv("tickets", support.tickets(script, stage, dice("tickets")), source="desk"),
        shelf.xlsx("visits", support.visits(script, stage, dice("visits")), source="after-sales"),
        shelf.parquet("portal-events", events, instants=("at",), source="portal"),
        shelf.csv(
            "catalogue-status",
            trade.catalogue_status(script, stage, dice("catalogue-status")),
            source="portal",
        ),
        shelf.csv(
            "learning", use.learning(people, days, stage, dice("learning")), source="academy"
        ),
        shelf.foreign_csv("invoices", bills, _FROM_THE_ACCOUNTS, source="accounts"),
        shelf.csv(
            "answers", voices.answers(script, people, stage, dice("answers")), source="surveys"
        ),
        shelf.csv("referrals", use.referrals(script, stage, dice("referrals")), source="crm"),
        shelf.csv("quotes", trade.quotes(script, stage, dice("quotes")), source="crm"),
        shelf.csv(
            "order-lines",
            trade.corrections(lines, stage, dice("corrections")),
            source="erp",
            name="order-lines-corrections",
        ),
    ]


def network_days(until: date, *, seed: int = 7) -> pd.DataFrame:
    """When each partner joined and left, indexed by code, for whoever else tells of them."""
    return partner_days(Stage.up_to(until), _dice(seed, "partners"))


def _dice(seed: int, what: str) -> np.random.Generator:
    """Chance of its own for each file, so that changing one leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(what.encode())])


def _partners(days: pd.DataFrame) -> pd.DataFrame:
    told = ["code", "name", "kind", "parent_code", "tier", "region", "country", "language"]
    rows = [{field: getattr(member, field) for field in told} for member in MEMBERS]
    partners = pd.DataFrame(rows).join(days, on="code")
    return partners.assign(source_id=[f"P{100 + place}" for place in range(len(partners))])


def _people(people: list[Contact]) -> pd.DataFrame:
    brand = [
        Contact(f"{login}@{BRAND_DOMAIN}", name, role, "", language)
        for login, name, role, language in HEADQUARTERS
    ]
    return pd.DataFrame(brand + people)


def _groups() -> pd.DataFrame:
    rows = [
        (group, code, GROUPS[group])
        for group, members in GROUP_MEMBERS.items()
        for code in members.split()
    ]
    return pd.DataFrame(rows, columns=["group_code", "partner_code", "label"])


def _reps() -> pd.DataFrame:
    rows = [(f"{rep_of(member)}@{BRAND_DOMAIN}", member.code) for member in MEMBERS]
    return pd.DataFrame(rows, columns=["rep_email", "partner_code"])


def _targets(stage: Stage) -> pd.DataFrame:
    targets = pd.DataFrame(_TARGETS, columns=["kpi", "target", "n_min", "group"])
    targets.insert(2, "from", stage.start)
    return targets
