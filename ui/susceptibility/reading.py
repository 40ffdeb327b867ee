"""How a run of susceptibility is read."""

from __future__ import annotations

from ui.runs.reading import ReadingView

READING = ReadingView(listed="Map")
