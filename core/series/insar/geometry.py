"""Motion to the east and up from InSAR velocities of two orbits.

A radar measures motion along its line of sight alone: ``v = e·E + n·N + u·U``, where ``(e, n, u)`` is the unit vector
from the ground to the satellite and ``(E, N, U)`` the motion to the east, to the north and up. Two orbits give two of
the three.

References
----------
Wright, T. J., Parsons, B. E., Lu, Z. (2004). Toward mapping surface deformation in three dimensions using InSAR.
Geophysical Research Letters 31, L01607. doi:10.1029/2003GL018827
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError
from core.series.insar.track import Track
from core.wording import agree, count

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_CONDITION = 5.0
"""Condition number from which two orbits look along too similar directions: errors grow up to as many times."""

LEAST_CELL, MOST_CELL = 1.0, 100_000.0
"""Metres of a cell."""

OVERLAP = 0.9
"""Share of the whole time that both orbits have to cover to be taken for measured at the same time."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class EastUp:
    """Motion of cells to the east and up.

    Attributes
    ----------
    x, y
        ``(m,)`` middles of the cells in which either orbit has a point, metres.
    crs, cell
        Their coordinate system, and the side of a cell in metres; edges lie at whole multiples of it.
    east, east_sd, up, up_sd
        ``(m,)`` mm a year, and standard errors; NaN where one orbit is missing, or both look along too similar
        directions.
    points
        ``(m, 2)`` points of each orbit.
    condition
        ``(m,)`` condition number of the two directions; NaN where one is missing.
    north
        mm a year to the north that was assumed.
    north_in_east, north_in_up
        ``(m,)`` by how much the solution to the east and up would change for each mm a year of motion to the north.
    notes
        What was assumed or left out, with its number.
    """

    x: Doubles
    y: Doubles
    crs: str
    cell: float
    east: Doubles
    east_sd: Doubles
    up: Doubles
    up_sd: Doubles
    points: NDArray[np.int64]
    condition: Doubles
    north: float
    north_in_east: Doubles
    north_in_up: Doubles
    notes: tuple[str, ...]


def east_and_up(first: Track, second: Track, cell: float, north: float = 0.0) -> EastUp:
    """Motion to the east and up from two orbits, such as an ascending and a descending one.

    In each cell the velocities and the unit vectors of each orbit are averaged, and the two equations
    ``v = e·E + n·N + u·U`` are solved for E and U with N as given. Standard errors of points count as independent of
    each other, and carry over to E and U.

    Parameters
    ----------
    cell
        Side of the cells, metres.
    north
        Motion to the north, mm a year: both orbits fly nearly along it and hardly see it.

    Raises
    ------
    InputError
        When the orbits have no cell in common, no date in common, or look along the same direction everywhere.
    """
    _check(first, second, cell)
    keys, x, y = _cells(first, second, cell)
    means = [_means(track, place, len(x)) for track, place in zip((first, second), keys, strict=True)]
    (n1, v1, s1, (e1, h1, u1)), (n2, v2, s2, (e2, h2, u2)) = means
    both = (n1 > 0) & (n2 > 0)
    if not both.any():
        raise InputError(
            f"{first.name} and {second.name} have no cell of {cell:g} m in common.",
            "East and up components need a point of each orbit in the same cell.",
            "Choose larger cells, or files of the same area.",
        )  # fmt: skip
    condition, across = _condition(e1, u1, e2, u2)
    solved = both & (condition < MOST_CONDITION)
    if not solved.any():
        raise InputError(
            f"{first.name} and {second.name} have nearly the same line of sight.",
            f"Their condition number is at best {np.nanmin(condition[both]):.1f}; it must be below {MOST_CONDITION:g}.",
            "Use one file of an ascending and one of a descending orbit.",
        )  # fmt: skip
    with np.errstate(all="ignore"):
        r1, r2 = v1 - h1 * north, v2 - h2 * north
        found = {
            "east": (u2 * r1 - u1 * r2) / across, "east_sd": np.hypot(u2 * s1, u1 * s2) / np.abs(across),
            "up": (e1 * r2 - e2 * r1) / across, "up_sd": np.hypot(e2 * s1, e1 * s2) / np.abs(across),
            "north_in_east": (u1 * h2 - u2 * h1) / across, "north_in_up": (e2 * h1 - e1 * h2) / across,
        }  # fmt: skip
    found = {name: np.where(solved, one, np.nan) for name, one in found.items()}
    notes = _notes(first, second, both, solved, (n1 > 0, n2 > 0), north, found)
    points = np.column_stack([n1, n2])
    return EastUp(x, y, first.crs, cell, points=points, condition=np.where(both, condition, np.nan), north=north,
                  notes=notes, **found)  # fmt: skip


def _check(first: Track, second: Track, cell: float) -> None:
    if not LEAST_CELL <= cell <= MOST_CELL:
        raise InputError(f"Cells of {cell:g} m are out of range.",
                         remedy=f"Choose {LEAST_CELL:g} to {MOST_CELL:,.0f} m.")  # fmt: skip
    if first.crs != second.crs:
        raise InputError(f"{first.name} is in {first.crs}, {second.name} in {second.crs}.",
                         "Both must have the same coordinate system.", "Reproject one of them.")  # fmt: skip
    if first.last < second.first or second.last < first.first:
        raise InputError(
            f"{first.name} and {second.name} were measured at different times.",
            f"One covers {str(first.first)[:10]} to {str(first.last)[:10]}, the other {str(second.first)[:10]} to "
            f"{str(second.last)[:10]}: their velocities do not describe the same motion.",
            "Use files of the same years.",
        )  # fmt: skip


def _cells(first: Track, second: Track, cell: float) -> tuple[list[NDArray[np.intp]], Doubles, Doubles]:
    """Which cell each point of the two lies in, and the middles of the cells."""
    places = [np.column_stack([np.floor(one.x / cell), np.floor(one.y / cell)]).astype(np.int64)
              for one in (first, second)]  # fmt: skip
    low = np.minimum(*(one.min(axis=0) for one in places))
    high = np.maximum(*(one.max(axis=0) for one in places))
    width = int(high[0] - low[0]) + 1
    codes = np.concatenate([(one[:, 1] - low[1]) * width + one[:, 0] - low[0] for one in places])
    cells, at = np.unique(codes, return_inverse=True)
    x = (cells % width + low[0] + 0.5) * cell
    y = (cells // width + low[1] + 0.5) * cell
    return [at[: len(first.x)], at[len(first.x) :]], x.astype(np.float64), y.astype(np.float64)


def _means(track: Track, at: NDArray[np.intp], size: int) -> tuple[NDArray[np.int64], Doubles, Doubles, list[Doubles]]:
    """Points of each cell, their mean velocity, its standard error, and the mean of each part of the unit vector."""
    known = np.isfinite(track.velocity) & np.isfinite(track.los).all(axis=1)
    at = at[known]
    count = np.bincount(at, minlength=size)

    def total(values: Doubles) -> Doubles:
        return np.asarray(np.bincount(at, values[known], minlength=size), np.float64)

    with np.errstate(all="ignore"):
        spread = np.sqrt(total(track.velocity_sd**2)) / count
        return count, total(track.velocity) / count, spread, [total(part) / count for part in track.los.T]


def _condition(e1: Doubles, u1: Doubles, e2: Doubles, u2: Doubles) -> tuple[Doubles, Doubles]:
    """Condition number of the rows (e, u) of two orbits, and their determinant."""
    with np.errstate(all="ignore"):
        across = e1 * u2 - e2 * u1
        squares = e1**2 + u1**2 + e2**2 + u2**2
        largest = (squares + np.sqrt(np.maximum(squares**2 - 4 * across**2, 0))) / 2  # of the singular values, squared
        return np.where(across == 0, np.inf, largest / np.abs(across)), across


def _notes(
    first: Track, second: Track, both: NDArray[np.bool_], solved: NDArray[np.bool_],
    held: tuple[NDArray[np.bool_], NDArray[np.bool_]], north: float, found: dict[str, Doubles],
) -> tuple[str, ...]:  # fmt: skip
    east, up = (float(np.median(found[one][solved])) for one in ("north_in_east", "north_in_up"))
    alone = [int((one & ~both).sum()) for one in held]
    notes = [
        f"Motion to the north is assumed to be {north:g} mm per year, since neither orbit resolves it well: each "
        f"additional mm per year would change the result by {east:+.2f} to the east and {up:+.2f} up.",
        f"{int(both.sum()):,} of {count(len(both), 'cell')} {agree(int(both.sum()), 'has', 'have')} points of both "
        f"orbits; those with points of {first.name} only ({alone[0]:,}) or {second.name} only ({alone[1]:,}) are "
        "unknown.",
        "Standard errors treat the points as independent of each other, which makes them too small.",
    ]  # fmt: skip
    alike = int((both & ~solved).sum())
    if alike:
        notes.append(f"{count(alike, 'cell')} {agree(alike, 'is', 'are')} unknown because the lines of sight of the "
                     f"two orbits are too similar there (condition number of {MOST_CONDITION:g} or more).")  # fmt: skip
    begin, end = max(first.first, second.first), min(first.last, second.last)
    longest = max(first.last, second.last) - min(first.first, second.first)
    if longest and (end - begin) / longest < OVERLAP:
        notes.append(f"Both were measured from {str(begin)[:10]} to {str(end)[:10]}, one of them also before or after; "
                     "if the velocity changed, the two do not describe the same motion.")  # fmt: skip
    return tuple(notes)


def cells_table(motion: EastUp) -> DataFrame:
    """Cells with their motion, a row a cell: ``longitude, latitude, x, y, east, up …``; mm a year."""
    import pandas as pd
    from pyproj import Transformer

    longitude, latitude = Transformer.from_crs(motion.crs, "EPSG:4326", always_xy=True).transform(motion.x, motion.y)
    return pd.DataFrame({
        "longitude": longitude, "latitude": latitude, "x": motion.x, "y": motion.y, "east": motion.east,
        "east_sd": motion.east_sd, "up": motion.up, "up_sd": motion.up_sd, "points_first": motion.points[:, 0],
        "points_second": motion.points[:, 1], "condition": motion.condition,
    })  # fmt: skip


