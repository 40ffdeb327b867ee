"""Reflectance of the valley on one date, painted layer upon layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from valley.cover import Cover
from valley.landslides import Landslide, position_along
from valley.noise import FloatArray, fractal, smooth_step
from valley.people import CROPS, Settled
from valley.shapes import coverage

Colour = tuple[float, float, float, float]

# Reflectance times 10 000 in red, green, blue and near infrared, as Sentinel-2 sees such cover.
LATE_SUMMER: dict[str, Colour] = {
    "conifer": (265, 305, 218, 2250),
    "broadleaf": (325, 405, 245, 3400),
    "shrub": (430, 580, 300, 3100),
    "grass": (690, 660, 420, 2600),
    "meadow": (470, 640, 340, 3500),
    "rock": (1750, 1660, 1500, 2000),
    "scree": (1500, 1390, 1220, 1800),
    "snow": (6500, 6600, 6600, 6000),
    "gravel": (1500, 1390, 1220, 1800),
    "silt": (1060, 950, 800, 1500),
    "brook": (1350, 1050, 790, 1800),
    "water": (480, 680, 610, 260),
    "crop": (620, 860, 430, 3300),
    "stubble": (1600, 1180, 780, 2500),
    "soil": (1480, 880, 560, 2000),
    "pasture": (610, 700, 400, 3000),
    "hedge": (270, 450, 220, 2900),
    "road": (1150, 1080, 980, 1500),
    "track": (1450, 1270, 960, 2000),
    "roof": (1750, 1400, 1200, 1900),
    "quarry": (2500, 2250, 1800, 2800),
    "clearing": (1250, 830, 530, 2300),
    "old scar": (820, 700, 440, 2600),
    "fresh": (1480, 840, 490, 2050),
    "pale": (1950, 1350, 920, 2450),
    "damp": (1080, 660, 430, 1500),
}
AUTUMN: dict[str, Colour] = LATE_SUMMER | {
    "broadleaf": (375, 412, 245, 3050),
    "shrub": (500, 580, 300, 2700),
    "grass": (790, 680, 430, 2300),
    "meadow": (520, 650, 350, 3100),
    "water": (950, 900, 660, 480),
    "gravel": (1480, 1340, 1150, 1780),
    "brook": (1480, 1030, 720, 1900),
    "pasture": (700, 720, 420, 2700),
}

MATCHED: dict[str, Colour] = AUTUMN | {
    "grass": (600, 630, 430, 2400),
    "pasture": (560, 650, 410, 2900),
    "shrub": (450, 550, 320, 2700),
    "broadleaf": (320, 400, 270, 3050),
    "clearing": (700, 660, 420, 2500),
    "gravel": (760, 800, 740, 1300),
    "silt": (700, 720, 660, 1200),
    "brook": (700, 720, 640, 1700),
    "water": (640, 700, 640, 300),
    "rock": (1900, 1880, 1780, 2000),
    "scree": (1250, 1290, 1200, 1800),
    "fresh": (1500, 1080, 760, 2050),
    "pale": (2000, 1600, 1250, 2450),
    "damp": (1080, 800, 600, 1500),
}
"""Autumn with colours near those of the real Sentinel-2 patches of Landslide4Sense.

There the mean of the patches' medians, on the 8-bit scale of that collection, is (132, 92, 78) on landslides and
(48, 53, 51) around them: fresh ground is less red than brick, slopes are green, river and stones are grey.
"""


@dataclass(frozen=True)
class Texture:
    """Irregularity that stays with the ground, the same on both dates; standardised fields."""

    crowns: FloatArray
    stands: FloatArray
    stones: FloatArray
    tint: FloatArray
    thin: FloatArray


def make_texture(rng: np.random.Generator, shape: tuple[int, int]) -> Texture:
    """Draw the lasting texture of the ground.

    Parameters
    ----------
    rng
        Source of randomness.
    shape
        ``(height, width)``.
    """
    return Texture(
        crowns=fractal(rng, shape, largest=6.0, smallest=1.0, roughness=0.5),
        stands=fractal(rng, shape, largest=60.0, smallest=4.0, roughness=1.2),
        stones=fractal(rng, shape, largest=14.0, smallest=1.2, roughness=0.8),
        tint=fractal(rng, shape, largest=40.0, smallest=4.0),
        thin=fractal(rng, shape, largest=10.0, smallest=1.5, roughness=1.0),
    )


class _Canvas:
    def __init__(self, shape: tuple[int, int]) -> None:
        self.bands = np.zeros((4, *shape))

    def lay(self, share: FloatArray, colour: Colour, brightness: FloatArray | float = 1.0) -> None:
        """Cover `share` of each pixel with a colour of varying brightness."""
        layer = np.array(colour)[:, None, None] * brightness
        self.bands += share * (layer - self.bands)


def _paint_nature(
    canvas: _Canvas, cover: Cover, texture: Texture, palette: dict[str, Colour], later: bool
) -> None:
    trees = np.exp(0.075 * texture.crowns + 0.09 * texture.stands)
    ground = np.exp(0.08 * texture.thin + 0.07 * texture.stands)
    stones = np.exp(0.13 * texture.stones + 0.08 * texture.tint)
    dry = np.exp(-0.07 * cover.moist)
    canvas.lay(np.ones_like(trees), palette["grass"], ground * dry)
    leaves = smooth_step(cover.broadleaf + 0.08 * texture.thin, 0.2, 0.8)
    wooded = np.clip(cover.forest * (0.96 + 0.05 * texture.thin), 0.0, 1.0)
    canvas.lay(wooded * (1.0 - leaves), palette["conifer"], trees)
    canvas.lay(wooded * leaves, palette["broadleaf"], trees)
    if later:
        turning = leaves * wooded * smooth_step(texture.tint + 0.5 * texture.thin, 0.4, 2.0)
        canvas.lay(0.35 * turning, (600, 520, 250, 2700), trees)
    canvas.lay(0.75 * cover.shrub, palette["shrub"], ground)
    canvas.lay(0.85 * cover.meadow, palette["meadow"], ground * dry)
    canvas.lay(0.8 * cover.scree, palette["scree"], stones)
    ledges = np.exp(0.22 * texture.stones + 0.10 * texture.thin)
    canvas.lay(0.92 * cover.rock, palette["rock"], ledges)
    canvas.lay(cover.snow, palette["snow"], 1.0 + 0.05 * texture.tint)
    canvas.lay(0.7 * cover.brook, palette["brook"], stones)


def _paint_people(
    canvas: _Canvas, settled: Settled, texture: Texture, palette: dict[str, Colour], later: bool
) -> None:
    ground = np.exp(0.07 * texture.thin + 0.05 * texture.stands)
    parcels = settled.parcels_later if later else settled.parcels
    canvas.lay(settled.clearings * np.clip(0.75 + 0.2 * texture.thin, 0.0, 1.0), palette["clearing"], ground)
    for share, crop in zip(parcels, CROPS, strict=True):
        edges = ndimage.gaussian_filter(share, 0.4)
        canvas.lay(0.95 * edges, palette[crop], ground * np.exp(0.10 * texture.tint))
    canvas.lay(0.8 * settled.hedges, palette["hedge"], ground)
    canvas.lay(0.9 * settled.quarry, palette["quarry"], np.exp(0.10 * texture.stones))
    canvas.lay(0.75 * settled.track, palette["track"])
    canvas.lay(0.85 * settled.road, palette["road"])
    canvas.lay(settled.roofs, palette["roof"], np.exp(0.25 * texture.crowns))


def _paint_river(canvas: _Canvas, cover: Cover, texture: Texture, palette: dict[str, Colour]) -> None:
    stones = np.exp(0.10 * texture.stones + 0.09 * texture.tint)
    canvas.lay(cover.belt, palette["gravel"], stones)
    damp = cover.belt * smooth_step(texture.stands + 0.5 * texture.stones, -0.4, 0.6)
    canvas.lay(0.8 * damp, palette["silt"], stones)
    willows = cover.belt * smooth_step(texture.tint + 0.5 * texture.thin, 1.0, 1.6)
    canvas.lay(0.7 * willows, palette["shrub"])
    canvas.lay(cover.water, palette["water"])


def _paint_scars(
    canvas: _Canvas, scars: tuple[Landslide, ...], texture: Texture, palette: dict[str, Colour]
) -> None:
    covered = coverage([scar.outline for scar in scars], texture.thin.shape)
    grown = smooth_step(texture.thin + 0.6 * texture.tint, 0.6, -1.2)
    canvas.lay(covered * (0.25 + 0.65 * grown), palette["old scar"], np.exp(0.12 * texture.thin))


def _paint_slides(
    canvas: _Canvas,
    slides: tuple[Landslide, ...],
    texture: Texture,
    palette: dict[str, Colour],
    rng: np.random.Generator,
) -> None:
    shape = texture.thin.shape
    covered = coverage([slide.outline for slide in slides], shape)
    along = position_along(slides, covered)
    bare = np.zeros(shape)
    shade = np.zeros(shape)
    pallor = np.zeros(shape)
    for slide in slides:
        own = coverage([slide.outline], shape) > 0
        bare[own] = rng.uniform(0.72, 1.0)
        shade[own] = rng.normal(0.0, 0.16)
        pallor[own] = rng.beta(1.8, 2.0)
    trees_left = smooth_step(texture.thin + 0.4 * texture.crowns, 1.1, 2.0)
    share = covered * np.clip(bare * (1.0 - 0.75 * trees_left), 0.0, 1.0)
    lively = np.exp(0.17 * texture.stones + 0.07 * texture.crowns + shade)
    canvas.lay(share, palette["fresh"], lively)
    canvas.lay(share * np.clip(pallor + 0.25 * texture.stones, 0.0, 1.0), palette["pale"], lively)
    canvas.lay(share * 0.5 * smooth_step(along + 0.12 * texture.tint, 0.65, 1.0), palette["damp"], lively)


def paint(
    cover: Cover,
    settled: Settled,
    texture: Texture,
    scars: tuple[Landslide, ...],
    slides: tuple[Landslide, ...],
    rng: np.random.Generator,
    *,
    later: bool,
    palette: dict[str, Colour] | None = None,
) -> FloatArray:
    """Paint the valley on one date.

    Parameters
    ----------
    cover, settled, texture
        What lies on the ground.
    scars
        Old landslides, overgrown on both dates.
    slides
        Fresh landslides; empty before the event.
    rng
        Source of randomness.
    later
        Autumn colours, ploughed parcels and a muddy river.
    palette
        Other colours than those of the season.

    Returns
    -------
    numpy.ndarray
        Reflectance of flat ground times 10 000, ``(4, height, width)``: red, green, blue, near infrared.
    """
    palette = palette or (AUTUMN if later else LATE_SUMMER)
    canvas = _Canvas(texture.thin.shape)
    _paint_nature(canvas, cover, texture, palette, later)
    _paint_people(canvas, settled, texture, palette, later)
    _paint_scars(canvas, scars, texture, palette)
    if slides:
        _paint_slides(canvas, slides, texture, palette, rng)
    _paint_river(canvas, cover, texture, palette)
    change = fractal(rng, texture.thin.shape, largest=20.0, smallest=3.0, roughness=1.2)
    return canvas.bands * np.exp(0.03 * change)
