"""Selecting the neighbour of what is selected in a review, so that both can be merged."""

from __future__ import annotations

import streamlit as st

from ui.messages import tr
from ui.task.editing import Edited, ticked_key


def offer_nearest(at: Edited) -> None:
    """A button that selects the nearest outline too, which may be far from it in the table; nothing without one."""
    from core.review import actions

    (name,) = at.ticked if len(at.ticked) == 1 else ("",)
    one = at.review.features.get(name)
    beside = actions.nearest(at.review, name) if one is not None and one.is_polygon else ""
    if not beside:
        return

    def select() -> None:
        st.session_state[ticked_key(at.run)] = [name, beside]
        at.selection.choose(name, "chart")

    st.button(
        tr("Select the nearest as well: {name}").format(name=beside), on_click=select, key=f"nearest-{at.run}",
        help=tr("Then press Merge to combine both into one."),
    )  # fmt: skip
