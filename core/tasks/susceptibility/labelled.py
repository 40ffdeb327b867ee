"""The labelled rows of a validation, as they are given to a reviewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.jobs.perform import request_of
from core.review.labelled import Labelled
from core.tasks.susceptibility.coordinates import coordinates_of
from core.tasks.susceptibility.corrected_rows import corrected_rows
from core.tasks.susceptibility.folds import TITLES
from core.tasks.susceptibility.guess import numbering_columns
from core.tasks.susceptibility.models import title_of
from core.tasks.susceptibility.result import CELLS, TABLE, SusceptibilityResult
from core.tasks.susceptibility.rows import LATITUDE, LONGITUDE, Rows, read_rows
from core.wording import within

if TYPE_CHECKING:
    import pandas as pd
    from geopandas import GeoSeries
    from numpy.typing import NDArray

    from core.runs.records import Run
    from core.runs.store import Store
    from core.tasks.susceptibility.cells import Columns
    from core.tasks.susceptibility.view import Choice


def labelled_rows(store: Store, run: Run, view: Choice) -> Labelled:
    """The complete rows of a validated table, with the score of the model and the scheme that are looked at.

    Raises
    ------
    InputError
        When the table is no longer in the store.
    StorageError
        When the design matrix is gone.
    """
    import pandas as pd

    result = store.result(run.id, SusceptibilityResult)
    view.checked(result)
    columns: Columns = request_of(run).columns
    score = f"score:{view.scheme}:{view.model}"
    matrix = pd.read_parquet(result.artifact(CELLS), columns=["row", "landslide", score])
    dataset = store.dataset(run.input(TABLE).dataset_id)
    read = read_rows(dataset.path, dataset.form)
    source = read.table
    rows = matrix["row"].to_numpy(np.int64)
    table = pd.DataFrame({
        "id": [f"R{row}" for row in rows], "row": rows, "landslide": matrix["landslide"].to_numpy(bool),
        "score": matrix[score].to_numpy(np.float64),
    })  # fmt: skip
    named = source[_recognised_by(source, columns)].iloc[rows].reset_index(drop=True)
    scheme = TITLES[view.scheme].split(" (")[0]  # type: ignore[index]
    scored_by = f"{title_of(view.model)}, {within(scheme)}"
    places = _outlines(read, rows)
    if places is None:
        places = _points(source.iloc[rows], columns, dataset.name)

    return Labelled(
        table, named, scored_by, places, source, dataset.origin, tuple(filter(None, (columns.x, columns.y))),
        (LONGITUDE, LATITUDE) if {LONGITUDE, LATITUDE} <= set(named.columns) else None,
        lambda changes: corrected_rows(read, columns, changes),
    )  # fmt: skip


def _recognised_by(source: pd.DataFrame, columns: Columns) -> list[str]:
    """Columns by which people recognise a row, coordinates last; of names that differ in case alone one."""
    wanted = [*numbering_columns(source), columns.group, columns.date, columns.x, columns.y]
    found: dict[str, str] = {}
    for name in wanted:
        if name and name != columns.target:
            found.setdefault(name.lower(), name)
    return list(found.values())


def _outlines(read: Rows, rows: NDArray[np.int64]) -> GeoSeries | None:
    """Outlines of some rows of a layer; None for a table, and where the layer names no coordinate system."""
    import geopandas

    if read.outlines is None or read.outlines.crs is None:
        return None
    return geopandas.GeoSeries(read.outlines.to_numpy()[rows], crs=read.outlines.crs)


def _points(rows: pd.DataFrame, columns: Columns, name: str) -> GeoSeries | None:
    """Where the rows are; None where the table does not say in which coordinate system."""
    import geopandas
    import shapely

    found = coordinates_of(rows, columns, name)
    if found is None or found.known_crs is None:
        return None
    return geopandas.GeoSeries(shapely.points(found.places), crs=found.known_crs)

