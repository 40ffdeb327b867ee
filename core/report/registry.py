"""Which parts the report of which kind of run has.

A new task adds a module that builds its parts and a line below; template, pictures, data and provenance are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import InputError
from core.report import origin, reasons
from core.report.content import DetectionInput, MappingInput, ReportInput
from core.report.parts import Part
from core.tasks.detection.report import agreement as box_agreement
from core.tasks.detection.report import maps as box_maps
from core.tasks.detection.report import summary as box_summary
from core.tasks.detection.report.subject import DetectionSubject
from core.tasks.mapping.report import agreement, change, maps, summary
from core.tasks.mapping.report.subject import MappingSubject

Builder = Callable[[Any], Iterator[Part | None]]
"""Each takes the input of its own task."""


def _mapping(content: MappingInput) -> Iterator[Part | None]:
    subject = MappingSubject.of(content)
    yield summary.summary(subject)
    yield summary.meaning(subject)
    yield maps.maps(subject)
    yield maps.sizes(subject)
    yield agreement.agreement(subject)
    yield reasons.reasons(content, None if subject.findings is None else subject.findings.polygons)
    yield origin.data(content, content.dem)
    yield origin.provenance(content)


def _change(content: MappingInput) -> Iterator[Part | None]:
    yield change.change(content)
    yield origin.data(content)
    yield origin.provenance(content)


def _detection(content: DetectionInput) -> Iterator[Part | None]:
    subject = DetectionSubject.of(content)
    yield box_summary.summary(subject)
    yield box_summary.meaning(subject)
    yield box_maps.maps(subject)
    yield box_maps.surest(subject)
    yield box_maps.dense(subject)
    yield box_agreement.agreement(subject)
    yield box_agreement.misses(subject)
    yield reasons.reasons(content, subject.detections.table)
    yield origin.data(content)
    yield origin.provenance(content, box_summary.chosen(subject))


BUILDERS: Mapping[tuple[str, str], tuple[str, Builder]] = {
    ("mapping", "mapping"): ("Landslides mapped in", _mapping),
    ("mapping", "scored"): ("Landslides mapped in", _mapping),
    ("mapping", "change"): ("Change between two mappings of", _change),
    ("detection", "detection"): ("Landslides detected in", _detection),
    ("detection", "scored"): ("Landslides detected in", _detection),
    ("detection", "fused"): ("Landslides detected by two models in", _detection),
}
"""By task and kind of run: how the title begins, and what builds the parts in their order."""


def title_of(content: ReportInput) -> str:
    """Title of a report: what it is of."""
    return f"{_entry(content)[0]} {content.scene_name}"


def parts_of(content: ReportInput) -> tuple[Part, ...]:
    """The parts of a report, in order; those that have nothing to say are left out.

    Raises
    ------
    InputError
        When there is no report for such a run.
    StorageError
        When a raster of the run is gone.
    """
    return tuple(part for part in _entry(content)[1](content) if part is not None)


def _entry(content: ReportInput) -> tuple[str, Builder]:
    try:
        return BUILDERS[content.task, content.kind]
    except KeyError:
        raise InputError(
            f"There is no report of a run of the kind {content.kind!r}.",
            "Only what it belongs to can be reported.",
            "Open the run it was asked of and make the report there.",
        ) from None
