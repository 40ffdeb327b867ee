"""The tabs below the map, in the order that every task page keeps."""

from __future__ import annotations

import streamlit as st

from ui.feedback import guard
from ui.mapping import compare, export, findings, provenance, scores, why
from ui.mapping.view import NEXT_TAB, View

TABS = {
    "Findings": findings.show,
    "Scores": scores.show,
    "Why": why.show,
    "Compare": compare.show,
    "Export": export.show,
    "Provenance": provenance.show,
}

OPEN = "mapping-tab"
"""Key of the tabs, with the title of the open one."""


def show_tabs(view: View) -> None:
    """Show the open tab; the others are not computed until they are opened."""
    wanted = "Why" if why.led_here() else NEXT_TAB.get()
    if wanted:
        st.session_state[OPEN] = wanted
        NEXT_TAB.clear()
    tabs = st.tabs(list(TABS), key=OPEN, on_change="rerun")
    for tab, show in zip(tabs, TABS.values(), strict=True):
        with tab:
            if tab.open:
                with guard():
                    show(view)
