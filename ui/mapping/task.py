"""Mapping, as its page names it."""

from __future__ import annotations

from ui.task.task import Task

MAPPING = Task(
    name="mapping",
    title="Landslide mapping",
    question="Which pixels of this scene are landslide, and why does the model say so?",
    noun="map",
    button="Map landslides",
    asks="maps",
    again="Map the same drawn area again",
    working={"mapping": "Mapping landslides", "scored": "Counting against the reference"},
    kinds=("mapping", "scored"),
)
