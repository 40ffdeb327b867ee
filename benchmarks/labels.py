"""How long the review of the labels of a large table takes: opening it, an edit, what the page makes of it, its files.

Run ``python -m benchmarks.labels [ROWS]``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from benchmarks.results import record
from core.jobs.perform import run_inline
from core.report.label_map import label_map
from core.review import actions, label_files, labels, log
from core.runs.records import Run
from core.runs.store import Store
from core.tasks.susceptibility.cells import Columns
from core.tasks.susceptibility.run import Request, order_of

COLUMNS = Columns("label", ("slope", "relief"), (), "x", "y", "EPSG:32717")
T = TypeVar("T")


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int, nargs="?", default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), rows)
    record(
        "Review of labels",
        f"A table of {rows:,} rows, validated with one model, and the same rows as units of a layer. The page opens "
        "the review anew after each edit.",
        figures, ("pandas", "shapely", "pyogrio"),
    )  # fmt: skip


def measured(home: Path, rows: int) -> dict[str, str]:
    """Seconds by what is done."""
    store, made = Store(home), dict[str, float]()

    def timed(what: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        found = work()
        made[what] = time.perf_counter() - began
        return found

    random = np.random.default_rng(0)
    table = pd.DataFrame({"label": random.integers(0, 2, rows)})
    table["slope"], table["relief"] = random.normal(20 + 5 * table["label"], 8), random.normal(50, 10, rows)
    table["x"], table["y"] = 700_000 + 5e4 * random.random(rows), 9_550_000 + 5e4 * random.random(rows)
    table.to_csv(home / "table.csv", index=False)
    request = Request(COLUMNS, ("logistic_regression",), ("random",), repeats=1)
    run = store.run(run_inline(store, order_of(store.add_dataset(home / "table.csv", "table"), request)))
    opened = timed("Opened", lambda: labels.open_labels(store, run))
    edit = opened.judge(("R5", "R9"), "rejected")
    timed("An edit added to the log", lambda: log.append(
        store, run.id, opened.features, edit, reviewer="benchmark", seen=0, view=opened.view_values
    ))  # fmt: skip
    opened = timed("Opened again", lambda: labels.open_labels(store, run))
    timed("Order of the rows and the table", lambda: label_files.label_table(opened).iloc[opened.order])
    timed("All files", lambda: label_files.export_labels(opened, home / "out"))
    units = units_of(store, home, table)
    opened = timed("Units of a layer, opened", lambda: labels.open_labels(store, units))
    near = timed("Unit nearest to another", lambda: actions.nearest(opened.review, "R5"))
    merged = actions.merge(opened.review, ["R5", near], "unit")
    timed("A merge added to the log", lambda: log.append(
        store, units.id, opened.features, merged, reviewer="benchmark", seen=0, view=opened.view_values
    ))  # fmt: skip
    opened = timed("Units opened again", lambda: labels.open_labels(store, units))
    timed("Overlaps and gaps of changed outlines", lambda: opened.fit)
    timed("Values of a changed unit", lambda: opened.values_of(next(iter(merged.made))))
    timed("Map of the units in a report", lambda: label_map(opened, list(merged.made)))
    timed("Corrected layer", lambda: label_files.write_corrected(opened, home / "units-out"))
    return {what: f"{seconds:.2f} s" for what, seconds in made.items()}


def units_of(store: Store, home: Path, table: pd.DataFrame) -> Run:
    """A validation of the same rows as squares beside one another."""
    import geopandas
    import shapely

    side = int(np.ceil(np.sqrt(len(table))))
    column, row = np.arange(len(table)) % side, np.arange(len(table)) // side
    x, y = 500_000 + 80.0 * column, 5_000_000 + 80.0 * row
    squares = shapely.box(x, y, x + 80, y + 80)
    layer = geopandas.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=squares, crs=32632)
    layer.to_file(home / "units.gpkg")
    columns = Columns("label", ("slope", "relief"))
    request = Request(columns, ("logistic_regression",), ("random",), repeats=1)
    (home / "units-out").mkdir()
    return store.run(run_inline(store, order_of(store.add_dataset(home / "units.gpkg", "units"), request)))


if __name__ == "__main__":
    main()
