"""Pages: templates filled with finished values, in the reader's language, with safe headers."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api.access import Viewer
from api.addresses import address, asked_besides, path_of
from api.catalogues import Translator
from api.navigation import places
from api.request_scope import LANGUAGES, language_of, wiring
from api.static_files import dated
from partner_cx.quantities import number_text, points_text
from rewards.sentences.numbers import day_text

TEMPLATES = Path(__file__).parents[1] / "templates"


class _Environment(Environment):
    """Jinja's own, which looks into a dict before it asks for an attribute.

    What templates are given are mostly dicts, and an attribute that isn't there takes its time.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


_environment = _Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(
    request: Request,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    **values: Any,
) -> HTMLResponse:
    """A page in the reader's language."""
    language, viewer = language_of(request), _viewer(request)
    html = _environment.get_template(template).render(
        **_words_and_numbers(request, language),
        languages=_language_links(request, language),
        viewer=viewer,
        menu=places(viewer, path_of(request)),
        path=path_of(request),
        **values,
    )
    return HTMLResponse(html, status, headers={"Content-Language": language})


def fragment(request: Request, template: str, **values: Any) -> Markup:
    """A part of a page, printed for itself; it knows nothing of who looks."""
    given = _words_and_numbers(request, language_of(request))
    return Markup(_environment.get_template(template).render(**given, **values))  # noqa: S704


def _words_and_numbers(request: Request, language: str) -> dict[str, Any]:
    """What every template has for texts, addresses, days and numbers."""
    say = translator(language)
    zone = wiring(request).settings.zone

    def day(on: date | datetime) -> str:
        local = on.astimezone(zone).date() if isinstance(on, datetime) else on
        return day_text(local).in_(language)

    def instant(at: datetime) -> str:
        return f"{day(at)}, {at.astimezone(zone):%H:%M}"

    return {
        "_": say,
        "_n": say.many,
        "to": lambda path: address(request, dated(path)),
        "language": language,
        "day": day,
        "instant": instant,
        "number": lambda number: number_text(number, language),
        "points": lambda points: points_text(points, language),
    }


def translator(language: str) -> Translator:
    """English as it stands; French from its catalogues, where every text of the pages must be."""
    return Translator(language)


def _viewer(request: Request) -> Viewer | None:
    return getattr(request.state, "viewer", None)


def _language_links(request: Request, language: str) -> list[dict[str, Any]]:
    """The same page in each language, the present one marked."""
    kept = asked_besides(request, "lang")
    return [
        {
            "code": code,
            "name": {"en": "English", "fr": "Français"}[code],
            "href": f"?{urlencode([*kept, ('lang', code)])}",
            "current": code == language,
        }
        for code in LANGUAGES
    ]
