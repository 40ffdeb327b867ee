"""Boxes on the map: by confidence, by what the reference says of them, beside another model's; and their density."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.plots.colours import (
    DENSITY_RAMP,
    FALSE_POSITIVE,
    FOUND,
    MISSED,
    NOT_KNOWN,
    OTHER_MODEL,
    PROBABILITY_RAMP,
    REFERENCE,
    TRUE_POSITIVE,
    Legend,
    LegendEntry,
    confidence_legend,
    density_legend,
    ramp_colours,
)
from ui.map_layers import OUTCOME, Outlines
from ui.messages import tr_noop
from ui.task import judged
from ui.task.view import single_area_text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

HELD = 4000
"""Boxes that the map holds, the surest; a browser that is sent more becomes slow."""

DRAWN = 2000
"""Boxes that are drawn at once, the surest in view."""

CELLS = 3000
"""Cells of a density grid that are drawn."""

OUTCOMES = {"true": tr_noop("correct"), "false": tr_noop("false alarm"), "not known": tr_noop("not covered")}
"""What becomes of a box beside a reference, in words."""

OUTCOME_COLOURS = {"true": TRUE_POSITIVE, "false": FALSE_POSITIVE, "not known": NOT_KNOWN}

Facts = dict[str, list[str]]


def facts(table: GeoDataFrame) -> Facts:
    """What the map says of each box when pointed at."""
    georeferenced = "area_m2" in table
    content: Facts = {
        tr_noop("Detection"): [str(number) for number in table["id"]],
        tr_noop("Confidence"): [f"{score:.2f}" for score in table["score"]],
        tr_noop("Box area"): _areas(table, georeferenced=georeferenced),
    }
    if table["class"].nunique() > 1:
        content[tr_noop("Class")] = [str(name) for name in table["class"]]
    if "outcome" in table:
        content[tr_noop("Reference check")] = [OUTCOMES[outcome] for outcome in table["outcome"]]
    if judged.COLUMN in table:
        content[tr_noop("Review")] = table[judged.COLUMN].tolist()
    return content


def _areas(table: GeoDataFrame, *, georeferenced: bool) -> list[str]:
    return [single_area_text(value, georeferenced) for value in table["area_m2" if georeferenced else "area_px"]]


def _outlines(
    identity: str, name: str, table: GeoDataFrame, colour: str, told: Facts, colours: Sequence[str] = (), *,
    legend: Legend | None = None, selectable: bool = False, dashed: bool = False, visible: bool = True,
    seam: bool = True, switch: str = "", hides: tuple[str, ...] = (),
) -> Outlines:  # fmt: skip
    from core.serve.coordinates import features

    collection, left_out = features(table, told, colours=colours, most=HELD + 1)
    return Outlines(
        identity, name, collection, colour, selectable=selectable, dashed=dashed, visible=visible, left_out=left_out,
        legend=legend, weight=2.0, seam=seam, most=DRAWN, switch=switch, hides=hides,
    )  # fmt: skip


def by_confidence(table: GeoDataFrame, highest_confidence: float) -> Outlines:
    """Boxes coloured by how sure the detector is of them; a click selects one.

    Parameters
    ----------
    surest
        Highest confidence of the run. The colours end a little above it, wherever the sliders stand, because few
        detectors are ever very sure and all boxes would look the same.
    """
    most = max(0.1, math.ceil(highest_confidence * 10 - 1e-6) / 10)
    colours, words = ramp_colours(table["score"].to_numpy() / most, PROBABILITY_RAMP), confidence_legend(most)
    name = tr_noop("Detections (boxes)")
    return _outlines("found", name, table, FOUND, facts(table), colours, legend=words, selectable=True)


def by_outcome(table: GeoDataFrame, missed: GeoDataFrame) -> tuple[Outlines, Outlines]:
    """Boxes of the reference that were missed, and the boxes found, coloured by whether they are right.

    One switch shows both, in place of the boxes by confidence and of the reference.
    """
    colours = [OUTCOME_COLOURS[outcome] for outcome in table["outcome"]]
    entries = [LegendEntry(TRUE_POSITIVE, "Correct", "line"), LegendEntry(FALSE_POSITIVE, "False alarm", "line")]
    if (table["outcome"] == "not known").any():
        entries.append(LegendEntry(NOT_KNOWN, tr_noop("Not covered by the reference"), "line"))
    words = Legend("Reference check", tuple(entries))
    missing = Legend(words.title, (LegendEntry(MISSED, "Missed", "dashed"),))
    lost = _outlines(
        "missed", "Missed", missed, MISSED, {}, legend=missing, dashed=True, visible=False, switch=OUTCOME,
    )  # fmt: skip
    found = _outlines(
        "outcome", "Reference check", table, FOUND, facts(table), colours, legend=words, selectable=True,
        visible=False, switch=OUTCOME, hides=("found", "reference"),
    )  # fmt: skip
    return lost, found


def of_other(table: GeoDataFrame, name: str) -> Outlines:
    """Boxes of another detector, of this scene."""
    return _outlines("other", f"Detections of {name}", table, OTHER_MODEL, {}, dashed=True)


def density(cells: GeoDataFrame, title: str) -> Outlines:
    """A grid of how many boxes there are for each unit of area; empty cells are left open.

    Parameters
    ----------
    cells
        As `core.tasks.detection.findings.density` gives them.
    title
        What is counted, with its unit.
    """
    georeferenced = "per_km2" in cells
    # Where nothing was searched there is no density.
    values = np.nan_to_num(cells["per_km2" if georeferenced else "per_mpx"].to_numpy())
    grounds = cells["area_km2" if georeferenced else "area_px"].to_numpy()
    # One box in what is left of a cell at the scene's edge is no dense place: such cells do not stretch the colours.
    whole = grounds >= grounds.max(initial=0.0) / 2
    most = float(values[whole].max(initial=0.0)) or float(values.max(initial=0.0))
    filled = cells[values > 0].assign(id=np.arange(1, int((values > 0).sum()) + 1))
    colours = ramp_colours(values[values > 0] / most if most else values[values > 0], DENSITY_RAMP)
    from core.serve.coordinates import features

    collection, left_out = features(filled, {}, colours=colours, most=CELLS)
    return Outlines(
        "density", title, collection, REFERENCE, visible=False, left_out=left_out, legend=density_legend(title, most),
        fill=0.6, weight=0.5,
    )  # fmt: skip


