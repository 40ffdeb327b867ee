"""Why: Grad-CAM of one landslide or of a place, and the explanations that were asked for before.

The one that is shown stands in the page's address, as ``?why=``: its layer lies on the map, its pictures here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import jobs, resources
from ui.feedback import plain
from ui.mapping.view import View
from ui.task.explained import finished, open_explanation, show_explained

if TYPE_CHECKING:
    from core.raster.scene import Scene
    from core.report.explained import Pictured
    from core.runs.records import Run

def show(view: View) -> None:
    """Ask the model about the chosen polygon or clicked place, and show what it reacted to."""
    _ask(view)
    show_explained("mapping", view.result, "map", lambda run: _show(view, run), lambda run: _about(run, view))


def _ask(view: View) -> None:
    from core.tasks.mapping.run_explanation import layers_of

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
    if pressed:
        open_explanation("mapping", _explained(view, target, layer))


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


def _explained(view: View, target: object, layer: str) -> str:
    """Id of the explanation of a target: that which this visitor asked for before, or a new one."""
    from core.tasks.mapping.run_explanation import explain

    key = f"explained-{view.result.id}-{view.choice}-{view.selected}-{view.clicked}-{layer}"
    known = st.session_state.get(key)
    if known in {run.id for run in finished(view.result) if jobs.missing_files(run) is None}:
        return str(known)
    with st.spinner("Asking the model"):
        identity = explain(resources.store(), view.result, target, layer).id  # type: ignore[arg-type]
    st.session_state[key] = identity
    return identity


def _show(view: View, run: Run) -> None:
    from core.plots.pictures import cam_picture, outlined

    st.markdown(f"**{_about(run, view)}**")
    seen = _pictured(run.id, view.record.scene.digest, view.record.scene)
    pictures = st.columns(2)
    pictures[0].image(outlined(seen.image, seen.region), caption="The image; what was asked about is outlined",
                      width="stretch", alt="Scene around the target, which is outlined")  # fmt: skip
    pictures[1].image(cam_picture(seen.image, seen.attribution, seen.region), width="stretch",
                      caption="Grad-CAM: bright places raised the score of the outlined target",
                      alt="Grad-CAM over the scene, bright where the score was raised")  # fmt: skip
    st.markdown(plain(" ".join(run.notes)))
    st.caption("It also lies on the map as the layer Grad-CAM.")


@st.cache_resource(max_entries=4, show_spinner=False)
def _pictured(explanation: str, scene_digest: str, _scene: Scene) -> Pictured:
    del scene_digest  # part of the key
    from core.report.explained import pictured

    return pictured(resources.store(), explanation, _scene)


def _about(run: Run, view: View) -> str:
    """What an explanation asked about, in words."""
    target = run.parameters.get("target") or {}
    if "row" in target:
        return f"Row {target['row']}, column {target['column']}"
    if target.get("outline") and view.findings is not None and len(view.findings.polygons):
        from shapely.geometry import shape

        # By place, not by the number it had then: other sliders number them anew.
        polygons = view.findings.polygons
        inside = polygons[polygons.geometry.contains(shape(target["outline"]).representative_point())]
        if len(inside):
            return f"Landslide {inside['id'].iloc[0]}"
    return "A landslide at other values of the sliders"
