"""What a detector found: sliders that act at once, the map, and the tabs below it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.detection.result import DetectionResult
from core.tasks.detection.searched import searched_area
from ui import resources
from ui.choices import words_of
from ui.detection import beside, layers, slots
from ui.detection.findings import rate, told
from ui.detection.sliders import choose, ends
from ui.detection.task import PAGE
from ui.detection.view import View, counted, density_title, found
from ui.feedback import guard
from ui.map_layers import Outlines, Tiles, hillshade_tiles, reference_outlines, scene_tiles, terrain_tiles
from ui.maps import DynamicLayers, MapEvent, MapSpec, show_map, show_swipe, told_by
from ui.messages import tr, tr_noop
from ui.task import bands, judged, kept, review, review_map
from ui.task.caption import caption
from ui.task.explain import explanation_tiles
from ui.task.inspector import clicked_pixel, invite, show_place
from ui.task.jobs import notice_runs
from ui.task.key_figures import KeyFigure, agreement_figures, mark_peak, peak_figure, show_key_figures, undefined_note
from ui.task.likeness import likeness_tiles
from ui.task.notes import show_maker, show_notes, show_warnings, warnings_of
from ui.task.reference import reference_layer
from ui.task.reviewing import is_open
from ui.task.run import tell_area
from ui.task.selection import Name, Selection, tell
from ui.task.view import whole_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame

    from core.runs.records import Run, SceneRecord
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.view import Choice

AROUND = "32rem"
"""Height that the sliders above the map and the names of the tabs below it need."""

SIDES = {"none": tr_noop("Layers"), "before": tr_noop("Swipe before / after")}


def show_run(record: SceneRecord, run: Run) -> None:
    """Show the result of a finished run."""
    show(record, _result(run.id))


@st.cache_resource(max_entries=16, show_spinner=False)
def _result(run: str) -> DetectionResult:
    """What a run computed, which never changes."""
    return resources.store().result(run, DetectionResult)


@st.fragment
def show(record: SceneRecord, result: DetectionResult) -> None:
    """Sliders, map and tabs of a run. A fragment: moving a slider leaves the rest of the page alone."""
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        _show(record, result)
        kept.remember()
        notice_runs()


def _show(record: SceneRecord, result: DetectionResult) -> None:
    from ui.detection.tabs import show_tabs

    head, reviewed = st.container(gap="xsmall"), is_open(PAGE.name)
    choice, cell = choose(result)
    findings = found(result.id, choice, result)
    if (peak := peak_of(findings)) is not None:
        mark_peak("confidence", peak[0], *ends(result))
    with head:
        show_maker(result)
        show_key_figures(key_figures(findings), _undefined(findings))
        if not reviewed:  # the bar of the review needs the room
            show_warnings(record, result)
    selection = Selection(result.id)
    spec = MapSpec(record.id, record.scene.grid)
    selection.follow(told_by(spec, key=PAGE.map_key(record)), spec.grid)
    selected = selection.among(findings.table["id"].tolist())
    with st.container(horizontal=True, vertical_alignment="center"):
        side = _side(record)
        show_notes(result, PAGE.name, warnings_of(record, result) if reviewed else ())
    event, at = MapEvent(), review.begin(PAGE, record, result, choice)
    with guard():
        event = _map(record, findings, cell, side, selection, selected, at)
    if side != "before" and at is None:
        tell_area(event, PAGE, record)
    clicked = clicked_pixel(selection.event, result.grid)
    with guard():
        if at is not None:
            if not at.together:
                tell(selection, "detection", review_map.told(at), review_map.absent(at))
        else:
            words = None if selected is None else [*told(findings, selected), *judged.decision(result.id, selected)]
            tell(selection, "detection", words, judged.absent(result.id, selection.current))
        _inspect(record, result, selection.event, clicked)
    _tell_left_out(findings)
    show_tabs(View(record, result, choice, cell, findings, selected, clicked, at))


def key_figures(findings: Detections) -> list[KeyFigure]:
    """What was found at a choice, and how far it agrees with the reference where there is one."""
    figures = [
        KeyFigure(tr("Detections"), f"{findings.count:,}", tr("Possible landslides at this confidence threshold."))
    ]
    whole = searched_area(findings.result) / 1e6
    if whole:
        area = "km²" if findings.result.grid.in_metres else "megapixel"
        figures.append(
            KeyFigure(
                tr("Per {area}").format(area=area),
                rate(findings.count / whole),
                tr("Detections per {area} of {whole_of}.").format(area=area, whole_of=whole_of(findings.result)),
            )
        )
    if findings.scores is not None:
        figures += agreement_figures(findings.scores, "detections", "landslides of the reference")
    if (peak := peak_of(findings)) is not None:
        figures.append(peak_figure("confidence", *peak, findings.result.place))
    return figures


def _undefined(findings: Detections) -> str:
    """Which scores above the map are undefined, and why; empty where none is."""
    one = findings.scores
    return "" if one is None else undefined_note(one, "detection", one.found, one.truth)


def peak_of(findings: Detections) -> tuple[float, float] | None:
    """Confidence at which F1 is highest on this scene, to two decimals, and F1 there; None where nothing is scored."""
    curve = findings.curve
    if curve is None or not len(curve.confidence) or math.isnan(curve.at(0.0).recall):
        return None
    best = round(curve.best_confidence, 2)
    return best, curve.at(best).f1


def _side(record: SceneRecord) -> str:
    """What the map shows."""
    if not record.before:
        return "none"
    return str(
        st.segmented_control(
            tr("Map"), list(SIDES), default="none", key="boxes-side", format_func=words_of(SIDES),
            label_visibility="collapsed", required=True,
        )
    )  # fmt: skip


def _map(
    record: SceneRecord, findings: Detections, cell: float, side: str, selection: Selection, selected: Name | None,
    at: review.Reviewing | None,
) -> MapEvent:  # fmt: skip
    result, spec = findings.result, MapSpec(record.id, record.scene.grid)
    colours, says = bands.shown_of(record.scene), caption(record, result.id)
    image = scene_tiles(record.id, bands=colours, version=record.scene.digest)
    further = beyond(findings, selected)
    said = judged.judgements(result.id)
    boxes = _boxes(result.id, findings.choice, False, further, said, findings)
    if at is not None:
        boxes = (review_map.layer(at),)
    if side == "before":
        earlier = scene_tiles(record.before, tr_noop("Before"), bands=bands.shown_before(record), layer_id="before")
        after = scene_tiles(record.id, tr_noop("After"), bands=colours, version=record.scene.digest)
        show_swipe(spec, earlier, after, key="swipe-boxes", over=boxes, around=AROUND, caption=says)
        return MapEvent()
    over: list[Outlines] = []
    with guard():
        cells = counted(result.id, findings.choice, cell, findings)
        if findings.count:
            over.append(_density(result.id, findings.choice, cell, density_title(result), cells))
    over.extend([*_reference(record, findings), *boxes])
    if at is None:
        over.extend(judged.outline_of_made(result.id, selection.current, result.grid))
    if result.has_reference and at is None:
        over.extend(_boxes(result.id, findings.choice, True, further, said, findings))
    over.extend(beside.layers_of(record, result))
    tiles = [*hillshade_tiles(record), image, *terrain_tiles(record)]
    tiles += [*likeness_tiles(result), *(explanation_tiles(result) if at is None else ())]
    for extra in slots.layers(result):
        (tiles if isinstance(extra, Tiles) else over).append(extra)  # type: ignore[arg-type]
    focus = judged.focus(selection, findings.table, result.grid) if at is None else review_map.focus(at)
    marked = at.marked if at is not None else () if selected is None else (selected,)
    shows = DynamicLayers(tuple(tiles), tuple(over), marked, selection.place, focus, says, selection.arrival)
    return show_map(spec, shows, key=PAGE.map_key(record), around=AROUND)


@st.cache_resource(max_entries=16, show_spinner=False)
def _boxes(
    run: str, choice: Choice, outcome: bool, selected: Name | None, said: Mapping[str, str], _findings: Detections
) -> tuple[Outlines, ...]:
    """Boxes of a run at a choice, by confidence or by what the reference says of them.

    Parameters
    ----------
    selected
        Name of the chosen box where it is not among those that the map holds anyway.
    """
    del run, choice  # parts of the key
    table = judged.with_judgements(drawn(_findings, selected), said)
    if outcome:
        return layers.by_outcome(table, _findings.missed)
    return (layers.by_confidence(table, float(_findings.everything.scores.max(initial=0.0))),)


@st.cache_resource(max_entries=16, show_spinner=False)
def _density(run: str, choice: Choice, cell: float, title: str, _cells: GeoDataFrame) -> Outlines:
    del run, choice, cell  # parts of the key
    return layers.density(_cells, title)


def drawn(findings: Detections, beyond: Name | None) -> GeoDataFrame:
    """The boxes that the map holds: the surest, and the chosen one where it is not among them (see `beyond`)."""
    first = findings.table.head(layers.HELD)
    if beyond is None:
        return first
    import pandas

    rest = findings.table.iloc[layers.HELD :]
    return pandas.concat([first, rest[rest["id"] == beyond]])


def beyond(findings: Detections, selected: Name | None) -> Name | None:
    """The chosen box where it is not among the surest, which the map holds anyway."""
    if selected is None or selected in set(findings.table["id"].head(layers.HELD)):
        return None
    return selected


def _reference(record: SceneRecord, findings: Detections) -> list[Outlines]:
    """Outlines of a vector inventory; of a raster one its boxes, which are what boxes are compared with."""
    layer = reference_layer(record)
    if layer is None and findings.reference_boxes is not None:
        layer = _boxes_of_reference(findings.result.id, findings)
    return [] if layer is None else [layer]


@st.cache_resource(max_entries=8, show_spinner=False)
def _boxes_of_reference(run: str, _findings: Detections) -> Outlines:
    del run  # the key
    import geopandas
    import numpy as np

    from core.tasks.detection.findings import polygons

    reference_boxes, grid = _findings.reference_boxes, _findings.result.grid
    assert reference_boxes is not None  # noqa: S101  the caller looked
    numbers = {"id": np.arange(1, len(reference_boxes) + 1)}
    shapes = geopandas.GeoDataFrame(numbers, geometry=polygons(reference_boxes, grid), crs=_findings.table.crs)
    return reference_outlines(shapes, {}, tr_noop("Reference (boxes)"))


def _inspect(
    record: SceneRecord, result: DetectionResult, event: MapEvent, clicked: tuple[int, int] | None
) -> None:
    """Say what is known of the pixel that was clicked."""
    if clicked is None:
        invite(event, "detection")
        return
    from core.raster.sample import sample_pixel

    show_place(sample_pixel(record.scene, result.grid, *clicked), result.grid, [], record.dem)


def _tell_left_out(findings: Detections) -> None:
    """Say when the map does not hold all boxes."""
    parts = []
    if findings.left_out:
        parts.append(
            tr("There are very many candidates: the {left_out:,} of lowest confidence were left out before "
            "merging.").format(left_out=findings.left_out)
        )
    if findings.count > layers.HELD:
        parts.append(tr("The map holds the {held:,} of {count:,} detections with the highest "
                     "confidence; the density counts all.").format(held=layers.HELD, count=findings.count))
    if findings.count > layers.DRAWN:
        parts.append(
            tr("It draws the {drawn:,} in view with the highest confidence: zoom in to see more.").format(
                drawn=layers.DRAWN
            )
        )
    if parts:
        st.caption(" ".join(parts))
