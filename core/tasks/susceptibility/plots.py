"""Charts of a validation in the browser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from core.learning.roc import RocCurve
from core.plots.colours import FALSE_POSITIVE, FOUND, MISSED, OTHER_MODEL, REFERENCE, TRUE_POSITIVE
from core.plots.layout import NEUTRAL, plain_layout
from core.tasks.susceptibility.folds import TITLES
from core.tasks.susceptibility.models import title_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.tasks.susceptibility.held_out import Calibration
    from core.tasks.susceptibility.result import SusceptibilityResult

SCHEME_LOOKS = {
    "random": (FALSE_POSITIVE, "circle-open"), "spatial": (REFERENCE, "circle"), "blocks": (TRUE_POSITIVE, "square"),
    "group": (OTHER_MODEL, "diamond"), "date": (MISSED, "triangle-up"),
}  # fmt: skip
"""Colour and sign of each way of dividing."""

POINTS = 200
"""Points of an ROC curve that are drawn."""


def auroc_figure(result: SusceptibilityResult) -> go.Figure:
    """AUROC of each model with its interval, every way of dividing beside the others.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages; models from above in their
        order.
    """
    figure = go.Figure()
    names = [title_of(model) for model in result.models]
    for number, scheme in enumerate(result.schemes):
        colour, sign = SCHEME_LOOKS[scheme]
        middle, low, high = (
            np.array([result.of(model, scheme, score) for model in result.models])
            for score in ("auroc", "auroc_low", "auroc_high")
        )
        shift = (number - (len(result.schemes) - 1) / 2) * -0.22
        figure.add_scatter(
            x=middle, y=np.arange(len(names)) + shift, mode="markers", name=TITLES[scheme],  # type: ignore[index]
            marker={"color": colour, "symbol": sign, "size": 10},
            error_x={"type": "data", "symmetric": False, "array": high - middle, "arrayminus": middle - low,
                     "color": colour, "thickness": 1.5, "width": 4},
            customdata=np.stack([names, low, high], axis=1),
            hovertemplate="%{customdata[0]}: %{x:.3f} (%{customdata[1]:.3f} to %{customdata[2]:.3f})<extra></extra>",
        )  # fmt: skip
    figure.add_vline(x=0.5, line={"color": NEUTRAL, "dash": "dot", "width": 1})
    layout = plain_layout("AUROC with 95 % interval (0.5: chance)", "")
    layout["yaxis"] |= {"tickvals": list(range(len(names))), "ticktext": names, "autorange": "reversed"}
    layout["height"] = 150 + 44 * len(names)
    layout["legend"] |= {"y": 1.02, "yanchor": "bottom"}
    figure.update_layout(layout)
    return figure


def roc_figure(curves: Mapping[str, RocCurve], model: str) -> go.Figure:
    """ROC curves of all models, that of one of them in front.

    Parameters
    ----------
    curves
        By name of the model.
    model
        The one in front.
    """
    figure, others = go.Figure(), [name for name in curves if name != model]
    for name in (*others, *(one for one in curves if one == model)):
        curve, front = curves[name], name == model
        kept = np.unique(np.linspace(0, len(curve.cutoffs) - 1, POINTS).astype(int))
        figure.add_scatter(
            x=curve.false_rate[kept], y=curve.true_rate[kept], mode="lines",
            name=title_of(name) if front else "Other models", legendgroup="" if front else "others",
            line={"color": FOUND if front else NEUTRAL, "width": 3 if front else 1},
            showlegend=front or name == others[0],
            hovertemplate=f"{title_of(name)}: %{{y:.0%}} of landslide cells, %{{x:.0%}} of other cells<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="Chance", line={"color": NEUTRAL, "dash": "dot", "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(plain_layout("False positive rate", "True positive rate"))
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.01], tickformat=".0%")
    return figure


def calibration_figure(found: Calibration) -> go.Figure:
    """Share of cells with a landslide over what a model said of them, with its 95 % interval."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="Perfect calibration", line={"color": NEUTRAL, "dash": "dot",
        "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=found.said, y=found.seen, mode="lines+markers", name=f"Observed (mean difference {found.error:.3f})",
        line={"color": FOUND}, customdata=found.cells,
        error_y={"type": "data", "symmetric": False, "array": found.high - found.seen,
                 "arrayminus": found.seen - found.low, "color": FOUND, "thickness": 1.2},
        hovertemplate="Said %{x:.2f}, seen %{y:.2f} in %{customdata} cells<extra></extra>",
    )  # fmt: skip
    figure.update_layout(plain_layout("Predicted (bin mean)", "Observed share with a landslide"))
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(range=[0, 1.02])
    return figure


def precision_recall_figure(recall: NDArray[np.float64], precision: NDArray[np.float64], share: float) -> go.Figure:
    """Precision over recall; by chance the precision is the share of cells with a landslide."""
    figure = go.Figure()
    figure.add_scatter(
        x=recall, y=precision, mode="lines", name="Model", line={"color": FOUND, "width": 2.5},
        hovertemplate="Recall %{x:.0%}, precision %{y:.0%}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=[share, share], mode="lines", name=f"Chance ({share:.0%})",
        line={"color": NEUTRAL, "dash": "dot", "width": 1}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(plain_layout("Recall", "Precision"))
    figure.update_xaxes(range=[0, 1.01], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    return figure
