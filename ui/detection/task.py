"""Detection, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.messages import tr_noop
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="detection",
    title=tr_noop("Landslide detection"),
    question=tr_noop("Where are landslides in this image, with what confidence, and why?"),
    noun=tr_noop("detection"),
    button=tr_noop("Detect landslides"),
    asks="searches",
    several=tr_noop("Detect in {images}"),
    again=tr_noop("Search the earlier drawn area again"),
    card=Card(
        tr_noop(
            "**Where** are landslides, and how confident is each detection? A detector draws a box with a confidence "
            "around each landslide, fast even over large areas."
        ),
        tr_noop("Open the sample in Detection"),
        {"sample": "valley-after"},
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            tr_noop(
                "Part of the synthetic sample valley from above, with boxes around landslides and the confidence of "
                "each"
            ),
            tr_noop("Synthetic sample valley"),
        ),
    ),
    samples=("image", "velocity"),
    keys=("cell", "beside"),
    compare=Ref("ui.detection.compare_runs:show"),
    reading=Ref("ui.detection.reading:READING"),
    lessons=Ref("ui.detection.lessons:LESSONS"),
    takes=(Taken("scene", ("scene",), tr_noop("Detect in this image"), "scene"),),
)
