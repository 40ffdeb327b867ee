"""Wells, as their page names them."""

from __future__ import annotations

from ui.task.task import Card, TaskPage

PAGE = TaskPage(
    name="wells",
    title="Well levels",
    question="How do the levels of these wells change?",
    noun="table of trends",
    button="Fit lines",
    asks="fits",
    again="Fit the same rows again",
    card=Card("**How** do levels change? A line is fitted to each column.", "Open a table", {}),
    script="../tests/toy/wells.py",
)
