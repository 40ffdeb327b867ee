"""What a visitor tried on each run in this session: sliders that were moved and tabs that were opened.

The store knows nothing of either, as they change no run; the guide ticks the steps of its tours by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from ui.state import Slot
from ui.task.task import view_keys


@dataclass(frozen=True)
class Tried:
    """What was tried on a run.

    Attributes
    ----------
    first
        Value with which each control of the view was seen first, by its key.
    moved
        Keys of the controls that were seen with another value since.
    tabs
        Titles of the tabs that were opened, in English.
    """

    first: Mapping[str, Any] = field(default_factory=dict)
    moved: frozenset[str] = frozenset()
    tabs: frozenset[str] = frozenset()


_TRIED: Slot[Mapping[str, Tried]] = Slot("tried-on-runs", {})
"""By the run's id."""


def note(run: str, tab: str) -> None:
    """Note how a run is seen now: with which values of the controls of its view, and in which tab."""
    before = tried_on(run)
    seen = {key: st.session_state[key] for key in view_keys() if key in st.session_state}
    moved = {key for key, value in seen.items() if before.first.get(key, value) != value}
    now = Tried({**seen, **before.first}, before.moved | moved, before.tabs | ({tab} if tab else frozenset()))
    if now != before:
        _TRIED.put({**_TRIED.get(), run: now})


def tried_on(run: str) -> Tried:
    """What was tried on a run so far."""
    return _TRIED.get().get(run, Tried())
