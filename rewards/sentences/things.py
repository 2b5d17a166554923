"""What KPIs count and what events are, by name: `3 more lines`, `2 reports accepted`."""

from __future__ import annotations

from dataclasses import dataclass

from partner_cx.operations.event_kinds import EventKind
from partner_cx.quantities import number_text
from partner_cx.words import Words


@dataclass(frozen=True)
class Counted:
    """What a KPI counts, so that a miss can be told in things rather than in percent.

    hit: what makes one of them count, where saying so helps; in English only, since in French
        “3 lignes de plus” says it.
    """

    one: Words
    many: Words
    hit: str = ""

    def times(self, count: int, *, hit: bool = False) -> Words:
        """`1 line`, `412 lines`; French says the singular up to one: `0 ligne`."""
        en = self.one.en if count == 1 else self.many.en
        fr = self.one.fr if count < 2 else self.many.fr
        return Words(
            en=f"{number_text(count, 'en')} {en}{f' {self.hit}' if hit and self.hit else ''}",
            fr=f"{number_text(count, 'fr')} {fr}",
        )


def things(en: str, fr: str, hit: str = "") -> Counted:
    """Most plurals take an s in both languages; `|` parts singular from plural where not."""
    (en_one, en_many), (fr_one, fr_many) = (
        text.split("|") if "|" in text else (text, f"{text}s") for text in (en, fr)
    )
    return Counted(Words(en_one, fr_one), Words(en_many, fr_many), hit)


_ANSWERS = things("answer", "réponse")
_COUNTED = {
    "otif": things("line", "ligne", "on time"),
    "otif_order": things("order", "commande", "on time"),
    "otif_case": things("line", "ligne"),
    "on_time": things("line", "ligne", "on time"),
    "in_full": things("line", "ligne", "in full"),
    "sla_response": things("ticket", "ticket", "answered in time"),
    "sla_resolution": things("ticket", "ticket", "resolved in time"),
    "first_response": things("ticket", "ticket"),
    "resolution": things("ticket", "ticket"),
    "backlog": things("ticket", "ticket"),
    "ftfr": things("first visit", "première visite|premières visites", "that fixed it"),
    "fcr": things("ticket", "ticket", "settled at first contact"),
    "dispute_rate": things("invoice line", "ligne de facture|lignes de facture"),
    "credit_rate": things("invoice", "facture"),
    "portal_adoption": things("account", "compte", "active"),
    "portal_depth": things("user", "utilisateur", "active"),
    "catalogue_completion": things("field", "champ", "filled"),
    "learning_completion": things("enrolment", "inscription", "completed"),
    "time_to_quote": things("request", "demande"),
    "retention": things("partner", "partenaire", "kept"),
    "churn": things("partner", "partenaire"),
    "referral_rate": things("partner", "partenaire", "with a referral"),
    **dict.fromkeys(
        ("nps", "pnps", "pnps_by_partner", "csat", "csat10", "ces", "ces5", "dsi", "cxi"), _ANSWERS
    ),
}
_MEASUREMENTS = things("measurement", "mesure")
_EVENTS = {
    EventKind.REPORT_ACCEPTED: things(
        "report accepted|reports accepted", "rapport retenu|rapports retenus"
    ),
    EventKind.SURVEY_ANSWERED: things(
        "survey answered|surveys answered", "enquête remplie|enquêtes remplies"
    ),
    EventKind.COURSE_COMPLETED: things(
        "course completed|courses completed", "formation achevée|formations achevées"
    ),
    EventKind.CATALOGUE_COMPLETED: things(
        "catalogue completed|catalogues completed", "catalogue complété|catalogues complétés"
    ),
    EventKind.PANEL_ATTENDED: things(
        "panel attended|panels attended", "participation à un panel|participations à un panel"
    ),
    EventKind.INCIDENT_RESOLVED: things(
        "incident resolved|incidents resolved", "incident résolu|incidents résolus"
    ),
}
MONTHS = things("month", "mois|mois")
DAYS = things("day", "jour")
PARTNERS = things("partner", "partenaire")


def counted(kpi: str) -> Counted:
    return _COUNTED.get(kpi, _MEASUREMENTS)


def events(kind: EventKind) -> Counted:
    return _EVENTS[kind]
