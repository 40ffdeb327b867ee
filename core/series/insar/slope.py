"""InSAR velocities along the slope.

References
----------
Cascini, L., Fornaro, G., Peduto, D. (2010). Advanced low- and full-resolution DInSAR map generation for slow-moving
landslide analysis at different scales. Engineering Geology 112, 29-42. doi:10.1016/j.enggeo.2010.01.003
Notti, D., et al. (2014). A methodology for improving landslide PSI data analysis. International Journal of Remote
Sensing 35, 2186-2214. doi:10.1080/01431161.2014.889864
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.wording import agree, count

LEAST_COSINE = 0.3
"""Cosine between the line of sight and the slope below which motion along the slope is hardly seen: its error would be
more than three times that along the line of sight."""

FLAT = 5.0
"""Degrees below which the ground is too flat to say where it would slide."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class SlopeMotion:
    """Motion along the slope; each ``(n,)``.

    Attributes
    ----------
    velocity, velocity_sd
        mm a year, positive downslope, and the standard error; NaN where it cannot be told.
    cosine
        Between the line of sight and the direction downslope; negative where motion downslope leads away from the
        satellite. NaN where slope, aspect or line of sight are unknown.
    notes
        What was assumed or left out, with its number.
    """

    velocity: Doubles
    velocity_sd: Doubles
    cosine: Doubles
    notes: tuple[str, ...]


def along_slope(
    velocity: Doubles, velocity_sd: Doubles, los: Doubles, slope: Doubles, aspect: Doubles, *,
    least_cosine: float = LEAST_COSINE, flat: float = FLAT,
) -> SlopeMotion:  # fmt: skip
    """Velocity along the slope from that along the line of sight, where all motion is taken to be downslope or upslope.

    The direction downslope is ``d = (cos s · sin a, cos s · cos a, −sin s)`` (east, north, up) for the slope s and the
    aspect a; the velocity along it is that along the line of sight divided by the cosine ``d · (e, n, u)``.

    Parameters
    ----------
    velocity, velocity_sd
        ``(n,)`` mm a year along the line of sight, positive towards the satellite, and the standard error.
    los
        ``(n, 3)`` unit vector from the ground to the satellite: east, north and up.
    slope
        ``(n,)`` degrees from the horizontal.
    aspect
        ``(n,)`` direction downhill, degrees clockwise from true north.
    least_cosine
        Size of the cosine below which the result is unknown.
    flat
        Slope in degrees below which it is unknown.

    Returns
    -------
    SlopeMotion
        Motion upslope is kept as it comes out: it says that the assumption does not hold there, or that it is noise.

    Raises
    ------
    InputError
        When a limit is out of range.
    """
    if not (0 < least_cosine < 1 and 0 <= flat < 90):
        raise InputError("The limits of the motion along the slope are out of range.",
                         f"Given: a cosine of {least_cosine:g} and a slope of {flat:g} degrees.",
                         "Give a cosine between 0 and 1 and a slope of 0 to 90 degrees.")  # fmt: skip
    s, a = np.radians(slope), np.radians(aspect)
    down = np.column_stack([np.cos(s) * np.sin(a), np.cos(s) * np.cos(a), -np.sin(s)])
    cosine = np.asarray((down * los).sum(axis=1), np.float64)
    unknown = ~np.isfinite(velocity) | ~np.isfinite(los).all(axis=1) | ~np.isfinite(slope)
    level = ~unknown & ((slope < flat) | ~np.isfinite(aspect))
    blind = ~unknown & ~level & (np.abs(cosine) < least_cosine)
    told = ~(unknown | level | blind)
    with np.errstate(all="ignore"):
        found = np.where(told, velocity / cosine, np.nan)
        spread = np.where(told, velocity_sd / np.abs(cosine), np.nan)
    upslope = told & (found < 0)
    sure = upslope & (found < -3 * spread)
    notes = ["All motion is assumed to be along the steepest slope: the motion along the line of sight "
             "was divided by the cosine of the angle between the two."]  # fmt: skip
    hardly = f"a direction in which motion along the slope is hardly visible (cosine below {least_cosine:g})"
    for which, one, several, what in (
        (unknown, "has", "have", "no velocity, line of sight or slope"),
        (level, "lies", "lie", f"on ground flatter than {flat:g}° or without a slope direction"),
        (blind, "faces", "face", hardly),
    ):
        if which.any():
            number = int(which.sum())
            notes.append(
                f"{count(number, 'point')} {agree(number, one, several)} {what}; {agree(number, 'its', 'their')} "
                "motion along the slope is unknown."
            )
    if upslope.any():
        number = int(upslope.sum())
        notes.append(
            f"{number:,} of {count(int(told.sum()), 'point')} {agree(number, 'appears', 'appear')} to move upslope, "
            f"{int(sure.sum()):,} by more than three standard errors: {agree(number, 'its', 'their')} motion is not "
            "along the slope."
        )
    return SlopeMotion(found, spread, cosine, tuple(notes))
