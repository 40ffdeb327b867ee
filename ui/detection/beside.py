"""Compare: two detectors side by side on one scene, in numbers and with the boxes of both on the map.

The other run stands in the page's address, as ``?beside=``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.errors import InputError
from core.tasks.detection.result import DetectionResult
from ui import resources
from ui.detection import layers, slots
from ui.detection.form import title
from ui.detection.scores import NAMES
from ui.detection.task import PAGE
from ui.detection.view import View, found
from ui.feedback import empty, guard, plain
from ui.labels import model_title
from ui.map_layers import Outlines
from ui.messages import tr, tr_noop
from ui.state import rerun_fragment
from ui.task import models
from ui.task.earlier import newest
from ui.task.jobs import missing_files
from ui.task.key_figures import score_text
from ui.task.run import show_state

if TYPE_CHECKING:
    from core.learning.fit import Fitting
    from core.runs.records import Order, Run
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.view import Choice

SAME = 0.5
"""Overlap (IoU) from which a box of each detector are of one landslide."""


def other_run(result: DetectionResult) -> Run | None:
    """The run that the address names beside this one, where it is a detection of the same image; else None."""
    identity = st.query_params.get("beside")
    if not identity:
        return None
    try:
        run = resources.store().run(identity)
    except InputError:
        return None
    fits = run.task == PAGE.name and run.kind in PAGE.kinds and run.id != result.id
    return run if fits and (run.subject.digest == result.scene_digest or run.active) else None


def layers_of(record: object, result: DetectionResult) -> list[Outlines]:
    """Boxes of the other detector for the map, at its own confidence; none without another."""
    del record
    run = other_run(result)
    if run is None or run.status != "done" or missing_files(run) is not None:
        return []
    other = _found(run)
    if other.result.grid != result.grid:
        return []
    return [layers.of_other(other.table.head(layers.HELD), model_title("detection", run.model))]


def _found(run: Run) -> Detections:
    """Boxes of the other run at its model's own confidence and overlap."""
    from core.tasks.detection.findings import default_choice
    from core.tasks.detection.result import DetectionResult

    result = resources.store().result(run.id, DetectionResult)
    return found(run.id, default_choice(result), result)


def show(view: View) -> None:
    """Choose another finished detection of the scene or start one; then both in numbers."""
    _choose(view)
    run = other_run(view.result)
    if run is None:
        if "beside" in st.query_params:
            st.warning(tr("The run to compare with in this address was deleted or is not of the same image."))
    elif show_state(run, PAGE, opens=False):
        with guard():
            _show(view, run)
    slots.show("fuse", view)


def _choose(view: View) -> None:
    known = _others(view.result)
    titles = {run.id: _title(run) for run in known}
    named = st.query_params.get("beside", "")
    left, right = st.columns(2, gap="medium")
    with left:
        chosen = st.selectbox(
            tr("Compare with another detection of this image"), list(titles), format_func=titles.__getitem__,
            index=list(titles).index(named) if named in titles else None, key=f"beside-{named}-{named in titles}",
            placeholder=tr("Choose a run") if titles else tr("None yet: run another detector"),
            disabled=not titles,
        )  # fmt: skip
        if chosen and chosen != named:
            _open(chosen)
    with right:
        _start(view)


def _open(identity: str) -> None:
    st.query_params["beside"] = identity
    rerun_fragment()


def _others(result: DetectionResult) -> list[Run]:
    """Finished detections of the same image, the newest first."""
    from core.runs.records import RunFilter

    wanted = RunFilter(task="detection", kinds=PAGE.kinds, statuses=("done",))
    runs = resources.store().runs(wanted)
    return [run for run in runs if run.subject.digest == result.scene_digest and run.id != result.id]


def _title(run: Run) -> str:
    from ui.labels import moment

    more = {"scored": ", scored", "fused": ", combined"}.get(run.kind, "")
    return f"{model_title('detection', run.model)}{more} · {moment(run.created)}"


def _start(view: View) -> None:
    """Search the same scene with another detector that fits it."""
    found = [one for one in _fittings(view) if one.model.spec.name != view.result.model]
    if not found:
        empty(tr("No other detector is installed."), tr("Train one with `python -m core detection train`."))
        return
    offer = models.offer(found, title, as_they_are=True)
    if offer.offered:
        chosen = offer.select(tr("Run another detector"), key=f"beside-model-{view.result.id}")
        offer.tell_score(chosen)
        if st.button(tr("Run this detector"), width="stretch"):
            with guard():
                order = _order(view, chosen.model.spec.name)
                run = newest(order)
                usable = run is not None and (run.active or run.status == "done")
                _open(run.id if run is not None and usable else resources.jobs().submit(order))
    else:
        st.caption(tr("No other detector can be run on this image as it is."))
    offer.tell_left_out(tr_noop("this image"))


def _fittings(view: View) -> Sequence[Fitting]:
    """Detectors, those that fit the scene best first; those that see the same bands are given the same."""
    from core.learning.fit import fittings

    return fittings("detection", view.record.scene, _known_bands(_on_image(view.result)))


def _on_image(result: DetectionResult) -> DetectionResult:
    """The run itself; of a fused one, that of the detector that saw the image."""
    return resources.store().result(result.parents[0], DetectionResult) if result.kind == "fused" else result


def _known_bands(result: DetectionResult) -> Mapping[tuple[str, ...], tuple[int, ...]]:
    """The bands that were chosen for this detector, by its roles; empty where they were told by the file or guessed."""
    from core.errors import ModelError
    from core.learning.store import find_model
    from core.tasks.detection.run import request_of

    asked = request_of(result).bands
    try:
        roles = find_model("detection", result.model).spec.bands
    except ModelError:
        return {}
    return {} if asked is None else {roles: tuple(asked)}


def _order(view: View, model: str) -> Order:
    """What was asked of this detector, of another one; bands are found anew where it takes others."""
    from dataclasses import replace

    from core.learning.store import find_model
    from core.tasks.detection.run import order_of, request_of

    asked = resources.store().run(view.result.id).parameters
    first = _on_image(view.result)
    bands = _known_bands(first).get(find_model("detection", model).spec.bands)
    request = replace(request_of(first), model=model, bands=bands)
    return order_of(view.record, request, asked.get("area"), owner=resources.visitor())


def _show(view: View, run: Run) -> None:
    other = _found(run)
    if other.result.grid != view.result.grid:
        raise InputError(tr("The two runs have different grids."), remedy=tr("Choose another run of this image."))
    first, second = (model_title("detection", name) for name in (view.result.model, run.model))
    if first == second:
        first, second = tr("{name}, this run").format(name=first), tr("{name}, the other run").format(name=second)
    _agreement(view, other, first, second)
    rows = {first: _row(view.findings), second: _row(other)}
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    frame: dict[str, list[Any]] = {tr("Detector"): list(rows)}
    frame |= {name: [row.get(name, "–") for row in rows.values()] for name in names}
    st.dataframe(frame, hide_index=True, alt="Scores of both detectors")
    st.caption(
        tr("This run at the slider settings, the other at its model's own confidence threshold of "
        "{confidence:.2f} and NMS IoU of {nms_iou:.2f}. Scores need a reference in the "
        "run.").format(confidence=other.choice.confidence, nms_iou=other.choice.nms_iou)
    )
    if _area(view.result) != _area(other.result):
        st.warning(tr("The two runs searched different parts of the image: their numbers do not refer to the same "
                   "landslides."))
    _curves(view, other, first, second)
    st.markdown(
        tr("The map also shows the detections of **{second}**, dashed and in reddish purple; hide them in the "
        "layer list.").format(second=plain(second))
    )
    if st.button(tr("Stop comparing"), key="stop-beside"):
        st.query_params.pop("beside", None)
        rerun_fragment()


def _area(result: DetectionResult) -> object:
    """Outline of the part of the scene that was searched; None for all of it."""
    return result.provenance.get("parameters", {}).get("area")


def _row(findings: Detections) -> dict[str, str]:
    row = {tr("Detections"): f"{findings.count:,}", tr("Confidence threshold"): f"{findings.choice.confidence:.2f}"}
    scores = findings.scores
    if scores is not None:
        row |= {tr(title): score_text(getattr(scores, name)) for name, title in NAMES.items()}
    seconds = findings.result.provenance.get("seconds")
    return row | ({tr("Time (s)"): f"{seconds:,.1f}"} if seconds is not None else {})


def _agreement(view: View, other: Detections, first: str, second: str) -> None:
    both, ours, theirs = _shared(view.result.id, view.choice, other.result.id, other.choice, view.findings, other)
    row = st.container(horizontal=True, gap="medium")
    row.metric(
        tr("Found by both"),
        f"{both:,}",
        width=150,
        help=tr("Detections that overlap with an IoU of at least {same}.").format(same=SAME),
    )
    row.metric(tr("Only {first}").format(first=first), f"{ours:,}", width=250)
    row.metric(tr("Only {second}").format(second=second), f"{theirs:,}", width=250)


@st.cache_resource(max_entries=8, show_spinner="Comparing detections")
def _shared(
    run: str, choice: Choice, other: str, others_choice: Choice, _ours: Detections, _theirs: Detections
) -> tuple[int, int, int]:
    """How many boxes are of both, of the first alone, of the second alone."""
    del run, choice, other, others_choice  # parts of the key
    from core.tasks.detection.metrics import match

    matched = match([_ours.boxes], [_theirs.boxes], SAME, limit=None).matched[0]
    both = int((matched >= 0).sum())
    return both, _ours.count - both, _theirs.count - both


def _curves(view: View, other: Detections, first: str, second: str) -> None:
    ours, theirs = view.findings, other
    if ours.curve is None or ours.scores is None or theirs.curve is None or theirs.scores is None:
        return
    from core.tasks.detection.plots import precision_recall_figure

    now, beside = ours.curve.at(view.choice.confidence), (second, theirs.curve, theirs.scores.ap50)
    figure = precision_recall_figure(ours.curve, now, ours.scores.ap50, first, beside)
    st.plotly_chart(figure, key=f"pr-beside-{view.result.id}", config={"displaylogo": False})
