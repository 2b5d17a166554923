"""Leads: assigned to partners, quoted, won, lost and taken up again."""

from __future__ import annotations

from typing import Any

from integrations.stand_ins.odoo.playing.stage import BORN, Moment, Stage, day, seconds


class Leads:
    """Leads by their ids."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.new, self.proposition, self.won = (
            stage.add("crm.stage", BORN, name=name, sequence=place, is_won=name == "Won")
            for place, name in enumerate(("New", "Proposition", "Won"), start=1)
        )

    def lead(
        self,
        title: str,
        *,
        at: Moment,
        assigned: int | None = None,
        customer: int | None = None,
        revenue: float = 0.0,
        **values: Any,
    ) -> int:
        """An opportunity, assigned to a partner of the network or not yet."""
        given = {
            "name": title,
            "type": "opportunity",
            "stage_id": self.new,
            "partner_id": customer or False,
            "partner_assigned_id": assigned or False,
            "date_partner_assign": day(at) if assigned else False,
            "expected_revenue": revenue,
            "date_open": seconds(at),
            "date_last_stage_update": seconds(at),
            "user_id": 2,
        }
        return self._stage.add("crm.lead", at, **(given | self._status("pending") | values))

    def assign(self, lead: int, partner: int, *, at: Moment) -> None:
        self._stage.change(
            "crm.lead", lead, at, partner_assigned_id=partner, date_partner_assign=day(at)
        )

    def quoted(self, lead: int, *, at: Moment) -> None:
        """The partner has made its offer."""
        self._stage.change(
            "crm.lead",
            lead,
            at,
            stage_id=self.proposition,
            probability=60.0,
            date_last_stage_update=seconds(at),
        )

    def win(self, lead: int, *, at: Moment) -> None:
        self._stage.change(
            "crm.lead",
            lead,
            at,
            stage_id=self.won,
            probability=100.0,
            date_closed=seconds(at),
            date_last_stage_update=seconds(at),
            **self._status("won"),
        )

    def lose(self, lead: int, *, at: Moment) -> None:
        """Lost: archived, with probability 0."""
        self._stage.change(
            "crm.lead",
            lead,
            at,
            active=False,
            probability=0.0,
            date_closed=seconds(at),
            **self._status("lost"),
        )

    def _status(self, word: str) -> dict[str, str]:
        return {"won_status": word} if self._stage.version >= 19 else {}
