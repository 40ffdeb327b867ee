"""Families of detectors, each behind the one interface of `core.detection.families.base`."""
