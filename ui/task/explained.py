"""Explanations of a run: the one that the page's address names as ``?why=``, and all that were asked for so far.

The one that is shown has its layer on the map and its pictures below it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from core.runs.kinds import is_explanation
from ui import resources
from ui.feedback import guard
from ui.messages import tr
from ui.state import Slot, rerun_fragment

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.runs.result import RunResult

LISTED = 12
"""Explanations that are listed; the others stand among the runs."""


def _led_to(task: str) -> Slot[str]:
    """Explanation to which an address led last."""
    return Slot(f"{task}-why-led-to", "")


def shown(result: RunResult) -> Run | None:
    """The explanation that the address names, where it is one of this run and there to be seen; else None."""
    identity = st.query_params.get("why")
    if not identity:
        return None
    try:
        run = resources.store().run(identity)
    except InputError:
        return None
    belongs = is_explanation(run) and result.id in run.parents
    return run if belongs and run.status == "done" else None


def led_here(task: str) -> bool:
    """Whether the address has just led to an explanation, so that its tab should be open; true once for each."""
    identity = st.query_params.get("why", "")
    new = bool(identity) and identity != _led_to(task).get()
    _led_to(task).put(identity)
    return new


def open_explanation(task: str, identity: str) -> None:
    """Show an explanation."""
    st.query_params["why"] = identity
    _led_to(task).put(identity)
    rerun_fragment()


def finished(result: RunResult) -> list[Run]:
    """Finished explanations of the run, the newest first."""
    from core.report.make import explanations_of

    return explanations_of(resources.store(), resources.store().run(result.id))[::-1]


def show_explained(
    task: str, result: RunResult, noun: str, show: Callable[[Run], None], about: Callable[[Run], str]
) -> None:
    """Show the explanation that the address names, and list all of the run.

    Parameters
    ----------
    task
        Name of the task.
    noun
        What the run is, in a word.
    show
        Shows an explanation, below a heading that says of what it is: something else may be selected by now.
    about
        Says what an explanation asked about, and how, as Markdown.
    """
    run = shown(result)
    if run is not None:
        st.divider()
        st.markdown(f"**{tr('Explanation shown: {what}').format(what=about(run))}**")
        with guard():
            show(run)
    elif "why" in st.query_params:
        st.warning(
            tr("The explanation in this address has no result, was deleted, or belongs to another {noun}.").format(
                noun=tr(noun)
            )
        )
    _list(task, finished(result), run, about)


def _list(task: str, known: list[Run], current: Run | None, about: Callable[[Run], str]) -> None:
    """Explanations of this run so far, each of which can be shown; they are kept with the run and reported."""
    if not known:
        return
    st.markdown(tr("**Explanations of this run: {count}**").format(count=len(known)))
    for run in known[:LISTED]:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(about(run))
        open_now = current is not None and current.id == run.id
        label = "Shown" if open_now else "Show"
        if right.button(label, key=f"show-{run.id}", disabled=open_now, width="stretch"):
            open_explanation(task, run.id)
    if len(known) > LISTED:
        st.caption(tr("and {count} more on the Runs page.").format(count=len(known) - LISTED))
