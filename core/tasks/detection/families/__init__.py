"""Families of detectors, each behind the one interface of `core.tasks.detection.families.base`."""
