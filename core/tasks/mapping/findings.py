"""What a probability raster says at a chosen threshold: polygons, areas, scores. No inference; all post-processing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import InputError
from core.learning.metrics import (
    CODES,
    COUNTED,
    NODATA_CODE,
    Confusion,
    ThresholdCurve,
    threshold_code,
    threshold_curve,
)
from core.raster.measure import row_areas
from core.raster.scene import Scene
from core.raster.vectorize import clean_mask, polygons
from core.tasks.mapping.baseline import THRESHOLD, code_threshold
from core.tasks.mapping.result import PROBABILITY, MappingResult
from core.tasks.mapping.size_frequency import SizeFrequency, fit_size_frequency
from core.tasks.mapping.view import Choice

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

LARGEST = 16_000_000
"""Pixels up to which polygons are made at once."""

SAME = 1e-12
"""Difference of two scores up to which they are the same."""

WHOLE = 0.9995
"""Share of the processed pixels from which a reference is said to cover all of them."""

SMALLEST_MAPPABLE = 10
"""Pixels below which a component is no landslide that an interpreter would map."""


def default_choice(result: MappingResult, threshold: float) -> Choice:
    """The model's threshold to two decimals, as a slider shows it, and an area of a few pixels as a round figure."""
    return Choice(round(threshold, 2), round_area(SMALLEST_MAPPABLE * pixel_area(result)))


def round_area(area: float) -> float:
    """An area with one digit that is not zero, as people choose areas: 987 m² becomes 1,000 m².

    Examples
    --------
    >>> round_area(987.0), round_area(1001.2), round_area(2.5), round_area(9010.0), round_area(10.0)
    (1000.0, 1000.0, 2.0, 9000.0, 10.0)
    """
    return round(area, -math.floor(math.log10(area))) if area > 0 else 0.0


def share_reached(result: MappingResult, threshold: float) -> float:
    """Share of the valid pixels that reach a threshold, before minimum area and hole filling; NaN without any."""
    pixels = int(result.counts.sum())
    return int(result.counts[:, threshold_code(threshold) :].sum()) / pixels if pixels else math.nan


def pixel_area(result: MappingResult) -> float:
    """Mean area of a pixel in m², or 1 in pixel space."""
    return float(np.mean(result.grid.pixel_areas())) if result.grid.in_metres else 1.0


@dataclass(frozen=True)
class Landslides:
    """Landslides of one run at one choice, measured.

    Attributes
    ----------
    result, choice
        The run and what was chosen.
    polygons
        One row a landslide, the largest first; columns as `core.raster.vectorize.polygons`. Of very many only the
        largest.
    areas
        (landslides,) area of every landslide, m² (px² in pixel space), the largest first.
    scene_area
        Area of the valid pixels, m² (px² in pixel space).
    """

    result: MappingResult
    choice: Choice
    polygons: GeoDataFrame
    areas: NDArray[np.float64]
    scene_area: float

    @property
    def count(self) -> int:
        """How many landslides there are."""
        return len(self.areas)

    @property
    def share(self) -> float:
        """Landslide area as a share of the valid area, NaN when nothing is valid."""
        return float(self.areas.sum()) / self.scene_area if self.scene_area else float("nan")

    @cached_property
    def sizes(self) -> SizeFrequency:
        """Size–frequency distribution of the landslides."""
        area = pixel_area(self.result)
        return fit_size_frequency(
            self.areas,
            pixel_area_m2=area if self.result.grid.in_metres else None,
            minimum_area_px=max(SMALLEST_MAPPABLE, round(self.choice.minimum_area / area)),
        )


@dataclass(frozen=True)
class Findings(Landslides):
    """Landslides of a run small enough to be held whole.

    Attributes
    ----------
    mask
        (height, width) bool after minimum area and hole filling.
    valid
        (height, width) bool, False where the scene has no data or lies outside the drawn area.
    """

    mask: NDArray[np.bool_]
    valid: NDArray[np.bool_]


def area_column(result: MappingResult) -> str:
    """Column of the polygons that holds their areas."""
    return "area_m2" if result.grid.in_metres else "area_px"


def least_pixels(result: MappingResult, choice: Choice) -> tuple[int, int]:
    """Pixels of the smallest landslide kept, and of the largest hole filled."""
    area = pixel_area(result)
    return int(np.ceil(choice.minimum_area / area - 1e-6)), int(np.floor(choice.fill_holes / area + 1e-6))


def find(result: MappingResult, choice: Choice, dem: Path | None = None) -> Findings:
    """Polygons of a run at a choice.

    Parameters
    ----------
    dem
        Elevation raster in metres, in any coordinate system; used only for a georeferenced result.

    Raises
    ------
    InputError
        When the raster has more than `LARGEST` pixels.
    StorageError
        When the probability raster is gone.
    """
    height, width = result.grid.shape
    if height * width > LARGEST:
        raise InputError(
            f"This image has {height * width / 1e6:.0f} megapixels; landslides are outlined directly up to "
            f"{LARGEST / 1e6:.0f}.",
            "Larger images would block the page.",
            "Start a background job for the outlines, or map a smaller area.",
        )
    codes = probability_codes(result)
    valid = codes != NODATA_CODE
    least, holes = least_pixels(result, choice)
    mask = clean_mask(
        valid & (codes >= threshold_code(choice.threshold)), minimum_area_px=least, fill_holes_px=holes, valid=valid
    )
    elevation = elevation_on(result, dem) if dem is not None and result.grid.is_georeferenced else None
    # Whole codes are summed, so that means are the same in however many parts a raster is taken.
    found = polygons(mask, result.grid, codes, elevation)
    found["mean_probability"] /= CODES - 1
    areas = found[area_column(result)].to_numpy(dtype=np.float64)
    per_row = row_areas(result.grid) if result.grid.in_metres else np.ones(height)
    return Findings(result, choice, found, areas, float(valid.sum(axis=1) @ per_row), mask, valid)


def probability_codes(result: MappingResult) -> NDArray[np.uint8]:
    """The probability raster as codes (height, width)."""
    with Scene.open(result.artifact(PROBABILITY)).reader() as reader:
        codes: NDArray[np.uint8] = reader.read((1,)).values[0].astype(np.uint8)
    return codes


def elevation_on(result: MappingResult, dem: Path) -> NDArray[np.float32]:
    """Elevation in metres on the result's grid, NaN where unknown."""
    from core.raster.quantity import elevation_on_grid

    window = Window(0, 0, result.grid.width, result.grid.height)
    with elevation_on_grid(dem, result.grid) as reader:
        patch = reader.read(window)
    return np.where(patch.valid, patch.values[0], np.nan).astype(np.float32)


@dataclass(frozen=True)
class Scores:
    """Agreement with an inventory at one threshold, before minimum area and hole filling.

    Attributes
    ----------
    model, baseline
        Confusion of the model, and of the colour index where three colours are there.
    curve
        Precision, recall and F1 of the model at every threshold.
    covered
        Share of the processed pixels of which the inventory says something; None where that was not counted.
    """

    model: Confusion
    baseline: Confusion | None
    curve: ThresholdCurve
    covered: float | None = None

    @property
    def is_partial(self) -> bool:
        """Whether the inventory says nothing of a part of what was processed."""
        return self.covered is not None and self.covered < WHOLE

    @property
    def peak(self) -> float | None:
        """Threshold at which F1 is highest; None where it is undefined, or as high with everything taken for landslide.

        The latter is so where hardly any pixel without a landslide is known, or where the model does not tell
        landslides from other ground: no threshold can be chosen by such scores.
        """
        f1 = self.curve.f1
        return None if np.isnan(f1).all() or f1[0] >= np.nanmax(f1) - SAME else self.curve.best_threshold


def score(result: MappingResult, threshold: float) -> Scores | None:
    """Scores of a run with a reference at a threshold, from its histogram; None without one."""
    if not result.has_reference:
        return None
    baseline = None if result.baseline is None else Confusion.at(result.baseline, code_threshold(THRESHOLD))
    counts = result.counts
    covered = None
    if len(counts) == COUNTED[0] and counts.sum():
        covered = float(counts[:2].sum() / counts.sum())
    return Scores(Confusion.at(counts, threshold), baseline, threshold_curve(counts), covered)
