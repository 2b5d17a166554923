"""When a rule is decided: at a period's close, or on an event."""

from __future__ import annotations

from enum import StrEnum

from partner_cx.operations.event_kinds import EventKind


class Occasion(StrEnum):
    """When a rule is decided."""

    CLOSE = "close"  # once per partner when a period is closed
    REPORT_ACCEPTED = EventKind.REPORT_ACCEPTED.value  # once per event, as each of those below
    SURVEY_ANSWERED = EventKind.SURVEY_ANSWERED.value
    COURSE_COMPLETED = EventKind.COURSE_COMPLETED.value
    CATALOGUE_COMPLETED = EventKind.CATALOGUE_COMPLETED.value
    PANEL_ATTENDED = EventKind.PANEL_ATTENDED.value
    INCIDENT_RESOLVED = EventKind.INCIDENT_RESOLVED.value

    @property
    def event(self) -> EventKind | None:
        """The kind of event; None for a close."""
        return None if self is Occasion.CLOSE else EventKind(self.value)
