"""Layers on a map that only mapping has."""

from __future__ import annotations

from core.plots.colours import difference_legend
from ui.map_layers import Tiles, run_tiles
from ui.messages import tr_noop


def change_tiles(
    run_id: str,
    name: str = tr_noop("Change in probability"),
    *,
    title: str = "Change in probability",
    opacity: float,
    visible: bool = True,
    ends: tuple[str, str] = (tr_noop("−1: only before"), tr_noop("+1: only after")),
) -> Tiles:
    """By how much the probability of one map is higher or lower than that of another.

    Parameters
    ----------
    run_id
        Id of the run that holds the difference.
    name
        Words in the list of layers.
    title
        Words above the legend.
    opacity, visible
        How it is shown at first.
    ends
        Words at the lower and the upper end of the legend.
    """
    from core.tasks.mapping.result import CHANGE

    legend = difference_legend(title, *ends)
    # An explanation has the same colours.
    hides = ("cam", "attribution")
    return run_tiles(run_id, CHANGE, name=name, opacity=opacity, visible=visible, key=legend, hides=hides)
