"""A report was answered: whoever filed it reads what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import Button, Fact, Facts, Text, Written, same, shortened
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences

QUOTED_MOST = 1_000


@dataclass(frozen=True)
class AnsweredReport:
    """A field report with the answer to it. path: of its page, below the base address."""

    partner: str
    filed_on: date
    answered_by: str
    answer: str
    path: str

    @classmethod
    def of(cls, about: About) -> AnsweredReport:
        """From what whoever answers a report owes the letter with: the same names as here."""
        filed_on = date.fromisoformat(about["filed_on"])
        return cls(**{**about, "filed_on": filed_on})


def written(report: AnsweredReport, settings: Settings) -> Written:
    partner = same(report.partner)
    return Written(
        subject=Words(
            "Your report about {partner} was answered",
            "Une réponse à votre compte rendu sur {partner}",
        ).format(partner=partner),
        first=same(shortened(report.answer, 120)),
        title=Words("Your report was answered", "Votre compte rendu a une réponse"),
        blocks=(
            Facts(
                (
                    Fact(Words("Partner", "Partenaire"), partner),
                    Fact(
                        Words("Reported on", "Compte rendu du"),
                        sentences.day_text(report.filed_on),
                    ),
                    Fact(Words("Answered by", "Réponse de"), same(report.answered_by)),
                )
            ),
            Text(
                Words("“{answer}”", "«\u202f{answer}\u202f»").format(
                    answer=shortened(report.answer, QUOTED_MOST)
                )
            ),
            Button(
                Words("Open the report", "Ouvrir le compte rendu"), settings.base_url + report.path
            ),
            Text(
                Words(
                    "Thank you for reporting: what you see on site is what we couldn't know.",
                    "Merci pour ce compte rendu\u202f: ce que vous voyez sur place, nous ne "
                    "pouvions pas le savoir.",
                )
            ),
        ),
    )


def _write(desk: Desk, about: About) -> Written:
    return written(AnsweredReport.of(about), desk.settings)


def _preview(settings: Settings) -> Written:
    return written(
        AnsweredReport(
            partner="Chaleur des Alpes",
            filed_on=date(2026, 6, 9),
            answered_by="Mia Laurent",
            answer="Thank you. The display stand leaves our warehouse on Friday, and the "
            "delivery window is now in the morning, as they asked.",
            path="/me",
        ),
        settings,
    )


REPORT_ANSWERED = Letter(
    name="report_answered",
    topic="reports",
    what=Words("the answer to a field report", "la réponse à un compte rendu de visite"),
    because=Words(
        "You get this letter because you filed the report.",
        "Vous recevez ce courriel car vous avez rédigé le compte rendu.",
    ),
    write=_write,
    preview=_preview,
)
