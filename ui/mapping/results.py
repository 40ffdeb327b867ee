"""What a run found: sliders that act at once, the map, and the tabs below it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.mapping.result import MappingResult
from ui import resources
from ui.choices import words_of
from ui.feedback import guard
from ui.map_layers import Outlines, Tiles, found_outlines, hillshade_tiles, run_tiles, scene_tiles, terrain_tiles
from ui.mapping.figures import key_figures, peak, scores_note
from ui.mapping.findings import facts, told
from ui.mapping.layers import change_tiles
from ui.mapping.limits import limits_of
from ui.mapping.outlines import beyond, drawn, landslides, tell_left_out
from ui.mapping.task import PAGE
from ui.mapping.view import View
from ui.maps import DynamicLayers, MapEvent, MapSpec, show_map, show_swipe, told_by
from ui.messages import tr, tr_noop
from ui.task import bands, judged, kept, review, review_map
from ui.task.caption import caption
from ui.task.explain import explanation_tiles
from ui.task.inspector import clicked_pixel, invite, show_place
from ui.task.jobs import notice_runs
from ui.task.key_figures import mark_peak, show_key_figures
from ui.task.likeness import likeness_tiles
from ui.task.notes import show_maker, show_notes, show_warnings, warnings_of
from ui.task.reference import reference_layer
from ui.task.reviewing import is_open
from ui.task.run import tell_area
from ui.task.selection import Name, Selection, tell
from ui.task.tabs import open_tab
from ui.task.view import unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.runs.records import Run, SceneRecord
    from core.tasks.mapping.findings import Landslides
    from core.tasks.mapping.view import Choice

AROUND = "32rem"
"""Height that the sliders above the map and the names of the tabs below it need."""

LATER = tr_noop("Found landslides of the later image (outlines)")
"""What the outlines are called where the earlier image lies beside them."""

SIDES = {
    "none": tr_noop("Layers"),
    "probability": tr_noop("Swipe image / probability"),
    "before": tr_noop("Swipe before / after"),
}


def choose(result: MappingResult) -> Choice:
    """The sliders that only post-process; their values stand in the address."""
    from core.tasks.mapping.findings import default_choice
    from core.tasks.mapping.view import Choice

    default = default_choice(result, result.threshold)
    area = unit(result.grid)
    columns = st.columns([2, 1, 1])
    with columns[0]:
        threshold = st.slider(
            tr("Threshold"), 0.0, 1.0, round(default.threshold, 2), 0.01, key="threshold", bind="query-params",
            help=tr("Pixels at or above this probability count as landslide. A lower threshold finds more and raises "
                 "more false alarms."),
        )  # fmt: skip
        if (best := peak(result)) is not None:
            mark_peak("threshold", best[0])
    with columns[1]:
        smallest = st.number_input(
            tr("Minimum area ({area})").format(area=area),
            0.0,
            value=default.minimum_area,
            step=max(default.minimum_area / 10, 1.0),
            format="%.0f",
            key="minimum",
            bind="query-params",
            help=tr("Smaller polygons are removed. The default is about ten pixels, rounded."),
        )
    with columns[2]:
        holes = st.number_input(
            tr("Fill holes up to ({area})").format(area=area),
            0.0,
            value=0.0,
            step=max(default.minimum_area / 10, 1.0),
            format="%.0f",
            key="holes",
            bind="query-params",
            help=tr("Gaps inside a polygon up to this area are filled."),
        )
    return Choice(threshold, smallest, holes)


def show_run(record: SceneRecord, run: Run) -> None:
    """Show the result of a finished run."""
    show(record, _result(run.id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _result(run: str) -> MappingResult:
    """What a run computed, which never changes."""
    from core.tasks.mapping.result import MappingResult

    return resources.store().result(run, MappingResult)


@st.fragment
def show(record: SceneRecord, result: MappingResult) -> None:
    """Sliders, map and tabs of a run. A fragment: moving a slider leaves the rest of the page alone."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        _show(record, result)
        kept.remember()
        notice_runs()


def _show(record: SceneRecord, result: MappingResult) -> None:
    from ui.mapping.tabs import show_tabs

    head, reviewed = st.container(gap="xsmall"), is_open(PAGE.name)
    choice = choose(result)
    findings = None
    with guard():
        findings = landslides(record, result, choice)
    with head:
        show_maker(result)
        show_key_figures(key_figures(result, choice, findings), scores_note(result, choice))
        if not reviewed:  # the bar of the review needs the room
            show_warnings(record, result)
    selection = Selection(result.id)
    spec = MapSpec(record.id, record.scene.grid)
    selection.follow(told_by(spec, key=PAGE.map_key(record)), spec.grid)
    selected = None if findings is None else selection.among(findings.polygons["id"].tolist())
    with st.container(horizontal=True, vertical_alignment="center"):
        side = _side(record)
        show_notes(result, PAGE.name, warnings_of(record, result) if reviewed else (), limits_of(result))
    event, at = MapEvent(), review.begin(PAGE, record, result, choice)
    with guard():
        event = _map(record, result, choice, findings, side, selection, selected, at)
    if side == "none" and at is None:
        tell_area(event, PAGE, record)
    clicked = clicked_pixel(selection.event, result.grid)
    with guard():
        if at is not None:
            if not at.together:
                tell(selection, "landslide", review_map.told(at), review_map.absent(at))
        else:
            words = None
            if findings is not None and selected is not None:
                words = [*told(findings, selected), *judged.decision(result.id, selected)]
            tell(selection, "landslide", words, judged.absent(result.id, selection.current))
        _inspect(record, result, selection.event, clicked)
    if findings is not None:
        tell_left_out(findings)
    view = View(record, result, choice, findings, selected, clicked, at)
    show_tabs(view)


def _inspect(
    record: SceneRecord, result: MappingResult, event: MapEvent, clicked: tuple[int, int] | None
) -> None:
    """Say what is known of the pixel that was clicked."""
    if clicked is None:
        invite(event, "landslide")
        return
    from core.tasks.mapping.pixel import sample_run

    pixel = sample_run(record.scene, result, *clicked)
    found = ["no data" if pixel.probability is None else f"**probability {pixel.probability:.2f}**"]
    if pixel.uncertainty is not None:
        found.append(f"spread {pixel.uncertainty:.2f}")
    if pixel.reference is not None:
        found.append("landslide in the reference" if pixel.reference else "no landslide in the reference")
    show_place(pixel, result.grid, found, record.dem)


def _side(record: SceneRecord) -> str:
    """What the map shows."""
    sides = ["none", "probability", *(["before"] if record.before else [])]
    return str(
        st.segmented_control(
            tr("Map"), sides, default="none", key=f"side-{len(sides)}", format_func=words_of(SIDES),
            label_visibility="collapsed", required=True,
        )
    )  # fmt: skip


def _map(
    record: SceneRecord,
    result: MappingResult,
    choice: Choice,
    findings: Landslides | None,
    side: str,
    selection: Selection,
    selected: Name | None,
    at: review.Reviewing | None,
) -> MapEvent:
    spec = MapSpec(record.id, record.scene.grid)
    if at is None:
        made = judged.outline_of_made(result.id, selection.current, result.grid)
        outlines = (*_outlines(record, result, choice, findings, selected), *made)
    else:
        outlines = (*_outlines(record, result, choice, None, None), review_map.layer(at))
    colours = bands.shown_of(record.scene)
    image = scene_tiles(record.id, bands=colours, version=record.scene.digest)
    probability, says = run_tiles(result.id, "probability", threshold=None), caption(record, result.id)
    if side == "probability":
        show_swipe(spec, image, probability, key="swipe-probability", over=outlines, around=AROUND, caption=says)
        return MapEvent()
    if side == "before":
        earlier = scene_tiles(record.before, tr_noop("Before"), bands=bands.shown_before(record), layer_id="before")
        after = scene_tiles(record.id, tr_noop("After"), bands=colours, version=record.scene.digest)
        over = tuple(replace(one, name=LATER) if one.id == "found" else one for one in outlines)
        show_swipe(spec, earlier, after, key="swipe-before", over=over, around=AROUND, caption=says)
        return MapEvent()
    tiles = [*hillshade_tiles(record), image, *terrain_tiles(record)]
    tiles.append(run_tiles(result.id, "probability", opacity=0.7, visible=False))
    if at is None:
        tiles.append(run_tiles(result.id, "mask", threshold=choice.threshold, opacity=0.55))
    if "uncertainty" in result.artifacts:
        tiles.append(run_tiles(result.id, "uncertainty", visible=False))
    if result.has_reference:
        tiles.append(run_tiles(result.id, "truth", opacity=0.6, visible=False))
        how = {"threshold": choice.threshold, "opacity": 0.8}
        tiles.append(run_tiles(result.id, "outcome", **how, visible=False, hides=("mask",)))
    tiles.extend(likeness_tiles(result))
    tiles.extend(_extra_tiles(result) if at is None else ())
    shapes = None if findings is None else findings.polygons
    focus = judged.focus(selection, shapes, result.grid) if at is None else review_map.focus(at)
    marked = at.marked if at is not None else () if selected is None else (selected,)
    layers = DynamicLayers(tuple(tiles), outlines, marked, selection.place, focus, says, selection.arrival)
    return show_map(spec, layers, key=PAGE.map_key(record), around=AROUND)


def _extra_tiles(result: MappingResult) -> list[Tiles]:
    """Layers of runs that stand on this one: the change since before, the explanation that is shown."""
    extra = []
    change = next(iter(_standing_on(result, "change")), None)
    if change is not None and change.parents[-1] == result.id:
        extra.append(change_tiles(change.id, opacity=0.8, visible=open_tab(PAGE.name) == "Compare"))
    return [*extra, *explanation_tiles(result)]


def _standing_on(result: MappingResult, kind: str) -> list[Run]:
    """Finished runs that stand on this one, the newest first."""
    return [run for run in resources.store().children(result.id, kind) if run.status == "done"]


def _outlines(
    record: SceneRecord, result: MappingResult, choice: Choice, findings: Landslides | None, selected: Name | None
) -> tuple[Outlines, ...]:
    parts = [] if (reference := reference_layer(record)) is None else [reference]
    if findings is not None and findings.count:
        said = judged.judgements(result.id)
        parts.append(_found(result.id, choice, record.dem, beyond(findings, selected), said, findings))
    return tuple(parts)


@st.cache_resource(max_entries=16, show_spinner=False)
def _found(
    run: str, choice: Choice, dem: Path | None, selected: Name | None, said: Mapping[str, str], _findings: Landslides
) -> Outlines:
    """Outlines of a run at a choice; with the chosen landslide where it is not among the largest."""
    del run, choice, dem  # parts of the key
    polygons = judged.with_judgements(drawn(_findings, selected), said)
    return found_outlines(polygons, facts(polygons))
