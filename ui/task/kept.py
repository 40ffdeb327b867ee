"""Where a visitor was on each page: the way back leads to the same data, run and view.

It is kept in the visitor's session, so that each tab of a browser has its own. What stands in an address always wins:
only the sidebar's links lead to what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from ui import resources
from ui.state import Slot
from ui.task import tried
from ui.task.selection import ARRIVALS
from ui.task.tabs import ADDRESS as TAB
from ui.task.tabs import TITLES, next_tab, open_tab
from ui.task.task import task_pages, view_keys

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

_OPEN: Slot[str] = Slot("open-page", "")
"""Name of the page that is open."""

_SHOWN: Slot[tuple[str, str]] = Slot("open-run", ("", ""))
"""Name of the page that is open, and the run and the explanation that it shows."""

_ADDRESSES: Slot[Mapping[str, Mapping[str, str]]] = Slot("kept-addresses", {})
"""Query parameters of each page as it was left, by the page's name."""

_TABS: Slot[Mapping[str, str]] = Slot("kept-tabs", {})
"""Titles of the tabs that were open, by the page's name."""

PASSING = ("sample", "source")
"""Query parameters that say what to do once, not what is seen."""


def begin(page: str) -> None:
    """A page is being drawn.

    Where it was left for another one, its open tab is opened again, unless the address leads to another one. Where
    another run is shown than a moment ago, as by Back, the view is that of the address, and not what sliders still hold
    of the other run.
    """
    run, why, tab = (st.query_params.get(name, "") for name in ("run", "why", TAB))
    if page != _OPEN.get() and page in _TABS.get() and why == address(page).get("why", ""):
        next_tab(page).put(_TABS.get()[page])
    shown = f"{page}?{run}"
    if (shown, why) != _SHOWN.get():
        ARRIVALS.put(ARRIVALS.get() + 1)
        if tab in TITLES:
            next_tab(page).put(tab)
    if shown != _SHOWN.get()[0]:
        for name in view_keys():
            st.session_state.pop(name, None)
    _OPEN.put(page)
    _SHOWN.put((shown, why))


def remember() -> None:
    """Keep the address of the open page; at the end of a page, and of a part of it that changes the address.

    What was tried on a run that a task's page shows is kept as well, see `ui.task.tried`.
    """
    page = _OPEN.get()
    shown = {name: value for name, value in st.query_params.items() if name not in PASSING}
    _ADDRESSES.put({**_ADDRESSES.get(), page: shown})
    tab = open_tab(page)
    if tab:
        _TABS.put({**_TABS.get(), page: tab})
    if page in task_pages() and "run" in shown:
        tried.note(shown["run"], tab)


def address(page: str) -> dict[str, str]:
    """Query parameters with which a page was left."""
    return dict(_ADDRESSES.get().get(page, {}))


def is_gone(page: str) -> bool:
    """Whether the run that a page was left with was deleted since."""
    run = address(page).get("run", "")
    if not run:
        return False
    try:
        resources.store().run(run)
    except LandslideError:
        return True
    return False


def links(pages: Sequence[Page], opened: Page) -> None:
    """Links to pages as they were left; the script ``static/page.js`` finds them by their keys.

    The page that is open is no link: Streamlit would draw it without its address, and leave that in the browser.
    """
    with st.container(key="pages", gap="small"):
        for page in pages:
            gone = is_gone(page.url_path)
            with st.container(key=f"{'gone' if gone else 'page'}-{page.url_path or 'first'}"):
                here = page is opened
                to = {} if here or gone else address(page.url_path)
                st.page_link(page, label=page.title, query_params=to, disabled=here)


def data(page: str, names: tuple[str, ...]) -> dict[str, str]:
    """Those of some query parameters that a page was left with."""
    kept = address(page)
    return {name: kept[name] for name in names if name in kept}
