"""What is announced becomes letters: one per reader and act, of what is on record by then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.announcing import HEARERS, announce
from integrations.carrying import Due, Later
from integrations.mail import connection, digests
from integrations.mail.hearing import hear
from integrations.mail.letters import LETTERS, Desk
from integrations.mail.letters.alerts import Unhappy, unhappy_answers
from integrations.mail.readers import reader_at
from integrations.mail.sending import KIND, owed_letter
from integrations.telling import Telling
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.effects import ANNOUNCE, Owed, owe_all
from partner_cx.feedback.answers import Answer
from partner_cx.network.letter_choices import choose
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person
from partner_cx.words import Words
from rewards.budgets import raise_alerts
from rewards.ledger import Account, AccountKind, Entry, Move, account, wallet_of, wallet_of_person
from rewards.ledger import post as post_points
from tests.harness.cast import CAST, the_cast
from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.intake import partner, take
from tests.harness.mail_server import SETTINGS as WITHOUT_SERVER
from tests.harness.owed import Clock, hands, rows
from tests.harness.programme import BONUS, NOW, a_closed_quarter

SETTINGS = replace(WITHOUT_SERVER, mail_host="mail.brand.example")
LATER = NOW + timedelta(minutes=1)
REMY, DORA, MIA, ADA = (CAST[who] for who in ("reseller", "distributor", "manager", "admin"))
RITA = "rita@r1.example"  # of R1, which earned the bonus


def closed(engine: sa.Engine) -> None:
    """The quarter closed; R1 has somebody who reads French."""
    a_closed_quarter(engine)
    the_cast(engine)
    person = {"email": RITA, "name": "Rita", "role": "partner", "partner_code": "R1"}
    take(engine, "people", {**person, "language": "fr"})


@pytest.fixture(params=EACH_KIND)
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with prepared_engine(request.param, "letters", closed) as opened:
        yield opened


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> list[EmailMessage]:
    """Where letters end up instead of on a mail server."""
    taken: list[EmailMessage] = []
    monkeypatch.setattr(connection, "send", lambda mail, *_rest, **_named: taken.append(mail))
    return taken


def run(engine: sa.Engine, now: datetime = LATER) -> None:
    """Carry out whatever is owed, and what that owes."""
    while carry_out_due(hands(engine, Clock(now), SETTINGS)):
        pass


def letters(engine: sa.Engine) -> list[dict[str, Any]]:
    return [row.payload for row in rows(engine).values() if row.kind == KIND]


def text(mail: EmailMessage) -> str:
    return next(mail.iter_parts()).get_content()


def stop(engine: sa.Engine, email: str, topic: str) -> None:
    transact(engine, lambda s: choose(s, email, topic, wanted=False, through="test", now=NOW))


def test_letters_are_among_those_who_hear():
    assert hear in HEARERS


def test_a_close_writes_to_those_who_earned_and_says_why(
    engine: sa.Engine, post: list[EmailMessage]
):
    run(engine)
    [mail] = post
    assert str(mail["To"]) == f"Rita <{RITA}>"
    assert "500 points" in str(mail["Subject"])
    said = text(mail)
    assert BONUS.label.fr in said
    assert "OTIF" in said
    assert "https://cx.brand.example/partners/R1" in said
    run(engine)
    assert len(post) == 1


def person(email: str, **said: Any) -> dict[str, Any]:
    return {"email": email, "name": "Somebody", "role": "partner", "partner_code": None, **said}


def test_who_left_a_partner_or_the_programmes_team_meanwhile_reads_nothing_of_it(
    engine: sa.Engine, post: list[EmailMessage]
):
    about: dict[str, tuple[str, dict[str, Any]]] = {
        RITA: ("quarterly_digest", {"partner": "R1", "period": "2026Q2"}),
        MIA: ("weekly_digest", {"moment": LATER.isoformat()}),
        ADA: ("alert", {"answers": low_score(engine)}),
    }
    with reading(engine) as session:
        ids = dict(session.execute(sa.select(Person.email, Person.id)).all())
    owed = [
        owed_letter(letter, f"x:{letter}", person_id=ids[email], about=what)
        for email, (letter, what) in about.items()
    ]
    transact(engine, lambda session: owe_all(session, owed, now=NOW))
    gone = [person(RITA, partner_code="R2"), person(MIA, role="rep"), person(ADA, role="rep")]
    tell_of_the_close(engine)
    take(engine, "people", *gone)
    run(engine)
    assert {"points_earned", *(letter for letter, _ in about.values())} == {
        row["letter"] for row in letters(engine)
    }
    assert post == []


def low_score(engine: sa.Engine) -> list[int]:
    row = {"survey_code": "S", "partner_code": "R1", "question_code": "pnps", "value": "0"}
    long_ago = NOW - timedelta(days=10)
    take(engine, "answers", row | {"source_id": "A0", "answered_at": long_ago.isoformat()})
    with reading(engine) as session:
        return list(session.scalars(sa.select(Answer.id).where(Answer.question_code == "pnps")))


def tell_of_the_close(engine: sa.Engine) -> None:
    """Owe its letters, without sending them yet."""
    for effect in rows(engine).values():
        if effect.kind == ANNOUNCE:
            due = Due(effect.id, effect.kind, effect.key, None, effect.payload, NOW, 1)
            announce(due, hands(engine, Clock(LATER), SETTINGS))


def test_a_name_with_braces_is_a_name():
    for_one = unhappy_answers([Unhappy("X", "Duo {gaz} {n}", 0, "a {brace}")], SETTINGS)
    assert for_one.subject.en == "Duo {gaz} {n} gave 0 out of 10"
    assert "a {brace}" in str(for_one.blocks)


def test_who_stopped_letters_about_points_gets_none(engine: sa.Engine, post: list[EmailMessage]):
    stop(engine, RITA, "points")
    run(engine)
    assert (post, letters(engine)) == ([], [])


def test_without_a_mail_server_nothing_is_owed(engine: sa.Engine):
    carry_out_due(hands(engine, Clock(LATER), WITHOUT_SERVER))
    assert letters(engine) == []


def test_several_entries_of_one_act_are_one_letter(engine: sa.Engine):
    with reading(engine) as session:
        entry = _entry("1")
        told = [entry, replace(entry, id="entry:2", data={**entry.data, "entry": 2})]
        spent = replace(entry, id="entry:3", data={**entry.data, "entry": 3, "points": -5})
        held = replace(entry, id="entry:4", data={**entry.data, "entry": 4, "account": "pending"})
        owed = list(hear(session, [*told, spent, held], SETTINGS, NOW))
        same = list(hear(session, [held, *reversed(told)], SETTINGS, NOW))
    [letter] = owed
    assert letter.payload["about"] == {"wallet": wallet_of_person(REMY), "entries": [1, 2]}
    assert letter.key == same[0].key


def test_a_partner_whose_code_is_a_readers_address_is_not_that_reader(engine: sa.Engine):
    """Each is written to about their own points, in the partner's name only about the partner's."""
    take(engine, "partners", partner(RITA, name="Rita & Co", parent_code="D1"))
    take(engine, "people", person(RITA, partner_code=RITA))
    ids = transact(engine, lambda session: [_paid(session, wallet) for wallet in _wallets(session)])
    with reading(engine) as session:
        reader = reader_at(session, RITA, SETTINGS)
        desk = Desk(session, SETTINGS, reader, LATER)
        told = [
            LETTERS["points_earned"].write(desk, {"wallet": wallet, "entries": [entry]})
            for wallet, entry in ids
        ]
    assert [each and each.title.en for each in told] == [
        "You earned 30 points",
        "Rita & Co earned 30 points",
    ]


def _wallets(session: Session) -> list[Account]:
    rita = session.scalars(sa.select(Partner.id).where(Partner.code == RITA)).one()
    return [
        account(session, AccountKind.WALLET, wallet_of_person(RITA)),
        account(session, AccountKind.WALLET, wallet_of(RITA), rita),
    ]


def _paid(session: Session, wallet: Account) -> tuple[str, int]:
    budget = account(session, AccountKind.BUDGET, BONUS.budget)
    paid = post_points(
        session,
        key=f"gift:{wallet.owner}",
        why=Words("A gift", "Un cadeau"),
        moves=[Move(budget, wallet, 30)],
        effective_on=NOW.date(),
        now=NOW,
    )
    entries = sa.select(Entry.id).where(Entry.transfer_id == paid.id, Entry.points > 0)
    return wallet.owner, session.scalars(entries).one()


def _entry(number: str) -> Telling:
    data = {"entry": int(number), "partner": None, "person": REMY, "account": "wallet"}
    return Telling("entry.posted", f"entry:{number}", NOW, None, None, {**data, "points": 5})


def _answer(number: int, value: int | None, answered: datetime, question: str = "pnps") -> Telling:
    data = {"question": question, "value": value, "dismissed": False}
    data["answered_at"] = answered.isoformat()
    return Telling("answer.received", f"answer:{number}:9", NOW, 1, "R1", data)


def test_low_scores_of_one_act_are_one_letter_to_each_who_manages(engine: sa.Engine):
    yesterday, last_year = NOW - timedelta(days=1), NOW - timedelta(days=400)
    told = [
        _answer(1, 3, yesterday),
        _answer(2, 6, yesterday),
        _answer(3, 7, yesterday),
        _answer(4, 0, last_year),
        _answer(5, 1, yesterday, "csat"),
        _answer(6, None, yesterday),
    ]
    with reading(engine) as session:
        owed = list(hear(session, told, SETTINGS, NOW))
    assert [each.payload["about"] for each in owed] == [{"answers": [1, 2]}] * 2  # Mia, Ada


def test_a_low_score_that_came_in_reaches_the_manager(engine: sa.Engine, post: list[EmailMessage]):
    run(engine)
    post.clear()
    row = {"survey_code": "S", "partner_code": "R1", "question_code": "pnps", "value": "2"}
    take(
        engine,
        "answers",
        row | {"source_id": "A1", "answered_at": NOW.isoformat(), "text": "Too late again"},
    )
    run(engine)
    assert {str(mail["To"]).partition("<")[2][:-1] for mail in post} == {MIA, ADA}
    assert "2 out of 10" in text(post[0])
    assert "Too late again" in text(post[0])


def test_a_budgets_alert_reaches_those_who_manage(engine: sa.Engine, post: list[EmailMessage]):
    run(engine)
    post.clear()
    stop(engine, ADA, "alerts")

    def use_up(session: sa.orm.Session) -> None:
        raise_alerts(session, [BONUS.budget], NOW, levels=(1,))

    transact(engine, use_up)
    run(engine)
    assert [str(mail["To"]) for mail in post] == [f"Manager Person <{MIA}>"]
    assert "10,000 points" in text(post[0])


def due(kind: str, moment: datetime) -> Due:
    return Due(1, kind, f"{kind}:x", None, {"moment": moment.isoformat()}, moment, 1)


def test_the_week_tells_what_came_in_moved_and_is_left(engine: sa.Engine, post: list[EmailMessage]):
    run(engine)
    post.clear()
    assert digests.weekly(due("digest.weekly", LATER), hands(engine, Clock(LATER), SETTINGS)) == {
        "letters": 1
    }
    run(engine)
    [mail] = post
    assert str(mail["To"]) == f"Manager Person <{MIA}>"
    said = text(mail)
    assert "Order lines: 40 new" in said
    assert "9,500 left of 10,000 points" in said


def test_a_quarter_is_told_once_it_is_closed(engine: sa.Engine, post: list[EmailMessage]):
    run(engine)
    post.clear()
    told = digests.quarterly(due("digest.quarterly", LATER), hands(engine, Clock(LATER), SETTINGS))
    assert told == {"letters": 3}
    run(engine)
    said = {str(mail["To"]).partition("<")[2][:-1]: text(mail) for mail in post}
    assert set(said) == {RITA, REMY}  # nothing was decided about Dora's own company
    assert "500 points" in said[RITA]
    assert "Nearest way:" in said[REMY]
    assert "/partners/R2" in said[REMY]


def test_a_quarter_that_isnt_closed_is_waited_for_and_then_passed_over(engine: sa.Engine):
    moment = NOW + timedelta(days=95)  # the third quarter is over, and open
    with pytest.raises(Later):
        digests.quarterly(due("digest.quarterly", moment), hands(engine, Clock(moment), SETTINGS))
    late = hands(engine, Clock(moment + timedelta(days=61)), SETTINGS)
    assert digests.quarterly(due("digest.quarterly", moment), late)["letters"] == 0


def test_administrators_are_told_what_was_parked_since_yesterday(
    engine: sa.Engine, post: list[EmailMessage]
):
    run(engine)
    post.clear()
    quiet = digests.parked(due("letters.parked", LATER), hands(engine, Clock(LATER), SETTINGS))
    assert quiet == {"letters": 0}
    broken = Owed(KIND, f"{KIND}:broken", {"letter": "poem", "email": MIA, "about": {}})
    transact(engine, lambda session: owe_all(session, [broken], now=NOW))
    run(engine)
    told = digests.parked(due("letters.parked", LATER), hands(engine, Clock(LATER), SETTINGS))
    assert told == {"letters": 1}
    run(engine)
    [mail] = post
    assert str(mail["To"]) == f"Admin Person <{ADA}>"
    assert "no letter “poem”" in text(mail).replace("\n  ", " ")


@pytest.mark.parametrize("name", LETTERS)
def test_the_newest_of_each_letter_can_be_written_for_a_person(engine: sa.Engine, name: str):
    letter = LETTERS[name]
    if letter.newest is None:
        return
    with reading(engine) as session:
        for who in (RITA, REMY, MIA, ADA):
            desk = Desk(session, SETTINGS, reader_at(session, who, SETTINGS), LATER)
            about = letter.newest(desk)
            written = letter.write(desk, about) if about else None
            assert written is None or written.blocks
