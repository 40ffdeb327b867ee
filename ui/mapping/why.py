"""Why: Grad-CAM of one landslide or of a place, and the explanations that were asked for before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.feedback import plain
from ui.mapping.view import View
from ui.state import rerun_fragment

if TYPE_CHECKING:
    from core.runs.explain import Explanation
    from core.runs.records import Run

LISTED = 12
"""Explanations that are listed; the others stand among the runs."""


def show(view: View) -> None:
    """Ask the model about the chosen polygon or clicked place, and show what it reacted to."""
    _ask(view)
    _earlier(view)


def _ask(view: View) -> None:
    from core.runs.explain import layers_of

    target = _target(view)
    if target is None:
        st.info("Click a landslide or any place on the map, or choose a row under Findings; then ask why.")
        return
    layers, first = layers_of(view.result.model)
    names = [layer.name for layer in layers]
    titles = {layer.name: layer.title for layer in layers}
    st.markdown(f"**{_words(view)}**")
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        layer = st.selectbox(
            "Layer", list(titles), index=names.index(first.name), key=f"layer-{view.result.model}",
            format_func=titles.__getitem__,
            help="Early layers see edges and colours in fine cells, deep ones whole shapes in coarse cells.",
        )  # fmt: skip
    with right:
        pressed = st.button("Ask why", type="primary", width="stretch")
    key = f"explained-{view.result.id}-{view.choice}-{view.selected}-{view.clicked}-{layer}"
    if pressed or key in st.session_state:
        _show(view, _explain(view, layer, key))


def _target(view: View) -> object | None:
    if view.selected is not None and view.findings is not None:
        chosen = view.findings.polygons[view.findings.polygons["id"] == view.selected]
        if len(chosen):
            return chosen
    return view.clicked


def _words(view: View) -> str:
    if view.selected is not None:
        return f"Why is landslide {view.selected} mapped?"
    assert view.clicked is not None  # noqa: S101  a target is there
    row, column = view.clicked
    return f"Why this probability at row {row}, column {column}?"


def _explain(view: View, layer: str, key: str) -> Explanation:
    from core.runs.explain import Explanation, explain

    known = st.session_state.get(key)
    if isinstance(known, Explanation):
        return known
    with st.spinner("Asking the model"):
        explanation = explain(resources.store(), view.record.scene, view.result, _target(view), layer)  # type: ignore[arg-type]
    st.session_state[key] = explanation
    st.session_state[f"explanation-{view.result.id}"] = explanation.run.id
    rerun_fragment()


def _show(view: View, explanation: Explanation) -> None:
    from core.plots.pictures import cam_picture, outlined

    pictures = st.columns(2)
    image = outlined(explanation.image, explanation.region)
    pictures[0].image(image, caption="What the model was given; the target is outlined", width="stretch",
                      alt="Scene around the target, which is outlined")  # fmt: skip
    pictures[1].image(cam_picture(explanation.image, explanation.attribution, explanation.region), width="stretch",
                      caption="Grad-CAM: bright places raised the score of the outlined target",
                      alt="Grad-CAM over the scene, bright where the score was raised")  # fmt: skip
    st.markdown(explanation.sentence)
    st.caption("It also lies on the map as the layer Grad-CAM.")


def _earlier(view: View) -> None:
    """Explanations of this run so far, each of which the map can show; they are kept with the run and reported."""
    known = [run for run in resources.store().children(view.result.id, "explanation") if run.status == "done"]
    if not known:
        return
    key = f"explanation-{view.result.id}"
    st.markdown(f"**Explanations of this run so far: {len(known)}**")
    for run in known[:LISTED]:
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(f"**{_about(run)}.** {plain(' '.join(run.notes))}")
        shown = st.session_state.get(key) == run.id
        if right.button("On the map" if shown else "Show", key=f"show-{run.id}", disabled=shown, width="stretch"):
            st.session_state[key] = run.id
            rerun_fragment()
    if len(known) > LISTED:
        st.caption(f"and {len(known) - LISTED} more.")


def _about(run: Run) -> str:
    """What an explanation asked about, in words."""
    target = run.parameters.get("target", {})
    if target.get("landslide") is not None:
        return f"Landslide {target['landslide']}"
    return f"Row {target['row']}, column {target['column']}" if "row" in target else "A landslide"
