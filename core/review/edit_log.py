"""The log of a review as a table for people and other programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from core.raster.write import atomic_path

if TYPE_CHECKING:
    from pathlib import Path

    from pandas import DataFrame

    from core.review.edits import Edit
    from core.review.state import Review


def time_text(moment: float | None) -> str:
    """Seconds since 1970 as ISO 8601 in UTC; empty for None.

    Examples
    --------
    >>> time_text(0.0), time_text(None)
    ('1970-01-01T00:00:00+00:00', '')
    """
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def log_table(review: Review) -> DataFrame:
    """The log as a table: number, time (ISO 8601, UTC), reviewer, operation, features, words, reason, note, undone."""
    import pandas

    edits = {one.number: one.edit for one in review.log}
    rows = [
        {
            "number": one.number, "time": time_text(one.created), "reviewer": one.reviewer, "operation": one.edit.op,
            "features": ", ".join(_features(edits.get(one.edit.of, one.edit))), "words": _words(one.edit, edits),
            "reason": one.edit.reason or "", "note": one.edit.note or "",
            "undone": one.number in review.undone,
        }
        for one in review.log
    ]  # fmt: skip
    columns = ["number", "time", "reviewer", "operation", "features", "words", "reason", "note", "undone"]
    return pandas.DataFrame(rows, columns=columns)


def _features(edit: Edit) -> list[str]:
    return [*edit.ids, *(name for name in edit.made if name not in edit.ids)]


def _words(edit: Edit, edits: Mapping[int, Edit]) -> str:
    """What an edit did; of an undone or redone one also what that had done."""
    other = edits.get(edit.of)
    return edit.words if other is None else f"{edit.words}: {other.words}"


def write_log(review: Review, path: Path) -> None:
    """Write the table of `log_table` as CSV.

    Raises
    ------
    StorageError
        When the disk does not take it.
    """
    with atomic_path(path) as aside:
        log_table(review).to_csv(aside, index=False, lineterminator="\n")


def told_of(review: Review, about: Mapping[str, str]) -> dict[str, str]:
    """Metadata of a file of a review: who made it and when, before what is told of its run, which ended earlier.

    Parameters
    ----------
    about
        As `core.runs.about.about`.
    """
    told, log = dict(about), review.log
    finished = {"run_finished": told.pop("date")} if "date" in told else {}
    people = ", ".join(sorted({one.reviewer for one in log}))
    last = {"reviewers": people, "date": time_text(log[-1].created)} if log else {}
    return {**last, **told, **finished}
