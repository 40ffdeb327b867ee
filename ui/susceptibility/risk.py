"""Elements at risk: how much of a layer of roads or buildings lies in which class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import plain
from ui.messages import tr, tr_noop
from ui.task import export

if TYPE_CHECKING:
    from core.tasks.susceptibility.at_risk import AtRisk
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.view import Choice

COLUMNS = {
    "class": (tr_noop("Class"), None), "elements": (tr_noop("Elements"), "localized"),
    "share_of_elements": (tr_noop("Share"), "percent"),
    "length_m": (tr_noop("Length (m)"), "localized"), "share_of_length": (tr_noop("Share of length"), "percent"),
}  # fmt: skip


def show(result: SusceptibilityMap, classes: Classed, choice: Choice) -> None:
    """Choose a layer, and see it by class."""
    st.markdown(tr("**Elements at risk**"))
    st.caption(
        tr("Overlays roads, buildings or places (GeoPackage, GeoJSON or zipped Shapefile) with the classes chosen "
        "above. Each element counts in the highest class it meets; lines are also measured in each class.")
    )
    store = resources.store()
    inventory = result.input("inventory").dataset_id
    known = {one.id: one.name for one in store.datasets("vector") if one.id != inventory}
    left, right = st.columns(2, vertical_alignment="bottom")
    chosen = left.selectbox(tr("Layer"), ["", *known], format_func=lambda one: known.get(one) or tr("none"),
                            key=f"elements-{result.id}")  # fmt: skip
    uploaded = right.file_uploader(tr("Or upload a layer"), type=["gpkg", "geojson", "json", "zip"],
                                   key=f"elements-upload-{result.id}")  # fmt: skip
    if uploaded is not None:
        from pathlib import PurePath

        chosen = store.upload_dataset(uploaded, PurePath(uploaded.name).name, "vector").id
    if not chosen:
        return
    record = store.dataset(chosen)
    found = _found(result.id, chosen, classes, result)
    columns = {
        name: tr(title) if form is None else st.column_config.NumberColumn(tr(title), format=form)
        for name, (title, form) in COLUMNS.items()
    }
    st.markdown(f"{plain(record.name)}: {len(found.elements):,} {found.kind}")
    st.dataframe(found.classes.round(3), hide_index=True, width="stretch", column_config=columns)
    folder = export.folder_of(result.id, ("elements", chosen, choice))
    if st.button(tr("Prepare GeoPackage"), key=f"elements-write-{result.id}"):
        from core.raster.features import write_features

        write_features(found.elements, folder / "elements.gpkg", "elements")
    if folder.is_dir():
        export.offer(folder, {"elements.gpkg": "Elements with their class, GeoPackage"}, result.id)


@st.cache_resource(max_entries=8, show_spinner="Overlaying the elements")
def _found(run: str, layer: str, classes: Classed, _result: SusceptibilityMap) -> AtRisk:
    del run
    from core.tasks.susceptibility.at_risk import elements_at_risk

    record = resources.store().dataset(layer)
    return elements_at_risk(record.path, _result, classes, record.name)
