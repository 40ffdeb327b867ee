"""Before and after: where the probability rose, and which polygons were not there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError
from core.learning.metrics import CODES, SHARE, SIGNED_NODATA, encode_signed, threshold_code
from core.raster.align import scene_on_grid
from core.raster.scene import Scene
from core.raster.write import write_array
from core.tasks.mapping.findings import Findings, find
from core.tasks.mapping.result import CHANGE, PROBABILITY, MappingResult
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame

    from core.raster.grid import Grid

STEPS = CODES - 1
NODATA_CHANGE = SIGNED_NODATA
"""Change is stored as int16: probability after minus before, times 254."""

MOSTLY_OLD = 0.5
"""Share of what was seen of a polygon that was mapped before, from which it is not new."""

MOSTLY_KNOWN = 0.5
"""Share of a polygon that the earlier run has data of, from which it can be called new or old."""


@dataclass(frozen=True)
class Change:
    """What is new between two runs on the later one's grid.

    Attributes
    ----------
    difference
        (height, width) float32, probability after minus before; NaN where either has no data.
    new
        Polygons of the later run that were mostly seen before, and of which less than half of what was seen was mapped,
        with columns ``share_known`` and ``share_before`` (of what was seen).
    unseen
        Polygons of which less than half was seen before: whether they are new is not known. With the same columns,
        ``share_before`` NaN where nothing was seen.
    findings
        The later run's findings.
    """

    difference: NDArray[np.float32]
    new: GeoDataFrame
    unseen: GeoDataFrame
    findings: Findings

    @property
    def old(self) -> int:
        """How many polygons of the later run were mapped before as well."""
        return len(self.findings.polygons) - len(self.new) - len(self.unseen)


def compare(before: MappingResult, after: MappingResult, choice: Choice, dem: Path | None = None) -> Change:
    """Compare two runs of the same place.

    Parameters
    ----------
    before, after
        Runs of the earlier and the later scene; the earlier one is laid on the later one's grid (nearest).
    choice
        Threshold and areas, for both.

    Raises
    ------
    GridError
        When one has a coordinate system and the other not, when sizes differ in pixel space, or without overlap.
    """
    return compare_findings(before, find(after, choice, dem))


def compare_findings(before: MappingResult, findings: Findings) -> Change:
    """Compare what was found in a later run, at its choice, with an earlier one of the same place; see `compare`."""
    after, choice = findings.result, findings.choice
    earlier = _codes_on(before, after)
    now = np.where(findings.valid, _codes_on(after, after), 255).astype(np.uint8)
    known = (earlier != 255) & (now != 255)
    if not known.any():
        raise GridError(
            "The two images have no valid pixel in common.", "They cannot be compared.", "Check both images."
        )
    difference = np.where(known, (now.astype(np.float32) - earlier) / 254, np.nan).astype(np.float32)
    polygons = _beside_before(findings, earlier, choice)
    seen = polygons["share_known"] >= MOSTLY_KNOWN
    new = polygons[seen & (polygons["share_before"] < MOSTLY_OLD)].reset_index(drop=True)
    return Change(difference, new, polygons[~seen].reset_index(drop=True), findings)


def _codes_on(result: MappingResult, target: MappingResult) -> NDArray[np.uint8]:
    scene = Scene.open(result.artifact(PROBABILITY))
    window = Window(0, 0, target.grid.width, target.grid.height)
    with scene_on_grid(scene, target.grid, bands=(1,), resampling="nearest") as reader:
        patch = reader.read(window)
    return np.where(patch.valid, patch.values[0], 255).astype(np.uint8)


def _beside_before(findings: Findings, earlier: NDArray[np.uint8], choice: Choice) -> GeoDataFrame:
    """Polygons of the later run with the share that was seen before, and the share of that which was mapped."""
    from scipy import ndimage

    labels, count = ndimage.label(findings.mask, structure=np.ones((3, 3)))
    known = earlier != 255
    mapped = known & (earlier >= threshold_code(choice.threshold))
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    seen = np.bincount(labels.ravel(), weights=known.ravel(), minlength=count + 1)
    old = np.bincount(labels.ravel(), weights=mapped.ravel(), minlength=count + 1)
    rows, columns = _pixels_inside(findings.polygons, findings.result.grid)
    label = labels[rows, columns]
    before = np.divide(old[label], seen[label], out=np.full(len(label), np.nan), where=seen[label] > 0)
    return findings.polygons.assign(
        share_known=np.round(seen[label] / pixels[label], 3), share_before=np.round(before, 3)
    )


def _pixels_inside(polygons: GeoDataFrame, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of a pixel inside each polygon."""
    points = shapely.get_coordinates(polygons.geometry.representative_point().to_numpy())
    place = ~grid.transform if grid.is_georeferenced else Affine.identity()
    columns = place.a * points[:, 0] + place.b * points[:, 1] + place.c
    rows = place.d * points[:, 0] + place.e * points[:, 1] + place.f
    return np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)


def write_change(change: Change, path: Path) -> None:
    """Write the difference as a COG: int16, probability after minus before times 254, −32768 nodata."""
    write_array(
        path, change.findings.result.grid, encode_signed(change.difference)[None], nodata=NODATA_CHANGE,
        descriptions=(CHANGE,),
        tags={"encoding": "probability after minus before = value / 254; -32768 nodata"},
        scale=SHARE, unit="1",
    )  # fmt: skip
