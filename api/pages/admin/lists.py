"""What the administrator's lists and forms share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import Path

Number = Annotated[int, Path(ge=1, lt=2**63)]  # of something of ours, in an address


def beside(errors: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """What is wrong with each field, for its place; nothing for the others."""
    return defaultdict(str, errors)
