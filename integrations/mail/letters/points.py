"""Points earned: one letter for an act, however many entries it made, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from integrations.mail import addresses
from integrations.mail.letters.desk import About, Desk, Letter
from integrations.mail.written import (
    Aside,
    Block,
    Button,
    Fact,
    Facts,
    Item,
    Items,
    Text,
    Written,
    gained,
    one_or_more,
)
from partner_cx.periods import Period, PeriodKind
from partner_cx.settings import Settings
from partner_cx.words import Words
from rewards import sentences
from rewards.ledger import Account, AccountKind, Entry, Transfer
from rewards.ledger.owners import Owner, partner_owner, person_owner
from rewards.statements import Line, statement

SHOWN = 12  # entries; the statement has them all


@dataclass(frozen=True)
class Earned:
    """One entry. title: the rule's name."""

    title: Words
    points: int
    why: Words
    on: date


@dataclass(frozen=True)
class PointsEarned:
    """owner: the partner's name; None: they are the reader's own. address: of the statement."""

    owner: str | None
    entries: tuple[Earned, ...]
    balance: int
    address: str


def written(earned: PointsEarned) -> Written:
    total = sentences.points(sum(each.points for each in earned.entries))
    subject = title = Words("You earned {points}", "Vous avez gagné {points}")
    if earned.owner is not None:
        subject = Words("{points} for {owner}", "{points} pour {owner}")
        title = Words("{owner} earned {points}", "{owner}\u202f: {points} de plus")
    return Written(
        subject=subject.format(points=total, owner=earned.owner),
        first=earned.entries[0].why,
        title=title.format(points=total, owner=earned.owner),
        blocks=tuple(_blocks(earned)),
    )


def _blocks(earned: PointsEarned) -> list[Block]:
    shown, rest = earned.entries[:SHOWN], len(earned.entries) - SHOWN
    blocks: list[Block] = [
        Text(
            Words(
                "Here is why, in the words of the statement:",
                "Voici pourquoi, dans les mots du relevé\u202f:",
            )
        ),
        Items(tuple(_item(each) for each in shown)),
    ]
    if rest > 0:
        more = Words("and one entry more.", "et une écriture de plus.")
        blocks.append(
            Text(
                one_or_more(rest, more, Words("and {n} entries more.", "et {n} écritures de plus."))
            )
        )
    return [
        *blocks,
        Facts((Fact(Words("New balance", "Nouveau solde"), sentences.points(earned.balance)),)),
        Button(Words("See the statement", "Voir le relevé"), earned.address),
        Aside(
            Words(
                "Every point can be explained back to the rows behind it. Something looks wrong? "
                "Tell whoever runs your programme.",
                "Chaque point s’explique jusqu’aux lignes qui l’ont donné. Quelque chose vous "
                "semble faux\u202f? Dites-le aux responsables de votre programme.",
            )
        ),
    ]


def _item(each: Earned) -> Item:
    details = (each.why, sentences.day_text(each.on))
    return Item(each.title, gained(each.points), details)


def _write(desk: Desk, about: About) -> Written | None:
    """about: `wallet`, of the reader or of their partner; `entries`, ids."""
    ids = set(about["entries"])
    owner = next((each for each in _owners(desk) if each.wallet == about["wallet"]), None)
    if owner is None:
        return None  # they have left the partner since
    story = statement(
        desk.session, owner, settings=desk.settings, period=_within(desk, ids), rows=0
    )
    entries = tuple(_earned(line) for line in story.lines if line.entry in ids)
    if not entries:
        return None
    if owner.partner_id is None:
        name, address = None, addresses.own_page(desk.settings)
    else:
        name, address = owner.name, addresses.statement(desk.settings, owner.subject)
    return written(PointsEarned(name, entries, story.balance, address))


def _owners(desk: Desk) -> Iterator[Owner]:
    """Whose points the reader is written to about: their own, and their partner's."""
    yield person_owner(desk.session, desk.reader.email)
    if desk.reader.partner_code:
        yield partner_owner(desk.session, desk.reader.partner_code)


def _within(desk: Desk, ids: Collection[int]) -> Period | None:
    """The month that holds all the entries, so that years of others needn't be told again."""
    days = sa.select(Transfer.effective_on).join(Entry).where(Entry.id.in_(sorted(ids))).distinct()
    months = {Period.of(day, PeriodKind.MONTH) for day in desk.session.scalars(days)}
    return months.pop() if len(months) == 1 else None


def _earned(line: Line) -> Earned:
    title = line.rule.label if line.rule else Words("Points", "Points")
    return Earned(title, line.points, line.why, line.on)


def _newest(desk: Desk) -> About | None:
    """The last transfer to the reader's own wallet, or else to their partner's."""
    wallets = [each.wallet for each in _owners(desk)]
    found = desk.session.execute(
        sa.select(Entry.id, Account.owner)
        .join(Account, Account.id == Entry.account_id)
        .where(Account.kind == AccountKind.WALLET, Account.owner.in_(wallets), Entry.points > 0)
        .order_by(Entry.id.desc())
        .limit(1)
    ).one_or_none()
    return None if found is None else {"wallet": found.owner, "entries": [found.id]}


def _preview(settings: Settings) -> Written:
    return written(
        PointsEarned(
            "Lyon Thermique",
            (
                Earned(
                    Words("Network quality bonus", "Prime qualité du réseau"),
                    500,
                    Words(
                        "OTIF 97.1% reaches 95%: 99 of 102 lines. Portal adoption 80% reaches 60%.",
                        "OTIF de 97,1\u202f%, objectif 95\u202f% atteint\u202f: 99 lignes sur 102. "
                        "Adoption du portail de 80\u202f%, objectif 60\u202f% atteint.",
                    ),
                    date(2026, 6, 30),
                ),
                Earned(
                    Words("E-learning", "Formation en ligne"),
                    150,
                    Words(
                        "Three people completed “Low-temperature heat pumps”.",
                        "Trois personnes ont terminé «\u202fPompes à chaleur basse "
                        "température\u202f».",
                    ),
                    date(2026, 6, 12),
                ),
            ),
            1650,
            addresses.statement(settings, "LYON-THERMIQUE"),
        )
    )


POINTS_EARNED = Letter(
    name="points_earned",
    topic="points",
    what=Words("points that came in, and why", "les points gagnés, et pourquoi"),
    because=Words(
        "You get this letter because you, or the partner you work for, take part in the programme.",
        "Vous recevez ce courriel car vous, ou votre entreprise, participez au programme.",
    ),
    write=_write,
    preview=_preview,
    newest=_newest,
)
