"""What is drawn on the map of a review, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import LandslideError
from core.report.words import percent
from ui.map_drawing import put_drawing, replace_drawing
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task.reviewing import Reviewing, attempt, do

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.overlap import Overlap
    from core.review.state import Review

USES = {
    "reshape": tr_noop("The drawn shape replaces the outline."),
    "draw": tr_noop("The drawn shape becomes a new entry of the inventory."),
    "add": tr_noop("The drawn ground is added to the outline."),
    "cut": tr_noop("The drawn ground is taken out of the outline and is then mapped no more."),
    "extend": tr_noop("The drawn ground is added to the outline."),
    "split": tr_noop("The part within the drawn shape becomes an entry of its own, as does each piece it cuts off."),
}
"""What becomes of a drawn shape, by the use that is made of it."""

NAMED = 3
"""Overlapped outlines that are named."""

CORNERS = 150
"""Corners of an outline that is edited on the map; more handles than these are in each other's way."""


def offer_drawing(at: Reviewing, *, ready: bool) -> None:
    """What can be done with what is drawn on the map."""
    from core.review.geometry import is_same_drawing

    drawn = at.drawn
    if not drawn:
        _reshaping(at.run).clear()  # the outline that was to be edited was deleted on the map
        return
    edited = _reshaping(at.run).get()
    put = put_drawing(at.spec, key=at.map_key)
    untouched = edited in at.review.features and put is not None and is_same_drawing(drawn, put)
    covered = _covered(at, drawn, edited)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(tr("**Drawn outline**"), width="content")
        uses = _uses(at, edited, covered)
        if edited in at.review.features and untouched:
            st.caption(tr("Drag the corners, press Save on the map, then:"), width="content")
        for use, label, make in uses:
            st.button(
                label, on_click=_with_drawing, args=(at, make), disabled=not ready or untouched,
                key=f"use-{use}-{at.run}", help=tr(USES[use]),
            )
        st.button(tr("Discard"), on_click=lambda: _clear(at), type="tertiary", key=f"discard-{at.run}")
    if covered and not untouched:
        st.caption(_overlap_words(covered, new=edited not in at.review.features))


Use = tuple[str, str, "Callable[[Review, BaseGeometry], Edit]"]
"""A use of a drawn shape: its name in `USES`, the label of its button, and what makes the edit."""


def _uses(at: Reviewing, edited: str, covered: Sequence[Overlap]) -> list[Use]:
    """What can be made of a drawn shape.

    Parameters
    ----------
    edited
        Id of the feature whose outline is edited on the map; none of the inventory where a new one was drawn.
    covered
        What the shape overlaps: where that is not selected, the shape can be added to it all the same.
    """
    from core.review import actions

    def one_of(use: str, words: str, name: str, make: Callable[[Review, str, BaseGeometry], Edit]) -> Use:
        return use, words.format(name=name), lambda review, shape: make(review, name, shape)

    if edited in at.review.features:
        return [one_of("reshape", tr("Use as outline of {name}"), edited, actions.reshape)]
    grid, label = at.opened.found.grid, tr("Add as missed {noun}").format(noun=tr(at.opened.found.noun))
    uses: list[Use] = [("draw", label, lambda review, shape: actions.draw(review, shape, grid))]
    one = at.selected
    if one is not None:
        uses += [
            one_of("add", tr("Add to {name}"), one.id, actions.add_to),
            one_of("cut", tr("Cut away from {name}"), one.id, actions.cut_from),
            one_of("split", tr("Split off from {name}"), one.id, actions.split_off),
        ]
    if covered and (one is None or one.id not in {other.name for other in covered}):
        uses.append(one_of("extend", tr("Add to {name}"), covered[0].name, actions.add_to))
    return uses


def _covered(at: Reviewing, drawn: Mapping[str, Any], edited: str) -> list[Overlap]:
    """What a drawn shape overlaps, but for the feature whose outline is edited."""
    from core.review.geometry import drawn_outline
    from core.review.overlap import overlaps

    if not at.opened.found.measured:
        return []  # boxes overlap, and their areas are counted nowhere
    try:
        shape = drawn_outline(drawn, at.opened.found.grid)
    except LandslideError:
        return []  # refused with its reason where it is used
    return overlaps([one for one in at.review.features.values() if one.id != edited], shape)


def _overlap_words(covered: Sequence[Overlap], *, new: bool) -> str:
    """Where a drawn shape covers what is mapped already, and what follows."""
    named = [tr("{share} in {name}").format(share=percent(one.share), name=one.name) for one in covered[:NAMED]]
    more = tr(" and {count:,} more").format(count=len(covered) - NAMED) if len(covered) > NAMED else ""
    told = tr("The drawn shape overlaps what is mapped already: {list}{more}.").format(
        list=", ".join(named), more=more
    )
    follows = (
        tr("Added as a landslide of its own, it would count this ground twice; *Add to* extends the outline that is "
        "there.") if new else tr("This ground would then be in the inventory twice.")
    )  # fmt: skip
    return f"{told} {follows}"


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
