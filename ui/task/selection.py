"""The one landslide that is chosen: by a click on the map or a row of the table, whichever came last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.state import rerun_fragment

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from ui.maps import MapEvent, Point

Extent = tuple[float, float, float, float]


@dataclass(frozen=True)
class Selection:
    """What is chosen of a run, by its id; it lives in the visitor's session.

    Parameters
    ----------
    run
        Id of the run.
    """

    run: str

    @property
    def key(self) -> str:
        """Where the id is kept."""
        return f"selected-{self.run}"

    @property
    def current(self) -> str | None:
        """Id of what is chosen; None for nothing."""
        return st.session_state.get(self.key)

    @property
    def place(self) -> Point | None:
        """Where the map was clicked last."""
        return st.session_state.get(f"last-click-{self.run}")

    @property
    def by_table(self) -> bool:
        """Whether a row of the table was chosen last, so that the map should move there."""
        return bool(st.session_state.get(f"from-table-{self.run}"))

    def forget_other(self, choice: object) -> None:
        """Drop what is chosen when the sliders move."""
        key = f"choice-{self.run}"
        if st.session_state.get(key, choice) != choice:
            st.session_state.pop(self.key, None)
        st.session_state[key] = choice

    def follow_map(self, event: MapEvent) -> None:
        """Let a new click on the map choose; an old click must not undo a choice in the table."""
        if event.clicked is not None and event.clicked != self.place:
            st.session_state[f"last-click-{self.run}"] = event.clicked
            st.session_state[self.key] = event.selected
            st.session_state[f"from-table-{self.run}"] = False
            rerun_fragment()

    def follow_table(self, picked: str | None) -> None:
        """Let a newly chosen row choose.

        Parameters
        ----------
        picked
            Id in the row that is chosen in the table; None for no row.
        """
        last = f"last-row-{self.run}"
        if picked == st.session_state.get(last):
            return
        st.session_state[last] = picked
        st.session_state[f"from-table-{self.run}"] = picked is not None
        if picked is not None:
            st.session_state[self.key] = picked
            rerun_fragment()

    def focus(self, shapes: GeoDataFrame | None) -> Extent | None:
        """Extent to move to when a row was chosen in the table; a click on the map is already there.

        Parameters
        ----------
        shapes
            What can be chosen, with a column ``id``.
        """
        if shapes is None or self.current is None or not self.by_table:
            return None
        chosen = shapes[shapes["id"] == self.current]
        if chosen.empty:
            return None
        left, bottom, right, top = (float(value) for value in chosen.total_bounds)
        margin = max(right - left, top - bottom)
        return left - margin, bottom - margin, right + margin, top + margin
