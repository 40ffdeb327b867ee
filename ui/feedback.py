"""What a page says when something is wrong, missing or under way."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import LandslideError, RunCancelled
from core.raster.progress import told_of_reading
from ui.messages import tr

_LOG = logging.getLogger("slidelens")

_OPTION = re.compile(r" ?\(--[a-z-]+,?(?: ([^()]*))?\)")
"""The option of a command, in brackets, that a remedy of core names."""

SOON = 1.0
"""Seconds after which a page says what it waits for."""


def show_error(error: LandslideError) -> None:
    """Show what is wrong, why it matters and what to do; the rest of the page stays usable."""
    if isinstance(error, RunCancelled):
        st.info(_plain(str(error)))
        return
    why = (_plain(line) for line in error.why.split("\n"))
    parts = [f"**{_plain(error.what)}**", *why, _plain(without_options(error.remedy))]
    st.error("  \n".join(part for part in parts if part))


def without_options(remedy: str) -> str:
    """A remedy for a page, which has fields where a command has options; values to choose from stay.

    Examples
    --------
    >>> without_options("Name it (--time)."), without_options("Name it (--unit mm, cm or m).")
    ('Name it.', 'Name it (mm, cm or m).')
    >>> without_options("Name the column or columns (--displacement, or --components NORTH,EAST).")
    'Name the column or columns.'
    """

    def told(option: re.Match[str]) -> str:
        values = option[1] or ""
        return f" ({values})" if values and values == values.lower() and not {"=", "-"} & set(values) else ""

    return _OPTION.sub(told, remedy)


def show_bug(error: Exception) -> str:
    """Log an unexpected error whole, show it as a bug, and return the id under which it is in the log."""
    number = secrets.token_hex(4)
    _LOG.error(tr("Bug %s"), number, exc_info=error)
    st.error(
        tr("**An unexpected error occurred.** The server's log has the details under `{number}` "
        "({name}). Your data and runs are kept: choose again or reload the page. Please report this "
        "number.").format(number=number, name=type(error).__name__)
    )
    return number


def report(error: Exception) -> bool:
    """Show any exception; True says to Streamlit that it was shown."""
    if isinstance(error, LandslideError):
        show_error(error)
    else:
        show_bug(error)
    return True


@contextmanager
def guard() -> Iterator[None]:
    """Show what goes wrong inside, and let what follows go on.

    Streamlit's own signals to stop and rerun are no `Exception` and pass through.
    """
    try:
        yield
    except Exception as error:
        report(error)


def empty(what: str, remedy: str, *, action: str | None = None, key: str | None = None) -> bool:
    """Say that there is nothing to see yet and what would change that.

    Parameters
    ----------
    what
        What is not there.
    remedy
        What the user can do.
    action
        Words of a button that does it; no button when None.
    key
        Key of the button.

    Returns
    -------
    bool
        Whether the button was pressed.
    """
    with st.container(border=True):
        st.markdown(f"**{_plain(what)}**  \n{_plain(remedy)}")
        return bool(action) and st.button(action or "", type="primary", key=key)


class Progress:
    """Progress of a job in the page, with the time that is left.

    Call it with the share that is done, 0 to 1, and with words for what is being done. It draws a few times a
    second at most, so that a job of many small steps is not slowed by telling.

    Parameters
    ----------
    words
        What is being done.
    """

    def __init__(self, words: str) -> None:
        self._words = words
        self._bar = st.progress(0.0, text=_plain(words))
        self._start = time.monotonic()
        self._drawn = 0.0

    def __call__(self, share: float, words: str = "") -> None:
        """Tell how far the job is."""
        now = time.monotonic()
        if words:
            self._words = words
        if share < 1.0 and now - self._drawn < 0.2:
            return
        self._drawn = now
        share = min(1.0, max(0.0, share))
        self._bar.progress(share, text=_plain(f"{self._words}{self._left(share, now)}"))

    def done(self) -> None:
        """Take the bar away."""
        self._bar.empty()

    def _left(self, share: float, now: float) -> str:
        elapsed = now - self._start
        if share < 0.02 or elapsed < 2.0:
            return ""
        return f" ({duration(elapsed * (1.0 - share) / share)} left)"


@contextmanager
def reading(words: str = "Reading the image") -> Iterator[None]:
    """Show how far a large file is read that is opened meanwhile; another press on the page ends it."""
    began = time.monotonic()
    bars: list[Progress] = []

    def tell(done: int, total: int) -> None:
        if not bars and time.monotonic() - began > SOON:
            bars.append(Progress(words))
        for bar in bars:
            bar(done / total)

    try:
        with told_of_reading(tell):
            yield
    finally:
        for bar in bars:
            bar.done()


def duration(seconds: float) -> str:
    """Write a time as a person would say it.

    Examples
    --------
    >>> duration(42)
    '42 s'
    >>> duration(140)
    '2 min 20 s'
    """
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|~$:"})


def _plain(text: str) -> str:
    """Text that Streamlit's Markdown shows as it is: file names and messages may hold anything."""
    return " ".join(text.translate(_MARKDOWN).split())


def plain(text: str) -> str:
    """Escape text from a file or a user for Streamlit's Markdown."""
    return _plain(text)
