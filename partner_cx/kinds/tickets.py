"""Requests for help and the calendars their clocks run in, as files tell it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from partner_cx.calendars import BusinessCalendar, calendar_from_row
from partner_cx.effects import ANNOUNCE, Owed, owe
from partner_cx.errors import Invalid
from partner_cx.operations import facts
from partner_cx.operations.clocks import (
    CLOCKS,
    calendars,
    local_days,
    pauses_in_utc,
    run_again,
    run_clocks,
)
from partner_cx.operations.drafts import Draft, refuse_disorder
from partner_cx.operations.fields import (
    instant,
    text,
    whole_number,
)
from partner_cx.operations.intake import ABOUT_A_PARTNER, Desk, Kind, hold_imports, name_partners
from partner_cx.words import Words

INCIDENT = "incident"  # the category of tickets that are one
MINUTES_MAX = 1_000_000  # the longest target: almost two years around the clock


def _finish_tickets(draft: Draft, desk: Desk) -> None:
    name_partners(draft, desk)
    zone = desk.settings.time_zone
    for column, reason in (
        (
            "first_reply_at",
            Words(
                "The first reply is earlier than the ticket.",
                "La première réponse précède le ticket.",
            ),
        ),
        (
            "resolved_at",
            Words("The resolution is earlier than the ticket.", "La résolution précède le ticket."),
        ),
    ):
        refuse_disorder(
            draft,
            "opened_at",
            column,
            shown=column,
            reason=reason,
            remedy=Words(
                "Mend one of the two moments, or their time zone.",
                "Corrigez l’un des deux instants, ou leur fuseau horaire.",
            ),
        )
    draft["calendar_id"] = desk.ids_of(draft, "calendar", facts.Calendar.__table__)
    unknown = np.asarray(draft["calendar_id"].is_null()) & np.asarray(draft["calendar"].is_valid())
    draft.refuse(
        unknown,
        "calendar",
        Words("No calendar has this code.", "Aucun calendrier n’a ce code."),
        Words(
            "Import the calendar first, or mend the code.",
            "Importez d’abord le calendrier, ou corrigez le code.",
        ),
    )
    draft["paused"], misread = pauses_in_utc(draft["paused"], zone)
    draft.refuse(
        misread,
        "paused",
        Words("These pauses can't be understood.", "Ces pauses sont incompréhensibles."),
        Words(
            "Write start/end;start/end, with moments such as 2026-06-08T14:00.",
            "Écrivez début/fin;début/fin, avec des instants comme 2026-06-08T14:00.",
        ),
    )
    draft["opened_on"] = local_days(draft["opened_at"], zone)
    draft["replied_on"] = local_days(draft["first_reply_at"], zone)
    draft["resolved_on"] = local_days(draft["resolved_at"], zone)
    frame = pa.table(
        {
            name: draft[name]
            for name in (
                "opened_at",
                "first_reply_at",
                "resolved_at",
                "response_target_minutes",
                "resolution_target_minutes",
                "calendar_id",
                "paused",
            )
        }
    ).to_pandas(integer_object_nulls=True)
    whole = frame.convert_dtypes(dtype_backend="numpy_nullable")
    by_id = calendars(desk.session)
    clocks, endless = _clocks(whole[draft.good], by_id, zone)
    draft.refuse(
        np.isin(np.arange(len(draft)), endless),
        "opened_at",
        Words(
            "The ticket's clocks would run beyond the years we reckon with.",
            "Les délais du ticket sortiraient des années que nous comptons.",
        ),
        Words(
            "Look for a mistyped year, or a target in seconds.",
            "Cherchez une année mal saisie, ou un délai en secondes.",
        ),
    )
    clocks = clocks.reindex(range(len(draft)))
    for name in CLOCKS:
        draft[name] = _as_arrow(clocks[name], name)


def _clocks(
    tickets: pd.DataFrame, by_id: Mapping[int, BusinessCalendar], zone: str
) -> tuple[pd.DataFrame, list[int]]:
    """The clocks of tickets, and the rows of those whose clocks can't be run.

    Tickets that can't be reckoned together are halved, down to those that can't by themselves.
    """
    try:
        return run_clocks(tickets, by_id, zone), []
    except Invalid:
        if len(tickets) == 1:
            return tickets.iloc[:0].reindex(columns=list(CLOCKS)), [int(tickets.index[0])]
    middle = len(tickets) // 2
    halves = [_clocks(half, by_id, zone) for half in (tickets[:middle], tickets[middle:])]
    found = [clocks for clocks, _ in halves if len(clocks)]
    endless = [row for _, rows in halves for row in rows]
    return (pd.concat(found) if found else halves[0][0]), endless


def _as_arrow(values: pd.Series, name: str) -> pa.Array:
    if name.endswith("_seconds"):
        return pa.array(values.astype("Int64"), pa.int64())
    kind = pa.timestamp("us", "UTC")
    if name.endswith("_at"):
        return pa.array(values, kind, from_pandas=True)
    return pa.array(values, pa.timestamp("us"), from_pandas=True).cast(pa.date32())


def _announce(desk: Desk) -> None:
    """Owe the telling of incidents that came in and are open."""
    table = facts.Ticket.__table__.c
    incidents = sa.select(table.id).where(
        table.import_id == desk.import_id,
        sa.func.lower(table.category) == INCIDENT,
        table.resolved_at.is_(None),
    )
    if desk.merge and desk.session.scalar(incidents.limit(1)) is not None:
        act = Owed(
            ANNOUNCE, f"{ANNOUNCE}:incidents:{desk.import_id}", {"incidents": desk.import_id}
        )
        owe(desk.session, act, now=desk.now)


TICKETS = Kind(
    name="tickets",
    table=facts.Ticket.__table__,
    fields=(
        *ABOUT_A_PARTNER,
        instant("opened_at", required=True),
        instant("first_reply_at"),
        instant("resolved_at"),
        whole_number("reopened_count", most=10_000),
        whole_number("response_target_minutes", least=1, most=MINUTES_MAX),
        whole_number("resolution_target_minutes", least=1, most=MINUTES_MAX),
        text("calendar", column="", longest=200),
        text("paused", longest=20_000),
        whole_number("contacts", most=10_000),
        text("channel", longest=100),
        text("category", longest=100),
    ),
    finish=_finish_tickets,
    derived=CLOCKS,
    kept=(
        (("reopened_count",), ("reopened_count",)),
        (("contacts",), ("contacts",)),
        (("channel",), ("channel",)),
        (("category",), ("category",)),
    ),
    family="tickets",
    days=("opened_on", "replied_on", "resolved_on", "response_due_on", "resolution_due_on"),
    events=("opened_on", "replied_on", "resolved_on"),
    settled=_announce,
)


def _finish_calendars(draft: Draft, desk: Desk) -> None:
    names = ("code", "time_zone", "days", "opens", "closes", "holidays", "closed_on")
    for row in np.flatnonzero(draft.good):
        written = [draft[name][int(row)].as_py() for name in names]
        try:
            calendar_from_row(*written)
        except Invalid as error:
            only = np.zeros(len(draft), dtype=bool)
            only[row] = True
            reason, remedy = error.message, error.remedy
            draft.refuse(only, None, Words(reason, reason), Words(remedy, remedy))


def _run_clocks_again(desk: Desk) -> None:
    """Run the clocks of the tickets whose calendar was corrected."""
    if desk.merge and desk.merge.corrected_ids:
        hold_imports(desk.session, TICKETS)  # one under way has run clocks by the former hours
        run_again(
            desk.session,
            desk.merge.corrected_ids,
            desk.settings.time_zone,
            import_id=desk.import_id,
        )


CALENDARS = Kind(
    name="calendars",
    table=facts.Calendar.__table__,
    fields=(
        text("code", required=True, longest=200),
        text("time_zone", required=True, longest=100),
        text("days", required=True, longest=100),
        text("opens", required=True, longest=20),
        text("closes", required=True, longest=20),
        text("holidays", longest=20),
        text("closed_on", longest=20_000),
    ),
    finish=_finish_calendars,
    key=("code",),
    key_field="code",
    whole=True,
    settled=_run_clocks_again,
)
