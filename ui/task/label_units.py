"""What is done with the units of a review of labels themselves: deleted, merged, and given other outlines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui.messages import tr
from ui.task.editing import do, ticked_key
from ui.task.review_drawing import edit_outline, offer_drawing

if TYPE_CHECKING:
    from core.review.edits import Edit
    from ui.task.labelling import Labelling


def show_delete(*, off: bool, key: str, delete: Callable[[], None]) -> None:
    """The button that deletes the selected rows."""
    st.button(
        tr("Delete"), on_click=delete, disabled=off, key=key,
        help=tr("Takes the selected rows out of the corrected data, as for duplicates. They can be restored below the "
                "table."),
    )  # fmt: skip


def show_outline_buttons(at: Labelling, ids: tuple[str, ...], *, off: bool, keys: Callable[[str], str]) -> None:
    """The buttons for outlines of units: edit that of one, merge several or select the nearest of one."""
    outlined = all(at.review.features[name].is_polygon for name in ids)
    if len(ids) > 1:
        st.button(
            tr("Merge"), on_click=_merge, args=(at, ids), disabled=off or not outlined, key=keys("merge"),
            help=tr("Combine them into one unit, named after the largest and labelled as landslide if one of them is."),
        )  # fmt: skip
        return
    st.button(
        tr("Edit outline"), on_click=lambda: edit_outline(at), disabled=off or not outlined, key=keys("edit"),
        help=tr("Drag the handles on the map, press Save on the map, then Use as outline."),
    )  # fmt: skip


def show_drawing(at: Labelling, *, ready: bool) -> None:
    """What can be done with what is drawn on the map, where there is one."""
    if at.opened.labelled.has_outlines:
        offer_drawing(at, ready=ready)


def _merge(at: Labelling, ids: tuple[str, ...]) -> None:
    from core.review import actions

    made = list[str]()

    def edit() -> Edit:
        found = actions.merge(at.review, ids, at.opened.noun)
        made.extend(found.made)
        return found

    def select() -> None:
        st.session_state[ticked_key(at.run)] = made
        at.selection.choose(made[0], "chart")

    do(at, edit, then=select)
