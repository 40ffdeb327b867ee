"""What reviewers said of what a run found, wherever its features are listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.reviewing import TAB

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from core.raster.grid import Grid
    from ui.map_layers import Outlines
    from ui.task.selection import Extent, Selection

COLUMN = "review"
"""Column that `with_judgements` adds."""


def judgements(run: str) -> Mapping[str, str]:
    """What a review says of each of a run's features, by id; empty where there is no review.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    return _of_run(run).said


FATES: Mapping[str, str] = {
    "delete": tr_noop("deleted in the review"), "split": tr_noop("split into {names}"),
    "merge": tr_noop("merged into {names}"),
}
"""What became of features that are no longer in the inventory."""


def fate(run: str, name: str | None) -> str:
    """What became of a feature that was deleted, split or merged, in the visitor's language; empty for nothing.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    return _fate(_of_run(run).fates, name)


def _fate(known: Mapping[str, tuple[str, tuple[str, ...]]], name: str | None) -> str:
    op, names = known.get(name or "", ("", ()))
    if op:
        return tr(FATES[op]).format(names=", ".join(names))
    others = [other for other, became in known.items() if became == ("merge", (name,))]
    return tr("merged with {names}").format(names=", ".join(others)) if others else ""


def decision(run: str, name: str) -> list[str]:
    """What a review says of one of a run's features, as facts for `ui.task.selection.tell`; empty for nothing.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    from core.review.state import CHANGED

    known = _of_run(run)
    said = known.said.get(name)
    if said is None:
        return []
    words = tr("review: **{decision}**").format(decision=_words(known, name, said))
    return [words, tr("the values here are the model's")] if said in CHANGED else [words]


def has_changes(run: str) -> bool:
    """Whether outlines of a run are others in its review.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    from core.review.state import CHANGED

    return not CHANGED.isdisjoint(judgements(run).values())


def is_made(run: str, name: str | None) -> bool:
    """Whether something is of the review alone: drawn by a reviewer, or a part of what was split.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    return name in _of_run(run).made


def absent(run: str, name: str | None) -> str:
    """Why something that is selected is not among what the model found, for `ui.task.selection.tell`.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    known = _of_run(run)
    if not name or name not in known.made:
        return ""
    if parents := known.split_from.get(name):
        return tr("part of {name}, split in the review: the tab Review shows it").format(name=", ".join(parents))
    return tr("from the review, not found by the model: the tab Review shows it")


def outline_of_made(run: str, name: str | None, grid: Grid) -> tuple[Outlines, ...]:
    """The outline of what is selected where it is of the review alone, for the map; else nothing.

    Parameters
    ----------
    grid
        Of the run.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    table = _made(run, name, grid)
    if table is None:
        return ()
    from core.plots.colours import EDITED
    from core.serve.coordinates import features
    from ui.map_layers import Outlines

    told, _ = features(table, {})
    title = tr_noop("Selected, from the review")
    return (Outlines("of-review", title, told, EDITED, dashed=True, fill=0.0, weight=3.0, seam=True),)


def focus(selection: Selection, shapes: GeoDataFrame | None, grid: Grid) -> Extent | None:
    """As `ui.task.selection.Selection.focus`, also where what is selected is of the review alone.

    Parameters
    ----------
    grid
        Of the run.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    made = _made(selection.run, selection.current, grid)
    return selection.focus(shapes if made is None else made)


def _made(run: str, name: str | None, grid: Grid) -> GeoDataFrame | None:
    """The outline of what is of the review alone, with a column ``id``; None of all else."""
    outline = _of_run(run).outlines.get(name or "")
    if outline is None or not is_made(run, name):
        return None
    import geopandas
    from shapely.geometry import shape

    crs = None if grid.crs is None else grid.crs.to_wkt()
    return geopandas.GeoDataFrame({"id": [name]}, geometry=[shape(dict(outline))], crs=crs)


@dataclass(frozen=True)
class _Told:
    """What a log tells: of each of the model's features, what reviewers made, and what became of what is gone.

    Of what was made also the outlines, as GeoJSON in the coordinates of the run, and what parts were split from.
    """

    said: Mapping[str, str]
    made: frozenset[str]
    fates: Mapping[str, tuple[str, tuple[str, ...]]]
    outlines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    split_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def _of_run(run: str) -> _Told:
    from core.review.found import reviewed_run
    from core.review.log import last_number

    store = resources.store()
    known = reviewed_run(store, store.run(run)).id
    number = last_number(store, known)
    return _read(known, number) if number else _Told({}, frozenset(), {})


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(run: str, number: int) -> _Told:
    del number  # part of the key
    from core.review.log import read_log
    from core.review.replay import fates, judged, made, undone

    log = read_log(resources.store(), run)
    without = undone(log)
    done = [entry.edit for entry in log if entry.number not in without]
    outlines = {name: outline for edit in done for name, outline in edit.made.items()}
    split_from = {name: edit.ids for edit in done if edit.op == "split" for name in edit.made}
    return _Told(judged(log), made(log), fates(log), outlines, split_from)


def with_judgements(frame: GeoDataFrame, said: Mapping[str, str]) -> GeoDataFrame:
    """A table of features with what a review says of each, where there is a review."""
    if not said:
        return frame
    from core.review.state import STATUSES

    added: GeoDataFrame = frame.assign(
        **{COLUMN: [said.get(str(name), STATUSES["unreviewed"]) for name in frame["id"]]}
    )
    return added


def shown(frame: DataFrame, run: str) -> DataFrame:
    """A table with that column in the visitor's language, with the names of what was split or merged.

    The map translates what it says by itself.
    """
    if COLUMN not in frame:
        return frame
    known = _of_run(run)
    words = [_words(known, str(name), said) for name, said in zip(frame["id"], frame[COLUMN], strict=True)]
    return frame.assign(**{COLUMN: words})


def _words(known: _Told, name: str, said: str) -> str:
    """What a review says of a feature, with the names of what it was split into or merged with."""
    from core.review.state import GONE, MERGED

    became = _fate(known.fates, name) if said in (MERGED, GONE["split"], GONE["merge"]) else ""
    return became or tr(said)


def column() -> object:
    """How a table writes the column that `with_judgements` adds: as wide as its words."""
    return st.column_config.TextColumn(tr("Review"), width=138)


def tell(said: Mapping[str, str], several: str) -> None:
    """Say that there is a review, which the numbers of the model do not take into account.

    Parameters
    ----------
    several
        What the features are, such as "landslides".
    """
    if said:
        from core.review.found import counted

        words = " · ".join(f"{tr(words)} {number:,}" for words, number in counted(said.values()).items())
        st.caption(
            tr("**Reviewed: {count:,}** of the model's {several} ({counted}). The key figures above the map and the "
            "numbers in this tab are the model's. The tab *{tab}* shows the reviewed inventory, with what was "
            "added.").format(
                count=len(said), several=several, counted=words, tab=tr(TAB)
            )
        )  # fmt: skip
