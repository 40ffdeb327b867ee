"""How far the score depends on where absences are drawn and where landslides lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import plain
from ui.messages import tr
from ui.task import jobs

if TYPE_CHECKING:
    from core.tasks.susceptibility.map_result import SusceptibilityMap
    from core.tasks.susceptibility.view import Choice

CHART = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d"]}


def show(result: SusceptibilityMap, choice: Choice) -> None:
    """Offer to try other choices, follow that, and show what came of it."""
    from core.tasks.susceptibility.models import AVERAGE, title_of
    from core.tasks.susceptibility.run_sensitivity import KIND, SensitivityRequest, order_of

    if result.parents or not result.input("inventory").dataset_id:
        return
    model = choice.model if choice.model != AVERAGE else next(one for one in result.models if one != AVERAGE)
    st.markdown(tr("**Sensitivity of the score to arbitrary choices**"))
    st.caption(
        tr(
            "{title_of} is fitted again with non-landslide cells drawn at other distances from landslides, and "
            "with landslides moved by 5 to 120 m, because their positions are never exact."
        ).format(title_of=title_of(model))
    )
    store = resources.store()
    runs = [one for one in store.children(result.id, KIND) if one.model == model]
    active = next((one for one in runs if one.active), None)
    if active is not None:
        jobs.follow(active.id, what="Testing other choices")
        return
    done = next((one for one in runs if one.status == "done"), None)
    if done is None:
        if runs:
            jobs.show_ended(runs[0], opens=False)
        if st.button(tr("Test other choices"), key=f"robust-{result.id}-{model}"):
            resources.jobs().submit(order_of(result, SensitivityRequest(model), owner=resources.visitor()))
            st.rerun()
        return
    _show(done.id, store.result(done.id).artifact("sensitivity").read_text(encoding="utf-8"))
    st.caption(plain(" ".join(done.notes)))


def _show(run: str, content: str) -> None:
    from core.tasks.susceptibility.map_plots import sensitivity_figure
    from core.tasks.susceptibility.models import title_of

    found = json.loads(content)
    left, right = st.columns(2, gap="medium")
    for place, name, title in (
        (left, "buffer", "Minimum distance from landslides (m)"), (right, "jitter", "Landslides moved by (m)"),
    ):  # fmt: skip
        if found[name]:
            figure = sensitivity_figure(found[name], title, title_of(found["model"]))
            place.plotly_chart(figure, key=f"robust-{name}-{run}", config=CHART)
        else:
            place.info(tr("Non-landslide cells come from the inventory: none are drawn."))
