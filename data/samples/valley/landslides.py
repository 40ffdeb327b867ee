"""Landslides: where they start, how they run down the slope, and what outline they leave.

Areas follow the three-parameter inverse gamma distribution of Malamud et al. (2004,
doi:10.1002/esp.1064), with a rollover moved up to what a 10 m image can show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage
from scipy.spatial import cKDTree
from shapely.geometry import Polygon, box

from valley.cover import aspect_to_sun
from valley.noise import FloatArray, fractal, smooth_step
from valley.shapes import largest_part, ribbon, wobble
from valley.terrain import MARGIN, SPACING, Terrain

TAIL_EXPONENT = 1.4
SCALE_M2 = 4300.0
SHIFT_M2 = -550.0
LARGEST_M2 = 260_000.0
STEP = 0.5


@dataclass(frozen=True)
class Landslide:
    """One landslide in pixel coordinates of the grid with margins.

    Attributes
    ----------
    outline
        Polygon from crown to toe.
    paths
        x, y ``(n, 2)`` from each crown to the toe.
    kind
        ``"debris slide"``, ``"debris flow"`` or ``"rock slide"``.
    """

    outline: Polygon
    paths: tuple[FloatArray, ...]
    kind: str

    @property
    def area_m2(self) -> float:
        """Area in m²."""
        return float(self.outline.area) * SPACING**2


class Descent:
    """Steepest descent on a smoothed surface, with some inertia."""

    def __init__(self, terrain: Terrain) -> None:
        surface = ndimage.gaussian_filter(terrain.elevation, 1.2)
        self._down, self._across = np.gradient(surface, SPACING)
        self._floor = terrain.floor

    def run(self, start: tuple[float, float], length: float) -> FloatArray:
        """Follow the slope from `start` (x, y) for at most `length` pixels."""
        point = np.array(start)
        heading = np.zeros(2)
        path = [point]
        on_floor = 0.0
        while (len(path) - 1) * STEP < length:
            row, col = int(point[1]), int(point[0])
            if not (1 <= row < self._down.shape[0] - 1 and 1 <= col < self._down.shape[1] - 1):
                break
            fall = -np.array([self._across[row, col], self._down[row, col]])
            on_floor += STEP * float(self._floor[row, col] > 0.5)
            if np.hypot(*fall) < 0.14 or on_floor > 2.5:
                break
            heading = 0.72 * heading + fall / np.hypot(*fall)
            heading /= np.hypot(*heading)
            point = point + STEP * heading
            path.append(point)
        smooth = np.array(path)
        return ndimage.gaussian_filter1d(smooth, 1.5, axis=0, mode="nearest") if len(path) > 6 else smooth


class Edges:
    """Displaces outlines by noise, because trees and rock make the edges of landslides ragged."""

    def __init__(self, shape: tuple[int, int], rng: np.random.Generator) -> None:
        self._fields = [fractal(rng, shape, largest=20.0, smallest=3.0, roughness=1.8) for _ in range(2)]

    def fray(self, outline: Polygon, width: float) -> Polygon:
        """Move the outline by up to a part of the landslide's width in pixels."""
        ring = shapely.get_coordinates(shapely.segmentize(outline, 0.6))
        amount = 0.15 * min(width, 6.0)
        moved = [
            ndimage.map_coordinates(f, (ring[:, 1] - 0.5, ring[:, 0] - 0.5), order=1) for f in self._fields
        ]
        frayed = shapely.make_valid(Polygon(ring + amount * np.stack(moved, axis=1)))
        return largest_part(shapely.simplify(frayed, 0.05))


def _side_crowns(
    descent: Descent, path: FloatArray, width: float, count: int, rng: np.random.Generator
) -> list[FloatArray]:
    # Large landslides gather from several crowns whose paths meet in one hollow.
    drop = path[min(6, len(path) - 1)] - path[0]
    across = np.array([-drop[1], drop[0]]) / max(float(np.hypot(*drop)), 1e-6)
    length = (len(path) - 1) * STEP
    sides: list[FloatArray] = []
    for _ in range(count):
        begin = path[int(len(path) * rng.uniform(0.0, 0.4))] + across * rng.normal(0.0, 1.1) * max(width, 2.0)
        side = descent.run((float(begin[0]), float(begin[1])), length * rng.uniform(0.4, 0.9))
        if len(side) > 8:
            sides.append(side)
    return sides


def draw_areas(rng: np.random.Generator, count: int) -> FloatArray:
    """Draw `count` landslide areas in m², largest first."""
    areas = SCALE_M2 / rng.gamma(TAIL_EXPONENT, 1.0, 4 * count) + SHIFT_M2
    kept = areas[(areas > 350.0) & (areas < LARGEST_M2)][:count]
    return np.sort(kept)[::-1]


def proneness(terrain: Terrain, rng: np.random.Generator) -> FloatArray:
    """Relative chance of a crown at each cell: steep, hollow or near a crest, and in clusters."""
    shape = terrain.elevation.shape
    steep = smooth_step(terrain.slope, 24.0, 36.0) * smooth_step(terrain.slope, 56.0, 47.0)
    hollow = ndimage.gaussian_filter(terrain.elevation, 5.0) - terrain.elevation
    clusters = np.exp(1.5 * fractal(rng, shape, largest=220.0, smallest=60.0))
    chance = steep * clusters * (0.4 + smooth_step(hollow, -6.0, 8.0)) * (terrain.floor < 0.05)
    chance *= smooth_step(terrain.elevation, 560.0, 700.0)
    # Slides in full shade cannot be seen; the event struck the weathered sunny side harder anyway.
    chance *= 0.15 + smooth_step(aspect_to_sun(terrain), -0.35, 0.15)
    inner = np.zeros(shape)
    inner[MARGIN + 6 : -MARGIN - 6, MARGIN + 6 : -MARGIN - 6] = 1.0
    return chance * inner


def _widths(
    rng: np.random.Generator, samples: int, width: float, slender: float
) -> tuple[FloatArray, FloatArray]:
    along = np.linspace(0.0, 1.0, samples)
    # The crown opens like an arc; slender flows narrow on their way and spread where they stop.
    crown = np.clip(along / rng.uniform(0.15, 0.4), 0.06, 1.0) ** 0.6
    taper = 1.0 - min(0.08 * slender, 0.55) * smooth_step(along, 0.25, 0.7)
    lobe = 1.0 + rng.uniform(-0.35, 0.35) * smooth_step(along, 0.7, 0.95)
    toe = np.clip((1.0 - along) / 0.12, 0.08, 1.0) ** 0.6
    base = width / 2.0 * crown * taper * lobe * toe
    left, right = (
        np.clip(1.0 + 0.30 * wobble(rng, samples, 4.0) + 0.18 * wobble(rng, samples, 1.2), 0.25, 2.0)
        for _ in range(2)
    )
    return base * left, base * right


def _shape_one(
    descent: Descent, rough: Edges, start: tuple[float, float], area: float, rng: np.random.Generator
) -> tuple[Polygon, tuple[FloatArray, ...], float] | None:
    pixels = area / SPACING**2
    slender = float(np.clip(np.exp(rng.normal(1.05 + 0.16 * np.log(pixels / 50.0), 0.40)), 1.4, 12.0))
    length = float(np.sqrt(pixels * slender * 1.25))
    paths = [descent.run(start, length)]
    reach = (len(paths[0]) - 1) * STEP
    if reach < max(0.6 * length, 1.5):
        return None
    width = pixels / reach
    paths += _side_crowns(descent, paths[0], width, int(rng.poisson(np.sqrt(pixels) / 14.0)), rng)
    state = rng.bit_generator.state
    for _ in range(8):
        rng.bit_generator.state = state
        parts = [
            ribbon(path, *_widths(rng, len(path), width * 0.85**i, slender)) for i, path in enumerate(paths)
        ]
        outline = rough.fray(largest_part(shapely.union_all(parts)), width)
        width *= float(np.clip(pixels / outline.area, 0.6, 1.6))
    if abs(outline.area / pixels - 1.0) > 0.15 or width > (1.1 if pixels < 60 else 0.5) * reach:
        return None
    return outline, tuple(paths), reach / width


def make_landslides(
    terrain: Terrain,
    areas: FloatArray,
    rng: np.random.Generator,
    *,
    rock: FloatArray,
    avoid: tuple[Polygon, ...] = (),
) -> tuple[Landslide, ...]:
    """Place landslides of the wanted areas on slopes that can bear them.

    Parameters
    ----------
    terrain
        The carved valley.
    areas
        m², largest first.
    rng
        Source of randomness.
    rock
        0–1, ``(height, width)``: bare rock, where slides are rock slides.
    avoid
        Outlines that a landslide must not touch.

    Returns
    -------
    tuple of Landslide
        Disjoint, wholly inside the image without its margins.
    """
    chance = proneness(terrain, rng).ravel()
    chance /= chance.sum()
    descent = Descent(terrain)
    edges = Edges(terrain.elevation.shape, rng)
    height, width = terrain.elevation.shape
    inside = box(MARGIN + 2, MARGIN + 2, width - MARGIN - 2, height - MARGIN - 2)
    taken = list(avoid)
    found: list[Landslide] = []
    for area in areas:
        for cell in rng.choice(chance.size, size=150, p=chance):
            row, col = divmod(int(cell), width)
            start = (col + rng.uniform(0.2, 0.8), row + rng.uniform(0.2, 0.8))
            made = _shape_one(descent, edges, start, float(area), rng)
            if made is None:
                continue
            outline, paths, slender = made
            near = outline.buffer(1.6)
            if not inside.contains(outline) or any(near.intersects(other) for other in taken):
                continue
            kind = "debris flow" if slender > 4.5 else "debris slide"
            kind = "rock slide" if rock[row, col] > 0.5 else kind
            found.append(Landslide(outline, paths, kind))
            taken.append(outline)
            break
    return tuple(found)


def position_along(slides: tuple[Landslide, ...], covered: FloatArray) -> FloatArray:
    """How far down its landslide each covered pixel lies: 0 at the crown, 1 at the toe."""
    paths = [path for slide in slides for path in slide.paths]
    points = np.concatenate(paths)
    share = np.concatenate([np.linspace(0.0, 1.0, len(path)) for path in paths])
    rows, cols = np.nonzero(covered > 0)
    nearest = cKDTree(points).query(np.stack([cols + 0.5, rows + 0.5], axis=1))[1]
    along = np.zeros(covered.shape)
    along[rows, cols] = share[nearest]
    return along
