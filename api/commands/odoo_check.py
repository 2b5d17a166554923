"""`odoo check`: what works between Odoo and us, what is missing, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from api.commands.options import Form, In, Now
from api.printing import Format, Row, Shown, print_rows, say

if TYPE_CHECKING:
    from integrations.odoo.checking.findings import Finding

CHECKED = ("area", "what", "state", "found", "remedy", "costs")
CHECKED_IN_TABLE = ("area", "what", "state", "found")
IN_FRENCH = {"well": "bien", "note": "à savoir", "doubt": "à vérifier", "gap": "manque"}


def check(now: Now = None, form: Form = Format.TABLE, language: In = None) -> None:
    """Say what of Odoo can be read and written, what is missing, and which KPIs that costs."""
    from api.wiring import moment, read_settings
    from integrations.odoo.checking import check as check_odoo
    from integrations.odoo.connection import connect
    from integrations.odoo.mapping import OdooMapping

    settings = read_settings()
    at = moment(now, settings)
    mapping = OdooMapping.read(settings.odoo_mapping)
    with connect(settings) as odoo:
        findings = check_odoo(odoo, mapping, now=at, write_back=settings.odoo_write_back)
    spoken = language or settings.language
    print_rows(
        [_row(each, spoken) for each in findings],
        CHECKED,
        form=form,
        in_table=CHECKED_IN_TABLE,
        language=spoken,
    )
    problems = [each for each in findings if each.is_problem]
    if form is Format.TABLE:
        _tell(problems)
    if problems:
        raise typer.Exit(1)


def _row(finding: Finding, language: str) -> Row:
    state = finding.state.value
    return {
        "area": finding.area,
        "what": finding.what,
        "state": Shown(state, IN_FRENCH[state] if language == "fr" else state),
        "found": finding.found,
        "remedy": finding.remedy or None,
        "costs": " ".join(finding.costs) or None,
    }


def _tell(problems: Sequence[Finding]) -> None:
    """What to do about each, and what it costs until then."""
    if not problems:
        say("All is well.")
    for each in problems:
        costs = f" Until then not measured: {', '.join(each.costs)}." if each.costs else ""
        say(f"{each.area}, {each.what}: {each.found}. {each.remedy}{costs}")
