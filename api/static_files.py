"""The stylesheet, the sign and the scripts: kept by browsers for a year, and never out of date.

An address carries a digest of what it leads to, so that what has changed has another address. What
is asked for without its digest, as scripts ask for each other, is compared each time.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

FOLDER = Path(__file__).parents[1] / "templates" / "static"
PLACE = "/static/"
_DIGEST_LETTERS = 12
_KEPT = "public, max-age=31536000, immutable"
_COMPARED = "no-cache"


def dated(path: str) -> str:
    """A path of ours, with the digest of its file if it leads to one."""
    digest = _digest_of(path.removeprefix(PLACE)) if path.startswith(PLACE) else ""
    return f"{path}?v={digest}" if digest else path


class KeptFiles(StaticFiles):
    """The files of the folder, with what browsers may do with them."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        is_same = bool(asked) and asked == _digest_of(path)
        response.headers["Cache-Control"] = _KEPT if is_same else _COMPARED
        return response


def _digest_of(name: str) -> str:
    """The digest of a file as it is now; empty if there is none."""
    try:
        return _digest(name, (FOLDER / name).stat().st_mtime_ns)
    except (OSError, ValueError):  # not there, a folder, no name at all
        return ""


@lru_cache
def _digest(name: str, _changed: int) -> str:
    return hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:_DIGEST_LETTERS]
