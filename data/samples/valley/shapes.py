"""Outlines that follow a path, and the share of each pixel that they cover.

Coordinates are pixels of the grid with margins: x to the right, y downwards, cell (row, col) has
its centre at (col + 0.5, row + 0.5).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely
from affine import Affine
from rasterio.features import rasterize
from scipy import ndimage
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from valley.noise import FloatArray

SUBSAMPLES = 4


def wobble(rng: np.random.Generator, length: int, scale: float) -> FloatArray:
    """Draw a smooth random curve of standard deviation 1 whose bumps are about `scale` samples long."""
    pad = int(4 * scale) + 1
    curve = ndimage.gaussian_filter1d(rng.standard_normal(length + 2 * pad), scale)
    deviation = 1.0 / np.sqrt(2.0 * np.sqrt(np.pi) * scale)
    return curve[pad : pad + length] / deviation


def normals(path: FloatArray) -> FloatArray:
    """Return unit vectors to the left of the path ``(n, 2)`` of x, y."""
    along = np.gradient(path, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    return np.stack([along[:, 1], -along[:, 0]], axis=1)


def ribbon(path: FloatArray, left: FloatArray, right: FloatArray) -> BaseGeometry:
    """Outline a ribbon around a path.

    Parameters
    ----------
    path
        x, y in pixels, ``(n, 2)``, densely sampled.
    left, right
        Half-widths in pixels at each sample.
    """
    centres = path + normals(path) * ((left - right) / 2.0)[:, None]
    radii = np.maximum((left + right) / 2.0, 0.05)
    discs = shapely.buffer(shapely.points(centres), radii, quad_segs=6)
    # Hulls of neighbouring discs leave no scallops between them.
    joined = shapely.convex_hull(shapely.union(discs[:-1], discs[1:]))
    return shapely.simplify(shapely.union_all(joined), 0.06)


def line_to_ribbon(path: FloatArray, half_width: float) -> BaseGeometry:
    """Outline a line of constant half-width in pixels."""
    return shapely.LineString(path).buffer(half_width)


def coverage(shapes: Iterable[BaseGeometry], shape: tuple[int, int]) -> FloatArray:
    """Share of each pixel that the shapes cover, 0–1, ``(height, width)``."""
    wanted = [item for item in shapes if not item.is_empty]
    if not wanted:
        return np.zeros(shape)
    fine = rasterize(
        wanted,
        out_shape=(shape[0] * SUBSAMPLES, shape[1] * SUBSAMPLES),
        transform=Affine.scale(1.0 / SUBSAMPLES),
        dtype="uint8",
    )
    blocks = fine.reshape(shape[0], SUBSAMPLES, shape[1], SUBSAMPLES)
    return blocks.mean(axis=(1, 3))


def largest_part(shape: BaseGeometry) -> Polygon:
    """Keep the largest polygon of a shape, its holes filled."""
    parts = shapely.get_parts(shape)
    biggest = parts[int(np.argmax(shapely.area(parts)))]
    return Polygon(biggest.exterior)
