"""Edits of a review on a page: added to its log, undone and redone, and what went wrong is said where it was asked for.

Outlines and labels of a table are edited in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

import streamlit as st

from core.errors import LandslideError
from ui import labels, resources
from ui.feedback import plain, show_error
from ui.messages import tr
from ui.state import Slot
from ui.task.reviewer import reviewer
from ui.task.selection import Selection

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from core.raster.grid import Grid
    from core.review.edits import Edit
    from core.review.state import Feature, Review
    from core.runs.records import Run


class Opened(Protocol):
    """What is reviewed: a run, its features by id, and the view that the review begins with."""

    @property
    def run(self) -> Run:
        """The run."""

    @property
    def review(self) -> Review:
        """What became of its features."""

    @property
    def features(self) -> Mapping[str, Feature]:
        """Before any edit."""

    @property
    def view_values(self) -> dict[str, Any]:
        """The view, as the log holds it."""

    @property
    def grid(self) -> Grid:
        """In whose coordinates outlines are."""

    @property
    def noun(self) -> str:
        """What a feature is."""

    def drawn(self, shape: Mapping[str, Any]) -> BaseGeometry:
        """What was drawn on a map, in these coordinates."""


class Edited:
    """A review on a page, of outlines or of labels."""

    opened: Opened

    @property
    def review(self) -> Review:
        """What became of what is reviewed."""
        return self.opened.review

    @property
    def run(self) -> str:
        """Id of the reviewed run."""
        return self.opened.run.id

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return Selection(self.run)

    @property
    def selected(self) -> Feature | None:
        """The selected feature, where it is in the review."""
        return self.review.features.get(self.selection.current or "")

    @property
    def ticked(self) -> list[str]:
        """Ids of the rows that are selected in the table."""
        return list(st.session_state.get(ticked_key(self.run), []))


Place = Literal["bar", "rows", "deleted", "search"]
"""Where an edit is asked for: above the map, below the selected rows, in the list of what was deleted, or beside the
tick for the whole area."""


@dataclass(frozen=True)
class Problem:
    """Why the last edit was not made.

    Attributes
    ----------
    error
        What is shown.
    place
        Where the edit was asked for.
    chosen
        What was selected when it was first shown: an edit of somebody else may have taken away what was selected when
        it was asked for. None until then.
    """

    error: LandslideError
    place: Place
    chosen: tuple[str | None, ...] | None = None


def ticked_key(run: str) -> str:
    """Where the rows are kept that are selected in the table of a review."""
    return f"review-ticked-{run}"


def saw(run: str, number: int) -> None:
    """Note the number of the last edit that the page shows a visitor: what came later conflicts with an edit."""
    st.session_state[f"review-seen-{run}"] = number


def _seen(run: str) -> int:
    return int(st.session_state.get(f"review-seen-{run}", 0))


def do(
    at: Edited, make: Callable[[], Edit], *, then: Callable[[], None] | None = None, place: Place = "bar"
) -> None:
    """Add an edit to the log; what goes wrong is shown at a place when the page is drawn next."""
    from core.review.log import append

    def add() -> None:
        review = append(
            resources.store(), at.run, at.opened.features, make(), reviewer=reviewer(),
            seen=_seen(at.run), view=at.opened.view_values,
        )  # fmt: skip
        if then is not None:
            then()
        leave_what_is_gone(at, review)
        _leave_selected(at, review)

    attempt(at, add, place)


def leave_what_is_gone(at: Edited, review: Review) -> None:
    """Select nothing where an edit took what was selected out of the inventory, as undoing a drawn outline does.

    Parameters
    ----------
    review
        After the edit.
    """
    current = at.selection.current
    if current in at.review.features and current not in review.features:
        at.selection.clear()


def attempt(at: Edited, work: Callable[[], object], place: Place = "bar") -> None:
    """Do something; what goes wrong is shown at a place when the page is drawn next."""
    problem = _problem_of(at.run)
    problem.clear()
    left_selected(at.run).clear()
    try:
        work()
    except LandslideError as error:
        problem.put(Problem(error, place))


def show_problem(at: Edited, place: Place) -> None:
    """Say what went wrong with the last edit where it was asked for, until something else is selected or done."""
    slot = _problem_of(at.run)
    problem = slot.get()
    if problem is None or problem.place != place:
        return
    chosen = (at.selection.current, *(at.ticked if place == "rows" else ()))
    if problem.chosen is None:
        slot.put(replace(problem, chosen=chosen))
    elif problem.chosen != chosen:
        slot.clear()
        return
    show_error(problem.error)


def _problem_of(run: str) -> Slot[Problem | None]:
    return Slot(f"review-problem-{run}", None)


def turned(run: str) -> Slot[str]:
    """What was undone or done, until the page says it: what a callback draws takes the place of the page's head."""
    return Slot(f"review-turned-{run}", "")


def left_selected(run: str) -> Slot[tuple[str, ...]]:
    """Ids of what an edit left selected, until a reviewer selects something: what it was made of, or the next one."""
    return Slot(f"review-left-selected-{run}", ())


def _leave_selected(at: Edited, review: Review) -> None:
    current, ticked = at.selection.current, at.ticked
    chosen = ticked if current in ticked else [current]
    left_selected(at.run).put(tuple(name for name in chosen if name in review.features))


def listed(run: str) -> Slot[frozenset[str] | None]:
    """Ids of what the table lists where a filter is set; None without one."""
    return Slot(f"review-listed-{run}", None)


def next_unreviewed(at: Edited, names: Sequence[str], after: str | None) -> str | None:
    """The next feature that nobody reviewed; None where there is none.

    Of a filtered table it is one that is listed. Where none of these is left, it is none after an edit, so that nobody
    marks what the table does not show, and any where a reviewer asked for the next.

    Parameters
    ----------
    names
        Ids in the order of the table without a filter.
    after
        The feature that was marked or deleted just now; None where a reviewer asked for the next.
    """
    current = after or at.selection.current
    start = names.index(current) + 1 if current in names else 0
    order = (*names[start:], *names[:start])
    waiting = [name for name in order if at.review.features[name].status == "unreviewed" and name != after]
    shown = listed(at.run).get()
    there = waiting if shown is None else [name for name in waiting if name in shown]
    return next(iter(there or (() if after else waiting)), None)


# Undoing, and the log


def turn(at: Edited, *, back: bool) -> None:
    """Undo the reviewer's last edit, or redo what was undone last; the page says what, and selects what came back."""
    from core.review import log

    entry = at.review.to_undo(reviewer()) if back else at.review.to_redo(reviewer())

    def work() -> None:
        review = (log.undo if back else log.redo)(resources.store(), at.run, at.opened.features, reviewer())
        if entry is None:
            return
        words = tr("Undone: {words}") if back else tr("Redone: {words}")
        turned(at.run).put(words.format(words=entry.edit.words))
        there = [name for name in (*entry.edit.ids, *entry.edit.made) if name in review.features]
        if there and at.selection.current not in there:
            at.selection.choose(there[0], "table")  # so that it is seen what came back
        leave_what_is_gone(at, review)
        _leave_selected(at, review)

    attempt(at, work)


def tell_turned(at: Edited) -> None:
    """Say what was undone or redone just now."""
    done = turned(at.run)
    if done.get():
        st.toast(plain(done.get()))
        done.clear()


def show_turns(at: Edited, keys: Callable[[str], str]) -> None:
    """The buttons that undo and redo.

    Parameters
    ----------
    keys
        Key of the widget of ``"undo"`` or ``"redo"``.
    """
    undo, redo = at.review.to_undo(reviewer()), at.review.to_redo(reviewer())
    for name, entry, back in (("undo", undo, True), ("redo", redo, False)):
        nothing = tr("Nothing to undo") if back else tr("Nothing to redo")
        st.button(
            f":material/{name}:", on_click=turn, args=(at,), kwargs={"back": back}, disabled=entry is None,
            key=keys(name), help=f"{name.title()}: {entry.edit.words}" if entry else nothing,
        )  # fmt: skip


def show_log(at: Edited) -> None:
    """All edits, the newest first."""
    from core.review.edit_log import log_table

    log, zone = log_table(at.review), labels.zone()
    if log.empty:
        st.caption(tr("No edits yet."))
        return
    log = log.assign(time=[datetime.fromtimestamp(one.created, zone) for one in at.review.log])
    config: dict[str, object] = {
        "number": st.column_config.NumberColumn(tr("No."), format="%d", width="small"),
        "time": st.column_config.DatetimeColumn(tr("Time ({zone})").format(zone=zone), format="YYYY-MM-DD HH:mm"),
        "reviewer": tr("Reviewer"), "words": tr("Edit"),
        "reason": tr("Reason"), "note": tr("Note"), "undone": st.column_config.CheckboxColumn(tr("Undone")),
        "operation": None, "features": None,
    }  # fmt: skip
    st.dataframe(
        log[::-1], hide_index=True, column_config=config, height=240, alt="Edit log", key=f"log-{at.run}"
    )
    told = tr("No entry is removed: undoing an edit adds one, and the edit is ticked as undone.")
    name = plain(reviewer())
    who = tr("Reviewing as {name}.").format(name=name) if name else tr("Enter your name above the map to review.")
    st.caption(f"{told} {who}")
