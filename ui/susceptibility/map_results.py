"""A map of susceptibility: what it comes to, the map with its layers, and the tabs below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.map_result import DEM, SusceptibilityMap
from ui import resources
from ui.feedback import guard, plain
from ui.maps import DynamicLayers, MapEvent, MapSpec, show_map, show_swipe
from ui.susceptibility import map_layers as layers
from ui.susceptibility import results
from ui.task.inspector import clicked_pixel
from ui.task.jobs import notice_runs
from ui.task.tabs import show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.susceptibility.map_findings import CellReading
    from core.tasks.susceptibility.view import Choice
    from ui.map_layers import Outlines
    from ui.susceptibility.area_source import AreaData
    from ui.task.task import TaskPage

AROUND = "27rem"
"""Height that the head above the map and the names of the tabs below it need."""


@dataclass(frozen=True)
class MapView(results.Shown):
    """What the tabs are given: the map, what of it is looked at, and the cell that was clicked."""

    result: SusceptibilityMap
    cell: tuple[int, int] | None = None


def show(task: TaskPage, found: Run) -> None:
    """The result of a finished run."""
    result = _result(found.id)
    _shown(task, found, result)


@st.cache_resource(max_entries=16, show_spinner=False)
def _result(run: str) -> SusceptibilityMap:
    """What a run computed, which never changes."""
    return resources.store().result(run, SusceptibilityMap)


@st.fragment
def _shown(task: TaskPage, found: Run, result: SusceptibilityMap) -> None:
    """Head, map and tabs of a run. A fragment: choosing a model or a layer leaves the rest of the page alone."""
    with guard():
        _show(task, found, result)
        notice_runs()


def _show(task: TaskPage, found: Run, result: SusceptibilityMap) -> None:
    from core.tasks.susceptibility.folds import TITLES
    from core.tasks.susceptibility.models import title_of

    begin: Choice = view_from_address(found).checked(result)
    results.headline(result, folded=True)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        model = st.selectbox(
            "Model", result.models, result.models.index(begin.model), key="shown", bind="query-params",
            format_func=title_of,
        )  # fmt: skip
        scheme = st.selectbox(
            "Tested by", result.schemes, result.schemes.index(begin.scheme), key="scheme", bind="query-params",
            format_func=TITLES.__getitem__,
        )  # fmt: skip
        side = _side(result)
    choice = type(begin)(scheme, model)
    event = MapEvent()
    with guard():
        event = _map(result, choice, side)
    cell = clicked_pixel(event, result.grid)
    with guard():
        _inspect(result, event, cell)
    parts = {
        "Findings": results.findings, "Scores": results.scores, "Export": results.export_tab,
        "Provenance": _provenance,
    }  # fmt: skip
    show_tabs(task.name, parts, MapView(result, choice, cell))


def _side(result: SusceptibilityMap) -> str:
    if len(result.mapped) < 2:
        return "layers"
    words = {"layers": "Layers", "swipe": "Swipe two models"}
    return str(st.segmented_control("Map", list(words), default="layers", format_func=words.__getitem__, key="side",
                                    required=True))  # fmt: skip


def _map(result: SusceptibilityMap, choice: Choice, side: str) -> MapEvent:
    shown = choice.model if choice.model in result.mapped else result.mapped[0]
    slides = layers.landslide_outlines(result.id, result) if result.input("inventory").dataset_id else None
    spec = MapSpec(result.id, result.grid, drawable=False)
    over = () if slides is None else (slides,)
    says = layers.caption(result)
    if side == "swipe":
        first, second = (layers.index_tiles(result, one) for one in result.mapped[:2])
        show_swipe(spec, first, second, key=f"swipe-{result.id}", over=over, around=AROUND, caption=says)
        return MapEvent()
    dem = result.input(DEM).dataset_id
    tiles = [*layers.ground(resources.store().dataset(dem) if dem else None)]
    tiles += [layers.index_tiles(result, one, visible=one == shown) for one in result.mapped]
    tiles += layers.further_tiles(result)
    return show_map(spec, DynamicLayers(tuple(tiles), over, caption=says), key=f"map-{result.id}", around=AROUND)


def _inspect(result: SusceptibilityMap, event: MapEvent, cell: tuple[int, int] | None) -> None:
    """Say what is known of the cell that was clicked."""
    from core.tasks.susceptibility.map_findings import read_cell

    if cell is None:
        beside = "That place lies beside the map. " if event.clicked else ""
        st.caption(f"{beside}Click the map to read a cell: its factors, and what the models say of it.")
        return
    st.markdown(_told(read_cell(result, *cell)))


def _told(reading: CellReading) -> str:
    from core.tasks.susceptibility.models import title_of

    parts = [f"x {reading.x:,.1f}, y {reading.y:,.1f}"]
    for model, value in reading.index.items():
        parts.append(f"**{title_of(model)} {'no index' if value is None else f'{value:.2f}'}**")
    if reading.uncertainty is not None:
        parts.append(f"spread {reading.uncertainty:.2f}")
    known = {name: "unknown" if value is None else f"{value:.4g}" for name, value in reading.values.items()}
    values = [f"{plain(name)} {value}" for name, value in known.items()]
    return " · ".join([*parts, *values])


def _provenance(view: MapView) -> None:
    from ui.task import provenance

    provenance.show_record(view.result, "see the inputs above")
    st.markdown("**What was done to each raster**")
    st.markdown("\n".join(f"- {plain(one)}" for one in view.result.layers))


def show_area(data: AreaData) -> None:
    """The ground and the landslides of an area of which no map was made yet."""
    from core.raster.scene import Scene

    st.info("Check the factors and press *Map susceptibility*. Models are tested on folds that they have not seen.")
    first = data.dem or data.factors[0]
    scene = Scene.open(first.path, first.name)
    if scene.grid.crs is None:
        return
    over: tuple[Outlines, ...] = ()
    if data.inventory is not None:
        with guard():  # one that lies elsewhere is told of before anything is asked
            over = layers.inventory_outlines(data.key, data.inventory, scene.grid)
    spec = MapSpec(f"area-{first.id}", scene.grid, drawable=False)
    show_map(spec, DynamicLayers(layers.ground(data.dem), over), key=f"map-area-{first.id}", around="20rem")
