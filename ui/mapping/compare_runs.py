"""Two mappings over each other: a divider between their probabilities, or their difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import labels, resources
from ui.choices import in_address
from ui.feedback import show_error
from ui.map_layers import run_tiles
from ui.mapping.layers import change_tiles
from ui.maps import DynamicLayers, show_map, show_swipe
from ui.messages import tr, tr_noop
from ui.runs.compare import Compared
from ui.runs.compare_map import AROUND, caption_of, drawn_areas, image_below, map_spec
from ui.task import jobs

if TYPE_CHECKING:
    from core.runs.records import Run

SWIPE, DIFFERENCE = tr_noop("Swipe"), tr_noop("Difference")


def show(first: Compared, second: Compared) -> None:
    """The map of two mappings."""
    _check(first.run.id, second.run.id, first, second)
    view = in_address(
        tr("Map"), {SWIPE: SWIPE, DIFFERENCE: DIFFERENCE}, SWIPE, key="view", control=st.segmented_control,
        required=True, label_visibility="collapsed",
    )  # fmt: skip
    if view == DIFFERENCE:
        _difference(first, second)
    else:
        _swipe(first, second)


@st.cache_data(max_entries=32, show_spinner=False)
def _check(first: str, second: str, _first: Compared, _second: Compared) -> None:
    """Refuse runs of which nothing lies over each other."""
    del first, second  # the key
    from core.tasks.mapping.difference import check_same_place

    check_same_place(_first.result, _second.result)


def _swipe(first: Compared, second: Compared) -> None:
    left = run_tiles(first.run.id, "probability", name=_name(first))
    right = run_tiles(second.run.id, "probability", name=_name(second))
    key, says = f"swipe-{first.run.id}-{second.run.id}", caption_of(first, second)
    show_swipe(
        map_spec(first, second), left, right, key=key, around=AROUND, over=drawn_areas(first, second), caption=says
    )
    st.caption(
        tr("Probability of landslide: {letter} on the left of the divider, {letter_2} on the right.").format(
            letter=first.letter, letter_2=second.letter
        )
    )


def _name(one: Compared) -> str:
    """What tells a run from the other on their map: both are mostly of one image."""
    return f"{one.letter} · {labels.model(one.run)}{labels.part(one.run)}"


def _difference(first: Compared, second: Compared) -> None:
    """The difference, from the store, at once for a small raster, or by a job."""
    from core.tasks.mapping.findings import LARGEST
    from core.tasks.mapping.run_change import difference_here, known_difference, lost_difference, order_difference

    store = resources.store()
    known = known_difference(store, first.run.id, second.run.id)
    height, width = second.result.grid.shape
    if known is None and height * width <= LARGEST:
        with st.spinner(tr("Preparing the map")):
            known = store.run(difference_here(store, first.result, second.result))
    known = known or lost_difference(store, first.run.id, second.run.id)
    if known is None:
        st.markdown(tr("The rasters have {height:,.0f} megapixels: calculating the difference takes a "
                    "while.").format(height=height * width / 1000000.0))
        if st.button(tr("Calculate the difference"), type="primary"):
            resources.jobs().submit(order_difference(first.result, second.result, owner=resources.visitor()))
            st.rerun()
        return
    if known.active:
        jobs.follow(known.id, what="Calculating the difference")
    elif known.status != "done":
        jobs.show_ended(known, opens=False)
    elif (missing := jobs.missing_files(known)) is not None:
        show_error(missing)
        jobs.again(known, opens=False)
    else:
        _show_difference(first, second, known)


def _show_difference(first: Compared, second: Compared, known: Run) -> None:
    from core.tasks.mapping.run_change import said

    numbers = said(resources.store(), known)
    if numbers is not None:
        st.markdown(_sentence(first, second, numbers))
    layer = change_tiles(
        known.id, f"{second.letter} minus {first.letter}", title="Difference in probability", opacity=0.9,
        ends=(f"−1 ({first.letter})", f"+1 ({second.letter})"),
    )  # fmt: skip
    layers = DynamicLayers(
        (*image_below(first, second), layer), drawn_areas(first, second), caption=caption_of(first, second)
    )
    show_map(map_spec(first, second), layers, key=f"difference-{known.id}", around=AROUND)
    st.caption(
        tr("Red: {letter} gives a higher probability than {letter_2}. Blue: a lower one. Pale: a small "
        "difference. Transparent: none, or at most 0.02. The difference is saved as a separate "
        "run.").format(letter=second.letter, letter_2=first.letter)
    )


def _sentence(first: Compared, second: Compared, numbers: Mapping[str, Any]) -> str:
    from core.report.words import area
    from core.tasks.mapping.findings import pixel_area

    if not (numbers["mean_absolute"] or numbers["gained"] or numbers["lost"]):
        return (
            tr("Both runs give the same probability to every pixel with data in both: the map shows no difference.")
            + _not_compared(numbers, second)
        )
    grid = second.result.grid
    pixel = pixel_area(second.result)
    gained, lost = (area(numbers[name] * pixel, georeferenced=grid.in_metres) for name in ("gained", "lost"))
    one, other = numbers["thresholds"]
    at = (
        f"threshold {one:.2f}"
        if one == other
        else f"thresholds {one:.2f} ({first.letter}) and {other:.2f} ({second.letter})"
    )
    return (
        f"Their probabilities differ by **{numbers['mean_absolute']:.3f}** on average. At the {at}, "
        f"**{100 * numbers['changed_share']:.2f} %** of the pixels with data in both are landslide in only one of "
        "them: "
        f"{lost} only in {first.letter}, {gained} only in {second.letter}.{_not_compared(numbers, second)}"
    )


def _not_compared(numbers: Mapping[str, Any], second: Compared) -> str:
    """What has data in one run only; runs of before this was counted do not say."""
    alone = numbers.get("in_one_only", 0)
    if not alone:
        return ""
    share = alone / (alone + numbers["pixels"])
    return tr(
        " Within the area of {letter}, {share:.1f} % of the pixels have data in only one run and are not compared."
    ).format(letter=second.letter, share=100 * share)
