"""Say whether the migrations bring a database to exactly the schema in the code.

Run by `make check`; exits 1 with the differences when a migration is missing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from api.migrations import upgrade
from api.schema import METADATA
from partner_cx.database import open_database


def differences(url: str) -> list[object]:
    """What a migration would still have to change in a database migrated at this URL."""
    engine = open_database(url)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        found = list(compare_metadata(context, METADATA))
    engine.dispose()
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        missing = differences(f"sqlite:///{Path(folder) / 'check.sqlite3'}")
    for difference in missing:
        print(f"not in the migrations: {difference}")
    print("migrations up to date" if not missing else "write a migration for these")
    sys.exit(1 if missing else 0)
