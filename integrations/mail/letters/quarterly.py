"""The quarterly digest, for partners: the balance, what was earned and missed, the nearest way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.mail import addresses
from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import (
    Block,
    Button,
    Fact,
    Facts,
    Heading,
    Item,
    Items,
    Text,
    Written,
    gained,
    one_or_more,
)
from partner_cx.errors import NotFound
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.frozen import Closing
from rewards.ledger.owners import Owner, partner_owner
from rewards.statements import Line, Unearned, statement
from rewards.statements.explaining import explain_owner
from rewards.statements.nearest import Way

STEPS_MOST = 3
SHOWN = 8


@dataclass(frozen=True)
class Earning:
    """points: below zero where they were spent or taken back."""

    title: Words
    points: int
    why: Words


@dataclass(frozen=True)
class Missed:
    """worth: what it would have brought. way: the steps that would have led there."""

    title: Words
    worth: Words
    why: Words
    way: tuple[Words, ...]


@dataclass(frozen=True)
class Quarter:
    """A partner's quarter. pending: what can't be spent yet."""

    partner: str
    period: Period
    balance: int
    pending: int
    earned: tuple[Earning, ...]
    missed: tuple[Missed, ...]
    address: str


def written(quarter: Quarter) -> Written:
    total = sum(each.points for each in quarter.earned if each.points > 0)
    named = {"period": _label(quarter.period), "partner": quarter.partner}
    title = Words("Your {period}", "Votre bilan du {period}").format(**named)
    return Written(
        subject=Words("{partner}: your {period}", "{partner}\u202f: bilan du {period}").format(
            **named
        ),
        first=Words("Earned: {points}.", "Gain\u202f: {points}.").format(
            points=sentences.points(total)
        ),
        title=title,
        blocks=(
            Facts(tuple(_sums(quarter, total))),
            *(_earned(quarter.earned) or [_nothing(quarter)]),
            *_missed(quarter.missed),
            Button(Words("See the statement", "Voir le relevé"), quarter.address),
        ),
    )


def _label(period: Period) -> Words:
    return Words(period.label("en"), period.label("fr"))


def _sums(quarter: Quarter, total: int) -> Iterator[Fact]:
    yield Fact(Words("Earned in the quarter", "Gagnés ce trimestre"), sentences.points(total))
    yield Fact(Words("Balance today", "Solde à ce jour"), sentences.points(quarter.balance))
    if quarter.pending:
        yield Fact(Words("Still pending", "Encore en attente"), sentences.points(quarter.pending))


def _nothing(quarter: Quarter) -> Block:
    said = Words("No points came in this quarter.", "Aucun point n’est entré ce trimestre.")
    if quarter.missed:
        said = Words(
            "No points came in this quarter. Below is what was missing.",
            "Aucun point n’est entré ce trimestre. Voici ce qui a manqué.",
        )
    return Text(said)


def _earned(earned: Sequence[Earning]) -> list[Block]:
    if not earned:
        return []
    items = tuple(Item(each.title, gained(each.points), (each.why,)) for each in earned[:SHOWN])
    more = Words("and one entry more.", "et une écriture de plus.")
    heading = Words("What came in", "Ce qui est entré")
    if any(each.points < 0 for each in earned):
        heading = Words("What came in and went out", "Ce qui est entré et sorti")
    return [
        Heading(heading),
        Items(items),
        *_rest(len(earned), more, Words("and {n} entries more.", "et {n} écritures de plus.")),
    ]


def _rest(count: int, one: Words, more: Words) -> list[Block]:
    """That there are more than are shown: the statement has them all."""
    return [Text(one_or_more(count - SHOWN, one, more))] if count > SHOWN else []


def _missed(missed: Sequence[Missed]) -> list[Block]:
    if not missed:
        return []
    heading = Words(
        "What was missed, and the nearest way to it",
        "Ce qui a manqué, et le plus court chemin",
    )
    return [
        Heading(heading),
        Items(tuple(_miss(each) for each in missed[:SHOWN])),
        *_rest(
            len(missed),
            Words("and one more.", "et une autre occasion."),
            Words("and {n} more.", "et {n} autres occasions."),
        ),
    ]


def _miss(each: Missed) -> Item:
    nearest = Words("Nearest way: {step}", "Le plus court chemin\u202f: {step}")
    ways = [nearest.format(step=step) for step in each.way]
    return Item(each.title, None, (_worth(each.worth), each.why, *ways))


def _worth(worth: Words) -> Words:
    return Words("Worth: {worth}", "Valeur\u202f: {worth}").format(worth=worth)


# --- From what is on record -----------------------------------------------------------------------


def _write(desk: Desk, about: About) -> Written | None:
    """about: `partner`, its code; `period`."""
    if about["partner"] != desk.reader.partner_code:
        return None  # they have left the partner since
    period = Period.parse(about["period"])
    quarter = quarter_of(desk.session, about["partner"], period, desk.settings)
    has_something = quarter.earned or quarter.missed or quarter.balance or quarter.pending
    return written(quarter) if has_something else None


def quarter_of(session: Session, code: str, period: Period, settings: Settings) -> Quarter:
    owner = partner_owner(session, code)
    story = statement(session, owner, settings=settings, period=period, rows=0)
    ways = _ways(session, owner, period, settings)
    return Quarter(
        story.name,
        period,
        story.balance,
        story.pending,
        tuple(_earning(line) for line in reversed(story.lines)),
        tuple(_missing(each, ways) for each in reversed(story.unearned)),
        addresses.statement(settings, code),
    )


def _ways(
    session: Session, owner: Owner, period: Period, settings: Settings
) -> Mapping[tuple[str, date], Way]:
    try:
        explained = explain_owner(session, owner, period, settings=settings, rows=0)
    except NotFound:
        return {}
    judged = [each.judged for each in explained.explanations if each.judged]
    return {(each.decision.rule.code, each.on): each.way for each in judged if each.way}


def _earning(line: Line) -> Earning:
    title = line.rule.label if line.rule else Words("Points", "Points")
    return Earning(title, line.points, line.why)


def _missing(each: Unearned, ways: Mapping[tuple[str, date], Way]) -> Missed:
    way = ways.get((each.rule.code, each.on), Way())
    steps = tuple(step.sentence for step in way.steps[:STEPS_MOST])
    return Missed(each.rule.label, each.worth, each.sentence, steps)


def last_closed(session: Session) -> Period | None:
    """The last quarter that was closed."""
    periods = [Period.parse(text) for text in session.scalars(sa.select(Closing.period))]
    quarters = [each for each in periods if each.kind is PeriodKind.QUARTER]
    return max(quarters, key=lambda each: each.first_day, default=None)


def _newest(desk: Desk) -> About | None:
    period = last_closed(desk.session)
    if period is None or desk.reader.partner_code is None:
        return None
    return {"partner": desk.reader.partner_code, "period": str(period)}


def _preview(settings: Settings) -> Written:
    return written(
        Quarter(
            "Marne Clim",
            Period.parse("2026Q2"),
            balance=420,
            pending=100,
            earned=(
                Earning(
                    Words("E-learning", "Formation en ligne"),
                    120,
                    Words("Two people completed a course.", "Deux personnes ont terminé un cours."),
                ),
            ),
            missed=(
                Missed(
                    Words("Network quality bonus", "Prime qualité du réseau"),
                    sentences.points(500),
                    Words(
                        "OTIF 94.1% misses 95%: 48 of 51 lines.",
                        "OTIF de 94,1\u202f%, objectif 95\u202f% manqué\u202f: 48 lignes sur 51.",
                    ),
                    (
                        Words(
                            "one more line on time and in full.",
                            "une ligne de plus à l’heure et complète.",
                        ),
                    ),
                ),
            ),
            address=addresses.statement(settings, "MARNE-CLIM"),
        )
    )


QUARTERLY_DIGEST = Letter(
    name="quarterly_digest",
    topic="digests",
    what=Words("a closed quarter, for partners", "un trimestre clôturé, pour les partenaires"),
    because=Words(
        "You get this letter each quarter because you take part in the programme.",
        "Vous recevez ce courriel chaque trimestre car vous participez au programme.",
    ),
    write=_write,
    preview=_preview,
    newest=_newest,
)
