"""The factors that models learn from, by kind, and how those of a direction enter a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FLAT = -1.0
"""Direction of ground that faces nowhere, as other programs write it too."""

SECTORS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")
"""Classes of a direction, each 45° wide and the first around 0°; flat ground is a class of its own."""

FLAT_CLASS = "flat"


RESERVED = ("row", "landslide", "x", "y", "cell")
"""Names of other columns of a design matrix, which no factor may have."""


def check_names(names: Sequence[str]) -> None:
    """Refuse names of factors that other columns of a design matrix have.

    Raises
    ------
    InputError
        When one has.
    """
    taken = next((one for one in names if one in RESERVED or one.startswith(("fold:", "score:"))), None)
    if taken is not None:
        raise InputError(
            f"A factor cannot be named {taken!r}.", "The design matrix uses this column name for other data.",
            "Choose another name.",
        )  # fmt: skip


@dataclass(frozen=True)
class Factors:
    """Names of factors by kind.

    Attributes
    ----------
    quantities
        Numbers of which more is more, such as slope.
    classes
        Classes without an order, such as lithology.
    circular
        Directions in degrees clockwise from north, 0 to 360, such as aspect; -1 on flat ground.
    """

    quantities: tuple[str, ...]
    classes: tuple[str, ...] = ()
    circular: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.quantities, *self.circular, *self.classes)


def sectors(degrees: NDArray[np.float64]) -> NDArray[np.object_]:
    """Directions as their class of `SECTORS`, or ``"flat"``."""
    number = np.floor((np.where(degrees >= 0, degrees, 0.0) % 360 + 22.5) / 45).astype(np.intp) % 8
    named = np.asarray(SECTORS, dtype=object)[number]
    named[~(degrees >= 0)] = FLAT_CLASS
    return np.asarray(named, dtype=object)


def factor_of_column(pipeline: Pipeline) -> tuple[str, ...] | None:
    """The factor that each column of a fitted pipeline's last step stems from.

    Returns
    -------
    tuple of str or None
        A factor of classes has as many columns as classes, a direction two. None for a model that takes the factors
        as they are; see `core.tasks.susceptibility.models.Model.whole`.
    """
    from sklearn.compose import ColumnTransformer

    before = pipeline[0]
    if not isinstance(before, ColumnTransformer):
        return None
    found: list[str] = []
    for name, step, columns in before.transformers_:
        if name == "quantities":
            found += columns
        elif name == "circular" and columns:
            found += [*columns, *columns]
        elif name == "classes" and columns:
            found += [one for one, known in zip(columns, step.categories_, strict=True) for _ in known]
    return tuple(found)


def kinds_of(columns: Sequence[str], classes: Sequence[str], circular: Sequence[str]) -> Factors:
    """Factors in the order of a table's columns, by kind."""
    return Factors(
        tuple(one for one in columns if one not in classes and one not in circular),
        tuple(one for one in columns if one in classes),
        tuple(one for one in columns if one in circular),
    )
