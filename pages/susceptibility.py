"""Landslide susceptibility: choose a table of labelled cells, validate models on it, look at what they are worth."""

from ui.susceptibility import page
from ui.susceptibility.task import PAGE

page.show(PAGE)
