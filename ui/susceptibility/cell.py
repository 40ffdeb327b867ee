"""What is known of the cell that was clicked on a susceptibility map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import plain
from ui.messages import tr
from ui.task.inspector import show_coordinates
from ui.task.selection import Selection, tell

if TYPE_CHECKING:
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.map_findings import CellReading
    from core.tasks.susceptibility.map_result import SusceptibilityMap


def show(
    result: SusceptibilityMap, selection: Selection, cell: tuple[int, int] | None, classes: Classed | None
) -> None:
    """Say what is known of the cell that was clicked."""
    from core.tasks.susceptibility.map_findings import read_cell

    tell(selection, "cell", None)
    if cell is None:
        beside = tr("That location is outside the map. ") if selection.place else ""
        st.caption(tr("{beside}Click the map to read the factors and model results of a cell.").format(beside=beside))
        return
    reading = read_cell(result, *cell)
    st.markdown(_told(result, reading, classes))
    show_coordinates(reading.x, reading.y, result.grid, "cell")


def _told(result: SusceptibilityMap, reading: CellReading, classes: Classed | None) -> str:
    from core.tasks.susceptibility.map_findings import value_words
    from core.tasks.susceptibility.models import title_of
    from core.wording import factor_words

    parts = []
    for model, value in reading.index.items():
        words = "no index" if value is None else f"{value:.2f}"
        if value is not None and classes is not None and model == classes.model:
            words += f" ({classes.name_of(value).lower()})"
        parts.append(f"**{title_of(model)} {words}**")
        if value is not None and result.prevalence is not None:
            parts.append(f"probability {100 * float(result.probability(value)):.2f} %")
    if reading.unlike is not None and result.limit is not None and reading.unlike > result.limit:
        parts.append("**unlike all training cells**")
    if reading.uncertainty is not None:
        parts.append(f"standard deviation over the folds {reading.uncertainty:.2f}")
    known = {name: value_words(result, name, value) for name, value in reading.values.items()}
    values = [f"{plain(factor_words(name))} {plain(words)}" for name, words in known.items()]
    return " · ".join([*parts, *values])
