"""Charts of contributions of factors: over many rows, against the value of a factor, and of one row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from core.plots.colours import CATEGORIES, FACTOR_RAMP, REFERENCE, ramp
from core.plots.layout import NEUTRAL, plain_layout
from core.wording import count, factor_words, signed_hundredths

if TYPE_CHECKING:
    import pandas as pd

    from core.explain.tabular import Contributions

RAISED, LOWERED = "#B2182B", "#2166AC"
"""Colours of contributions that raise and lower what a model says: the ends of the diverging ramp."""

MOST_POINTS = 1_000
"""Rows of a chart of single rows."""

MOST_FACTORS = 15

Doubles = NDArray[np.float64]


def unit_of(contributions: Contributions) -> str:
    """Unit of the contributions, for an axis."""
    return {"log-odds": "log-odds", "probability": "index", "mm": "mm"}[contributions.scale]


def importance_figure(contributions: Contributions) -> go.Figure:
    """Mean absolute contribution of each factor, the largest on top.

    Returns
    -------
    plotly.graph_objects.Figure
        Transparent, with no text colour of its own, for light and dark pages.
    """
    ordered = contributions.importance()[:MOST_FACTORS][::-1]
    figure = go.Figure(go.Bar(
        x=[value for _, value in ordered], y=[factor_words(name) for name, _ in ordered], orientation="h",
        marker={"color": REFERENCE}, hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    ))  # fmt: skip
    layout = plain_layout(f"Mean absolute contribution ({unit_of(contributions)})", "")
    layout["height"] = 120 + 26 * len(ordered)
    figure.update_layout(layout)
    return figure


def beeswarm_figure(contributions: Contributions, rows: pd.DataFrame, seed: int = 0) -> go.Figure:
    """Every row as a dot at its contribution, coloured by the value of the factor from low to high.

    Parameters
    ----------
    rows
        Factors of the rows.
    """
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(rows))[:MOST_POINTS])
    ordered = [name for name, _ in contributions.importance()[:MOST_FACTORS]][::-1]
    colours = _hex(ramp(FACTOR_RAMP, 64))
    figure = go.Figure()
    for place, name in enumerate(ordered):
        at = contributions.factors.index(name)
        effect, values = contributions.values[kept, at], rows[name].to_numpy()[kept]
        shade, texts = _shades(values)
        colour = [NEUTRAL if one != one else colours[int(one * 63)] for one in shade]
        figure.add_scattergl(
            x=effect, y=place + _swarm(effect, rng), mode="markers", showlegend=False,
            marker={"color": colour, "size": 5, "opacity": 0.8}, customdata=texts,
            hovertemplate=f"{factor_words(name)} %{{customdata}}: %{{x:+.3f}}<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[None], y=[None], mode="markers", showlegend=False, hoverinfo="skip",
        marker={"color": [0], "cmin": 0, "cmax": 1, "colorscale": "Viridis", "showscale": True,
                "colorbar": {"title": {"text": "Factor"}, "tickvals": [0, 1], "ticktext": ["low", "high"],
                             "thickness": 10, "len": 0.6}},
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": NEUTRAL, "width": 1})
    layout = plain_layout(f"Contribution ({unit_of(contributions)}): negative lowers the result, positive raises it",
                          "")
    layout["height"] = 140 + 34 * len(ordered)
    layout["yaxis"] |= {"tickvals": list(range(len(ordered))), "ticktext": [factor_words(one) for one in ordered]}
    figure.update_layout(layout)
    return figure


def dependence_figure(contributions: Contributions, rows: pd.DataFrame, factor: str, partner: str) -> go.Figure:
    """Contribution of a factor against its value, coloured by another factor that it goes with.

    Parameters
    ----------
    rows
        Factors of the rows.
    factor, partner
        The factor, and the one that colours; see `core.explain.tabular.partner`.
    """
    kept = np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST_POINTS])
    effect = contributions.values[kept, contributions.factors.index(factor)]
    values, other = rows[factor].to_numpy()[kept], rows[partner].to_numpy()[kept]
    hover = f"{factor_words(factor)} %{{x}}: %{{y:+.3f}}<br>{factor_words(partner)} %{{customdata}}<extra></extra>"
    figure = go.Figure()
    if other.dtype.kind in "fiub":
        figure.add_scattergl(
            x=values, y=effect, mode="markers", customdata=[_text(one) for one in other], showlegend=False,
            marker={"color": other.astype(float), "colorscale": "Viridis", "size": 6, "opacity": 0.8,
                    "colorbar": {"title": {"text": factor_words(partner)}, "thickness": 10}},
            hovertemplate=hover,
        )  # fmt: skip
    else:
        for number, one in enumerate(sorted(set(other.astype(str)))):
            where = other.astype(str) == one
            figure.add_scattergl(
                x=values[where], y=effect[where], mode="markers", name=f"{factor_words(partner)} {one}",
                customdata=[one] * int(where.sum()), hovertemplate=hover,
                marker={"color": CATEGORIES[number % len(CATEGORIES)], "size": 6, "opacity": 0.8},
            )  # fmt: skip
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1})
    figure.update_layout(plain_layout(factor_words(factor), f"Contribution ({unit_of(contributions)})"))
    return figure


def waterfall_figure(contributions: Contributions, values: dict[str, Any], row: int = 0) -> go.Figure:
    """From what a model says without knowing anything to what it says of one row, factor by factor.

    Parameters
    ----------
    values
        Factors of the row.
    """
    effects = contributions.values[row]
    order = np.argsort(np.abs(effects), kind="stable")
    shown, rest = order[-MOST_FACTORS:], order[:-MOST_FACTORS]
    names = [f"{factor_words(contributions.factors[at])} = {_text(values[contributions.factors[at]])}" for at in shown]
    steps = [float(effects[at]) for at in shown]
    if len(rest):
        names, steps = [count(len(rest), "other"), *names], [float(effects[rest].sum()), *steps]
    figure = go.Figure(go.Waterfall(
        orientation="h", base=0, y=["average of the cells compared with", *names, "this cell"],
        x=[contributions.base, *steps, 0], measure=["absolute", *["relative"] * len(steps), "total"],
        increasing={"marker": {"color": RAISED}}, decreasing={"marker": {"color": LOWERED}},
        totals={"marker": {"color": NEUTRAL}}, connector={"line": {"color": NEUTRAL, "width": 1}},
        text=[signed_hundredths(one) for one in (contributions.base, *steps, contributions.output[row])],
        textposition="outside", hovertemplate="%{y}: %{text}<extra></extra>",
    ))  # fmt: skip
    layout = plain_layout(unit_of(contributions), "")
    layout["height"] = 160 + 28 * len(names)
    figure.update_layout(layout)
    return figure


def table_deletion_figure(guided: Doubles, random: Doubles) -> go.Figure:
    """How much what a model says changes as factors are replaced: those that contribute most first, or any."""
    figure = go.Figure()
    steps = np.arange(len(guided))
    for name, curve, colour, dash in (
        ("Largest contribution first", guided, RAISED, "solid"), ("Random order", random, NEUTRAL, "dot"),
    ):  # fmt: skip
        figure.add_scatter(x=steps, y=curve, mode="lines+markers", name=name, line={"color": colour, "dash": dash})
    layout = plain_layout("Number of factors replaced by those of another cell", "Mean change of the model output")
    layout["height"] = 300
    figure.update_layout(layout)
    return figure


def _shades(values: NDArray[Any]) -> tuple[Doubles, list[str]]:
    """Ranks from 0 to 1 of quantities, NaN for classes, and each as text."""
    texts = [_text(one) for one in values]
    if values.dtype.kind not in "fiub":
        return np.full(len(values), np.nan), texts
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return order / max(len(values) - 1, 1), texts


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def _swarm(effect: Doubles, rng: np.random.Generator) -> Doubles:
    """Offsets that keep dots apart where many are alike: as wide as there are many."""
    counts, edges = np.histogram(effect, bins=40)
    dense = counts[np.clip(np.digitize(effect, edges) - 1, 0, len(counts) - 1)] / max(counts.max(), 1)
    return np.asarray((rng.random(len(effect)) - 0.5) * 0.75 * dense)


def _hex(colours: NDArray[np.uint8]) -> list[str]:
    return ["#{:02X}{:02X}{:02X}".format(*(int(part) for part in one)) for one in colours]
