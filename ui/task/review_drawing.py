"""What is drawn on the map of a review, and what can be made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import LandslideError
from core.report.words import percent
from core.wording import count
from ui.map_drawing import put_drawing, replace_drawing
from ui.messages import tr
from ui.state import Slot
from ui.task.drawn import Drawn, Use
from ui.task.editing import attempt, do, ticked_key

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.review.edits import Edit
    from core.review.overlap import Overlap
    from core.review.state import Feature, Review

NAMED = 3
"""Overlapped outlines that are named."""

WHOLE = 1 - 1e-6
"""Share of an outline from which on a shape covers all of it."""

CORNERS = 150
"""Corners of an outline that is edited on the map; more handles than these are in each other's way."""


def offer_drawing(at: Drawn, *, ready: bool) -> None:
    """What can be done with what is drawn on the map."""
    from core.review.geometry import crosses_itself, is_same_drawing

    drawn = at.drawn
    if not drawn:
        _reshaping(at.run).clear()  # the outline that was to be edited was deleted on the map
        return
    edited = at.review.features.get(_reshaping(at.run).get())
    put = put_drawing(at.spec, key=at.map_key)
    untouched = edited is not None and put is not None and is_same_drawing(drawn, put)
    shape = _shape(at, drawn)
    covered, parts = _covered(at, shape, edited), _number_of_parts(shape)
    uses = _uses(at, shape, covered, parts) if edited is None else [_reshape(edited)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        title = tr("**{count:,} drawn shapes**").format(count=parts) if parts > 1 else tr("**Drawn shape**")
        if edited is not None:
            title = tr("**Outline of {name}**").format(name=edited.id)
        st.markdown(title, width="content")
        if untouched:
            st.caption(tr("Drag the handles, press Save on the map, then:"), width="content")
        for use in uses:
            st.button(
                use.label, on_click=_with_drawing, args=(at, use.make), key=f"use-{use.name}-{at.run}",
                disabled=not ready or untouched or bool(use.why_not), help=use.why_not or use.about,
            )  # fmt: skip
        st.button(tr("Discard"), on_click=lambda: _clear(at), type="tertiary", key=f"discard-{at.run}")
    if not untouched and crosses_itself(drawn):
        told = tr("The outline crosses itself. Used like this, it has {parts}, and slivers are left out. Edit or draw "
                  "it again to avoid that.")
        st.caption(f":material/warning: {told.format(parts=count(parts, tr('separate part')))}")
    if edited is None and (why := _why_another(at, covered)):
        st.caption(why)
    if not_available := [use for use in uses if use.why_not]:
        names = tr(" and ").join(f"*{use.label}*" for use in not_available)
        st.caption(tr("Not available: {names}. {reason}").format(names=names, reason=not_available[0].why_not))
    if covered and not untouched:
        overlap = tr("The drawn shape overlaps {list}.") if edited is None else tr("The new outline overlaps {list}.")
        st.caption(f"{overlap.format(list=_named(covered))} {at.about_overlap(new=edited is None)}")
    if not untouched and (false := _covered(at, shape, edited, false_alarms=True)):
        st.caption(
            tr("The shape lies on ground marked as a false alarm: {list}. If there is a landslide, mark it as correct "
               "or change its outline instead; both count in the area of the whole inventory.").format(
                list=_named(false))
        )  # fmt: skip


def _reshape(edited: Feature) -> Use:
    """The shape is the outline of a feature that was put on the map to be edited."""
    from core.review import actions

    label = tr("Use as outline of {name}").format(name=edited.id)
    about = tr("The drawn shape replaces the outline.")
    return Use("reshape", label, about, lambda review, shape: actions.reshape(review, edited.id, shape))


def _number_of_parts(shape: BaseGeometry | None) -> int:
    from core.review.geometry import parts_of

    return 1 if shape is None else len(parts_of(shape))


def _uses(at: Drawn, shape: BaseGeometry | None, covered: Sequence[Overlap], parts: int) -> list[Use]:
    """What can be made of what was drawn anew: features, or a change of one that is there.

    That is what is selected, or where the shape overlaps others instead, the one that it overlaps most; none that is
    too far away.
    """
    from core.review import actions
    from core.review.geometry import do_overlap

    uses, noun = at.uses_of_new(parts), at.opened.noun
    one = _subject(at, covered)
    if one is None or (shape is not None and not actions.are_near([one.outline, shape])):
        return uses
    name = one.id
    beside = shape is not None and not do_overlap(one.outline, shape)
    whole = next((other.covered > WHOLE for other in covered if other.name == name), False)
    outside = (
        tr("The drawn shape does not overlap {name}.").format(name=name) if beside
        else tr("The drawn shape covers all of {name}.").format(name=name) if whole else ""
    )  # fmt: skip
    return [
        *uses,
        Use(
            "add", tr("Add to {name}").format(name=name), tr("The drawn ground is added to the outline."),
            lambda review, shape: actions.add_to(review, name, shape, noun),
        ),
        Use(
            "cut", tr("Cut away from {name}").format(name=name), at.about_cut(),
            lambda review, shape: actions.cut_from(review, name, shape), outside,
        ),
        Use(
            "split", tr("Split off from {name}").format(name=name),
            tr("The part inside the drawn shape becomes separate and is then selected; so does each piece that the "
               "shape cuts off."),
            lambda review, shape: actions.split_off(review, name, shape), outside,
        ),
    ]  # fmt: skip


def _subject(at: Drawn, covered: Sequence[Overlap]) -> Feature | None:
    """What a drawn shape can change: what is selected, or where it overlaps others alone, what it overlaps most."""
    one, names = at.selected, [other.name for other in covered]
    return at.review.features[names[0]] if names and (one is None or one.id not in names) else one


def _why_another(at: Drawn, covered: Sequence[Overlap]) -> str:
    """Why what a drawn shape can change is not what is selected; empty where it is."""
    one, selected = _subject(at, covered), at.selected
    if one is None or one is selected:
        return ""
    if selected is None:
        return tr("Nothing is selected: the buttons name {name}, which the shape overlaps most.").format(name=one.id)
    told = tr("The shape does not overlap {selected}, which is selected: the buttons name {name}, which it overlaps "
              "most.")
    return told.format(selected=selected.id, name=one.id)


def _shape(at: Drawn, drawn: Mapping[str, Any]) -> BaseGeometry | None:
    """What is drawn, in the run's coordinates; None where it will be refused with its reason when it is used."""
    try:
        return at.opened.drawn(drawn)
    except LandslideError:
        return None


def _covered(
    at: Drawn, shape: BaseGeometry | None, edited: Feature | None, *, false_alarms: bool = False
) -> list[Overlap]:
    """What a shape overlaps, or the false alarms that it does, but for the feature whose outline is edited."""
    from core.review.overlap import overlaps

    if shape is None or not at.counts_ground:
        return []
    others = [one for one in at.review.features.values() if one is not edited]
    return overlaps(others, shape, false_alarms=false_alarms)


def _named(covered: Sequence[Overlap]) -> str:
    """Outlines that a shape covers, by name, with how much of each."""
    named = [
        tr("{name} ({share} of the shape, {covered} of {name})").format(
            name=one.name, share=percent(one.share), covered=percent(one.covered)
        )
        for one in covered[:NAMED]
    ]
    more = tr(" and {count:,} more").format(count=len(covered) - NAMED) if len(covered) > NAMED else ""
    return f"{', '.join(named)}{more}"


def _with_drawing(at: Drawn, make: Callable[[Review, BaseGeometry], Edit]) -> None:
    """Use what is drawn, and take the drawing off the map."""
    from shapely.geometry import shape as outline_of

    drawn, made, new = at.drawn, list[str](), list[str]()

    def edit() -> Edit:
        shape = at.opened.drawn(drawn or {})
        found = make(at.review, shape)
        outlines = {name: outline_of(dict(content)) for name, content in found.made.items()}
        made.extend(sorted(outlines, key=lambda name: -_share_inside(outlines[name], shape)))
        new.extend(found.made if found.op == "draw" else ())
        return found

    def then() -> None:
        _clear(at)
        if at.selection.current not in made:
            at.selection.choose(made[0], "table")  # what was drawn; of a split, the part in the drawn shape
        if new:
            st.session_state[ticked_key(at.run)] = new

    do(at, edit, then=then)


def _share_inside(outline: BaseGeometry, shape: BaseGeometry) -> float:
    return float(outline.intersection(shape).area / outline.area)


def _clear(at: Drawn) -> None:
    replace_drawing(at.spec, None, key=at.map_key)
    _reshaping(at.run).clear()


def _reshaping(run: str) -> Slot[str]:
    """Id of the feature whose outline is edited on the map."""
    return Slot(f"review-reshaping-{run}", "")


def edit_outline(at: Drawn) -> None:
    """Put the outline of what is selected on the map, ready to be edited."""
    from core.review.geometry import to_draw

    one = at.selected
    if one is None:
        return

    def put() -> None:
        replace_drawing(at.spec, to_draw(one.outline, at.opened.grid, CORNERS), key=at.map_key)
        _reshaping(at.run).put(one.id)

    attempt(at, put)
