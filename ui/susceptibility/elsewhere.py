"""Applying the fitted models of a map to another area, of which the same rasters were loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.tasks.susceptibility.map_result import DEM, FACTOR
from ui import resources
from ui.feedback import plain
from ui.messages import tr
from ui.task import opened

if TYPE_CHECKING:
    from core.tasks.susceptibility.map_result import SusceptibilityMap

NONE = ""


def show(result: SusceptibilityMap) -> None:
    """Ask for the rasters of the other area, and start the run."""
    from core.tasks.susceptibility.run_applied import order_of

    st.markdown(tr("**Apply the fitted models to another area**"))
    st.caption(
        tr("Choose the same rasters for that area, loaded before under *Data*. Ground unlike all training cells is "
        "hatched. The scores remain those of this area.")
    )
    store = resources.store()
    rasters = {one.id: one.name for one in store.datasets("raster")}
    if not rasters:
        st.info(tr("No raster has been loaded yet."))
        return
    wanted = [(tr("Elevation model"), DEM)] if result.input(DEM).dataset_id else []
    wanted += [(tr("Factor: {name}").format(name=one.name), FACTOR) for one in result.inputs if one.role == FACTOR]
    with st.form(f"elsewhere-{result.id}", border=False, enter_to_submit=False):
        chosen = [
            (role, st.selectbox(plain(label), list(rasters), format_func=rasters.__getitem__, key=f"{result.id}-{at}"))
            for at, (label, role) in enumerate(wanted)
        ]
        vectors = {NONE: tr("none"), **{one.id: one.name for one in store.datasets("vector")}}
        inventory = st.selectbox(tr("Inventory (counts landslides per class)"), list(vectors),
                                 format_func=vectors.__getitem__, key=f"{result.id}-inventory")  # fmt: skip
        pressed = st.form_submit_button(tr("Map other area"))
    if pressed:
        dem = next((store.dataset(one) for role, one in chosen if role == DEM), None)
        factors = [store.dataset(one) for role, one in chosen if role == FACTOR]
        slides = store.dataset(inventory) if inventory else None
        order = order_of(result, dem, factors, slides, owner=resources.visitor())
        opened.start(result.id, lambda: resources.jobs().submit(order))
