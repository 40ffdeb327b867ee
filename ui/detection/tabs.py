"""The tabs below the map, in the order that every task page keeps."""

from __future__ import annotations

from collections.abc import Callable

from ui.detection import beside, export, findings, scores, slots
from ui.detection import review as review_tab
from ui.detection.view import View
from ui.task import provenance, reviewing, tabs
from ui.task.explained import led_here


def parts() -> dict[str, Callable[[View], None]]:
    """What each tab shows, by its title."""
    why: dict[str, Callable[[View], None]] = {"Why": lambda view: slots.show("why", view)}
    return {
        "Findings": findings.show,
        reviewing.TAB: review_tab.show,
        "Scores": scores.show,
        **(why if slots.there("why") else {}),
        "Compare": beside.show,
        "Export": export.show,
        "Provenance": provenance.show,
    }


def show_tabs(view: View) -> None:
    """Show the open tab."""
    tabs.show_tabs("detection", parts(), view, "Why" if led_here("detection") else "")
