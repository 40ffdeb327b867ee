"""Landslide detection: choose a scene, run a detector, look at where it found landslides and why."""

from ui.detection import form, results
from ui.detection.task import PAGE
from ui.task import page

page.show(PAGE, form.prefill, form.ask, results.show_run)
