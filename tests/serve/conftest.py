"""A store with a small scene and a run, for routes and browser alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.runs.store import Store
from tests.serve.made import Made, make_run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIDELENS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def ground(home: Path) -> Made:
    """A georeferenced scene with a run."""
    return make_run(Store(home), georeferenced=True)


@pytest.fixture
def pixels(home: Path) -> Made:
    """A scene without a coordinate system, with a run."""
    return make_run(Store(home), georeferenced=False)
