"""The button that starts a run: a press counts until it is acted upon, also where the page is drawn anew meanwhile."""

from __future__ import annotations

import time

import streamlit as st

from ui.messages import tr
from ui.state import Slot

LATE = 10.0
"""Seconds after which a press that was not acted upon is forgotten."""


def button(words: str, subject: str, *, disabled: bool = False) -> bool:
    """Show the button of a form, and say whether it was pressed and nothing was done about that yet.

    The map tells where it is as soon as it is drawn, and the sidebar looks for runs by itself: either has the page
    drawn anew, and Streamlit then forgets a press that the page has not come to. What the press calls is called first.

    Parameters
    ----------
    words
        What stands on it.
    subject
        Id of the dataset that the run is to be about.
    """
    st.form_submit_button(
        tr(words), type="primary", width="stretch", disabled=disabled, on_click=_press, args=(words, subject)
    )
    return not disabled and time.monotonic() - _pressed(words, subject).get() < LATE


def done(words: str, subject: str) -> None:
    """The press of a button is being acted upon, or is refused."""
    _pressed(words, subject).clear()


def _press(words: str, subject: str) -> None:
    _pressed(words, subject).put(time.monotonic())


def _pressed(words: str, subject: str) -> Slot[float]:
    """When it was pressed: of each button, as the pages of two tasks may be about one dataset."""
    return Slot(f"pressed-{words}-{subject}", float("-inf"))
