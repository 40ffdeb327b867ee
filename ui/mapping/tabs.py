"""The tabs below the map, in the order that every task page keeps."""

from __future__ import annotations

from ui.mapping import compare, export, findings, scores, why
from ui.mapping import review as review_tab
from ui.mapping.view import View
from ui.task import provenance, reviewing, tabs
from ui.task.explained import led_here

TABS = {
    "Findings": findings.show,
    reviewing.TAB: review_tab.show,
    "Scores": scores.show,
    "Why": why.show,
    "Compare": compare.show,
    "Export": export.show,
    "Provenance": provenance.show,
}


def show_tabs(view: View) -> None:
    """Show the open tab."""
    tabs.show_tabs("mapping", TABS, view, "Why" if led_here("mapping") else "")
