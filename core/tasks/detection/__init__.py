"""Landslide detection: boxes with scores, from every family of detectors."""
