"""What is drawn on the map of a review, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import LandslideError
from core.report.words import percent
from ui.map_drawing import put_drawing, replace_drawing
from ui.messages import tr, tr_noop
from ui.state import Slot
from ui.task.editing import attempt, do
from ui.task.reviewing import Reviewing

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.overlap import Overlap
    from core.review.state import Feature, Review

USES = {
    "reshape": tr_noop("The drawn shape replaces the outline."),
    "draw": tr_noop("The drawn shape becomes a new entry of the inventory."),
    "add": tr_noop("The drawn ground is added to the outline."),
    "cut": tr_noop("The drawn ground is taken out of the outline and is then mapped no more."),
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
    edited = at.review.features.get(_reshaping(at.run).get())
    put = put_drawing(at.spec, key=at.map_key)
    untouched = edited is not None and put is not None and is_same_drawing(drawn, put)
    shape = _shape(at, drawn)
    covered = _covered(at, shape, edited)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = tr("**Drawn shape**") if edited is None else tr("**Outline of {name}**").format(name=edited.id)
        st.markdown(title, width="content")
        if untouched:
            st.caption(tr("Drag the handles, press Save on the map, then:"), width="content")
        for use in _uses_of_new(at, shape, covered) if edited is None else [_reshape(edited)]:
            st.button(
                use.label, on_click=_with_drawing, args=(at, use.make), key=f"use-{use.name}-{at.run}",
                disabled=not ready or untouched or bool(use.why_not), help=use.why_not or tr(USES[use.name]),
            )  # fmt: skip
        st.button(tr("Discard"), on_click=lambda: _clear(at), type="tertiary", key=f"discard-{at.run}")
    if covered and not untouched:
        st.caption(_overlap_words(covered, new=edited is None))


@dataclass(frozen=True)
class Use:
    """A use of a drawn shape.

    Attributes
    ----------
    name
        In `USES`.
    label
        Of its button.
    make
        Makes the edit of a review and the shape in the run's coordinates.
    why_not
        Why the shape cannot be used so; empty where it can.
    """

    name: str
    label: str
    make: Callable[[Review, BaseGeometry], Edit]
    why_not: str = ""


def _reshape(edited: Feature) -> Use:
    """The shape is the outline of a feature that was put on the map to be edited."""
    from core.review import actions

    label = tr("Use as outline of {name}").format(name=edited.id)
    return Use("reshape", label, lambda review, shape: actions.reshape(review, edited.id, shape))


def _uses_of_new(at: Reviewing, shape: BaseGeometry | None, covered: Sequence[Overlap]) -> list[Use]:
    """What can be made of a shape that was drawn anew: a feature, or a change of one that is there.

    That is what is selected, or where the shape overlaps others instead, the one that it overlaps most.
    """
    from core.review import actions
    from core.review.geometry import do_overlap

    grid, label = at.opened.found.grid, tr("Add as missed {noun}").format(noun=tr(at.opened.found.noun))
    uses = [Use("draw", label, lambda review, shape: actions.draw(review, shape, grid))]
    one, names = at.selected, [other.name for other in covered]
    if names and (one is None or one.id not in names):
        one = at.review.features[names[0]]
    if one is None:
        return uses
    name = one.id
    far = shape is not None and not actions.are_near([one.outline, shape])
    beside = shape is not None and not do_overlap(one.outline, shape)
    apart = tr("The drawn shape is too far from {name}.").format(name=name) if far else ""
    outside = tr("The drawn shape does not overlap {name}.").format(name=name) if beside else ""
    return [
        *uses,
        Use("add", tr("Add to {name}").format(name=name),
            lambda review, shape: actions.add_to(review, name, shape), apart),
        Use("cut", tr("Cut away from {name}").format(name=name),
            lambda review, shape: actions.cut_from(review, name, shape), outside),
        Use("split", tr("Split off from {name}").format(name=name),
            lambda review, shape: actions.split_off(review, name, shape), outside),
    ]  # fmt: skip


def _shape(at: Reviewing, drawn: Mapping[str, Any]) -> BaseGeometry | None:
    """What is drawn, in the run's coordinates; None where it will be refused with its reason when it is used."""
    from core.review.geometry import drawn_outline

    try:
        return drawn_outline(drawn, at.opened.found.grid)
    except LandslideError:
        return None


def _covered(at: Reviewing, shape: BaseGeometry | None, edited: Feature | None) -> list[Overlap]:
    """What a shape overlaps, but for the feature whose outline is edited; boxes overlap without any harm."""
    from core.review.overlap import overlaps

    if shape is None or not at.opened.found.measured:
        return []
    return overlaps([one for one in at.review.features.values() if one is not edited], shape)


def _overlap_words(covered: Sequence[Overlap], *, new: bool) -> str:
    """Where a drawn shape covers what is mapped already, and what follows."""
    named = [
        tr("{name} ({share} of the shape, {covered} of {name})").format(
            name=one.name, share=percent(one.share), covered=percent(one.covered)
        )
        for one in covered[:NAMED]
    ]
    more = tr(" and {count:,} more").format(count=len(covered) - NAMED) if len(covered) > NAMED else ""
    told = tr("The drawn shape overlaps {list}{more}. The inventory holds this ground already.").format(
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
