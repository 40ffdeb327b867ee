"""What a task gives to be reviewed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.errors import InputError
from core.review.edits import Edit, Judgement
from core.review.geometry import drawn_outline
from core.review.log import read_log
from core.review.replay import judged, replayed
from core.review.state import GONE, MERGED, STATUSES, Feature, Review, features_of
from core.runs.about import about
from core.runs.kinds import find_task, is_primary, kind_of
from core.runs.view import options_of

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.raster.scene import Scene
    from core.runs.records import Run
    from core.runs.store import Store


@dataclass(frozen=True)
class Found:
    """What a run found at a view.

    Attributes
    ----------
    table
        A row a feature: ``id``, outlines in the coordinates of `grid` (columns and rows without a coordinate system),
        and what the model says of each.
    grid
        The grid of the run.
    known
        Gives (height, width) True where the run had data and searched.
    image
        Gives the scene that the run looked at; None where it is no longer there.
    noun, several
        What a feature is, and what several are, such as ``"box"`` and ``"boxes"``.
    left_out
        How many further features the run found that cannot be reviewed one by one.
    measured
        Whether areas of features are those of landslides; those of boxes are not.
    elevation
        Gives the elevation model of the scene; None where it has none, or the scene is no longer there.
    """

    table: GeoDataFrame
    grid: Grid
    known: Callable[[], NDArray[np.bool_]]
    image: Callable[[], Scene | None]
    noun: str = "landslide"
    several: str = "landslides"
    left_out: int = 0
    measured: bool = True
    elevation: Callable[[], Path | None] = lambda: None


MERGING = "merged"
"""What became of features that were merged, in words."""


@dataclass(frozen=True)
class Progress:
    """How far a review is.

    Attributes
    ----------
    total
        Features that the model found.
    judged
        How many of these were reviewed, by what was said of them.
    added
        Features that reviewers drew, which are none of those.
    """

    total: int
    judged: Mapping[str, int]
    added: int

    @property
    def reviewed(self) -> int:
        """How many of the model's features were reviewed."""
        return sum(self.judged.values())


@dataclass(frozen=True)
class Opened:
    """A run and its review.

    Attributes
    ----------
    run
        The run.
    view
        The post-processing whose features are reviewed: that with which the review began.
    found
        What it found there.
    features
        The same by id, before any edit.
    review
        What became of it.
    about
        Gives what files of the review tell of the run, as `core.runs.about.about`.
    """

    run: Run
    view: Any
    found: Found
    features: Mapping[str, Feature]
    review: Review
    about: Callable[[], dict[str, str]]

    @property
    def progress(self) -> Progress:
        """How far the review of what the model found is."""
        said = (words for name, words in judged(self.review.log).items() if name in self.features)
        return Progress(len(self.features), counted(said), self.review.counts["added"])

    @property
    def statuses(self) -> Mapping[str, str]:
        """What a feature may be, in words."""
        return STATUSES

    @staticmethod
    def named(text: str) -> str:
        """Id of a feature as it is given."""
        return text

    @staticmethod
    def judge(ids: tuple[str, ...], judgement: Judgement, reason: str | None = None, note: str | None = None) -> Edit:
        """Say of some features whether they are right."""
        return Edit("judge", ids, judgement=judgement, reason=reason, note=note)

    @property
    def grid(self) -> Grid:
        """The grid of the run, on which outlines are drawn."""
        return self.found.grid

    @property
    def noun(self) -> str:
        """What a feature is."""
        return self.found.noun

    def drawn(self, shape: Mapping[str, Any]) -> BaseGeometry:
        """What was drawn on a map, see `core.review.geometry.drawn_outline`."""
        return drawn_outline(shape, self.grid)

    @property
    def view_values(self) -> dict[str, Any]:
        """Values of the view, as the log holds them."""
        return asdict(self.view)


def counted(judgements: Iterable[str]) -> dict[str, int]:
    """How many features there are of each judgement (see `core.review.replay.judged`), merged ones together."""
    both = {MERGED: MERGING, GONE["merge"]: MERGING}  # how a merge ended for one of them is said of each alone
    said = Counter(both.get(words, words) for words in judgements)
    order = (*STATUSES.values(), MERGING, *GONE.values())
    return {words: said[words] for words in order if said[words]}


def can_be_reviewed(run: Run) -> bool:
    """Whether a run has features that can be reviewed."""
    return is_primary(run) and find_task(run.task).features is not None


def reviewed_run(store: Store, run: Run) -> Run:
    """The run whose review a run shows: for one that only adds a reference check, the run that it is derived from."""
    kind = kind_of(run)
    return store.run(run.parents[0]) if kind is not None and kind.again_from_parent and run.parents else run


def view_of_review(run: Run, review_view: Mapping[str, Any] | None, otherwise: Any) -> Any:  # noqa: ANN401
    """The view that a review began with, as the task's own class; another where there is no review yet.

    Values that the class of this version does not have are left out.
    """
    declared = find_task(run.task).view
    if review_view is None or declared is None:
        return otherwise
    made = declared.load()
    known = {option.name for option in options_of(made)}
    return made(**{name: value for name, value in review_view.items() if name in known})


def open_review(store: Store, run: Run, view: Any = None) -> Opened:  # noqa: ANN401  the view of the run's task
    """A run with its review; see `reviewed_run`.

    Parameters
    ----------
    view
        The post-processing with which a review would begin; None takes the run's own.

    Raises
    ------
    InputError
        When the run is not done, or has nothing that can be reviewed.
    StorageError
        When a file of the run is gone, or the log is of a newer version.
    """
    run = reviewed_run(store, run)
    task = find_task(run.task)
    if not can_be_reviewed(run) or task.features is None or task.view is None:
        raise InputError("This run holds no outlines that can be reviewed.", remedy=
            "Choose a mapping or detection run.")
    log = read_log(store, run.id)
    began = next((entry.edit.view for entry in log if entry.edit.op == "begin"), None)
    if began is None and view is None:
        view = task.view.load().default(store.result(run.id))
    chosen = view_of_review(run, began, view)
    found: Found = task.features.load()(store, run, chosen)
    features = features_of(found.table)
    return Opened(run, chosen, found, features, replayed(features, log), lambda: about(store.result(run.id), chosen))
