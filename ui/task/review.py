"""Review: correct and accept, one by one, what a run found; the model's own result stays as it is.

While the tab is open the map shows the reviewed inventory in place of what was found, and a bar above the map has all
that can be done with what is selected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import guard
from ui.map_drawing import drawn_on, replace_drawing
from ui.maps import MapSpec
from ui.messages import tr
from ui.state import Slot
from ui.task.editing import (
    Place,
    do,
    next_unreviewed,
    show_problem,
    show_turns,
    tell_turned,
)
from ui.task.review_address import follow_address, name_rows
from ui.task.review_drawing import edit_outline, offer_drawing
from ui.task.reviewer import ask_name, is_named
from ui.task.reviewing import Reviewing, bar_key, is_open, reviewing

if TYPE_CHECKING:
    from core.review.edits import Judgement
    from core.review.state import Feature
    from core.runs.records import SceneRecord
    from core.runs.result import RunResult
    from ui.task.task import TaskPage


def begin(page: TaskPage, record: SceneRecord, result: RunResult, view: object) -> Reviewing | None:
    """The review of a run with its bar, where its tab is open.

    The bar's place is there in any case: what moves the map's place makes the browser build the map anew.

    Parameters
    ----------
    view
        What the sliders say, with which a review would begin.
    """
    at = None
    _keep_drawings_apart(page, MapSpec(record.id, record.scene.grid), page.map_key(record))
    with st.container(gap="small"), guard():
        at = reviewing(page.name, result, view, MapSpec(record.id, record.scene.grid), page.map_key(record))
        if at is None:
            name_rows(None)
        else:
            follow_address(at)
            show_bar(at)
    return at


def _keep_drawings_apart(page: TaskPage, spec: MapSpec, map_key: str) -> None:
    """Take away what is drawn when the tab is opened or left: a drawn area is no outline, nor an outline an area."""
    now, before = is_open(page.name), Slot(f"review-open-{map_key}", False)
    if now != before.get() and drawn_on(spec, key=map_key):
        replace_drawing(spec, None, key=map_key)
    before.put(now)


def judge_one(
    at: Reviewing, name: str, judgement: Judgement, *, onwards: bool = True, place: Place = "bar"
) -> None:
    """Mark the feature that a button was drawn for: a second press before it is drawn anew means no other one.

    Reason and note are those of this moment, so that what was typed last is not lost.
    """
    from core.review.edits import Edit

    at.follow_map()
    if at.selection.current != name:
        return
    reason, note = st.session_state.get(_reason_key(at, name)), st.session_state.get(_note_key(at, name))
    why = reason if judgement == "rejected" else None

    def then() -> None:
        _typed(at, name).clear()
        if onwards:
            _next(at, after=name)

    do(at, lambda: Edit("judge", (name,), judgement=judgement, reason=why, note=note), then=then, place=place)


def _reason_key(at: Reviewing, name: str) -> str:
    return f"reason-{at.run}-{name}"


def _note_key(at: Reviewing, name: str) -> str:
    return f"note-{at.run}-{name}"


def _typed(at: Reviewing, name: str) -> Slot[str | None]:
    """A note that was typed and is not saved yet: its field is there for the selected feature alone."""
    return Slot(f"note-typed-{at.run}-{name}", None)


def _ask_next(at: Reviewing) -> None:
    at.follow_map()  # or a click that came before the press would be acted upon after it
    _next(at)


def _next(at: Reviewing, after: str | None = None) -> None:
    """Select the next feature that nobody reviewed, in the order of the table.

    Parameters
    ----------
    after
        The feature that was marked or deleted just now; None where a reviewer asked for the next.
    """
    following = next_unreviewed(at, at.names, after)
    if following is not None:
        at.selection.choose(following, "table")


def delete_one(at: Reviewing, name: str, *, place: Place = "bar") -> None:
    """Delete the feature that a button was drawn for, with the reason and note of this moment."""
    from core.review.edits import Edit

    at.follow_map()
    if at.selection.current != name:
        return
    reason, note = st.session_state.get(_reason_key(at, name)), st.session_state.get(_note_key(at, name))

    def then() -> None:
        _typed(at, name).clear()
        _next(at, after=name)

    do(at, lambda: Edit("delete", (name,), reason=reason, note=note), then=then, place=place)


# What the page shows


def show_bar(at: Reviewing) -> None:
    """What can be done with what is selected or drawn, above the map."""
    review, one = at.review, at.selected
    show_problem(at, "bar")
    tell_turned(at)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="review-bar"):
        ask_name(at.run)
        ready = is_named()
        off = not ready or one is None or at.together
        with st.popover(tr("Reason, note"), disabled=off, help=tr("Why it is a false alarm or deleted, and a note.")):
            if one is not None:
                _ask_reason(at, one)
        name = "" if one is None else one.id
        for label, key, judgement in ((tr("Correct"), "Y", "confirmed"), (tr("False alarm"), "N", "rejected")):
            st.button(
                label,
                on_click=judge_one,
                args=(at, name, judgement),
                disabled=off,
                shortcut=key,
                key=bar_key(at.run, key),
                help=tr("{label}, and go to the next one not reviewed.").format(label=label),
            )
        st.button(tr("Delete"), on_click=delete_one, args=(at, name), disabled=off, key=bar_key(at.run, "delete"),
                  help=tr("Removes it from the reviewed inventory, as for a duplicate. "
                          "It can be restored below the table."))  # fmt: skip
        st.button(tr("Edit outline"), on_click=lambda: edit_outline(at), disabled=off, key=bar_key(at.run, "edit"),
                  help=tr("Drag the handles on the map, press Save on the map, then Use as outline."))  # fmt: skip
        st.button(tr("Next"), on_click=_ask_next, args=(at,), shortcut="J", key=bar_key(at.run, "next"),
                  disabled=not review.counts["unreviewed"], help=tr("Go to the next one not reviewed."))  # fmt: skip
        show_turns(at, lambda name: bar_key(at.run, name))
    if not ready:
        st.caption(tr("Enter your name first: until then, marking and editing are off."))
    if at.together:
        told = tr("{count:,} rows are selected: use the buttons below the table, or select one alone.")
        st.caption(told.format(count=len(at.ticked)))
    offer_drawing(at, ready=ready)


def _ask_reason(at: Reviewing, one: Feature) -> None:
    from core.review.edits import MOST_WORDS, REASONS

    known = ["", *REASONS, *([one.reason] if one.reason and one.reason not in REASONS else [])]
    st.selectbox(
        tr("Reason for a false alarm or a deletion"), known, known.index(one.reason), key=_reason_key(at, one.id),
        accept_new_options=True, format_func=lambda text: tr(text) if text else tr("not given"),
    )  # fmt: skip
    typed, key = _typed(at, one.id), _note_key(at, one.id)
    known = typed.get()
    st.text_area(
        tr("Note"), one.note if known is None else known, max_chars=MOST_WORDS, key=key, height=80,
        on_change=lambda: typed.put(st.session_state[key]),
    )  # fmt: skip
    if one.status == "unreviewed":
        st.caption(tr("The note is saved when you press Correct, False alarm or Delete; the reason only "
                      "with False alarm or Delete."))
        return
    judged: Judgement = "rejected" if one.status == "rejected" else "confirmed"
    st.button(
        tr("Save reason and note"), key=f"save-{at.run}-{one.id}", on_click=judge_one, args=(at, one.id, judged),
        kwargs={"onwards": False},
    )  # fmt: skip
