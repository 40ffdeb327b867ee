"""The page of susceptibility: a table and a form beside what a validation found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.jobs.perform import request_of
from core.tasks.susceptibility.result import TABLE
from core.tasks.susceptibility.run import order_of
from ui import resources
from ui.feedback import empty, guard, plain
from ui.susceptibility import form, results, source
from ui.task import form as shared_form
from ui.task import opened, press, run

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Run
    from core.tasks.susceptibility.run import Request
    from ui.task.task import TaskPage


def show(task: TaskPage) -> None:
    """Show the page."""
    st.title(task.title)
    st.markdown(task.question)
    left, right = st.columns([1, 3], gap="medium")
    asked = record = request = None
    with left, guard():
        asked = opened.asked(task)
    with left, guard():
        record = source.current(asked)
        if asked is None and record is not None:
            opened.go_on(record.id)
    with left:
        with st.expander("Table", expanded=record is None), guard():
            source.choose()
        if record is not None:
            with guard():
                _describe(record)
                request = form.ask(task, record, _before(asked))
        if record is not None and request is not None:
            with guard():
                press.done(task.button, record.digest)
                order = order_of(record, request, owner=resources.visitor())
                opened.start(record.id, **{TABLE: record.id, "run": resources.jobs().submit(order)})
    with right:
        if asked is not None:
            with guard():
                if run.show_state(asked, task):
                    results.show(task, asked)
        elif record is None:
            _show_empty()
        else:
            st.info(
                f"Check the columns and press *{task.button}*. Each model is fitted on a part of the cells and asked "
                "about the rest, by random and by spatial folds."
            )


def _show_empty() -> None:
    if empty(
        "No table yet.",
        "Choose a table of cells or slope units: one column says whether there is a landslide, the others are factors "
        "such as slope, lithology or distance to a road. The sample is of the synthetic mountain valley.",
        action="Start with the sample valley",
        key="start-sample",
    ):
        with guard():
            source.use(source.open_sample("valley-cells"))


def _before(asked: Run | None) -> Request | None:
    """What the run asked with which the form begins: that of ``?prefill=``, else the one that is open."""
    identity = shared_form.named()
    found = resources.store().run(identity) if identity else asked
    if found is None or found.kind != "validation":
        return None
    request: Request = request_of(found)
    return request


def _describe(record: DatasetRecord) -> None:
    st.markdown(f"**{plain(record.name)}**")
    facts = ["Synthetic: made by a script, not measured."] if record.synthetic else []
    if record.licence:
        facts.append(f"Licence: {record.licence}.")
    if facts:
        st.caption(plain(" ".join(facts)))
