"""A person's own page: language, letters and sessions, for every role, and nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from integrations.mail.readers import reader_of
from integrations.mail.topics import READ_BY, TOPICS, topics_for
from partner_cx.database import reading, transact
from partner_cx.network.departures import depart
from partner_cx.network.letter_choices import note_bounce, topic_stopped, wants
from partner_cx.network.people import Role
from partner_cx.network.sign_in_links import person_called
from tests.harness.cast import CAST, HOME_ADDRESS, at_the_door, fresh_link, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.intake import SETTINGS, partner, take
from tests.harness.programme import NOW

OWN = {"Origin": HOME_ADDRESS}
DORA = CAST["distributor"]


@pytest.fixture(autouse=True)
def people(engine: sa.Engine) -> None:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)


def send(client: TestClient, path: str, **form: object) -> str:
    """Send one of the page's forms: where it leads, or the status."""
    answer = client.post(path, data=form, headers=OWN)
    return answer.headers["location"] if answer.status_code == 303 else str(answer.status_code)


@pytest.mark.parametrize("who", CAST)
def test_everybody_has_a_page_in_both_languages(engine: sa.Engine, who: str):
    client = signed_in(engine, who)
    for language, words in (("en", "Where you are signed in"), ("fr", "Où vous êtes connecté")):
        page = client.get(f"/me?lang={language}")
        assert page.status_code == 200
        assert CAST[who] in page.text
        assert words in page.text


def test_it_asks_the_database_a_fixed_number_of_times(engine: sa.Engine):
    client = signed_in(engine, "distributor")
    with counted(engine) as once:
        client.get("/me")
    for _ in range(5):
        signed_in(engine, "distributor")
    with counted(engine) as more:
        client.get("/me")
    assert once.count == more.count <= 6


# --- Language -------------------------------------------------------------------------------------


def heading(client: TestClient, path: str = "/me", **headers: str) -> str:
    return re.findall(r'<h2 id="letters">(.*?)</h2>', client.get(path, headers=headers).text)[0]


def test_the_language_that_is_chosen_goes_before_the_browsers(engine: sa.Engine):
    client = signed_in(engine, "rep")
    french = {"Accept-Language": "fr-CH, en;q=0.5"}
    assert heading(client, **french) == "Courriels"
    assert send(client, "/me/language", language="en") == "/me?said=language"
    assert heading(client, **french) == "Letters"
    assert "Your language is kept." in client.get("/me?said=language").text
    elsewhere = signed_in(engine, "rep")
    assert heading(elsewhere, **french) == "Letters"
    send(client, "/me/language", language="")
    assert heading(client, **french) == "Courriels"


def test_a_page_can_be_read_in_the_other_language_until_one_signs_in_again(engine: sa.Engine):
    client = signed_in(engine, "rep")
    client.get("/me?lang=fr")
    assert heading(client) == "Courriels"
    send(client, "/me/language", language="en")
    assert heading(client) == "Letters"
    assert heading(client, "/me?lang=fr") == "Courriels"
    assert heading(client) == "Courriels"
    client.post(fresh_link(engine, "rep"), headers=OWN)
    assert heading(client) == "Letters"


@pytest.mark.parametrize("language", ["de", "\0", "en\n", "x" * 10_000])
def test_a_language_that_isnt_spoken_is_the_browsers(engine: sa.Engine, language: str):
    client = signed_in(engine, "rep")
    assert send(client, "/me/language", language=language) == "/me?said=language"
    assert heading(client) == "Letters"


def test_letters_and_refusals_are_in_the_chosen_language_too(engine: sa.Engine):
    client = signed_in(engine, "rep")
    send(client, "/me/language", language="fr")
    assert '<html lang="fr">' in client.get("/network").text
    with reading(engine) as session:
        reader = reader_of(session, person_called(session, CAST["rep"]).id, SETTINGS)
    assert reader is not None
    assert reader.language == "fr"


# --- Letters --------------------------------------------------------------------------------------


def test_every_topic_has_its_readers():
    assert READ_BY.keys() == TOPICS.keys()
    assert all(topics_for(role) for role in Role)


def test_letters_are_chosen_by_topic(engine: sa.Engine):
    client = signed_in(engine, "distributor")
    assert send(client, "/me/letters", wanted=["points", "surveys"]) == "/me?said=letters"

    def stopped(topic: str) -> bool:
        with reading(engine) as session:
            return topic_stopped(session, DORA, topic)

    assert [topic for topic in TOPICS if stopped(topic)] == ["reports", "digests"]
    ticked = re.findall(r'value="(\w+)" checked', client.get("/me").text)
    assert ticked == ["points", "surveys"]
    send(client, "/me/letters")
    assert {stopped(topic) for topic in topics_for(Role.PARTNER)} == {True}
    send(client, "/me/letters", wanted=[*topics_for(Role.PARTNER), "alerts", "nothing", "\0"])
    assert {stopped(topic) for topic in TOPICS} == {False}


def test_where_letters_came_back_the_page_says_so_and_sends_them_again(engine: sa.Engine):
    client = signed_in(engine, "distributor")
    assert "came back" not in client.get("/me").text
    transact(
        engine,
        lambda session: note_bounce(
            session,
            message_id="<1@x>",
            email=DORA,
            hard=True,
            status="5.1.1",
            reason="nobody",
            now=NOW,
        ),
    )
    assert "came back" in client.get("/me").text
    for _ in range(2):
        assert send(client, "/me/letters/again") == "/me?said=again"
    assert "came back" not in client.get("/me").text
    with reading(engine) as session:
        assert wants(session, DORA, "points")


# --- Sessions -------------------------------------------------------------------------------------


def numbers(client: TestClient) -> list[str]:
    return re.findall(r'name="session" value="(\d+)"', client.get("/me").text)


def test_other_sessions_are_listed_and_ended_one_by_one(engine: sa.Engine):
    here, phone = signed_in(engine, "rep"), signed_in(engine, "rep")
    page = here.get("/me").text
    assert page.count("by a link") == 2
    assert page.count("this browser") == 1
    [other] = numbers(here)
    assert send(here, "/me/sessions/end", session=other) == "/me?said=ended"
    assert phone.get("/me").status_code == 401
    assert (here.get("/me").status_code, numbers(here)) == (200, [])


def test_signing_out_everywhere_is_everywhere(engine: sa.Engine):
    here, phone = signed_in(engine, "rep"), signed_in(engine, "rep")
    other = signed_in(engine, "manager")
    assert send(here, "/me/sessions/end-all") == "/sign-in?said=signed-out-everywhere"
    assert "everywhere else" in here.get("/sign-in?said=signed-out-everywhere").text
    assert [each.get("/me").status_code for each in (here, phone, other)] == [401, 401, 200]


def test_nobody_ends_somebody_elses_session(engine: sa.Engine):
    mine, second, other = (signed_in(engine, who) for who in ("rep", "rep", "manager"))
    [number] = numbers(mine)
    send(other, "/me/sessions/end", session=number)
    assert second.get("/me").status_code == 200


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "٣", "\0", "1.5"])
def test_a_session_that_isnt_one_is_not_there(engine: sa.Engine, number: str):
    assert send(signed_in(engine, "rep"), "/me/sessions/end", session=number) == "404"


def test_whoever_departs_is_out_at_the_next_click(engine: sa.Engine):
    client = signed_in(engine, "rep")

    def leave(session: sa.orm.Session) -> None:
        depart(session, person_called(session, CAST["rep"]).id, by=CAST["admin"], now=NOW)

    link = fresh_link(engine, "rep")
    transact(engine, leave)
    assert client.get("/me").status_code == 401
    for language, words in (("en", "can’t sign in any more"), ("fr", "ne pouvez plus")):
        answer = client.post(f"{link}?lang={language}", headers=OWN)
        assert answer.status_code == (403 if language == "en" else 410)
        assert words in answer.text or language == "fr"
    with reading(engine) as session:
        assert reader_of(session, person_called(session, CAST["rep"]).id, SETTINGS) is None


@pytest.mark.parametrize(
    "path", ["language", "letters", "letters/again", "sessions/end", "sessions/end-all"]
)
def test_strangers_and_other_sites_change_nothing(engine: sa.Engine, path: str):
    assert at_the_door(engine).post(f"/me/{path}", headers=OWN).status_code == 401
    client = signed_in(engine, "rep")
    foreign = {"Origin": "https://elsewhere.example"}
    assert client.post(f"/me/{path}", headers=foreign).status_code == 403
    assert client.get("/me").status_code == 200


def test_a_session_that_is_over_isnt_listed(engine: sa.Engine):
    signed_in(engine, "rep", now=NOW - timedelta(hours=13))
    assert numbers(signed_in(engine, "rep")) == []
