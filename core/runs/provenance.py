"""What a result was computed with: versions, machine and times."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil

import core

PACKAGES = (
    "torch", "onnxruntime", "segmentation-models-pytorch", "rasterio", "numpy", "scipy", "pandas", "geopandas",
    "scikit-learn", "xgboost", "optuna", "shap", "statsmodels",
)  # fmt: skip


def now() -> str:
    """The time in UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def this_process() -> str:
    """Name of this process that no other one has had: host, number and when it began."""
    return f"{platform.node()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def environment() -> dict[str, Any]:
    """Versions of SlideLens, Python and the packages that decide results, and the machine."""
    versions = {"slidelens": core.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "versions": versions,
        "machine": {"system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count()},
    }
