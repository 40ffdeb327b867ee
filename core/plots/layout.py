"""What every figure of the browser has in common."""

from __future__ import annotations

from typing import Any

NEUTRAL = "rgb(128, 128, 128)"
"""Grey of lines that help to read, with enough contrast on a white and on a dark page."""

GRID = "rgba(128, 128, 128, 0.25)"
"""Grey that is seen on a white and on a dark page."""


def plain_layout(x_title: str, y_title: str) -> dict[str, Any]:
    """Layout that suits a light and a dark page: transparent, and with the page's own text colour.

    Parameters
    ----------
    x_title, y_title
        What the axes show, with units.
    """
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True}
    return {
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "margin": {"l": 10, "r": 10, "t": 36, "b": 10},
        "height": 380,
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0},
        "hovermode": "closest",
        "xaxis": {**axis, "title": {"text": x_title}},
        "yaxis": {**axis, "title": {"text": y_title}},
    }
