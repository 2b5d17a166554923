"""Alerts: a budget runs out, somebody is unhappy, effects are parked. For whoever has to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from integrations.mail import addresses
from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import (
    Aside,
    Block,
    Button,
    Fact,
    Facts,
    Heading,
    Item,
    Items,
    Text,
    Written,
    one_or_more,
    same,
    shortened,
)
from partner_cx.effects import Effect
from partner_cx.feedback.answers import Answer
from partner_cx.network.partners import Partner
from partner_cx.network.people import Role
from partner_cx.quantities import MICRO
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.budgets import BudgetAlert

DETRACTOR_MOST = 6  # of 10, in nps and pnps
SHOWN = 10
EXAMPLES = 5


# --- A budget -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BudgetUsed:
    """That so much of a budget is used."""

    code: str
    level: int
    used: int
    funded: int
    sentence: Words


def budget_used(budget: BudgetUsed, settings: Settings) -> Written:
    left = sentences.points(budget.funded - budget.used)
    done = budget.level >= 100
    return Written(
        subject=Words(
            "Budget {code} is used up" if done else "Budget {code} is {level}% used",
            "Le budget {code} est épuisé"
            if done
            else "Le budget {code} est utilisé à {level}\u202f%",
        ).format(code=budget.code, level=budget.level),
        first=budget.sentence,
        title=Words("A budget needs your attention", "Un budget est à surveiller"),
        blocks=(
            Text(budget.sentence, strong=True),
            Facts(
                (
                    Fact(Words("Funded", "Doté"), sentences.points(budget.funded)),
                    Fact(Words("Used", "Utilisé"), sentences.points(budget.used)),
                    Fact(Words("Left", "Reste"), left),
                )
            ),
            Text(
                Words(
                    "Nothing is lost: what can't be paid is kept, with its reason, until the "
                    "budget is funded again.",
                    "Rien n’est perdu\u202f: ce qui ne peut être payé est gardé, avec son motif, "
                    "jusqu’à ce que le budget soit doté de nouveau.",
                )
            ),
            Button(Words("Open the network", "Ouvrir le réseau"), addresses.network(settings)),
        ),
    )


# --- Unhappy answers ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unhappy:
    """A low score. text: what was said with it."""

    partner_code: str
    partner: str
    score: int
    text: str | None


def unhappy_answers(answers: Sequence[Unhappy], settings: Settings) -> Written:
    count = len(answers)
    subject = one_or_more(
        count,
        Words("{partner} gave {score} out of 10", "{partner} a donné {score} sur 10"),
        Words("{n} low scores came in", "{n} notes basses sont arrivées"),
        partner=answers[0].partner,
        score=answers[0].score,
    )
    return Written(
        subject=subject,
        first=Words(
            "Call within a day: it is what most changes a mind.",
            "Appelez dans la journée\u202f: c’est ce qui change le plus un avis.",
        ),
        title=subject,
        blocks=(
            Text(
                Words(
                    "Call within a day: it is what most changes a mind. Ask first, and don't "
                    "defend.",
                    "Appelez dans la journée\u202f: c’est ce qui change le plus un avis. Demandez "
                    "d’abord, sans vous défendre.",
                )
            ),
            Items(tuple(_unhappy(each, settings) for each in answers[:SHOWN])),
            *_more(count - SHOWN),
            Aside(
                Words(
                    "Who answered isn't told: ask about what happened, never for another score.",
                    "L’auteur n’est pas indiqué\u202f: parlez de ce qui s’est passé, ne demandez "
                    "jamais une autre note.",
                )
            ),
        ),
    )


def _unhappy(each: Unhappy, settings: Settings) -> Item:
    said = (
        Words("“{text}”", "«\u202f{text}\u202f»").format(text=shortened(each.text, 300))
        if each.text
        else Words("Without a comment.", "Sans commentaire.")
    )
    return Item(
        same(each.partner),
        Words(f"{each.score} out of 10", f"{each.score} sur 10"),
        (said,),
        addresses.statement(settings, each.partner_code),
    )


def _more(count: int) -> list[Block]:
    if count <= 0:
        return []
    said = one_or_more(
        count, Words("and one more.", "et une autre."), Words("and {n} more.", "et {n} autres.")
    )
    return [Text(said)]


# --- Parked effects -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ParkedEffects:
    """What waits for somebody to look at it. examples: keys with why, the newest first."""

    counts: tuple[tuple[str, int], ...]
    examples: tuple[tuple[str, str], ...]

    @property
    def count(self) -> int:
        return sum(count for _, count in self.counts)


def parked_effects(parked: ParkedEffects) -> Written:
    subject = one_or_more(
        parked.count,
        Words("One effect is parked", "Un effet est mis de côté"),
        Words("{n} effects are parked", "{n} effets sont mis de côté"),
    )
    return Written(
        subject=subject,
        first=same(shortened(parked.examples[0][1], 120)),
        title=subject,
        blocks=(
            Text(
                Words(
                    "A neighbour refused them, or didn't answer for days. Nothing is lost: each "
                    "waits until you have mended the cause, and is then tried again.",
                    "Un système voisin les a refusés, ou ne répond plus depuis des jours. Rien "
                    "n’est perdu\u202f: chacun attend que la cause soit corrigée, puis il est "
                    "relancé.",
                )
            ),
            Facts(tuple(Fact(same(kind), same(str(count))) for kind, count in parked.counts)),
            Heading(Words("The newest", "Les derniers")),
            Items(tuple(Item(same(key), details=(same(why),)) for key, why in parked.examples)),
            Aside(
                Words(
                    "Then: partner-cx effects list --state parked, and partner-cx effects retry.",
                    "Ensuite\u202f: partner-cx effects list --state parked, puis partner-cx "
                    "effects retry.",
                )
            ),
        ),
    )


# --- From what is on record -----------------------------------------------------------------------


def _write(desk: Desk, about: About) -> Written | None:
    """about: `budget_alert`, an id; or `answers`, ids; or `parked_since`, an instant.

    Whoever no longer looks after the programme isn't told.
    """
    if desk.reader.role not in (Role.MANAGER, Role.ADMIN):
        return None
    if "budget_alert" in about:
        return _of_budget(desk, int(about["budget_alert"]))
    if "answers" in about:
        return _of_answers(desk, about["answers"])
    return _of_parked(desk)


def _of_budget(desk: Desk, alert_id: int) -> Written | None:
    alert = desk.session.get(BudgetAlert, alert_id)
    if alert is None:
        return None
    told = BudgetUsed(
        alert.budget_code, alert.level, alert.used_points, alert.funded_points, alert.sentence
    )
    return budget_used(told, desk.settings)


def _of_answers(desk: Desk, ids: Sequence[int]) -> Written | None:
    """Those that are still low: a correction may have come since."""
    found = desk.session.execute(
        sa.select(Answer, Partner)
        .join(Partner, Partner.id == Answer.partner_id)
        .where(
            Answer.id.in_(ids),
            Answer.dismissed.is_(False),
            Answer.value <= DETRACTOR_MOST * MICRO,
        )
        .order_by(Answer.value, Answer.id)
    )
    low = [
        Unhappy(partner.code, partner.name, (answer.value or 0) // MICRO, answer.text)
        for answer, partner in found
    ]
    return unhappy_answers(low, desk.settings) if low else None


def _of_parked(desk: Desk) -> Written | None:
    parked = parked_now(desk)
    return parked_effects(parked) if parked.count else None


def parked_now(desk: Desk) -> ParkedEffects:
    """What is parked at present, and the reasons of the newest."""
    parked = Effect.parked_at.is_not(None)
    counts = (
        sa.select(Effect.kind, sa.func.count())
        .where(parked)
        .group_by(Effect.kind)
        .order_by(Effect.kind)
    )
    newest = sa.select(Effect.key, Effect.parked_because).where(parked)
    newest = newest.order_by(Effect.parked_at.desc(), Effect.id.desc()).limit(EXAMPLES)
    return ParkedEffects(
        tuple((kind, count) for kind, count in desk.session.execute(counts)),
        tuple((key, shortened(why or "", 300)) for key, why in desk.session.execute(newest)),
    )


def _newest(desk: Desk) -> About | None:
    alert = desk.session.scalar(sa.select(sa.func.max(BudgetAlert.id)))
    if alert is not None:
        return {"budget_alert": alert}
    if desk.reader.role == Role.ADMIN and parked_now(desk).count:
        return {"parked_since": desk.now.isoformat()}
    return None


def _preview(settings: Settings) -> Written:
    return unhappy_answers(
        [
            Unhappy(
                "CLIMAT-LOIRE",
                "Climat Service Loire",
                3,
                "Two deliveries in a row came without the fittings, and nobody called back.",
            ),
            Unhappy("MARNE-CLIM", "Marne Clim", 6, None),
        ],
        settings,
    )


ALERT = Letter(
    name="alert",
    topic="alerts",
    what=Words(
        "a budget that runs out, low scores, parked effects",
        "un budget qui s’épuise, des notes basses, des effets mis de côté",
    ),
    because=Words(
        "You get this letter because you look after the programme.",
        "Vous recevez ce courriel car vous êtes responsable du programme.",
    ),
    write=_write,
    preview=_preview,
    newest=_newest,
)
