"""Mapping, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="mapping",
    title="Landslide mapping",
    question="Which pixels of this image are landslides, and why?",
    noun="map",
    button="Map landslides",
    asks="maps",
    several="Map {images}",
    again="Map the earlier drawn area again",
    card=Card(
        "**Which pixels** are landslides? A segmentation model outlines each landslide, with areas, statistics and "
        "scores.",
        "Map the sample valley",
        {"sample": "valley-after"},
        begin="Start with the sample: a synthetic mountain valley before and after an event.",
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            "Part of the synthetic sample valley from above, with the mapped landslides in vermilion",
            "Synthetic sample valley",
        ),
    ),
    compare=Ref("ui.mapping.compare_runs:show"),
    lessons=Ref("ui.mapping.lessons:LESSONS"),
    reading=Ref("ui.mapping.reading:READING"),
    takes=(Taken("scene", ("scene",), "Map this image", "scene"),),
)
