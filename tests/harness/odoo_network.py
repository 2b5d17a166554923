"""A quarter of an invented network in a stand-in Odoo, played act by act, with its table by hand.

Fjord supplies Bakke and Dal (by the parent company) and Havn (by a tag); Elv stands alone; Strand
is a customer outside the network. All happens in the second quarter of 2026, in UTC, in two
chapters: what a first sync finds, and what came after it. Ids differ between 18 and 19 no more
than the names of fields do.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.stand_ins.odoo import ADMINISTRATOR, SERVICE_GROUPS, StandIn, User
from integrations.stand_ins.odoo.playing import Play

VERSIONS = (18, 19)
SERVICE = User(5, "service", "key-of-the-service", groups=SERVICE_GROUPS | {"base.group_system"})
FIRST_SYNC = datetime(2026, 5, 20, 12, tzinfo=UTC)
LAST_SYNC = datetime(2026, 7, 3, 12, tzinfo=UTC)

# The table by hand, of 2026Q2 as of 3 July: hits and of; None: nothing to measure by.
OTIF = {
    "FJORD": (1, 2),  # F1 in time, F2's back-order came late
    "BAKKE": (4, 6),  # B1 B2 B3 B4 in time; B5 late, B6 short for good; B7 cancelled early
    "DAL": (3, 4),  # D1 D2 and the line that stayed of D3; D4 moved to July; D5 never came
    "ELV": (1, 1),  # E1 early; E2 has no promised day, E3 is a quotation
    "HAVN": None,  # a service only
}
SLA_RESPONSE = {
    "FJORD": None,
    "BAKKE": (1, 2),  # answered after 2 h; after 9 h, the note after 1 h being none
    "DAL": (1, 2),  # a colleague wrote first, answered after 5 h; only acknowledged
    "ELV": (1, 1),  # answered by mail after 7 h 59, by somebody who left since
    "HAVN": None,
}
LOGGED_IN = ("BAKKE", "DAL")  # Elv's user never did, Fjord and Havn have none


class FjordNetwork(Play):
    """The network on its stage. Its chapters are played once each, in their order."""

    def __init__(self, version: int) -> None:
        self.clock = datetime(2026, 3, 1, 8, tzinfo=UTC)
        stand_in = StandIn(version, users=[ADMINISTRATOR, SERVICE], clock=lambda: self.clock)
        super().__init__(stand_in, brand="Norvik", domain="norvik.example")
        self.stage.product("PUMP", "Heat pump", price=900.0)
        self.stage.product("VALVE", "Valve", price=12.0)
        self.stage.product("VISIT", "Visit on site", price=300.0, service=True)
        self._cast()

    def _cast(self) -> None:
        network = self.network
        self.sigrid = network.staff("Sigrid Holm")
        self.per = network.staff("Per Lund")
        self.fjord = network.company("FJORD", "Fjord Engros", grade="Gold", tags=("Distributor",))
        self.bakke = network.company("BAKKE", "Bakke Varme", grade="Silver", under=self.fjord)
        self.dal = network.company("DAL", "Dal Rør", grade="Silver", under=self.fjord)
        self.elv = network.company("ELV", "Elv Teknikk", grade="Bronze")
        self.havn = network.company(
            "HAVN", "Havn Service", grade="Bronze", supplied_by="Fjord Engros"
        )
        self.strand = network.company("STRAND", "Strand Hotell")
        self.ida = network.contact(self.bakke, "Ida Bakke")
        self.jon = network.contact(self.dal, "Jon Dal")
        self.oda = network.contact(self.dal, "Oda Dal")
        self.kari = network.contact(self.elv, "Kari Elv")
        self.ida_user = network.portal_user(self.ida)
        self.jon_user = network.portal_user(self.jon)
        self.kari_user = network.portal_user(self.kari)

    def spring(self) -> FjordNetwork:
        """What happened before the first sync, on 20 May."""
        order, deliver = self.sales.order, self.sales.deliver
        f1 = order(self.fjord, [("PUMP", 10), ("VISIT", 1), ("note", "By the back gate")],
                   at="2026-04-01 09:00", promised="2026-04-15 12:00", ref="F1")  # fmt: skip
        deliver(f1, at="2026-04-15 16:00")
        f2 = order(self.fjord, [("PUMP", 20)], at="2026-04-02 09:00",
                   promised="2026-04-20 12:00", ref="F2")  # fmt: skip
        deliver(f2, at="2026-04-19 09:00", pieces={1: 12})
        deliver(f2, at="2026-04-23 09:00")
        b1 = order(self.ida, [("PUMP", 4)], at="2026-04-03 09:00",
                   promised="2026-04-24 12:00", ref="B1")  # fmt: skip
        deliver(b1, at="2026-04-20 10:00", pieces={1: 1})
        deliver(b1, at="2026-04-24 23:30")
        b2 = order(self.bakke, [("VALVE", 2, "Dozens")], at="2026-04-07 09:00",
                   promised="2026-04-28 12:00", ref="B2")  # fmt: skip
        deliver(b2, at="2026-04-26 10:00", pieces={1: 20})
        deliver(b2, at="2026-04-27 10:00")
        b3 = order(self.bakke, [("VALVE", 30)], at="2026-04-08 09:00",
                   promised="2026-04-29 12:00", ref="B3")  # fmt: skip
        deliver(b3, at="2026-04-29 10:00", pieces={1: 36})
        self.sales.give_back(b3, {1: 10}, at="2026-05-05 10:00")
        b5 = order(self.bakke, [("PUMP", 2)], at="2026-04-14 09:00",
                   promised="2026-05-06 12:00", ref="B5")  # fmt: skip
        deliver(b5, at="2026-05-07 00:20")
        d1 = order(self.dal, [("PUMP", 6)], at="2026-04-10 09:00",
                   promised="2026-05-04 12:00", ref="D1")  # fmt: skip
        deliver(d1, at="2026-05-02 10:00")
        self.sales.exchange(d1, {1: 2}, at="2026-05-08 10:00", sent_at="2026-05-12 10:00")
        e1 = order(self.elv, [("PUMP", 3)], at="2026-04-13 09:00",
                   promised="2026-05-11 12:00", ref="E1")  # fmt: skip
        deliver(e1, at="2026-04-25 08:00")
        order(self.elv, [("PUMP", 1)], at="2026-04-13 10:00", ref="E2")
        order(self.elv, [("PUMP", 1)], at="2026-04-13 11:00", promised="2026-05-12 12:00",
              ref="E3", confirmed=False)  # fmt: skip
        order(self.havn, [("VISIT", 2)], at="2026-04-14 09:00", promised="2026-05-13 12:00",
              ref="H1")  # fmt: skip
        s1 = order(self.strand, [("PUMP", 1)], at="2026-04-15 09:00",
                   promised="2026-05-14 12:00", ref="S1")  # fmt: skip
        deliver(s1, at="2026-05-20 09:00")
        # Under way at the first sync:
        self.b4 = order(self.bakke, [("PUMP", 5)], at="2026-05-04 09:00",
                        promised="2026-05-29 12:00", ref="B4")  # fmt: skip
        deliver(self.b4, at="2026-05-18 10:00", pieces={1: 2})
        self.b6 = order(self.bakke, [("VALVE", 50)], at="2026-05-05 09:00",
                        promised="2026-06-02 12:00", ref="B6")  # fmt: skip
        self.b7 = order(self.bakke, [("PUMP", 7)], at="2026-05-06 09:00",
                        promised="2026-06-05 12:00", ref="B7")  # fmt: skip
        self.d2 = order(self.jon, [("PUMP", 8)], at="2026-05-07 09:00",
                        promised="2026-06-08 12:00", ref="D2")  # fmt: skip
        self.sales.reserve(self.d2, at="2026-05-08 09:00")
        self.d3 = order(self.dal, [("PUMP", 2), ("VALVE", 12)], at="2026-05-08 09:00",
                        promised="2026-06-10 12:00", ref="D3")  # fmt: skip
        self.d4 = order(self.dal, [("PUMP", 3)], at="2026-05-11 09:00",
                        promised="2026-06-12 12:00", ref="D4")  # fmt: skip
        self.sales.reserve(
            order(self.dal, [("PUMP", 9)], at="2026-05-12 09:00", promised="2026-06-15 12:00",
                  ref="D5"), at="2026-05-12 10:00")  # fmt: skip
        desk = self.desk
        first = desk.ticket(self.ida, "Pump is silent", at="2026-04-09 08:00", by_mail=True)
        desk.reply(first, self.sigrid, at="2026-04-09 10:00")
        desk.close(first, at="2026-04-10 09:00")
        asked = desk.ticket(self.jon, "Where is the manual?", at="2026-04-21 08:00")
        desk.customer_writes(asked, self.oda, at="2026-04-21 09:00")
        desk.reply(asked, self.per, at="2026-04-21 13:00")
        self.open_ticket = desk.ticket(self.ida, "Valve leaks", at="2026-05-20 06:00")
        desk.note(self.open_ticket, self.sigrid, at="2026-05-20 07:00")
        desk.ticket(None, "Tidy the stock of samples", at="2026-04-22 09:00")
        desk.ticket(self.kari, "Plan the fair", at="2026-04-23 09:00", project="Internal")
        self.stage.change("project.project", desk.project("Internal"), "2026-04-23 09:00",
                          privacy_visibility="employees")  # fmt: skip
        self.network.log_in(self.ida_user, "2026-04-09 07:55", "2026-05-04 09:05")
        self.network.log_in(2, "2026-05-05 09:00")
        return self

    def summer(self) -> FjordNetwork:
        """What came after the first sync, until 3 July."""
        sales, desk = self.sales, self.desk
        sales.deliver(self.b4, at="2026-05-28 10:00")
        sales.deliver(self.b6, at="2026-06-01 10:00", pieces={1: 45}, drop_rest=True)
        sales.cancel(self.b7, at="2026-05-21 10:00")
        sales.deliver(self.d2, at="2026-06-08 09:00")
        sales.set_quantity(self.d3, 2, 0.0, at="2026-05-22 10:00")
        sales.deliver(self.d3, at="2026-06-10 08:00")
        sales.recommit(self.d4, "2026-07-06 12:00", at="2026-05-25 10:00")
        desk.reply(self.open_ticket, self.sigrid, at="2026-05-20 15:00")
        desk.close(self.open_ticket, at="2026-05-21 10:00")
        desk.reopen(self.open_ticket, at="2026-05-26 10:00")
        waiting = desk.ticket(self.jon, "Price list?", at="2026-06-02 08:00")
        desk.automatic(waiting, self.sigrid, at="2026-06-02 08:01")
        mailed = desk.ticket(self.kari, "Invoice twice", at="2026-06-03 08:00", by_mail=True)
        desk.reply(mailed, self.per, at="2026-06-03 15:59", by_mail=True)
        desk.close(mailed, at="2026-06-04 08:00")
        per = self.stage.row("res.users", self.per)["partner_id"]
        self.stage.change("res.users", self.per, "2026-06-05 17:00", active=False)
        self.stage.change("res.partner", per, "2026-06-05 17:00", active=False)
        self.network.clean_logins()  # Ida's of April is forgotten
        self.network.log_in(self.jon_user, "2026-06-09 07:00")
        self.clock = LAST_SYNC
        return self
