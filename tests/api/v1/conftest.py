"""A closed programme that nobody changes, and whoever asks of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from partner_cx.network.scopes import Scope
from tests.harness.api_clients import a_system
from tests.harness.cast import closed_programme
from tests.harness.databases import EACH_KIND


@pytest.fixture(scope="module", params=EACH_KIND)
def programme(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    with closed_programme(request.param) as engine:
        yield engine


@pytest.fixture(scope="module")
def everything(programme: sa.Engine) -> TestClient:
    """A system that may do whatever a system may."""
    return a_system(programme, *Scope)


@pytest.fixture(scope="module")
def of_r2(programme: sa.Engine) -> TestClient:
    """A system of the partner R2, which is supplied by D1, as R1 and R3 are."""
    return a_system(programme, Scope.READ, Scope.PEOPLE, partner="R2")


@pytest.fixture(scope="module")
def of_d1(programme: sa.Engine) -> TestClient:
    """A system of the distributor D1."""
    return a_system(programme, Scope.READ, partner="D1")
