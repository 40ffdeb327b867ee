"""Landslide mapping: a probability for every pixel, and the polygons that follow from it."""
