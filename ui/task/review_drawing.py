"""What is drawn on the map of a review, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from ui.map_drawing import put_drawing, replace_drawing
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task.reviewing import Reviewing, attempt, do

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.state import Review

USES = {
    "reshape": tr_noop("The drawn shape replaces the outline."),
    "draw": tr_noop("The drawn shape becomes a new entry of the inventory."),
    "add": tr_noop("The drawn ground is added to the outline."),
    "cut": tr_noop("The drawn ground is taken out of the outline and is then mapped no more."),
    "split": tr_noop("The part within the drawn shape becomes an entry of its own, as does each piece it cuts off."),
}
"""What becomes of a drawn shape, by the use that is made of it."""

CORNERS = 150
"""Corners of an outline that is edited on the map; more handles than these are in each other's way."""


def offer_drawing(at: Reviewing, *, ready: bool) -> None:
    """What can be done with what is drawn on the map."""
    from core.review import actions
    from core.review.geometry import is_same_drawing

    drawn, one = at.drawn, at.selected
    if not drawn:
        _reshaping(at.run).clear()  # the outline that was to be edited was deleted on the map
        return
    edited = _reshaping(at.run).get()
    put = put_drawing(at.spec, key=at.map_key)
    untouched = edited in at.review.features and put is not None and is_same_drawing(drawn, put)
    noun = at.opened.found.noun
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(tr("**Drawn outline**"), width="content")
        uses: list[tuple[str, str, Callable[[Review, BaseGeometry], Edit]]] = []
        if edited in at.review.features:
            label = tr("Use as outline of {name}").format(name=edited)
            uses.append(("reshape", label, lambda review, shape: actions.reshape(review, edited, shape)))
        else:
            grid = at.opened.found.grid
            label = tr("Add as missed {noun}").format(noun=tr(noun))
            uses.append(("draw", label, lambda review, shape: actions.draw(review, shape, grid)))
            if one is not None:
                name = one.id
                labels = {
                    "add": tr("Add to {name}").format(name=name), "cut": tr("Cut away from {name}").format(name=name),
                    "split": tr("Split off from {name}").format(name=name),
                }  # fmt: skip
                uses += [
                    ("add", labels["add"], lambda review, shape: actions.add_to(review, name, shape)),
                    ("cut", labels["cut"], lambda review, shape: actions.cut_from(review, name, shape)),
                    ("split", labels["split"], lambda review, shape: actions.split_off(review, name, shape)),
                ]
        if edited in at.review.features and untouched:
            st.caption(tr("Drag the corners, press Save on the map, then:"), width="content")
        for use, label, make in uses:
            st.button(
                label, on_click=_with_drawing, args=(at, make), disabled=not ready or untouched,
                key=f"use-{use}-{at.run}", help=tr(USES[use]),
            )
        st.button(tr("Discard"), on_click=lambda: _clear(at), type="tertiary", key=f"discard-{at.run}")


def _with_drawing(at: Reviewing, make: Callable[[Review, BaseGeometry], Edit]) -> None:
    """Use what is drawn, and take the drawing off the map."""
    from core.review.geometry import drawn_outline

    drawn, made = at.drawn, list[str]()

    def edit() -> Edit:
        found = make(at.review, drawn_outline(drawn or {}, at.opened.found.grid))
        made.extend(found.made)
        return found

    def then() -> None:
        _clear(at)
        if at.selection.current not in made:
            at.selection.choose(made[0], "table")  # what was drawn; of a split, its first part

    do(at, edit, then=then)


def _clear(at: Reviewing) -> None:
    replace_drawing(at.spec, None, key=at.map_key)
    _reshaping(at.run).clear()


def _reshaping(run: str) -> Slot[str]:
    """Id of the feature whose outline is edited on the map."""
    return Slot(f"review-reshaping-{run}", "")


def edit_outline(at: Reviewing) -> None:
    """Put the outline of what is selected on the map, ready to be edited."""
    from core.review.geometry import to_draw

    one = at.selected
    if one is None:
        return

    def put() -> None:
        replace_drawing(at.spec, to_draw(one.outline, at.opened.found.grid, CORNERS), key=at.map_key)
        _reshaping(at.run).put(one.id)

    attempt(at, put)
