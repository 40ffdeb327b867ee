"""Where a table of labelled cells comes from."""

from __future__ import annotations

from core.tasks.susceptibility.result import TABLE
from ui.task.table_source import TableSource

SOURCE = TableSource(
    TABLE, "cells", "A row a cell or slope unit: whether there is a landslide, the factors, and where it is.",
    "region/cells.csv",
)  # fmt: skip
