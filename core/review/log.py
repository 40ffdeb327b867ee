"""The log of a review in the store: read whole, and only ever added to.

Two who review at once do not overwrite each other: an edit says up to which entry its reviewer had seen, and is refused
when one of its features was changed since. Edits of other features are taken one after the other.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.errors import InputError
from core.raster.files import one_line
from core.review.edits import JUDGING, Edit
from core.review.replay import replayed
from core.review.state import Entry, Feature, Review
from core.runs.records import checked_id
from core.runs.tables import ReviewRow, RunRow

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.runs.store import Store

LONGEST_NAME = 80


class ReviewConflictError(InputError):
    """The item was changed by another reviewer, or in another tab, in the meantime."""


def last_number(store: Store, run: str) -> int:
    """Number of the last entry of the log of a run; 0 for none."""
    query = select(func.max(ReviewRow.number)).where(ReviewRow.run_id == checked_id(run))
    with store.database.read() as session:
        return session.scalar(query) or 0


def read_log(store: Store, run: str) -> tuple[Entry, ...]:
    """All entries of the log of a run.

    Raises
    ------
    StorageError
        When one is of a newer version.
    """
    with store.database.read() as session:
        return _entries(session, checked_id(run))


def reviewed_runs(store: Store) -> dict[str, int]:
    """Ids of the runs that have a review, with the number of entries of each."""
    query = select(ReviewRow.run_id, func.count()).group_by(ReviewRow.run_id)
    with store.database.read() as session:
        return {row[0]: row[1] for row in session.execute(query)}


def append(
    store: Store, run: str, found: Mapping[str, Feature], edit: Edit, *, reviewer: str, seen: int,
    view: Mapping[str, object] | None = None,
) -> Review:  # fmt: skip
    """Add an edit to the log of a run.

    Parameters
    ----------
    found
        What the run found at the view that the review began with, or begins with.
    reviewer
        Name of who makes it.
    seen
        Number of the last entry that the reviewer knew of.
    view
        Values of the view, which are written before the first edit.

    Returns
    -------
    The review after it.

    Raises
    ------
    ReviewConflictError
        When one of its features was changed after the entry `seen`, or the review was begun with another view.
    InputError
        When the run is unknown, the reviewer has no name, or the edit cannot be taken.
    """
    name = one_line(reviewer)[:LONGEST_NAME]
    if not name:
        raise InputError("A review needs the name of its reviewer.", remedy="Enter your name.")
    with store.database.write() as session:
        # Held, so that servers other than SQLite let one write after the other as well.
        if session.scalar(select(RunRow.id).where(RunRow.id == checked_id(run)).with_for_update()) is None:
            raise InputError("No such run.", remedy="Choose one from Runs.")
        log = list(_entries(session, run))
        added = []
        if not log:
            added.append(Entry(1, time.time(), name, Edit("begin", view=dict(view or {}))))
        elif view is not None and seen == 0 and dict(log[0].edit.view) != dict(view):
            raise ReviewConflictError(
                f"{log[0].reviewer} started a review of this run in the meantime, with other settings.",
                "Your change was not saved.", "Check that review and try again.",
            )  # fmt: skip
        before = replayed(found, log)
        _check(before, edit, name, seen)
        entry = Entry(len(log) + len(added) + 1, time.time(), name, edit)
        after = replayed(found, [*log, *added, entry])
        for one in (*added, entry):
            row = {"number": one.number, "created": one.created, "reviewer": name, "edit": one.edit.to_json()}
            session.add(ReviewRow(run_id=run, **row))
    return after


def _check(before: Review, edit: Edit, reviewer: str, seen: int) -> None:
    """Refuse edits that conflict with those of other reviewers, and undoing where there is nothing to undo."""
    if edit.op in ("undo", "redo"):
        expected = before.to_undo(reviewer) if edit.op == "undo" else before.to_redo(reviewer)
        if expected is None or expected.number != edit.of:
            raise InputError(f"You have nothing to {edit.op}.", remedy="See the log.")
        _check_others(before, expected, reviewer)
        return
    if not edit.ids and edit.op not in ("begin", "draw", "examined"):
        raise InputError("Nothing is selected.", remedy="Select a feature.")
    other = before.changed_since(seen, edit.ids)
    if other is not None:
        raise ReviewConflictError(
            f"{other.reviewer} changed this in the meantime ({other.edit.words}).", "Your change was not saved.",
            "Check the change and try again.",
        )  # fmt: skip


def _check_others(before: Review, entry: Entry, reviewer: str) -> None:
    """Refuse to change an outline that another reviewer has judged or changed since."""
    if entry.edit.op in (*JUDGING, "examined"):
        return
    ids = {*entry.edit.ids, *entry.edit.made}
    for later in before.log:
        theirs = later.number > entry.number and later.reviewer != reviewer and later.number not in before.undone
        if theirs and ids & {*later.edit.ids, *later.edit.made}:
            raise InputError(
                f"{later.reviewer} changed this later ({later.edit.words}).",
                "Their decision would apply to another outline.", "Edit the outline again instead.",
            )  # fmt: skip


def undo(store: Store, run: str, found: Mapping[str, Feature], reviewer: str) -> Review:
    """Undo the reviewer's last edit.

    Raises
    ------
    InputError
        When there is none, or later edits, also of others, depend on it.
    """
    return _turn(store, run, found, reviewer, back=True)


def redo(store: Store, run: str, found: Mapping[str, Feature], reviewer: str) -> Review:
    """Redo what the reviewer undid last.

    Raises
    ------
    InputError
        When there is nothing, or later edits stand against it.
    """
    return _turn(store, run, found, reviewer, back=False)


def _turn(store: Store, run: str, found: Mapping[str, Feature], reviewer: str, *, back: bool) -> Review:
    word = "undo" if back else "redo"
    review = replayed(found, read_log(store, run))
    entry = review.to_undo(reviewer) if back else review.to_redo(reviewer)
    if entry is None:
        raise InputError(f"You have nothing to {word}.", remedy="See the log.")
    try:
        edit = Edit("undo" if back else "redo", of=entry.number)
        return append(store, run, found, edit, reviewer=reviewer, seen=review.number)
    except ReviewConflictError:
        raise
    except InputError as error:
        raise InputError(
            f"This cannot be {word}ne: {entry.edit.words}.",
            f"Later edits depend on it. {error.what}", "Undo those edits first.",
        ) from error  # fmt: skip


def _entries(session: Session, run: str) -> tuple[Entry, ...]:
    rows = session.scalars(select(ReviewRow).where(ReviewRow.run_id == run).order_by(ReviewRow.number))
    return tuple(Entry(row.number, row.created, row.reviewer, Edit.from_json(row.edit)) for row in rows)
