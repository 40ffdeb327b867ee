"""The outline of a box: what a mapping model maps within a box that a detector found, as a run with a parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, ModelError
from core.explain.attribution import inside_box
from core.explain.window import write_part
from core.jobs.perform import Job, run_inline
from core.learning.metrics import CODES, NODATA_CODE, encode, threshold_code
from core.learning.preprocessing import Preprocessing, preprocessing_of
from core.learning.spec import ModelSpec
from core.learning.store import find_model
from core.raster.area import window_of
from core.raster.grid import Grid
from core.raster.progress import Cancel, ProgressCallback
from core.raster.strip_labelling import EIGHT
from core.raster.vectorize import polygons
from core.raster.windows import Region
from core.runs.records import Order, Run
from core.tasks.detection.box_target import box_target, known_on_box
from core.tasks.detection.findings import Detections
from core.tasks.detection.result import DetectionResult
from core.tasks.imagery.inputs import check_same_scene, scene_of
from core.tasks.imagery.provenance import preprocessing_record
from core.tasks.imagery.result import ImageResult, derived
from core.tasks.imagery.target import BoxTarget
from core.tasks.mapping.export import write_polygons
from core.tasks.mapping.findings import LARGEST
from core.tasks.mapping.predict import Predictor
from core.tasks.mapping.result import PROBABILITY
from core.tasks.mapping.run import Request, prepare

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from core.runs.store import Store

KIND: Final = "outline"
OUTLINE: Final = "outline"
"""Role of the GeoPackage with the outline; there is none where nothing was mapped in the box."""

MARGIN = 0.25
"""Share of a box's longer side by which it is widened on each side: detectors cut landslides' ends off."""

LEAST_MARGIN = 4
"""Pixels by which every box is widened at least."""

MOSTLY = 0.5
"""Share of a mapped patch that must lie in the box for the patch to be of it."""

MOST_AT_ONCE = 1_000_000
"""Pixels around a box up to which it is outlined while a page waits."""


@dataclass(frozen=True)
class OutlineQuestion:
    """Which box is to be outlined, and by what.

    Attributes
    ----------
    target
        The box.
    model
        Name of a mapping model.
    threshold
        Probability from which a pixel is landslide; None takes the model's own.
    """

    target: BoxTarget
    model: str
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise InputError(f"The threshold {self.threshold:g} is not between 0 and 1.")

    def to_json(self) -> dict[str, Any]:
        """The parameters of its run."""
        return {"model": self.model, "threshold": self.threshold, "target": self.target.to_json()}

    @classmethod
    def from_json(cls, parameters: Mapping[str, Any]) -> OutlineQuestion:
        """The question that a run's parameters ask."""
        return cls(BoxTarget.from_json(parameters["target"]), parameters["model"], parameters["threshold"])

    def region(self, grid: Grid) -> Region:
        """The box and its margin on a scene's pixels."""
        left, top, right, bottom = self.target.box
        margin = max(LEAST_MARGIN, MARGIN * max(right - left, bottom - top))
        row, column = max(0, int(np.floor(top - margin))), max(0, int(np.floor(left - margin)))
        end_row = min(grid.height, int(np.ceil(bottom + margin)))
        end_column = min(grid.width, int(np.ceil(right + margin)))
        if end_row <= row or end_column <= column:
            raise InputError("The box lies outside the image.")
        return Region(row, column, end_row - row, end_column - column)

    def is_large(self, grid: Grid) -> bool:
        """Whether it takes longer than a page should wait."""
        region = self.region(grid)
        return region.height * region.width > MOST_AT_ONCE


def outline_question(
    detections: Detections, box: str | int, model: str, threshold: float | None = None
) -> OutlineQuestion:
    """Ask for the outline of a box by its id at a choice, or by its place in the table, from 1.

    Raises
    ------
    InputError
        When there is no such box, or no such threshold.
    """
    return OutlineQuestion(box_target(detections, box), model, threshold)


def order_outline(result: DetectionResult, question: OutlineQuestion, *, owner: str = "") -> Order:
    """The order of the outline of a box of a run.

    Raises
    ------
    InputError
        When there is no such model.
    """
    find_model("mapping", question.model)
    return Order("detection", KIND, question.to_json(), result.inputs, question.model, (result.id,), owner)


def known_outline(store: Store, result: DetectionResult, question: OutlineQuestion) -> Run | None:
    """The run that outlines a box as asked, or is to; without one, that which failed last."""
    return known_on_box(store, result, KIND, question.to_json())


def outline_box(store: Store, result: DetectionResult, question: OutlineQuestion) -> ImageResult:
    """Outline one box in this process, and keep the outline as a run.

    Raises
    ------
    LandslideError
        When the scene lacks bands that the mapping model needs, or the box cannot be read.
    """
    return store.result(run_inline(store, order_outline(result, question)), ImageResult)


def compute_outline(job: Job, question: OutlineQuestion) -> ImageResult:
    """Do the work of a run of kind ``"outline"``."""
    result, scene = job.parent(DetectionResult), scene_of(job.store, job.run).scene
    check_same_scene(result.scene_digest, scene)
    spec = find_model("mapping", question.model).spec
    region = question.region(scene.grid)
    if region.height * region.width > LARGEST:
        raise InputError(
            f"The box and its margin cover {region.height * region.width / 1e6:.0f} megapixels; the limit for "
            f"outlining a box is {LARGEST / 1e6:.0f}.",
            remedy="Map the image, or draw an area and map that.",
        )
    model, how, predictor = prepare(job.store, scene, Request(spec.name, bands=known_bands(result).get(spec.bands)))
    threshold = spec.threshold if question.threshold is None else question.threshold
    codes = _codes(predictor, region, job.counting("Mapping tile"), job.stopped)
    grid = scene.grid.window(window_of(region))
    left, top, right, bottom = question.target.box
    moved = (left - region.column, top - region.row, right - region.column, bottom - region.row)
    inside = inside_box(moved, codes.shape)
    mapped = codes != NODATA_CODE
    mapped &= codes >= threshold_code(threshold)
    patch, notes = _of_the_box(mapped, inside)
    notes = (*how.notes, *notes)
    files = {PROBABILITY: f"{PROBABILITY}.tif"}
    placed = write_part(
        job.folder / files[PROBABILITY], scene.grid, region, codes, nodata=NODATA_CODE, descriptions=(PROBABILITY,)
    )
    numbers: dict[str, float] = {"box_share": float(patch[inside].mean()) if inside.any() else 0.0}
    if patch.any():
        files[OUTLINE] = f"{OUTLINE}.gpkg"
        frame = _one_outline(patch, codes, grid, scene.grid, region)
        measured = [name for name in ("area_m2", "area_px", "mean_probability") if name in frame]
        numbers |= {name: float(frame[name].iloc[0]) for name in measured}
        write_polygons(_signed(frame, result, question, spec, threshold), job.folder / files[OUTLINE])
    else:
        highest = float(codes[inside & (codes != NODATA_CODE)].max(initial=0)) / (CODES - 1)
        notes = (*notes, f"No probability in the box reaches {threshold:.2f}; the highest is {highest:.2f}.")
    record = {
        "model": {"name": spec.name, "weights_sha256": model.spec.weights_sha256, "threshold": threshold},
        "detector": dict(result.provenance.get("model", {})),
        "target": question.target.to_json(),
        "window": [region.row, region.column, region.height, region.width],
        "bridge": preprocessing_record(how, spec),
        "runtime": {"name": predictor.runtime.name, "threads": predictor.runtime.threads},
    }
    return derived(job, result, files, record, grid=placed, notes=notes, numbers=numbers, model=spec.name)


def known_bands(result: DetectionResult) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """Bands of the scene that the detector was given, by its roles: a mapping model that sees the same is given those.

    Empty where they are not recorded; then they are guessed.
    """
    if "bridge" not in result.provenance:
        return {}
    how: Preprocessing = preprocessing_of(result.provenance)
    try:
        detector = find_model("detection", result.model).spec
    except ModelError:
        return {}
    return {detector.bands: how.bands}


def _codes(predictor: Predictor, region: Region, progress: ProgressCallback, cancel: Cancel) -> NDArray[np.uint8]:
    """Probability codes (height, width) of a region of the scene, as a mapping of all of it would give them."""
    codes = np.full((region.height, region.width), NODATA_CODE, dtype=np.uint8)
    with predictor.scene.reader() as reader:
        for strip, values in predictor.strips(region, progress, cancel):
            valid = reader.read(predictor.preprocessing.bands, window_of(strip)).valid
            rows = slice(strip.row - region.row, strip.end_row - region.row)
            columns = slice(strip.column - region.column, strip.end_column - region.column)
            codes[rows, columns] = np.where(valid, encode(values[0]), NODATA_CODE)
    return codes


def _of_the_box(mapped: NDArray[np.bool_], inside: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], tuple[str, ...]]:
    """Patches that lie mostly in the box, or what of a larger one lies in it; and what must be said of that."""
    from scipy import ndimage

    labels, count = ndimage.label(mapped, structure=EIGHT)
    pixels = np.bincount(labels.ravel(), minlength=count + 1)
    shared = np.bincount(labels[inside], minlength=count + 1)
    belongs = shared >= MOSTLY * pixels
    belongs[0] = False
    patch = belongs[labels]
    if patch.any() or not (mapped & inside).any():
        return patch, ()
    return mapped & inside, (
        "The mapped area extends far beyond the box: the outline is cut off at the edge of the processed area.",
    )  # fmt: skip


def _one_outline(
    patch: NDArray[np.bool_], codes: NDArray[np.uint8], grid: Grid, whole: Grid, region: Region
) -> GeoDataFrame:
    """One row: all patches together, in the scene's coordinates, measured."""
    import geopandas
    import shapely

    parts = polygons(patch, grid, codes)
    outline = shapely.union_all(parts.geometry.to_numpy())
    if not whole.is_georeferenced:
        outline = shapely.affinity.translate(outline, region.column, region.row)
    weights = parts["area_px"].to_numpy(dtype=np.float64)
    measured = {name: [parts[name].sum()] for name in ("area_m2", "area_px") if name in parts}
    mean = float(np.average(parts["mean_probability"], weights=weights)) / (CODES - 1)
    content = {"parts": [len(parts)], **measured, "mean_probability": [mean]}
    return geopandas.GeoDataFrame(content, geometry=[outline], crs=parts.crs)


def _signed(
    frame: GeoDataFrame, result: DetectionResult, question: OutlineQuestion, spec: ModelSpec, threshold: float
) -> GeoDataFrame:
    """The outline with where it came from, for whoever opens the file alone."""
    target = question.target
    return frame.assign(
        id=str(target.number or ""), score=target.score, threshold=threshold, model=spec.name, detector=result.model,
        run=result.id,
    )  # fmt: skip


def read_outline(outline: ImageResult) -> GeoDataFrame | None:
    """The outline that a finished run holds, one row; None where nothing was mapped in the box.

    Raises
    ------
    StorageError
        When its file is gone or damaged.
    """
    if OUTLINE not in outline.artifacts:
        return None
    from core.raster.geopackage import first_rows

    return first_rows(outline.artifact(OUTLINE), 1)
