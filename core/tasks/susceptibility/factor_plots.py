"""Charts of factors: weights of classes, distributions among landslides and others, and which say the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.plots.colours import FALSE_POSITIVE, FOUND, REFERENCE
from core.plots.layout import NEUTRAL, plain_layout
from core.tasks.susceptibility.binning import binned
from core.tasks.susceptibility.factor_analysis import INFLATED
from core.wording import factor_words, with_minus_signs

if TYPE_CHECKING:
    import pandas as pd

Weight = Literal["frequency_ratio", "information_value", "contrast"]

WEIGHTS: dict[Weight, str] = {
    "frequency_ratio": "Frequency ratio", "information_value": "Information value",
    "contrast": "Contrast (weights of evidence)",
}  # fmt: skip

AVERAGE = {"frequency_ratio": 1.0, "information_value": 0.0, "contrast": 0.0}
"""Value of a class that landslides neither prefer nor avoid."""

Z95 = 1.96


def weights_figure(table: pd.DataFrame, weight: Weight) -> go.Figure:
    """Weight of each class of a factor.

    Parameters
    ----------
    table
        Rows of one factor of `core.tasks.susceptibility.factor_analysis.class_table`.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages.
    """
    value, average = table[weight].to_numpy(float), AVERAGE[weight]
    error = {"type": "data", "array": Z95 * table["contrast_sd"].to_numpy(float), "color": NEUTRAL, "thickness": 1.2}
    figure = go.Figure(go.Bar(
        x=[with_minus_signs(str(one)) for one in table["class"]], y=value - average, base=average,
        marker={"color": [FOUND if one > average else REFERENCE for one in value]},
        error_y=error if weight == "contrast" else None,
        customdata=np.stack([value, table["cells"], table["landslides"]], axis=1),
        hovertemplate="%{x}: %{customdata[0]:.2f}<br>%{customdata[1]} cells, %{customdata[2]} with a landslide"
        "<extra></extra>",
    ))  # fmt: skip
    figure.add_hline(y=average, line={"color": NEUTRAL, "width": 1})
    layout = plain_layout("", WEIGHTS[weight])
    layout["xaxis"] |= {"type": "category"}
    figure.update_layout(layout)
    return figure


def distribution_figure(values: NDArray[Any], landslide: NDArray[np.bool_], kind: str, title: str) -> go.Figure:
    """Share of the landslides and of the others in each class or interval of a factor."""
    figure = go.Figure()
    if kind == "quantity":
        numbers = values.astype(float)
        edges = np.linspace(numbers.min(), numbers.max(), 25)
        middle = (edges[:-1] + edges[1:]) / 2
        of_cell = np.clip(np.digitize(numbers, edges) - 1, 0, len(middle) - 1)
        names: Any = middle
    else:
        classes = binned(values, kind)
        names, of_cell = list(classes.names), classes.of_cell
    for name, where, colour in (("Landslides", landslide, FOUND), ("No landslide", ~landslide, REFERENCE)):
        share = np.bincount(of_cell[where], minlength=len(names)) / max(int(where.sum()), 1)
        look = {"color": colour, "shape": "hvh", "width": 2} if kind == "quantity" else None
        hover = f"{name}: %{{y:.1%}}<extra></extra>"
        if look is not None:
            figure.add_scatter(x=names, y=share, name=name, line=look, hovertemplate=hover)
        else:
            figure.add_bar(x=names, y=share, name=name, marker={"color": colour}, hovertemplate=hover)
    layout = plain_layout(title, "Share of cells")
    figure.update_layout(layout)
    figure.update_yaxes(tickformat=".0%")
    return figure


def association_figure(matrix: pd.DataFrame) -> go.Figure:
    """How far each two factors say the same: a square of colours with numbers."""
    names = [factor_words(one) for one in matrix.columns]
    values = matrix.to_numpy(float)
    figure = go.Figure(go.Heatmap(
        z=values, x=names, y=names, zmin=-1, zmax=1, colorscale="RdBu_r",
        text=[[f"{one:.2f}" for one in row] for row in np.round(values, 2) + 0.0],  # no −0.00
        texttemplate="%{text}" if len(names) <= 15 else None, textfont={"size": 10},
        hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>", colorbar={"thickness": 10},
    ))  # fmt: skip
    layout = plain_layout("", "")
    layout["height"] = 180 + 30 * len(names)
    layout["xaxis"] |= {"dtick": 1}
    layout["yaxis"] |= {"autorange": "reversed", "dtick": 1}
    figure.update_layout(layout)
    return figure


def inflation_figure(found: Mapping[str, float]) -> go.Figure:
    """Variance inflation factors, with the limit; those without end are drawn at ten times the limit."""
    names = list(found)
    value = [min(found[name], 10 * INFLATED) for name in names]
    figure = go.Figure(go.Bar(
        x=value, y=[factor_words(name) for name in names], orientation="h",
        marker={"color": [FALSE_POSITIVE if one > INFLATED else REFERENCE for one in value]},
        text=["infinite" if math.isinf(found[name]) else f"{found[name]:.1f}" for name in names],
        hovertemplate="%{y}: %{text}<extra></extra>",
    ))  # fmt: skip
    figure.add_vline(x=INFLATED, line={"color": NEUTRAL, "dash": "dot"})
    layout = plain_layout("Variance inflation factor (log scale)", "")
    layout["height"] = 120 + 26 * len(names)
    layout["yaxis"] |= {"autorange": "reversed"}
    figure.update_layout(layout)
    figure.update_xaxes(type="log")
    return figure
