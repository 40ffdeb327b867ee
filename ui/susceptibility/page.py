"""The page of susceptibility: an area or a table and a form beside what was mapped or validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.jobs.perform import request_of
from core.review.corrected import corrected_in
from core.tasks.susceptibility import run_map
from core.tasks.susceptibility.result import TABLE
from core.tasks.susceptibility.run import order_of
from ui import labels, resources
from ui.choices import words_of
from ui.feedback import empty, guard, plain
from ui.messages import tr, tr_noop
from ui.susceptibility import area_form, area_source, form, map_results, results
from ui.susceptibility.area_source import AreaData
from ui.susceptibility.source import SOURCE
from ui.task import form as shared_form
from ui.task import generic_run, onward, opened, press, run
from ui.task.columns import form_and_result

if TYPE_CHECKING:
    from core.runs.records import DatasetRecord, Order, Run
    from core.tasks.susceptibility.run import Request
    from core.tasks.susceptibility.run_map import MapRequest
    from ui.task.task import TaskPage

FROM = "from"
"""Key in the page's address of what the page begins with: ``rasters`` or ``table``."""

WAYS = {"rasters": tr_noop("An area"), "table": tr_noop("A table or units")}


def show(task: TaskPage) -> None:
    """Show the page."""
    st.title(tr(task.title))
    st.markdown(tr(task.question))
    left, right = form_and_result()
    asked = None
    with left, guard():
        _open_sample()
        asked = opened.asked(task)
    if asked is not None:
        labels.name_page(asked.title, task.task.title)
    if asked is not None and asked.kind not in task.kinds:
        with right, guard():
            generic_run.show(asked)
        return
    with left:
        way = _way(asked)
    if way == "table":
        _table(task, asked, left, right)
    else:
        _area(task, asked, left, right)


def _open_sample() -> None:
    """Put the sample of the address into the store, a table or an area, and go on with it."""
    sample = st.query_params.get("sample")
    if not sample:
        return
    if sample == "valley":
        area_source.use(area_source.open_sample(sample))
    SOURCE.use(SOURCE.open_sample(sample))


def _way(asked: Run | None) -> str:
    """Whether the page is about an area or a table: what the run or the address says, else what is chosen."""
    if asked is not None:
        known = "table" if asked.kind == "validation" else "rasters"
    elif TABLE in st.query_params:
        known = "table"
    else:
        known = st.query_params.get(FROM, "rasters")
    chosen = st.segmented_control(
        tr("Start with"), list(WAYS), default=known if known in WAYS else "rasters", format_func=words_of(WAYS),
        key=f"way-{known}-{'' if asked is None else asked.id[:8]}", required=True, width="stretch",
        help=tr("Rasters and an inventory, to make a map; or a table of cells or slope units, or a layer of units, to "
                "validate models."),
    )  # fmt: skip
    if chosen != known:
        source = {name: st.query_params[name] for name in ("source",) if name in st.query_params}
        st.query_params.from_dict({FROM: chosen, **source})
        st.rerun()
    return str(chosen)


def _table(task: TaskPage, asked: Run | None, left: object, right: object) -> None:
    record = request = None
    with left, guard():  # type: ignore[attr-defined]
        record = SOURCE.current(asked)
        if asked is None and record is not None:
            opened.go_on(record.id)
    with left:  # type: ignore[attr-defined]
        with st.expander(tr("Table or layer of units"), expanded=record is None), guard():
            SOURCE.choose()
        if record is not None:
            with guard():
                _describe(record)
                request = form.ask(form.BUTTON, record, _before_table(asked))
        if record is not None and request is not None:
            with guard():
                order = order_of(record, request, owner=resources.visitor())
                pressed = press.held(form.BUTTON, record.digest)
                opened.start(record.id, lambda: resources.jobs().submit(order), pressed, **{TABLE: record.id})
    with right:  # type: ignore[attr-defined]
        if asked is not None:
            with guard():
                if run.show_state(asked, task):
                    results.show(task, asked)
        elif record is None:
            _show_no_table()
        else:
            what = tr(
                "Check the columns and press *{button}*. Each model is trained on part of the cells and tested on "
                "the rest: with random folds and, where the table has coordinates, with spatial folds."
            ).format(button=form.BUTTON)
            if shared_form.named():
                what = tr("The settings are those of run {run}. Press *{button}* to validate the data again.").format(
                    run=plain(str(shared_form.named())[:8]), button=form.BUTTON)  # fmt: skip
            st.info(what)


def _area(task: TaskPage, asked: Run | None, left: object, right: object) -> None:
    data, request = AreaData(), None
    with left, guard():  # type: ignore[attr-defined]
        data = area_source.current(asked)
        if asked is None and data.complete:
            opened.go_on(data.key)
    with left:  # type: ignore[attr-defined]
        with st.expander(tr("Data"), expanded=not data.complete), guard():
            if data.records:
                area_source.show_chosen(data)
            area_source.choose(data)
        if data.records:
            st.caption(area_source.summary(data))
        if data.complete:
            with guard():
                request = area_form.ask(data, _before_map(asked))
        if data.records:
            with guard():
                onward.show(task, onward.of_datasets(data.by_role()))
        if request is not None:
            with guard():
                with press.refusing(area_form.BUTTON, data.key):
                    mapped = _order(data, request)
                pressed = press.held(area_form.BUTTON, data.key)
                opened.start(data.key, lambda: resources.jobs().submit(mapped), pressed, **data.address())
    with right:  # type: ignore[attr-defined]
        if asked is not None:
            with guard():
                if run.show_state(asked, task):
                    map_results.show(task, asked)
        elif data.complete:
            with guard():
                map_results.show_area(data)
        else:
            _show_no_area(task, data)


def _order(data: AreaData, request: MapRequest) -> Order:
    assert data.inventory is not None  # noqa: S101  data are complete
    return run_map.order_of(request, data.dem, data.factors, data.inventory, data.areas, owner=resources.visitor())


def _show_no_table() -> None:
    if empty(
        tr("No table or layer of units yet."),
        tr("Choose a table of cells or slope units, or a layer of units with outlines: one column marks landslides, "
        "the others are factors such as slope, lithology or distance to a road. The sample covers the synthetic "
        "mountain valley."),
        action=tr("Start with the sample valley"),
        key="start-sample",
    ):
        with guard():
            SOURCE.use(SOURCE.open_sample("valley-cells"))


def _show_no_area(task: TaskPage, data: AreaData) -> None:
    if data.records:
        st.info(
            tr("A map needs a landslide inventory and an elevation model or factors. Add what is missing under *Data*.")
        )
        onward.offer_here(task, [one.id for one in data.records])
        return
    onward.offer_here(task)
    if empty(
        tr("No area yet."),
        tr(
            "Choose an elevation model and a landslide inventory (points or outlines); factors such as lithology or "
            "land "
            "cover are optional. The sample covers the synthetic mountain valley."
        ),
        action=tr("Start with the sample valley"),
        key="start-sample-area",
    ):
        with guard():
            area_source.use(area_source.open_sample("valley"))


def _earlier(asked: Run | None, kind: str) -> Run | None:
    identity = shared_form.named()
    found = resources.store().run(identity) if identity else asked
    return found if found is not None and found.kind == kind else None


def _before_table(asked: Run | None) -> Request | None:
    """What the run asked with which the form begins: that of ``?prefill=``, else the one that is open."""
    found = _earlier(asked, "validation")
    request: Request | None = None if found is None else request_of(found)
    return request


def _before_map(asked: Run | None) -> MapRequest | None:
    found = _earlier(asked, run_map.KIND)
    request: MapRequest | None = None if found is None else request_of(found)
    return request


def _describe(record: DatasetRecord) -> None:
    st.markdown(f"**{plain(record.name)}**")
    facts = [tr("Synthetic: generated, not measured.")] if record.synthetic else []
    if record.licence:
        facts.append(f"Licence: {record.licence}.")
    corrected = corrected_in(record.origin)
    if corrected is not None:
        facts.append(corrected.words)
    if facts:
        st.caption(plain(" ".join(facts)))
