"""How a detection is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.detection import layers
from ui.map_layers import Outlines, Tiles, reference_outlines
from ui.messages import tr, tr_noop
from ui.runs.reading import ReadingView

if TYPE_CHECKING:
    from core.tasks.detection.report.content import DetectionInput


def _layers(content: DetectionInput) -> tuple[list[Tiles], list[Outlines]]:
    shown = content.prepared.detections
    name = tr_noop("Reference (boxes)")
    over = [] if shown.reference_boxes is None else [reference_outlines(shown.reference.head(layers.HELD), {}, name)]
    highest_confidence = float(shown.everything.scores.max(initial=0.0))
    return [], [*over, layers.by_confidence(shown.table.head(layers.HELD), highest_confidence)]


def _below(content: DetectionInput) -> None:
    count = content.prepared.count
    if count > layers.HELD:
        st.caption(tr("The map shows the {held:,} of {count:,} detections with the highest confidence; the "
                   "numbers count all.").format(held=layers.HELD, count=count))


def _chosen(content: DetectionInput) -> str:
    choice = content.prepared.choice
    return f"confidence {choice.confidence:.2f}, NMS IoU {choice.nms_iou:.2f}"


READING = ReadingView(
    verb=tr_noop("Searched"), listed=tr_noop("Highest confidence"), layers=_layers, below=_below, chosen=_chosen
)
