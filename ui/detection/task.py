"""Detection, as its page names it."""

from __future__ import annotations

from pathlib import Path

from core.runs.kinds import Ref
from ui.task.task import Card, Picture, Taken, TaskPage

PAGE = TaskPage(
    name="detection",
    title="Landslide detection",
    question="Where are landslides in this image, with what confidence, and why?",
    noun="detection",
    button="Detect landslides",
    asks="searches",
    several="Detect in {images}",
    again="Search the earlier drawn area again",
    card=Card(
        "**Where** are landslides, and how confident is each detection? A detector draws a box with a confidence "
        "around each landslide, fast even over large areas.",
        "Detect in the sample valley",
        {"sample": "valley-after"},
        picture=Picture(
            Path(__file__).with_name("picture.webp"),
            "Part of the synthetic sample valley from above, with boxes around landslides and the confidence of each",
            "Synthetic sample valley",
        ),
    ),
    samples=("image", "velocity"),
    keys=("cell", "beside"),
    compare=Ref("ui.detection.compare_runs:show"),
    reading=Ref("ui.detection.reading:READING"),
    takes=(Taken("scene", ("scene",), "Detect in this image", "scene"),),
)
