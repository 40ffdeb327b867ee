"""The two columns of every task's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def form_and_result() -> tuple[DeltaGenerator, DeltaGenerator]:
    """A narrow column for what is asked, and a wide one for what was found.

    On a tablet or a phone they stand under one another, see `static/page.css`.
    """
    with st.container(key="form-and-result"):
        left, right = st.columns([1, 3], gap="medium")
    return left, right
