"""One colour a meaning, on every page, map, figure and export.

The categories are from the Okabe–Ito palette, which stays apart for every common colour blindness and on
light and dark backgrounds; ramps are perceptually uniform. A colour never stands alone: each legend entry has
words.

References
----------
Okabe, M. and Ito, K. (2008). Color universal design: how to make figures and presentations that are friendly
to colorblind people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FOUND = "#D55E00"
"""A landslide that the model found."""

REFERENCE = "#0072B2"
"""A landslide of the reference inventory."""

TRUE_POSITIVE = "#009E73"
"""Found, and in the reference."""

FALSE_POSITIVE = "#E69F00"
"""Found, but not in the reference."""

MISSED = "#56B4E9"
"""In the reference, but not found."""

ONE_MODEL = "#F0E442"
"""What one model found alone, where two are compared; what both found has the colour of what is found."""

OTHER_MODEL = "#CC79A7"
"""What another model found, beside what this one found."""

EDITED = "#CC79A7"
"""An outline that a reviewer changed."""

OUTLINE_CHANGED = "#D55E00"
"""Units whose outline a reviewer changed, among units in the colours of their labels."""

NO_LANDSLIDE = "#CC79A7"
"""A place that is labelled as having no landslide."""

NOT_KNOWN = "#767676"
"""Found where the reference says nothing."""

BY_CHANCE = "#767676"
"""What chance alone would give, beside something measured."""

PROBABILITY_RAMP = "viridis"
"""Also of the confidence of a box."""

DENSITY_RAMP = "magma"
"""How many there are for each km²."""

UNCERTAINTY_RAMP = "cividis"
UNLIKE_RAMP = "Purples"
"""How far a part of a scene is beyond the limit of the images that a model was trained on."""

DIVERGING_RAMP = "RdBu_r"
"""White at zero; red speaks for a landslide (or for more than before), blue against it."""

SLOPE_RAMP = "YlOrBr"
"""Slope of the ground, from level to `STEEPEST`."""

STEEPEST = 60.0
"""Degrees of slope of the last colour; few slopes are steeper."""

ASPECT_RAMP = "twilight"
"""Directions, which end where they begin: matplotlib's perceptually uniform circle."""

VELOCITY_RAMP = "RdBu"
"""White at zero; of velocities along a line of sight red is away from the satellite, blue towards it."""

SUSCEPTIBILITY = ("#2C7BB6", "#ABD9E9", "#FFFFBF", "#FDAE61", "#D7191C")
"""Five classes of susceptibility from very low to very high: ColorBrewer's RdYlBu turned, which is safe for colour
blindness."""

FACTOR_RAMP = "viridis"
"""Values of a factor from low to high."""

CATEGORIES = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#999999", "#7B4173",
    "#637939", "#8C6D31", "#843C39", "#3182BD", "#31A354", "#756BB1", "#636363", "#E7BA52", "#AD494A", "#6B6ECF",
)  # fmt: skip
"""Colours of classes without an order: Okabe and Ito's eight, then others."""

CAM_RAMP = "inferno"
"""Grad-CAM knows no against: from dark, which says nothing, to bright."""


@dataclass(frozen=True)
class LegendEntry:
    """One colour, the words beside it, and how it is drawn: as a filled or hatched area, or as an outline."""

    colour: str
    label: str
    drawn: Literal["filled", "hatched", "line", "dashed"] = "filled"


@dataclass(frozen=True)
class Legend:
    """What the colours of one layer mean.

    Parameters
    ----------
    title
        Name of the quantity, with its unit if it has one.
    entries
        Colours with their words. For a ramp: the stops from low to high, of which those with words are
        labelled.
    kind
        ``"classes"`` for separate colours, ``"ramp"`` for a continuous scale.
    """

    title: str
    entries: tuple[LegendEntry, ...]
    kind: Literal["classes", "ramp"] = "classes"


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0–255) of a colour written ``#RRGGBB``.

    Examples
    --------
    >>> rgb(FOUND)
    (213, 94, 0)
    """
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=8)
def ramp(name: str, steps: int = 256) -> NDArray[np.uint8]:
    """Colours of a continuous scale from low to high.

    Parameters
    ----------
    name
        A matplotlib colour map, normally one of the ``*_RAMP`` constants.
    steps
        Number of colours.

    Returns
    -------
    numpy.ndarray
        Shape ``(steps, 3)``, red, green, blue in 0–255. Not writable, because it is shared.
    """
    from matplotlib import colormaps  # costs a third of a second, which a page without a map need not pay

    colours = (colormaps[name](np.linspace(0.0, 1.0, steps))[:, :3] * 255.0).round().astype(np.uint8)
    colours.setflags(write=False)
    return colours


def ramp_legend(title: str, name: str, low: str, middle: str, high: str) -> Legend:
    """Legend of a continuous scale, with words at its ends and in its middle."""
    return _of_colours(title, ramp(name, 9), {0: low, 4: middle, 8: high})


def _of_colours(title: str, colours: NDArray[np.uint8], words: Mapping[int, str]) -> Legend:
    entries = (
        LegendEntry("#{:02X}{:02X}{:02X}".format(*(int(part) for part in colour)), words.get(step, ""))
        for step, colour in enumerate(colours)
    )
    return Legend(title, tuple(entries), "ramp")


def slope_legend() -> Legend:
    """Legend of slopes."""
    return ramp_legend("Slope (°)", SLOPE_RAMP, "0", f"{STEEPEST / 2:g}", f"{STEEPEST:g} and more")


def aspect_legend() -> Legend:
    """Legend of the directions that slopes face."""
    compass = {0: "N", 2: "E", 4: "S", 6: "W", 8: "N"}
    return _of_colours("Aspect (downslope direction)", ramp(ASPECT_RAMP, 9), compass)


def unlike_ramp() -> NDArray[np.uint8]:
    """Colours from the limit of the training images to twice that, none so pale that it is not seen on an image."""
    return ramp(UNLIKE_RAMP)[80:]


def confidence_legend(most: float = 1.0) -> Legend:
    """Legend of boxes by how sure the detector is of them.

    Parameters
    ----------
    most
        Confidence of the brightest colour; the darkest is 0.
    """
    return ramp_legend("Confidence", PROBABILITY_RAMP, "0", f"{most / 2:g}", f"{most:g}")


def density_legend(title: str, most: float) -> Legend:
    """Legend of a grid of counts.

    Parameters
    ----------
    title
        What is counted, with its unit.
    most
        Value of the brightest colour; the darkest is 0.
    """
    middle, high = (f"{value:,.0f}" if value >= 10 else f"{value:.2g}" for value in (most / 2, most))
    return ramp_legend(title, DENSITY_RAMP, "0", middle, high)


def ramp_colours(values: NDArray[np.floating], name: str) -> list[str]:
    """Colour of each value between 0 and 1 on a continuous scale, as ``#RRGGBB``.

    Examples
    --------
    >>> ramp_colours(np.array([0.0, 1.0]), PROBABILITY_RAMP)
    ['#440154', '#FDE725']
    """
    colours = ramp(name)
    steps = np.clip(np.nan_to_num(values) * (len(colours) - 1), 0, len(colours) - 1).round().astype(int)
    return ["#{:02X}{:02X}{:02X}".format(*row) for row in colours[steps].tolist()]


def classes_legend(title: str, names: Sequence[str], words: Sequence[str]) -> Legend:
    """Legend of classes of susceptibility, the highest first.

    Parameters
    ----------
    names
        Of the classes, the lowest first.
    words
        What stands behind each name, such as its range.
    """
    entries = tuple(
        LegendEntry(colour, f"{name.capitalize()} {more}".strip())
        for colour, name, more in zip(class_colours(len(names)), names, words, strict=True)
    )
    return Legend(title, entries[::-1])


def class_colours(count: int) -> tuple[str, ...]:
    """Colours of so many classes of susceptibility, the lowest first."""
    return spread(SUSCEPTIBILITY, count)


def spread(colours: Sequence[str], count: int) -> tuple[str, ...]:
    """So many of some ordered colours, the first and the last among them; more than there are are mixed.

    Examples
    --------
    >>> spread(("#000000", "#808080", "#FFFFFF"), 2)
    ('#000000', '#FFFFFF')
    """
    places = np.linspace(0, len(colours) - 1, count)
    if count <= len(colours):
        return tuple(colours[place] for place in places.round().astype(int))
    parts = np.array([rgb(colour) for colour in colours], np.float64).T
    mixed = np.stack([np.interp(places, np.arange(len(colours)), part) for part in parts], axis=1)
    return tuple("#{:02X}{:02X}{:02X}".format(*row) for row in mixed.round().astype(int).tolist())


def difference_legend(title: str, low: str = "−1", high: str = "+1") -> Legend:
    """Legend of a layer that shows by how much a probability differs.

    Parameters
    ----------
    low, high
        Words at the ends of the scale, blue and red.
    """
    return ramp_legend(title, DIVERGING_RAMP, low, "0", high)


def legend(layer: str) -> Legend | None:
    """Legend of a map layer, or None for a layer that shows an image.

    Parameters
    ----------
    layer
        Name of a layer of a run as in its tile address: ``probability``, ``mask``, ``uncertainty``,
        ``outcome``, ``truth``, ``training_distance``, ``cam`` or ``attribution``.
    """
    match layer:
        case "probability":
            return ramp_legend("Probability of landslide", PROBABILITY_RAMP, "0", "0.5", "1")
        case "uncertainty":
            return ramp_legend("Spread of probability", UNCERTAINTY_RAMP, "0", "0.5", "1")
        case "training_distance":
            words = {0: "limit", 4: "1.5 ×", 8: "≥ 2 ×"}
            shown = unlike_ramp()[np.linspace(0, len(unlike_ramp()) - 1, 9).round().astype(int)]
            return _of_colours("Distance from the training images", shown, words)
        case "cam":
            return ramp_legend("Grad-CAM: effect on the score", CAM_RAMP, "none", "", "highest")
        case "attribution":
            return ramp_legend("Effect on the score", DIVERGING_RAMP, "lowered it", "none", "raised it")
        case "mask":
            return Legend("", (LegendEntry(FOUND, "Found landslides (area)"),))
        case "truth":
            return Legend("", (LegendEntry(REFERENCE, "Reference (area)"),))
        case "outcome":
            return Legend(
                "Reference check",
                (
                    LegendEntry(TRUE_POSITIVE, "Correct"),
                    LegendEntry(FALSE_POSITIVE, "False alarm"),
                    LegendEntry(MISSED, "Missed"),
                ),
            )
        case _:
            return None
