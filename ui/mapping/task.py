"""Mapping, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.messages import tr_noop
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="mapping",
    title=tr_noop("Landslide mapping"),
    question=tr_noop("Which pixels of this image are landslides, and why?"),
    noun=tr_noop("map"),
    button=tr_noop("Map landslides"),
    asks="maps",
    several=tr_noop("Map {images}"),
    again=tr_noop("Map the earlier drawn area again"),
    card=Card(
        tr_noop(
            "**Which pixels** are landslides? A segmentation model outlines each landslide, with areas, statistics and "
            "scores."
        ),
        tr_noop("Open the sample in Mapping"),
        {"sample": "valley-after"},
        begin=tr_noop("Start with the sample: a synthetic mountain valley before and after an event."),
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            tr_noop("Part of the synthetic sample valley from above, with the mapped landslides in vermilion"),
            tr_noop("Synthetic sample valley"),
        ),
    ),
    compare=Ref("ui.mapping.compare_runs:show"),
    lessons=Ref("ui.mapping.lessons:LESSONS"),
    reading=Ref("ui.mapping.reading:READING"),
    takes=(Taken("scene", ("scene",), tr_noop("Map this image"), "scene"),),
)
