"""What was computed last and what is being computed, in a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.runs.kinds import tasks
from core.runs.records import ENDED, RunFilter
from ui import labels, resources
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task import jobs
from ui.task.links import place
from ui.task.task import script_of

if TYPE_CHECKING:
    from core.runs.records import Run

SHOWN = 5
"""Runs that are listed of either sort."""

LOOK_EVERY = 2.0
"""Seconds between two looks while a run is under way."""


@dataclass(frozen=True)
class _Found:
    """Runs under way, the oldest first, and those that ended, the newest first."""

    active: list[Run]
    ended: list[Run]


def show() -> None:
    """List runs, each with a link that opens it; nothing where there are none.

    Drawn anew by itself while a run is under way, or the store is not at hand yet: the first page does not wait for it.
    """
    awake, found = resources.awake(), []
    if awake:
        with guard():
            found.append(_look())
    moving = not awake or any(one.active for one in found)
    st.fragment(_show, run_every=LOOK_EVERY if moving else None)(moving, found)


def _look() -> _Found:
    kinds = tuple(kind.name for task in tasks().values() for kind in task.kinds if kind.primary)
    store = resources.store()
    return _Found(store.active(), store.runs(RunFilter(kinds=kinds, statuses=ENDED, limit=SHOWN)))


def _show(moving: bool, found: list[_Found]) -> None:
    """Show what was just found, and look again whenever the list is drawn anew."""
    if not resources.awake():
        return
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        now = found.pop() if found else _look()
        if now.active:
            st.subheader(tr("Running"), anchor=False)
            for run in now.active[:SHOWN]:
                _row(run)
                st.progress(run.progress.share, text=plain(jobs.words(run)))
            if len(now.active) > SHOWN:
                st.caption(tr("and {count} more").format(count=len(now.active) - SHOWN))
        if now.ended:
            st.subheader(tr("Recent runs"), anchor=False)
            for run in now.ended:
                _row(run)
            st.page_link("../pages/runs.py", label=tr("View all runs"))
        if moving and not now.active:
            st.rerun()  # nothing moves any more, so nobody needs to look


def _row(run: Run) -> None:
    """A run in a line: a link that opens it, its task, scene, model, state and time."""
    page, address = place(run)
    named, told = st.columns([2, 3], gap="small", vertical_alignment="center")
    with named:
        st.page_link(script_of(page), label=f"{plain(_short(run.title))}{labels.part(run)}", query_params=address)
    task = labels.tasks().get(run.task, run.task)
    kind = "" if run.status in ENDED else labels.kind(run)
    scene = run.subject.name if run.subject.name != run.title else ""
    when = labels.moment(run.finished or run.created)
    parts = [task, kind, _short(scene), labels.model(run), labels.status(run), when]
    with told:
        st.caption(plain(" · ".join(part for part in parts if part)))


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
