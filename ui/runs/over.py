"""Two runs over each other: a divider between their probabilities, or their difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from ui import jobs, resources
from ui.feedback import guard, show_error
from ui.map_layers import Tiles, run_tiles, scene_tiles
from ui.maps import DynamicLayers, MapSpec, show_map, show_swipe
from ui.runs.beside import Compared

if TYPE_CHECKING:
    from core.runs.records import Run

SWIPE, DIFFERENCE = "Swipe", "Difference"
AROUND = "18rem"


@st.fragment
def show(compared: Sequence[Compared]) -> None:
    """The map of two runs. A fragment: choosing what it shows leaves the tables alone."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        st.subheader("On the map")
        first, second = _pair(compared)
        _check(first.run.id, second.run.id, first, second)
        view = st.segmented_control(
            "Map", [SWIPE, DIFFERENCE], default=SWIPE, key="view", bind="query-params", required=True,
            label_visibility="collapsed",
        )  # fmt: skip
        if view == DIFFERENCE:
            _difference(first, second)
        else:
            _swipe(first, second)


def _pair(compared: Sequence[Compared]) -> tuple[Compared, Compared]:
    """The two runs to be laid over each other; of more than two the visitor chooses."""
    if len(compared) == 2:
        return compared[0], compared[1]
    by_letter = {one.letter: one for one in compared}
    letters = list(by_letter)
    with st.container(horizontal=True, gap="small"):
        left = st.selectbox("Left", letters, 0, key="left", bind="query-params", width=120)
        right = st.selectbox("Right", letters, 1, key="right", bind="query-params", width=120)
    if left == right:
        raise InputError(f"Left and right are both {left}.", remedy="Choose two runs.")
    return by_letter[left], by_letter[right]


@st.cache_data(max_entries=32, show_spinner=False)
def _check(first: str, second: str, _first: Compared, _second: Compared) -> None:
    """Refuse runs of which nothing lies over each other."""
    del first, second  # the key
    from core.mapping.difference import check_same_place

    check_same_place(_first.result, _second.result)


def _swipe(first: Compared, second: Compared) -> None:
    left = run_tiles(first.run.id, "probability", name=_short(first.name))
    right = run_tiles(second.run.id, "probability", name=_short(second.name))
    show_swipe(_spec(second), left, right, key=f"swipe-{first.run.id}-{second.run.id}", around=AROUND)
    st.caption(f"Probability of landslide: {first.letter} to the left of the divider, {second.letter} to the right.")


def _short(name: str, longest: int = 32) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _spec(second: Compared) -> MapSpec:
    return MapSpec(f"compare-{second.run.scene_id or second.run.id}", second.result.grid, drawable=False)


def _difference(first: Compared, second: Compared) -> None:
    """The difference, from the store, at once for a small raster, or by a job."""
    from core.mapping.findings import LARGEST
    from core.runs.difference import difference_here, known_difference, lost_difference, order_difference

    store = resources.store()
    known = known_difference(store, first.run.id, second.run.id)
    height, width = second.result.grid.shape
    if known is None and height * width <= LARGEST:
        with st.spinner("Laying one over the other"):
            known = store.run(difference_here(store, first.result, second.result))
    known = known or lost_difference(store, first.run.id, second.run.id)
    if known is None:
        st.markdown(f"The rasters have {height * width / 1e6:,.0f} megapixels: their difference takes a while.")
        if st.button("Compute the difference", type="primary"):
            resources.jobs().submit(order_difference(first.result, second.result, owner=resources.visitor()))
            st.rerun()
        return
    if known.active:
        jobs.follow(known.id, what="Laying one over the other")
    elif known.status != "done":
        jobs.show_ended(known, opens=False)
    elif (missing := jobs.missing_files(known)) is not None:
        show_error(missing)
        jobs.again(known, opens=False)
    else:
        _show_difference(first, second, known)


def _show_difference(first: Compared, second: Compared, known: Run) -> None:
    from core.runs.difference import said

    numbers = said(resources.store(), known)
    if numbers is not None:
        st.markdown(_sentence(first, second, numbers))
    layer = run_tiles(known.id, "change", name=f"{second.letter} minus {first.letter}", opacity=0.9)
    layers = DynamicLayers((*_image(second), layer))
    show_map(_spec(second), layers, key=f"difference-{known.id}", around=AROUND)
    st.caption(
        f"Red: {second.letter} gives a higher probability than {first.letter}. Blue: a lower one. Clear: the same. The "
        "difference is kept as a run of its own."
    )


def _image(second: Compared) -> tuple[Tiles, ...]:
    """The scene below, where it is still there."""
    if not second.run.scene_id:
        return ()
    try:
        record = resources.store().scene_record(second.run.scene_id)
    except InputError:
        return ()
    return (scene_tiles(record.id, version=record.scene.digest),)


def _sentence(first: Compared, second: Compared, numbers: Mapping[str, Any]) -> str:
    from core.mapping.findings import pixel_area
    from core.runs.report.words import area

    grid = second.result.grid
    pixel = pixel_area(second.result)
    gained, lost = (area(numbers[name] * pixel, georeferenced=grid.is_georeferenced) for name in ("gained", "lost"))
    one, other = numbers["thresholds"]
    at = (
        f"threshold {one:.2f}"
        if one == other
        else f"thresholds {one:.2f} ({first.letter}) and {other:.2f} ({second.letter})"
    )
    return (
        f"Their probabilities differ by **{numbers['mean_absolute']:.3f}** on average. At the {at}, "
        f"**{numbers['changed_share']:.2%}** of the pixels that both know are landslide in only one of them: "
        f"{gained} only in {second.letter}, {lost} only in {first.letter}."
    )
