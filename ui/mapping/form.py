"""What a mapping is asked for by: a segmentation model, and how accurately."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from ui import resources
from ui.task import form

if TYPE_CHECKING:
    from core.learning.store import StoredModel
    from core.runs.records import Order, SceneRecord
    from core.tasks.mapping.options import Options
    from core.tasks.mapping.run import Request
    from ui.task.form import Earlier
    from ui.task.task import Drawn

NUMBER = (
    "The number is F1 on validation images: 1 is perfect agreement with the reference. On those of the satellite "
    "models the colour index reaches 0.49."
)


def prefill() -> Earlier | None:
    """What the run asked with which the form begins."""
    return form.prefill()


def ask(record: SceneRecord, before: Earlier | None = None) -> Callable[[Drawn], Order] | None:
    """Show model and form; what makes the order, once the button was pressed."""
    from core.tasks.mapping.card import FAILURES
    from core.tasks.mapping.run import Request, order_of

    model = form.choose_model("mapping", record.scene, before, _title, NUMBER)
    if model is None:
        return None
    begin: Request = Request(model.spec.name) if before is None else before.request
    request = form.ask(record.scene, model, begin, "Map landslides", lambda: _options(begin))
    form.show_limits(model, _false_alarms(model), FAILURES)
    if request is None:
        return None
    return lambda drawn: order_of(record, request, drawn, owner=resources.visitor())


def _title(model: StoredModel) -> str:
    score = model.spec.scores.get("validation", {}).get("f1")
    return f"{score:.2f} · {model.spec.title}" if score is not None else model.spec.title


def _false_alarms(model: StoredModel) -> str:
    rate = model.spec.scores.get("quiet_valley", {}).get("false_alarm_m2_per_km2")
    if rate is None:
        return ""
    return f"On the synthetic valley before its event it maps {rate:,.0f} m² of false alarms per km²."


def _options(begin: Request) -> Options:
    test_time_augmentation = st.toggle(
        "Test-time augmentation (8 rotations and flips)", begin.options.test_time_augmentation,
        help="Test-time augmentation: eight times slower, a little better, gives an uncertainty raster.",
    )  # fmt: skip
    form.show_unasked(_unasked(begin))
    return replace(begin.options, test_time_augmentation=test_time_augmentation)


def _unasked(request: Request) -> list[str]:
    """What the form takes from an earlier run without asking, as far as it is not what it would be anyway."""
    from core.tasks.mapping.run import Request

    usual, parts = Request(request.model), []
    if request.options.overlap != usual.options.overlap:
        parts.append(f"windows overlap by {request.options.overlap:.0%}")
    if request.options.batch is not None:
        parts.append(f"{request.options.batch} windows at a time")
    if request.engine != usual.engine:
        parts.append(f"computed by {request.engine}")
    return parts
