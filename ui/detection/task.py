"""Detection, as its page names it."""

from __future__ import annotations

from ui.task.task import Task

DETECTION = Task(
    name="detection",
    title="Landslide detection",
    question="Where in this scene are landslides, how sure is the detector of each, and why?",
    noun="detection",
    button="Detect landslides",
    asks="searches",
    again="Search the same drawn area again",
    working={
        "detection": "Searching for landslides",
        "scored": "Counting against the reference",
        "fused": "Joining the boxes of two detectors",
    },
    kinds=("detection", "scored", "fused"),
    samples=("image", "velocity"),
)
