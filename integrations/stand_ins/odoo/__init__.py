"""An Odoo to try things on: JSON-2 and JSON-RPC on loopback, fed from rows, with faults on demand.

with running(StandIn(19, {"res.partner": [...]})) as address: ...
"""

from __future__ import annotations

from integrations.stand_ins.odoo.faults import Fault, Kind
from integrations.stand_ins.odoo.fields import Field
from integrations.stand_ins.odoo.rights import EVERYTHING, SERVICE_GROUPS, User
from integrations.stand_ins.odoo.server import Serving, running
from integrations.stand_ins.odoo.stand_in import ADMINISTRATOR, DATABASE, Asked, StandIn
from integrations.stand_ins.odoo.tables import Made

__all__ = [
    "ADMINISTRATOR",
    "DATABASE",
    "EVERYTHING",
    "SERVICE_GROUPS",
    "Asked",
    "Fault",
    "Field",
    "Kind",
    "Made",
    "Serving",
    "StandIn",
    "User",
    "running",
]
