"""Review: correct and accept what the run found."""

from __future__ import annotations

from ui.detection.scores import scored
from ui.detection.view import View
from ui.task import review_tab


def show(view: View) -> None:
    """Show the tab."""
    if view.reviewing is not None:
        review_tab.show(view.reviewing, lambda known: scored(view, known), view.record)
