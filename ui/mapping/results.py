"""What a run found: sliders that act at once, the map, and the tabs below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import guard, plain
from ui.jobs import missing_files
from ui.map_layers import Outlines, Tiles, found_outlines, reference_outlines, run_tiles, scene_tiles
from ui.mapping import why
from ui.mapping.outlines import drawn, landslides, tell_left_out
from ui.mapping.run import tell_area
from ui.mapping.view import View, area_text
from ui.maps import DynamicLayers, MapEvent, MapSpec, show_map, show_swipe
from ui.state import rerun_fragment

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from core.mapping.findings import Choice, Landslides
    from core.mapping.result import MappingResult
    from core.runs.records import Run, SceneRecord

AROUND = "29rem"
"""Height that the sliders above the map and the names of the tabs below it need."""

SIDES = {
    "none": "Layers",
    "probability": "Swipe image / probability",
    "before": "Swipe before / after",
}


def map_key(record: SceneRecord) -> str:
    """Key of the map of a scene, with and without a run."""
    return f"mapping-map-{record.id}"


def choose(result: MappingResult) -> Choice:
    """The sliders that only post-process; their values stand in the address."""
    from core.mapping.findings import Choice, default_choice

    default = default_choice(result, result.threshold)
    unit = "m²" if result.grid.is_georeferenced else "px"
    columns = st.columns([2, 1, 1])
    with columns[0]:
        threshold = st.slider(
            "Threshold", 0.0, 1.0, round(default.threshold, 2), 0.01, key="threshold", bind="query-params",
            help="Probability from which a pixel counts as landslide. Lower finds more and raises more false alarms.",
        )  # fmt: skip
    with columns[1]:
        smallest = st.number_input(
            f"Minimum area ({unit})", 0.0, value=default.minimum_area, step=max(default.minimum_area / 10, 1.0),
            format="%.0f", key="minimum", bind="query-params",
            help="Smaller polygons are dropped. The default is ten pixels.",
        )  # fmt: skip
    with columns[2]:
        holes = st.number_input(
            f"Fill holes up to ({unit})", 0.0, value=0.0, step=max(default.minimum_area / 10, 1.0), format="%.0f",
            key="holes", bind="query-params", help="Gaps inside a polygon up to this area are filled.",
        )  # fmt: skip
    return Choice(threshold, smallest, holes)


@st.fragment
def show(record: SceneRecord, result: MappingResult) -> None:
    """Sliders, map and tabs of a run. A fragment: moving a slider leaves the rest of the page alone."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        _show(record, result)


def _show(record: SceneRecord, result: MappingResult) -> None:
    from ui.mapping.tabs import show_tabs

    _notes(record, result)
    choice = choose(result)
    findings = None
    with guard():
        findings = landslides(record, result, choice)
    selected_key = f"selected-{result.id}"
    _forget_other_choice(choice, result)
    sides = _sides(record)
    side = "none"
    if len(sides) > 1:
        side = st.segmented_control(
            "Map", sides, default="none", key=f"side-{len(sides)}", format_func=SIDES.__getitem__,
            label_visibility="collapsed", required=True,
        )  # fmt: skip
    event = MapEvent()
    with guard():
        event = _map(record, result, choice, findings, side, st.session_state.get(selected_key))
    if side == "none":
        _follow(event, selected_key, result)
        tell_area(event)
    clicked = _clicked(event, result)
    with guard():
        _inspect(record, result, event, clicked)
    if findings is not None:
        tell_left_out(findings)
    view = View(record, result, choice, findings, st.session_state.get(selected_key), clicked)
    show_tabs(view)


def _forget_other_choice(choice: Choice, result: MappingResult) -> None:
    """Drop the chosen polygon when the sliders move: polygons are numbered anew, by area."""
    key = f"choice-{result.id}"
    if st.session_state.get(key, choice) != choice:
        st.session_state.pop(f"selected-{result.id}", None)
    st.session_state[key] = choice


def _notes(record: SceneRecord, result: MappingResult) -> None:
    """What must be known about this result, in one quiet block; a scene the model has seen is a warning."""
    seen = result.provenance["scene"]["seen_by_model"]
    text = "  \n".join(plain(note) for note in result.notes)
    if record.scene.digest != result.scene_digest:
        st.warning("The scene's file was replaced since this run: the image is not the one that was mapped.")
    if seen:
        st.warning(text)
    elif text:
        st.caption(text)


def _follow(event: MapEvent, selected_key: str, result: MappingResult) -> None:
    """Let a new click on a polygon select it; an old click must not undo a choice in the table."""
    last_key = f"last-click-{result.id}"
    if event.clicked is not None and event.clicked != st.session_state.get(last_key):
        st.session_state[last_key] = event.clicked
        st.session_state[selected_key] = event.selected
        st.session_state[f"from-table-{result.id}"] = False
        rerun_fragment()


def _clicked(event: MapEvent, result: MappingResult) -> tuple[int, int] | None:
    if event.clicked is None:
        return None
    if result.grid.is_georeferenced:
        row, column = result.grid.rowcol(*event.clicked)
    else:
        column, row = (int(place // 1) for place in event.clicked)
    return (row, column) if 0 <= row < result.grid.height and 0 <= column < result.grid.width else None


def _inspect(
    record: SceneRecord, result: MappingResult, event: MapEvent, clicked: tuple[int, int] | None
) -> None:
    """Say what is known of the pixel that was clicked."""
    if clicked is None:
        outside = "That place lies outside the mapped part. " if event.clicked else ""
        st.caption(f"{outside}Click the map to read a pixel or choose a landslide.")
        return
    from core.runs.inspect import inspect

    pixel = inspect(record.scene, result, *clicked)
    parts = [f"Row {pixel.row}, column {pixel.column}"]
    if result.grid.is_georeferenced:
        parts.append(f"x {pixel.x:,.1f}, y {pixel.y:,.1f}")
    parts.append("no data" if pixel.probability is None else f"**probability {pixel.probability:.2f}**")
    if pixel.uncertainty is not None:
        parts.append(f"spread {pixel.uncertainty:.2f}")
    if pixel.truth is not None:
        parts.append("landslide in the reference" if pixel.truth else "no landslide in the reference")
    values = [f"{plain(name)} {'no data' if value is None else f'{value:g}'}" for name, value in pixel.values.items()]
    st.markdown(" · ".join([*parts, *values[:8]]))


def _sides(record: SceneRecord) -> list[str]:
    return ["none", "probability", *(["before"] if record.before else [])]


def _map(
    record: SceneRecord,
    result: MappingResult,
    choice: Choice,
    findings: Landslides | None,
    side: str,
    selected: int | None,
) -> MapEvent:
    spec = MapSpec(record.id, record.scene.grid)
    outlines = _outlines(record, findings, selected)
    image = scene_tiles(record.id, version=record.scene.digest)
    probability = run_tiles(result.id, "probability", threshold=None)
    if side == "probability":
        show_swipe(spec, image, probability, key="swipe-probability", over=outlines, around=AROUND)
        return MapEvent()
    if side == "before":
        earlier = scene_tiles(record.before, "Before", layer_id="before")
        after = scene_tiles(record.id, "After", version=record.scene.digest)
        show_swipe(spec, earlier, after, key="swipe-before", over=outlines, around=AROUND)
        return MapEvent()
    tiles = [image, run_tiles(result.id, "probability", opacity=0.7, visible=False)]
    tiles.append(run_tiles(result.id, "mask", threshold=choice.threshold, opacity=0.55))
    if "uncertainty" in result.artifacts:
        tiles.append(run_tiles(result.id, "uncertainty", visible=False))
    if result.has_truth:
        tiles.append(run_tiles(result.id, "truth", opacity=0.6, visible=False))
        tiles.append(run_tiles(result.id, "outcome", threshold=choice.threshold, opacity=0.8, visible=False))
    tiles.extend(_extra_tiles(result))
    focus = _focus(findings, selected, result)
    marker = st.session_state.get(f"last-click-{result.id}")
    layers = DynamicLayers(tuple(tiles), outlines, selected, marker, focus)
    return show_map(spec, layers, key=map_key(record), around=AROUND)


def _extra_tiles(result: MappingResult) -> list[Tiles]:
    """Layers of runs that stand on this one: the change since before, the explanation that is shown."""
    extra = []
    change = next(iter(_standing_on(result, "change")), None)
    if change is not None and change.parents[-1] == result.id:
        extra.append(run_tiles(change.id, "change", opacity=0.8, visible=False))
    explained = why.shown(result)
    if explained is not None and missing_files(explained) is None:
        extra.append(run_tiles(explained.id, "cam", opacity=0.6))
    return extra


def _standing_on(result: MappingResult, kind: str) -> list[Run]:
    """Finished runs that stand on this one, the newest first."""
    return [run for run in resources.store().children(result.id, kind) if run.status == "done"]


def _focus(
    findings: Landslides | None, selected: int | None, result: MappingResult
) -> tuple[float, float, float, float] | None:
    """Move to a polygon when it was chosen in the table; a click on the map is already there."""
    if findings is None or selected is None or not st.session_state.get(f"from-table-{result.id}"):
        return None
    chosen = findings.polygons[findings.polygons["id"] == selected]
    if chosen.empty:
        return None
    left, bottom, right, top = (float(value) for value in chosen.total_bounds)
    margin = max(right - left, top - bottom)
    return left - margin, bottom - margin, right + margin, top + margin


def _outlines(record: SceneRecord, findings: Landslides | None, selected: int | None) -> tuple[Outlines, ...]:
    parts = []
    reference = _reference(record)
    if reference is not None:
        parts.append(reference_outlines(reference, {}))
    if findings is not None and findings.count:
        polygons = drawn(findings, selected)
        parts.append(found_outlines(polygons, facts(polygons)))
    return tuple(parts)


def facts(polygons: GeoDataFrame) -> dict[str, list[str]]:
    """What the map says of each polygon when pointed at."""
    georeferenced = "area_m2" in polygons
    area = polygons["area_m2"] if georeferenced else polygons["area_px"]
    content = {
        "Landslide": [str(number) for number in polygons["id"]],
        "Area": [area_text(value, georeferenced) for value in area],
        "Mean probability": [f"{value:.2f}" for value in polygons["mean_probability"]],
    }
    if "slope_mean_deg" in polygons:
        slopes = polygons["slope_mean_deg"]
        content["Mean slope"] = [f"{value:.0f}°" if value == value else "unknown" for value in slopes]
    return content


@st.cache_resource(max_entries=8, show_spinner=False)
def _reference_polygons(path: Path, scene_digest: str, _record: SceneRecord) -> GeoDataFrame | None:
    del scene_digest  # part of the key
    from core.raster.reference import reference_outlines as outlines_of

    return outlines_of(path, _record.scene.grid)


def _reference(record: SceneRecord) -> GeoDataFrame | None:
    """Outlines of a vector inventory; a raster one is seen in the outcome layer."""
    found = None
    if record.truth is not None:
        with guard():
            found = _reference_polygons(record.truth, record.scene.digest, record)
    return found
