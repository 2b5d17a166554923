"""Charts: figures as pictures, worked out here, drawn by `templates/parts/charts.html`.

What a chart gets are exact values and the words they are told in; what it gives are finished
places, a sentence that says what the picture shows, and rows for the table beside it. Across,
places are shares of the width, so that a chart fits any screen while its letters keep their size;
down, they are pixels. What is not known leaves a gap: it is never drawn as nothing.
"""

from __future__ import annotations

from api.charts.bars import Bar, BarChart, bar_chart
from api.charts.bullets import Bullet, bullet
from api.charts.lines import LineChart, Point, line_chart
from api.charts.sparklines import Sparkline, sparkline

Chart = LineChart | BarChart | Bullet

__all__ = [
    "Bar",
    "BarChart",
    "Bullet",
    "Chart",
    "LineChart",
    "Point",
    "Sparkline",
    "bar_chart",
    "bullet",
    "line_chart",
    "sparkline",
]
