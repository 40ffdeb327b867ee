"""Asking for an explanation and showing it: what the tab of every task on images has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.wording import within
from ui import labels, resources
from ui.feedback import plain
from ui.map_layers import Tiles, run_tiles
from ui.messages import tr
from ui.state import Slot
from ui.task import jobs
from ui.task.explained import open_explanation, shown
from ui.task.judged import has_changes
from ui.task.legend import show_legend

if TYPE_CHECKING:
    from core.explain.methods import Method
    from core.learning.store import StoredModel
    from core.raster.scene import Scene
    from core.report.explained import ExplanationFigure
    from core.runs.records import Order, Run
    from core.tasks.imagery.explanation import ExplanationRequest
    from core.tasks.imagery.result import ImageResult
    from ui.task.view import View

HELP = {
    "grad-cam": "Weights the model's features by their average effect: also highlights similar-looking areas.",
    "hires-cam": "Weights each area by its own effect: highlights only areas that contributed to this result.",
    "occlusion": "Masks the image square by square; needs several hundred passes of the model.",
    "d-rise": "Masks random parts of the image and checks whether the detection remains; needs several hundred passes.",
}
"""What each method does."""

MASKED = "This method runs the model on several hundred masked images as a background job. The result is saved."
LAYER_HELP = (
    "Early layers respond to edges and colours in small cells, deep layers to whole shapes in large cells. Passed: "
    "of the locations tested, those where masking the highlighted areas lowered the score more than masking random "
    "areas."
)
FAITHFUL = (
    "The explained part is the part of the image that the pictures above without close-up show; masked pixels take the "
    "mean of their band. If the explanation is faithful, the score falls quickly when the places it marks highest are "
    "masked (small area under the curve), faster than when random places are masked, and rises quickly when only they "
    "are visible (large area under the curve)."
)


CURVES_HELP = "Runs the model on about 30 masked copies of the image as a background job. The result is saved."


@dataclass(frozen=True)
class Asking:
    """What can be asked about the chosen place.

    Attributes
    ----------
    task, result
        Name of the task, and the run.
    heading
        What is asked about, in words.
    methods
        Methods by name.
    model
        The model that is asked.
    layers
        Titles of its layers by name, in the order in which they are offered.
    first_method
        The method to begin with where its layers were not tested.
    request
        Makes the request of a method and a layer; no layer's name for the one that held best, or the deepest.
    order
        Makes the order of a request, for a visitor.
    """

    task: str
    result: ImageResult
    heading: str
    methods: Mapping[str, Method[Any, Any]]
    model: StoredModel
    layers: Mapping[str, str]
    first_method: str
    request: Callable[[str, str], ExplanationRequest]
    order: Callable[[ExplanationRequest, str], Order]


def _awaited(task: str) -> Slot[str]:
    """Explanation that a job computes for this visitor, to be shown once it is there."""
    return Slot(f"{task}-why-awaited", "")


def open_awaited(task: str) -> None:
    """Show what a job has finished meanwhile."""
    slot = _awaited(task)
    identity = slot.get()
    if identity and not resources.store().run(identity).active:
        slot.put("")
        if resources.store().run(identity).status == "done":
            open_explanation(task, identity)


def ask(asking: Asking) -> None:
    """Controls for method and layer, and the button that explains; or how far the explanation is."""
    from core.tasks.imagery.explanation import known_explanation
    from core.tasks.imagery.layer_choice import first_method

    st.markdown(f"**{asking.heading}**")
    left, middle, right = st.columns([2, 3, 1], vertical_alignment="bottom")
    methods, model = asking.methods, asking.result.model
    with left:
        method = st.selectbox(
            tr("Method"), list(methods), key=f"method-{model}", format_func=lambda name: methods[name].title,
            index=list(methods).index(first_method(asking.model.spec, asking.first_method)),
            help="  \n".join(f"**{methods[name].title}**: {HELP[name]}" for name in methods),
        )  # fmt: skip
    layered = methods[method].layered
    with middle:
        titles = _layer_titles(asking, method) if layered else {"": tr("Not used by this method")}
        layer = st.selectbox(
            tr("Layer"), list(titles), key=f"layer-{model}", format_func=titles.__getitem__, disabled=not layered,
            help=LAYER_HELP,
        )  # fmt: skip
    request = asking.request(method, layer if layered else "")
    known = known_explanation(resources.store(), asking.result, request)
    if known is not None and known.active:
        jobs.follow(known.id, what="Explaining")
        return
    with right:
        pressed = st.button(tr("Explain"), type="primary", width="stretch")
    if known is not None and known.status != "done":
        jobs.show_ended(known, opens=False)
    elif not layered:
        st.caption(MASKED)
    if pressed:
        _answer(asking, request, known, layered=layered)


def _layer_titles(asking: Asking, method: str) -> dict[str, str]:
    """Layers by name, that of no name first, each with how it held when the model was tested by this method."""
    from core.explain.layer_tests import layer_tests_in

    told = layer_tests_in(asking.model.spec.explanation)
    held = {} if told is None else {one.layer: one for one in told.tests if one.method == method}
    if told is None or not held:
        return {"": tr("Deepest contributing layer"), **asking.layers}
    best = held[told.layers(method)[0]]
    # First in the line and without its cells, since lists cut long ones off.
    passed = {name: f"{one.held}/{told.places} tests passed" for name, one in held.items()}
    first = f"Best ({passed[best.layer]}): {within(best.title).partition(' (')[0]}"
    return {
        "": first,
        **{name: f"{title} · {passed[name]}" if name in passed else title for name, title in asking.layers.items()},
    }


def _answer(asking: Asking, request: ExplanationRequest, known: Run | None, *, layered: bool) -> None:
    """Show the explanation: one that is known, one that is computed at once, or one that a job will compute."""
    from core.jobs.perform import run_inline

    if known is not None and known.status == "done" and jobs.missing_files(known) is None:
        open_explanation(asking.task, known.id)
        return
    order = asking.order(request, resources.visitor())
    if layered:
        with st.spinner(tr("Explaining")):
            made = run_inline(resources.store(), order)
        open_explanation(asking.task, made)
    else:
        _submit(asking.task, order)


def _submit(task: str, order: Order) -> None:
    """Leave an explanation to a job, and show it once it is there."""
    _awaited(task).put(resources.jobs().submit(order))
    st.rerun()


def explanation_tiles(result: ImageResult) -> list[Tiles]:
    """The map layer of the explanation that the address names, where it is there to be seen."""
    run = shown(result)
    if run is None or jobs.missing_files(run) is not None:
        return []
    return [run_tiles(run.id, layer_of(run), opacity=0.6, hides=("mask",))]  # the fill would cover its colours


def layer_of(run: Run) -> str:
    """Map layer of an explanation: what was cut at zero is bright where the score was raised, else red and blue."""
    from core.tasks.imagery.layers import explanation_layer

    return explanation_layer(run.parameters)


def show(view: View, run: Run, noun: str) -> None:
    """Show an explanation: its pictures, what they mean, and how faithful it is.

    Parameters
    ----------
    noun
        What is explained, whose outline and score are shown, in a word: a landslide, a detection, a place.
    """
    from core.plots.colours import legend
    from core.plots.faithfulness import curves_figure
    from core.plots.pictures import cam_picture, close_up, outlined, signed_picture
    from core.tasks.imagery.explanation import curves_in, known_explanation, request_of

    told = resources.store().provenance(run.id)
    seen = _pictured(run.id, view.record.scene.digest, view.record.scene)
    method = plain(str(told.get("method", "")))
    key = legend("attribution" if seen.signed else "cam")
    assert key is not None  # noqa: S101  both layers have one
    means = "red raised the score, blue lowered it" if seen.signed else "bright areas raised the score"
    draw = signed_picture if seen.signed else cam_picture
    whole, near = (slice(None), slice(None)), close_up(seen.region)
    for part, words in ((whole, ""), *([] if near is None else [(near, ", close-up")])):
        left, right = st.columns(2)
        left.image(outlined(seen.image[part], seen.region[part]), caption=f"Image with the {noun} outlined{words}",
                   width="stretch", alt=f"Image with the {noun} outlined{words}")  # fmt: skip
        right.image(draw(seen.image[part], seen.attribution[part], seen.region[part]), width="stretch",
                    caption=f"{method}{words or '; also available as a map layer'}",
                    alt=f"{method} over the image{words}: {means}")  # fmt: skip
    with st.columns(2)[1]:
        show_legend(key, tr(
            "The explained part is all that the pictures without close-up show, not only the outlined place. The "
            "weaker the effect, the more of the grey image shows through."
        ))
    if has_changes(view.result.id):
        st.caption(tr("The outlines here are the model's, without the corrections of the review."))
    notes = plain(" ".join(run.notes))
    st.markdown(notes)
    if "logit" in notes:
        st.caption(labels.explained_term("logit"))
    curves = curves_in(told)
    request = replace(request_of(run), curves=True)
    known = None if curves is not None else known_explanation(resources.store(), view.result, request)
    if known is not None and known.status == "done" and known.id != run.id:
        open_explanation(run.task, known.id)
    wanted = curves is not None or (known is not None and known.active)
    with st.expander(tr("Faithfulness of this explanation"), expanded=wanted):
        if curves is not None:
            st.plotly_chart(curves_figure(curves, noun), key=f"curves-{run.id}", theme="streamlit")
        st.caption(FAITHFUL)
        if curves is None:
            _offer_curves(view.result, run, request, known)


def _offer_curves(result: ImageResult, run: Run, request: ExplanationRequest, known: Run | None) -> None:
    """A button that has the curves of an explanation measured, or how far that is."""
    from core.tasks.imagery.explanation import order_explanation

    if known is not None and known.active:
        jobs.follow(known.id, what="Calculating the curves")
    elif st.button(tr("Calculate the curves"), key=f"measure-{run.id}", help=CURVES_HELP):
        _submit(run.task, order_explanation(run.task, result, request, owner=resources.visitor()))


def method_of(run: Run) -> str:
    """Title of the method of an explanation, with the layer where one was named; empty when the method is unknown."""
    from core.errors import InputError
    from core.explain.methods import TITLES, method_name

    try:
        title = TITLES[method_name(str(run.parameters.get("method", "")))]
    except InputError:
        return ""
    layer = str(run.parameters.get("layer", ""))
    return f"{title} at {plain(layer)}" if layer else title


@st.cache_resource(max_entries=8, show_spinner=False)
def _pictured(explanation: str, scene_digest: str, _scene: Scene) -> ExplanationFigure:
    del scene_digest  # part of the key
    from core.report.explained import explanation_figure

    return explanation_figure(resources.store(), explanation, _scene)
