"""What a mapping is asked for by: a segmentation model, and how accurately."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from ui import labels, resources
from ui.mapping.limits import false_alarms
from ui.messages import tr
from ui.task import form

if TYPE_CHECKING:
    from core.runs.records import Order, SceneRecord
    from core.tasks.mapping.options import Options
    from core.tasks.mapping.run import Request
    from ui.task.form import Asked, Earlier
    from ui.task.task import Drawn

SCORE = (
    "F1 on validation images: 1 is perfect agreement with the reference. On the Landslide4Sense validation images "
    "the colour index reaches 0.49."
)

BUTTON = "Map landslides"


def prefill() -> Earlier | None:
    """What the run asked with which the form begins."""
    return form.prefill()


def ask(record: SceneRecord, before: Earlier | None = None, button: str = BUTTON) -> Asked | None:
    """Show model and form; what was asked, once the button was pressed."""
    from core.tasks.mapping.card import FAILURES
    from core.tasks.mapping.run import Request, order_of

    score = f"{SCORE} {labels.explained_term('colour_index')}"
    chosen = form.choose_model("mapping", record.scene, before, lambda model: model.spec.title, score, button)
    if chosen is None:
        return None
    model = chosen.model
    begin: Request = Request(model.spec.name) if before is None else before.request

    def order(request: Request, drawn: Drawn) -> Order:
        return order_of(record, request, drawn, owner=resources.visitor())

    asked = form.ask(record.scene, chosen, begin, button, lambda: _options(begin), order)
    drawn = tr("Columns: the image, the reference in white, and the result beside the reference.")
    form.show_limits(model, false_alarms(model), FAILURES, drawn)
    return asked


def _options(begin: Request) -> Options:
    test_time_augmentation = st.toggle(
        tr("Test-time augmentation (8 rotations and flips)"), begin.options.test_time_augmentation,
        help=tr("Takes eight times as long, improves results slightly and adds an uncertainty raster."),
    )  # fmt: skip
    form.show_unasked(_unasked(begin))
    return replace(begin.options, test_time_augmentation=test_time_augmentation)


def _unasked(request: Request) -> list[str]:
    """What the form takes from an earlier run without asking, as far as it is not what it would be anyway."""
    from core.tasks.mapping.run import Request

    usual, parts = Request(request.model), []
    if request.options.overlap != usual.options.overlap:
        parts.append(f"tiles overlap by {100 * request.options.overlap:.0f} %")
    if request.options.batch is not None:
        parts.append(f"{request.options.batch} tiles at a time")
    if request.engine != usual.engine:
        parts.append(f"computed with {request.engine}")
    return parts
