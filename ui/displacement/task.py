"""Displacement, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.task.task import Card, Picture, TaskPage

PAGE = TaskPage(
    name="displacement",
    title="Landslide displacement",
    question="How does a monitored slope move, why, and what is it forecast to do next?",
    noun="forecast",
    button="Forecast",
    asks="forecasts",
    again="Forecast the same stations again",
    card=Card(
        "**How** does a monitored slope move, and how will it continue? From a table of readings to forecasts tested "
        "against the assumption that nothing changes.",
        "Forecast the reservoir landslide",
        {"sample": "reservoir-slide"},
        other="Use your own table",
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            "Displacement of a synthetic landslide at a reservoir, forecast month by month, over rain and reservoir "
            "level",
            "Synthetic reservoir landslide",
        ),
    ),
    samples=(),
    reading=Ref("ui.displacement.reading:READING"),
)
