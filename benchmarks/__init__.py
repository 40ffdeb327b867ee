"""Measurements of speed and memory; each is run by itself and writes its section of ``RESULTS.md``."""
