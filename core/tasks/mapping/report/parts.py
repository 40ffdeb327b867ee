"""Which parts the reports of mappings have."""

from __future__ import annotations

from collections.abc import Iterator

from core.report import origin, reasons, reviewed
from core.report.content import ReportKind
from core.report.parts import Part
from core.tasks.mapping.report import agreement, change, maps, since, summary
from core.tasks.mapping.report.content import ChangeInput, MappingInput, compared_with, gather_change, gather_mapping


def _mapping(content: MappingInput) -> Iterator[Part | None]:
    subject = content.prepared
    yield summary.summary(subject)
    yield summary.meaning(subject)
    yield maps.maps(subject)
    yield maps.sizes(subject)
    yield agreement.agreement(subject)
    yield since.since_before(subject)
    yield reviewed.reviewed(content)
    yield reasons.reasons(content, None if subject.findings is None else subject.findings.polygons)
    elevation = None if content.dem is None else origin.elevation_facts(content.dem, content.dem_record)
    yield origin.data(content, elevation, *since.earlier_data(content))
    yield origin.provenance(content)


def _change(content: ChangeInput) -> Iterator[Part | None]:
    yield change.change(content)
    yield origin.data(content)
    yield origin.provenance(content)


MAPPING = ReportKind("Landslides mapped in", gather_mapping, _mapping, compared_with)
CHANGE = ReportKind("Change between two mappings of", gather_change, _change)
