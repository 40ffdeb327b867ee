"""The sliders that only post-process stored candidates; their values stand in the page's address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from ui.choices import in_address
from ui.messages import tr, tr_noop
from ui.task.view import unit

if TYPE_CHECKING:
    from core.raster.grid import Grid
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.view import Choice, Merging

MOST_ACROSS = 150
"""Cells along the longer side of a scene: more show nothing that the boxes do not."""

MERGINGS: Mapping[Merging, str] = {
    "nms": tr_noop("Keep highest confidence (NMS)"), "fusion": tr_noop("Mean box (WBF)"),
}  # fmt: skip

def choose(result: DetectionResult) -> tuple[Choice, float]:
    """What to count as a box, and the side of the density grid's cells."""
    from core.tasks.detection.figure import cell_side
    from core.tasks.detection.findings import default_choice
    from core.tasks.detection.view import Choice

    default = default_choice(result)
    lowest, highest = ends(result)
    columns = st.columns([4, 4, 5, 3], vertical_alignment="bottom")
    with columns[0]:
        confidence = st.slider(
            tr("Confidence threshold"), lowest, highest, default.confidence, 0.01, key="confidence",
            bind="query-params",
            help=tr("Detections at or above this confidence are shown. A lower threshold finds more and raises more "
                 "false alarms. Candidates below {lowest:.2f} were not kept.").format(lowest=lowest),
        )  # fmt: skip
    with columns[1]:
        overlap = st.slider(
            tr("NMS IoU"), 0.05, 0.95, default.nms_iou, 0.05, key="overlap", bind="query-params",
            help=tr("Boxes with a larger intersection over union are merged. Lower merges more; higher keeps boxes of "
                 "touching landslides apart."),
        )  # fmt: skip
    with columns[2]:
        merging = in_address(
            tr("Merge overlapping boxes"), MERGINGS, default.merging, key="merging",
            help=tr("Non-maximum suppression keeps the box of highest confidence and removes the others; weighted "
                    "boxes "
                 "fusion takes their mean, weighted by confidence."),
        )  # fmt: skip
    with columns[3], st.popover(tr("More settings"), width="stretch"):
        area = unit(result.grid)
        pixel = (result.grid.ground_distance() or 1.0) ** 2
        smallest = st.number_input(
            tr("Minimum box area ({area})").format(area=area),
            0.0,
            value=default.minimum_area,
            step=max(10 * pixel, 1.0),
            format="%.0f",
            key="smallest",
            bind="query-params",
            help=tr("Smaller boxes are removed."),
        )
        sides = cells(result.grid)
        cell = st.selectbox(
            tr("Density grid cell size"), sides, sides.index(cell_side(result.grid)), key="cell", bind="query-params",
            format_func=lambda side: side_text(side, result.grid),
            help=tr("The density layer counts detections in squares of this size."),
        )  # fmt: skip
    return Choice(confidence, overlap, merging, smallest), cell


def ends(result: DetectionResult) -> tuple[float, float]:
    """Ends of the slider of confidence: candidates below the lower one were not kept."""
    from core.tasks.detection.findings import default_choice

    lowest = math.ceil(result.min_confidence * 100 - 1e-6) / 100
    return min(lowest, default_choice(result).confidence), 1.0


def side_text(side: float, grid: Grid) -> str:
    """The side of a cell with its unit."""
    if not grid.in_metres:
        return f"{side:,.0f} px"
    return f"{side / 1000:g} km" if side >= 1000 else f"{side:,.3g} m"


def cells(grid: Grid) -> list[float]:
    """Sides of squares in which boxes can be counted: 1, 2 or 5 times a power of ten, metres or pixels.

    They have at least four pixels, and at most some hundred lie along the longer side of the grid. That with which a
    report counts is among them.
    """
    from core.tasks.detection.figure import STEPS, cell_side

    pixel = grid.ground_distance() or 1.0
    longest = max(grid.shape) * pixel
    lowest = max(4 * pixel, longest / MOST_ACROSS)
    powers = range(math.floor(math.log10(lowest)), math.ceil(math.log10(longest)) + 1)
    sides = {step * 10.0**power for power in powers for step in STEPS}
    return sorted({side for side in sides if lowest <= side <= longest} | {cell_side(grid)})


def address_of(choice: Choice) -> dict[str, str]:
    """The sliders' values as they stand in the address; whole, or it would open at other boxes than those seen."""
    return {
        "confidence": f"{choice.confidence:.2f}",
        "overlap": f"{choice.nms_iou:.2f}",
        "merging": choice.merging,
        "smallest": f"{choice.minimum_area!r}",
    }
