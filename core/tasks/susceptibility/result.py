"""What a validation of susceptibility models leaves: scores by model and way of dividing, and the design matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.runs.result import RunResult

CELLS, SCORES = "cells", "scores"
"""Roles of the design matrix (Parquet, see `core.tasks.susceptibility.validate.table_of`) and of the scores (JSON)."""

TABLE = "table"
"""Role of the table that cells are read from."""


@dataclass(frozen=True, kw_only=True)
class SusceptibilityResult(RunResult):
    """A validation of models on labelled cells.

    Attributes
    ----------
    scores
        By model and scheme, see `core.tasks.susceptibility.validate.Scores.to_json`.
    count, landslides
        Complete cells, and those of them with a landslide.
    factors, categorical, circular
        Names of the factors that models learnt from, and those of them that are classes or directions.
    """

    scores: Mapping[str, Mapping[str, Mapping[str, Any]]]
    count: int
    landslides: int
    factors: tuple[str, ...]
    categorical: tuple[str, ...] = ()
    circular: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the order asked."""
        return tuple(self.scores)

    @property
    def schemes(self) -> tuple[str, ...]:
        """Ways in which cells were divided, in the order asked."""
        return tuple(next(iter(self.scores.values()), {}))

    def of(self, model: str, scheme: str, score: str) -> float:
        """A score; NaN where it is undefined."""
        value = self.scores[model][scheme].get(score)
        return float("nan") if value is None else float(value)

    def metrics(self) -> dict[str, float]:
        """See `RunResult`: the highest AUROC of a model in each way of dividing."""
        best = {f"auroc_{one}": max(self.of(model, one, "auroc") for model in self.models) for one in self.schemes}
        return {**best, "models": float(len(self.models)), "cells": float(self.count)}

    def beside_metrics(self) -> dict[str, str]:
        """See `RunResult`: the model that has the highest AUROC, and its 95 % interval."""
        from core.tasks.susceptibility.findings import best, interval
        from core.tasks.susceptibility.models import title_of

        firsts = {scheme: best(self, scheme) for scheme in self.schemes}
        return {
            f"auroc_{scheme}": f"{title_of(first)}, {interval(self, first, scheme)}"
            for scheme, first in firsts.items()
        }

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {
            "scores": self.scores, "count": self.count, "landslides": self.landslides, "factors": list(self.factors),
            "categorical": list(self.categorical), "circular": list(self.circular),
        }  # fmt: skip

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "scores": content["scores"],
            "count": int(content["count"]),
            "landslides": int(content["landslides"]),
            "factors": tuple(content["factors"]),
            "categorical": tuple(content["categorical"]),
            "circular": tuple(content.get("circular", ())),
        }
