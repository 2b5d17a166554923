"""Learning: who of the partners' people takes which course, as Odoo's e-learning tells it.

A membership of a course is an enrolment. An invitation isn't one yet, and a course's creator, who
Odoo makes its member, is of no partner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

import sqlalchemy as sa

from integrations.odoo.section import Section, said
from integrations.odoo.streams import SOURCE, Reading, Row, Stream, Told, Watched
from integrations.odoo.streams.whole import read_whole
from integrations.odoo.values import day_text, id_of, local_day
from partner_cx.operations.facts import Enrolment
from partner_cx.operations.imports import Source
from partner_cx.quantities import MICRO, micro_to_text

WITHOUT_ADDRESS = "Some people who take courses have no e-mail address in Odoo. They aren't told."


@dataclass(frozen=True)
class LearningMapping(Section):
    """What an installation decides of courses."""

    NAME: ClassVar[str] = "learning"
    ABOUT: ClassVar[str] = "Courses of the e-learning, for their completion."

    courses: Mapping[str, str] = said(
        {}, "Our code for a course, by its name; without one the name is the code."
    )


def tell(reading: Reading, ids: Sequence[int]) -> Told:
    """Read memberships, archived ones too, with the lessons completed, and tell enrolments."""
    told = Told()
    members = reading.odoo.read("slide.channel.partner", list(ids), _MEMBER)
    reading.directory.learn(id_of(member["partner_id"]) for member in members)
    members = [member for member in members if is_enrolment(member) and _partner(reading, member)]
    known = _known(reading, [str(number) for number in ids])
    completed = _completed(reading, members)
    codes = _course_codes(reading, members)
    zone = reading.settings.zone
    for member in members:
        email = reading.directory.email(id_of(member["partner_id"]))
        if email is None:
            told.notes += [] if WITHOUT_ADDRESS in told.notes else [WITHOUT_ADDRESS]
            continue
        enrolled_on = local_day(member["create_date"], zone)
        completed_on = known.get(str(member["id"])) or local_day(completed.get(member["id"]), zone)
        row: dict[str, str | None] = {
            "source_id": str(member["id"]),
            "partner_code": _partner(reading, member),
            "person_email": email,
            "course_code": codes[member["channel_id"][0]],
        }
        told.add("learning", row | enrolment_days(member, enrolled_on, completed_on))
    still = {row["source_id"] for row in told.rows.get("learning", ())}
    for source_id in known:
        if source_id not in still:
            told.withdraw("learning", source_id)
    return told


def is_enrolment(member: Row) -> bool:
    """Whether a membership counts. Who left a course unfinished isn't in it any more."""
    if member["member_status"] == "completed":
        return True
    return bool(member["active"]) and member["member_status"] != "invited"


def enrolment_days(
    member: Row, enrolled_on: date | None, completed_on: date | None
) -> dict[str, str | None]:
    """From when to when, and how far. A day of completion that is known stays: a lesson that is
    looked at again is written again."""
    done = member["member_status"] == "completed"
    if enrolled_on and completed_on:
        completed_on = max(enrolled_on, completed_on)
    progress = min(max(round(member["completion"] or 0), 0), 100)
    return {
        "enrolled_on": day_text(enrolled_on),
        "completed_on": day_text(completed_on) if done else None,
        "progress": micro_to_text(MICRO if done else progress * MICRO // 100),
    }


def _partner(reading: Reading, member: Row) -> str | None:
    return reading.directory.partner_code(id_of(member["partner_id"]))


def _completed(reading: Reading, members: Sequence[Row]) -> dict[int, str]:
    """When completed courses were: with their last lesson, or when the membership says so."""
    done = [member for member in members if member["member_status"] == "completed"]
    if not done:
        return {}
    lessons = read_whole(
        reading.odoo,
        "slide.slide.partner",
        [
            ("channel_id", "in", sorted({member["channel_id"][0] for member in done})),
            ("partner_id", "in", sorted({member["partner_id"][0] for member in done})),
            ("completed", "=", True),
        ],
        ["channel_id", "partner_id", "write_date"],
    )
    last: dict[tuple[int, int], str] = {}
    for lesson in lessons:
        last[_whose(lesson)] = max(last.get(_whose(lesson), ""), lesson["write_date"])
    return {member["id"]: last.get(_whose(member)) or member["write_date"] for member in done}


def _whose(row: Row) -> tuple[int, int]:
    """Whose course it is: the course and the person."""
    return (row["channel_id"][0], row["partner_id"][0])


def _course_codes(reading: Reading, members: Sequence[Row]) -> dict[int, str]:
    ids = sorted({member["channel_id"][0] for member in members})
    courses = reading.odoo.read("slide.channel", ids, ["name"]) if ids else []
    ours = reading.mapping.learning.courses
    return {row["id"]: ours.get(row["name"], row["name"]) for row in courses}


def _known(reading: Reading, source_ids: Sequence[str]) -> dict[str, date | None]:
    """The enrolments we know, with their days of completion."""
    table = Enrolment.__table__.c
    wanted = (
        sa.select(table.source_id, table.completed_on)
        .join_from(Enrolment.__table__, Source.__table__, Source.id == table.source)
        .where(Source.code == SOURCE, table.source_id.in_(source_ids))
        .order_by(table.id)
    )
    return {row.source_id: row.completed_on for row in reading.session.execute(wanted)}


_MEMBER = [
    "channel_id",
    "partner_id",
    "active",
    "member_status",
    "completion",
    "create_date",
    "write_date",
]

LEARNING = Stream(
    name="learning",
    watched=(Watched("slide.channel.partner"),),
    tell=tell,
    identified={"learning": "slide.channel.partner"},
    kpis=("learning_completion",),
    modules=("website_slides",),
)
