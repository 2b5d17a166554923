"""Proposals: each is what was proposed, and its compensation what was approved."""

from __future__ import annotations

from collections.abc import Iterator

from rewards.audit.differences import Found
from rewards.audit.inspecting import Inspection


def proposals(inspection: Inspection) -> Iterator[Found]:
    yield from ()
