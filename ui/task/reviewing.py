"""The review of a run on a page, and how it is edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.errors import LandslideError
from core.wording import setting_words
from ui import resources
from ui.feedback import show_error
from ui.map_drawing import drawn_on
from ui.maps import MapSpec, told_by
from ui.state import Slot
from ui.task.reviewer import reviewer
from ui.task.selection import Selection
from ui.task.tabs import open_tab

if TYPE_CHECKING:
    from core.review.edits import Edit
    from core.review.found import Opened
    from core.review.state import Feature, Review
    from core.runs.records import Run
    from core.runs.result import RunResult

TAB = "Review"
"""Title of the tab."""


@dataclass(frozen=True)
class Reviewing:
    """A review on a page.

    Attributes
    ----------
    opened
        The run and its review.
    spec, map_key
        The map on which it is drawn.
    shown
        Id of the run that the page shows, which may be the reviewed one counted against a reference.
    """

    opened: Opened
    spec: MapSpec
    map_key: str
    shown: str

    @property
    def review(self) -> Review:
        """What became of what was found."""
        return self.opened.review

    @property
    def run(self) -> str:
        """Id of the reviewed run."""
        return self.opened.run.id

    @property
    def view_words(self) -> str:
        """The view that is reviewed, in words, such as "threshold 0.5"."""
        from core.runs.kinds import find_task
        from core.runs.view import options_of

        declared = find_task(self.opened.run.task).view
        values = self.opened.view_values
        named = [] if declared is None else [option.name for option in options_of(declared.load())]
        unit = " m²" if self.opened.found.grid.in_metres else " px"
        said = [
            f"{setting_words(name)}{':' if isinstance(values[name], str) else ''} {_short(values[name])}"
            f"{unit if 'area' in name or 'holes' in name else ''}"
            for name in named if values.get(name)
        ]
        return ", ".join(said) or "its settings"

    @property
    def selection(self) -> Selection:
        """What is selected."""
        return Selection(self.shown)

    @property
    def selected(self) -> Feature | None:
        """The selected feature, where it is in the inventory."""
        return self.review.features.get(self.selection.current or "")

    @property
    def ticked(self) -> list[str]:
        """Ids of the rows that are selected in the table."""
        return list(st.session_state.get(ticked_key(self.run), []))

    @property
    def together(self) -> bool:
        """Whether several rows are selected, so that the buttons below the table apply, and those of one do not."""
        return len(self.ticked) > 1 and self.selection.current in self.ticked

    @property
    def marked(self) -> tuple[str, ...]:
        """Ids of what the map highlights: the selected rows, or what is selected alone."""
        current = self.selection.current
        return tuple(self.ticked) if self.together else () if current is None else (current,)

    @property
    def names(self) -> Sequence[str]:
        """Ids of the inventory in the order of its table: the largest first, whoever drew it."""
        return _ordered(self.run, self.review.number, repr(self.opened.view), self.opened)

    def follow_map(self) -> None:
        """Let a click on the map choose that came together with the press of a button, before it is acted upon."""
        self.selection.follow_map(told_by(self.spec, key=self.map_key))

    @property
    def drawn(self) -> dict[str, Any] | None:
        """What is drawn on the map."""
        return drawn_on(self.spec, key=self.map_key)


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


def _short(value: object) -> str:
    if not isinstance(value, float):
        return setting_words(str(value))
    if value < 1:  # a threshold, written as its slider writes it
        return f"{value:.2f}"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


ACTIONS = ("Y", "N", "delete", "edit", "next", "undo", "redo")
"""Buttons of the bar above the map, by what is in their keys."""


def bar_key(run: str, action: str) -> str:
    """Key of a button of the bar."""
    return f"review-{action}-{run}"


def ticked_key(run: str) -> str:
    """Where the rows are kept that are selected in the table of a review."""
    return f"review-ticked-{run}"


ALSO = "also"
"""Query parameter that names the other selected rows of the review's table, so that a reload keeps them."""

MOST_ALSO = 50
"""Other rows that an address names; of more than these none, as an address can be too long."""


def follow_address(at: Reviewing) -> None:
    """Select the rows that an address names, where nothing was selected in the table yet, as after a reload."""
    named = st.query_params.get(ALSO, "").split(",")[:MOST_ALSO]
    current = at.selection.current
    if ticked_key(at.run) not in st.session_state and current in at.review.features:
        others = dict.fromkeys(name for name in named if name in at.review.features and name != current)
        st.session_state[ticked_key(at.run)] = [*others, current]


def name_rows(at: Reviewing | None) -> None:
    """Let the address name the selected rows beside the last; none where the review is not open."""
    rows = at.ticked if at is not None and at.together else []
    others = [] if at is None else [name for name in rows if name != at.selection.current]
    if not 0 < len(others) <= MOST_ALSO:
        st.query_params.pop(ALSO, None)
    elif st.query_params.get(ALSO) != ",".join(others):
        st.query_params[ALSO] = ",".join(others)


def is_open(task: str) -> bool:
    """Whether the tab is open."""
    return open_tab(task) == TAB


def reviewing(task: str, result: RunResult, view: object, spec: MapSpec, map_key: str) -> Reviewing | None:
    """The review of a run, where its tab is open.

    Parameters
    ----------
    view
        What the sliders say, with which a review would begin.

    Raises
    ------
    LandslideError
        When a file of the run is gone, or the log is of a newer version.
    """
    if not is_open(task):
        return None
    from core.review.found import reviewed_run
    from core.review.log import last_number

    run = reviewed_run(resources.store(), resources.store().run(result.id))
    number = last_number(resources.store(), run.id)
    st.session_state[_seen(run.id)] = number
    return Reviewing(_opened(run.id, number, None if number else repr(view), run, view), spec, map_key, result.id)


@st.cache_resource(max_entries=8, show_spinner="Opening the review")
def _opened(run: str, number: int, view: str | None, _run: Run, _view: object) -> Opened:
    del run, number, view  # the key: a review stays with the view that it began with
    from core.review.found import open_review

    return open_review(resources.store(), _run, _view)


@st.cache_resource(max_entries=8, show_spinner=False)
def _ordered(run: str, number: int, view: str, _opened: Opened) -> Sequence[str]:
    del run, number, view  # the key
    from core.review.geometry import feature_areas

    everything = list(_opened.review.features.values())
    areas = feature_areas(everything, _opened.found.grid)
    ranked = sorted(zip(everything, areas, strict=True), key=lambda one: -one[1])
    return tuple(one.id for one, _ in ranked)


def _seen(run: str) -> str:
    """Where the number of the last edit that this visitor saw is kept."""
    return f"review-seen-{run}"


def do(
    at: Reviewing, make: Callable[[], Edit], *, then: Callable[[], None] | None = None, place: Place = "bar"
) -> None:
    """Add an edit to the log; what goes wrong is shown at a place when the page is drawn next."""
    from core.review.log import append

    def add() -> None:
        review = append(
            resources.store(), at.run, at.opened.features, make(), reviewer=reviewer(),
            seen=int(st.session_state.get(_seen(at.run), 0)), view=at.opened.view_values,
        )  # fmt: skip
        if then is not None:
            then()
        leave_what_is_gone(at, review)

    attempt(at, add, place)


def leave_what_is_gone(at: Reviewing, review: Review) -> None:
    """Select nothing where an edit took what was selected out of the inventory, as undoing a drawn outline does.

    Parameters
    ----------
    review
        After the edit.
    """
    current = at.selection.current
    if current in at.review.features and current not in review.features:
        at.selection.clear()


def attempt(at: Reviewing, work: Callable[[], object], place: Place = "bar") -> None:
    """Do something; what goes wrong is shown at a place when the page is drawn next."""
    problem = _problem_of(at.run)
    problem.clear()
    onward(at.run).clear()  # what the page had selected as the next one was acted upon, or passed over
    try:
        work()
    except LandslideError as error:
        problem.put(Problem(error, place))


def show_problem(at: Reviewing, place: Place) -> None:
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


def onward(run: str) -> Slot[str]:
    """Id of the feature that was selected because another was marked, until a reviewer selects something."""
    return Slot(f"review-onward-{run}", "")
