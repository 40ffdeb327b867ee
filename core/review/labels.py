"""The review of labels: what people say of the labelled rows of a table from which models learn.

A label says of a row, a cell or a slope unit, whether there is a landslide. A reviewer confirms it or marks it as
wrong; the table stays as it is. The log is that of all reviews, see `core.review.log`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.plots.colours import FALSE_POSITIVE, MISSED, NOT_KNOWN, OUTLINE_CHANGED, TRUE_POSITIVE
from core.raster.inside import points_inside
from core.review.edits import LABEL_REASONS, LANDSLIDE_THERE, NONE_THERE, Edit, Judgement
from core.review.fit import Fit, fit_of
from core.review.geometry import drawn_outline
from core.review.log import read_log
from core.review.replay import replayed
from core.review.state import Feature, Review
from core.review.units import Changes, changes_of, is_row, progress
from core.runs.about import about
from core.runs.kinds import find_task, kind_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.labelled import Labelled
    from core.runs.records import Run
    from core.runs.store import Store

STATUSES: Mapping[str, str] = {
    "unreviewed": "not reviewed", "confirmed": "label correct", "rejected": "label wrong",
    "edited": "outline changed", "added": "unit added",
}  # fmt: skip
"""Statuses of labels in words, by the status of `core.review.state.Feature`."""

OF_LABELS = ("unreviewed", "confirmed", "rejected")
"""Those of them that say something of a label, and nothing of an outline."""

JUDGED = ("confirmed", "rejected")
"""Those that say something of a label; they have colours of their own, all else has the colour of its label."""

COLOURS: Mapping[str, str] = {
    "unreviewed": NOT_KNOWN, "confirmed": TRUE_POSITIVE, "rejected": FALSE_POSITIVE, "edited": OUTLINE_CHANGED,
    "added": MISSED,
}  # fmt: skip
"""Of rows by their status, on the map and in a GIS."""


@dataclass(frozen=True)
class OpenedLabels:
    """The labels of a run and their review.

    Attributes
    ----------
    run
        The run.
    labelled
        Its labelled rows.
    features
        The same by id, before any edit, with their places; an empty point where these are not known.
    review
        What reviewers said of them.
    about
        Gives what files of the review tell of the run, as `core.runs.about.about`.
    """

    run: Run
    labelled: Labelled
    features: Mapping[str, Feature]
    review: Review
    about: Callable[[], dict[str, str]]

    @property
    def view_values(self) -> dict[str, Any]:
        """Labels do not depend on what was chosen after the run."""
        return {}

    @cached_property
    def positions(self) -> Mapping[str, int]:
        """Places in `Labelled.table` by id."""
        return {name: at for at, name in enumerate(self.features)}

    @property
    def grid(self) -> Grid:
        """The grid on which outlines of units are drawn, see `Labelled.frame`."""
        return self.labelled.frame

    @property
    def noun(self) -> str:
        """What a feature is."""
        return "unit" if self.labelled.has_outlines else "row"

    def drawn(self, shape: Mapping[str, Any]) -> BaseGeometry:
        """What was drawn on a map, in the coordinates of the layer; see `core.review.geometry.drawn_outline`."""
        return drawn_outline(shape, self.grid, "area of the units")

    @property
    def statuses(self) -> Mapping[str, str]:
        """What a row may be, in words: without outlines none of those that are theirs."""
        return STATUSES if self.labelled.has_outlines else {name: STATUSES[name] for name in OF_LABELS}

    def reasons(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Reasons that the labels of some rows may be wrong for: those that do not repeat what a label says."""
        said = {self.review.features[name].label for name in ids if name in self.review.features}
        odd = {LANDSLIDE_THERE if True in said else "", NONE_THERE if False in said else ""}
        return tuple(one for one in LABEL_REASONS if one not in odd)

    @staticmethod
    def named(text: str) -> str:
        """Id of a row that is given by its number alone, or of a part of it.

        Examples
        --------
        >>> OpenedLabels.named("5"), OpenedLabels.named("5a"), OpenedLabels.named("R5")
        ('R5', 'R5a', 'R5')
        """
        return f"R{text}" if text[:1].isdecimal() else text

    @staticmethod
    def judge(ids: tuple[str, ...], judgement: Judgement, reason: str | None = None, note: str | None = None) -> Edit:
        """Say of the labels of some rows whether they are right."""
        return Edit("label", ids, judgement=judgement, reason=reason, note=note)

    @cached_property
    def rows(self) -> DataFrame:
        """The rows as they are after the review, in the order of the table, and behind them those with other names.

        Columns: ``id``, ``row`` (row of the table, from 0; of a unit that a reviewer made that of its largest part, -1
        where it was drawn), ``made`` (whether a reviewer made it), ``landslide`` (the label before it is judged; None
        where it is not known), ``score`` (NaN where the outline is another one), ``status``.
        """
        import pandas

        everything = list(self.review.features.values())
        everything.sort(key=lambda one: self.positions.get(one.id, len(self.positions)))
        return pandas.DataFrame({
            "id": pandas.Series([one.id for one in everything], dtype=object),
            "row": np.array([self._row(one) for one in everything], dtype=np.int64),
            "made": np.array([not is_row(self.features, one) for one in everything], dtype=bool),
            "landslide": pandas.Series([one.label for one in everything], dtype="boolean"),
            "score": np.array([one.values.get("score", np.nan) for one in everything], dtype=np.float64),
            "status": pandas.Series([one.status for one in everything], dtype=object),
        })  # fmt: skip

    def _row(self, one: Feature) -> int:
        if one.origin == "model":
            return int(one.values["row"])
        largest = max(one.sources, key=lambda name: one.sources[name], default=None)
        return -1 if largest is None else int(self.features[largest].values["row"])

    @cached_property
    def recognised_by(self) -> DataFrame:
        """Columns by which people recognise `rows`, in the same order; empty for what was drawn, but for its place."""
        table = self.labelled.named.set_axis(self.labelled.table["row"].to_numpy(), axis="index")
        table = table.reindex(self.rows["row"]).reset_index(drop=True)
        inside, places = self.labelled.inside, self.labelled.places
        moved = [at for at, name in enumerate(self.rows["id"]) if self.review.features[name].origin != "model"]
        if not moved or inside is None or places is None:
            return table
        import geopandas

        outlines = [self.review.features[name].outline for name in self.rows["id"].iloc[moved]]
        points = points_inside(geopandas.GeoSeries(outlines, crs=places.crs)).to_crs(4326)
        table.loc[moved, inside[0]] = points.x.round(7).to_numpy()
        table.loc[moved, inside[1]] = points.y.round(7).to_numpy()
        return table

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many rows there are of each of `statuses`."""
        found = self.review.counts
        return {name: found[name] for name in self.statuses}

    @cached_property
    def progress(self) -> dict[str, int]:
        """How many rows of the table there are by what was said of them, see `core.review.units.progress`."""
        return progress(self.features, self.review)

    @property
    def reviewed(self) -> int:
        """How many rows of the table were reviewed."""
        return len(self.features) - self.progress.get("unreviewed", 0)

    @property
    def status(self) -> NDArray[np.object_]:
        """(rows,) status of each of `rows`."""
        return self.rows["status"].to_numpy(object)

    @property
    def disagreement(self) -> NDArray[np.float64]:
        """(rows,) how far the score is from the label, from 0 to 1; NaN where there is no score."""
        label = self.rows["landslide"].astype("Float64").to_numpy(np.float64, na_value=np.nan)
        said: NDArray[np.float64] = np.abs(self.rows["score"].to_numpy() - label)
        return said

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Places in `rows` of all: those whose score contradicts the label most first, without a score last."""
        found = np.nan_to_num(self.disagreement, nan=-1.0)
        return np.argsort(-found, kind="stable")

    @cached_property
    def changes(self) -> Changes:
        """How the corrected data differ from what was validated."""
        return changes_of(self.features, self.review)

    @cached_property
    def _corrected(self) -> DataFrame:
        """The corrected table or layer."""
        return self.labelled.corrected(self.changes)

    def values_of(self, name: str) -> Series[Any]:
        """All values of a row by column: as they were read, or of a unit with another outline as it is corrected.

        Parameters
        ----------
        name
            Id of a row of the review.
        """
        import pandas

        one, changes = self.review.features[name], self.changes
        if one.origin == "model":
            return self.labelled.source.iloc[int(one.values["row"])]
        table = self._corrected
        if is_row(self.features, one):
            row = int(self.features[name].values["row"])
            at = row - sum(other < row for other in changes.removed)
        else:
            at = len(table) - len(changes.made) + [unit.name for unit in changes.made].index(name)
        place = self.recognised_by.iloc[int(np.flatnonzero(self.rows["id"] == name)[0])]
        inside = {column: place[column] for column in self.labelled.inside or ()}
        others = table.drop(columns=["geometry", *inside], errors="ignore").iloc[at].astype(object)
        values: Series[Any] = pandas.concat([pandas.Series(inside, dtype=object), others])
        return values

    @cached_property
    def fit(self) -> Fit:
        """How the units lie together after the review; nothing to be said of rows without outlines."""
        return fit_of(self.features, self.review, self.grid) if self.labelled.has_outlines else Fit()

    @property
    def corrections(self) -> Mapping[int, bool]:
        """Rows of the table with another label, and what it should be."""
        return self.changes.labels


def has_labels(run: Run) -> bool:
    """Whether a run has labels that can be reviewed."""
    kind = kind_of(run)
    return kind is not None and kind.labels is not None


def open_labels(store: Store, run: Run, view: Any = None) -> OpenedLabels:  # noqa: ANN401  the view of the run's task
    """The labels of a run with their review.

    Parameters
    ----------
    view
        Says which model's scores stand beside the labels; None takes the run's own.

    Raises
    ------
    InputError
        When the run has no labels, or its table is gone.
    StorageError
        When a file of the run is gone, or the log is of a newer version.
    """
    kind = kind_of(run)
    if kind is None or kind.labels is None:
        raise InputError("This run has no labels that can be reviewed.", remedy="Choose a validation of a table.")
    result, task = store.result(run.id), find_task(run.task)
    if view is None and task.view is not None:
        view = task.view.load().default(result)
    labelled: Labelled = kind.labels.load()(store, run, view)
    features = _features(labelled)
    review = replayed(features, read_log(store, run.id))
    return OpenedLabels(run, labelled, features, review, lambda: about(result))


def _features(labelled: Labelled) -> dict[str, Feature]:
    from shapely.geometry import Point

    table = labelled.table
    places = [Point()] * len(table) if labelled.places is None else labelled.places
    rows = zip(
        table["id"].astype(str), places, table["row"].tolist(), table["landslide"].tolist(), table["score"].tolist(),
        strict=True,
    )  # fmt: skip
    return {
        name: Feature(name, place or Point(), values={"row": row, "score": score}, label=bool(landslide))
        for name, place, row, landslide, score in rows
    }
