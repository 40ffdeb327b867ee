"""An inventory of landslide outlines on a scene's grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.windows import Window

from core.errors import GridError, InputError
from core.raster.grid import Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True)
class Inventory:
    """Outlines of landslides on a scene's grid, drawn window by window.

    Attributes
    ----------
    polygons
        The outlines in columns and rows of the grid, which may therefore lie in any way.
    tree
        Index that finds those which a window meets.
    grid
        The scene's grid.
    """

    polygons: NDArray[np.object_]
    tree: Any
    grid: Grid

    @classmethod
    def of(cls, features: GeoDataFrame, grid: Grid, name: str) -> Inventory:
        """Lay features on a grid.

        Parameters
        ----------
        features
            Polygons in any CRS; without CRS x is the column and y the row of a scene without CRS. Features
            of other kinds are left out.
        grid
            The scene's grid.
        name
            What to call the features in errors.

        Raises
        ------
        GridError
            When only one of the two has a CRS, or nothing lies in the scene's neighbourhood.
        InputError
            When there are no polygons.
        """
        import shapely

        polygons = _in_pixels(features, grid, name)
        if len(polygons) == 0:
            raise InputError(
                f"{name} holds no polygons.",
                "Points and lines do not say which pixels are landslide.",
                "Use an inventory of landslide outlines.",
            )
        left, top, right, bottom = shapely.total_bounds(polygons)
        if not (left < grid.width and right > 0 and top < grid.height and bottom > 0):
            raise no_overlap(name)
        return cls(polygons, shapely.STRtree(polygons), grid)

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Read a window: 1 in pixels whose centres a polygon covers, else 0; (height, width) of uint8."""
        import shapely
        from rasterio.features import rasterize

        check_window(window, self.grid)
        row, column = round(window.row_off), round(window.col_off)
        height, width = round(window.height), round(window.width)
        met = self.polygons[self.tree.query(shapely.box(column, row, column + width, row + height))]
        if len(met) == 0:
            return np.zeros((height, width), dtype=np.uint8)
        here = Affine.translation(column, row)
        burnt: NDArray[np.uint8] = rasterize(met, out_shape=(height, width), transform=here, dtype="uint8")
        return burnt


def _in_pixels(features: GeoDataFrame, grid: Grid, name: str) -> NDArray[np.object_]:
    """Polygons of an inventory in columns and rows of a grid."""
    import shapely

    if (features.crs is None) != (grid.crs is None):
        lacking, having = (name, "the scene") if features.crs is None else ("The scene", name)
        raise GridError(
            f"{lacking} has no coordinate system, but {having} has one.",
            "The place of the polygons on the scene is therefore unknown.",
            "Assign a coordinate system to the one without, or use a mask image of the scene's size.",
        )
    if grid.crs is not None:
        features = features.to_crs(grid.crs.to_wkt())
    parts = shapely.force_2d(shapely.get_parts(shapely.get_parts(features.geometry.to_numpy())))
    polygons = parts[(shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)]
    # What lies beyond the reach of the scene's projection has no coordinates in it, nor a part in the scene.
    polygons = polygons[np.isfinite(shapely.bounds(polygons)).all(axis=1)]
    if grid.crs is None:
        return np.asarray(polygons)
    inverse = ~grid.transform

    def place(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = points[:, 0], points[:, 1]
        columns = inverse.a * x + inverse.b * y + inverse.c
        return np.column_stack([columns, inverse.d * x + inverse.e * y + inverse.f])

    return np.asarray(shapely.transform(polygons, place))


def check_window(window: Window, grid: Grid) -> None:
    """Refuse a window that is empty or reaches past the edges of a grid."""
    inside = (
        window.col_off >= 0
        and window.row_off >= 0
        and window.col_off + window.width <= grid.width
        and window.row_off + window.height <= grid.height
    )
    if not inside or window.width < 1 or window.height < 1:
        raise GridError(f"The window {window} is empty or reaches past the edges of the scene.")


def no_overlap(name: str) -> GridError:
    """Error for data that lie elsewhere than the scene."""
    return GridError(
        f"{name} does not overlap the scene.",
        "There is nothing to compare.",
        "Check that both show the same place and that their coordinate systems are named rightly.",
    )
