"""Mapping, as its page names it."""

from __future__ import annotations

from core.runs.kinds import Ref
from ui.task.task import Card, TaskPage

PAGE = TaskPage(
    name="mapping",
    title="Landslide mapping",
    question="Which pixels of this scene are landslide, and why does the model say so?",
    noun="map",
    button="Map landslides",
    asks="maps",
    again="Map the same drawn area again",
    card=Card(
        "**Which pixels** are landslide? A segmentation model outlines each. Move the threshold and see map, areas and "
        "scores follow; compare with an inventory or with the time before an event.",
        "Map the sample valley",
        {"sample": "valley-after"},
        begin="Begin with the sample: a synthetic mountain valley before and after an event.",
    ),
    compare=Ref("ui.mapping.compare_runs:show"),
    reading=Ref("ui.mapping.reading:READING"),
)
