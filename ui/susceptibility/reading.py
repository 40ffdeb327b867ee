"""How a run of susceptibility is read."""

from __future__ import annotations

from ui.messages import tr_noop
from ui.runs.reading import ReadingView

READING = ReadingView(listed=tr_noop("Map"))
