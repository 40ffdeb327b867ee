"""Slow-moving landslides of the valley, and the line-of-sight velocity map that a radar satellite would give of them.

What is modelled, and after whom:

- The line of sight of a satellite that looks to the right, and displacement projected to it: Fialko, Simons and Agnew
  (2001, doi:10.1029/2001GL013174).
- Layover and shadow, active and passive, from the terrain along the look direction, as for feasibility maps of radar
  interferometry: Cigna et al. (2014, doi:10.1016/j.rse.2014.06.025).
- Phase noise from coherence and looks, at its lower bound: Rodriguez and Martin (1992,
  doi:10.1049/ip-f-2.1992.0018).
- What stacking leaves of the turbulent air, with a spectrum of exponent -8/3 along a line: Hanssen (2001,
  doi:10.1007/0-306-47633-9); and of the stratified air, in proportion to height: Doin et al. (2009,
  doi:10.1016/j.jappgeo.2009.03.010).

The map is drawn as velocity from the start: nothing is wrapped or unwrapped, so errors of unwrapping do not occur, nor
those of orbits, of the reference point's own motion, or of seasons. No slide is too fast to be followed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from scipy import ndimage
from shapely.geometry import Polygon

from valley.cover import Cover
from valley.landslides import STEP, Descent, Edges, Landslide
from valley.light import Sun, cast_shadow
from valley.noise import FloatArray, fractal, smooth_step
from valley.people import CROPS, Settled
from valley.shapes import coverage, largest_part, ribbon, wobble
from valley.terrain import MARGIN, SPACING, Terrain

AREA_COUNT = 60
TRIES = 40
MEDIAN_M2, SPREAD, SMALLEST_M2, LARGEST_M2 = 45_000.0, 0.7, 12_000.0, 400_000.0
MEDIAN_SPEED, SPEED_SPREAD, SLOWEST, FASTEST = 65.0, 0.6, 20.0, 220.0

# A C-band satellite whose interferograms of 36 days are averaged over two years.
WAVELENGTH = 55.5
LOOKS, PAIRS, SPAN_YEARS = 10, 60, 36.0 / 365.25
LEAST_COHERENCE = 0.28
FARTHEST = 40
"""Pixels across which layover and shadow reach: slopes as steep as that are short here."""

SMALLEST_ISLAND = 8
TURBULENCE, STRATIFICATION = 2.2, 3.0
SHOWN_SHARE, SHOWN_VELOCITY = 0.35, 10.0


@dataclass(frozen=True)
class Sight:
    """Where the satellite is seen from the ground.

    Attributes
    ----------
    incidence
        Degrees between the line of sight and the vertical.
    heading
        Degrees clockwise from north in which the satellite flies; it looks to the right of that.
    """

    incidence: float = 38.0
    heading: float = -12.0

    @property
    def towards(self) -> tuple[float, float, float]:
        """Unit vector east, north, up from the ground to the satellite."""
        incidence, heading = np.radians(self.incidence), np.radians(self.heading)
        return (
            float(-np.cos(heading) * np.sin(incidence)), float(np.sin(heading) * np.sin(incidence)),
            float(np.cos(incidence)),
        )  # fmt: skip

    @property
    def azimuth(self) -> float:
        """Degrees clockwise from north in which the radar looks, away from the satellite."""
        return (self.heading + 90.0) % 360.0

    def along(self, east: FloatArray, north: FloatArray, up: FloatArray) -> FloatArray:
        """The part of a displacement along the line of sight: positive towards the satellite, negative away."""
        to_east, to_north, to_up = self.towards
        return east * to_east + north * to_north + up * to_up


ASCENDING = Sight()


@dataclass(frozen=True)
class MovingArea:
    """A slow-moving landslide.

    Attributes
    ----------
    slide
        Its outline and paths, in pixels of the grid with margins.
    speed
        mm/year down the slope where it is fastest.
    velocity
        Median of its true velocity along the line of sight, mm/year, without noise.
    observed
        Share of its pixels that the map has a value for.
    seen
        Share of its pixels that the map has a value for and that truly move by at least `SHOWN_VELOCITY` along the line
        of sight.
    """

    slide: Landslide
    speed: float
    velocity: float
    observed: float
    seen: float

    @property
    def shows(self) -> bool:
        """Whether the map can show that it moves: enough of it is observed, and moves along the line of sight."""
        return self.seen >= SHOWN_SHARE


@dataclass(frozen=True)
class VelocityMap:
    """A velocity map with what it was made of; arrays are ``(height, width)`` with margins.

    Attributes
    ----------
    velocity
        mm/year along the line of sight, negative away from the satellite; NaN where the radar sees nothing stable.
    coherence
        0–1, before layover and shadow are taken out.
    areas
        All slow-moving landslides, also those that do not show.
    """

    velocity: FloatArray
    coherence: FloatArray
    areas: tuple[MovingArea, ...]


def phase_deviation(coherence: FloatArray, looks: int = LOOKS) -> FloatArray:
    """Least standard deviation of the interferometric phase, radians, by Rodriguez and Martin (1992).

    Parameters
    ----------
    coherence
        Above 0, up to 1.
    looks
        Independent samples averaged in a pixel.
    """
    return np.sqrt((1.0 - coherence**2) / (2.0 * looks)) / coherence


def hidden(elevation: FloatArray, sight: Sight) -> NDArray[np.bool_]:
    """Find layover and shadow.

    A line across the line of sight in the range plane rises away from the satellite by the tangent of the incidence
    angle; what it meets further on is as near to the satellite and falls into the same pixel. That is the cast shadow
    of a sun beyond, as high as the incidence angle; for the pixels that fall over others it is that of the mountain
    turned upside down, on the satellite's side. Shadow proper is cast from the satellite itself.
    """
    behind = (sight.azimuth + 180.0) % 360.0
    overlain = cast_shadow(elevation, Sun(sight.incidence, sight.azimuth), FARTHEST)
    overlying = cast_shadow(-elevation, Sun(sight.incidence, behind), FARTHEST)
    lit = cast_shadow(elevation, Sun(90.0 - sight.incidence, behind), FARTHEST)
    return np.minimum(np.minimum(overlain, overlying), lit) < 0.5


def downhill(elevation: FloatArray, smoothing: float = 9.0) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Unit vectors east, north, up down the slope, along the ground; of flat ground they point nowhere.

    Parameters
    ----------
    elevation
        Metres, rows to the south.
    smoothing
        Pixels: a deep-seated slide follows the slope at large, not each bump.
    """
    south, east = np.gradient(ndimage.gaussian_filter(elevation, smoothing), SPACING)
    steepness = np.hypot(south, east)
    along = 1.0 / np.sqrt(1.0 + steepness**2)
    flat = np.maximum(steepness, 1e-9)
    return -east / flat * along, south / flat * along, -steepness * along


def _shape(
    descent: Descent, edges: Edges, start: FloatArray, pixels: float, rng: np.random.Generator
) -> tuple[Polygon, FloatArray] | None:
    """A lobe of that many pixels down the slope from `start` (x, y), and its path; None where the slope ends first."""
    slender = float(np.clip(rng.lognormal(np.log(2.2), 0.3), 1.3, 5.0))
    path = descent.run((float(start[0]), float(start[1])), float(np.sqrt(pixels * slender)))
    if (len(path) - 1) * STEP < 0.7 * np.sqrt(pixels * slender):
        return None
    along = np.linspace(0.0, 1.0, len(path))
    width = np.sqrt(pixels / slender) / 2.0 * np.clip(np.minimum(along / 0.25, (1.0 - along) / 0.2), 0.15, 1.0) ** 0.5
    left, right = (width * np.clip(1.0 + 0.2 * wobble(rng, len(path), 8.0), 0.5, 1.6) for _ in range(2))
    lobe = largest_part(edges.fray(ribbon(path, left, right), float(width.max())))
    factor = float(np.sqrt(pixels / lobe.area))
    return shapely.affinity.scale(lobe, factor, factor), path


def place(
    terrain: Terrain, cover: Cover, rng: np.random.Generator, avoid: tuple[Landslide, ...], count: int
) -> tuple[Landslide, ...]:
    """Place slow-moving landslides on slopes of middling steepness, more where the forest is open.

    Parameters
    ----------
    terrain, cover
        The valley.
    rng
        Source of randomness.
    avoid
        Landslides whose outlines must not be touched.
    count
        How many to place; fewer where the slopes have no room.
    """
    areas = np.clip(rng.lognormal(np.log(MEDIAN_M2), SPREAD, count), SMALLEST_M2, LARGEST_M2)
    broad = ndimage.gaussian_filter(terrain.slope, 4.0)
    chance = smooth_step(broad, 10.0, 16.0) * smooth_step(broad, 36.0, 28.0) * (terrain.floor < 0.05)
    chance *= 0.08 + ndimage.gaussian_filter(1.0 - cover.forest, 4.0)
    inner = np.zeros_like(chance)
    inner[MARGIN + 6 : -MARGIN - 6, MARGIN + 6 : -MARGIN - 6] = 1.0
    chance = (chance * inner).ravel() / (chance * inner).sum()
    height, width = terrain.elevation.shape
    inside = shapely.box(MARGIN + 2, MARGIN + 2, width - MARGIN - 2, height - MARGIN - 2)
    descent, edges = Descent(terrain), Edges(terrain.elevation.shape, rng)
    taken, found = [slide.outline for slide in avoid], []
    for area in np.sort(areas)[::-1]:
        for cell in rng.choice(chance.size, size=TRIES, p=chance):
            start = np.array(divmod(int(cell), width)[::-1]) + 0.5
            if any(outline.dwithin(shapely.Point(start), 2.0) for outline in taken):
                continue
            made = _shape(descent, edges, start, float(area) / SPACING**2, rng)
            if made is None or not inside.contains(made[0]) or any(made[0].dwithin(t, 2.0) for t in taken):
                continue
            found.append(Landslide(made[0], (made[1],), "slow slide"))
            taken.append(made[0])
            break
    return tuple(found)


def _numbered(slides: tuple[Landslide, ...], shape: tuple[int, int]) -> NDArray[np.int32]:
    """Number of the slide that each pixel's centre lies in, from 1; 0 outside of all."""
    if not slides:
        return np.zeros(shape, np.int32)
    return rasterize([(slide.outline, at) for at, slide in enumerate(slides, 1)], out_shape=shape, dtype="int32")


def _motion(number: NDArray[np.int32], speeds: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Speed down the slope, mm/year: nearly rigid within, less towards the edges, where the slide shears."""
    speed, uneven = np.zeros(number.shape), 1.0 + 0.12 * fractal(rng, number.shape, largest=25.0, smallest=4.0)
    for at, place in enumerate(ndimage.find_objects(number)):
        inside = number[place] == at + 1
        edge = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
        shear = 0.5 + 0.5 * smooth_step(edge, 0.5, max(0.6 * edge.max(), 2.0))
        speed[place] += speeds[at] * inside * shear * uneven[place]
    return speed


def _subsidence(terrain: Terrain, rng: np.random.Generator) -> FloatArray:
    """Soft ground that settles in the river plain, mm/year downwards: it moves and is no landslide."""
    rows, columns = np.nonzero(terrain.floor > 0.8)
    down = np.zeros(terrain.elevation.shape)
    y, x = np.ogrid[0 : down.shape[0], 0 : down.shape[1]]
    for at in rng.integers(len(rows), size=4):
        apart = (y - rows[at]) ** 2 + (x - columns[at]) ** 2
        down += rng.uniform(8.0, 28.0) * np.exp(-apart / (2.0 * rng.uniform(4.0, 10.0) ** 2))
    return down * terrain.floor


def coherence_of(
    cover: Cover, settled: Settled, fresh: tuple[Landslide, ...], rng: np.random.Generator
) -> FloatArray:
    """Mean coherence of the interferograms, 0–1: high on rock and roofs, low in forest, none on water and new scars."""
    shape = cover.forest.shape
    patchy = fractal(rng, shape, largest=40.0, smallest=3.0)
    trees = cover.forest * (1.0 - settled.clearings)
    value = 0.72 - 0.40 * trees - 0.10 * trees * cover.broadleaf - 0.08 * cover.shrub
    crops = [settled.parcels[CROPS.index(name)] for name in ("crop", "stubble", "soil")]
    value = value - 0.35 * np.clip(sum(crops), 0.0, 1.0)
    value = np.maximum(value, 0.85 * np.clip(cover.rock + cover.scree + settled.roofs + settled.road, 0.0, 1.0))
    value += 0.07 * patchy
    gone = np.clip(cover.water + 0.6 * cover.belt + cover.snow + coverage([f.outline for f in fresh], shape), 0.0, 1.0)
    return np.clip(ndimage.gaussian_filter(value * (1.0 - gone), 0.8), 0.02, 0.95)


def _observed(coherence: FloatArray, elevation: FloatArray, sight: Sight) -> NDArray[np.bool_]:
    seen = (coherence >= LEAST_COHERENCE) & ~hidden(elevation, sight)
    # What is cut off from the rest cannot be unwrapped with it.
    islands, count = ndimage.label(seen)
    sizes = np.bincount(islands.ravel(), minlength=count + 1)
    return seen & (sizes[islands] >= SMALLEST_ISLAND)


def _air(elevation: FloatArray, rng: np.random.Generator) -> FloatArray:
    turbulent = TURBULENCE * fractal(rng, elevation.shape, largest=300.0, smallest=4.0, roughness=8.0 / 3.0)
    return turbulent + rng.normal(0.0, STRATIFICATION) * (elevation - elevation.mean()) / 1000.0


def make_velocity(
    terrain: Terrain,
    cover: Cover,
    settled: Settled,
    slides: tuple[Landslide, ...],
    rng: np.random.Generator,
    *,
    sight: Sight = ASCENDING,
    count: int = AREA_COUNT,
) -> VelocityMap:
    """Place slow-moving landslides in the valley and see them by radar.

    Parameters
    ----------
    terrain, cover, settled
        The valley.
    slides
        Fresh landslides of the event, whose scars are not coherent.
    rng
        Source of randomness.
    sight
        Line of sight.
    count
        How many slow-moving landslides to place; fewer where the slopes have no room.
    """
    streams = rng.spawn(6)
    moving = place(terrain, cover, streams[0], slides, count)
    speeds = np.clip(streams[1].lognormal(np.log(MEDIAN_SPEED), SPEED_SPREAD, len(moving)), SLOWEST, FASTEST)
    number = _numbered(moving, terrain.elevation.shape)
    speed = _motion(number, speeds, streams[1])
    east, north, up = downhill(terrain.elevation)
    true = sight.along(speed * east, speed * north, speed * up - _subsidence(terrain, streams[2]))
    coherence = coherence_of(cover, settled, slides, streams[3])
    seen = _observed(coherence, terrain.elevation, sight)
    millimetres = WAVELENGTH / (4.0 * np.pi) * phase_deviation(coherence) / (SPAN_YEARS * np.sqrt(PAIRS))
    noisy = true + millimetres * streams[4].standard_normal(true.shape) + _air(terrain.elevation, streams[5])
    # Velocities are relative: stable ground, the most of the map, is taken as the reference.
    velocity = np.where(seen, noisy - np.median(noisy[seen]), np.nan)
    return VelocityMap(velocity, coherence, _areas(moving, speeds, number, true, seen))


def _areas(
    moving: tuple[Landslide, ...],
    speeds: FloatArray,
    number: NDArray[np.int32],
    true: FloatArray,
    observed: NDArray[np.bool_],
) -> tuple[MovingArea, ...]:
    areas = []
    for at, place in enumerate(ndimage.find_objects(number)):
        inside = number[place] == at + 1
        along, has = true[place][inside], observed[place][inside]
        seen = float((has & (np.abs(along) >= SHOWN_VELOCITY)).mean())
        areas.append(MovingArea(moving[at], float(speeds[at]), float(np.median(along)), float(has.mean()), seen))
    return tuple(areas)
