"""Surveys: the invitation, and the one reminder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import (
    Aside,
    Button,
    Fact,
    Facts,
    Text,
    Written,
    one_or_more,
)
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences


@dataclass(frozen=True)
class Invitation:
    """A survey that somebody is asked to answer.

    purpose: a sentence on what becomes of the answers. minutes: how long it takes.
    path: of its page, below the base address. closes_on: the last day; None: no day is set.
    """

    title: Words
    purpose: Words
    questions: int
    minutes: int
    path: str
    closes_on: date | None = None

    @classmethod
    def of(cls, about: About) -> Invitation:
        """From what whoever asks owes the letter with: the same names, texts in both languages."""
        closes_on = about.get("closes_on")
        return cls(
            title=Words(**about["title"]),
            purpose=Words(**about["purpose"]),
            questions=int(about["questions"]),
            minutes=int(about["minutes"]),
            path=about["path"],
            closes_on=date.fromisoformat(closes_on) if closes_on else None,
        )


def survey(invitation: Invitation, settings: Settings) -> Written:
    """The invitation."""
    return Written(
        subject=Words("{title}: {minutes}", "{title}\u202f: {minutes}").format(
            title=invitation.title, minutes=_minutes(invitation)
        ),
        first=invitation.purpose,
        title=invitation.title,
        blocks=(
            Text(
                Words(
                    "How are we doing? A bad score counts as much as a good one.",
                    "Que pensez-vous de notre travail\u202f? Une mauvaise note compte autant "
                    "qu’une bonne.",
                ),
                strong=True,
            ),
            Text(invitation.purpose),
            _about(invitation),
            Button(Words("Answer now", "Répondre maintenant"), settings.base_url + invitation.path),
            _voluntary(),
        ),
    )


def reminder(invitation: Invitation, settings: Settings) -> Written:
    """The same once more, for whoever hasn't answered."""
    left = (
        Words(
            "The survey stays open until {day}.", "L’enquête reste ouverte jusqu’au {day}."
        ).format(day=sentences.day_text(invitation.closes_on))
        if invitation.closes_on
        else Words("The survey is still open.", "L’enquête est encore ouverte.")
    )
    return Written(
        subject=Words("Still time: {title}", "Il est encore temps\u202f: {title}").format(
            title=invitation.title
        ),
        first=left,
        title=invitation.title,
        blocks=(
            Text(
                Words(
                    "A few days ago we asked for your opinion. {left} This is the only reminder.",
                    "Il y a quelques jours, nous vous avons demandé votre avis. {left} C’est le "
                    "seul rappel.",
                ).format(left=left)
            ),
            Text(invitation.purpose),
            _about(invitation),
            Button(Words("Answer now", "Répondre maintenant"), settings.base_url + invitation.path),
            _voluntary(),
        ),
    )


def _about(invitation: Invitation) -> Facts:
    asked = one_or_more(
        invitation.questions,
        Words("one question", "une question"),
        Words("{n} questions", "{n} questions"),
    )
    rows = [
        Fact(Words("Length", "Longueur"), asked),
        Fact(Words("Time", "Durée"), _minutes(invitation)),
    ]
    if invitation.closes_on:
        rows.append(
            Fact(Words("Open until", "Ouverte jusqu’au"), sentences.day_text(invitation.closes_on))
        )
    return Facts(tuple(rows))


def _minutes(invitation: Invitation) -> Words:
    return one_or_more(
        invitation.minutes,
        Words("one minute", "une minute"),
        Words("{n} minutes", "{n} minutes"),
    )


def _voluntary() -> Aside:
    return Aside(
        Words(
            "You don't need to sign in. The link is yours alone: please don't pass it on.",
            "Inutile de vous connecter. Le lien est personnel\u202f: ne le transmettez pas.",
        )
    )


def _preview_invitation() -> Invitation:
    return Invitation(
        title=Words("Your quarter with us", "Votre trimestre avec nous"),
        purpose=Words(
            "We read every comment, and tell you in October what we change.",
            "Nous lisons chaque commentaire, et vous dirons en octobre ce que nous changeons.",
        ),
        questions=4,
        minutes=2,
        path="/sign-in",
        closes_on=date(2026, 7, 31),
    )


def _write_survey(desk: Desk, about: About) -> Written:
    return survey(Invitation.of(about), desk.settings)


def _write_reminder(desk: Desk, about: About) -> Written | None:
    invitation = Invitation.of(about)
    today = desk.now.astimezone(desk.settings.zone).date()
    if invitation.closes_on and invitation.closes_on < today:
        return None
    return reminder(invitation, desk.settings)


_BECAUSE = Words(
    "You get this letter because you work with us, and we would like to know how that goes.",
    "Vous recevez ce courriel car vous travaillez avec nous, et votre avis nous importe.",
)

SURVEY = Letter(
    name="survey",
    topic="surveys",
    what=Words("an invitation to a survey", "une invitation à une enquête"),
    because=_BECAUSE,
    write=_write_survey,
    preview=lambda settings: survey(_preview_invitation(), settings),
)
REMINDER = replace(
    SURVEY,
    name="reminder",
    what=Words("the one reminder of a survey", "l’unique rappel d’une enquête"),
    write=_write_reminder,
    preview=lambda settings: reminder(_preview_invitation(), settings),
)
