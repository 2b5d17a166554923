"""What each sort of writing into Odoo needs there, and what of it is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from integrations.odoo.checking.findings import Finding, State
from integrations.odoo.connection import Odoo, groups
from integrations.odoo.connection.errors import NotAllowed, OtherVersion, ProgramFault
from integrations.odoo.mapping import OdooMapping
from integrations.odoo.streams.tickets import reads_tasks
from partner_cx.settings import WRITE_BACKS

Need = tuple[str, str]  # a model, and what is done to it
Lack = tuple[str, str]  # what is missing, and what to do about it

PROGRAMME = "loyalty.program"
NEEDS: Mapping[str, tuple[Need, ...]] = {
    "cards": (
        (PROGRAMME, "read"),
        ("loyalty.card", "create"),
        ("loyalty.card", "write"),
        ("loyalty.history", "create"),
    ),
    "notes": (("res.partner", "write"),),
    "activities": (("mail.activity", "create"), ("res.partner", "write")),
    "tickets": (("project.task", "create"),),
}
LATER_MODELS = {"loyalty.history": 18}  # and the version that brought them


def written(odoo: Odoo, mapping: OdooMapping, wanted: set[str], email: str) -> Iterator[Finding]:
    """How it stands with each sort of writing. wanted: those switched on. email: the account's."""
    for name in WRITE_BACKS:
        lacks = dict(_lacking(odoo, mapping, name, email))
        missing, remedy = "; ".join(lacks), " ".join(dict.fromkeys(lacks.values()))
        match name in wanted, bool(lacks):
            case True, True:
                yield Finding("writing", name, State.GAP, missing, remedy)
            case True, False:
                yield Finding("writing", name, State.WELL, "on")
            case False, True:
                yield Finding("writing", name, State.NOTE, f"off; before it can be on: {missing}")
            case _:
                yield Finding("writing", name, State.NOTE, "off; it could be on")


def _lacking(odoo: Odoo, mapping: OdooMapping, name: str, email: str) -> Iterator[Lack]:
    for model, operation in _needs(odoo, mapping, name):
        if not odoo.has(model):
            app = groups.app_of(model) or f"the app that brings {model}"
            yield f"{model} isn't installed", f"Install {app}."
            return
        if not _may(odoo, model, operation):
            group = groups.opening(model, writes=operation != "read")
            yield f"the account may not {operation} {model}", f"Give it the group {group}."
    if name == "notes" and not email:
        yield "the account has no e-mail address", "Give it one."
    if name == "cards":
        yield from _programme(odoo, mapping)


def _programme(odoo: Odoo, mapping: OdooMapping) -> Iterator[Lack]:
    """The programme that cards belong to: it is there, or the account may make it."""
    named = mapping.writing.programme
    if mapping.writing.make_programme and _may(odoo, PROGRAMME, "create"):
        return
    try:
        found = odoo.search(PROGRAMME, [["name", "=", named]], limit=1, archived=True)
    except NotAllowed:  # said already
        return
    if not found:
        yield (
            f"there is no loyalty programme “{named}”, and it isn't the account's to make",
            f"Make “{named}” in Odoo, or name another in the mapping: [writing] programme.",
        )


def _needs(odoo: Odoo, mapping: OdooMapping, name: str) -> Iterator[Need]:
    for model, operation in NEEDS[name]:
        if model == "project.task" and not reads_tasks(odoo, mapping.tickets):
            model = "helpdesk.ticket"
        if odoo.major >= LATER_MODELS.get(model, 0):
            yield model, operation


def _may(odoo: Odoo, model: str, operation: str) -> bool:
    """Whether the account may; where Odoo can't be asked, it is taken to be so."""
    try:
        return odoo.may(model, operation)
    except NotAllowed:
        return False
    except (OtherVersion, ProgramFault):
        return True
