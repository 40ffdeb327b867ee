"""Where a table of labelled cells comes from."""

from __future__ import annotations

from core.tasks.susceptibility.result import TABLE
from ui.task.table_source import TableSource

SOURCE = TableSource(
    TABLE, "cells", "One row per cell or slope unit: landslide yes or no, the factors, and the position; "
    "or a layer of units with these as attributes (GeoPackage, GeoJSON, zipped Shapefile).",
    "region/cells.csv",
)  # fmt: skip
