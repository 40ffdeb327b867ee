"""Data to start from: samples that ship with SlideLens, and open data that can be fetched."""
