"""Charts: where things lie, what is said of them, and what is never drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.catalogues import Translator
from api.charts import Bar, Chart, Point, bar_chart, bullet, line_chart, sparkline
from api.charts.lines import HEIGHT, LineChart
from api.render import TEMPLATES

HOSTILE = "<script>alert('x')</script> & \"Söhne\" {evil} %s"


def percents(*values: int | float | None) -> list[Point]:
    """Points named Q1, Q2 … with values in per cent; None is no data."""
    return [
        Point(f"Q{place}", None, "–")
        if value is None
        else Point(f"Q{place}", Fraction(str(value)) / 100, f"{value}%")
        for place, value in enumerate(values, 1)
    ]


def a_line(*values: int | float | None, target: int | None = None, language: str = "en"):
    return line_chart(
        "OTIF",
        percents(*values),
        target=None if target is None else Fraction(target, 100),
        target_told=f"{target}%",
        language=language,
    )


def across(place: str) -> float:
    return float(place.removesuffix("%"))


def drawn(macro: str, chart: Chart, language: str = "en") -> str:
    """A chart as the page has it."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    module = environment.get_template("parts/charts.html").module
    draw: Callable[..., str] = getattr(module, macro)
    return str(draw(chart, Translator(language)))


# --- Lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "pieces", "dots"),
    [
        ((90, 92, 95), 2, 3),
        ((90, None, 95), 0, 2),  # a gap isn't bridged
        ((90, 91, None, None, 95, 96), 2, 4),
        ((None, 90, 91), 1, 2),
        ((90, 91, None), 1, 2),
        ((90,), 0, 1),
        ((95, 95, 95), 2, 3),
        ((0, 0), 1, 2),  # nought is a value
    ],
)
def test_a_line_is_drawn_through_what_is_known(
    values: Sequence[int | None], pieces: int, dots: int
):
    chart = a_line(*values, target=95)
    assert (len(chart.strokes), len(chart.dots)) == (pieces, dots)


def test_nothing_known_is_said_and_not_drawn():
    for chart in (a_line(None, None, target=95), a_line()):
        assert (chart.dots, chart.aim, chart.last) == ((), None, None)
        assert chart.description == "No data yet."
        html = drawn("line", chart)
        assert "<svg" not in html
        assert "No data yet." in html


def test_the_highest_lies_above_the_lowest_and_time_runs_to_the_right():
    chart = a_line(90, 80, 95)
    first, second, third = chart.dots
    assert third.y < first.y < second.y
    assert across(first.x) < across(second.x) < across(third.x)


def test_the_target_is_in_sight_on_either_side_of_the_line():
    for values in ((80, 82), (97, 99)):
        chart = a_line(*values, target=95)
        assert chart.aim
        assert 0 < chart.aim.y < chart.floor
        assert all(0 < dot.y < chart.floor for dot in chart.dots)
    assert a_line(80, 82).aim is None


def test_a_ripple_is_no_cliff():
    """What moves by a thousandth takes a small part of the height only."""
    chart = a_line(95.0, 95.1)
    first, last = chart.dots
    assert 0 < first.y - last.y < HEIGHT / 20


def test_a_single_point_stands_in_the_middle():
    (dot,) = a_line(92).dots
    assert (dot.x, dot.is_last) == ("50%", True)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((90, 80, 95, 92), {"80%", "95%"}),
        ((80, 90, 95), {"80%"}),  # the highest is the last: it stands beside the title
        ((95, 90, 80), {"95%"}),
        ((95, 95), set()),
        ((92,), set()),
    ],
)
def test_the_highest_and_the_lowest_are_told_beside_their_points(
    values: Sequence[int], told: set[str]
):
    chart = a_line(*values)
    assert {dot.told for dot in chart.dots} - {""} == told
    assert chart.last
    assert chart.last.told == f"{values[-1]}%"


def test_the_last_known_value_is_told_with_its_period():
    chart = a_line(90, 92, None)
    assert chart.last
    assert (chart.last.label, chart.last.told) == ("Q2", "92%")
    assert [dot.is_last for dot in chart.dots] == [False, True]


@pytest.mark.parametrize("count", [1, 2, 4, 8, 12, 36, 400])
def test_names_of_points_have_room_and_the_last_is_there(count: int):
    chart = line_chart(
        "", [Point(f"Q{n % 4} 2026", Fraction(n), str(n)) for n in range(count)], language="en"
    )
    names = len(chart.ticks)
    on_a_telephone = sum(not tick.often for tick in chart.ticks)
    assert 1 <= on_a_telephone <= 4
    assert on_a_telephone <= names <= 8
    assert chart.ticks[-1].x == chart.dots[-1].x
    assert not chart.ticks[-1].often


SAID = [
    ((90, 80, 95), None, "From 90% (Q1) to 95% (Q3); lowest 80% (Q2), highest 95% (Q3)."),
    ((94,), 95, "94% (Q1). The last value lies below the target, 95%."),
    ((95,), 95, "95% (Q1). The last value is the target, 95%."),
    (
        (90, None, 96),
        95,
        (
            "From 90% (Q1) to 96% (Q3); lowest 90% (Q1), highest 96% (Q3). "
            "The last value lies above the target, 95%. No data: Q2."
        ),
    ),
    ((None, 0), 95, "0% (Q2). The last value lies below the target, 95%. No data: Q1."),
    ((*[None] * 7, 90), None, "90% (Q8). No data at 7 points."),
]


@pytest.mark.parametrize(("values", "target", "sentence"), SAID)
def test_a_sentence_says_what_the_line_shows(
    values: Sequence[int | None], target: int | None, sentence: str
):
    assert a_line(*values, target=target).description == sentence


def test_the_sentence_is_french_where_its_reader_is():
    assert a_line(90, None, 96, target=95, language="fr").description == (
        "De 90% (Q1) à 96% (Q3)\u202f; au plus bas 90% (Q1), au plus haut 96% (Q3). "
        "La dernière valeur est au-dessus de l’objectif, 95%. Sans donnée\u202f: Q2."
    )


fractions = st.none() | st.fractions(min_value=-(10**30), max_value=10**30)


@given(
    st.lists(fractions, max_size=30),
    st.none() | st.fractions(),
    st.sampled_from(["en", "fr"]),
)
def test_whatever_the_values_all_that_is_drawn_lies_within_the_chart(values, target, language):
    points = [Point("Q", value, str(value)) for value in values]
    chart = line_chart("t", points, target=target, target_told="t", language=language)
    assert len(chart.dots) == sum(value is not None for value in values)
    for dot in chart.dots:
        assert 0 <= across(dot.x) <= 100
        assert 0 <= dot.y <= chart.floor
    if chart.aim:
        assert 10 <= chart.aim.told_y <= chart.floor
    ET.fromstring(drawn("line", chart, language))


# --- Bars -----------------------------------------------------------------------------------


def some_bars(*values: int | None, target: int | None = None):
    return bar_chart(
        "By group",
        [
            Bar(f"Group {place}", None if value is None else Fraction(value), f"{value}")
            for place, value in enumerate(values, 1)
        ],
        target=None if target is None else Fraction(target),
        target_told=str(target),
        language="en",
    )


@pytest.mark.parametrize(
    ("values", "target", "zero", "bars"),
    [
        ((50, 100), None, "0%", [("0%", "50%"), ("0%", "100%")]),
        ((50,), 100, "0%", [("0%", "50%")]),  # the target is in sight
        ((-50, 50), None, "50%", [("0%", "50%"), ("50%", "50%")]),
        ((-50, -100), None, "100%", [("50%", "50%"), ("0%", "100%")]),
        ((0, 0), None, "0%", [("0%", "0%"), ("0%", "0%")]),
        ((0, 80), None, "0%", [("0%", "0%"), ("0%", "100%")]),
        ((10**40, 1), None, "0%", [("0%", "100%"), ("0%", "0%")]),
    ],
)
def test_a_bar_begins_at_nothing_and_is_as_long_as_its_value(values, target, zero, bars):
    chart = some_bars(*values, target=target)
    assert chart.zero == zero
    assert [(bar.x, bar.width) for bar in chart.bars] == bars


def test_no_data_is_no_bar_and_nought_is_one():
    chart = some_bars(None, 0, 5)
    assert [bar.is_known for bar in chart.bars] == [False, True, True]
    assert drawn("bars", chart).count("<rect") == 2
    assert chart.description.endswith("No data: Group 1.")


@pytest.mark.parametrize(
    ("values", "target", "sentence"),
    [
        ((), None, "No data yet."),
        ((None,), 5, "No data yet."),
        ((7,), None, "Group 1: 7."),
        ((7, 9), None, "Highest: Group 2, 9. Lowest: Group 1, 7."),
        (
            (7, 9, 3),
            9,
            "Highest: Group 2, 9. Lowest: Group 3, 3. 1 of 3 stands at the target, 9, or above it.",
        ),
    ],
)
def test_a_sentence_says_what_the_bars_show(values, target, sentence):
    assert some_bars(*values, target=target).description == sentence


def test_a_state_is_told_by_a_sign_and_a_word():
    states = ["green", "red", "no_data", "stale", ""]
    bars = [Bar(state, Fraction(1), "1", state=state) for state in states]
    html = drawn("bars", bar_chart("t", bars, language="en"))
    for sign, word in [("✓", "reached"), ("✕", "missed"), ("○", "no data"), ("◷", "out of date")]:
        assert sign in html
        assert word in html


def test_a_name_leads_where_it_should():
    html = drawn("bars", bar_chart("t", [Bar("N", Fraction(1), "1", "/x?a=1&b=2")], language="en"))
    assert html.count('href="/x?a=1&amp;b=2"') == 2  # beside its bar, and in the table


# --- Bullets --------------------------------------------------------------------------------


def a_bullet(value: int | None, target: int | None = 95, **more):
    return bullet(
        "OTIF",
        None if value is None else Fraction(value),
        "–" if value is None else f"{value}%",
        target=None if target is None else Fraction(target),
        target_told=f"{target}%",
        language="en",
        **more,
    )


def test_a_bullet_shows_value_target_and_interval_on_one_scale():
    chart = a_bullet(90, 100, low=Fraction(85), high=Fraction(96))
    assert chart.bar
    assert chart.interval
    assert chart.aim
    assert chart.bar.x == "0%"
    assert across(chart.interval.x) < across(chart.bar.width) < across(chart.aim) < 100
    assert chart.description == "90%, below the target, 100%."


def test_a_bullet_without_data_has_its_target_and_no_bar():
    chart = a_bullet(None, state="no_data")
    assert (chart.bar, chart.interval, chart.description) == (None, None, "No data yet.")
    assert chart.aim
    assert 'class="bar' not in drawn("bullet", chart)


@pytest.mark.parametrize(
    ("value", "target", "sentence"),
    [
        (96, 95, "96%, above the target, 95%."),
        (95, 95, "95%, which is the target."),
        (0, 95, "0%, below the target, 95%."),
        (0, 0, "0%, which is the target."),
        (-40, 10, "-40%, below the target, 10%."),
        (42, None, "42%; there is no target."),
    ],
)
def test_a_sentence_says_what_a_bullet_shows(value, target, sentence):
    chart = a_bullet(value, target)
    assert chart.description == sentence
    ET.fromstring(drawn("bullet", chart))


def test_nothing_at_all_lies_at_the_left():
    chart = a_bullet(0, 0)
    assert chart.bar
    assert (chart.bar.x, chart.bar.width, chart.aim) == ("0%", "0%", "0%")


# --- Sparklines -----------------------------------------------------------------------------


def test_a_sparkline_leaves_gaps_and_keeps_lone_points():
    values = [Fraction(1), None, Fraction(2), Fraction(3)]
    line = sparkline(values, Fraction(2))
    assert line
    assert line.lines == ("78.7,16.0 116.0,4.0",)
    assert line.dots == ((4.0, 28.0), (116.0, 4.0))
    assert line.target == 16.0


def test_a_sparkline_of_nothing_is_none_and_a_level_one_lies_in_the_middle():
    assert sparkline([None, None], Fraction(1)) is None
    level = sparkline([Fraction(5), Fraction(5)], None)
    assert level
    assert level.lines == ("4.0,16.0 116.0,16.0",)
    assert sparkline([Fraction(10**400), Fraction(-(10**400))], None)


# --- As a page has them ---------------------------------------------------------------------


CHARTS: dict[str, Callable[[], Chart]] = {
    "line": lambda: line_chart(
        HOSTILE,
        [Point(HOSTILE, Fraction(1), HOSTILE), Point("b", Fraction(2), HOSTILE)],
        target=Fraction(1),
        target_told=HOSTILE,
        language="en",
    ),
    "bars": lambda: bar_chart(
        HOSTILE,
        [Bar(HOSTILE, Fraction(1), HOSTILE, f"/{HOSTILE}", "red"), Bar(HOSTILE, None, "–")],
        target=Fraction(1),
        target_told=HOSTILE,
        language="en",
    ),
    "bullet": lambda: bullet(
        HOSTILE, Fraction(1), HOSTILE, target=Fraction(2), target_told=HOSTILE, language="en"
    ),
}


@pytest.mark.parametrize("macro", CHARTS)
def test_whatever_is_named_stays_words(macro: str):
    html = drawn(macro, CHARTS[macro]())
    assert "<script" not in html
    figure = ET.fromstring(html)
    assert any(HOSTILE in (text or "") for text in figure.itertext())


@pytest.mark.parametrize("macro", CHARTS)
def test_no_chart_carries_a_style_of_its_own(macro: str):
    """The pages' policy lets no style attribute through."""
    assert not re.search(r"<style|\sstyle=", drawn(macro, CHARTS[macro]()))


@pytest.mark.parametrize("macro", ["line", "bullet"])
def test_a_picture_has_a_title_and_a_sentence(macro: str):
    chart = CHARTS[macro]()
    (svg,) = ET.fromstring(drawn(macro, chart)).iter("svg")
    assert svg.get("role") == "img"
    assert (svg.findtext("title"), svg.findtext("desc")) == (chart.title, chart.description)


@pytest.mark.parametrize("macro", ["line", "bars"])
def test_a_chart_comes_as_a_table_too(macro: str):
    chart = CHARTS[macro]()
    (table,) = ET.fromstring(drawn(macro, chart)).iter("table")
    assert table.findtext("caption") == chart.description
    assert len(list(table.iter("tr"))) == len(chart.rows) == 2


def test_every_point_says_its_value_where_it_lies():
    chart = a_line(90, 95)
    assert isinstance(chart, LineChart)
    hints = [circle.findtext("title") for circle in _circles(chart)]
    assert hints == ["Q1: 90%", "Q2: 95%"]


def _circles(chart: LineChart) -> list[ET.Element]:
    return list(ET.fromstring(drawn("line", chart)).iter("circle"))
