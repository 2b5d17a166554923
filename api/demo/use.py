"""What partners' people do of their own accord: the portal, e-learning, recommending.

Drawn from the script of `story` and the people of `cast`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from api.demo.cast import BRAND_DOMAIN, HEADQUARTERS, SHINING, Contact
from api.demo.story import Stage, happenings, on_weekdays

_AFTER_LOGIN = {"sheet_view": 0.47, "search": 0.27, "media_download": 0.17, "quote": 0.09}
_COURSES = ("SIZING-1", "COMMISSIONING-1", "COMMISSIONING-2", "AFTER-SALES", "PORTAL-TOUR")
_NEWCOMERS = (
    "Chauffage Bertin",
    "Énergies du Bocage",
    "Plomberie Sorel",
    "Klimatechnik Arndt",
    "Vandamme Techniek",
    "Clim'Ouest",
    "Toit & Soleil",
    "Studio Verde Impianti",
    "Atelier du Froid",
    "Instal·lacions Roca",
)


def portal_events(
    script: pd.DataFrame, people: list[Contact], stage: Stage, rng: np.random.Generator
) -> pd.DataFrame:
    """Portal sessions: a login and what follows within half an hour. Some are the brand's own."""
    sessions = happenings(script, "sessions", rng)
    minute = np.clip(rng.normal(13 * 60, 170, len(sessions)), 6 * 60, 22 * 60).astype("int64")
    sessions["at"] = on_weekdays(sessions["day"]) + pd.to_timedelta(minute, "m")
    sessions["internal"] = rng.random(len(sessions)) < 0.025
    sessions["person_email"] = _whose(sessions, people, rng)
    more = rng.poisson(2.4, len(sessions))
    logins = sessions.assign(kind="login")
    later = sessions.loc[sessions.index.repeat(more)].reset_index(drop=True)
    later["at"] += pd.to_timedelta(rng.integers(20, 1_800, len(later)), "s")
    later["kind"] = rng.choice(list(_AFTER_LOGIN), len(later), p=list(_AFTER_LOGIN.values()))
    events = pd.concat([logins, later], ignore_index=True)
    events = events[(events["at"] >= stage.start) & (events["at"] < stage.until)]
    events = events.sort_values(["at", "partner_code"], kind="stable", ignore_index=True)
    events.insert(0, "source_id", [f"E{1_000_000 + place}" for place in range(len(events))])
    return events[["source_id", "partner_code", "at", "kind", "person_email", "internal"]]


def _whose(sessions: pd.DataFrame, people: list[Contact], rng: np.random.Generator) -> np.ndarray:
    """One of the partner's people, the first ones most often; or a rep of the brand."""
    by_partner: dict[str, list[str]] = {}
    for person in people:
        by_partner.setdefault(person.partner_code, []).append(person.email)
    luck = rng.random(len(sessions)) ** 1.6
    own = [
        by_partner[code][int(len(by_partner[code]) * part)]
        for code, part in zip(sessions["partner_code"].tolist(), luck.tolist(), strict=True)
    ]
    reps = [f"{login}@{BRAND_DOMAIN}" for login, _, role, _ in HEADQUARTERS if role == "rep"]
    return np.where(sessions["internal"], rng.choice(reps, len(sessions)), own)


def learning(
    people: list[Contact], days: pd.DataFrame, stage: Stage, rng: np.random.Generator
) -> pd.DataFrame:
    """Enrolments in the academy's courses, most of them completed within weeks."""
    rows = pd.DataFrame(
        [(person.partner_code, person.email, course) for person in people for course in _COURSES],
        columns=["partner_code", "person_email", "course_code"],
    ).join(days, on="partner_code")
    shines = rows["partner_code"] == SHINING
    rows = rows[shines | (rng.random(len(rows)) < 0.62)].reset_index(drop=True)
    shines = rows["partner_code"] == SHINING
    begin = rows["joined_on"].where(rows["joined_on"] > stage.start, stage.start)
    end = rows["left_on"].where(rows["left_on"] < stage.until, stage.until)
    room = (end - begin).dt.days - 1
    rows["enrolled_on"] = begin + pd.to_timedelta((rng.random(len(rows)) * room) // 1, "D")
    took = pd.to_timedelta(rng.integers(5, 70, len(rows)), "D")
    finished = rows["enrolled_on"] + took
    done = (shines | (rng.random(len(rows)) < 0.72)) & (finished < end)
    rows["completed_on"] = finished.where(done)
    progress = rng.integers(0, 19, len(rows)) * 5  # per cent
    rows["progress"] = np.where(done, "1", [f"0.{part:02d}" for part in progress])
    rows = rows.sort_values(["enrolled_on", "person_email", "course_code"], ignore_index=True)
    rows.insert(0, "source_id", [f"LE{place:04d}" for place in range(len(rows))])
    return rows.drop(columns=["joined_on", "left_on"])


def referrals(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Newcomers that partners recommended."""
    drawn = happenings(script, script["keen"] * (script["mood"] > 7), rng)
    drawn["on"] = on_weekdays(drawn["day"])
    drawn = drawn[(drawn["on"] >= stage.start) & (drawn["on"] < stage.until)]
    drawn = drawn.sort_values(["on", "partner_code"], ignore_index=True)
    drawn["referred_name"] = rng.choice(_NEWCOMERS, len(drawn))
    drawn.insert(0, "source_id", [f"RF{place:04d}" for place in range(len(drawn))])
    return drawn[["source_id", "partner_code", "on", "referred_name"]]
