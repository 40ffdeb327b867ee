"""The button that starts a run: a press counts until it is acted upon, also where the page is drawn anew meanwhile."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

LATE = 60.0
"""Seconds after which a press that was not acted upon is forgotten; a busy machine may need many for one page."""


@dataclass
class Press:
    """A press of a button that nothing was done about yet.

    Attributes
    ----------
    at
        When it was pressed, by the monotonic clock.
    """

    at: float = float("-inf")

    @property
    def counts(self) -> bool:
        """Whether there is a press to act upon."""
        return time.monotonic() - self.at < LATE

    def forget(self) -> None:
        """The press was acted upon, or refused."""
        self.at = float("-inf")


def button(words: str, subject: str, *, disabled: bool = False) -> bool:
    """Show the button of a form, and say whether it was pressed and nothing was done about that yet.

    The map tells where it is as soon as it is drawn, and the sidebar looks for runs by itself: either has the page
    drawn anew, and Streamlit then forgets a press that the page has not come to. What acts on the press forgets it
    (`held`), and what refuses it does so within `refusing`.

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
    return not disabled and held(words, subject).counts


def held(words: str, subject: str) -> Press:
    """The last press of a button. It can be forgotten where Streamlit draws no page anew, unlike what a session holds.

    Parameters
    ----------
    words, subject
        As given to `button`; the pages of two tasks may be about one dataset.
    """
    slot: Slot[Press | None] = Slot(f"pressed-{words}-{subject}", None)
    pressed = slot.get()
    if pressed is None:
        pressed = Press()
        slot.put(pressed)
    return pressed


@contextmanager
def refusing(words: str, subject: str) -> Iterator[None]:
    """Forget the press of a button when what it asks for is refused with an error."""
    pressed = held(words, subject)
    try:
        yield
    except Exception:  # but for Streamlit's own, with which it draws the page anew
        pressed.forget()
        raise


def _press(words: str, subject: str) -> None:
    held(words, subject).at = time.monotonic()
