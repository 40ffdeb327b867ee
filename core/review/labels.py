"""The review of labels: what people say of the labelled rows of a table from which models learn.

A label says of a row, a cell or a slope unit, whether there is a landslide. A reviewer confirms it or marks it as
wrong; the table stays as it is. The log is that of all reviews, see `core.review.log`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import InputError
from core.plots.colours import FALSE_POSITIVE, NOT_KNOWN, TRUE_POSITIVE
from core.plots.gis_style import category_style
from core.raster.features import write_features
from core.raster.fields import Field, write_fields
from core.raster.folder import make_folder, write_json
from core.raster.write import atomic_path
from core.review.edit_log import time_text, write_log
from core.review.edits import LABEL_REASONS, LANDSLIDE_THERE, NONE_THERE, Edit, Judgement
from core.review.log import read_log
from core.review.replay import replayed
from core.review.state import Feature, Review
from core.runs.about import about
from core.runs.kinds import find_task, kind_of
from core.wording import agree, count

if TYPE_CHECKING:
    from pathlib import Path

    from geopandas import GeoDataFrame, GeoSeries
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

FILE = "reviewed_labels"
"""Name of the files with the reviewed labels, and of the layer in the GeoPackage."""

CORRECTED = "corrected_table"
"""Name of the file with the table whose labels are corrected: CSV, or GeoPackage of a layer of units."""

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


def label_table(opened: OpenedLabels) -> DataFrame:
    """The reviewed labels as a table, in the order of the validated one; see `label_fields` for the columns."""
    import pandas

    table, status = opened.labelled.table, opened.status
    features = list(opened.review.features.values())
    named = opened.labelled.named
    label = table["landslide"].to_numpy(int)
    said = pandas.Series(np.where(status == "rejected", 1 - label, label), dtype="Int8")
    return pandas.DataFrame(
        {
            "id": table["id"],
            "row": table["row"],
            "label": label,
            "label_reviewed": said.mask(status == "unreviewed"),
            "status": status,
            "status_label": [STATUSES[name] for name in status],
            **{name: [getattr(one, name) or None for one in features] for name in ("reason", "note", "reviewer")},
            "reviewed": [time_text(one.reviewed) or None for one in features],
            "score": table["score"].round(4),
            **{f"table_{name}": named[name].to_numpy() for name in named.columns},
            "run": opened.run.id,
        }
    )


def label_fields(opened: OpenedLabels) -> dict[str, Field]:
    """What the columns of `label_table` hold."""
    untouched = "nobody has reviewed it yet"
    yes_no = {"1": "landslide", "0": "no landslide"}
    named = list(map(str, opened.labelled.named.columns))
    return {
        "id": Field("ID", "Name of the row in the review: R and its number."),
        "row": Field("Row", "Row of the validated table, from 0 for the first (below the heading of a CSV)."),
        "label": Field("Label", "Label in the validated table.", codes=yes_no),
        "label_reviewed": Field("Reviewed label", "Label after the review.", codes=yes_no, empty=untouched),
        "status": Field("Status code", "Result of the review, as a code.", codes=STATUSES),
        "status_label": Field("Status", "The status in words."),
        "reason": Field(
            "Reason", f"Why the label is wrong: {'; '.join(LABEL_REASONS)}; or a reviewer's own words.",
            empty="none was given", is_long=True),
        "note": Field("Note", "What a reviewer wrote about it.", empty="none was written", is_long=True),
        "reviewer": Field("Reviewer", "Name of the person who last changed it.", empty=untouched),
        "reviewed": Field("Reviewed", "When it was changed last.", "ISO 8601, in UTC (+00:00)", empty=untouched,
                          kind="time"),
        "score": Field(
            "Held-out score", f"What a model says that was not trained on the row: {opened.labelled.scored_by}.",
            "0 to 1", empty="the model was not tested on the row", kind="number", digits=2),
        **{f"table_{name}": Field(name, f"Column {name} of the validated table.") for name in named},
        "run": Field("Run", "ID of the validation."),
    }  # fmt: skip


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


ORIGIN = "labels corrected in the review of run {run} ({wrong} of {total})"
"""Begins the origin of a dataset whose labels were corrected."""

_ORIGIN = re.compile(r"labels corrected in the review of run ([0-9a-f]{8}) \((\d+) of (\d+)\)")


@dataclass(frozen=True)
class Corrected:
    """The review in which the labels of a dataset were corrected.

    Attributes
    ----------
    run
        First eight digits of the id of the reviewed run.
    wrong, total
        Labels that were corrected, of how many that could be reviewed.
    """

    run: str
    wrong: int
    total: int

    @property
    def words(self) -> str:
        """What was corrected where, in a sentence."""
        return (
            f"{self.wrong:,} of {count(self.total, 'label')} {agree(self.wrong, 'was', 'were')} corrected in the "
            f"review of run {self.run}."
        )


def corrected_in(origin: str) -> Corrected | None:
    """In which review the labels of a dataset were corrected, by its origin; None where they were not."""
    found = _ORIGIN.match(origin)
    return None if found is None else Corrected(found[1], int(found[2]), int(found[3]))


def origin_of(opened: OpenedLabels, before: str) -> str:
    """Origin of a dataset with corrected labels.

    Parameters
    ----------
    before
        Origin of the dataset as it was.
    """
    wrong, total = len(opened.corrections), len(opened.features)
    return f"{ORIGIN.format(run=opened.run.id[:8], wrong=wrong, total=total)}; before: {before}"


CAUTION = (
    "Rows are reviewed in the order in which a model contradicts their labels. Corrections then tend to favour that "
    "model: scores on the corrected labels are not independent evidence that it is good."
)
"""What whoever scores models on reviewed labels must know."""


def label_summary(opened: OpenedLabels) -> dict[str, Any]:
    """How far the review of labels is and who took part, as plain values for JSON."""
    review = opened.review
    return {
        "about": _about(opened),
        "run": opened.run.id,
        "entries": review.number,
        "reviewers": sorted({one.reviewer for one in review.log}),
        "counts": opened.counts,
        "corrected_to_landslide": sum(opened.corrections.values()),
        "corrected_to_no_landslide": sum(not one for one in opened.corrections.values()),
        "scored_by": opened.labelled.scored_by,
        "caution": CAUTION,
    }


def _about(opened: OpenedLabels) -> dict[str, str]:
    told, log = opened.about(), opened.review.log
    finished = {"run_finished": told.pop("date")} if "date" in told else {}
    people = ", ".join(sorted({one.reviewer for one in log}))
    last = {"reviewers": people, "date": time_text(log[-1].created)} if log else {}
    title = f"Reviewed labels of {opened.run.subject.name}"
    return {"content": title, "review": labels_words(opened), **last, **told, **finished}


def placed_labels(opened: OpenedLabels) -> GeoDataFrame | None:
    """The reviewed labels at their places; None where no coordinate system is known."""
    import geopandas

    places = opened.labelled.places
    if places is None:
        return None
    return geopandas.GeoDataFrame(label_table(opened), geometry=places.to_numpy(), crs=places.crs)


def export_labels(opened: OpenedLabels, folder: Path) -> dict[str, Any]:
    """Write the reviewed labels, the corrected table, the log and a summary.

    Parameters
    ----------
    folder
        Made when missing. Gets ``reviewed_labels.csv``, ``reviewed_labels_fields.csv`` (what its columns hold),
        ``corrected_table.csv`` (the validated table with the wrong labels turned over; of a layer of units
        ``corrected_table.gpkg``), ``review_log.csv`` and ``review.json``, and ``reviewed_labels.gpkg`` where the
        rows have outlines or coordinates in a known system.

    Returns
    -------
    The summary.

    Raises
    ------
    StorageError
        When the disk does not take them.
    """
    make_folder(folder)
    table, fields = label_table(opened), label_fields(opened)
    with atomic_path(folder / f"{FILE}.csv") as aside:
        table.to_csv(aside, index=False, lineterminator="\n")
    write_fields(folder / f"{FILE}_fields.csv", [str(name) for name in table.columns], fields)
    placed = placed_labels(opened)
    if placed is not None:
        points = bool((placed.geom_type == "Point").all())
        style = category_style("Labels", "status", COLOURS, points=points, labels=STATUSES)
        write_features(placed, folder / f"{FILE}.gpkg", FILE, style=style, about=_about(opened), fields=fields)
    write_corrected(opened, folder)
    write_log(opened.review, folder / "review_log.csv")
    content = label_summary(opened)
    write_json(content, folder / "review.json")
    return content


def write_corrected(opened: OpenedLabels, folder: Path) -> Path:
    """Write the validated table with the wrong labels turned over, as CSV, or a layer of units as GeoPackage.

    Returns
    -------
    The file in the folder.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    from geopandas import GeoDataFrame

    corrected = opened.labelled.corrected(opened.corrections)
    if isinstance(corrected, GeoDataFrame):
        path = folder / f"{CORRECTED}.gpkg"
        write_features(corrected, path, CORRECTED)
        return path
    path = folder / f"{CORRECTED}.csv"
    with atomic_path(path) as aside:
        corrected.to_csv(aside, index=False, lineterminator="\n")
    return path
