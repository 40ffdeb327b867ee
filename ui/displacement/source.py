"""Where a table of a monitored slope comes from."""

from __future__ import annotations

from core.tasks.displacement.result import SERIES
from ui.task.table_source import TableSource

SOURCE = TableSource(
    SERIES, "series",
    "Times, and displacement or positions of stations; rain, reservoir level and other drivers are optional.",
    "slope/readings.csv",
)  # fmt: skip
