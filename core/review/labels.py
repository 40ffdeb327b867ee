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
from core.plots.colours import FALSE_POSITIVE, NOT_KNOWN, TRUE_POSITIVE
from core.review.edits import LABEL_REASONS, LANDSLIDE_THERE, NONE_THERE, Edit, Judgement
from core.review.log import read_log
from core.review.replay import replayed
from core.review.state import Feature, Review
from core.runs.about import about
from core.runs.kinds import find_task, kind_of
from core.wording import agree, count

if TYPE_CHECKING:

    from geopandas import GeoSeries
    from numpy.typing import NDArray
    from pandas import DataFrame

    from core.runs.records import Run
    from core.runs.store import Store

STATUSES: Mapping[str, str] = {
    "unreviewed": "not reviewed", "confirmed": "label correct", "rejected": "label wrong",
}  # fmt: skip
"""Statuses of labels in words, by the status of `core.review.state.Feature`."""

COLOURS: Mapping[str, str] = {"unreviewed": NOT_KNOWN, "confirmed": TRUE_POSITIVE, "rejected": FALSE_POSITIVE}
"""Of rows by their status, on the map and in a GIS."""

@dataclass(frozen=True)
class Labelled:
    """Labelled rows of a table, as a task gives them to a reviewer.

    Attributes
    ----------
    table
        A row for each that has a label: ``id``, ``row`` (its row in the table, from 0), ``landslide`` (what the label
        says), ``score`` (0 to 1, what a model says that had not seen the row; NaN where it was not asked).
    named
        Columns of the validated table by which people recognise these rows, in the same order, such as coordinates.
    scored_by
        The model and the way of dividing that the scores are of, in words.
    places
        Outlines or points of the rows, in the order of `table`, in a coordinate system; None where none is known.
    source
        The whole table as it was read.
    origin
        Where the table comes from, in words.
    coordinates
        Those columns of `named` that are coordinates.
    corrected
        Gives the table, or the layer of units, with other labels, by row: True for a landslide.
    """

    table: DataFrame
    named: DataFrame
    scored_by: str
    places: GeoSeries | None
    source: DataFrame
    origin: str
    coordinates: tuple[str, ...]
    corrected: Callable[[Mapping[int, bool]], DataFrame]


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

    @property
    def statuses(self) -> Mapping[str, str]:
        """What a label may be, in words."""
        return STATUSES

    def reasons(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Reasons that the labels of some rows may be wrong for: those that do not repeat what a label says."""
        table = self.labelled.table
        said = set(table["landslide"][table["id"].isin(list(ids))].astype(bool))
        odd = {LANDSLIDE_THERE if True in said else "", NONE_THERE if False in said else ""}
        return tuple(one for one in LABEL_REASONS if one not in odd)

    @staticmethod
    def named(text: str) -> str:
        """Id of a row that is given by its number alone.

        Examples
        --------
        >>> OpenedLabels.named("5"), OpenedLabels.named("R5")
        ('R5', 'R5')
        """
        return f"R{text}" if text.isdecimal() else text

    @staticmethod
    def judge(ids: tuple[str, ...], judgement: Judgement, reason: str | None = None, note: str | None = None) -> Edit:
        """Say of the labels of some rows whether they are right."""
        return Edit("label", ids, judgement=judgement, reason=reason, note=note)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many labels there are of each of `STATUSES`."""
        found = self.review.counts
        return {name: found[name] for name in STATUSES}

    @property
    def reviewed(self) -> int:
        """How many labels were reviewed."""
        return len(self.features) - self.counts["unreviewed"]

    @cached_property
    def status(self) -> NDArray[np.object_]:
        """(rows,) status of each row, in the order of the table."""
        return np.array([one.status for one in self.review.features.values()], dtype=object)

    @property
    def disagreement(self) -> NDArray[np.float64]:
        """(rows,) how far the score is from the label, from 0 to 1; NaN where there is no score."""
        table = self.labelled.table
        said: NDArray[np.float64] = np.abs(table["score"].to_numpy(float) - table["landslide"].to_numpy(float))
        return said

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Places in the table of all rows: those whose score contradicts the label most first, without a score last."""
        found = np.nan_to_num(self.disagreement, nan=-1.0)
        return np.argsort(-found, kind="stable")

    @property
    def corrections(self) -> dict[int, bool]:
        """Labels that are wrong, by row of the table, as they should be."""
        wrong = self.labelled.table[self.status == "rejected"]
        return {int(row): not was for row, was in zip(wrong["row"], wrong["landslide"].astype(bool), strict=True)}


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

    names = labelled.table["id"].astype(str)
    places = [Point()] * len(names) if labelled.places is None else labelled.places
    return {name: Feature(name, place) for name, place in zip(names, places, strict=True)}


def labels_words(opened: OpenedLabels) -> str:
    """What the review of labels comes to, in a sentence or two."""
    counts, total = opened.counts, len(opened.features)
    wrong = list(opened.corrections.values())
    gained = sum(wrong)
    lost = len(wrong) - gained
    parts = [
        f"{count(number, 'row')} labelled as {one} {agree(number, 'has', 'have')} {other}"
        for number, one, other in ((lost, "landslide", "none"), (gained, "no landslide", "one"))
        if number
    ]
    said = f": {' and '.join(parts)}" if parts else ""
    return (
        f"{opened.reviewed:,} of {count(total, 'label')} reviewed: {counts['confirmed']:,} correct, "
        f"{counts['rejected']:,} wrong{said}."
    )
