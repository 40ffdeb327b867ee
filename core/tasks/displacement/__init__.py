"""Landslide displacement: monitoring series, forecasts that are tested honestly, and their explanation."""
