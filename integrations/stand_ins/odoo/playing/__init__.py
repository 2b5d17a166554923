"""What people do in an Odoo, a line each: rows follow from it as Odoo itself would leave them.

    odoo = Play(StandIn(19))
    north = odoo.network.company("NORTH", "North Trade", grade="Gold")
    order = odoo.sales.order(north, [("PUMP", 20)], at="2026-04-01 09:00", promised="2026-04-15")
    odoo.sales.deliver(order, at="2026-04-14 10:15", pieces={1: 12})

Every act happens at its own moment, also while the stand-in is being served.
"""

from __future__ import annotations

from integrations.stand_ins.odoo.playing.desk import Desk
from integrations.stand_ins.odoo.playing.invoicing import Invoicing
from integrations.stand_ins.odoo.playing.leads import Leads
from integrations.stand_ins.odoo.playing.network import Network
from integrations.stand_ins.odoo.playing.sales import Sales
from integrations.stand_ins.odoo.playing.school import School
from integrations.stand_ins.odoo.playing.stage import Stage
from integrations.stand_ins.odoo.stand_in import StandIn

__all__ = ["Play"]


class Play:
    """A stand-in with everybody who acts in it."""

    def __init__(self, stand_in: StandIn, *, brand: str = "Brand", domain: str = "brand.example"):
        self.stand_in = stand_in
        self.stage = Stage(stand_in, brand=brand, domain=domain)
        self.network = Network(self.stage)
        self.sales = Sales(self.stage)
        self.invoicing = Invoicing(self.stage)
        self.desk = Desk(self.stage)
        self.leads = Leads(self.stage)
        self.school = School(self.stage)
