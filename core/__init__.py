"""SlideLens without its browser pages: scenes, models, explanations, runs and the tile routes."""

__version__ = "0.1.0"
