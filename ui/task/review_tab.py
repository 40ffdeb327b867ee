"""The tab Review: how far the review is, its table, its log, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from core.wording import count, tied
from ui.feedback import guard, plain
from ui.messages import tr
from ui.task.editing import do, show_log, show_problem, turned
from ui.task.review_deleted import show_deleted
from ui.task.review_files import show_files, show_reference
from ui.task.review_rows import show_inventory
from ui.task.reviewer import is_named
from ui.task.reviewing import Reviewing

if TYPE_CHECKING:
    from core.runs.records import SceneRecord

def show(at: Reviewing, score: Callable[[SceneRecord], str] | None = None, record: SceneRecord | None = None) -> None:
    """Show the tab.

    Parameters
    ----------
    score
        Scores the run against the scene's reference and returns the scored run's id; None where it cannot.
    record
        The scene of the run; None where it is no longer there.
    """
    _tell(at)
    show_inventory(at)
    show_deleted(at, tr("Deleted from the inventory"))
    _searched(at)
    st.subheader(tr("Use the review"), divider="gray")
    with st.container():  # of its own, so that what appears in it does not close the log below
        show_files(at)
        if score is not None and record is not None:
            show_reference(at, score, record)
    with st.expander(tr("Edit log")), guard():
        show_log(at)


def _tell(at: Reviewing) -> None:
    """How far it is, and what a visitor should know."""
    from core.review.state import STATUSES
    from core.review.totals import totals_words

    review, noun, progress = at.review, at.opened.found.noun, at.opened.progress
    waiting = progress.total - progress.reviewed
    counts = ({STATUSES["unreviewed"]: waiting} if waiting else {}) | dict(progress.judged)
    counted = [f"{tr(words)} {number:,}" for words, number in counts.items()]
    text = tr("{total:,} of {total_2:,} reviewed").format(total=progress.reviewed, total_2=progress.total)
    if progress.added:
        text += " · " + tr("{count:,} missed by the model and added").format(count=progress.added)
    st.progress(progress.reviewed / progress.total if progress.total else 1.0, text=text)
    if progress.reviewed:
        several = count(progress.total, tr(noun), tr(at.opened.found.several))
        told = tr("The model's {several}: {list}.").format(several=several, list=", ".join(counted))
        st.caption(f"{told} {_corrected_outlines(at)}")
    if progress.reviewed or progress.added:
        st.markdown(tied(plain(totals_words(at.opened))))
    if at.opened.found.left_out:
        st.warning(
            tr(
                "Only the {total:,} largest can be reviewed; {left_out:,} are left out. To leave out "
                "fewer, raise the minimum area before the review starts."
            ).format(total=progress.total, left_out=at.opened.found.left_out)
        )
    if review.number:
        st.caption(
            tr("The review started at {view_words} and keeps what was found there: the sliders above change what "
            "the other tabs show, not the review, and the review does not change the model's result. "
            "To add a {noun} that the model missed, draw it on the map (pentagon or square at its left); a drawn shape "
            "can also extend or cut the {noun} that is selected. To split it, draw a shape around the part to split "
            "off. An outline that was changed, split or merged counts as correct unless it is marked as a false "
            "alarm.").format(
                view_words=at.view_words, noun=noun
            )
        )
        with st.container(key="review-keys"):  # hidden where there is no keyboard, see `static/page.css`
            st.caption(tr("Keys: Y correct, N false alarm, J next {noun}.").format(noun=noun))
    else:
        st.caption(
            ("" if is_named() else tr("Enter your name.") + " ")
            + tr("Select a {noun} on the map or in the table below, and use the buttons above the map or below the "
            "table. To add a {noun} that the model missed, draw it on the map (pentagon or square at its left); a "
            "drawn shape can also extend or cut the {noun} that is selected. To split it, draw a shape around the part "
            "to split off. The review starts with the first "
            "edit and keeps what is found at that moment (now at {view_words}), so set the sliders first. The model's "
            "result is kept unchanged.").format(noun=noun, view_words=at.view_words)
        )


def _corrected_outlines(at: Reviewing) -> str:
    """What the outlines with the status *outline corrected* are, where some were split or merged; else empty."""
    from core.review.totals import corrected_outlines

    numbers = corrected_outlines(at.opened)
    if set(numbers) <= {"changed"}:
        return ""
    words = {
        "changed": tr("changed {count:,}"), "merged": tr("merged {count:,}"),
        "parts of split ones": tr("parts of split ones {count:,}"),
    }  # fmt: skip
    told = ", ".join(words[name].format(count=number) for name, number in numbers.items())
    return tr("In the inventory, the status *outline corrected* stands for: {list}.").format(list=told)


def _searched(at: Reviewing) -> None:
    from core.review.edits import Edit

    key = f"searched-{at.run}"
    st.session_state[key] = at.review.examined
    def changed() -> None:
        wanted = bool(st.session_state[key])
        edit = Edit("examined", examined=wanted)
        do(at, lambda: edit, then=lambda: turned(at.run).put(edit.words), place="search")

    st.checkbox(
        tr("The whole area was searched for landslides missed by the model"),
        key=key,
        on_change=changed,
        disabled=not is_named(),
        help=tr("Required before ground outside all outlines counts as free of landslides in scores and training."),
    )
    show_problem(at, "search")
