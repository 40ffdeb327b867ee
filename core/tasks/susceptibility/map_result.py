"""What a map of susceptibility leaves: rasters of the index, how the area is spread over it, and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.raster.grid import Grid
from core.tasks.susceptibility.index_map import index_role
from core.tasks.susceptibility.result import SusceptibilityResult

if TYPE_CHECKING:
    from core.tasks.susceptibility.factors import Factors

DEM, FACTOR, INVENTORY, AREAS = "dem", "factor", "inventory", "areas"
"""Roles of the inputs; the last one is a layer of areas that are left out of a validation in turn."""

FACTORS, BACKGROUND = "factors", "background"
"""Roles of the raster of factors, a band each, and of a sample of its cells (Parquet: cell, factors)."""


@dataclass(frozen=True, kw_only=True)
class SusceptibilityMap(SusceptibilityResult):
    """A map of susceptibility with the validation of its models.

    Attributes
    ----------
    grid
        Grid of all rasters.
    bands
        Names of the factors in the order of the bands of the raster of factors; `factors` are those that models use.
    mapped
        Models that are mapped; the first one is the one that the map shows first.
    area, square_metres, hits
        (mapped, 255) cells of the area, their area, and cells with a landslide, by code of the index.
    ranks
        (landslides,) share of the area that a model which had not seen a landslide puts above it; empty without.
    layers
        What was done to each raster, a sentence each.
    unknown
        Share of the grid without data, by factor.
    limit
        Dissimilarity index beyond which a cell is unlike those that models learnt from; None where not asked for.
    outside
        Share of the mapped area beyond it; None where not asked for.
    prevalence
        Share of cells with a landslide that users state; None for none, and the index is no probability then.
    sampled_share
        Share of landslides among the cells that models learnt from.
    """

    grid: Grid
    bands: tuple[str, ...]
    mapped: tuple[str, ...]
    area: NDArray[np.int64]
    square_metres: NDArray[np.float64]
    hits: NDArray[np.int64]
    ranks: NDArray[np.float64]
    layers: tuple[str, ...]
    unknown: Mapping[str, float]
    limit: float | None
    outside: float | None
    prevalence: float | None
    sampled_share: float

    @property
    def kinds(self) -> Factors:
        """The factors that models use, by kind."""
        from core.tasks.susceptibility.factors import kinds_of

        return kinds_of(self.factors, self.categorical, self.circular)

    def probability(self, index: NDArray[Any]) -> NDArray[np.float64]:
        """The index as a probability, by the stated prevalence; see `core.tasks.susceptibility.prior`.

        Raises
        ------
        InputError
            When none was stated.
        """
        from core.errors import InputError
        from core.tasks.susceptibility.prior import corrected

        if self.prevalence is None:
            raise InputError("No prevalence (share of cells with a landslide) was given.", (
                "Without it, the index is not a probability."
            ),
                             "Give it (--prevalence).")  # fmt: skip
        return corrected(index, self.sampled_share, self.prevalence)

    def role_of(self, model: str) -> str:
        """Role of the raster of a model that is mapped."""
        return index_role(self.mapped.index(model))

    def metrics(self) -> dict[str, float]:
        """See `RunResult`: the AUROC of the model that is shown first, in each way of dividing."""
        first = self.mapped[0]
        scored = {f"auroc_{one}": self.of(first, one, "auroc") for one in self.schemes}
        return {**scored, "models": float(len(self.models)), "cells": float(self.count)}

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {
            **super().to_json(),
            "grid": self.grid.to_json(),
            "bands": list(self.bands),
            "mapped": list(self.mapped),
            "area": self.area.tolist(),
            "square_metres": self.square_metres.tolist(),
            "hits": self.hits.tolist(),
            "ranks": self.ranks.tolist(),
            "layers": list(self.layers),
            "unknown": dict(self.unknown),
            "limit": self.limit,
            "outside": self.outside,
            "prevalence": self.prevalence,
            "sampled_share": self.sampled_share,
        }

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **super()._fields(content),
            "grid": Grid.from_json(content["grid"]),
            "bands": tuple(content["bands"]),
            "mapped": tuple(content["mapped"]),
            "area": np.asarray(content["area"], dtype=np.int64),
            "square_metres": np.asarray(content["square_metres"], dtype=np.float64),
            "hits": np.asarray(content["hits"], dtype=np.int64),
            "ranks": np.asarray(content["ranks"], dtype=np.float64),
            "layers": tuple(content["layers"]),
            "unknown": content["unknown"],
            "limit": content["limit"],
            "outside": content["outside"],
            "prevalence": content["prevalence"],
            "sampled_share": float(content["sampled_share"]),
        }
