"""Why: what in the image spoke for one box and what against it, and the explanations that were asked for before.

The one that is shown stands in the page's address, as ``?why=``: its layer lies on the map, its pictures here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui import jobs, resources
from ui.detection.view import View
from ui.feedback import plain
from ui.state import Slot
from ui.task.explained import open_explanation, show_explained

if TYPE_CHECKING:
    from core.explain.layers import LayerChoice
    from core.raster.scene import Scene
    from core.report.explained import Pictured
    from core.runs.records import Run
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.run_explanation import BoxQuestion

HELP = {
    "grad-cam": "Weighs what the detector saw by how much it counts on average: marks all that looks alike.",
    "hires-cam": "Weighs each place by what it counts there: marks what this very box took from the image.",
    "occlusion": "Covers the image square by square; needs no look inside the detector, but some hundred tries.",
    "d-rise": "Hides random parts of the image and sees when the box is still found; some hundred tries.",
}
"""What each method does, for who chooses."""

DEEPEST = ""
"""Name of no layer: the deepest from which the box took anything."""

_AWAITED: Slot[str] = Slot("detection-why-awaited", "")
"""Explanation that a job computes for this visitor, to be shown once it is there."""


def show(view: View) -> None:
    """Ask the detector about the chosen box, and show what it reacted to."""
    _open_awaited()
    _ask(view)
    show_explained("detection", view.result, "detection", lambda run: _show(view, run), lambda run: _about(run, view))


def _open_awaited() -> None:
    """Show what a job has found meanwhile."""
    identity = _AWAITED.get()
    if identity and not resources.store().run(identity).active:
        _AWAITED.put("")
        if resources.store().run(identity).status == "done":
            open_explanation("detection", identity)


def _ask(view: View) -> None:
    from core.explain.boxes import HIRES_CAM, METHODS
    from core.tasks.detection.run_explanation import known_explanation, question_of

    if view.selected is None or view.box is None:
        st.info("Choose a box on the map or a row under Findings; then ask why it was found.")
        return
    layers = _layers(view.result.id, view.result)
    names = [DEEPEST, *(layer.name for layer in reversed(layers))]
    titles = {DEEPEST: "The deepest that the box was found at", **{layer.name: layer.title for layer in layers}}
    st.markdown(f"**Why was box {view.selected} found?**")
    left, middle, right = st.columns([2, 3, 1], vertical_alignment="bottom")
    with left:
        method = st.selectbox(
            "Method", list(METHODS), index=list(METHODS).index(HIRES_CAM.name), key=f"method-{view.result.model}",
            format_func=lambda name: METHODS[name].title,
            help="  \n".join(f"**{METHODS[name].title}**: {words}" for name, words in HELP.items()),
        )  # fmt: skip
    layered = METHODS[method].layered
    with middle:
        layer = st.selectbox(
            "Layer", names, key=f"layer-{view.result.model}", format_func=titles.__getitem__, disabled=not layered,
            help="Early layers see edges and colours in fine cells, deep ones whole shapes in coarse cells. "
            "A detector looks for small boxes at its fine layers, for large ones at its coarse layers.",
        )  # fmt: skip
    question = question_of(view.findings, view.selected, method, layer if layered else DEEPEST)
    known = known_explanation(resources.store(), view.result, question)
    if known is not None and known.active:
        jobs.follow(known.id, what="Asking the detector")
        return
    with right:
        pressed = st.button("Ask why", type="primary", width="stretch")
    if known is not None and known.status != "done":
        jobs.show_ended(known, opens=False)
    elif not layered:
        st.caption("This tries the detector on some hundred altered images: a job, whose result is kept.")
    if pressed:
        _answer(view, question, known)


def _answer(view: View, question: BoxQuestion, known: Run | None) -> None:
    """Show the answer to a question: that which is known, one that is found at once, or one that a job will find."""
    from core.explain.boxes import METHODS
    from core.tasks.detection.run_explanation import explain_box, order_explanation

    if known is not None and known.status == "done" and jobs.missing_files(known) is None:
        open_explanation("detection", known.id)
    elif METHODS[question.method].layered:
        with st.spinner("Asking the detector"):
            made = explain_box(resources.store(), view.result, question)
        open_explanation("detection", made.id)
    else:
        order = order_explanation(view.result, question, owner=resources.visitor())
        _AWAITED.put(resources.jobs().submit(order))
        st.rerun()


@st.cache_resource(max_entries=8, show_spinner="Loading the detector")
def _layers(run: str, _result: DetectionResult) -> tuple[LayerChoice, ...]:
    del run  # the key
    from core.tasks.detection.run_explanation import layers_of_detector

    return layers_of_detector(_result)


def _show(view: View, run: Run) -> None:
    from core.plots.faithfulness import curves_figure
    from core.plots.pictures import outlined, signed_picture
    from core.tasks.detection.run_explanation import curves_in

    told = resources.store().provenance(run.id)
    st.markdown(f"**{_about(run, view)}**")
    seen = _pictured(run.id, view.record.scene.digest, view.record.scene)
    method = plain(str(told.get("method", "")))
    pictures = st.columns(2)
    pictures[0].image(outlined(seen.image, seen.region), caption="The image; the box is outlined",
                      width="stretch", alt="Scene around the box, which is outlined")  # fmt: skip
    pictures[1].image(signed_picture(seen.image, seen.attribution, seen.region), width="stretch",
                      caption=f"{method}: red spoke for the box, blue against it",
                      alt=f"{method} over the scene, red where it spoke for the box, blue against it")  # fmt: skip
    st.markdown(plain(" ".join(run.notes)))
    st.caption("It also lies on the map as the layer Why this box.")
    with st.expander("How faithful this is"):
        st.plotly_chart(curves_figure(curves_in(told)), key=f"curves-{run.id}", theme="streamlit")
        st.caption(
            "Where the map is right, the confidence falls soon when its highest places are replaced by the image's "
            "mean colour (small area), and rises soon when nothing but them is shown (large area)."
        )


@st.cache_resource(max_entries=4, show_spinner=False)
def _pictured(explanation: str, scene_digest: str, _scene: Scene) -> Pictured:
    del scene_digest  # part of the key
    from core.report.explained import pictured

    return pictured(resources.store(), explanation, _scene)


def _about(run: Run, view: View) -> str:
    """What an explanation asked about, and how, in words."""
    from core.explain.boxes import METHODS

    target = run.parameters.get("target") or {}
    method = METHODS.get(str(run.parameters.get("method")))
    how = f", {method.title}" if method else ""
    number = _number(target.get("box"), view)
    if number is not None:
        return f"Box {number}{how}"
    if "score" not in target:
        return f"A box{how}"
    return f"A box of confidence {target['score']:.2f} at other values of the sliders{how}"


def _number(box: list[float] | None, view: View) -> int | None:
    """Number that a box has at the sliders' values, by its place; None when it is not among them."""
    import numpy as np

    if box is None:
        return None
    same = np.flatnonzero((view.findings.boxes.corners == np.asarray(box, dtype=np.float32)).all(axis=1))
    return int(same[0]) + 1 if len(same) else None
