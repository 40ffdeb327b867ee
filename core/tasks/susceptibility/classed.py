"""The classes of a map at a choice: where they part, what they hold, how they are told and written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.learning.metrics import CODES
from core.plots.colours import class_colours
from core.tasks.susceptibility.classes import ClassRow, breaks_of, class_rows, order_note

if TYPE_CHECKING:
    import pandas as pd

    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.view import Choice


@dataclass(frozen=True)
class Classed:
    """Classes of the index of a model.

    Attributes
    ----------
    model
        Name of the model, which is mapped.
    breaks
        First code of each class but the lowest.
    rows
        What each holds, the lowest first.
    """

    model: str
    breaks: tuple[int, ...]
    rows: tuple[ClassRow, ...]

    @property
    def fractions(self) -> tuple[float, ...]:
        """Breaks as an index between 0 and 1."""
        return tuple(one / (CODES - 1) for one in self.breaks)

    def name_of(self, index: float) -> str:
        """Name of the class that an index between 0 and 1 belongs to."""
        return self.rows[sum(round(index * (CODES - 1)) >= one for one in self.breaks)].name

    @property
    def address(self) -> str:
        """Breaks as a tile's address has them: halfway between codes, so that rounding moves no code."""
        return ",".join(f"{(one - 0.5) / (CODES - 1):.6f}" for one in self.breaks)

    @property
    def colours(self) -> tuple[str, ...]:
        """Of the classes, the lowest first."""
        return class_colours(len(self.rows))

    @property
    def note(self) -> str:
        """What is to be said of their order; empty where nothing is."""
        return order_note(self.rows)

    def table(self) -> pd.DataFrame:
        """One row a class, the highest first."""
        import pandas as pd

        return pd.DataFrame([
            {
                "class": row.name, "from": row.low, "to": row.high, "cells": row.cells,
                "km2": row.square_metres / 1e6, "share_of_area": row.share, "landslide_cells": row.hits,
                "share_of_landslides": row.share_of_hits, "density": row.density,
                "frequency_ratio": row.frequency_ratio,
            }
            for row in self.rows[::-1]
        ])  # fmt: skip


def mapped_model(result: SusceptibilityMap, choice: Choice) -> str:
    """The model that a map shows: the chosen one where it is mapped, else the first."""
    return choice.model if choice.model in result.mapped else result.mapped[0]


def classed(result: SusceptibilityMap, choice: Choice) -> Classed:
    """The classes of a map at a choice.

    Raises
    ------
    InputError
        When the index has no such classes.
    """
    model = mapped_model(result, choice)
    at = result.mapped.index(model)
    area, hits = np.asarray(result.area[at]), np.asarray(result.hits[at])
    breaks = breaks_of(choice.classes, area, hits, given=choice.given_breaks())
    return Classed(model, breaks, class_rows(breaks, area, result.square_metres[at], hits))
