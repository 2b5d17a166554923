"""The kinds of events: things people do, once each, that a programme may reward."""

from __future__ import annotations

from enum import StrEnum


class EventKind(StrEnum):
    """What happened."""

    REPORT_ACCEPTED = "report_accepted"  # a field report was found actionable
    SURVEY_ANSWERED = "survey_answered"  # somebody answered a survey, whatever the answers
    COURSE_COMPLETED = "course_completed"  # a person completed a course
    CATALOGUE_COMPLETED = "catalogue_completed"  # a partner's catalogue became complete
    PANEL_ATTENDED = "panel_attended"  # a person took part in a panel
    INCIDENT_RESOLVED = "incident_resolved"  # an incident was settled
