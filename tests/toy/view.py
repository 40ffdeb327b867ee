"""What only post-processes trends: one slider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import InputError
from core.runs.view import chosen

if TYPE_CHECKING:
    from tests.toy.result import Trend, Trends


@dataclass(frozen=True)
class Choice:
    """The least trend, up or down, of the columns that are shown."""

    least_trend: float = chosen("smallest trend shown, up or down", address="least", default=0.0)

    def __post_init__(self) -> None:
        if not self.least_trend >= 0:
            raise InputError(f"A least trend of {self.least_trend:g} is below zero.")

    @classmethod
    def default(cls, result: Trends) -> Choice:
        """What a page begins with: everything."""
        del result
        return cls()

    def shown(self, result: Trends) -> list[Trend]:
        """The columns whose trend is large enough."""
        return [one for one in result.trends if abs(one.slope) >= self.least_trend]
