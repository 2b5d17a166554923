"""The demo network built: its files taken in as a user's own, its past quarters closed.

`network` makes the files; after it come the import, the closes, the neighbours and the pages that
everybody uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from api import migrations
from api.demo.cast import BRAND_DOMAIN, MEMBERS
from api.demo.network import DemoFile, make_network
from api.demo.programme import ACTOR, put_in_force
from api.demo.story import FULL_QUARTERS
from api.wiring import House
from integrations.carrying import Hands
from integrations.files.importing import import_file
from integrations.worker import carry_out_due
from partner_cx.database import reading, transact
from partner_cx.errors import Conflict
from partner_cx.network.partners import Partner
from partner_cx.network.people import Person, Role
from partner_cx.network.sign_in_links import make_link
from partner_cx.operations.imports import Import
from partner_cx.periods import Period, PeriodKind
from partner_cx.quantities import number_text
from partner_cx.settings import data_folder
from partner_cx.words import COLON, Words
from rewards import closings
from rewards.events.drawing import draw_events

CLOSED_AFTER = timedelta(days=7)  # how long after a quarter's end it is closed
LAST_FILE = "order-lines-corrections"
_IS_LAST = Import.file_name.startswith(LAST_FILE)
SHOWN_STAFF = (  # whom the demo offers to sign in as, of the brand's own people
    (Words("the channel manager", "la responsable du réseau"), Role.MANAGER),
    (Words("the administrator", "l’administratrice"), Role.ADMIN),
    (Words("a sales rep", "un commercial"), Role.REP),
)
SHOWN_PEOPLE = (  # and of the partners', by the partner they belong to
    (Words("the distributor Sanithermie", "le distributeur Sanithermie"), "SANITHERMIE"),
    (Words("the reseller Lyon Thermique", "le revendeur Lyon Thermique"), "LYON-THERMIQUE"),
)

Tell = Callable[[str], None]


def demo_database() -> str:
    """The demo's own SQLite file: it never mixes with a user's network."""
    file = data_folder(os.environ) / "partner-cx-demo.sqlite3"
    return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


def build(
    house: House,
    folder: Path,
    *,
    now: datetime,
    language: str,
    tell: Tell,
) -> None:
    """Build the network into an empty database. Again changes nothing.

    Raises Conflict when the database holds another network.
    """
    migrations.upgrade(house.engine)
    with reading(house.engine) as session:
        _refuse_other_networks(session)
        if _is_built(session):
            tell(_say(language, "The demo network is there already.", "Le réseau est déjà là."))
            return
    local = now.astimezone(house.settings.zone)
    files = make_network(folder, until=local.date())
    tell(
        _say(language, "{count} files lie in {folder}", "{count} fichiers dans {folder}").format(
            count=len(files), folder=folder
        )
    )
    facts = [file for file in files if file.path.stem != LAST_FILE]
    late = [file for file in files if file.path.stem == LAST_FILE]
    _take_in(house, facts, now, language, tell)
    quarters = past_quarters(local)
    opening = datetime.combine(quarters[0].first_day, time(9), tzinfo=house.settings.zone)
    transact(house.engine, lambda session: put_in_force(session, quarters[0], now=opening))
    for quarter in quarters:
        # In a quarter's first days the last one is closed a little early.
        closed_at = min(quarter.ends_at(house.settings.zone) + CLOSED_AFTER, now)
        if quarter == quarters[-1]:
            _catch_up(house, closed_at)
        _close(house, quarter, closed_at, language, tell)
    _take_in(house, late, now, language, tell)
    draw_events(house.engine, now=now, settings=house.settings)


def built_at(engine: sa.Engine) -> datetime:
    """When the network of this database was built."""
    with reading(engine) as session:
        return session.scalars(sa.select(Import.imported_at).where(_IS_LAST).limit(1)).one()


def past_quarters(now: datetime) -> list[Period]:
    """The full quarters the demo's story covers, the first one first."""
    last = Period.of(now.date(), PeriodKind.QUARTER).previous()
    quarters = [last]
    while len(quarters) < FULL_QUARTERS:
        quarters.append(quarters[-1].previous())
    return quarters[::-1]


def links(house: House, address: str) -> Iterator[str]:
    """A sign-in link per role, fresh each time."""

    def made(session: Session) -> list[str]:
        at = datetime.now(UTC)
        return [
            who.in_(house.language)
            + COLON.in_(house.language)
            + f"{address}/sign-in/{make_link(session, email, now=at)}"
            for who, email in _who_signs_in(session)
        ]

    yield ""
    yield _say(
        house.language,
        "Sign in as (each link works once, for half an hour):",
        "Connectez-vous en tant que (chaque lien sert une fois, pendant une demi-heure) :",
    )
    for line in transact(house.engine, made):
        yield f"  {line}"


def _who_signs_in(session: Session) -> Iterator[tuple[Words, str]]:
    for who, role in SHOWN_STAFF:
        of_role = sa.select(Person.email).where(
            Person.role == role, Person.email.endswith(f"@{BRAND_DOMAIN}")
        )
        yield who, session.scalars(of_role.order_by(Person.email).limit(1)).one()
    for who, code in SHOWN_PEOPLE:
        own = (
            sa.select(Person.email)
            .join(Partner, Partner.id == Person.partner_id)
            .where(Partner.code == code, Person.role == Role.PARTNER)
        )
        yield who, session.scalars(own.order_by(Person.email).limit(1)).one()


def _take_in(
    house: House,
    files: list[DemoFile],
    now: datetime,
    language: str,
    tell: Tell,
) -> None:
    for file in files:
        report = import_file(
            house.engine,
            file.kind,
            file.path,
            source=file.source,
            mapping=file.mapping_path,
            settings=house.settings,
            now=now,
            language=language,
        )
        counts = {
            _say(language, "taken", "prises"): report.taken,
            _say(language, "corrected", "corrigées"): report.corrected,
            _say(language, "unchanged", "inchangées"): report.unchanged,
            _say(language, "refused", "refusées"): report.refused,
        }
        shown = [f"{number_text(n, language)} {word}" for word, n in counts.items() if n]
        tell(f"  {file.path.name}: {', '.join(shown)}")


def _catch_up(house: House, at: datetime) -> None:
    """Carry out what the closes before the last one owed: nobody listened to the demo yet."""
    draw_events(house.engine, now=at, settings=house.settings)
    carry_out_due(Hands(house.engine, house.settings, lambda: at))


def _close(house: House, quarter: Period, at: datetime, language: str, tell: Tell) -> None:
    closed = closings.close(
        house.engine,
        quarter,
        now=at,
        by=ACTOR,
        settings=house.settings,
    )
    for sentence in closed.sentences:
        tell(sentence.in_(language))


def _refuse_other_networks(session: Session) -> None:
    ours = {member.code for member in MEMBERS}
    if set(session.scalars(sa.select(Partner.code))) - ours:
        raise Conflict(
            "This database holds another network than the demo's.",
            remedy="Leave --database and PARTNER_CX_DATABASE_URL out: the demo has its own.",
        )


def _is_built(session: Session) -> bool:
    return session.scalar(sa.select(Import.id).where(_IS_LAST).limit(1)) is not None


def _say(language: str, en: str, fr: str) -> str:
    return Words(en, fr).in_(language)
