"""Accounts nobody used, catalogues with gaps and courses not completed."""

from __future__ import annotations

from collections.abc import Iterator

from partner_cx.measures.formulas import relationship
from partner_cx.measures.formulas.seam import as_day, days, whole
from partner_cx.network.partners import Partner
from partner_cx.operations.facts import CatalogueStatus, Enrolment, PortalEvent
from partner_cx.operations.hindsight import Among
from partner_cx.words import Words
from rewards.misses.rows import Asked, Miss, date_of, miss, records
from rewards.sentences import day_text


def unfilled(asked: Asked) -> Iterator[Miss]:
    """Of each partner's last day with a status in the period, all statuses that have gaps."""
    statuses = asked.facts(CatalogueStatus, "catalogue-status", "on")
    statuses = statuses[days(statuses["on"]) <= as_day(asked.as_of_day)]
    latest = statuses[statuses["on"] == statuses.groupby("partner_id")["on"].transform("max")]
    for status in records(latest[whole(latest["filled"]) < whole(latest["required"])]):
        what = Words("Catalogue {id}, {day}", "Catalogue {id}, {day}").format(
            id=status["source_id"], day=day_text(date_of(status["on"]))
        )
        verdict = Words("{n} of {of} fields filled", "{n} champs remplis sur {of}")
        yield miss(status, "on", what, verdict.format(n=status["filled"], of=status["required"]))


def uncompleted(asked: Asked) -> Iterator[Miss]:
    enrolments = asked.facts(Enrolment, "learning", "enrolled_on")
    today = as_day(asked.as_of_day)
    enrolled = enrolments[days(enrolments["enrolled_on"]) <= today]
    for enrolment in records(enrolled[~(days(enrolled["completed_on"]) <= today)]):
        what = Words(
            "{person}, course {course}, enrolled {day}",
            "{person}, formation {course}, inscription le {day}",
        ).format(
            person=enrolment["person_email"],
            course=enrolment["course_code"],
            day=day_text(date_of(enrolment["enrolled_on"])),
        )
        yield miss(enrolment, "enrolled_on", what, Words("not completed", "non terminée"))


def unseen(asked: Asked) -> Iterator[Miss]:
    """The accounts that counted and weren't seen on the portal."""
    accounts = asked.among(Partner, "partners", Among("id", asked.partners))
    stand = relationship.standing(accounts, asked.period, as_of_day=asked.as_of_day)
    events = asked.facts(PortalEvent, "portal-events", "on")
    events = events[days(events["on"]) <= as_day(asked.as_of_day)]
    internal = events["internal"].astype("bool")
    came, staff = set(events.loc[~internal, "partner_id"]), set(events.loc[internal, "partner_id"])
    for account in accounts[stand["eligible"].to_numpy()].to_dict("records"):
        if account["id"] not in came:
            verdict = Words("nobody used the portal", "personne n’a utilisé le portail")
            if account["id"] in staff:
                verdict = Words(
                    "only the brand's own staff used the portal",
                    "seul le personnel de la marque a utilisé le portail",
                )
            name = Words("Account {code}, {name}", "Compte {code}, {name}")
            what = name.format(code=account["code"], name=account["name"])
            yield Miss(account["code"], asked.period.last_day, what, verdict)
