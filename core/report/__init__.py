"""The report of a run: one HTML file for readers who were not there."""

from core.report.content import DetectionInput, MappingInput, ReportInput
from core.report.write import render, write_report

__all__ = ["DetectionInput", "MappingInput", "ReportInput", "render", "write_report"]
