"""The web service as a server's own processes start it: by its settings alone."""

from __future__ import annotations

import os

from fastapi import FastAPI

from api import migrations, schema
from api.app import make_app
from api.wiring import set_up_logs
from partner_cx.database import open_database
from partner_cx.settings import Settings


def by_settings() -> FastAPI:
    """The service over the settings' database, in whose schema it has nothing to change."""
    settings = Settings.read(os.environ)
    set_up_logs(settings)
    assert schema.METADATA.tables  # imported, so that every table knows those it refers to
    engine = open_database(settings.database_url)
    migrations.require_current(engine)
    return make_app(engine, settings)
