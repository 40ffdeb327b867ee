"""Charts in which what is chosen of a run can be chosen as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from ui.task.selection import Name, Selection


def show_chart(
    figure: Figure, selection: Selection, name_of: Callable[[Mapping[str, Any]], Name | None], *, key: str
) -> None:
    """Show a chart in which a point can be chosen that stands for one thing.

    Parameters
    ----------
    figure
        With what is chosen marked in it already.
    selection
        Of the run that the chart is of.
    name_of
        Name of what a point stands for, as Streamlit tells of the point; None for one that stands for nothing.
    key
        Of the widget, one for each run and chart.
    """
    turn = f"{key}-turn"
    number = st.session_state.get(turn, 0)
    widget = f"{key}-{number}"

    def chosen() -> None:
        names = [name_of(point) for point in st.session_state[widget].selection.points]
        picked = next((name for name in names if name is not None), None)
        if picked is not None:
            selection.choose(picked, "chart")
        # A chart keeps the point that was clicked and makes all others pale: the mark in the figure says enough.
        st.session_state[turn] = number + 1

    st.plotly_chart(
        figure, key=widget, on_select=chosen, selection_mode="points", config={"displaylogo": False},
    )  # fmt: skip
