"""The button that starts a run: a press counts until it is acted upon, also where the page is drawn anew meanwhile."""

from __future__ import annotations

import time

import streamlit as st

from ui.state import Slot

LATE = 10.0
"""Seconds after which a press that was not acted upon is forgotten."""


def button(words: str, subject: str, *, disabled: bool = False) -> bool:
    """Show the button of a form, and say whether it was pressed and nothing was done about that yet.

    The map tells where it is as soon as it is drawn, and the sidebar looks for runs by itself: either has the page
    drawn anew, and Streamlit then forgets a press that the page has not come to. What the press calls is called first.

    Parameters
    ----------
    subject
        Id of the dataset that the run is to be about.
    """
    slot = _pressed(subject)
    st.form_submit_button(words, type="primary", width="stretch", disabled=disabled, on_click=_press, args=(subject,))
    return not disabled and time.monotonic() - slot.get() < LATE


def done(subject: str) -> None:
    """The press is being acted upon, or is refused."""
    _pressed(subject).clear()


def _press(subject: str) -> None:
    _pressed(subject).put(time.monotonic())


def _pressed(subject: str) -> Slot[float]:
    return Slot(f"pressed-{subject}", float("-inf"))
