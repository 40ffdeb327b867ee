"""The selected rows of a review's table in the page's address, so that a reload keeps them."""

from __future__ import annotations

import streamlit as st

from ui.task.editing import Edited, ticked_key

ALSO = "also"
"""Query parameter that names the other selected rows of the review's table, so that a reload keeps them."""

MOST_ALSO = 50
"""Other rows that an address names; of more than these none, as an address can be too long."""


def follow_address(at: Edited) -> None:
    """Select the rows that an address names, where nothing was selected in the table yet, as after a reload."""
    named = st.query_params.get(ALSO, "").split(",")[:MOST_ALSO]
    current = at.selection.current
    if ticked_key(at.run) not in st.session_state and current in at.review.features:
        others = dict.fromkeys(name for name in named if name in at.review.features and name != current)
        st.session_state[ticked_key(at.run)] = [*others, current]


def name_rows(at: Edited | None) -> None:
    """Let the address name the selected rows beside the last; none where the review is not open."""
    rows = at.ticked if at is not None and len(at.ticked) > 1 and at.selection.current in at.ticked else []
    others = [] if at is None else [name for name in rows if name != at.selection.current]
    if not 0 < len(others) <= MOST_ALSO:
        st.query_params.pop(ALSO, None)
    elif st.query_params.get(ALSO) != ",".join(others):
        st.query_params[ALSO] = ",".join(others)
