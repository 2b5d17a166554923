"""A closed programme for those who change it: each has its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.harness.cast import closed_programme
from tests.harness.databases import EACH_KIND


@pytest.fixture(params=EACH_KIND)
def closed(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with closed_programme(request.param) as engine:
        yield engine
