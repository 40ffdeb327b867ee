"""Which parts the reports of detections have."""

from __future__ import annotations

from collections.abc import Iterator

from core.report import origin, reasons, reviewed
from core.report.content import ReportKind
from core.report.parts import Part
from core.tasks.detection.report import agreement, maps, summary
from core.tasks.detection.report.content import DetectionInput, gather


def _detection(content: DetectionInput) -> Iterator[Part | None]:
    subject = content.prepared
    yield summary.summary(subject)
    yield summary.meaning(subject)
    yield maps.maps(subject)
    yield maps.highest_confidence(subject)
    yield maps.dense(subject)
    yield agreement.agreement(subject)
    yield agreement.misses(subject)
    yield reviewed.reviewed(content)
    yield reasons.reasons(content, subject.detections.table)
    yield origin.data(content)
    yield origin.provenance(content, summary.chosen(subject))


DETECTION = ReportKind("Landslides detected in", gather, _detection)
FUSED = ReportKind("Landslides detected by two models in", gather, _detection)
