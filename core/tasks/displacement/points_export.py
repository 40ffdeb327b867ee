"""Taking InSAR points away: a table, a GeoPackage and rasters that other programs open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.plots.colours import ramp
from core.plots.gis_style import BEYOND, range_style
from core.raster.features import write_features
from core.raster.folder import copy_file, make_folder, write_json
from core.raster.write import atomic_path
from core.runs.about import about
from core.tasks.displacement.points_findings import verdict
from core.tasks.displacement.points_layers import RAMPS, ends
from core.tasks.displacement.points_result import (
    CELLS,
    EAST,
    FURTHER,
    RASTERS,
    SLOPE_VELOCITY,
    UP,
    VELOCITY,
    PointsResult,
    cells_of,
    points_table,
)

if TYPE_CHECKING:
    import pandas as pd

    from core.raster.geopackage import LayerStyle

FORMATS = ("csv", "parquet")

DIGITS = {
    "x": 2, "y": 2, "longitude": 7, "latitude": 7, "step": 2,
    **dict.fromkeys(("velocity", "velocity_sd", "acceleration", "acceleration_sd", "seasonality", "rmse",
                     "slope_velocity", "slope_velocity_sd", "slope", "aspect", "slope_cosine"), 4),
}  # fmt: skip
"""Decimals of the columns of a CSV: coordinates to a centimetre, motion to less than it can be measured."""

TITLES = {
    "points.csv": "All points with their motion (CSV)", "points.parquet": "All points with their motion (Parquet)",
    "points.gpkg": "All points for a GIS (GeoPackage)", "velocity.png": "Velocity map (PNG)",
    "metrics.json": "Results, notes and provenance (JSON)",
    **{f"{role}.tif": f"{title}, mean of each cell (GeoTIFF)"
       for role, title in {**RASTERS, **FURTHER}.items() if role != SLOPE_VELOCITY},
    "east_up.csv": "Eastward and upward motion by cell (CSV)",
}  # fmt: skip
"""What an export may hold, in words: an earlier one in the same folder leaves none of it beside the new."""


CELL_DIGITS = {"x": 2, "y": 2, "longitude": 7, "latitude": 7,
               **dict.fromkeys(("east", "east_sd", "up", "up_sd", "condition"), 4)}  # fmt: skip


def metrics_of(result: PointsResult) -> dict[str, Any]:
    """Figures, what they come to, notes and provenance as plain values for JSON."""
    said = verdict(result)
    return {
        "run": result.id, "table": result.subject.name, "points": result.count, "dates": result.dates,
        "first": result.first, "last": result.last, "direction": result.direction, "velocity_mm_a_year":
        {name: result.summary[name] for name in ("q05", "q50", "q95")}, "moving": result.summary["moving"],
        "with_a_step": result.summary["stepped"], "cell_m": result.summary["cell"],
        "verdict": [said.lead, *said.others], "notes": list(result.notes), "provenance": dict(result.provenance),
    }  # fmt: skip


def export_points(result: PointsResult, folder: Path, form: str = "csv") -> dict[str, Any]:
    """Write everything of a run into a folder, made when missing; files of the same names are replaced.

    Parameters
    ----------
    form
        Of the table: ``"csv"`` or ``"parquet"``.

    Raises
    ------
    LandslideError
        When a file is gone or the disk is full.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from core.tasks.displacement.points_figure import draw_velocity

    make_folder(folder)
    for name in TITLES:
        (folder / name).unlink(missing_ok=True)
    table = points_table(result)
    with atomic_path(folder / f"points.{form}") as aside:
        if form == "csv":
            table.round(DIGITS).to_csv(aside, index=False)
        else:
            table.to_parquet(aside, index=False)
    write_points(result, table, folder / "points.gpkg")
    for role in (*RASTERS, EAST, UP):
        if role in result.artifacts:
            copy_file(result.artifact(role), folder / f"{role}.tif")
    if CELLS in result.artifacts:
        with atomic_path(folder / "east_up.csv") as aside:
            cells_of(result).round(CELL_DIGITS).to_csv(aside, index=False)
    figure = draw_velocity(result, table)
    FigureCanvasAgg(figure)
    with atomic_path(folder / "velocity.png") as aside:
        figure.savefig(aside, format="png", metadata={"Software": "SlideLens", "Creation Time": None})
    content = metrics_of(result)
    write_json(content, folder / "metrics.json")
    return content


def write_points(result: PointsResult, table: pd.DataFrame, path: Path) -> None:
    """Write the points as a GeoPackage in the coordinate system of the rasters."""
    import geopandas

    shapes = geopandas.points_from_xy(table["x"], table["y"])
    frame = geopandas.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=shapes, crs=result.grid.crs)
    write_features(frame, path, "points", style=_style(result), about=about(result))


def _style(result: PointsResult) -> LayerStyle:
    """The points in the colours of the map, in nine equal ranges of velocity with all beyond in the first and last."""
    low, high = ends(VELOCITY, result.spans[VELOCITY])
    edges = [-BEYOND, *np.linspace(low, high, 10)[1:-1].tolist(), BEYOND]
    colours = ["#{:02X}{:02X}{:02X}".format(*row) for row in ramp(RAMPS[VELOCITY], 9).tolist()]
    return range_style("Velocity (mm/yr)", VELOCITY, list(zip(edges, edges[1:], colours, strict=False)))
