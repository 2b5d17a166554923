"""Help and after-sales: the desks' calendars, tickets with their clocks, visits to machines.

Drawn from the script of `story`. The clocks here only make plausible instants; what counts as
late is measured by the service itself, from the calendars that are imported beside the tickets.
"""

from __future__ import annotations

from dataclasses import dataclass

import holidays
import numpy as np
import pandas as pd

from api.demo.cast import SHINING
from api.demo.story import Stage, happenings, on_weekdays

RESPONSE_TARGET = 240
RESOLUTION_TARGET = 2_400


@dataclass(frozen=True)
class Desk:
    """A help desk, open nine hours a day from Monday to Friday, but for its country's holidays."""

    code: str
    zone: str
    country: str
    opens: int  # minute of the day
    closed: tuple[str, ...]  # month and day, each year

    hours = 9 * 60

    def closed_days(self, stage: Stage) -> list[str]:
        """The desk's own closing days, holidays apart."""
        years = range(stage.start.year, stage.until.year + 1)
        return [f"{year}-{day}" for year in years for day in self.closed]

    def open_days(self, stage: Stage) -> np.ndarray:
        """Every day the desk works, from a week before the stage to long after it."""
        beyond = stage.until + pd.DateOffset(months=6)
        days = pd.bdate_range(stage.start - pd.Timedelta(days=7), beyond)
        off = holidays.country_holidays(self.country, years=range(days[0].year, beyond.year + 1))
        off_days = pd.to_datetime([*off, *self.closed_days(stage)])
        return days[~days.isin(off_days)].to_numpy(dtype="datetime64[D]")


DESKS = (
    Desk("desk-fr", "Europe/Paris", "FR", 9 * 60, ("12-24", "12-31")),
    Desk("desk-be", "Europe/Brussels", "BE", 9 * 60, ("12-24",)),
    Desk("desk-ch", "Europe/Zurich", "CH", 8 * 60, ("01-02", "12-24")),
    Desk("desk-de", "Europe/Berlin", "DE", 8 * 60, ("12-24", "12-31")),
)
_DESK_OF = {"FR": 0, "ES": 0, "IT": 0, "BE": 1, "LU": 1, "CH": 2, "DE": 3}


def calendars(stage: Stage) -> pd.DataFrame:
    """The desks' opening hours, as a file of calendars."""
    rows = [
        {
            "code": desk.code,
            "time_zone": desk.zone,
            "days": "mon-fri",
            "opens": _clock(desk.opens),
            "closes": _clock(desk.opens + desk.hours),
            "holidays": desk.country,
            "closed_on": ";".join(desk.closed_days(stage)),
        }
        for desk in DESKS
    ]
    return pd.DataFrame(rows)


def tickets(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Requests for help, in the order they were opened; late replies as the script expects."""
    drawn = happenings(script, "tickets", rng)
    count = len(drawn)
    reply, solve = _minutes(drawn, rng)
    waits = (rng.random(count) < 0.18) * rng.integers(120, 1_600, count)
    reopened = (rng.random(count) < 0.05) * rng.choice([1, 1, 1, 2], count)
    solve = solve + reopened * rng.integers(200, 1_400, count)
    clocks = _clocks(drawn, stage, reply, solve, waits, rng)
    luck = np.where(drawn["partner_code"] == SHINING, 1.0, rng.random(count))
    forgotten = luck < 0.008
    replied = clocks["replied"].where(~forgotten & (clocks["replied"] < stage.until))
    never = replied.isna() | (luck < 0.014)
    resolved = clocks["resolved"].where(~never & (clocks["resolved"] < stage.until))
    resumed = (replied.notna() & (clocks["resumed"] < stage.until)).to_numpy()
    paused = (waits > 0) & resumed
    targeted = rng.random(count) < 0.97
    nth_touch = 1 + rng.poisson(0.7, count) + reopened
    frame = pd.DataFrame(
        {
            "partner_code": drawn["partner_code"],
            "opened_at": clocks["opened"],
            "first_reply_at": replied,
            "resolved_at": resolved,
            "reopened_count": np.where(resolved.notna(), reopened, 0),
            "response_target_minutes": np.where(targeted, str(RESPONSE_TARGET), ""),
            "resolution_target_minutes": np.where(targeted, str(RESOLUTION_TARGET), ""),
            "calendar": clocks["calendar"],
            "paused": _pauses(clocks, paused),
            "contacts": np.where(replied.notna(), nth_touch, 0),
            "channel": rng.choice(
                ["phone", "mail", "portal", "chat"], count, p=[0.3, 0.4, 0.2, 0.1]
            ),
            "category": rng.choice(
                ["delivery", "installation", "invoice", "warranty", "product"],
                count,
                p=[0.3, 0.25, 0.15, 0.15, 0.15],
            ),
        }
    )
    happened = (frame["opened_at"] >= stage.start) & (frame["opened_at"] < stage.until)
    frame = frame[happened].sort_values("opened_at", kind="stable", ignore_index=True)
    frame.insert(0, "source_id", [f"T{20_000 + place}" for place in range(len(frame))])
    return frame


def _minutes(drawn: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Business minutes to the first reply and to the solution."""
    count = len(drawn)
    soon = np.clip(rng.lognormal(4.2, 0.7, count), 4, 226)
    slow = rng.random(count) < drawn["slow"].to_numpy()
    reply = np.where(slow, RESPONSE_TARGET + 6 + rng.exponential(160, count), soon)
    in_time = np.clip(reply + rng.lognormal(6.2, 0.8, count), None, 2_330)
    stuck = rng.random(count) < drawn["stuck"].to_numpy()
    solve = np.where(stuck, RESOLUTION_TARGET + 20 + rng.exponential(900, count), in_time)
    return reply.astype("int64"), np.maximum(solve, reply + 10).astype("int64")


def _clocks(
    drawn: pd.DataFrame,
    stage: Stage,
    reply: np.ndarray,
    solve: np.ndarray,
    waits: np.ndarray,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The instants of each ticket in UTC: opened, replied, paused, resumed, resolved."""
    desk_of = drawn["country"].map(_DESK_OF).to_numpy()
    opened = _opened(drawn, rng)
    waiting_from = (reply + (solve - reply) * 0.4).astype("int64")
    moments = {
        "replied": reply,
        "paused": waiting_from,
        "resumed": waiting_from + waits,
        "resolved": solve + waits,
    }
    clocks = pd.DataFrame(index=drawn.index, columns=["calendar", "opened", *moments])
    parts = []
    for place, desk in enumerate(DESKS):
        mine = desk_of == place
        part = pd.DataFrame({"calendar": desk.code}, index=drawn.index[mine])
        part["opened"] = _in_utc(opened[mine], desk.zone)
        days = desk.open_days(stage)
        for name, minutes in moments.items():
            part[name] = _in_utc(_after(opened[mine], minutes[mine], desk, days), desk.zone)
        parts.append(part)
    return pd.concat(parts).loc[clocks.index]


def _opened(drawn: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Local minutes of opening: mostly office hours of weekdays, now and then a Sunday night."""
    count = len(drawn)
    office = rng.random(count) < 0.92
    day = drawn["day"].where(~office, on_weekdays(drawn["day"])).to_numpy(dtype="datetime64[m]")
    minute = np.where(office, rng.integers(8 * 60, 18 * 60, count), rng.integers(420, 1_380, count))
    return np.asarray(day + minute.astype("timedelta64[m]"))


def _after(opened: np.ndarray, minutes: np.ndarray, desk: Desk, days: np.ndarray) -> np.ndarray:
    """The local moment when that many of the desk's minutes have gone by since opening."""
    day = opened.astype("datetime64[D]")
    place = np.searchsorted(days, day)
    of_day = (opened - day).astype("int64") - desk.opens
    gone = np.where(days[place] == day, of_day.clip(0, desk.hours), 0)
    whole, rest = np.divmod(place * desk.hours + gone + minutes, desk.hours)
    return np.asarray(days[whole].astype("datetime64[m]") + (desk.opens + rest))


def _in_utc(local: np.ndarray, zone: str) -> pd.arrays.DatetimeArray:
    """Local moments as naive UTC ones, the way the other frames here hold them."""
    there = pd.DatetimeIndex(local).tz_localize(zone, nonexistent="shift_forward", ambiguous=True)
    return there.tz_convert("UTC").tz_localize(None).array


def _pauses(clocks: pd.DataFrame, paused: np.ndarray) -> list[str]:
    start = clocks["paused"].dt.strftime("%Y-%m-%dT%H:%MZ")
    end = clocks["resumed"].dt.strftime("%Y-%m-%dT%H:%MZ")
    return (start + "/" + end).where(paused, "").tolist()


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def visits(script: pd.DataFrame, stage: Stage, rng: np.random.Generator) -> pd.DataFrame:
    """Visits to machines; what wasn't fixed the first time is visited again within days."""
    first = happenings(script, "visits", rng)
    first["visited_on"] = on_weekdays(first["day"])
    first["asset"] = [f"AUB-{serial:06d}" for serial in rng.permutation(len(first)) * 7 + 210_004]
    luck = rng.random(len(first))
    fixed, locked = luck < first["skill"], luck > 0.965
    failed = rng.choice(["part_missing", "not_fixed"], len(first), p=[0.6, 0.4])
    first["outcome"] = np.select([locked, fixed], ["no_access", "fixed"], failed)
    again = first[(first["outcome"] != "fixed") | (rng.random(len(first)) < 0.03)].copy()
    wait = pd.to_timedelta(rng.integers(1, 12, len(again)), "D")
    again["visited_on"] = on_weekdays(again["visited_on"] + wait, later=True)
    again["outcome"] = np.where(rng.random(len(again)) < 0.92, "fixed", "not_fixed")
    both = pd.concat([first, again]).sort_values(["visited_on", "asset"], ignore_index=True)
    both = both[(both["visited_on"] >= stage.start) & (both["visited_on"] < stage.until)]
    both = both[["partner_code", "asset", "visited_on", "outcome"]].reset_index(drop=True)
    both.insert(0, "source_id", [f"V{5_000 + place}" for place in range(len(both))])
    return both
