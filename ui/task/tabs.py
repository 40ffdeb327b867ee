"""The tabs below the map: in the order that every task page keeps, and computed only when they are open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import streamlit as st

from ui.feedback import guard
from ui.messages import tr, tr_noop
from ui.state import Slot

V = TypeVar("V")

TITLES = (
    tr_noop("Findings"), tr_noop("Review"), tr_noop("Scores"), tr_noop("Why"), tr_noop("Compare"), tr_noop("Factors"),
    tr_noop("Other area"), tr_noop("Movement"), tr_noop("Fastest points"), tr_noop("Warning"), tr_noop("Scenario"),
    tr_noop("Export"), tr_noop("Provenance"),
)  # fmt: skip
"""Titles of the tabs of all tasks; `show_tabs` shows their translations."""

ADDRESS = "tab"
"""Query parameter with the title of the open tab, in English; the first tab needs none."""


def next_tab(task: str) -> Slot[str]:
    """Title of the tab to be open when the tabs of a task are shown next, where another page part says so."""
    return Slot(f"{task}-next-tab", "")


def open_tab(task: str) -> str:
    """Title of the tab of a task that is open or about to be, in English; empty when its tabs are not shown."""
    if next_tab(task).get():
        return next_tab(task).get()
    shown = str(st.session_state.get(f"{task}-tab") or "")
    return _titles(task).get().get(shown, shown if shown in TITLES else "")


def _titles(task: str) -> Slot[Mapping[str, str]]:
    """Titles of the tabs of a task by the words that are shown."""
    return Slot(f"{task}-tab-titles", {})


def show_tabs(task: str, parts: Mapping[str, Callable[[V], None]], view: V, wanted: str = "") -> None:
    """Show the open tab; the others are not computed until they are opened.

    Parameters
    ----------
    task
        Name of the task.
    parts
        What each tab shows, by its title.
    view
        What they are given.
    wanted
        Title of the tab that the address leads to; empty when it leads to none.
    """
    key, following = f"{task}-tab", next_tab(task)
    shown = {tr(title): title for title in parts}
    wanted = following.get() or wanted
    following.clear()
    if wanted not in parts and st.session_state.get(key) not in (None, *shown):
        wanted = open_tab(task)  # the language has changed
        st.session_state.pop(key)
    if wanted in parts:
        st.session_state[key] = tr(wanted)
    _titles(task).put(shown)
    tabs = st.tabs(list(shown), key=key, on_change="rerun")
    opened = next((title for tab, title in zip(tabs, parts, strict=True) if tab.open), "")
    if opened in ("", next(iter(parts))):
        st.query_params.pop(ADDRESS, None)
    elif st.query_params.get(ADDRESS) != opened:
        st.query_params[ADDRESS] = opened
    for tab, show in zip(tabs, parts.values(), strict=True):
        with tab:
            if tab.open:
                with guard():
                    show(view)
