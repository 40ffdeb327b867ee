"""What the figures draw, checked against counts worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import plotly.graph_objects as go
import pytest

from core.learning.metrics import CODES, Confusion, threshold_curve
from core.plots.colours import FOUND
from core.plots.scores import precision_recall_figure, threshold_figure
from core.tasks.mapping.plots import mark_area, size_frequency_figure
from core.tasks.mapping.size_frequency import fit_size_frequency


def counts() -> np.ndarray:
    """30 true pixels at code 200 and 10 at code 50; 20 others at code 200 and 140 at code 0."""
    table = np.zeros((2, CODES), dtype=np.int64)
    table[1, 200], table[1, 50], table[0, 200], table[0, 0] = 30, 10, 20, 140
    return table


def trace(figure: go.Figure, name: str) -> go.Scatter:
    (found,) = [trace for trace in figure.data if trace.name.startswith(name)]
    return found


def test_the_current_threshold_stands_at_its_precision_and_recall() -> None:
    now = Confusion.at(counts(), 0.5)
    figure = precision_recall_figure(threshold_curve(counts()), now, 0.5)
    point = trace(figure, "At threshold 0.50")
    assert point.x[0] == pytest.approx(30 / 40)
    assert point.y[0] == pytest.approx(30 / 50)
    assert point.marker.color == FOUND
    assert "F1 0.667" in point.name


def test_the_colour_index_is_a_point_beside_the_curve() -> None:
    baseline = Confusion(true_positive=10, false_positive=30, false_negative=30, true_negative=130)
    figure = precision_recall_figure(threshold_curve(counts()), Confusion.at(counts(), 0.5), 0.5, baseline)
    point = trace(figure, "Colour index")
    assert (point.x[0], point.y[0]) == (0.25, 0.25)
    level = trace(threshold_figure(threshold_curve(counts()), 0.5, baseline), "Colour index")
    assert list(level.y) == [0.25, 0.25]


def test_a_threshold_that_maps_nothing_has_no_point() -> None:
    nothing = Confusion.at(counts(), 1.0)
    assert math.isnan(nothing.precision)
    figure = precision_recall_figure(threshold_curve(counts()), nothing, 1.0)
    assert not [trace for trace in figure.data if trace.mode == "markers"]


def test_f1_peaks_where_the_counts_say() -> None:
    figure = threshold_figure(threshold_curve(counts()), 0.3)
    line = trace(figure, "F1")
    # At code 50 and below: 40 hits of 60 mapped and 40 true; above it 30 of 50 and 40.
    assert line.y[50] == pytest.approx(80 / 100)
    assert line.y[51] == pytest.approx(60 / 90)
    assert figure.layout.shapes[0].x0 == 0.3


def test_without_a_true_pixel_the_average_precision_is_undefined_in_words() -> None:
    table = counts()
    table[1] = 0
    figure = precision_recall_figure(threshold_curve(table), Confusion.at(table, 0.5), 0.5)
    assert "average precision undefined" in figure.data[0].name


def inverse_gamma_areas(n: int = 400) -> np.ndarray:
    """Areas in m² drawn with the published parameters of Malamud et al. (2004), a tail exponent of 2.4."""
    draw = np.random.default_rng(5).gamma(1.4, size=n)
    return 1280.0 / draw - 132.0


def test_landslides_are_counted_from_the_largest_down() -> None:
    figure = size_frequency_figure(
        [100.0, 300.0, 300.0], fit_size_frequency([100.0, 300.0, 300.0], pixel_area_m2=1)
    )
    points = trace(figure, "Mapped landslides")
    assert list(points.x) == [100, 300]
    assert list(points.y) == [3, 2]
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert figure.layout.xaxis.title.text == "Area (m²)"
    assert not [trace for trace in figure.data if "exponent" in (trace.name or "")]


def test_the_fit_is_drawn_from_the_smallest_mappable_area_and_starts_at_all_landslides() -> None:
    areas = inverse_gamma_areas()
    sizes = fit_size_frequency(areas, pixel_area_m2=4.0)
    figure = size_frequency_figure(areas, sizes)
    (fit,) = [trace for trace in figure.data if "exponent" in trace.name]
    assert fit.x[0] == pytest.approx(40.0)
    assert fit.y[0] == pytest.approx(sizes.n, rel=1e-6)
    assert fit.x[-1] == pytest.approx(areas.max())
    assert f"exponent {sizes.exponent:.2f} (95 %:" in fit.name
    assert trace(figure, "Smallest area of the fit, 40 m²").x == (40.0, 40.0)


def test_no_landslide_gives_an_empty_figure() -> None:
    figure = size_frequency_figure([], fit_size_frequency([], pixel_area_m2=100.0))
    assert len(figure.data) == 1
    assert len(figure.data[0].x) == 0


def test_a_selected_landslide_is_marked_at_its_area_and_rank() -> None:
    areas = [100.0, 100.0, 400.0, 900.0]
    figure = size_frequency_figure(areas, fit_size_frequency(areas, pixel_area_m2=100.0))
    marked = mark_area(figure, areas, 400.0, "L0M3Q")
    assert (list(marked.data[-1].x), list(marked.data[-1].y)) == ([400.0], [2])  # two are at least as large
    assert marked.data[-1].name == "Selected: L0M3Q"
    assert len(figure.data) == len(marked.data) - 1  # the figure that is kept for others stays as it is


def test_pixel_space_is_counted_in_pixels() -> None:
    figure = size_frequency_figure(
        [12.0, 40.0], fit_size_frequency([12.0, 40.0], pixel_area_m2=None), unit="px"
    )
    assert figure.layout.xaxis.title.text == "Area (px)"
    assert "m²" not in "".join(str(trace.name) for trace in figure.data)


@pytest.mark.parametrize(
    "figure",
    [
        precision_recall_figure(threshold_curve(counts()), Confusion.at(counts(), 0.5), 0.5),
        threshold_figure(threshold_curve(counts()), 0.5),
        size_frequency_figure([12.0], fit_size_frequency([12.0], pixel_area_m2=1.0)),
    ],
)
def test_figures_suit_a_light_and_a_dark_page(figure: go.Figure) -> None:
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert figure.layout.font.color is None
    assert figure.layout.xaxis.title.font.color is None
