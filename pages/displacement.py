"""Landslide displacement: choose a table of readings, look at the slope, forecast it, and see what that is worth."""

from ui.displacement import page
from ui.displacement.task import PAGE

page.show(PAGE)
