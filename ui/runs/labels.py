"""What runs, their kinds, states, sizes and times are called."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

if TYPE_CHECKING:
    from core.runs.records import Run
    from core.tasks.detection.result import DetectionResult
    from core.tasks.mapping.result import MappingResult

TASKS: Mapping[str, str] = {"detection": "Detection", "mapping": "Mapping"}
"""Titles of the tasks that make runs."""

KINDS: Mapping[str, str] = {
    "mapping": "Map",
    "change": "Difference of two maps",
    "explanation": "Explanation",
    "outlines": "Outlines of a large map",
    "detection": "Boxes",
    "fused": "Boxes of two detectors, fused",
    "outline": "Outline of a box",
    "evaluation": "Evaluation of a model",
    "training": "Training of a model",
}

SCORED: Mapping[str, str] = {"mapping": "Map, scored", "detection": "Boxes, scored"}
"""By task, what its findings are called when they were counted against a reference afterwards."""

STATUSES: Mapping[str, str] = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "interrupted": "Interrupted",
}

METRICS: Mapping[str, str] = {
    "f1": "F1",
    "iou": "IoU",
    "precision": "Precision",
    "recall": "Recall",
    "ap50": "AP50",
    "ap50_95": "AP50:95",
    "area_share": "Mapped",
    "boxes": "Boxes",
}
"""Titles of the numbers by which runs are compared, in the order in which they are shown."""

COUNTED: Mapping[str, str] = {
    "mapping": "At the model's own threshold, before minimum area and hole filling.",
    "detection": "At the model's own confidence and NMS IoU, boxes of any size; AP over all confidences.",
}
"""By task, at what the numbers of a run are counted."""

LEVEL: Mapping[str, str] = {"mapping": "Threshold", "detection": "Confidence"}
"""By task, what the number is called from which on something counts as landslide."""

SCORES = tuple(name for name in METRICS if name not in ("area_share", "boxes"))
"""Those of which more is better."""


def kind(run: Run) -> str:
    """What a run is."""
    if run.kind == "scored":
        return SCORED.get(run.task, run.kind)
    return KINDS.get(run.kind, run.kind)


def model(run: Run) -> str:
    """Title of the model that a run used, as the forms call it; its name when the model is gone."""
    return model_title(run.task, run.model) if run.model else ""


@lru_cache(maxsize=128)
def model_title(task: str, name: str) -> str:
    """Title of a model by its name."""
    from core.errors import ModelError
    from core.learning.store import find_model

    try:
        return find_model(task, name).spec.title
    except ModelError:
        return name


def status(run: Run) -> str:
    """State of a run, with its share while it works."""
    if run.cancelling and run.active:
        return "Stopping"
    if run.status == "running" and run.progress.total:
        return f"Running, {run.progress.share:.0%}"
    return STATUSES[run.status]


def metric(name: str, value: float | None) -> str:
    """A number by which runs are compared; a dash where it is undefined."""
    if value is None or math.isnan(value):
        return "–"
    if name == "boxes":
        return f"{value:,.0f}"
    return f"{value:.2%}" if name == "area_share" else f"{value:.3f}"


def level(result: MappingResult | DetectionResult) -> float:
    """The model's own number from which on something counts as landslide, when it made a result."""
    return result.confidence if hasattr(result, "confidence") else result.threshold


def size(octets: int) -> str:
    """Bytes with a unit a person would use.

    Examples
    --------
    >>> size(999), size(1_500), size(12_345_678), size(4_200_000_000)
    ('999 B', '1.5 kB', '12 MB', '4.2 GB')
    """
    value, units = float(octets), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.1f} {units[0]}" if value < 9.95 and units[0] != "B" else f"{value:.0f} {units[0]}"


def count(number: int, noun: str) -> str:
    """A number with its noun in the right form."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def zone() -> tzinfo:
    """The visitor's time zone as the browser tells it, else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def moment(time: datetime | None) -> str:
    """A time on the visitor's clock."""
    if time is None:
        return "–"
    here = time.astimezone(zone())
    return f"{here.day} {here:%B %Y, %H:%M}"
