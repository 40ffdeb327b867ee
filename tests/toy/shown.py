"""The page of wells: a table in, a table out, without a map."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import pandas
import streamlit as st

from tests.toy.result import TABLE, Trends
from tests.toy.run import LEVELS, Request, order_influence, order_trends
from tests.toy.view import Choice
from ui import resources
from ui.feedback import guard, plain
from ui.task import explained, export, input_picker, opened, provenance, run
from ui.task.tabs import show_tabs
from ui.task.view import view_from_address

if TYPE_CHECKING:
    from core.runs.records import Run
    from ui.task.task import TaskPage


def show(task: TaskPage) -> None:
    """The page of the task."""
    st.title(task.title)
    st.markdown(task.question)
    asked = None
    with guard():
        asked = opened.asked(task)
    _ask(task)
    if asked is not None:
        with guard():
            if run.show_state(asked, task):
                _show_result(task, asked)


def _ask(task: TaskPage) -> None:
    with guard():
        uploaded = st.file_uploader("Table", type=["csv", "tsv", "xlsx"])
        if uploaded is not None:
            record = resources.store().upload_dataset(uploaded, PurePath(uploaded.name).name, "table")
            st.query_params[LEVELS] = record.id
        chosen = st.query_params.get(LEVELS)
        if not chosen:
            return
        table = resources.store().dataset(chosen)
        st.caption(plain(table.name))
        last = st.number_input("Last rows (0 for all)", 0, 1_000, 0, key="last")
        if st.button(task.button, type="primary"):
            order = order_trends(table, Request(int(last)), owner=resources.visitor())
            input_picker.show(**{LEVELS: table.id, "run": resources.jobs().submit(order)})


def _show_result(task: TaskPage, found: Run) -> None:
    result = resources.store().result(found.id, Trends)
    begin: Choice = view_from_address(found)
    least = st.slider("Least trend", 0.0, 10.0, begin.least_trend, 0.1, key="least", bind="query-params")
    parts = {"Findings": _findings, "Why": _why, "Export": _export, "Provenance": _provenance}
    wanted = "Why" if explained.led_here(task.name) else ""
    show_tabs(task.name, parts, (task, result, Choice(least)), wanted)


View = tuple["TaskPage", Trends, Choice]


def _findings(view: View) -> None:
    _, result, choice = view
    st.table(pandas.DataFrame([(one.column, one.mean, one.slope) for one in choice.shown(result)]))


def _why(view: View) -> None:
    task, result, _ = view
    column = st.selectbox("Column", [one.column for one in result.trends])
    if st.button("Explain"):
        asked = resources.jobs().submit(order_influence(result, column, owner=resources.visitor()))
        explained.open_explanation(task.name, asked)
    explained.show_explained(task.name, result, task.noun, _influence, lambda run: plain(run.parameters["column"]))


def _influence(found: Run) -> None:
    st.markdown(plain(" ".join(found.notes)))
    artifact = found.artifact("influence")
    if artifact is not None:
        st.table(pandas.read_csv(artifact.path))


def _export(view: View) -> None:
    _, result, choice = view
    export.show_report(result, choice, {"least": f"{choice.least_trend:g}"}, "It holds the columns")
    export.link(resources.store().run(result.id), TABLE, "Means and trends")


def _provenance(view: View) -> None:
    provenance.show_record(view[1])
