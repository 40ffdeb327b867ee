"""Rasters: reading what users bring, the grid it lies on, and writing what is computed from it."""
