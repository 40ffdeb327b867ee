"""The list of runs: filters, table, and what was chosen."""

from __future__ import annotations

import streamlit as st

from core.errors import InputError
from ui import labels, resources
from ui.feedback import empty, guard, show_error
from ui.messages import tr
from ui.runs import detail, filters, selection, table
from ui.state import Slot
from ui.task.jobs import notice_runs
from ui.task.task import task_pages

PAGE = 50
"""Runs on one page of the list."""

LOOK_EVERY = 2.0
"""Seconds between two looks at runs that are under way."""

_LAST: Slot[object] = Slot("runs-filter", None)


def show() -> None:
    """Show the list; while a run is under way it keeps itself up to date, and the rest of the page stays as it is."""
    moving = bool(resources.store().active())
    st.fragment(_show, run_every=LOOK_EVERY if moving else None)(moving)


def _show(moving: bool) -> None:
    with guard():  # Streamlit takes what leaves a fragment for itself, so no guard outside it is asked
        store = resources.store()
        if not store.count():
            _offer_sample()
            return
        wanted = filters.ask()
        total = store.count(wanted)
        first = _offset(wanted, total)
        from dataclasses import replace

        runs = store.runs(replace(wanted, limit=PAGE, offset=first))
        if runs:
            chosen = table.choose(runs)
            _turn(first, len(runs), total)
        else:
            asked = st.query_params.get("run")
            chosen = (asked,) if asked else ()
            st.info(tr("No run matches these filters."))
            st.button(tr("Clear filters"), on_click=filters.clear, key="clear-filters")
        if len(chosen) > 1:
            selection.show(chosen)
        elif chosen:
            _one(chosen[0])
        elif runs:
            st.caption(tr("Select a row to open, name or delete a run; select two or more to compare them."))
        if moving and not store.active():
            st.rerun()  # nothing moves any more, so nobody needs to look
        notice_runs()


def _one(identity: str) -> None:
    try:
        run = resources.store().run(identity)
    except InputError as error:
        table.pick()
        show_error(error)
        return
    detail.show(run)


def _offer_sample() -> None:
    page = next((page for page in task_pages().values() if page.card.begin), None)
    listed = tr("All maps, detections, forecasts, explanations and comparisons are listed here with their inputs and "
                "settings.")
    if page is None:
        empty(tr("No runs yet."), listed)
    elif empty(
        tr("No runs yet."),
        f"{listed} {tr(page.card.begin)}",
        action=tr("Start with the sample valley"),
        key="start-sample",
    ):
        st.switch_page(page.page, query_params=dict(page.card.address))


def _offset(wanted: object, total: int) -> int:
    """First run of the page of the list that stands in the address; the first page when the filters have changed."""
    if _LAST.get() not in (None, wanted):
        st.query_params.pop("page", None)
    _LAST.put(wanted)
    text = st.query_params.get("page", "1")
    page = int(text) if text.isdecimal() and len(text) < 7 else 1
    last = max(1, -(-total // PAGE))
    return (min(max(page, 1), last) - 1) * PAGE


def _turn(first: int, shown: int, total: int) -> None:
    """Say which part of the list is shown, and turn its pages."""
    hidden = max(resources.store().count() - total, 0)
    words = tr("Hidden by the filters above: {count:,}. To list explanations and other runs as well, choose *All* "
               "under *Show*.")
    rest = f" {words.format(count=hidden)}" if hidden else ""
    if total <= PAGE:
        st.caption(tr("{count}, newest first.").format(count=labels.count(total, "run")) + rest)
        return
    page = first // PAGE + 1
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(tr("Newer"), disabled=first == 0, on_click=_go, args=(page - 1,), key="newer")
        st.button(tr("Older"), disabled=first + shown >= total, on_click=_go, args=(page + 1,), key="older")
        st.caption(
            tr("{first:,}–{first_2:,} of {total:,} runs, newest first.").format(
                first=first + 1, first_2=first + shown, total=total
            )
            + rest
        )


def _go(page: int) -> None:
    table.pick()
    if page > 1:
        st.query_params["page"] = str(page)
    else:
        st.query_params.pop("page", None)
