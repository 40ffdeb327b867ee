"""Displacement, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.messages import tr_noop
from ui.task.task import Card, Picture, TaskPage

PAGE = TaskPage(
    name="displacement",
    title=tr_noop("Landslide displacement"),
    question=tr_noop("How does a monitored slope move, why, and what is it forecast to do next?"),
    noun=tr_noop("forecast"),
    button=tr_noop("Forecast"),
    asks="forecasts",
    again=tr_noop("Forecast the same stations again"),
    card=Card(
        tr_noop(
            "**How** does a monitored slope move, and how will it continue? From a table of readings to forecasts "
            "tested against simple ones."
        ),
        tr_noop("Open the sample in Displacement"),
        {"sample": "reservoir-slide"},
        other=tr_noop("Use your own table"),
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            tr_noop(
                "Displacement of a synthetic landslide at a reservoir, forecast month by month, over rain and "
                "reservoir "
                "level"
            ),
            tr_noop("Synthetic reservoir landslide"),
        ),
    ),
    samples=(),
    reading=Ref("ui.displacement.reading:READING"),
    lessons=Ref("ui.displacement.lessons:LESSONS"),
)
