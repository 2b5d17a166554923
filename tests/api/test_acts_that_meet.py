"""Acts that meet: a form comes while another one's transaction is still open.

Whoever comes second is told what is now, in words, and nothing is done or written down twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from integrations.files.handing_in import hold_upload, upload_of
from integrations.files.uploads import SavedMapping, Upload
from integrations.webhooks import adding, endpoints, messages
from integrations.webhooks.messages import MESSAGE
from partner_cx import effects
from partner_cx.database import reading, transact
from partner_cx.effects import Effect, Owed
from partner_cx.journal import JournalLine
from partner_cx.kinds import KINDS
from partner_cx.network import letter_choices
from partner_cx.network.changing import BY_HAND, change_person, end_person, let_back_in
from partner_cx.network.people import Person
from partner_cx.network.scopes import Scope
from partner_cx.network.sessions import WebSession, end_session
from partner_cx.network.sign_in_links import use_link
from partner_cx.network.tokens import end_token, make_token
from partner_cx.operations.facts import OrderLine
from partner_cx.operations.imports import Import, Source
from partner_cx.operations.intake import hold_imports
from partner_cx.operations.marks import hold_marks
from partner_cx.words import Words
from rewards.budgets import fund
from rewards.ledger import Account
from rewards.restating import approving, restate
from tests.api.admin.test_uploads_pages import pointed_at
from tests.harness.administering import administrator, filled_in, words
from tests.harness.api_clients import API, a_system
from tests.harness.audited import CHECKED, correct_the_past
from tests.harness.cast import CAST, fresh_link, signed_in, the_cast
from tests.harness.intake import SETTINGS, order_line, partner, take
from tests.harness.meeting import meeting
from tests.harness.programme import (
    NOW,
    OTIF_BONUS,
    QUARTER,
    a_network,
    a_programme,
    close_it,
    lines,
)

BY = "mia@brand.example"


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


def did(engine: sa.Engine) -> list[str]:
    """What the journal says was done by pages, in its order."""
    with reading(engine) as session:
        return list(session.scalars(sa.select(JournalLine.did).order_by(JournalLine.id)))


def count(engine: sa.Engine, table: type[Any]) -> int:
    with reading(engine) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


# --- What comes in --------------------------------------------------------------------------------


def test_two_kinds_come_in_from_a_source_that_nobody_knew(network: sa.Engine):
    erp = a_system(network, Scope.FACTS)

    def first(session: Session) -> None:
        session.add(Source(code="new erp"))

    body = {"source": "new erp", "rows": [order_line("L1", partner_code="R2")]}
    answer = meeting(network, first, lambda: erp.post(f"{API}/facts/order-lines", json=body))
    assert answer.status_code == 200, answer.text
    assert count(network, OrderLine) == 1


def test_two_are_the_first_to_say_something_by_hand(network: sa.Engine):
    ada = administrator(network)
    with reading(network) as session:
        rep = session.scalar(sa.select(Person.id).where(Person.email == CAST["rep"]))
    answer = meeting(
        network,
        lambda session: session.add(Source(code=BY_HAND)),
        lambda: filled_in(ada, f"/admin/people/{rep}/visits", code="R2"),
    )
    assert "said=visits" in answer.headers["location"]


def test_of_two_who_keep_a_mapping_under_one_name_the_later_one_is_kept(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)

    def first(session: Session) -> None:
        kept = {"kind": "order-lines", "name": "ERP", "content": "", "saved_by": BY}
        session.add(SavedMapping(**kept, saved_at=NOW))

    answer = meeting(network, first, lambda: filled_in(ada, f"{path}/keep", name="ERP"))
    assert answer.headers["location"] == f"{path}/preview?said=saved"
    with reading(network) as session:
        [saved] = session.scalars(sa.select(SavedMapping))
        assert (saved.saved_by, saved.content != "") == (CAST["admin"], True)


def test_a_mapping_that_was_just_thrown_away_is_kept_anew(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)
    filled_in(ada, f"{path}/keep", name="ERP")
    answer = meeting(
        network,
        lambda session: session.execute(sa.delete(SavedMapping)),
        lambda: filled_in(ada, f"{path}/keep", name="ERP"),
    )
    assert answer.headers["location"] == f"{path}/preview?said=saved"
    assert count(network, SavedMapping) == 1


@pytest.mark.parametrize("act", ["", "/take", "/keep", "/drop"])
def test_a_file_that_was_just_thrown_away_is_no_longer_there(network: sa.Engine, act: str):
    ada = administrator(network)
    path = pointed_at(ada)

    def first(session: Session) -> None:
        number = int(path.rsplit("/", 1)[1])
        hold_upload(session, number)
        session.delete(upload_of(session, number))

    given = {"kind": "order-lines", "source": "other", "name": "ERP", "sure": "yes"}
    answer = meeting(network, first, lambda: filled_in(ada, f"{path}{act}", **given))
    assert answer.status_code == 404, words(answer)
    assert (count(network, Upload), count(network, OrderLine)) == (0, 0)


def test_a_file_pointed_at_anew_meanwhile_is_taken_in_as_it_was_pointed_at_last(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)

    def first(session: Session) -> None:
        number = int(path.rsplit("/", 1)[1])
        hold_upload(session, number)
        upload = upload_of(session, number)
        upload.source = "other"
        upload.mapping = str(upload.mapping).replace("Commande", "Num")

    answer = meeting(network, first, lambda: filled_in(ada, f"{path}/take"))
    assert answer.headers["location"] == path
    with reading(network) as session:
        assert session.scalars(sa.select(OrderLine.order_code)).all() == ["X1"]
        sources = sa.select(Source.code).join(Import).where(Import.kind == "order-lines")
        assert session.scalars(sources).all() == ["other"]
        [noted] = session.scalars(sa.select(JournalLine.details))
        assert noted["source"] == "other"


def test_a_file_that_lost_a_race_is_taken_in_all_the_same(network: sa.Engine):
    ada = administrator(network)
    path = pointed_at(ada)
    answer = meeting(
        network,
        hold_marks,
        lambda: filled_in(ada, f"{path}/take"),
        then=lambda session: hold_imports(session, KINDS["order-lines"]),
    )
    assert answer.headers["location"] == path
    assert count(network, OrderLine) == 1


# --- Who may do what ------------------------------------------------------------------------------


def test_of_two_who_add_somebody_the_later_one_is_told(network: sa.Engine):
    ada = administrator(network)
    said = {"email": "new@r2.example", "name": "New", "role": "partner", "partner_code": "R2"}

    def first(session: Session) -> None:
        change_person(session, said, by=BY, settings=SETTINGS, now=NOW)

    given = said | {"name": "Another"}
    answer = meeting(network, first, lambda: filled_in(ada, "/admin/people/new", **given))
    assert answer.status_code == 422
    assert "has this address already" in words(answer)
    assert did(network) == ["person.changed"]


def test_of_two_who_let_somebody_back_in_one_does(network: sa.Engine):
    ada = administrator(network)

    def rep(session: Session) -> Person:
        return session.scalars(sa.select(Person).where(Person.email == CAST["rep"])).one()

    def end(session: Session) -> int:
        end_person(session, rep(session), by=BY, now=NOW)
        return rep(session).id

    number = transact(network, end)
    answer = meeting(
        network,
        lambda session: let_back_in(session, rep(session), by=BY, now=NOW),
        lambda: filled_in(ada, f"/admin/people/{number}/back"),
    )
    assert "said=back" in answer.headers["location"]
    assert did(network) == ["person.ended", "person.changed"]


def test_of_two_who_take_a_token_back_one_does(network: sa.Engine):
    ada = administrator(network)

    def make(session: Session) -> None:
        make_token(session, "erp", [Scope.READ], by=BY, now=NOW, lasts=None)

    transact(network, make)
    earlier = NOW - timedelta(hours=1)
    answer = meeting(
        network,
        lambda session: end_token(session, 1, now=earlier),
        lambda: filled_in(ada, "/admin/tokens/1/end", sure="yes"),
    )
    assert "said=ended" in answer.headers["location"]
    assert did(network) == []  # the first one's caller writes its own line
    with reading(network) as session:
        assert session.scalar(sa.text("SELECT ended_at IS NOT NULL FROM api_tokens"))


def test_of_two_who_allow_letters_again_one_does(network: sa.Engine):
    ada = administrator(network)
    email = CAST["distributor"]

    def stop(session: Session) -> None:
        letter_choices.choose(session, email, "points", wanted=False, through="link", now=NOW)

    def first(session: Session) -> None:
        letter_choices.allow(session, email, topic="points", through="page", now=NOW)

    transact(network, stop)
    given = {"email": email, "topic": "points"}
    answer = meeting(network, first, lambda: filled_in(ada, "/admin/letters/allow", **given))
    assert "said=not_stopped" in answer.headers["location"]
    assert did(network) == []


# --- What is owed ---------------------------------------------------------------------------------


def owed(engine: sa.Engine, *keys: str, kind: str = "strange", **state: Any) -> None:
    def work(session: Session) -> None:
        payload = {"event": "entry.posted", "endpoint": 1, "message_id": "m"}
        effects.owe_all(session, [Owed(kind, key, payload) for key in keys], now=NOW)
        session.execute(sa.update(Effect).values(**state))

    transact(engine, work)


def test_of_two_who_give_an_effect_up_the_later_one_is_told(network: sa.Engine):
    owed(network, "k", parked_at=NOW, parked_because="no")
    ada = administrator(network)
    answer = meeting(
        network,
        lambda session: effects.drop(session, ["k"], by=BY, because="first", now=NOW),
        lambda: filled_in(ada, "/admin/effects/drop", key="k", because="second"),
    )
    assert answer.status_code == 422
    assert "any more: it is done" in words(answer)
    assert did(network) == []
    with reading(network) as session:
        assert session.scalar(sa.select(Effect.dropped_because)) == "first"


def test_of_two_who_retry_what_is_parked_one_does(network: sa.Engine):
    owed(network, "k1", "k2", parked_at=NOW, parked_because="no")
    ada = administrator(network)
    answer = meeting(
        network,
        lambda session: effects.retry(session, now=NOW, kind="strange"),
        lambda: filled_in(ada, "/admin/effects/retry", kind="strange"),
    )
    assert "said=none" in answer.headers["location"]
    assert did(network) == []


def an_endpoint(engine: sa.Engine) -> None:
    url = "https://portal.example/hook"
    transact(
        engine, lambda session: adding.add(session, url, [], by=BY, settings=SETTINGS, now=NOW)
    )


@pytest.mark.parametrize("act", ["pause", "go-on", "end"])
def test_of_two_who_press_the_same_button_of_a_webhook_one_does(network: sa.Engine, act: str):
    an_endpoint(network)
    if act == "go-on":
        transact(network, lambda session: endpoints.pause(session, 1, now=NOW))
    acts = {
        "pause": lambda session: endpoints.pause(session, 1, now=NOW),
        "go-on": lambda session: endpoints.go_on(session, 1),
        "end": lambda session: endpoints.end(session, 1, now=NOW),
    }
    ada = administrator(network)
    answer = meeting(
        network, acts[act], lambda: filled_in(ada, f"/admin/webhooks/1/{act}", sure="yes")
    )
    assert answer.status_code == 303
    assert did(network) == []


def test_what_is_owed_again_isnt_owed_twice(network: sa.Engine):
    an_endpoint(network)
    owed(network, "webhook:1:m1", "webhook:1:m2", kind=MESSAGE, done_at=NOW)
    ada = administrator(network)
    since = NOW - timedelta(days=1)
    answer = meeting(
        network,
        lambda session: messages.replay(session, 1, since=since, now=NOW),
        lambda: filled_in(ada, "/admin/webhooks/1/replay", hours="24"),
    )
    assert answer.headers["location"] == "/admin/webhooks/1?said=replayed&count=0"
    assert count(network, Effect) == 4
    assert did(network) == []


# --- Points ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["approve", "refuse"])
def test_an_award_that_a_correction_just_took_back_is_decided_about_no_more(
    engine: sa.Engine, act: str
):
    proposals = awards_and_corrections(engine)
    proposal = proposals[CHECKED.code]
    manager = signed_in(engine, "manager")
    key = f"close:{QUARTER}:{CHECKED.code}:R1"
    answer = meeting(
        engine,
        lambda session: approving.approve(session, proposal, by=BY, now=NOW),
        lambda: filled_in(manager, f"/holds/{act}", key=key, why="so"),
    )
    assert answer.status_code == 409, answer.text


@pytest.mark.parametrize("act", ["/holds/approve", "/holds/refuse", "/restatements/approve"])
def test_an_act_that_lost_a_race_for_accounts_is_carried_out_again(engine: sa.Engine, act: str):
    """Another transaction takes the same two accounts the other way round, as a close may."""
    number = awards_and_corrections(engine)[OTIF_BONUS.code]
    manager = signed_in(engine, "manager")
    path = act.replace("approve", f"{number}/approve") if "restate" in act else act
    pairs = {  # in the order in which the act takes them
        "/holds/approve": ("pending", "wallet"),
        "/holds/refuse": ("pending", "budget"),
        "/restatements/approve": ("wallet", "budget"),
    }
    owners = {"budget": CHECKED.budget if "holds" in act else OTIF_BONUS.budget}
    first_taken, last_taken = (
        sa.update(Account)
        .where(Account.kind == kind, Account.owner == owners.get(kind, "partner:R1"))
        .values(partner_id=Account.partner_id)
        for kind in pairs[act]
    )
    key = f"close:{QUARTER}:{CHECKED.code}:R1"
    answer = meeting(
        engine,
        lambda session: session.execute(last_taken),
        lambda: filled_in(manager, path, key=key, why="so"),
        then=lambda session: session.execute(first_taken),
    )
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("is_approved", [True, False])
def test_a_correction_decided_about_while_it_is_looked_at_again_stays_decided(
    engine: sa.Engine, is_approved: bool
):
    """The facts changed back meanwhile, for which it would have been withdrawn."""
    number = awards_and_corrections(engine)[OTIF_BONUS.code]
    take(engine, "order-lines", *lines("R1", 20))

    def decide(session: Session) -> None:
        if is_approved:
            approving.approve(session, number, by=BY, now=NOW)
        else:
            approving.refuse(session, number, by=BY, why="Our mistake", now=NOW)

    again = meeting(
        engine, decide, lambda: restate(engine, QUARTER, now=NOW, by=BY, settings=SETTINGS)
    )
    assert number not in again.withdrawn
    back = [each.points for each in again.proposed if each.rule.code == OTIF_BONUS.code]
    assert back == ([OTIF_BONUS.award.points_max] if is_approved else [])


def test_who_uses_a_link_and_who_signs_them_out_dont_wait_for_each_other(network: sa.Engine):
    rep, ada = signed_in(network, "rep"), administrator(network)
    with reading(network) as session:
        number = session.scalar(sa.select(Person.id).where(Person.email == CAST["rep"]))
        digest = sa.select(WebSession.token_digest).where(WebSession.person_id == number)
        [token] = session.scalars(digest)
    link = fresh_link(network, "rep").rsplit("/", 1)[1]
    answer = meeting(
        network,
        lambda session: use_link(session, link, now=NOW),
        lambda: filled_in(ada, f"/admin/people/{number}/sign-out"),
        then=lambda session: end_session(session, token, now=NOW),
    )
    assert "said=signed_out" in answer.headers["location"]
    assert rep.get("/me").status_code == 401


def awards_and_corrections(engine: sa.Engine) -> dict[str, int]:
    """R1's awards, one paid and one that waits, and the proposals to take them back, by rule."""
    a_network(engine)
    the_cast(engine)
    a_programme(engine, CHECKED, OTIF_BONUS)
    transact(engine, _fund_held)
    close_it(engine)
    correct_the_past(engine)
    restated = restate(engine, QUARTER, now=NOW, by=BY, settings=SETTINGS)
    return {each.rule.code: each.proposal_id or 0 for each in restated.proposed}


def _fund_held(session: Session) -> None:
    why = Words("For 2026", "Pour 2026")
    fund(session, CHECKED.budget, 5_000, key="fund:held", why=why, now=NOW)
