"""Landslide mapping: choose a scene, run a model, look at what it found and why."""

from ui.mapping import ask, results
from ui.mapping.task import MAPPING
from ui.task import page

page.show(MAPPING, ask.like, ask.ask, results.show_run)
