"""What tests of the schedule's own tasks can ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.programme import a_tallied_network


@pytest.fixture(params=EACH_KIND)
def network(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The network of `tests.harness.programme` in a database of its own."""
    with prepared_engine(request.param, "network", a_tallied_network) as engine:
        yield engine
