"""What a run of trends holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from core.runs.result import RunResult

TABLE = "trends"
"""Role of the table of means and trends."""


@dataclass(frozen=True)
class Trend:
    """A column of the table: its mean, and how much it rises from one row to the next."""

    column: str
    mean: float
    slope: float


@dataclass(frozen=True, kw_only=True)
class Trends(RunResult):
    """Means and trends of a table.

    Attributes
    ----------
    trends
        One of each column, in the order of the table.
    """

    trends: tuple[Trend, ...]

    def metrics(self) -> dict[str, float]:
        """See `RunResult`."""
        return {"columns": len(self.trends), "steepest": max(abs(one.slope) for one in self.trends)}

    def to_json(self) -> dict[str, Any]:
        """See `RunResult`."""
        return {"trends": [asdict(one) for one in self.trends]}

    @classmethod
    def _fields(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        return {"trends": tuple(Trend(**one) for one in content["trends"])}
