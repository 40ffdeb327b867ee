"""The one thing that is chosen of a run: on the map, in a table or in a chart, whichever came last."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import streamlit as st

from ui.messages import tr
from ui.state import Slot

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame
    from plotly.graph_objects import Figure

    from ui.maps import MapEvent, Point

Extent = tuple[float, float, float, float]

Name = str
"""What a landslide or a box is called: its id, made from its place, which the sliders do not change."""

Origin = Literal["map", "table", "chart"]
"""Where something was chosen."""


ADDRESS = "selected"
"""Query parameter that names what is chosen."""

LONGEST = 100
"""Characters of a name that is taken from an address."""


@dataclass(frozen=True)
class Selection:
    """What is chosen of a run, by its name; it lives in the visitor's session.

    Parameters
    ----------
    run
        Id of the run.
    """

    run: str

    @property
    def key(self) -> str:
        """Where the name is kept."""
        return f"selected-{self.run}"

    @property
    def current(self) -> Name | None:
        """Name of what is chosen; None for nothing."""
        return st.session_state.get(self.key)

    @property
    def place(self) -> Point | None:
        """Where the map was clicked; None once something was chosen elsewhere, or nothing is chosen any more."""
        return st.session_state.get(f"last-click-{self.run}")

    @property
    def origin(self) -> Origin | None:
        """Where it was chosen; the others then show it."""
        return st.session_state.get(f"chosen-in-{self.run}")

    @property
    def event(self) -> MapEvent:
        """The click that the map's marker stands for."""
        from ui.maps import MapEvent

        return MapEvent(self.place, self.current)

    def choose(
        self, name: Name | None, origin: Origin, place: Point | None = None, extent: Extent | None = None
    ) -> None:
        """Choose something by its name, or only a place, in place of what was chosen before.

        Parameters
        ----------
        name
            None for nothing but the place.
        origin
            Where it was chosen.
        place
            Where the map was clicked, or where its marker is to be.
        extent
            What the map is to show, of a place chosen beside it; of a name its own extent is shown.
        """
        st.session_state[self.key] = name
        st.session_state[f"look-at-{self.run}"] = extent
        st.session_state[f"chosen-in-{self.run}"] = origin
        st.session_state[f"last-click-{self.run}"] = place
        if origin != "table":  # a table's rows stay in their order while rows are chosen in it
            st.session_state[f"first-row-{self.run}"] = name

    def follow_address(self) -> None:
        """Choose what an address names that was handed on, once: the next choice need not change the address."""
        name = st.query_params.get(ADDRESS)
        if name is not None:
            del st.query_params[ADDRESS]
            self.choose(name[:LONGEST], "chart")  # the map moves there, and the table shows it on top
            st.session_state[f"arrived-{self.run}"] = (uuid4().hex, self.current)

    @property
    def arrival(self) -> str:
        """What tells one arrival by an address that names what is chosen from the others; empty once that changed.

        The map goes there once, even where it was left elsewhere.
        """
        token, name = st.session_state.get(f"arrived-{self.run}", ("", None))
        return token if name is not None and name == self.current else ""

    @property
    def address(self) -> dict[str, str]:
        """What names it in an address that is handed on; empty where nothing is chosen."""
        return {} if self.current is None else {ADDRESS: self.current}

    def clear(self) -> None:
        """Choose nothing, on the map, in the table and in charts."""
        self.choose(None, "map")

    def among(self, names: Sequence[Name]) -> Name | None:
        """What is chosen where it is one of these; what a slider removes comes back with it.

        Parameters
        ----------
        names
            Of all that can be chosen now.
        """
        return self.current if self.current in names else None

    def follow_map(self, event: MapEvent) -> None:
        """Let a new click on the map choose; an old click must not undo what was chosen elsewhere since.

        A click beside everything chooses the place alone. Called before anything is drawn or done that depends on what
        is chosen, with what `ui.maps.told_by` gives.
        """
        seen = f"seen-click-{self.run}"
        if event.clicked is not None and event.clicked != st.session_state.get(seen):
            st.session_state[seen] = event.clicked
            self.choose(None if event.selected is None else str(event.selected), "map", event.clicked)

    def focus(self, shapes: GeoDataFrame | None) -> Extent | None:
        """Extent to move to when something was chosen beside the map; a click on the map is already there.

        Parameters
        ----------
        shapes
            What can be chosen, with a column ``id``.
        """
        if shapes is None or self.current is None or self.origin == "map":
            extent: Extent | None = st.session_state.get(f"look-at-{self.run}")
            return extent
        chosen = shapes[shapes["id"] == self.current]
        if chosen.empty:
            return None
        return around(chosen.total_bounds)

    @property
    def on_top(self) -> Name | None:
        """Name of what was last chosen beside the table, whose row is its first."""
        return st.session_state.get(f"first-row-{self.run}")

    def first(self, frame: DataFrame) -> DataFrame:
        """A table with the row that was chosen beside it on top, where it is seen.

        Parameters
        ----------
        frame
            With a column ``id``.
        """
        on_top = frame["id"] == self.on_top
        if not on_top.any():
            return frame
        import pandas

        return pandas.concat([frame[on_top], frame[~on_top]])


def around(bounds: Sequence[float]) -> Extent:
    """Bounds with as much ground around them as they are large."""
    left, bottom, right, top = (float(value) for value in bounds)
    margin = max(right - left, top - bottom)
    return left - margin, bottom - margin, right + margin, top + margin


LATE, LATE_WITH_BUTTON = 1.0, 4.0
"""Seconds after the page has ticked rows within which a browser may still tell of those that were ticked before: alone,
and together with a button that was pressed. Each word of a browser holds the state of all widgets, and that of a table
is an old one until the table has been drawn."""

KEPT = 3
"""States of a table that a browser may still tell of."""


@dataclass(frozen=True)
class Replaced:
    """What was ticked in a table before the page ticked other rows.

    Attributes
    ----------
    rows
        The last few, the newest first, each in order.
    at
        When the page ticked others last, by the monotonic clock.
    answers
        Whether it did so in answer to what a visitor ticked, who may well tick the same again.
    """

    rows: tuple[tuple[int, ...], ...] = ()
    at: float = float("-inf")
    answers: bool = False

    def then(self, rows: Sequence[int], now: float, *, answers: bool = False) -> Replaced:
        """What is known once the page ticks others in place of these rows."""
        return Replaced((tuple(sorted(rows)), *self.rows)[:KEPT], now, answers)

    def is_meant(self, rows: Sequence[int], now: float, *, pressed: bool) -> bool:
        """Whether rows that a browser tells of are those that a visitor ticked, rather than what was there before."""
        late = now - self.at < (LATE_WITH_BUTTON if pressed else 0.0 if self.answers else LATE)
        return not late or tuple(sorted(rows)) not in self.rows


def show_rows(
    frame: DataFrame, names: Sequence[Name], chosen: Sequence[Name], choose: Callable[[list[Name]], None], *,
    key: str, several: bool = False, buttons: Sequence[str] = (), **options: Any,  # noqa: ANN401  of `st.dataframe`
) -> None:  # fmt: skip
    """Show a table whose ticked rows are what is chosen, wherever that was done.

    Parameters
    ----------
    frame
        A row for each of `names`.
    names
        What can be chosen.
    chosen
        What is; others than the table holds are kept out of it.
    choose
        Told what is ticked once the visitor changes that; none of it when all is unticked.
    key
        Of the widget, one for each run.
    several
        Whether more than one can be chosen.
    buttons
        Keys of buttons that choose as well, or do something with what is chosen.
    options
        Further options of `streamlit.dataframe`.
    """
    places = {name: row for row, name in enumerate(names)}
    rows = [places[name] for name in chosen if name in places]
    replaced, answering = Slot(f"replaced-{key}", Replaced()), Slot(f"answering-{key}", False)
    shown = {"selection": {"rows": rows, "columns": [], "cells": []}}

    def ticked() -> None:
        told, pressed = st.session_state[key].selection.rows, any(st.session_state.get(one) for one in buttons)
        if not replaced.get().is_meant(told, time.monotonic(), pressed=pressed):
            st.session_state[key] = shown
            return
        replaced.clear()
        answering.put(True)
        choose([names[row] for row in told if row < len(names)])

    known = st.session_state.get(key)
    if known is None or sorted(known["selection"]["rows"]) != sorted(rows):
        if known is not None:
            now, answers = time.monotonic(), answering.get()
            replaced.put(replaced.get().then(known["selection"]["rows"], now, answers=answers))
        st.session_state[key] = shown
    answering.clear()
    st.dataframe(
        frame, hide_index=True, on_select=ticked, selection_mode="multi-row" if several else "single-row", key=key,
        placeholder="–", **options,
    )  # fmt: skip


def show_table(
    frame: DataFrame, selection: Selection, *, key: str, config: dict[str, object], alt: str, height: int = 300
) -> None:
    """Show a table of what can be chosen: the ticked row is what is chosen, and what was chosen beside it is on top.

    Parameters
    ----------
    frame
        With a column ``id``.
    selection
        Of the run that the table is of.
    key
        Begins that of the widget, one for each run.
    config, alt, height
        As of `streamlit.dataframe`.
    """
    shown = selection.first(frame)
    current = [] if selection.current is None else [selection.current]

    def choose(ticked: list[Name]) -> None:
        selection.choose(ticked[0], "table") if ticked else selection.clear()

    # A table of its own for each that is on top: a browser unticks the rows of a table whose rows change, and would
    # tell so of what was chosen on the map a moment ago.
    widget = f"{key}-{selection.on_top}"
    show_rows(
        shown, shown["id"].tolist(), current, choose, key=widget, column_config=config, height=height, alt=alt,
    )  # fmt: skip


def show_chart(
    figure: Figure, selection: Selection, name_of: Callable[[Mapping[str, Any]], Name | None], *, key: str
) -> None:
    """Show a chart in which a point can be chosen that stands for one thing.

    Parameters
    ----------
    figure
        With what is chosen marked in it already.
    selection
        Of the run that the chart is of.
    name_of
        Name of what a point stands for, as Streamlit tells of the point; None for one that stands for nothing.
    key
        Of the widget, one for each run and chart.
    """
    turn = f"{key}-turn"
    number = st.session_state.get(turn, 0)
    widget = f"{key}-{number}"

    def chosen() -> None:
        names = [name_of(point) for point in st.session_state[widget].selection.points]
        picked = next((name for name in names if name is not None), None)
        if picked is not None:
            selection.choose(picked, "chart")
        # A chart keeps the point that was clicked and makes all others pale: the mark in the figure says enough.
        st.session_state[turn] = number + 1

    st.plotly_chart(
        figure, key=widget, on_select=chosen, selection_mode="points", config={"displaylogo": False},
    )  # fmt: skip


def tell(selection: Selection, noun: str, facts: Sequence[str] | None) -> None:
    """A line on what is chosen, below the map, with the way to choose nothing; nothing where nothing is chosen.

    Parameters
    ----------
    noun
        What can be chosen, such as "landslide".
    facts
        What is known of it, as Markdown; None where the sliders leave it out.
    """
    if selection.current is None and selection.place is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if selection.current is not None:
            words = " · ".join(facts) if facts is not None else tr("not included at the current settings")
            st.markdown(
                tr("**Selected {noun} {current}** · {words}").format(
                    noun=tr(noun), current=selection.current, words=words
                ),
                width="content",
            )
        st.button(tr("Clear selection"), key=f"clear-{selection.run}", type="tertiary", on_click=selection.clear)
