"""The review of a run on a page, and how it is edited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.wording import setting_words
from ui import resources
from ui.maps import MapSpec
from ui.messages import tr
from ui.task.drawn import Drawn, Use
from ui.task.editing import saw
from ui.task.selection import Selection
from ui.task.tabs import open_tab

if TYPE_CHECKING:
    from core.review.found import Opened
    from core.runs.records import Run
    from core.runs.result import RunResult

TAB = "Review"
"""Title of the tab."""


@dataclass(frozen=True)
class Reviewing(Drawn):
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

    @property
    def counts_ground(self) -> bool:
        """Boxes overlap without any harm."""
        return self.opened.found.measured

    def uses_of_new(self, parts: int) -> list[Use]:
        """Each shape that is drawn anew is a feature that the model missed."""
        from core.review import actions

        found = self.opened.found
        label = tr("Add as missed {noun}").format(noun=tr(found.noun))
        about = tr("The drawn shape becomes a new entry of the inventory.")
        if parts > 1:
            label = tr("Add as {count:,} missed {several}").format(count=parts, several=tr(found.several))
            about = tr("Each drawn shape becomes a new entry of the inventory.")
        grid = self.opened.grid
        return [Use("draw", label, about, lambda review, shape: actions.draw(review, shape, grid, apart=True))]

    def about_cut(self) -> str:
        """What becomes of ground that is cut out of an outline."""
        return tr("The drawn ground is taken out of the outline in the review and is then no landslide.")

    def about_overlap(self, *, new: bool) -> str:
        """What follows where a drawn shape covers what is mapped already."""
        return (
            tr("The inventory already holds this part of the shape, and would count it twice if the shape were added "
               "as a landslide of its own. *Add to* avoids that for the landslide that it names.")
            if new else tr("The inventory already holds this part of the shape, and would then count it twice.")
        )  # fmt: skip


def _short(value: object) -> str:
    if not isinstance(value, float):
        return setting_words(str(value))
    if value < 1:  # a threshold, written as its slider writes it
        return f"{value:.2f}"
    return f"{value:,.4g}" if value < 1000 else f"{value:,.0f}"


def bar_key(run: str, action: str) -> str:
    """Key of a button of the bar."""
    return f"review-{action}-{run}"


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
    saw(run.id, number)
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
