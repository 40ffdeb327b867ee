"""What reviewers said of what a run found, wherever its features are listed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.messages import tr, tr_noop
from ui.task.reviewing import TAB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame
    from pandas import DataFrame

COLUMN = "review"
"""Column that `with_judgements` adds."""


def judgements(run: str) -> Mapping[str, str]:
    """What a review says of each of a run's features, by id; empty where there is no review.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    return _of_run(run)[0]


def decision(run: str, name: str) -> list[str]:
    """What a review says of one of a run's features, as a fact for `ui.task.selection.tell`; empty for nothing.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    said = judgements(run).get(name)
    return [] if said is None else [tr("review: **{decision}**").format(decision=tr(said))]


def absent(run: str, name: str | None) -> str:
    """Why something that is selected is not among what the model found, in English, for `ui.task.selection.tell`.

    Raises
    ------
    StorageError
        When the log is of a newer version.
    """
    ours = tr_noop("from the review, not found by the model: the tab Review shows it")
    return ours if name in _of_run(run)[1] else tr_noop("not among what the model found at the current settings")


def _of_run(run: str) -> tuple[Mapping[str, str], frozenset[str]]:
    from core.review.found import reviewed_run
    from core.review.log import last_number

    store = resources.store()
    known = reviewed_run(store, store.run(run)).id
    number = last_number(store, known)
    return _read(known, number) if number else ({}, frozenset())


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(run: str, number: int) -> tuple[Mapping[str, str], frozenset[str]]:
    """What a review says of the model's features, and the ids of what reviewers made."""
    del number  # part of the key
    from core.review.log import read_log
    from core.review.replay import judged, made

    log = read_log(resources.store(), run)
    return judged(log), made(log)


def with_judgements(frame: GeoDataFrame, said: Mapping[str, str]) -> GeoDataFrame:
    """A table of features with what a review says of each, where there is a review."""
    if not said:
        return frame
    from core.review.state import STATUSES

    added: GeoDataFrame = frame.assign(
        **{COLUMN: [said.get(str(name), STATUSES["unreviewed"]) for name in frame["id"]]}
    )
    return added


def shown(frame: DataFrame) -> DataFrame:
    """A table with that column in the visitor's language; the map translates what it says by itself."""
    return frame.assign(**{COLUMN: frame[COLUMN].map(tr)}) if COLUMN in frame else frame


def column() -> object:
    """How a table writes the column that `with_judgements` adds: as wide as its words."""
    return st.column_config.TextColumn(tr("Review"), width=138)


def tell(said: Mapping[str, str]) -> None:
    """Say that there is a review, which the numbers of the model do not take into account."""
    if said:
        counted = " · ".join(f"{tr(words)} {number:,}" for words, number in Counter(said.values()).items())
        st.caption(
            tr("**Reviewed: {count:,}** of what the model found ({counted}). The key figures above the map "
            "and the numbers in this tab are the model's. The tab *{tab}* shows the reviewed inventory, with what was "
            "added.").format(
                count=len(said), counted=counted, tab=tr(TAB)
            )
        )  # fmt: skip
