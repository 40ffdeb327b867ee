"""How a detection is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from ui.detection import layers
from ui.map_layers import Outlines, Tiles, reference_outlines
from ui.runs.reading import Reader, Reading, number

if TYPE_CHECKING:
    from core.report.parts import Part
    from core.tasks.detection.findings import Detections
    from core.tasks.detection.report.content import DetectionInput
    from core.tasks.detection.report.subject import DetectionSubject
    from core.tasks.detection.result import DetectionResult
    from core.tasks.detection.view import Choice, Merging


def _choice(result: DetectionResult) -> Choice:
    """Confidence and merging from the address, as the detection page writes them there; else the model's own.

    Raises
    ------
    InputError
        When one of them is no number, out of range or unknown.
    """
    from core.tasks.detection.findings import default_choice
    from core.tasks.detection.view import Choice

    default = default_choice(result)
    return Choice(
        number("confidence", default.confidence),
        number("overlap", default.nms_iou),
        cast("Merging", st.query_params.get("merging", default.merging)),
        number("smallest", default.minimum_area),
    )


@st.cache_resource(max_entries=2, show_spinner=False)
def _subject(key: tuple[str, ...], _content: DetectionInput) -> DetectionSubject:
    """Everything computed of a run; kept only as long as both halves of a page need it, for it holds pictures."""
    del key
    from core.tasks.detection.report.subject import DetectionSubject

    return DetectionSubject.of(_content)


@st.cache_resource(max_entries=16, show_spinner="Reading the run")
def _begin(key: tuple[str, ...], _content: DetectionInput) -> Reading:
    from core.tasks.detection.report.summary import summary

    subject = _subject(key, _content)
    return Reading(_content, summary(subject), subject.detections)


@st.cache_resource(max_entries=16, show_spinner="Drawing charts and explanations")
def _told(key: tuple[str, ...], _content: DetectionInput) -> dict[str, Part]:
    from core.report import reasons
    from core.tasks.detection.report import agreement, maps, summary

    subject = _subject(key, _content)
    made = (
        maps.maps(subject), maps.surest(subject), maps.dense(subject), agreement.agreement(subject),
        agreement.misses(subject), reasons.reasons(_content, subject.detections.table), summary.meaning(subject),
    )  # fmt: skip
    return {part.anchor: part for part in made if part is not None}


def _layers(reading: Reading) -> tuple[list[Tiles], list[Outlines]]:
    shown: Detections = reading.shown
    over = [] if shown.truth is None else [reference_outlines(shown.reference.head(layers.HELD), {})]
    surest = float(shown.everything.scores.max(initial=0.0))
    return [], [*over, layers.by_confidence(shown.table.head(layers.HELD), surest)]


def _below(reading: Reading) -> None:
    shown: Detections = reading.shown
    if shown.count > layers.HELD:
        st.caption(f"The map holds the {layers.HELD:,} surest of {shown.count:,} boxes; the numbers count all.")


def _chosen(reading: Reading) -> str:
    choice = reading.shown.choice
    return f"confidence {choice.confidence:.2f}, NMS IoU {choice.nms_iou:.2f}"


READER = Reader(
    verb="Searched", listed="The surest", choice=_choice, key=lambda content: (), begin=_begin, told=_told,
    layers=_layers, below=_below, chosen=_chosen,
)  # fmt: skip
