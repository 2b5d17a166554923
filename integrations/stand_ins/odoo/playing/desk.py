"""Tickets: asked by mail or in the portal, answered, noted upon, closed and opened again."""

from __future__ import annotations

from typing import Any

from integrations.stand_ins.odoo.fields import Row
from integrations.stand_ins.odoo.playing.stage import BORN, Moment, Stage, seconds
from integrations.stand_ins.odoo.tables import record_of

DISCUSSIONS, NOTE = "Discussions", "Note"
_STATES = {"01_in_progress": "In Progress", "1_done": "Done", "1_canceled": "Cancelled"}


class Desk:
    """Tickets by their ids: tasks of a project, or Helpdesk's own where that app is installed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._helpdesk = "helpdesk.ticket" in stage.stand_in.tables
        self.model = "helpdesk.ticket" if self._helpdesk else "project.task"
        self._subtypes: dict[str, int] = {}
        self._projects: dict[str, int] = {}
        stages = "helpdesk.stage" if self._helpdesk else "project.task.type"
        self.new, self.in_progress, self.solved = (
            stage.add(stages, BORN, name=name, sequence=place, fold=name == "Solved")
            for place, name in enumerate(("New", "In progress", "Solved"), start=1)
        )

    def ticket(
        self,
        contact: int | None,
        title: str,
        *,
        at: Moment,
        project: str = "Partner support",
        by_mail: bool = False,
        asks: str = "Please help.",
        **values: Any,
    ) -> int:
        """A ticket, with the customer's own words as its first message."""
        home = self.project(project)
        above = {"team_id": home} if self._helpdesk else {"project_id": home}
        given = above | {"name": title, "partner_id": contact or False, "stage_id": self.new}
        ticket = self._stage.add(self.model, at, **(given | values))
        if contact and by_mail:
            self._message(ticket, contact, f"<pre>{asks}</pre>", at, "email", "Task Created", by=1)
        else:
            self._message(ticket, self._partner_of(2), "", at, "notification", "Task Created")
            if contact:
                self.customer_writes(ticket, contact, at=at, text=asks)
        return ticket

    def customer_writes(
        self, ticket: int, contact: int, *, at: Moment, text: str = "Any news?"
    ) -> int:
        return self._message(ticket, contact, f"<p>{text}</p>", at, "comment", DISCUSSIONS)

    def reply(
        self,
        ticket: int,
        user: int,
        *,
        at: Moment,
        text: str = "Here is what to do.",
        by_mail: bool = False,
    ) -> int:
        """What somebody of the brand's answers, for the customer to read."""
        kind, by = ("email", 1) if by_mail else ("comment", 2)
        author = self._partner_of(user)
        return self._message(ticket, author, f"<p>{text}</p>", at, kind, DISCUSSIONS, by=by)

    def note(self, ticket: int, user: int, *, at: Moment, text: str = "Looked into it.") -> int:
        """A note that only the brand's own people see."""
        return self._message(ticket, self._partner_of(user), f"<p>{text}</p>", at, "comment", NOTE)

    def automatic(self, ticket: int, user: int, *, at: Moment) -> int:
        """An acknowledgement that nobody wrote."""
        text = "<p>Your request has come in.</p>"
        author = self._partner_of(user)
        return self._message(ticket, author, text, at, "auto_comment", DISCUSSIONS)

    def close(self, ticket: int, *, at: Moment, cancelled: bool = False) -> None:
        state = "1_canceled" if cancelled else "1_done"
        self._move(ticket, state, self.solved, at, date_end=seconds(at))

    def reopen(self, ticket: int, *, at: Moment) -> None:
        """Open a ticket again. Only the tracked values still tell that it was closed."""
        self._move(ticket, "01_in_progress", self.in_progress, at, date_end=False)

    def rate(self, ticket: int, contact: int, rating: float, *, at: Moment) -> int:
        word = "top" if rating >= 4 else "ok" if rating >= 3 else "ko"
        dated = {"rated_on": seconds(at)} if self._stage.version >= 19 else {}
        return self._stage.add(
            "rating.rating",
            at,
            res_model=self.model,
            res_id=ticket,
            rating=float(rating),
            rating_text=word,
            consumed=True,
            partner_id=contact,
            **dated,
        )

    def project(self, name: str) -> int:
        if name not in self._projects:
            model = "helpdesk.team" if self._helpdesk else "project.project"
            stages = [self.new, self.in_progress, self.solved]
            belongs = {"stage_ids": stages} if self._helpdesk else {"type_ids": stages}
            self._projects[name] = self._stage.add(model, BORN, name=name, **belongs)
        return self._projects[name]

    def _move(self, ticket: int, state: str, stage: int, at: Moment, *, date_end: Any) -> None:
        before = self._stage.row(self.model, ticket)
        values: Row = {"stage_id": stage, "date_last_stage_update": seconds(at)}
        if self._helpdesk:
            values |= {"close_date": date_end}
        else:
            values |= {"state": state, "date_end": date_end}
        self._stage.change(self.model, ticket, at, **values)
        message = self._message(
            ticket, self._partner_of(2), "", at, "notification", "Stage Changed"
        )
        if not self._helpdesk:
            self._track(message, "state", _STATES[before["state"]], _STATES[state], at)
        stages = "helpdesk.stage" if self._helpdesk else "project.task.type"
        old = record_of(before["stage_id"])
        names = [self._stage.row(stages, each)["name"] for each in (old, stage)]
        self._track(message, "stage_id", names[0], names[1], at)

    def _track(self, message: int, field: str, old: str, new: str, at: Moment) -> None:
        self._stage.add(
            "mail.tracking.value",
            at,
            mail_message_id=message,
            field_id=self._field(field),
            old_value_char=old,
            new_value_char=new,
        )

    def _field(self, name: str) -> int:
        try:
            return self._stage.one("ir.model.fields", name=name, model=self.model)
        except KeyError:
            label = "Stage" if name == "stage_id" else "State"
            return self._stage.add(
                "ir.model.fields",
                BORN,
                name=name,
                model=self.model,
                field_description=label,
                ttype="many2one" if name == "stage_id" else "selection",
            )

    def _message(
        self,
        ticket: int,
        author: int,
        body: str,
        at: Moment,
        kind: str,
        subtype: str,
        *,
        by: int = 2,
    ) -> int:
        person = self._stage.row("res.partner", author)
        return self._stage.add(
            "mail.message",
            at,
            by=by,
            model=self.model,
            res_id=ticket,
            date=seconds(at),
            message_type=kind,
            subtype_id=self._subtype(subtype),
            author_id=author,
            email_from=f'"{person["name"]}" <{person.get("email")}>',
            body=body,
        )

    def _subtype(self, name: str) -> int:
        if name not in self._subtypes:
            try:
                self._subtypes[name] = self._stage.one("mail.message.subtype", name=name)
            except KeyError:
                self._subtypes[name] = self._stage.add(
                    "mail.message.subtype", BORN, name=name, res_model=self.model
                )
        return self._subtypes[name]

    def _partner_of(self, user: int) -> int:
        return int(record_of(self._stage.row("res.users", user)["partner_id"]))
