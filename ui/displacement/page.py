"""The page of displacement: a table and a form beside the monitored slope and its forecasts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from core.jobs.perform import request_of
from core.tasks.displacement import run_points
from core.tasks.displacement.result import DRIVERS, SERIES
from core.tasks.displacement.run import EARLIER, KIND, order_of
from ui import labels, resources
from ui.displacement import form, looking, points_form, points_results, results
from ui.displacement.further import further
from ui.displacement.source import SOURCE
from ui.feedback import empty, guard, plain
from ui.messages import tr
from ui.task import form as shared_form
from ui.task import generic_run, onward, opened, press, run
from ui.task.columns import form_and_result
from ui.task.table_source import TYPES

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Order, Run
    from core.series.corrections import Correction
    from core.tasks.displacement.run import ForecastRequest
    from ui.task.task import TaskPage


def show(task: TaskPage) -> None:
    """Show the page."""
    st.title(tr(task.title))
    st.markdown(tr(task.question))
    left, right = form_and_result()
    asked = record = None
    with left, guard():
        asked = opened.asked(task)
    if asked is not None:
        labels.name_page(asked.title, task.task.title)
    if asked is not None and asked.kind not in task.kinds:
        with right, guard():
            generic_run.show(asked)
        return
    with left, guard():
        record = SOURCE.current(asked)
        if asked is None and record is not None:
            labels.name_page(record.name, task.task.title)
            opened.go_on(record.id)
    columns = request = beside = earlier = None
    with left:
        with st.expander(tr("Table"), expanded=record is None), guard():
            SOURCE.choose()
        points = record is not None and _holds_points(record)
        if record is not None and points:
            _ask_points(record, asked)
        elif record is not None:
            with guard():
                _describe(record)
                columns, request, beside = form.ask(record, _before(asked), asked)
                earlier = further(
                    record, EARLIER, tr("Earlier readings"), tr("Earlier file"), ("table", TYPES), asked,
                    tr("An earlier file with the same stations and columns. Both are joined for the forecast; "
                    "differences where they overlap are reported."), _is_no_points,
                )  # fmt: skip
        if asked is not None:
            with guard():
                onward.show(task, onward.of_run(asked))
        if record is not None and request is not None:
            with guard():
                chosen = looking.corrections_of(record) if asked is None else _kept(asked)
                file = None if beside is None else beside.record
                request = replace(request, corrections=chosen)
                with press.refusing(form.BUTTON, record.digest):
                    order = order_of(record, request, drivers=file, earlier=earlier, owner=resources.visitor())
                roles = {SERIES: record.id, **({} if file is None else {DRIVERS: file.id})}
                pressed = press.held(form.BUTTON, record.digest)
                opened.start(record.id, lambda: resources.jobs().submit(order), pressed, **roles)
    with right:
        if asked is not None:
            with guard():
                if run.show_state(asked, task):
                    (points_results if asked.kind == run_points.KIND else results).show(task, asked)
        elif record is None:
            _show_none()
        elif points:
            st.info(tr("Press *{button}* to get velocity, acceleration and annual amplitude of each point, "
                    "a map, and the series of selected points.").format(button=points_form.BUTTON))  # fmt: skip
        elif columns is not None:
            with guard():
                looking.show(record, columns, beside)


def _holds_points(record: DatasetRecord) -> bool:
    """Whether the table holds InSAR points; no where it cannot be read, which the form then says."""
    try:
        return points_form.holds(record.id, record.digest, record)
    except LandslideError:
        return False


def _is_no_points(identity: str) -> bool:
    return not _holds_points(resources.store().dataset(identity))


def _ask_points(record: DatasetRecord, asked: Run | None) -> None:
    """The form of a table of InSAR points."""
    with guard():
        _describe(record)
        identity = shared_form.named()
        found = resources.store().run(identity) if identity else asked
        order = points_form.ask(record, found if found is not None and found.kind == run_points.KIND else None)
        if order is not None:
            pressed = press.held(points_form.BUTTON, record.digest)
            opened.start(record.id, lambda: _submit_points(record, order), pressed, **{SERIES: record.id})


def _submit_points(record: DatasetRecord, order: Order) -> str:
    """Start the run; the reference that was chosen on a map is then the run's."""
    points_form.reference(record.id).clear()
    return resources.jobs().submit(order)


def _before(asked: Run | None) -> ForecastRequest | None:
    """What the run asked with which the form begins: that of ``?prefill=``, else the one that is open."""
    identity = shared_form.named()
    found = resources.store().run(identity) if identity else asked
    request: ForecastRequest | None = None if found is None or found.kind != KIND else request_of(found)
    return request


def _kept(asked: Run) -> tuple[Correction, ...]:
    """Corrections of the run that is open, which a further run of the same table keeps."""
    before = _before(asked)
    return () if before is None else before.corrections


def _describe(record: DatasetRecord) -> None:
    st.markdown(f"**{plain(record.name)}**")
    facts = [tr("Synthetic: generated, not measured.")] if record.synthetic else []
    if record.licence:
        facts.append(f"Licence: {record.licence}.")
    if facts:
        st.caption(plain(" ".join(facts)))


def _show_none() -> None:
    if empty(
        tr("No table yet."),
        tr("Choose a table of readings: times, and displacement or positions of one or several stations. Rain, "
        "reservoir level and other drivers are optional. The sample is a synthetic landslide at a reservoir."),
        action=tr("Start with the sample"),
        key="start-sample",
    ):
        with guard():
            SOURCE.use(SOURCE.open_sample("reservoir-slide"))
