"""What a detection is asked for by: a detector of some family, and how finely it looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.choices import words_of
from ui.messages import tr, tr_noop
from ui.task import form

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.runs.records import Order, SceneRecord
    from core.tasks.detection.options import Options
    from core.tasks.detection.run import Request
    from ui.task.form import Asked, Earlier
    from ui.task.task import Drawn

SCORE = (
    "AP50 on validation images: average precision, where a detection is correct from an overlap (IoU) of 0.5; 1 is "
    "perfect. *Components* are boxes around what a mapping model outlines, the baseline."
)

BUTTON = "Detect landslides"

FAMILIES = {
    "yolo": "YOLO",
    "rt-detr": "RT-DETR",
    "faster-rcnn": "Faster R-CNN",
    "retinanet": "RetinaNet",
    "ssdlite": "SSD-lite",
    "fcos": "FCOS",
    "mask-rcnn": "Mask R-CNN",
    "mask-components": "Components",
    "component-tree": "Component tree",
}
"""Names of the families of detectors."""

OVERLAPS = {0.0: tr_noop("none"), 0.25: tr_noop("a quarter"), 0.5: tr_noop("half")}


def prefill() -> Earlier | None:
    """What the run asked with which the form begins."""
    return form.prefill()


def title(model: StoredModel) -> str:
    """How a detector is called in a list: family and title."""
    spec = model.spec
    family = FAMILIES.get(spec.architecture, spec.architecture)
    parts = [] if spec.title.lower().startswith(family.lower()) else [family]
    return " · ".join([*parts, spec.title])


def ask(record: SceneRecord, before: Earlier | None = None, button: str = BUTTON) -> Asked | None:
    """Show model and form; what was asked, once the button was pressed."""
    from core.tasks.detection.run import Request, order_of

    chosen = form.choose_model("detection", record.scene, before, title, SCORE, button)
    if chosen is None:
        return None
    model = chosen.model
    begin: Request = Request(model.spec.name) if before is None else before.request

    def order(request: Request, drawn: Drawn) -> Order:
        return order_of(record, request, drawn, owner=resources.visitor())

    asked = form.ask(record.scene, chosen, begin, button, lambda: _options(begin), order)
    drawn = tr("Above: the largest missed landslides. Below: the false alarms of highest confidence. Each has a thick "
               "frame.")
    form.show_limits(model, _skill(model), "failures.png", drawn)
    return asked


def _skill(model: StoredModel) -> str:
    """What the model's scores mean, in words."""
    known = model.spec.scores.get("validation", {})
    if not {"precision", "recall", "confidence"} <= set(known):
        return ""
    return tr(
        "On validation images, at confidence {confidence:.2f}, {precision:.0f} % of its detections "
        "are correct and it finds {recall:.0f} % of the landslides."
    ).format(confidence=known["confidence"], precision=100 * known["precision"], recall=100 * known["recall"])


def _options(begin: Request) -> Options:
    other = f"{100 * begin.options.overlap:.0f} %"
    known = {**OVERLAPS, begin.options.overlap: OVERLAPS.get(begin.options.overlap, other)}
    overlap = st.selectbox(
        tr("Tile overlap"), list(known), list(known).index(begin.options.overlap), format_func=words_of(known),
        help=tr("With overlap, landslides at the edge of a tile are complete in the next one; more overlap takes "
                "longer."),
    )  # fmt: skip
    parts = [] if begin.options.batch is None else [f"{begin.options.batch} tiles at a time"]
    form.show_unasked(parts)
    return replace(begin.options, overlap=overlap)
