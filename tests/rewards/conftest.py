"""What tests of rewards can ask for: the small programme's network, before its close and after."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.harness.databases import EACH_KIND, prepared_engine
from tests.harness.programme import a_closed_quarter, a_tallied_network


@pytest.fixture(params=EACH_KIND)
def network(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The network of `tests.harness.programme` in a database of its own."""
    with prepared_engine(request.param, "network", a_tallied_network) as engine:
        yield engine


@pytest.fixture(scope="module", params=EACH_KIND)
def closed(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """The same, its quarter closed under the network quality bonus; only to be read."""
    with prepared_engine(request.param, "closed", a_closed_quarter) as engine:
        yield engine
