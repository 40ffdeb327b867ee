"""Two runs over each other on one map: which two, where, and on what image; what lies there is the task's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from core.runs.result import GridResult
from core.tasks.imagery.inputs import scene_today
from ui import labels, resources
from ui.feedback import guard
from ui.map_layers import Outlines, Tiles, scene_tiles
from ui.maps import Caption, MapSpec
from ui.messages import tr
from ui.runs.compare import Compared
from ui.task.bands import shown_by
from ui.task.jobs import notice_runs
from ui.task.task import task_pages

if TYPE_CHECKING:
    from core.raster.grid import Grid

AROUND = "18rem"
AREA = "#000000"


@st.fragment
def show(compared: Sequence[Compared]) -> None:
    """The map of two runs. A fragment: choosing what it shows leaves the tables alone."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        page = task_pages().get(compared[0].run.task)
        shown = None if page is None else page.compare
        if shown is None:
            return  # runs of this task do not lie on a map
        st.subheader(tr("Map comparison"))
        first, second = _pair(compared)
        shown.load()(first, second)
        notice_runs()


def _pair(compared: Sequence[Compared]) -> tuple[Compared, Compared]:
    """The two runs to be laid over each other; of more than two the visitor chooses."""
    if len(compared) == 2:
        return compared[0], compared[1]
    by_letter = {one.letter: one for one in compared}
    letters = list(by_letter)
    with st.container(horizontal=True, gap="small"):
        left = st.selectbox(tr("Left"), letters, 0, key="left", bind="query-params", width=120)
        right = st.selectbox(tr("Right"), letters, 1, key="right", bind="query-params", width=120)
    if left == right:
        raise InputError(
            tr("Left and right are both {left}.").format(left=left), remedy=tr("Choose two different runs.")
        )
    return by_letter[left], by_letter[right]


def grid_of(one: Compared) -> Grid:
    """Grid of a run that lies on one.

    Raises
    ------
    InputError
        When it has none, so that there is no map of it.
    """
    if not isinstance(one.result, GridResult):
        raise InputError(tr("These runs cannot be shown on a map."))
    return one.result.grid


def map_spec(first: Compared, second: Compared) -> MapSpec:
    """The map of the run that covers more ground, of which the other may be a drawn part; nothing is drawn on it."""
    shown = _wider(first, second)
    return MapSpec(f"compare-{shown.run.subject.dataset_id or shown.run.id}", grid_of(shown), drawable=False)


def _wider(first: Compared, second: Compared) -> Compared:
    """Of two runs the one whose grid covers more of the map; the second where they cover the same."""
    from core.serve.placing import extent, map_of

    kinds = [map_of(grid_of(one)) for one in (first, second)]
    if kinds[0] != kinds[1]:
        return second
    covered = []
    for one in (first, second):
        left, bottom, right, top = extent(grid_of(one), globe=kinds[0] == "globe")
        covered.append((right - left) * (top - bottom))
    return first if covered[0] > covered[1] else second


def drawn_areas(first: Compared, second: Compared) -> tuple[Outlines, ...]:
    """The outlines of the areas to which the runs were limited; none where both covered the whole image."""
    from core.serve.coordinates import drawing_on_map

    grid = map_spec(first, second).grid  # without coordinates it is that of the whole image, as the drawn areas are
    shapes: list[tuple[list[str], Any]] = []
    for one in (first, second):
        area = one.run.parameters.get("area")
        if shapes and area == shapes[0][1]:
            shapes[0][0].append(one.letter)
        elif area:
            shapes.append(([one.letter], area))
    layers = []
    for letters, area in shapes:
        named = ", ".join(letters)
        shape = {"type": "Feature", "properties": {"id": named}, "geometry": drawing_on_map(grid, area)}
        layers.append(Outlines(
            f"area-{letters[0]}", tr("Processed area ({letter})").format(letter=named),
            {"type": "FeatureCollection", "features": [shape]}, AREA, dashed=True, fill=0.0, seam=True,
        ))  # fmt: skip
    return tuple(layers)


def caption_of(first: Compared, second: Compared) -> Caption:
    """What a picture of both on a map says."""
    runs = [f"{one.letter}: {labels.model(one.run)}{labels.part(one.run)}, run {one.run.id}" for one in (first, second)]
    return Caption(second.run.subject.name or second.name, " · ".join(runs))


def image_below(first: Compared, second: Compared) -> tuple[Tiles, ...]:
    """The scene of the run that `map_spec` shows the map of, where it is still there."""
    run = _wider(first, second).run
    try:
        record = scene_today(resources.store(), run)
    except InputError:
        return ()
    return (scene_tiles(record.id, bands=shown_by(run), version=record.scene.digest),)
