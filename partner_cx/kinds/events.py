"""What people did, once each, as files of other systems tell it."""

from __future__ import annotations

from partner_cx.operations.clocks import local_days
from partner_cx.operations.drafts import Draft
from partner_cx.operations.event_kinds import EventKind
from partner_cx.operations.facts import ToldEvent
from partner_cx.operations.fields import choice, email, instant, text
from partner_cx.operations.intake import ABOUT_A_PARTNER, Desk, Kind, name_partners


def _finish_events(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    draft["on"] = local_days(draft["at"], desk.settings.time_zone)


EVENTS = Kind(
    name="events",
    table=ToldEvent.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        instant("at", required=True),
        choice("kind", [kind.value for kind in EventKind], required=True),
        email("person_email"),
        text("subject", longest=200),
    ),
    finish=_finish_events,
    kept=(
        (("person_email",), ("person_email",)),
        (("subject",), ("subject",)),
    ),
    told_once=True,
)
