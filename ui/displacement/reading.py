"""How a run of displacement is read."""

from __future__ import annotations

from ui.runs.reading import ReadingView

READING = ReadingView(listed="Forecast")
