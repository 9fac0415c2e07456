"""Charts of measurements over time, as SVG text: pure, and the same on a page, on paper and in a document."""

from kintung.charts.chart import Chart, Line, Point
from kintung.charts.drawing import svg

__all__ = ["Chart", "Line", "Point", "svg"]
