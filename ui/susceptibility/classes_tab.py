"""The tab Findings of a susceptibility map: its classes, its curves, and the AUROC of all models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.feedback import guard, plain
from ui.messages import tr, tr_noop
from ui.susceptibility import results, risk, scores

if TYPE_CHECKING:
    from core.tasks.susceptibility.classed import Classed
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from ui.susceptibility.map_view import MapView

CLASS_COLUMNS = {
    "class": (tr_noop("Class"), None), "from": (tr_noop("From"), "%.2f"), "to": (tr_noop("To"), "%.2f"),
    "km2": (tr_noop("Area (km²)"), "%.2f"), "share_of_area": (tr_noop("Share of area"), "%.1f %%"),
    "landslide_cells": (tr_noop("Landslide cells"), "localized"),
    "share_of_landslides": (tr_noop("Share of landslide cells"), "%.1f %%"),
    "density": (tr_noop("Landslide density"), "%.2f %%"), "frequency_ratio": (tr_noop("Frequency ratio"), "%.2f"),
}  # fmt: skip
"""Titles and formats of the table of classes, which fits on a page 1,440 px wide; shares in per cent."""


def show(view: MapView) -> None:
    """Classes and curves of the map, and the AUROC of all models."""
    if view.classes is not None:
        left, right = st.columns(2, gap="medium")
        with left:
            _show_classes(view.result, view.classes)
        with right:
            _show_rates(view.result, view.classes)
        columns = {
            name: tr(title) if form is None else st.column_config.NumberColumn(tr(title), format=form)
            for name, (title, form) in CLASS_COLUMNS.items()
        }
        rows = view.classes.table()[list(CLASS_COLUMNS)]
        rows["class"] = [tr(name.capitalize()) for name in rows["class"]]
        shares = [name for name, (_, form) in CLASS_COLUMNS.items() if form and form.endswith("%%")]
        rows[shares] *= 100
        st.dataframe(rows, hide_index=True, width="stretch", column_config=columns)
        if view.classes.note:
            st.warning(plain(view.classes.note))
        st.caption(
            tr(
                "The success rate is measured mostly on training landslides; the prediction rate uses models not "
                "trained "
                "on the landslides concerned and is the one to rely on. Landslide density: share of "
                "the cells of a class that hold a landslide. Frequency ratio: share of landslide cells divided by "
                "share of area."
            )
        )
        with guard():
            risk.show(view.result, view.classes, view.choice)
    st.markdown(tr("**Validation of all models**"))
    results.findings(view)


def _show_classes(result: SusceptibilityMap, classes: Classed) -> None:
    from core.tasks.susceptibility.map_plots import class_figure
    from core.tasks.susceptibility.models import title_of

    st.markdown(tr("**Classes: {title_of}**").format(title_of=title_of(classes.model).lower()))
    st.plotly_chart(class_figure(classes), key=f"classes-{result.id}", config=scores.PLAIN_CHART)


def _show_rates(result: SusceptibilityMap, classes: Classed) -> None:
    from core.tasks.susceptibility.map_plots import rate_figure
    from core.tasks.susceptibility.rates import curves_of

    at = result.mapped.index(classes.model)
    curves = curves_of(result, at)
    st.markdown(tr("**Share of landslide cells by share of area**"))
    if curves:
        st.plotly_chart(rate_figure(curves), key=f"rates-{result.id}-{at}", config=scores.PLAIN_CHART)
    else:
        st.info(tr("This area has no known landslides."))
