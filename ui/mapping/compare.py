"""Compare: what is new since the scene before. The earlier scene is mapped by a job, once for all visitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import LandslideError
from core.tasks.mapping.result import MappingResult
from ui import resources
from ui.feedback import empty, plain, show_error
from ui.mapping.findings import table
from ui.mapping.task import PAGE
from ui.mapping.view import View
from ui.messages import tr
from ui.state import rerun_fragment
from ui.task import judged
from ui.task.earlier import newest
from ui.task.export import folder_of, offer
from ui.task.rows import show_table
from ui.task.run import show_state
from ui.task.selection import Selection
from ui.task.view import area_text

if TYPE_CHECKING:
    from core.runs.records import Order, SceneRecord
    from core.tasks.mapping.change import Change
    from core.tasks.mapping.run import Request
    from core.tasks.mapping.view import Choice

TITLES = {
    "new_landslides.gpkg": "New landslides, GeoPackage",
    "new_landslides.csv": "New landslides, table with coordinates, CSV",
    "new_landslides.shp.zip": "New landslides, Shapefile (zip), with shortened field names",
    "new_landslides.kml": "New landslides, KML, for Google Earth and mobile apps",
    "new_landslides_fields.csv": "Meaning, unit and codes of each field of these files, CSV",
    "change.tif": "Change in probability, Cloud Optimized GeoTIFF",
}


def show(view: View) -> None:
    """Map the earlier scene with the same settings and show which polygons were not there before."""
    if not view.record.before:
        _choose_before(view)
        return
    before = resources.store().scene_record(view.record.before)
    order = _order(view, before)
    earlier = newest(order)
    told = tr("Earlier image: **{name}**, with the same model and settings.")
    if earlier is None:
        told = tr("Earlier image: **{name}**. It is not mapped yet with this model and these settings.")
    st.markdown(told.format(name=plain(before.scene.name)))
    if earlier is None:
        against = _against(view, before)
        if st.button(tr("Find new landslides"), type="primary", disabled=against is not None):
            resources.jobs().submit(order)
            rerun_fragment()
        if against is not None:
            show_error(against)
        st.caption(tr("Maps the earlier image, adds a layer of the change in probability and lists the new polygons."))
    elif show_state(earlier, PAGE, opens=False):
        from core.tasks.mapping.result import MappingResult

        _show(view, resources.store().result(earlier.id, MappingResult))


def _choose_before(view: View) -> None:
    store = resources.store()
    names = {scene.id: scene.name for scene in store.scenes() if scene.id != view.record.id}
    if not names:
        empty(
            tr("There is no earlier image to compare with."),
            tr("First load an image of the same area from before the event."),
        )
        return
    chosen = st.selectbox(tr("Image before the event"), list(names), format_func=names.__getitem__, index=None,
                          placeholder=tr("Choose an earlier image of the same area"))  # fmt: skip
    if chosen and st.button(tr("Compare"), type="primary"):
        # Of a scene that all share, another is made; beside a run of the same image the page goes on with that one.
        st.query_params["scene"] = store.set_before(view.record.id, chosen).id
        st.rerun()


def _against(view: View, before: SceneRecord) -> LandslideError | None:
    """Why the model of the run cannot be run on the earlier scene as it is asked to; None when it can."""
    from core.learning.fit import check_fits
    from core.learning.store import find_model

    request = _request(view, before)
    try:
        model = find_model(PAGE.name, request.model)
        check_fits(PAGE.name, model, before.scene, request.bands, request.resample)
    except LandslideError as error:
        return error
    return None


def _request(view: View, before: SceneRecord) -> Request:
    from core.tasks.mapping.run import request_for

    return request_for(view.result, view.record.scene, before.scene)


def _order(view: View, before: SceneRecord) -> Order:
    """What is asked of the earlier scene: the same as of the later one."""
    from core.tasks.mapping.run import order_of

    return order_of(before, _request(view, before), owner=resources.visitor())


def _show(view: View, earlier: MappingResult) -> None:
    from core.tasks.mapping.findings import LARGEST

    height, width = view.result.grid.shape
    if height * width > LARGEST:
        st.page_link("../pages/compare.py", label=tr("Compare the two runs"),
                     query_params={"runs": f"{earlier.id},{view.result.id}"})  # fmt: skip
        st.caption(tr("New polygons are listed for rasters of up to 16 megapixels; larger ones are compared on the "
                   "Compare page."))
        return
    _keep(view, earlier)
    change = _compared(view.result.id, earlier.id, view.choice, view.result, earlier)
    georeferenced = view.result.grid.in_metres
    area = change.new["area_m2" if georeferenced else "area_px"]
    columns = st.columns(3)
    columns[0].metric(
        tr("New landslides"), f"{len(change.new):,}",
        help=tr("At least half of their area has data in the earlier image, and less than half of that was mapped "
                "there."),
    )  # fmt: skip
    columns[1].metric(tr("Area of new landslides"), area_text(float(area.sum()), georeferenced))
    columns[2].metric(
        tr("Also mapped before"), f"{change.old:,}",
        help=tr("At least half of what the earlier image shows of them was mapped there, too."),
    )  # fmt: skip
    if len(change.unseen):
        area = area_text(float(change.unseen["area_m2" if georeferenced else "area_px"].sum()), georeferenced)
        st.warning(
            tr("**{count:,} landslides ({area}) cannot be compared**: the earlier image has no data on "
            "most of their area, so it is unknown whether they are new. They count neither as new nor as mapped "
            "before.").format(count=len(change.unseen), area=area)
        )
    said = judged.judgements(view.result.id)
    if said:
        st.caption(
            tr("These numbers are of the landslides that the model mapped, without the review. The table gives what "
               "reviewers decided.")
        )
    frame, config = table(judged.with_judgements(change.new, said))
    show_table(
        judged.shown(frame, view.result.id), Selection(view.result.id), key=f"new-{view.result.id}", config=config,
        height=280, alt="Table of new landslides",
    )  # fmt: skip
    st.caption(
        tr("*Share with earlier data*: share of the polygon covered by the earlier image. *Share mapped before*: share "
           "of that part that was mapped in it, too.")
    )
    st.caption(
        tr("The layer *Change in probability* shows after minus before: red where the model gives a higher probability "
           "now, blue where it gave a higher one before. Small changes are pale, and areas with a change of at most "
           "0.02 are transparent. Differences in light, season and snow also appear. What was mapped in the earlier "
           "image can be older landslides or false alarms.")
    )
    _files(view, earlier, change)


def _files(view: View, earlier: MappingResult, change: Change) -> None:
    """The new landslides and the change in probability for other programs."""
    folder = folder_of(view.result.id, ("new", earlier.id, view.choice))
    if st.button(tr("Prepare files of the new landslides")):
        from core.tasks.mapping.export import write_new

        with st.spinner(tr("Writing the files")):
            write_new(change, folder, dem=view.record.dem)
    if folder.is_dir():
        offer(folder, TITLES, view.result.id)


def _keep(view: View, earlier: MappingResult) -> None:
    """Have the change of probability as a run, whose layer the map then offers."""
    from core.tasks.mapping.run_change import difference_here, known_difference

    store = resources.store()
    if known_difference(store, earlier.id, view.result.id) is None:
        with st.spinner(tr("Comparing")):
            difference_here(store, earlier, view.result)
        rerun_fragment()


@st.cache_resource(max_entries=4, show_spinner="Comparing")
def _compared(after_id: str, before_id: str, choice: Choice, _after: MappingResult, _before: MappingResult) -> Change:
    del after_id, before_id  # parts of the key
    from core.tasks.mapping.change import compare

    return compare(_before, _after, choice)
