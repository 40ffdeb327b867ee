"""Landslide mapping: choose a scene, run a model, look at what it found and why."""

from ui.mapping import form, results
from ui.mapping.task import PAGE
from ui.task import page

page.show(PAGE, form.prefill, form.ask, results.show_run)
