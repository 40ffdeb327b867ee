"""How a run of displacement is read."""

from __future__ import annotations

from ui.messages import tr_noop
from ui.runs.reading import ReadingView

READING = ReadingView(listed=tr_noop("Forecast"))
