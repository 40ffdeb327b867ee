"""``python -m core displacement points``: how InSAR points move, from a table as it was downloaded."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from core.cli.options import add_options, announcing, progress, store_for
from core.errors import InputError
from core.jobs.perform import run_in_process
from core.tasks.displacement.points_export import FORMATS, export_points
from core.tasks.displacement.points_result import PointsResult
from core.tasks.displacement.run_points import PointsRequest, order_of


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    one = commands.add_parser(
        "points", description=__doc__,
        help="velocity, acceleration and seasonal amplitude of InSAR points, as table, GeoPackage and rasters",
    )  # fmt: skip
    one.add_argument("table", type=Path, help="CSV or ZIP from the EGMS, or with columns d_YYYYMMDD; MintPy .h5 or "
                                              ".he5")
    one.add_argument("--unit", choices=("mm", "m"), help="unit of the values (default: that of the format)")
    one.add_argument("--crs", help="coordinate system of eastings and northings, such as EPSG:32633 (default: that of "
                                   "the format)")
    one.add_argument(
        "--cell", type=float, help="cell size of the rasters in metres (default: the usual distance between "
                                   "neighbouring points)"
    )
    one.add_argument(
        "--reference", type=_place, metavar="LON,LAT,RADIUS",
        help="stable reference area with a radius in metres; its mean series is subtracted from all points",
    )  # fmt: skip
    one.add_argument("--dem", type=Path, help="elevation model, for projecting the motion along the slope")
    one.add_argument("--other", type=Path, help="points of the other orbit, for separating eastward and upward motion")
    one.add_argument("--east-up-cell", type=float, help="cell size of the eastward and upward motion in metres (100)")
    one.add_argument("--format", choices=FORMATS, default="csv", help="format of the table (csv)")
    one.add_argument("--out", type=Path, required=True, help="folder for the files")
    add_options(one)
    one.set_defaults(do=_points)


def _place(text: str) -> tuple[float, ...]:
    return tuple(float(one) for one in text.split(","))


def _points(arguments: argparse.Namespace) -> None:
    names = ("unit", "crs", "cell", "reference", "east_up_cell")
    given: dict[str, Any] = {name: getattr(arguments, name) for name in names}
    request = PointsRequest(**{name: value for name, value in given.items() if value is not None})
    if arguments.out.is_file():
        raise InputError(f"{arguments.out} is a file.", remedy="Give a folder (--out).")
    with store_for(arguments, arguments.out.parent) as store:
        record = store.add_dataset(arguments.table, arguments.table.name, "table")
        dem = None if arguments.dem is None else store.add_dataset(arguments.dem, arguments.dem.name, "raster")
        other = None if arguments.other is None else store.add_dataset(arguments.other, arguments.other.name, "table")
        order = order_of(record, request, dem=dem, other=other, name=arguments.name)
        identity = run_in_process(store, order, announcing(store, arguments), progress("Fitting points"))
        content = export_points(store.result(identity, PointsResult), arguments.out, arguments.format)
    for line in (*content["verdict"], *content["notes"]):
        print(line)
