"""What is shown of a map of susceptibility beside its rasters: landslides, tested cells, one cell that was clicked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rasterio.windows import Window

from core.learning.metrics import decode
from core.raster.scene import Scene
from core.tasks.susceptibility.held_out import OUTCOMES
from core.tasks.susceptibility.index_map import APPLICABILITY, UNCERTAINTY
from core.tasks.susceptibility.map_result import FACTORS, INVENTORY, SusceptibilityMap
from core.wording import number_words

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoDataFrame

    from core.raster.grid import Grid
    from core.runs.store import Store
    from core.tasks.susceptibility.held_out import HeldOut
    from core.tasks.susceptibility.landslides import Landslides

DOT = 0.004
"""Radius of a dot that stands for a cell or a point, as a share of the longer side of the grid."""


def landslides_on(store: Store, result: SusceptibilityMap) -> Landslides:
    """The landslides of a run, laid on its grid again.

    Raises
    ------
    LandslideError
        When the inventory is gone or was changed.
    """
    from core.jobs.perform import request_of
    from core.tasks.susceptibility.landslides import landslides_of

    request = request_of(store.run(result.id))
    record = store.dataset(result.input(INVENTORY).dataset_id)
    return landslides_of(record.path, record.form, request.inventory, result.grid, record.name)


def outlines_of(slides: Landslides) -> GeoDataFrame:
    """Landslides in the coordinates of the grid, numbered from 1: their outlines, or a dot for each point."""
    import geopandas
    from shapely.affinity import affine_transform

    t = slides.grid.transform
    if slides.polygons is None:
        return dots(slides.points, slides.grid)
    shapes = [affine_transform(one, (t.a, t.b, t.d, t.e, t.c, t.f)) for one in slides.polygons.polygons]
    return geopandas.GeoDataFrame({"id": np.arange(1, len(shapes) + 1)}, geometry=shapes, crs=slides.grid.crs)


def dots(at: NDArray[np.float64], grid: Grid) -> GeoDataFrame:
    """Round dots, large enough to be seen on a map of the whole grid, numbered from 1.

    Parameters
    ----------
    at
        (dots, 2) columns and rows.
    """
    import geopandas
    import shapely

    t = grid.transform
    column, row = at.T
    points = shapely.points(t.a * column + t.b * row + t.c, t.d * column + t.e * row + t.f)
    side = max(grid.width, grid.height) * math.sqrt(abs(t.determinant))
    return geopandas.GeoDataFrame(
        {"id": np.arange(1, len(at) + 1)}, geometry=shapely.buffer(points, side * DOT, quad_segs=4), crs=grid.crs
    )


def outcome_dots(held: HeldOut, cut: float, grid: Grid) -> Mapping[str, GeoDataFrame]:
    """Dots of tested cells on the grid of a map, by outcome."""
    row, column = np.divmod(held.cells, grid.width)
    at, outcome = np.column_stack([column + 0.5, row + 0.5]), held.outcome(cut)
    return {name: dots(at[outcome == number], grid) for number, name in enumerate(OUTCOMES)}


@dataclass(frozen=True)
class CellReading:
    """What is known of one cell of a map.

    Attributes
    ----------
    row, column, x, y
        Place on the grid, from 0, and its centre in the coordinate system.
    values
        By factor; None where unknown.
    index
        By mapped model; None where unknown.
    uncertainty
        Spread over the folds; None where unknown or not mapped.
    unlike
        Dissimilarity index; None where unknown or not mapped.
    """

    row: int
    column: int
    x: float
    y: float
    values: Mapping[str, float | None]
    index: Mapping[str, float | None]
    uncertainty: float | None
    unlike: float | None

    @property
    def complete(self) -> bool:
        """Whether all factors are known."""
        return all(value is not None for value in self.values.values())

    def frame(self, result: SusceptibilityMap) -> pd.DataFrame:
        """The factors as models take them: one row."""
        from core.tasks.susceptibility.sampling import frame_of

        values = np.array([[self.values[name] for name in result.factors]], dtype=np.float32)
        return frame_of(values, result.factors, result.kinds)


def unit_of(result: SusceptibilityMap, factor: str) -> str:
    """Unit of a factor that the elevation model gave; empty for others, whose unit nobody stated, and for none."""
    from core.raster.terrain_names import TERRAIN

    derived = (result.provenance["parameters"].get("area") or {}).get("terrain", ())
    return TERRAIN[factor].unit if factor in derived else ""


def value_words(result: SusceptibilityMap, factor: str, value: float | None) -> str:
    """A factor's value in a cell as people read it: with its unit where the elevation model gave it, else as it is."""
    if value is None:
        return "unknown"
    if factor in result.categorical:
        return f"class {value:.4g}"
    unit = unit_of(result, factor)
    return f"{number_words(value)}{'' if unit in ('', '°') else ' '}{unit}"


def read_cell(result: SusceptibilityMap, row: int, column: int) -> CellReading:
    """Read one cell of all rasters of a map.

    Raises
    ------
    StorageError
        When a file is gone.
    """
    window = Window(column, row, 1, 1)

    def at(role: str) -> NDArray[np.float64]:
        scene = Scene.ours(result.artifact(role))
        with scene.reader() as reader:
            values, valid = reader.read_bands(window)
        return np.where(valid[:, 0, 0], values[:, 0, 0], np.nan).astype(np.float64)

    def known(value: float) -> float | None:
        return None if math.isnan(value) else float(value)

    def share(role: str) -> float | None:
        if role not in result.artifacts:
            return None
        value = at(role)[0]
        return None if math.isnan(value) else known(float(decode(np.array([value]).astype(np.uint8))[0]))

    x, y = result.grid.xy(row, column)
    values = {name: known(value) for name, value in zip(result.bands, at(FACTORS), strict=True)}
    unlike = known(at(APPLICABILITY)[0]) if APPLICABILITY in result.artifacts else None
    index = {model: share(result.role_of(model)) for model in result.mapped}
    return CellReading(row, column, x, y, values, index, share(UNCERTAINTY), unlike)
