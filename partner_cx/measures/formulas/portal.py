"""The portal: who uses it, what they look at, and how complete the catalogue is.

Only external people count: a brand's own staff standing in for a partner isn't adoption.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from partner_cx.measures.formulas.seam import as_day, count, days, presence, together


def counts(events: pd.DataFrame, statuses: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Count `portal_sessions`, `sheet_views`, `media_downloads` and `catalogue_completion`.

    events: partner_id, on, kind, person_email, internal. A partner's day with any event, of
        whatever kind, is one session.
    statuses: partner_id, on, filled, required. A period isn't the sum of these days: it is each
        partner's latest, and all of that day's statuses together.
    n are days with a session, events, or required fields.
    """
    events = _external(events, as_of_day)
    statuses = statuses[days(statuses["on"]) <= as_day(as_of_day)]
    sessions = events.drop_duplicates(["partner_id", "on"])
    return together(
        [
            count("portal_sessions", sessions, day="on", hits=1, of=1),
            _of_kind("sheet_views", events, "sheet_view"),
            _of_kind("media_downloads", events, "media_download"),
            count(
                "catalogue_completion",
                statuses,
                day="on",
                hits=statuses["filled"],
                of=statuses["required"],
                n=statuses["required"],
            ),
        ]
    )


def presences(events: pd.DataFrame, *, as_of_day: date) -> pd.DataFrame:
    """Say which external people were seen (`portal_depth`), by their address in small letters."""
    events = _external(events, as_of_day)
    events = events.assign(who=events["person_email"].astype("str").str.strip().str.lower())
    return presence("portal_depth", events, day="on", who="who")


def _of_kind(kpi: str, events: pd.DataFrame, kind: str) -> pd.DataFrame:
    """n is any use of the portal, so that a partner who came and looked at no sheet has a 0."""
    return count(kpi, events, day="on", hits=events["kind"] == kind)


def _external(events: pd.DataFrame, as_of_day: date) -> pd.DataFrame:
    internal = events["internal"].astype("boolean").fillna(value=False).astype("bool")
    return events[~internal & (days(events["on"]) <= as_day(as_of_day))]
