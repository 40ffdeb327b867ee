"""The run that the page's address names: found, led to where it is seen, or shown without its image."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from ui import resources
from ui.feedback import guard, plain
from ui.messages import tr
from ui.state import Slot
from ui.task import input_picker, run
from ui.task.links import place
from ui.task.task import script_of, view_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.runs.records import Run, SceneRecord
    from ui.task.press import Press
    from ui.task.task import TaskPage

LATE = 10.0
"""Seconds after which a request by a page's old address is no late one any more."""



@dataclass
class _Started:
    """The run that this visitor started last.

    Attributes
    ----------
    subject
        Id of the dataset that it is about.
    address
        Its address; empty until it was started, and once it was opened.
    at
        When it was started, by the monotonic clock.
    """

    subject: str
    address: dict[str, str] = field(default_factory=dict)
    at: float = 0.0


_STARTED: Slot[_Started | None] = Slot("just-started", None)


def asked(task: TaskPage) -> Run | None:
    """The run of the page's address; one that is seen elsewhere is opened there.

    Raises
    ------
    InputError
        When the run is unknown.
    """
    identity = st.query_params.get("run")
    if not identity:
        return None
    found = resources.store().run(identity)
    page, address = place(found)
    if page != task.name:
        st.switch_page(script_of(page), query_params=address)
    if address["run"] != found.id:
        lasting = {*view_keys(), "scene"}  # what an address keeps when it leads on to another run of the same result
        kept = {name: value for name, value in st.query_params.items() if name in lasting}
        input_picker.show(**{**kept, **address})
    return found


def start(subject: str, submit: Callable[[], str], pressed: Press | None = None, **address: str) -> None:
    """Start a run and open it.

    Streamlit may draw the page anew whenever a page writes to it or to its session. Between the start of the run and
    the note of it there is no such point: a press starts one run, which is opened.

    Parameters
    ----------
    subject
        Id of the dataset that it is about, as the page shows it.
    submit
        Starts it and returns its id.
    pressed
        The press that asked for it.
    address
        The page's new address, but for the run.

    Raises
    ------
    LandslideError
        When the run is refused; the press is then forgotten.
    """
    started = _Started(subject)
    _STARTED.put(started)
    try:
        started.address = {**address, "run": submit()}
    except Exception:  # but for Streamlit's own, with which it draws the page anew
        if pressed is not None:
            pressed.forget()
        raise
    started.at = time.monotonic()
    if pressed is not None:
        pressed.forget()
    input_picker.show(**started.address)


def go_on(subject: str) -> None:
    """Open the run that was just started where a late request has led back to the dataset that it is about.

    A map says where it is as soon as it is drawn, and the sidebar looks for runs by itself. Whoever presses the button
    at such a moment has a browser that asks for the page by its old address after the run was opened: the button would
    seem to have done nothing.
    """
    started = _STARTED.get()
    if started is None or started.subject != subject or not started.address:
        return
    address, started.address = started.address, {}  # once: whoever goes back after that means it
    if time.monotonic() - started.at < LATE:
        input_picker.show(**address)


def scene(found: Run | None) -> SceneRecord | None:
    """The scene of the page; None where there is none yet, or that of the run can no longer be opened.

    Raises
    ------
    LandslideError
        When the address names no run but a scene that cannot be opened.
    """
    try:
        return input_picker.current(found)
    except LandslideError:
        if found is None:
            raise
        return None  # `show_without_image` says why, where the run would be


def show_without_image(found: Run, task: TaskPage) -> None:
    """A run whose image is gone: say so, and lead to where it can be read without."""
    st.subheader(plain(found.title), anchor=False)
    with guard():
        input_picker.current(found)  # says what is wrong with it
    st.warning(tr("**The image of this {noun} cannot be shown.** The results are kept.").format(noun=tr(task.noun)))
    if run.show_state(found, task):
        st.markdown(
            tr("The reading view shows the {noun}, the landslides and the scores without the image.").format(
                noun=tr(task.noun)
            )
        )
        st.page_link("../pages/read.py", label=tr("Open reading view"), query_params={"run": found.id})
