"""Compare: what is new since the scene before, and the same scene under other runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.errors import InputError
from ui import resources
from ui.feedback import Progress, empty, plain
from ui.mapping.findings import table
from ui.mapping.view import View, area_text
from ui.state import rerun_fragment

if TYPE_CHECKING:
    from core.mapping.result import MappingResult


def show(view: View) -> None:
    """Map the earlier scene with the same settings and show which polygons were not there before."""
    if not view.record.before:
        _choose_before(view)
        return
    before = resources.store().scene_record(view.record.before)
    st.markdown(f"Earlier scene: **{plain(before.scene.name)}**. It is mapped with the same model and settings.")
    key = f"before-run-{view.result.id}"
    if key not in st.session_state:
        if not st.button("Show what is new", type="primary"):
            st.caption("Adds a layer of the change in probability, and lists the polygons that are new.")
            return
        st.session_state[key] = _map_before(view).id
    try:
        earlier = resources.store().mapping(st.session_state[key])
    except InputError:
        del st.session_state[key]  # it was removed since: it can be made again
        raise
    _show(view, earlier)


def _choose_before(view: View) -> None:
    store = resources.store()
    names = {scene.id: scene.name for scene in store.scenes() if scene.id != view.record.id}
    if not names:
        empty("There is no earlier scene to compare with.", "Load the scene of the same place before the event first.")
        return
    chosen = st.selectbox("Scene before the event", list(names), format_func=names.__getitem__, index=None,
                          placeholder="Choose the earlier scene of the same place")  # fmt: skip
    if chosen and st.button("Compare with it", type="primary"):
        store.set_before(view.record.id, chosen)
        st.rerun()


def _map_before(view: View) -> MappingResult:
    from core.runs.mapping import request_for, run_mapping

    store = resources.store()
    before = store.scene_record(view.record.before)
    progress = Progress("Mapping the earlier scene")

    def report(done: int, total: int) -> None:
        progress(done / total)

    request = request_for(view.result, view.record.scene, before.scene)
    result = run_mapping(store, before.scene, request, scene_id=before.id, progress=report)
    progress.done()
    return result


def _show(view: View, earlier: MappingResult) -> None:
    from core.runs.compare import compare_runs

    change = _compared(view.result.id, earlier.id, view.choice, view.result, earlier)
    layer = f"change-{view.result.id}"
    if layer not in st.session_state:
        st.session_state[layer] = compare_runs(resources.store(), earlier, view.result, change).id
        rerun_fragment()
    georeferenced = view.result.grid.is_georeferenced
    area = change.new["area_m2" if georeferenced else "area_px"]
    columns = st.columns(3)
    columns[0].metric("New landslides", f"{len(change.new):,}", help="Less than half of their area was mapped before.")
    columns[1].metric("Area of new landslides", area_text(float(area.sum()), georeferenced))
    columns[2].metric("Mapped before as well", f"{len(change.findings.polygons) - len(change.new):,}")
    frame, config = table(change.new)
    st.dataframe(frame, hide_index=True, height=280, alt="Table of new landslides", column_config=config)
    st.caption(
        "The layer *Change of probability* shows after minus before. What both scenes map (rivers, fields, roads) "
        "falls away; what differs in light or season may stay."
    )


@st.cache_resource(max_entries=4, show_spinner="Comparing")
def _compared(after_id: str, before_id: str, choice: object, _after: MappingResult, _before: MappingResult) -> object:
    del after_id, before_id  # parts of the key
    from core.mapping.change import compare

    return compare(_before, _after, choice)  # type: ignore[arg-type]
