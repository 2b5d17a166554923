"""E-mail addresses: which texts are one, wherever somebody is named by it."""

from __future__ import annotations

import re

LONGEST = 254
# The form alone: nobody knows whether anyone reads there. Both Arrow and Python read it.
FORM = r"^[^@\s,;:<>()\"\x00-\x1f]+@[^@\s,;:<>()\"_]+\.[^@\s,;:<>()\"_.\d]{2,}$"

_FORM = re.compile(FORM, re.ASCII)


def is_email(text: str) -> bool:
    return len(text) <= LONGEST and _FORM.fullmatch(text) is not None
