"""What tests of rewards can ask for: the small programme's network, ready to be closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from partner_cx.database import open_database
from tests.harness.databases import KINDS, prepared_database
from tests.harness.programme import a_tallied_network


@pytest.fixture(params=[pytest.param(kind, marks=getattr(pytest.mark, kind)) for kind in KINDS])
def network(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The network of `tests.harness.programme` in a database of its own."""
    with prepared_database(request.param, "network", a_tallied_network) as url:
        engine = open_database(url)
        yield engine
        engine.dispose()
