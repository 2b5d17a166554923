"""People: listed, added, changed, ended; links that nobody else sees."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from partner_cx.database import reading
from partner_cx.effects import Effect
from partner_cx.network.people import Person
from partner_cx.network.sign_in_links import SignInLink
from tests.harness.administering import WITH_MAIL, administrator, filled_in, words
from tests.harness.cast import CAST, signed_in, the_cast
from tests.harness.counting import counted
from tests.harness.intake import partner, take


@pytest.fixture
def network(engine: sa.Engine) -> sa.Engine:
    take(engine, "partners", partner("D1", kind="distributor"), partner("R2", parent_code="D1"))
    the_cast(engine)
    return engine


def number_of(engine: sa.Engine, who: str) -> int:
    with reading(engine) as session:
        return session.scalars(sa.select(Person.id).where(Person.email == CAST.get(who, who))).one()


def test_people_are_found_by_name_role_and_partner(network: sa.Engine):
    ada = administrator(network)
    assert "Reseller Person" in words(ada.get("/admin/people"))
    for query in ("q=RESELLER", "q=remy@", "role=partner&partner=R2"):
        said = words(ada.get(f"/admin/people?{query}"))
        assert "Reseller Person" in said
        assert "Manager Person" not in said
    assert "Nobody fits" in words(ada.get("/admin/people?q=zz%25"))


def test_a_list_of_any_length_asks_as_often(network: sa.Engine):
    ada = administrator(network)
    ada.get("/admin/people")
    with counted(network) as few:
        ada.get("/admin/people")
    rows = [{"email": f"p{n}@x.example", "name": f"P {n:03}", "role": "rep"} for n in range(120)]
    take(network, "people", *rows)
    with counted(network) as many:
        first = ada.get("/admin/people")
    assert many.count == few.count
    assert "page=2" in first.text
    assert "P 119" in words(ada.get("/admin/people?page=3"))


def test_somebody_is_added_once(network: sa.Engine):
    ada = administrator(network)
    given = {"email": "Eva@x.example", "name": "Eva", "role": "manager", "person_language": "fr"}
    answer = filled_in(ada, "/admin/people/new", **given)
    assert answer.status_code == 303
    assert "Added" in words(ada.get(answer.headers["location"]))
    again = filled_in(ada, "/admin/people/new", **given)
    assert again.status_code == 422
    assert "already" in words(again)


def test_what_was_entered_stays_with_the_error_beside_it(network: sa.Engine):
    answer = filled_in(administrator(network), "/admin/people/new", email="eva", name="Eva")
    assert answer.status_code == 422
    assert 'value="Eva"' in answer.text
    assert '<a href="#field-email">' in answer.text
    assert 'id="error-email"' in answer.text


def test_ending_needs_a_tick_and_shuts_the_door(network: sa.Engine):
    ada, mia = administrator(network), signed_in(network, "manager")
    path = f"/admin/people/{number_of(network, 'manager')}"
    assert filled_in(ada, f"{path}/end").status_code == 422
    assert mia.get("/me").status_code == 200
    assert filled_in(ada, f"{path}/end", sure="yes").status_code == 303
    assert mia.get("/me").status_code == 401
    assert "May not sign in since" in words(ada.get(path))
    assert filled_in(ada, f"{path}/back").status_code == 303
    assert mia.get("/me").status_code == 401  # by a fresh link alone


@pytest.mark.parametrize(
    ("act", "given"), [("", {"name": "A", "role": "rep"}), ("/end", {"sure": "yes"})]
)
def test_the_last_administrator_cant_lock_everybody_out(
    network: sa.Engine, act: str, given: dict[str, str]
):
    ada = administrator(network)
    answer = filled_in(ada, f"/admin/people/{number_of(network, 'admin')}{act}", **given)
    assert answer.status_code == 422
    assert "last administrator" in words(answer)
    assert ada.get("/admin/people").status_code == 200


def test_a_link_is_mailed_and_never_shown(network: sa.Engine):
    path = f"/admin/people/{number_of(network, 'manager')}/link"
    assert filled_in(administrator(network), path).status_code == 422  # no mail is set up
    ada = administrator(network, settings=WITH_MAIL)
    with reading(network) as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(SignInLink))
    answer = filled_in(ada, path)
    assert answer.status_code == 303
    with reading(network) as session:
        [owed] = session.scalars(sa.select(Effect))
        after = session.scalar(sa.select(sa.func.count()).select_from(SignInLink))
        assert owed.payload["letter"] == "sign_in_link"
    assert before == after  # it is made when the letter leaves
    assert "/sign-in/" not in ada.get(answer.headers["location"]).text


def test_a_reps_partners_are_added_and_taken_away(network: sa.Engine):
    ada, rep = administrator(network), number_of(network, "rep")
    path = f"/admin/people/{rep}/visits"
    assert filled_in(ada, path, code="R2").status_code == 303
    assert "Partner R2" in words(ada.get(f"/admin/people/{rep}"))
    assert filled_in(ada, path, code="R2", visits="no").status_code == 303
    assert "Partner R2" not in words(ada.get(f"/admin/people/{rep}"))
    assert filled_in(ada, path, code="nowhere").status_code == 422


@pytest.mark.parametrize(
    "query",
    ["q=%00", "page=0", "page=x", "page=999999999999", "role=%00", "partner=%00", "q=" + "x" * 300],
)
def test_odd_questions_get_an_answer_in_words(network: sa.Engine, query: str):
    answer = administrator(network).get(f"/admin/people?{query}")
    assert answer.status_code in (200, 422)
    assert "<h1>" in answer.text


def test_nobody_is_there_under_an_unknown_number(network: sa.Engine):
    ada = administrator(network)
    assert ada.get("/admin/people/999").status_code == 404
    assert ada.get("/admin/people/99999999999999999999").status_code == 422
    for act in ("", "/end", "/back", "/link", "/visits", "/sign-out"):
        assert filled_in(ada, f"/admin/people/999{act}", sure="yes", name="A").status_code == 404
