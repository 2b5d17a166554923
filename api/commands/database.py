"""The database: brought to this version's schema."""

from __future__ import annotations

from api.commands.options import Database
from api.printing import say


def migrate(database: Database = None) -> None:
    """Bring the database to this version's schema. Again changes nothing."""
    from api import migrations
    from api.wiring import open_house

    with open_house(database, any_schema=True) as house:
        migrations.upgrade(house.engine)
        say(f"{house.settings.database_shown} is on the newest schema.")
