"""What a run on InSAR points found, in sentences: the same for page, report and command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InputError
from core.series.words import signed
from core.tasks.displacement.findings import Verdict
from core.tasks.displacement.points_result import PointsResult
from core.wording import agree, count

if TYPE_CHECKING:
    import pandas as pd

SIGNS = {
    "line of sight": "Along the line of sight; negative is away from the satellite.",
    "vertical": "Vertical; negative is down.",
    "east": "East–west; negative is to the west.",
    "": "The file does not state the direction of measurement.",
}
"""What the sign of a velocity means, by direction."""

FASTEST = 20
"""Points of the table of the fastest."""


def verdict(result: PointsResult) -> Verdict:
    """What was found of all points."""
    said = result.summary
    share = said["moving"] / max(result.count, 1)
    low, middle, high = (signed(float(said[name]), ".1f") for name in ("q05", "q50", "q95"))
    lead = (
        f"{count(result.count, 'point')}, {count(result.dates, 'date')} from {result.first} to {result.last}. 90 % of "
        f"the velocities lie between {low} and {high} mm/year; the median is {middle} "
        "mm/year."
    )
    others = (
        SIGNS[result.direction],
        f"{count(said['moving'], 'point', form=',.0f')} ({100 * share:.0f} %) {agree(said['moving'], 'has', 'have')} a "
        "velocity of more than three standard errors. The standard error is underestimated, because it assumes "
        "independent residuals.",
        "A measurement along one direction does not detect motion across it: a slope that appears stable may move.",
    )
    return Verdict(lead, others)


def fastest(table: pd.DataFrame, number: int = FASTEST) -> pd.DataFrame:
    """The points of the largest velocities that are more than three standard errors from zero, the fastest first.

    The index is the row in the table of points.
    """
    sure = table[np.abs(table["velocity"]) > 3 * table["velocity_sd"]]
    first: pd.DataFrame = sure.iloc[np.argsort(-np.abs(sure["velocity"].to_numpy()), kind="stable")[:number]]
    return first


def rows_of(table: pd.DataFrame, ids: Sequence[str]) -> list[int]:
    """Rows of some points in the table of points, by their ids.

    Raises
    ------
    InputError
        When there is none of a name.
    """
    place = {str(one): row for row, one in enumerate(table["pid"].to_numpy())} if ids else {}
    unknown = [one for one in ids if one not in place]
    if unknown:
        raise InputError(f"There is no point {unknown[0][:40]!r}.", remedy="Choose points on the map.")
    return [place[one] for one in ids]
