"""Detection, as its page names it."""

from __future__ import annotations

from core.runs.kinds import Ref
from ui.task.task import Card, TaskPage

PAGE = TaskPage(
    name="detection",
    title="Landslide detection",
    question="Where in this scene are landslides, how sure is the detector of each, and why?",
    noun="detection",
    button="Detect landslides",
    asks="searches",
    again="Search the same drawn area again",
    card=Card(
        "**Where** are landslides, and how sure is that? A detector draws a box around each, fast over large areas. "
        "Move the confidence and see boxes, density and scores follow; see what was missed; put two detectors side by "
        "side.",
        "Detect in the sample valley",
        {"sample": "valley-after"},
    ),
    samples=("image", "velocity"),
    keys=("cell", "beside"),
    compare=Ref("ui.detection.compare_runs:show"),
    reading=Ref("ui.detection.reading:READING"),
)
