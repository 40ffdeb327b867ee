"""Tables in which what is chosen of a run is ticked, wherever it was chosen."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from ui.changed_widget import changed_alone
from ui.state import Slot

if TYPE_CHECKING:
    from pandas import DataFrame

    from ui.task.selection import Name, Selection

LATE, LATE_WITH_OTHERS = 1.0, 60.0
"""Seconds after the page has ticked rows within which a browser may still tell of those that were ticked before: alone,
and in a request that was made because of something else, such as a button, a tab or a click on the map. Each request
holds the state of all widgets, and that of a table is an old one until the table has been drawn."""

ROW = 35
"""Height of a row in pixels, which Streamlit gives to rows at the usual size of letters."""

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

    def is_meant(self, rows: Sequence[int], now: float, *, alone: bool) -> bool:
        """Whether rows that a browser tells of are those that a visitor ticked, rather than what was there before.

        Parameters
        ----------
        rows
            What it tells of.
        now
            By the monotonic clock.
        alone
            Whether its request was made because of the table, see `ui.changed_widget.changed_alone`.
        """
        late = now - self.at < ((0.0 if self.answers else LATE) if alone else LATE_WITH_OTHERS)
        return not late or tuple(sorted(rows)) not in self.rows


def show_rows(
    frame: DataFrame, names: Sequence[Name], chosen: Sequence[Name], choose: Callable[[list[Name]], None], *,
    key: str, several: bool = False, **options: Any,  # noqa: ANN401  of `st.dataframe`
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
    options
        Further options of `streamlit.dataframe`.
    """
    places = {name: row for row, name in enumerate(names)}
    rows = [places[name] for name in chosen if name in places]
    replaced, answering = Slot(f"replaced-{key}", Replaced()), Slot(f"answering-{key}", False)
    shown = {"selection": {"rows": rows, "columns": [], "cells": []}}

    def ticked() -> None:
        told = st.session_state[key].selection.rows
        if not replaced.get().is_meant(told, time.monotonic(), alone=changed_alone(key)):
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
    with st.container(gap=None):
        st.html(f'<i data-row="{rows[-1] if rows else ""}" data-height="{ROW}"></i>')  # `static/page.js` scrolls to it
        st.dataframe(
            frame, hide_index=True, on_select=ticked, selection_mode="multi-row" if several else "single-row", key=key,
            placeholder="–", row_height=ROW, **options,
        )  # fmt: skip


def show_table(
    frame: DataFrame, selection: Selection, *, key: str, config: dict[str, object], alt: str, height: int = 300
) -> None:
    """Show a table of what can be chosen: the ticked row is what is chosen, wherever that was done.

    Parameters
    ----------
    frame
        With a column ``id``.
    selection
        Of the run that the table is of.
    key
        Of the widget, one for each run.
    config, alt, height
        As of `streamlit.dataframe`.
    """
    current = [] if selection.current is None else [selection.current]

    def choose(ticked: list[Name]) -> None:
        selection.choose(ticked[0], "table") if ticked else selection.clear()

    show_rows(frame, frame["id"].tolist(), current, choose, key=key, column_config=config, height=height, alt=alt)
