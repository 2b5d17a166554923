"""A page of all the parts that pages are made of, in a browser without a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from playwright.sync_api import Browser, Page, Route

from api.catalogues import Translator
from api.charts import Bar, LineChart, Point, bar_chart, bullet, line_chart, sparkline
from api.navigation import MENUS
from api.pages.told import told_state
from api.static_files import FOLDER
from partner_cx.measures.figures import State
from partner_cx.network.people import Role

HERE = Path(__file__).parent
ADDRESS = "http://specimen.example/"
POLICY = "default-src 'self'"


def environment() -> Environment:
    """Templates set up as the pages are."""
    return Environment(
        loader=FileSystemLoader([FOLDER.parent, HERE]),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def specimen(language: str, role: Role = Role.ADMIN) -> str:
    """The page as HTML, with a role's menu."""
    menu = [(place, number == 1) for number, place in enumerate(MENUS[role])]
    languages = [
        {"code": code, "name": code, "href": f"?lang={code}", "current": code == language}
        for code in ("en", "fr")
    ]
    return environment().get_template("specimen.html").render(
        _=Translator(language), to=lambda path: path, language=language, languages=languages,
        viewer=SimpleNamespace(person=SimpleNamespace(name="Ada Person"), role=role),
        menu=menu, path=menu[1][0].path,
        charts=_charts(language), states=_states(language),
        sparkline=sparkline([Fraction(90), None, Fraction(94), Fraction(95)], Fraction(95)),
        periods=[{"href": "#a", "label": "Q1", "current": True, "open": False},
                 {"href": "#b", "label": "Q2", "current": False, "open": True}],
    )  # fmt: skip


@contextmanager
def shown(browser: Browser, html: str, **context: Any) -> Iterator[Page]:
    """A page of HTML in the browser, with our style and under our policy."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            route.fulfill(path=FOLDER / path.removeprefix("/static/"))
        else:
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=headers)

    with browser.new_context(**context) as opened:
        opened.route("**/*", answer)
        page = opened.new_page()
        page.goto(ADDRESS)
        yield page


def _charts(language: str) -> SimpleNamespace:
    return SimpleNamespace(
        line=_line("Delivered on time and in full", [88, None, 91, 93, 94, 92, 95, 94], language),
        small=[
            _line("One", [92], language),
            _line("Level", [95, 95], language),
            _line("Nothing", [None], language),
            _line("By month", [90, 91, 93, 92, 95], language, "September {}"),
        ],
        bullet=bullet(
            "OTIF", Fraction(94), "94.4%", target=Fraction(95), target_told="95%",
            low=Fraction(92), high=Fraction(96), state="red", language=language,
        ),
        unknown=bullet(
            "DSI", None, "–", target=Fraction(4), target_told="4", state="no_data",
            language=language,
        ),
        bars=bar_chart(
            "Who moved most",
            [
                Bar("The south-west and overseas", Fraction(12), "+12", "#a", "green"),
                Bar("North", Fraction(-21), "−21", "#b", "red"),
                Bar("East", None, "–"),
            ],
            target=Fraction(10), target_told="10", language=language,
        ),
    )  # fmt: skip


def _line(
    title: str, values: list[int | None], language: str, period: str = "Q{} 2026"
) -> LineChart:
    points = [
        Point(period.format(place % 4 + 1), None if value is None else Fraction(value), f"{value}%")
        for place, value in enumerate(values)
    ]
    return line_chart(title, points, target=Fraction(95), target_told="95%", language=language)


def _states(language: str) -> list[Any]:
    return [told_state(state, language) for state in [*State, None]]
