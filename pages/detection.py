"""Landslide detection: choose a scene, run a detector, look at where it found landslides and why."""

from ui.detection import ask, results
from ui.detection.task import PAGE
from ui.task import page

page.show(PAGE, ask.like, ask.ask, results.show_run)
