"""InSAR velocities of one orbit with the line of sight along which they were measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.insar.cube import LINE_OF_SIGHT
from core.series.insar.motion import Motion
from core.series.insar.points import Points

UNIT_LENGTH = (0.97, 1.03)
"""Lengths between which a vector counts as a unit vector: files round its components."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Track:
    """Velocities of the points of one orbit.

    Attributes
    ----------
    name
        What users call it.
    x, y
        ``(n,)`` places in `crs`, metres.
    crs
        A coordinate system of metres.
    velocity, velocity_sd
        ``(n,)`` mm a year along the line of sight, positive towards the satellite, and the standard error; NaN where
        unknown.
    los
        ``(n, 3)`` unit vector from the ground to the satellite: east, north and up; NaN where unknown.
    first, last
        Dates of the first and last measurement.
    """

    name: str
    x: Doubles
    y: Doubles
    crs: str
    velocity: Doubles
    velocity_sd: Doubles
    los: Doubles
    first: np.datetime64
    last: np.datetime64


def line_of_sight(points: Points, name: str) -> Doubles:
    """Unit vectors from the ground to the satellite that stand in a table: ``los_east``, ``los_north``, ``los_up``.

    Returns
    -------
    ndarray (n, 3)
        NaN where it is not known, or is no unit vector.

    Raises
    ------
    InputError
        When the table has no such columns, or they hold no unit vector.
    """
    import pandas as pd

    known = {str(one).lower(): one for one in points.attributes.columns}
    missing = [one for one in LINE_OF_SIGHT if one not in known]
    if missing:
        raise InputError(
            f"{name} does not give its line of sight.",
            f"It has no column {missing[0]}, without which motion cannot be converted to another direction.",
            "Use EGMS files of level L2a or L2b, or add los_east, los_north and los_up (unit vector from the ground "
            "to the satellite).",
        )  # fmt: skip
    columns = [pd.to_numeric(points.attributes[known[one]], errors="coerce").to_numpy(float) for one in LINE_OF_SIGHT]
    los = np.column_stack(columns)
    length = np.sqrt((los**2).sum(axis=1))
    fits = (length > UNIT_LENGTH[0]) & (length < UNIT_LENGTH[1])
    if not fits.any():
        raise InputError(f"los_east, los_north and los_up of {name} are not unit vectors.",
                         "The sum of their squares must be 1.", "Check these columns.")  # fmt: skip
    return np.where(fits[:, None], los, np.nan)


def track_of(points: Points, motion: Motion, crs: str, name: str) -> Track:
    """Points of one orbit, brought to a coordinate system of metres.

    Parameters
    ----------
    crs
        Such as that of a UTM zone, or EPSG:3035.

    Raises
    ------
    InputError
        When the table does not say its line of sight, or its places do not lie in the system.
    """
    from pyproj import CRS, Transformer
    from pyproj.exceptions import ProjError

    los = line_of_sight(points, name)
    try:
        system = CRS.from_user_input(crs)
        moved = Transformer.from_crs(points.crs, system, always_xy=True).transform(points.x, points.y)
    except ProjError as error:
        raise InputError(f"The points of {name} cannot be converted to {crs[:40]!r}.", str(error)[:200],
                         "Name another coordinate system.") from error  # fmt: skip
    if not system.is_projected or any(axis.unit_name != "metre" for axis in system.axis_info[:2]):
        raise InputError(f"{crs[:40]} is not in metres.", remedy="Choose a UTM zone or EPSG:3035.")
    x, y = (np.asarray(one, np.float64) for one in moved)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError(f"Some points of {name} lie outside {crs[:40]}.", remedy="Choose a system for that area.")
    return Track(name, x, y, crs, motion.velocity, motion.velocity_sd, los, points.times[0], points.times[-1])
